"""The chord lane: right most of the time, without gaps, and N where nothing sounds."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel.analysis import analyze
from sfa_kernel.analysis.chords import CHORDS
from tests.analysis.songs import make_song
from tests.analysis.styles import song_of

if TYPE_CHECKING:
    from sfa_kernel.analysis import Analysis
    from tests.analysis.songs import Song

TRIADS = {"A": (220.0, 277.18, 329.63), "Dm": (293.66, 349.23, 440.0), "F#m": (185.0, 220.0, 277.18)}


def right(analysis: Analysis, truth: list[tuple[float, float, str]]) -> float:
    """Share of the time with a major or minor triad, or none, that has the right label."""
    times = np.arange(0.05, analysis.duration, 0.05)
    found = _labels([(chord.start, chord.end, chord.label) for chord in analysis.chords], times)
    known = _labels(truth, times)
    asked = [index for index, label in enumerate(known) if label in CHORDS]
    return float(np.mean([found[index] == known[index] for index in asked]))


def _labels(spans: list[tuple[float, float, str]], times: np.ndarray) -> list[str]:
    index = np.searchsorted([start for start, _, _ in spans], times, side="right") - 1
    return [
        spans[span][2] if span >= 0 and time < spans[span][1] else "N" for span, time in zip(index, times, strict=True)
    ]


@pytest.mark.parametrize("style", ["house", "drum and bass", "hip hop", "pop", "waltz", "detuned"])
def test_chords_are_right_most_of_the_time(style: str) -> None:
    song = song_of(style, seed=77)
    analysis = analyze(song.samples, song.sample_rate)

    assert right(analysis, song.chords) >= 0.85


def test_the_lane_has_no_gaps(club_analysis: Analysis) -> None:
    lane = club_analysis.chords

    assert lane[0].start == 0.0
    assert lane[-1].end == pytest.approx(club_analysis.duration)
    for before, after in pairwise(lane):
        assert before.end == after.start
        assert before.label != after.label
    assert {chord.label for chord in lane} <= set(CHORDS)
    assert all(chord.start < chord.end and 0 <= chord.confidence <= 1 for chord in lane)


def test_chords_change_on_beats(club_analysis: Analysis) -> None:
    changes = [chord.start for chord in club_analysis.chords if chord.label != "N"]
    distance = [float(np.abs(club_analysis.beats - time).min()) for time in changes]

    assert np.median(distance) < 1e-6


def test_chords_are_found_without_beats() -> None:
    truth = [(4.0 * index, 4.0 * (index + 1), label) for index, label in enumerate(("A", "Dm", "F#m", "A"))]
    samples = np.concatenate([_sound(TRIADS[label], 4.0) for _, _, label in truth])
    analysis = analyze(samples, 22050)

    assert right(analysis, truth) >= 0.85


def test_detuned_by_nearly_half_a_semitone_the_lane_follows_the_tuning() -> None:
    song = make_song(form=(("verse", 16),), tonic="E", mode="major", tuning_cents=-40.0, seed=8)
    analysis = analyze(song.samples, song.sample_rate)

    assert right(analysis, song.chords) >= 0.85


def test_where_only_drums_play_there_is_no_chord(club_song: Song, club_analysis: Analysis) -> None:
    intro = next((start, end) for start, end, name in club_song.sections if name == "intro")
    silent = sum(
        max(0.0, min(chord.end, intro[1]) - max(chord.start, intro[0]))
        for chord in club_analysis.chords
        if chord.label == "N"
    )

    assert silent > 0.8 * (intro[1] - intro[0])


@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_short_songs_have_a_lane_or_none(seconds: float) -> None:
    lane = analyze(_sound(TRIADS["A"], seconds), 22050).chords

    assert not lane or (lane[0].start == 0.0 and lane[-1].end == pytest.approx(seconds, abs=1e-3))


def test_silence_has_no_chords() -> None:
    analysis = analyze(np.zeros(3 * 22050, np.float32), 22050)

    assert analysis.chords == []
    assert analysis.explain("chords").title == "Chords: none"


def test_the_explanation_names_chords_and_their_shares(club_analysis: Analysis) -> None:
    explanation = club_analysis.explain("chords")
    shares = [value for name, value in explanation.numbers.items() if name.startswith("share of")]

    assert "on the beats" in explanation.text
    assert "succession" in explanation.text
    assert 0.5 < sum(float(share or 0) for share in shares) <= 1.0
    assert float(np.asarray(explanation.lines[0].y).sum()) == pytest.approx(1.0, abs=1e-6)


def _sound(hertz: tuple[float, ...], seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * 22050)) / 22050
    sound = sum(np.sin(2 * np.pi * tone * part * t) / part for tone in hertz for part in (1, 2, 3)) / 8
    return sound.astype(np.float32)
