"""Key, keys over time, tuning and the codes of the wheel: what harmonic mixing relies on."""

from __future__ import annotations

import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze, camelot, compatible_keys, open_key
from sfa_kernel.analysis.key import KEYS
from sfa_kernel.errors import ParameterError
from tests.analysis.songs import GROOVES, make_song
from tests.analysis.styles import song_of

FORM = (("verse", 8), ("break", 4), ("drop", 8))
DRUMS = {"drop": {"kick": 1.0, "snare": 1.0, "hat": 1.0}}


@pytest.mark.parametrize(
    ("tonic", "mode", "cents", "code"),
    [("A", "minor", 0.0, "8A"), ("F#", "minor", -25.0, "11A"), ("C", "major", 0.0, "8B"), ("D#", "major", 30.0, "5B")],
)
def test_key_is_found_in_any_tuning(tonic: str, mode: str, cents: float, code: str) -> None:
    song = make_song(form=FORM, tonic=tonic, mode=mode, tuning_cents=cents, seed=5)
    analysis = analyze(song.samples, song.sample_rate)

    assert analysis.key == f"{tonic} {mode}"
    assert analysis.camelot == code
    assert analysis.open_key == open_key(analysis.key)
    assert analysis.key_alternative in set(KEYS) - {analysis.key}
    assert analysis.tuning_cents == pytest.approx(cents, abs=6)
    assert 0 < analysis.key_confidence <= 1


def test_the_second_guess_is_near_and_a_sure_answer_is_right() -> None:
    answers = []
    for style in ("house", "drum and bass", "hip hop", "pop", "waltz"):
        song = song_of(style, seed=311)
        answers.append((song.key, analyze(song.samples, song.sample_rate)))
    sure = [(truth, found) for truth, found in answers if found.key_confidence > 0.8]

    assert sum(truth in (found.key, found.key_alternative) for truth, found in answers) >= len(answers) - 1
    assert sure
    assert all(truth == found.key for truth, found in sure)


@pytest.mark.parametrize("semitones", [1, 2])
def test_a_change_of_key_is_found_where_it_happens(semitones: int) -> None:
    song = make_song(
        form=(("verse", 16), ("chorus", 16)), groove="pop", tonic="D", mode="major", modulations={16: semitones}, seed=4
    )
    analysis = analyze(song.samples, song.sample_rate)

    assert [span.key for span in analysis.keys] == [label for _, _, label in song.keys]
    assert analysis.keys[1].start == pytest.approx(song.keys[1][0], abs=2 * 4 * 60 / song.tempo)
    assert [span.camelot for span in analysis.keys] == [camelot(span.key) for span in analysis.keys]
    assert analysis.keys[0].start == 0.0
    assert analysis.keys[1].end == pytest.approx(analysis.duration)
    assert analysis.key in {span.key for span in analysis.keys}


@pytest.mark.parametrize(
    ("mode", "verse", "chorus"),
    [
        ("minor", (0, 5, 2, 6), (2, 6, 0, 4)),  # the chorus turns to the relative major
        ("major", (0, 4, 5, 3), (5, 3, 0, 4)),  # and here to the relative minor
    ],
)
def test_a_chorus_on_other_chords_is_no_change_of_key(
    mode: str, verse: tuple[int, ...], chorus: tuple[int, ...]
) -> None:
    song = make_song(
        form=(("intro", 4), ("verse", 8), ("chorus", 8), ("verse", 8), ("chorus", 8)),
        groove="pop",
        tonic="G",
        mode=mode,
        progressions={"verse": verse, "chorus": chorus},
        seed=2,
    )
    analysis = analyze(song.samples, song.sample_rate)

    assert [(span.start, span.end, span.key) for span in analysis.keys] == [
        (0.0, pytest.approx(analysis.duration), analysis.key)
    ]


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_drums_alone_have_no_confident_key_and_no_chord(seed: int) -> None:
    song = make_song(layers=DRUMS, groove=list(GROOVES)[seed], varied=True, seed=seed)
    analysis = analyze(song.samples, song.sample_rate)
    silent = sum(chord.end - chord.start for chord in analysis.chords if chord.label == "N")

    assert analysis.key is None or analysis.key_confidence < 0.5
    assert silent > 0.8 * analysis.duration


def test_a_chord_without_rhythm_has_a_key_and_no_beat() -> None:
    analysis = analyze(_chord(8.0), 22050)

    assert analysis.key == "A minor"
    assert analysis.tempo is None
    assert len(analysis.curves["chroma.beats"]) == 0


def test_one_second_and_silence_are_answered() -> None:
    second = analyze(_chord(1.0), 22050)
    silence = analyze(np.zeros(3 * 22050, np.float32), 22050)

    assert second.key is None or second.key_confidence < 0.8
    assert silence.key is None
    assert silence.camelot is None
    assert silence.open_key is None
    assert silence.keys == []
    assert silence.tuning_cents == 0.0


def test_the_explanation_says_what_decided(club_analysis: Analysis) -> None:
    key, tuning = club_analysis.explain("key"), club_analysis.explain("tuning")

    assert club_analysis.key in key.title
    assert club_analysis.camelot in key.title
    assert "relative A major" in key.text
    assert "Phrases of four bars begin on the chord F#m" in key.text
    assert key.numbers["confidence"] == pytest.approx(club_analysis.key_confidence, abs=1e-3)
    assert float(np.asarray(key.lines[0].y).sum()) == pytest.approx(1.0, abs=1e-3)
    assert key.marks[0].label == club_analysis.key
    assert f"{club_analysis.tuning_cents:+.0f} cents" in tuning.title
    assert len(tuning.lines) == 1


def test_explanations_need_neither_curves_nor_a_key(club_analysis: Analysis) -> None:
    stored = Analysis.from_dict(club_analysis.to_dict())
    silence = analyze(np.zeros(22050, np.float32), 22050)
    stored.corrected = ["key"]

    assert "not kept" in stored.explain("key").text
    assert "set by hand" in stored.explain("key").text
    assert "not kept" in stored.explain("tuning").text
    assert silence.explain("key").title == "Key: none"
    assert silence.explain("tuning").title == "Tuning: unknown"


def test_curves_of_harmony(club_analysis: Analysis) -> None:
    curves = club_analysis.curves
    chroma, beats = curves["chroma"], curves["chroma.beats"]

    assert chroma.names[:2] == ("C", "C#")
    assert chroma.values.shape[1] == 12
    assert 8 < (chroma.rate or 0) < 13
    assert chroma.values.min() >= 0
    assert chroma.values.max() <= 1
    assert beats.axis == pytest.approx(club_analysis.beats, abs=1e-6)
    assert curves["key.scores"].names == KEYS
    assert KEYS[int(curves["key.scores"].values.argmax())] == club_analysis.key


def test_camelot_and_open_key_codes() -> None:
    keys = ("C major", "A minor", "Db major", "G# minor", "B major", "E minor")

    assert [camelot(key) for key in keys] == ["8B", "8A", "3B", "1A", "1B", "9A"]
    assert [open_key(key) for key in keys] == ["1d", "1m", "8d", "6m", "6d", "2m"]
    assert len({open_key(key) for key in KEYS}) == 24
    for code in (camelot, open_key):
        with pytest.raises(ParameterError, match="no key"):
            code("H minor")


def test_compatible_keys_are_the_neighbours_on_the_wheel() -> None:
    assert compatible_keys("8A") == ("8A", "9A", "7A", "8B")
    assert compatible_keys("12b") == ("12B", "1B", "11B", "12A")
    assert compatible_keys("1A") == ("1A", "2A", "12A", "1B")
    for wrong in ("", "0A", "13B", "8C", "A8", "08A"):
        with pytest.raises(ParameterError, match="no Camelot code"):
            compatible_keys(wrong)


def _chord(seconds: float) -> np.ndarray:
    t = np.arange(int(seconds * 22050)) / 22050
    chord = sum(np.sin(2 * np.pi * hertz * t) for hertz in (220.0, 261.63, 329.63)) / 6
    return chord.astype(np.float32)
