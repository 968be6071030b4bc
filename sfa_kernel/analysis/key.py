"""Key: tonic and mode, with the Camelot code that DJs mix by.

Template matching (Krumhansl, "Cognitive Foundations of Musical Pitch", 1990) with profiles for electronic
dance music (Faraldo, Gomez, Jorda & Herrera, "Key Estimation in Electronic Dance Music", 2016). A major key
and its relative minor share their notes, so the profiles alone confuse them; what tells them apart is which
chord the phrases begin on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["camelot", "find_key"]

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_PITCHES = {
    **{name: index for index, name in enumerate(_NAMES)},
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

# Two families of profiles by Faraldo et al.: estimated from dance music, and the same cut down to the scale.
_PROFILES = {
    "major": (
        (1.00, 0.29, 0.50, 0.40, 0.60, 0.56, 0.32, 0.80, 0.31, 0.45, 0.42, 0.39),
        (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
    ),
    "minor": (
        (1.00, 0.31, 0.44, 0.58, 0.33, 0.49, 0.29, 0.78, 0.43, 0.29, 0.53, 0.32),
        (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
    ),
}
_TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7)}

_WEIGHT_OF_OPENING = 0.6  # of the chord on which phrases begin, against the profiles' correlation
_LEAST = 0.35  # correlation below which nothing is called a key


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
    tonic, _, mode = key.strip().partition(" ")
    tonic = tonic[:1].upper() + tonic[1:]
    if tonic not in _PITCHES or mode.strip().lower() not in _PROFILES:
        raise ParameterError(f"{key!r} is no key.", hint='Write it as "A minor" or "F# major".')
    minor = mode.strip().lower() == "minor"
    # the wheel counts fifths; C major and A minor stand at 8
    fifths = _PITCHES[tonic] * 7 + (9 if minor else 0)
    return f"{(fifths + 7) % 12 + 1}{'A' if minor else 'B'}"


def find_key(chroma: NDArray[np.float64], opening: NDArray[np.float64] | None = None) -> tuple[str | None, float]:
    """Key of a song.

    Parameters
    ----------
    chroma
        Mean strength of the twelve pitch classes.
    opening
        The same over the first bars of phrases only, where those are known.

    Returns
    -------
    key : str or None
        None where no profile fits.
    confidence : float
        0..1.
    """
    if chroma.sum() <= 0:
        return None, 0.0
    scores = []
    fits = []
    for mode, profiles in _PROFILES.items():
        triad = np.zeros(12)
        triad[list(_TRIADS[mode])] = (1.0, 0.7, 0.8)
        for tonic in range(12):
            fit = float(np.mean([_correlation(chroma, np.roll(profile, tonic)) for profile in profiles]))
            score = fit
            if opening is not None and opening.sum() > 0:
                score += _WEIGHT_OF_OPENING * _correlation(opening, np.roll(triad, tonic))
            fits.append(fit)
            scores.append((score, f"{_NAMES[tonic]} {mode}"))
    ranked = sorted(scores, reverse=True)
    best = scores.index(ranked[0])
    if fits[best] < _LEAST:
        return None, 0.0
    lead = ranked[0][0] - ranked[1][0]
    return ranked[0][1], float(np.clip(fits[best], 0, 1) * (1 - np.exp(-8 * lead)))


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    x = x - x.mean()
    y = y - y.mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / scale if scale > 0 else 0.0
