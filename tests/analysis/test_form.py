"""Sections, drops and energy: what preparing a set relies on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze
from tests.analysis.songs import SONG_FORM, Song, make_song


def test_sections_of_a_club_track(club_song: Song, club_analysis: Analysis) -> None:
    truth = [(start, label) for start, _, label in club_song.sections]
    found = [(section.start, section.label) for section in club_analysis.sections]

    assert [label for _, label in found] == [label for _, label in truth]
    np.testing.assert_allclose([start for start, _ in found], [start for start, _ in truth], atol=60 / 127.35)


def test_sections_cover_the_song_without_gaps(club_analysis: Analysis) -> None:
    sections = club_analysis.sections

    assert sections[0].start == 0
    assert sections[-1].end == pytest.approx(club_analysis.duration)
    assert all(a.end == b.start for a, b in itertools.pairwise(sections))
    assert all(0 <= section.confidence <= 1 for section in sections)


def test_drops_fall_within_a_beat(club_song: Song, club_analysis: Analysis) -> None:
    np.testing.assert_allclose(club_analysis.drops, club_song.drops, atol=60 / 127.35)


def test_a_song_has_choruses_and_no_drop() -> None:
    song = make_song(tempo=104.0, form=SONG_FORM, groove="pop", mode="major", seed=1)
    analysis = analyze(song.samples, song.sample_rate)

    assert analysis.drops == []
    assert "chorus" in {section.label for section in analysis.sections}
    assert analysis.sections[-1].label == "outro"


def test_even_techno_has_at_most_one_drop() -> None:
    song = make_song(tempo=132.0, form=(("drop", 48),), groove="techno")

    assert len(analyze(song.samples, song.sample_rate).drops) <= 1


def test_energy_follows_the_arrangement(club_song: Song, club_analysis: Analysis) -> None:
    def mean(label: str) -> float:
        start, end = next((start, end) for start, end, name in club_song.sections if name == label)
        rate = club_analysis.energy_rate
        return float(np.mean(club_analysis.energy_curve[int(start * rate) : int(end * rate)]))

    assert len(club_analysis.energy_curve) == pytest.approx(club_analysis.duration * club_analysis.energy_rate, abs=1)
    assert club_analysis.energy_curve.min() >= 0
    assert club_analysis.energy_curve.max() <= 1
    assert mean("drop") > mean("break")


def test_a_club_track_has_more_energy_than_a_pad(club_analysis: Analysis) -> None:
    layers = {"break": {"chords": 0.3}}
    pad = make_song(tempo=80.0, form=(("break", 8),), layers=layers)

    assert club_analysis.energy >= 5
    assert analyze(pad.samples, pad.sample_rate).energy <= club_analysis.energy - 2


def test_a_verse_and_a_chorus_of_nearly_one_level_are_told_apart() -> None:
    layers = {
        "verse": {"kick": 0.95, "snare": 0.95, "hat": 0.95, "bass": 0.9, "chords": 0.6, "lead": 0.4},
        "chorus": {"kick": 1.0, "snare": 1.0, "hat": 1.0, "bass": 1.0, "chords": 0.7, "lead": 0.5},
        "intro": {"hat": 0.7, "chords": 0.2},
    }
    form = (("intro", 4), ("verse", 12), ("chorus", 8), ("verse", 8), ("chorus", 8))
    chords: dict[str, tuple[int, ...]] = {"verse": (0, 4, 5, 3), "chorus": (3, 0, 4, 5)}
    song = make_song(tempo=112.0, form=form, groove="pop", mode="major", seed=7, layers=layers, progressions=chords)
    found = analyze(song.samples, song.sample_rate).sections

    starts = [start for start, _, _ in song.sections]
    np.testing.assert_allclose([section.start for section in found], starts, atol=0.5)


def test_repeats_share_a_letter_whatever_their_length() -> None:
    form = (("intro", 4), ("verse", 12), ("chorus", 8), ("verse", 8), ("chorus", 12), ("bridge", 8), ("chorus", 8))
    song = make_song(tempo=104.0, form=form, groove="pop", mode="major", seed=2)
    sections = analyze(song.samples, song.sample_rate).sections

    assert [section.label for section in sections] == [label for label, _ in form]
    letters: dict[str, set[str]] = {}
    for section in sections:
        letters.setdefault(section.label, set()).add(section.group)
    assert all(len(group) == 1 for group in letters.values())
    assert len(set.union(*letters.values())) == len(letters)
    assert sections[0].group == "A"


def test_sections_give_their_reasons_in_numbers(club_analysis: Analysis) -> None:
    for section in club_analysis.sections:
        assert "dB" in section.reason
        assert section.reason.endswith(".")
        assert {"low", "middle", "high", "rise", "low_return", "bars", "likeness"} <= set(section.evidence)
    build = next(section for section in club_analysis.sections if section.label == "build")
    assert build.evidence["rise"] > 6
    assert f"{build.evidence['rise']:.0f} dB over {build.evidence['bars']:.0f} bars" in build.reason


def test_the_curves_of_the_form_lie_on_its_bars(club_analysis: Analysis) -> None:
    bars = len(club_analysis.downbeats)
    levels = club_analysis.curves["structure.levels"]
    similarity = club_analysis.curves["structure.similarity"]
    novelty = club_analysis.curves["structure.novelty"]

    assert levels.values.shape == (bars, 3)
    assert similarity.values.shape == (bars, bars)
    assert similarity.values.dtype == np.uint8
    assert np.all(np.diag(similarity.values) == 255)
    assert novelty.values.shape == (bars,)
    inner = [section.start for section in club_analysis.sections[1:]]
    at_edges = [float(novelty.values[int(np.abs(novelty.axis - start).argmin())]) for start in inner]
    assert np.mean(at_edges) > 3 * float(np.median(novelty.values))


@pytest.mark.parametrize("topic", ["sections", "cues", "loops"])
def test_the_form_explains_itself(club_analysis: Analysis, topic: str) -> None:
    explanation = club_analysis.explain(topic)

    assert explanation.text.endswith(".")
    assert explanation.numbers
    assert explanation.lines
    assert explanation.marks


@pytest.mark.parametrize("topic", ["sections", "cues", "loops"])
def test_silence_explains_why_there_is_nothing(topic: str) -> None:
    assert Analysis(duration=5.0).explain(topic).text.endswith(".")


def test_music_without_a_beat_has_one_unsure_section() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 30 * 22050).astype(np.float32)
    (section,) = analyze(noise, 22050).sections

    assert section.confidence <= 0.5
