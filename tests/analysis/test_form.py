"""Sections, drops, energy and cues: what preparing a set relies on."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze, find_cues
from sfa_kernel.errors import ParameterError
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


def test_cues_lie_on_downbeats_and_say_why(club_song: Song, club_analysis: Analysis) -> None:
    cues = find_cues(club_analysis)

    assert 3 <= len(cues) <= 8
    assert [cue.time for cue in cues] == sorted(cue.time for cue in cues)
    for cue in cues:
        assert np.abs(club_song.downbeats - cue.time).min() < 0.01
        assert cue.reason
        assert cue.color.startswith("#")
        assert 0 <= cue.confidence <= 1
    drops = [cue.time for cue in cues if cue.type == "drop"]
    np.testing.assert_allclose(drops, club_song.drops, atol=0.01)
    assert {"intro", "build", "drop", "break", "outro"} <= {cue.type for cue in cues}


def test_the_voice_gets_a_cue_where_it_enters(club_song: Song, club_analysis: Analysis) -> None:
    count = int(club_analysis.duration * 10)
    voice = np.zeros(count, np.float32)
    entry = club_song.downbeats[20] + 0.3
    voice[int(entry * 10) : int(entry * 10) + 100] = 0.2
    levels = {"vocals": voice, "drums": np.full(count, 0.1, np.float32)}

    cues = [cue for cue in find_cues(club_analysis, stem_levels=levels) if cue.type == "vocal"]
    assert [cue.time for cue in cues] == [pytest.approx(club_song.downbeats[20], abs=0.01)]


def test_without_beats_there_are_no_cues() -> None:
    assert find_cues(Analysis(duration=10.0)) == []


def test_a_stem_rate_must_be_positive(club_analysis: Analysis) -> None:
    with pytest.raises(ParameterError):
        find_cues(club_analysis, stem_rate=0)
