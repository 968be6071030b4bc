"""Key: tonic and mode, with the codes that DJs mix by.

Template matching (Krumhansl, "Cognitive Foundations of Musical Pitch", 1990) with her profiles, which rank all
twelve pitch classes, and with profiles for electronic dance music that stay within the scale (Faraldo, Gomez,
Jorda & Herrera, "Key Estimation in Electronic Dance Music", 2016). A major key and its relative minor share
their notes, so profiles alone confuse them; what tells them apart is the chord that phrases and the song begin
on, and the cadences. The weights of the five witnesses were fitted, and rounded, on a few hundred synthesised
songs and chorales; the confidence is the probability that follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.harmony import PITCH_CLASSES
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "KEYS",
    "LEAN_TO_MINOR",
    "WITNESSES",
    "Heard",
    "camelot",
    "compatible_keys",
    "key_evidence",
    "open_key",
    "probabilities",
    "third_heard",
]

_PITCHES = {
    **{name: index for index, name in enumerate(PITCH_CLASSES)},
    "Db": 1,
    "Eb": 3,
    "Fb": 4,
    "E#": 5,
    "Gb": 6,
    "Ab": 8,
    "Bb": 10,
    "Cb": 11,
    "B#": 0,
}
_MODES = ("major", "minor")

KEYS = tuple(f"{name} {mode}" for mode in _MODES for name in PITCH_CLASSES)
"""C major .. B major, C minor .. B minor: in the same order as the triads of the chord lane."""

# Major and minor, from the tonic up: Faraldo et al., cut down to the scale; Krumhansl.
_SCALE = (
    (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
    (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
)
_RANK = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)

WITNESSES = ("scale", "ranking", "phrases", "beginning", "cadences")
"""What speaks for a key: how well its notes fit, how well their order of strength fits, how many phrases begin on
its chord, whether the song does, and how many changes of chord are its cadence."""

_WEIGHTS = (4.0, 8.0, 1.8, 1.0, 2.5)
LEAN_TO_MINOR = 1.0  # minor is this much likelier from the start, in the same units: the profiles lean to major
_LEAST = 0.3  # correlation below which nothing is called a key


@dataclass(frozen=True)
class Heard:
    """What was heard of a song, or of a stretch of it, that tells its key.

    Parameters
    ----------
    chroma
        Mean strength of the twelve pitch classes.
    chords
        The chords in order, as indices of `KEYS`.
    openings
        The chords that phrases of four bars begin on.
    """

    chroma: NDArray[np.float64]
    chords: NDArray[np.intp]
    openings: NDArray[np.intp]


def camelot(key: str) -> str:
    """Camelot code of a key: ``"A minor"`` is ``"8A"``, ``"C major"`` is ``"8B"``.

    Parameters
    ----------
    key
        Tonic (``"F#"`` or ``"Gb"``) and mode.

    Raises
    ------
    ParameterError
        When it is no key.
    """
    fifths, minor = _on_the_wheel(key)
    return f"{(fifths + 7) % 12 + 1}{'A' if minor else 'B'}"


def open_key(key: str) -> str:
    """Code of a key in Open Key notation: ``"A minor"`` is ``"1m"``, ``"C major"`` is ``"1d"``.

    Parameters
    ----------
    key
        Tonic (``"F#"`` or ``"Gb"``) and mode.

    Raises
    ------
    ParameterError
        When it is no key.
    """
    fifths, minor = _on_the_wheel(key)
    return f"{fifths % 12 + 1}{'m' if minor else 'd'}"


def _on_the_wheel(key: str) -> tuple[int, bool]:
    """Fifths above C major or A minor, and whether it is minor."""
    tonic, _, mode = str(key).strip().partition(" ")
    tonic = tonic[:1].upper() + tonic[1:]
    if tonic not in _PITCHES or mode.strip().lower() not in _MODES:
        raise ParameterError(f"{key!r} is no key.", hint='Write it as "A minor" or "F# major".')
    minor = mode.strip().lower() == "minor"
    return (_PITCHES[tonic] * 7 + (9 if minor else 0)) % 12, minor


def compatible_keys(code: str) -> tuple[str, ...]:
    """Camelot codes that mix well with one: itself, its two neighbours on the wheel, and its relative.

    Parameters
    ----------
    code
        ``"8A"``.

    Returns
    -------
    tuple of str
        ``("8A", "9A", "7A", "8B")``.

    Raises
    ------
    ParameterError
        When it is no Camelot code.
    """
    code = str(code).strip().upper()
    number, letter = code[:-1], code[-1:]
    if letter not in ("A", "B") or number not in {str(hour) for hour in range(1, 13)}:
        raise ParameterError(f"{code!r} is no Camelot code.", hint='Write it as "8A": 1 to 12, then A or B.')
    hour = int(number)
    return code, f"{hour % 12 + 1}{letter}", f"{(hour - 2) % 12 + 1}{letter}", f"{hour}{'B' if letter == 'A' else 'A'}"


def key_evidence(heard: Heard) -> NDArray[np.float64]:
    """What speaks for each key.

    Parameters
    ----------
    heard
        Of the song or a stretch of it.

    Returns
    -------
    ndarray
        Columns as `WITNESSES`: two correlations, then shares 0..1 [shape=(24, 5)].
    """
    evidence = np.zeros((24, len(WITNESSES)))
    evidence[:, 0] = _correlations(heard.chroma, _SCALES)
    evidence[:, 1] = _correlations(heard.chroma, _RANKS)
    if len(heard.openings):
        evidence[:, 2] = np.bincount(heard.openings, minlength=24) / len(heard.openings)
    if len(heard.chords):
        evidence[heard.chords[0], 3] = 1.0
    changes = len(heard.chords) - 1
    if changes > 0:
        # from the major triad a fifth above: minor borrows it for the leading note
        before, after = heard.chords[:-1], heard.chords[1:]
        cadence = before == (after % 12 + 7) % 12
        evidence[:, 4] = np.bincount(after[cadence], minlength=24) / changes
    return evidence


def probabilities(evidence: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each key is by all witnesses together [shape=(24,)]; all zero where none fits at all.

    Parameters
    ----------
    evidence
        As `key_evidence` gives it.
    """
    if evidence[:, :2].mean(axis=1).max() < _LEAST:
        return np.zeros(len(evidence))
    score = evidence @ np.array(_WEIGHTS)
    score[12:] += LEAN_TO_MINOR
    likely = np.exp(score - score.max())
    result: NDArray[np.float64] = likely / likely.sum()
    return result


def third_heard(chroma: NDArray[np.float64], key: int) -> float:
    """How strong the third of a key is against the strongest pitch class, 0..1: without it the mode is a guess.

    Parameters
    ----------
    chroma
        Mean strength of the twelve pitch classes.
    key
        Index of `KEYS`.
    """
    third = (key % 12 + (4 if key < 12 else 3)) % 12
    return float(chroma[third] / max(float(chroma.max()), 1e-12))


def _turned(profiles: tuple[tuple[float, ...], ...]) -> NDArray[np.float64]:
    """Profiles of all 24 keys, each of mean zero and length one [shape=(24, 12)]."""
    rows = np.array([np.roll(profile, tonic) for profile in profiles for tonic in range(12)])
    rows -= rows.mean(axis=1, keepdims=True)
    turned: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return turned


_SCALES, _RANKS = _turned(_SCALE), _turned(_RANK)


def _correlations(chroma: NDArray[np.float64], profiles: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = chroma - chroma.mean()
    length = float(np.linalg.norm(centred))
    result: NDArray[np.float64] = profiles @ centred / length if length > 0 else np.zeros(len(profiles))
    return result
