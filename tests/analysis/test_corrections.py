"""What a person puts right, applied to what the machine found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sfa_kernel.analysis.corrections import apply, correct, plain
from sfa_kernel.analysis.curves import Curve
from sfa_kernel.analysis.model import Analysis, Cue, GridSegment, KeySpan, Section
from sfa_kernel.errors import ParameterError

DURATION = 60.0


@dataclass(frozen=True)
class Made:
    """A correction as the catalogue gives it."""

    kind: str
    value: dict[str, Any]


@pytest.fixture
def found() -> Analysis:
    """120 BPM from 0.1 s on, bars of four, the first on the third beat; A minor; two sections."""
    beats = 0.1 + np.arange(119) * 0.5
    analysis = Analysis(
        duration=DURATION,
        tempo=120.0,
        tempo_confidence=0.7,
        tempo_alternative=60.0,
        beats=beats,
        downbeats=beats[2::4],
        grid_kind="constant",
        grid=[GridSegment(0.1, 0, 119, 120.0)],
        key="A minor",
        key_confidence=0.6,
        camelot="8A",
        open_key="1m",
        keys=[KeySpan(0.0, 30.0, "A minor", "8A", 0.6), KeySpan(30.0, DURATION, "C major", "8B", 0.4)],
        sections=[
            Section(0.0, 29.1, "intro", 0.5, "A", "Thin.", {"level": -9.0}),
            Section(29.1, DURATION, "drop", 0.6, "B", "Full."),
        ],
        drops=[29.1],
    )
    analysis.curves.held["energy"] = Curve(np.ones(3), rate=1.0)
    return analysis


def consistent(analysis: Analysis) -> Analysis:
    """Look that beats, downbeats and grid say the same."""
    beats = np.asarray(analysis.beats)
    assert np.all(np.diff(beats) > 0)
    assert beats[0] >= 0
    assert beats[-1] < analysis.duration
    assert np.isin(analysis.downbeats, beats).all()
    assert sum(segment.beats for segment in analysis.grid) == len(beats)
    for segment in analysis.grid:
        mine = beats[segment.first : segment.first + segment.beats]
        assert segment.start == mine[0]
        assert np.diff(mine) == pytest.approx(60 / segment.tempo)
    if len(analysis.grid) == 1:
        assert analysis.grid[0].tempo == analysis.tempo
    assert Analysis.from_dict(analysis.to_dict()).to_dict() == analysis.to_dict()
    return analysis


def test_tempo_and_first_beat_lay_a_grid_over_the_whole_song(found: Analysis) -> None:
    put = consistent(correct(found, "grid", {"tempo": 127.35, "first_beat": 1.0}))
    period = 60 / 127.35
    assert (put.tempo, put.tempo_confidence, put.grid_kind) == (127.35, 1.0, "constant")
    assert put.beats[0] == pytest.approx(1.0 - 2 * period)
    assert put.beats[-1] >= DURATION - period
    assert 1.0 in put.downbeats
    assert np.diff(put.downbeats) == pytest.approx(4 * period)
    assert put.corrected == ["grid"]


def test_a_song_without_beats_gets_a_grid_by_hand(found: Analysis) -> None:
    silent = Analysis(duration=10.0)
    put = consistent(correct(silent, "grid", {"tempo": 90, "first_beat": 0, "beats_per_bar": 3}))
    assert np.diff(put.downbeats) == pytest.approx(2.0)
    with pytest.raises(ParameterError, match="no beat grid"):
        correct(silent, "grid", {"scale": 2})


def test_twice_the_beats_keep_the_old_ones_and_their_bars(found: Analysis) -> None:
    twice = consistent(correct(found, "grid", {"scale": 2}))
    assert (twice.tempo, twice.tempo_alternative) == (240.0, 120.0)
    assert np.isin(found.beats, twice.beats).all()
    assert np.isin(found.downbeats, twice.downbeats).all()
    assert np.diff(twice.downbeats) == pytest.approx(1.0)
    assert twice.downbeats[0] == pytest.approx(0.1)
    back = consistent(correct(twice, "grid", {"scale": 0.5}))
    assert back.beats == pytest.approx(found.beats)
    assert back.tempo == 120.0


def test_half_the_beats_keep_the_first_downbeat(found: Analysis) -> None:
    half = consistent(correct(found, "grid", {"scale": 0.5}))
    assert half.tempo == 60.0
    assert half.downbeats[0] == found.downbeats[0]
    assert np.diff(half.downbeats) == pytest.approx(4.0)


def test_half_the_beats_in_three_keep_bars_of_three(found: Analysis) -> None:
    waltz = correct(found, "grid", {"beats_per_bar": 3})
    assert np.diff(waltz.downbeats) == pytest.approx(1.5)
    half = consistent(correct(waltz, "grid", {"scale": 0.5}))
    assert np.diff(half.downbeats) == pytest.approx(3.0)


def test_a_shift_moves_every_beat_and_can_be_shifted_back(found: Analysis) -> None:
    later = consistent(correct(found, "grid", {"shift": 0.03}))
    assert later.beats == pytest.approx(found.beats + 0.03)
    assert later.downbeats == pytest.approx(found.downbeats + 0.03)
    early = consistent(correct(found, "grid", {"shift": -0.15}))
    assert early.beats[0] == pytest.approx(0.45)
    back = consistent(correct(early, "grid", {"shift": 0.15}))
    assert back.beats == pytest.approx(found.beats)
    assert back.downbeats == pytest.approx(found.downbeats)


def test_the_nearest_beat_begins_a_bar(found: Analysis) -> None:
    moved = consistent(correct(found, "grid", {"downbeat": 10.3}))
    assert moved.beats == pytest.approx(found.beats)
    assert np.min(np.abs(moved.downbeats - 10.1)) < 1e-9
    assert np.diff(moved.downbeats) == pytest.approx(2.0)


def test_a_piecewise_grid_keeps_its_stretches(found: Analysis) -> None:
    found.beats = np.concatenate([0.1 + np.arange(60) * 0.5, 30.1 + np.arange(40) * 0.6])
    found.grid = [GridSegment(0.1, 0, 60, 120.0), GridSegment(30.1, 60, 40, 100.0)]
    found.grid_kind = "piecewise"
    twice = correct(found, "grid", {"scale": 2})
    assert [(s.first, s.beats, s.tempo) for s in twice.grid] == [(0, 120, 240.0), (120, 80, 200.0)]
    assert twice.grid[1].start == pytest.approx(30.1)
    half = correct(found, "grid", {"scale": 0.5})
    assert [(s.first, s.beats, s.tempo) for s in half.grid] == [(0, 30, 60.0), (30, 20, 50.0)]


def test_pins_follow_a_band_whose_tempo_moves(found: Analysis) -> None:
    # The band hurries from 120 to 126 BPM; a person pins every second bar by ear.
    periods = np.linspace(0.5, 60 / 126, 119)
    played = 0.1 + np.concatenate([[0.0], np.cumsum(periods[:-1])])
    pinned = found
    for beat in range(8, 112, 8):
        pinned = correct(pinned, "grid", {"pin": float(played[beat])})
    consistent(pinned)
    assert pinned.grid_kind == "piecewise"
    beats = np.asarray(pinned.beats)
    np.testing.assert_allclose(beats[: 104 + 1], played[: 104 + 1], atol=0.004)
    assert pinned.grid[0].tempo == pytest.approx(120, abs=0.5)
    assert pinned.grid[-2].tempo == pytest.approx(125.5, abs=0.5)
    # The song is over sooner in beats than a clock would have it: the grid reaches its end.
    assert DURATION - beats[-1] < 0.5
    np.testing.assert_allclose(pinned.downbeats[:26], beats[2::4][:26])


def test_a_pin_moves_only_what_comes_after_the_pin_before_it(found: Analysis) -> None:
    first = correct(found, "grid", {"pin": 20.2})
    second = correct(first, "grid", {"pin": 40.3})
    np.testing.assert_allclose(second.beats[:41], first.beats[:41])
    assert 40.3 in np.asarray(second.beats)
    consistent(second)


def test_a_corrected_grid_moves_nothing_else(found: Analysis) -> None:
    put = correct(found, "grid", {"tempo": 100, "first_beat": 0.3})
    assert put.sections == found.sections
    assert put.drops == found.drops
    assert put.key == found.key
    assert put.curves is found.curves
    assert found.tempo == 120.0
    assert found.corrected == []


def test_a_key_brings_its_codes_and_leaves_the_old_one_as_the_alternative(found: Analysis) -> None:
    put = correct(found, "key", {"key": "bb minor"})
    assert (put.key, put.camelot, put.open_key, put.key_confidence) == ("A# minor", "3A", "8m", 1.0)
    assert put.key_alternative == "A minor"
    assert put.keys == [KeySpan(0.0, DURATION, "A# minor", "3A", 1.0)]
    same = correct(found, "key", {"key": "A minor"})
    assert (same.open_key, same.key_alternative) == ("1m", None)
    assert correct(found, "key", {"key": "C major"}).open_key == "1d"


def test_sections_are_kept_as_given_and_known_ones_keep_their_reasons(found: Analysis) -> None:
    given = [
        {"start": 0, "end": 29.1, "label": "intro"},
        {"start": 29.1, "end": 45.0, "label": "build"},
        {"start": 45.0, "end": 59.98, "label": "drop"},
    ]
    put = correct(found, "sections", {"sections": given})
    assert [(s.start, s.end, s.label) for s in put.sections] == [
        (0.0, 29.1, "intro"),
        (29.1, 45.0, "build"),
        (45.0, DURATION, "drop"),
    ]
    assert put.sections[0].reason == "Thin."
    assert put.sections[2].confidence == 1.0
    assert put.drops == [45.0]


def test_corrections_apply_in_order_and_what_no_longer_fits_is_left_out(found: Analysis) -> None:
    made = [Made("grid", {"scale": 2}), Made("key", {"key": "E minor"}), Made("grid", {"scale": 0.5})]
    put = apply(found, made)
    assert (put.tempo, put.key, put.corrected) == (120.0, "E minor", ["grid", "key"])
    silence = apply(Analysis(duration=5.0), made)
    assert (silence.tempo, silence.corrected) == (None, ["key"])


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("mood", {}, "no correction of 'mood'"),
        ("grid", {}, "names tempo and first_beat"),
        ("grid", {"tempo": 120}, "names tempo and first_beat"),
        ("grid", {"scale": 2, "shift": 1}, "names tempo and first_beat"),
        ("grid", {"tempo": 4000, "first_beat": 0}, "out of range"),
        ("grid", {"tempo": float("nan"), "first_beat": 0}, "no number"),
        ("grid", {"tempo": True, "first_beat": 0}, "no number"),
        ("grid", {"tempo": 120, "first_beat": 61}, "no sound at 61 s"),
        ("grid", {"tempo": 120, "first_beat": 1, "beats_per_bar": 5}, "bar of 5 beats"),
        ("grid", {"scale": 3}, "cannot be scaled by 3"),
        ("grid", {"scale": "2"}, "no number"),
        ("grid", {"shift": 2.5}, "more than a bar"),
        ("grid", {"downbeat": -1}, "no sound at -1 s"),
        ("grid", {"beats_per_bar": 7}, "bar of 7 beats"),
        ("key", {"key": "H dur"}, "is no key"),
        ("key", {"key": 8}, "names the key"),
        ("sections", {"sections": []}, "lists them all"),
        ("sections", {"sections": [{"start": 0}]}, "Section 1 lacks"),
        ("sections", {"sections": [7]}, "Section 1 lacks"),
        ("sections", {"sections": [{"start": 0, "end": 60, "label": "solo"}]}, "no section 'solo'"),
        ("sections", {"sections": [{"start": 1, "end": 60, "label": "intro"}]}, "the song begins at 0 s"),
        ("sections", {"sections": [{"start": 0, "end": 50, "label": "intro"}]}, "but the song at 60.000 s"),
        (
            "sections",
            {"sections": [{"start": 0, "end": 9, "label": "intro"}, {"start": 10, "end": 60, "label": "drop"}]},
            "Section 2 begins at 10 s, but section 1 ends at 9 s",
        ),
        (
            "sections",
            {"sections": [{"start": 0, "end": 60, "label": "intro"}, {"start": 60, "end": 60, "label": "drop"}]},
            "Section 2 ends before it begins",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    found: Analysis, kind: str, value: dict[str, Any], said: str
) -> None:
    with pytest.raises(ParameterError, match=said):
        correct(found, kind, value)


def test_values_become_json(found: Analysis) -> None:
    assert plain({"tempo": np.float32(120), "first_beat": 0}) == {"tempo": 120.0, "first_beat": 0}
    assert plain({"sections": found.sections})["sections"][1]["label"] == "drop"
    for value in (float("inf"), object(), Cue):
        with pytest.raises(ParameterError, match="numbers and text"):
            plain({"tempo": value})
