"""Tempo, beats and downbeats: what a DJ's beat matching relies on."""

from __future__ import annotations

import mir_eval
import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze
from tests.analysis.songs import Song, make_song

GROOVE = (("verse", 12), ("drop", 12))


def analysed(**options: object) -> tuple[Song, Analysis]:
    song = make_song(**{"form": GROOVE, **options})  # type: ignore[arg-type]  # names are checked by the call
    return song, analyze(song.samples, song.sample_rate)


def bias(song: Song, analysis: Analysis) -> float:
    """Median distance of beats to the nearest true beat, in seconds."""
    distance = np.asarray(analysis.beats)[:, None] - song.beats[None]
    nearest = distance[np.arange(len(distance)), np.abs(distance).argmin(axis=1)]
    return float(np.median(nearest[np.abs(nearest) < 0.07]))


@pytest.mark.parametrize(
    ("groove", "tempo"),
    [("house", 127.35), ("techno", 138.2), ("dnb", 173.4), ("hiphop", 92.6), ("pop", 118.01)],
)
def test_beats_lie_on_the_attack_at_any_fraction_of_a_tempo(groove: str, tempo: float) -> None:
    song, analysis = analysed(groove=groove, tempo=tempo, lead_in=0.21)

    assert analysis.tempo == pytest.approx(tempo, rel=5e-4)
    assert abs(bias(song, analysis)) < 0.005
    assert mir_eval.beat.f_measure(song.beats, analysis.beats) > 0.95
    assert mir_eval.beat.f_measure(song.downbeats, analysis.downbeats) > 0.9
    assert analysis.beats_per_bar == 4


def test_swing_moves_no_beat() -> None:
    song, analysis = analysed(groove="hiphop", tempo=96.0, swing=0.62)

    assert analysis.tempo == pytest.approx(96.0, rel=5e-4)
    assert abs(bias(song, analysis)) < 0.005
    assert mir_eval.beat.f_measure(song.beats, analysis.beats) > 0.95


def test_beats_follow_a_tempo_that_drifts() -> None:
    song, analysis = analysed(groove="pop", tempo=118.0, drift=0.015, form=(("verse", 16), ("chorus", 16)))

    assert mir_eval.beat.f_measure(song.beats, analysis.beats, f_measure_threshold=0.035) > 0.95
    assert analysis.tempo == pytest.approx(60 / np.median(np.diff(song.beats)), rel=0.005)


def test_a_waltz_has_three_beats_in_a_bar() -> None:
    song, analysis = analysed(groove="waltz", tempo=150.0, form=(("verse", 16), ("chorus", 16)))

    assert analysis.beats_per_bar == 3
    assert mir_eval.beat.f_measure(song.downbeats, analysis.downbeats) > 0.9


def test_the_neighbouring_metrical_level_is_offered() -> None:
    _, analysis = analysed(tempo=126.0)

    assert analysis.tempo_alternative == pytest.approx(63.0, rel=1e-3)
    assert analysis.tempo_confidence > 0.5


def test_the_beat_grid_spans_the_whole_song(club_song: Song, club_analysis: Analysis) -> None:
    gaps = np.diff(club_analysis.beats)

    assert club_analysis.beats[0] == pytest.approx(club_song.beats[0], abs=0.01)
    assert club_analysis.beats[-1] >= club_song.beats[-1] - 0.01
    np.testing.assert_allclose(gaps, 60 / 127.35, atol=1e-3)
    assert set(np.round(club_analysis.downbeats, 6)) <= set(np.round(club_analysis.beats, 6))


def test_a_lead_that_comes_and_goes_does_not_change_the_beat() -> None:
    rate = 22050
    time = np.arange(12 * rate) / rate
    drum = 0.25 * np.random.default_rng(0).standard_normal(len(time)) * np.exp(-(time % 0.5) * 90)
    lead = 0.15 * np.sin(2 * np.pi * 523.25 * time) * (np.floor(time) % 2 == 0)
    bass = 0.25 * np.sin(2 * np.pi * 65.4 * time)

    assert analyze((drum + lead + bass).astype(np.float32), rate).tempo == pytest.approx(120, rel=1e-3)
