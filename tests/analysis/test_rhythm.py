"""Tempo, beats and downbeats: what a DJ's beat matching relies on."""

from __future__ import annotations

import mir_eval
import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze
from sfa_kernel.analysis.explain import TOPICS
from tests.analysis.songs import Song, make_song
from tests.sounds import SAMPLE_RATE, four_on_the_floor

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


def two_tempi(**options: object) -> tuple[Song, Analysis]:
    form = (("verse", 20), ("chorus", 12))
    return analysed(groove="pop", tempo=120.0, form=form, tempo_changes={20: 128.0}, lead_in=0.3, **options)


def on_their_segments(analysis: Analysis) -> float:
    """The furthest that a beat lies from its segment's line, in seconds."""
    furthest = 0.0
    for segment in analysis.grid:
        own = np.asarray(analysis.beats)[segment.first : segment.first + segment.beats]
        line = segment.start + 60 / segment.tempo * np.arange(segment.beats)
        furthest = max(furthest, float(np.abs(own - line).max()))
    return furthest


def clicks(times: np.ndarray, rate: int = 22050) -> np.ndarray:
    """A short drum at each time."""
    samples = np.zeros(int((times[-1] + 1.0) * rate), np.float32)
    time = np.arange(int(0.1 * rate)) / rate
    drum = (np.sin(2 * np.pi * 70 * time) * np.exp(-time * 40)).astype(np.float32)
    for at in times:
        start = round(at * rate)
        samples[start : start + len(drum)] += 0.5 * drum[: len(samples) - start]
    return samples


def test_beats_and_grid_follow_a_tempo_that_changes() -> None:
    song, analysis = two_tempi()

    assert analysis.grid_kind == "piecewise"
    assert [segment.tempo for segment in analysis.grid] == pytest.approx([120.0, 128.0], abs=0.05)
    assert analysis.grid[1].start == pytest.approx(song.beats[80], abs=0.01)
    assert analysis.tempo == pytest.approx(120.0, abs=0.05)  # the longest stretch
    assert mir_eval.beat.f_measure(song.beats, analysis.beats, f_measure_threshold=0.02) > 0.99
    assert mir_eval.beat.f_measure(song.downbeats, analysis.downbeats, f_measure_threshold=0.02) > 0.95


@pytest.mark.parametrize("tempo", [92.0, 100.0, 128.0, 140.0])
def test_a_plain_kick_on_every_beat_is_not_counted_twice_as_fast(tempo: float) -> None:
    song = four_on_the_floor(16.0, bpm=tempo)
    assert analyze(song.T, SAMPLE_RATE).tempo == pytest.approx(tempo, abs=0.1)


def test_single_clicks_in_silence_have_a_beat() -> None:
    clicks = np.zeros(30 * SAMPLE_RATE, np.float32)
    clicks[:: SAMPLE_RATE // 2] = 1.0
    assert analyze(clicks, SAMPLE_RATE).tempo == pytest.approx(120.0, abs=0.01)


@pytest.mark.parametrize("tempo", [83.47, 127.35, 171.93])
def test_a_constant_tempo_is_exact_to_a_hundredth(tempo: float) -> None:
    groove = "dnb" if tempo > 150 else "house" if tempo > 100 else "pop"
    _, analysis = analysed(groove=groove, tempo=tempo, form=(("verse", 16), ("drop", 24)))

    assert analysis.grid_kind == "constant"
    assert len(analysis.grid) == 1
    assert analysis.tempo == pytest.approx(tempo, abs=0.01)
    assert analysis.grid[0].tempo == analysis.tempo


def test_every_beat_lies_on_its_segment() -> None:
    for _, analysis in (two_tempi(), analysed(tempo=127.35, lead_in=0.3)):
        assert sum(segment.beats for segment in analysis.grid) == len(analysis.beats)
        assert on_their_segments(analysis) < 0.001


def test_a_break_without_drums_does_not_break_the_grid() -> None:
    song, analysis = analysed(tempo=124.6, form=(("drop", 8), ("break", 12), ("drop", 8)))

    assert analysis.grid_kind == "constant"
    assert mir_eval.beat.f_measure(song.beats, analysis.beats, f_measure_threshold=0.02) > 0.99


def test_a_ritardando_is_free_and_has_a_curve() -> None:
    song, analysis = analysed(groove="pop", tempo=120.0, ritardando=0.25, form=(("verse", 10), ("chorus", 10)))
    curve = analysis.curves["tempo.curve"]

    assert analysis.grid_kind == "free"
    assert analysis.grid == []
    assert mir_eval.beat.f_measure(song.beats, analysis.beats) > 0.95
    np.testing.assert_allclose(curve.axis, analysis.beats)
    assert np.median(curve.values[:8]) == pytest.approx(118.0, abs=3.0)
    assert np.median(curve.values[-8:]) == pytest.approx(97.0, abs=3.0)


@pytest.mark.parametrize("swing", [0.5, 0.56, 0.62, 0.66])
def test_swing_is_measured(swing: float) -> None:
    _, analysis = analysed(groove="hiphop", tempo=93.0, swing=swing)

    assert analysis.swing == pytest.approx(swing, abs=0.02)
    assert analysis.swing_confidence > 0.4


def test_there_is_no_swing_where_nothing_plays_between_the_beats() -> None:
    analysis = analyze(clicks(0.2 + 0.5 * np.arange(60)), 22050)

    assert analysis.tempo == pytest.approx(120.0, abs=0.02)
    assert analysis.swing is None
    assert analysis.swing_confidence == 0.0


@pytest.mark.parametrize("tempo", [84.0, 112.0, 170.0])
def test_a_waltz_keeps_its_own_tempo(tempo: float) -> None:
    song, analysis = analysed(groove="waltz", tempo=tempo, form=(("verse", 12), ("chorus", 12)))

    assert analysis.beats_per_bar == 3
    assert analysis.tempo == pytest.approx(tempo, rel=5e-4)
    assert mir_eval.beat.f_measure(song.downbeats, analysis.downbeats) > 0.9
    assert analysis.metre_confidence > 0.6


def test_slow_hip_hop_is_not_heard_at_twice_its_tempo() -> None:
    for seed in range(3):
        song, analysis = analysed(groove="hiphop", tempo=78.0 + 5 * seed, seed=seed, varied=True)

        assert analysis.tempo == pytest.approx(song.tempo, rel=5e-4)


def test_confidence_is_high_for_a_steady_song_and_low_for_free_clicks() -> None:
    _, steady = analysed(tempo=126.0)
    rng = np.random.default_rng(1)
    free = analyze(clicks(np.cumsum(rng.uniform(0.25, 0.9, 80))), 22050)

    for name in ("tempo", "beat", "downbeat", "metre"):
        assert getattr(steady, f"{name}_confidence") > 0.7
    for name in ("tempo", "beat", "downbeat"):
        assert getattr(free, f"{name}_confidence") < 0.25


@pytest.mark.parametrize("seconds", [0.0, 0.2, 3.0])
def test_silence_has_no_rhythm(seconds: float) -> None:
    analysis = analyze(np.zeros(int(seconds * 22050), np.float32), 22050)

    assert analysis.tempo is None
    assert analysis.grid_kind == "none"
    assert len(analysis.beats) == len(analysis.downbeats) == len(analysis.grid) == 0
    assert analysis.swing is None


def test_a_single_beat_is_no_rhythm() -> None:
    samples = np.zeros(10 * 22050, np.float32)
    samples[50_000:52_205] = clicks(np.array([0.0]))[:2205]
    analysis = analyze(samples, 22050)

    assert analysis.tempo is None
    assert analysis.grid_kind == "none"


def test_rhythm_leaves_its_curves(club_analysis: Analysis) -> None:
    curves = club_analysis.curves
    tempi = curves["tempo.candidates"]

    assert curves["onsets"].values.shape[1] == 3
    assert curves["onsets"].rate == pytest.approx(43.07, abs=0.01)
    assert np.interp(127.35, tempi.axis, tempi.values) > 0.5
    np.testing.assert_allclose(curves["tempo.curve"].values, club_analysis.tempo, rtol=1e-6)
    assert len(curves["downbeats.evidence"]) == len(club_analysis.beats)


@pytest.mark.parametrize("topic", ["tempo", "beats", "downbeats", "grid", "swing"])
def test_rhythm_can_be_asked_why(topic: str, club_analysis: Analysis) -> None:
    assert topic in TOPICS
    told = club_analysis.explain(topic)
    silent = analyze(np.zeros(22050, np.float32), 22050).explain(topic)
    old = Analysis.from_dict(club_analysis.to_dict()).explain(topic)  # its curves are lost

    assert told.numbers
    assert told.lines
    assert all(len(line.x) == len(line.y) > 0 for line in told.lines)
    assert "none" in silent.title.lower()
    assert not old.lines
    assert "not kept" in old.text


def test_the_reasons_name_the_runner_up_and_the_stretches() -> None:
    _, analysis = two_tempi()

    assert analysis.explain("tempo").numbers["runner-up [BPM]"] is not None
    assert "longest of 2 stretches" in analysis.explain("tempo").text
    assert "128.0" in analysis.explain("grid").text
