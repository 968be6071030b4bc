"""Key and Camelot code: what harmonic mixing relies on."""

from __future__ import annotations

import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze, camelot
from sfa_kernel.errors import ParameterError
from tests.analysis.songs import make_song

FORM = (("verse", 8), ("break", 4), ("drop", 8))


@pytest.mark.parametrize(
    ("tonic", "mode", "cents", "code"),
    [("A", "minor", 0.0, "8A"), ("F#", "minor", -25.0, "11A"), ("C", "major", 0.0, "8B"), ("D#", "major", 30.0, "5B")],
)
def test_key_is_found_in_any_tuning(tonic: str, mode: str, cents: float, code: str) -> None:
    song = make_song(form=FORM, tonic=tonic, mode=mode, tuning_cents=cents, seed=5)
    analysis = analyze(song.samples, song.sample_rate)

    assert analysis.key == f"{tonic} {mode}"
    assert analysis.camelot == code
    assert analysis.tuning_cents == pytest.approx(cents, abs=6)
    assert 0 < analysis.key_confidence <= 1


def test_drums_alone_have_no_confident_key() -> None:
    layers = {"drop": {"kick": 1.0, "snare": 1.0, "hat": 1.0}}
    song = make_song(layers=layers)
    analysis: Analysis = analyze(song.samples, song.sample_rate)

    assert analysis.key is None or analysis.key_confidence < 0.5


def test_a_chord_without_rhythm_has_a_key_and_no_beat() -> None:
    t = np.arange(8 * 22050) / 22050
    chord = sum(np.sin(2 * np.pi * hertz * t) for hertz in (220.0, 261.63, 329.63)) / 6
    analysis = analyze(chord.astype(np.float32), 22050)

    assert analysis.key == "A minor"
    assert analysis.tempo is None


def test_camelot_codes() -> None:
    assert [camelot(key) for key in ("C major", "A minor", "Db major", "G# minor", "B major", "E minor")] == [
        "8B",
        "8A",
        "3B",
        "1A",
        "1B",
        "9A",
    ]
    with pytest.raises(ParameterError, match="no key"):
        camelot("H minor")
