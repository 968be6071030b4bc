"""How a song sounds as 32 numbers, so that two songs can be compared however many there are.

Each number is one measure of the analysis, less what is usual for it and over how far it usually strays from
that. The measures stand in groups (:data:`GROUPS`); the plain Euclidean distance of two vectors is how unlike two
songs sound, and its square is the sum of what the groups contribute, so that one can say why (:func:`why`). A
measure that an analysis does not have counts as usual.

Usual values and spreads are constants of this module: medians and deviations of thirty songs of many styles, rounded.
They depend on no library, so vectors of two libraries can be compared. Tempo is a point on a circle that an
octave goes once round: 174 BPM is next to 87. Harmony is heard from the tonic, so a transposed song stays where it
was; who wants keys that mix, or one tempo, filters by them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.harmony import PITCH_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from sfa_kernel.analysis.curves import Curve
    from sfa_kernel.analysis.model import Analysis

__all__ = ["EMBEDDING_SIZE", "EMBEDDING_VERSION", "GROUPS", "embed", "why"]

EMBEDDING_VERSION = 1
"""Rises whenever the same analysis may get another vector; only vectors of one version compare."""

EMBEDDING_SIZE = 32

GROUPS = {"tempo": 0.7, "rhythm": 1.0, "level": 0.7, "timbre": 1.3, "harmony": 0.6, "form": 0.4}
"""What counts how much: two songs that have nothing to do with each other are about 1.4 times this apart."""

_FARTHEST = 3.0  # spreads; beyond that a measure says no more
_PLACES = 2  # decimals: a hundredth cannot be heard, and DuckDB stores and reads such numbers twice as fast
_ONSET = 1.5  # times the register's root mean square: what stands out of its surroundings
_ALIKE, _UNLIKE = 0.45, 1.1  # of the distance of unrelated songs, in one group


@dataclass(frozen=True)
class _Measure:
    """One number of the vector.

    Parameters
    ----------
    group
        One of `GROUPS`.
    read
        Takes it from an analysis; None where that has none.
    usual, spread
        In the measure's own unit.
    less, more
        What one says of a song that has less or more of it than another; empty where there are no words.
    """

    group: str
    read: Callable[[Analysis], float | None]
    usual: float
    spread: float
    less: str = ""
    more: str = ""


# -- what is measured ---------------------------------------------------------------------------------------------


def _waltzes(analysis: Analysis) -> float | None:
    return float(analysis.beats_per_bar == 3) if len(analysis.beats) else None


def _onsets(register: int) -> Callable[[Analysis], float | None]:
    """Onsets a second in one register."""

    def read(analysis: Analysis) -> float | None:
        curve = _curve(analysis, "onsets", 3)
        if curve is None or not curve.rate:
            return None
        strength = np.asarray(curve.values, np.float64)[:, register]
        floor = _ONSET * math.sqrt(float(np.mean(strength**2)))
        inner = strength[1:-1]
        peaks = (inner > floor) & (inner >= strength[:-2]) & (inner > strength[2:])
        return float(np.count_nonzero(peaks)) * curve.rate / len(strength)

    return read


def _mean(name: str, *, log: bool = False) -> Callable[[Analysis], float | None]:
    """A mean of the timbre, or its logarithm to the base of 2."""

    def read(analysis: Analysis) -> float | None:
        value = analysis.timbre.get(name)
        if value is None or not log:
            return value
        return math.log2(value) if value > 0 else None

    return read


def _contrast(*bands: int) -> Callable[[Analysis], float | None]:
    def read(analysis: Analysis) -> float | None:
        values = [analysis.timbre.get(f"contrast_{band}") for band in bands]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    return read


def _movement(*coefficients: int) -> Callable[[Analysis], float | None]:
    """How much these cepstral coefficients move: half of what four fifths of their values span, on average."""

    def read(analysis: Analysis) -> float | None:
        curve = _curve(analysis, "mfcc", max(coefficients))
        if curve is None:
            return None
        moving = np.asarray(curve.values, np.float64)[:, [coefficient - 1 for coefficient in coefficients]]
        low, high = np.percentile(moving, (10, 90), axis=0)
        return float((high - low).mean()) / 2

    return read


def _degrees(above: tuple[int, ...], below: tuple[int, ...] = ()) -> Callable[[Analysis], float | None]:
    """How strong these semitones over the tonic are against others, as parts of all."""

    def read(analysis: Analysis) -> float | None:
        profile = _profile(analysis)
        return None if profile is None else float(profile[list(above)].sum() - profile[list(below)].sum())

    return read


def _tonality(analysis: Analysis) -> float | None:
    """How far few pitch classes outweigh the others: 0 where all sound alike, 1 where one sounds alone."""
    profile = _pitch_classes(analysis)
    if profile is None:
        return None
    entropy = -float(np.sum(profile * np.log(np.maximum(profile, 1e-12))))
    return 1 - entropy / math.log(12)


def _range_of_energy(analysis: Analysis) -> float | None:
    energy = np.asarray(analysis.energy_curve, np.float64)
    if not energy.any():
        return None
    low, high = np.percentile(energy, (10, 90))
    return float(high - low)


def _share_at_full_energy(analysis: Analysis) -> float | None:
    loud = sum(section.end - section.start for section in analysis.sections if section.label in ("drop", "chorus"))
    return loud / analysis.duration if analysis.sections and analysis.duration > 0 else None


# The table of the vector.
MEASURES = (
    _Measure("rhythm", lambda analysis: analysis.swing, 0.5, 0.04, "straighter", "more swung"),
    _Measure("rhythm", _waltzes, 0.0, 0.4, "in four", "in three"),
    _Measure("rhythm", lambda analysis: analysis.danceability, 0.7, 0.2, "less danceable", "more danceable"),
    _Measure("rhythm", _onsets(0), 2.2, 0.7, "sparser in the bass", "busier in the bass"),
    _Measure("rhythm", _onsets(1), 2.2, 1.0, "sparser in the middle", "busier in the middle"),
    _Measure("rhythm", _onsets(2), 2.8, 1.0, "sparser in the treble", "busier in the treble"),
    _Measure("level", lambda analysis: float(analysis.energy), 6.0, 2.0, "calmer", "more energetic"),
    _Measure("level", lambda analysis: analysis.lufs, -11.0, 5.0, "quieter", "louder"),
    _Measure("level", lambda analysis: analysis.lra, 5.5, 3.0, "more even in level", "wider in level"),
    _Measure("level", lambda analysis: analysis.crest, 13.0, 3.5, "denser", "more dynamic"),
    _Measure("timbre", _mean("centroid", log=True), 10.8, 0.5, "darker", "brighter"),
    _Measure("timbre", _mean("flatness", log=True), -5.8, 1.5, "more tonal", "noisier"),
    _Measure("timbre", _contrast(1, 2, 3), 13.0, 2.0, "more blurred below", "clearer below"),
    _Measure("timbre", _contrast(4, 5, 6), 15.5, 2.5, "more blurred above", "clearer above"),
    _Measure("timbre", _mean("mfcc_2"), 95.0, 30.0, "thinner", "fuller"),
    _Measure("timbre", _mean("mfcc_3"), 25.0, 25.0),
    _Measure("timbre", _mean("mfcc_4"), 27.0, 10.0),
    _Measure("timbre", _mean("mfcc_5"), 12.0, 12.0),
    _Measure("timbre", _mean("mfcc_6"), 12.0, 8.0),
    _Measure("timbre", _mean("mfcc_7"), 2.0, 8.0),
    _Measure("timbre", _movement(1), 160.0, 45.0, "steadier", "more percussive"),
    _Measure("timbre", _movement(2, 3, 4), 37.0, 10.0, "less changing in colour", "more changing in colour"),
    _Measure("timbre", _movement(5, 6, 7, 8, 9, 10, 11, 12), 16.0, 4.0),
    _Measure("harmony", _degrees((4,), (3,)), 0.0, 0.1, "more minor", "more major"),
    _Measure("harmony", _degrees((9,), (8,)), -0.02, 0.07),
    _Measure("harmony", _degrees((11,), (10,)), -0.01, 0.05),
    _Measure("harmony", _degrees((0, 7)), 0.31, 0.06, "less settled", "more settled on its tonic"),
    _Measure("harmony", _tonality, 0.09, 0.04, "less tonal", "more clearly tonal"),
    _Measure("form", _range_of_energy, 0.25, 0.15, "more even in energy", "richer in contrast"),
    _Measure("form", _share_at_full_energy, 0.35, 0.2, "shorter at full energy", "longer at full energy"),
)


# -- the vector ---------------------------------------------------------------------------------------------------


def embed(analysis: Analysis) -> NDArray[np.float32]:
    """What a song sounds like, as a vector; similar songs lie near each other.

    Parameters
    ----------
    analysis
        Of the song. The curves ``onsets``, ``mfcc`` and ``chroma`` are read where there are any.

    Returns
    -------
    ndarray
        [shape=(32,)], multiples of 0.01. All zero where nothing is known.
    """
    vector = np.zeros(EMBEDDING_SIZE)
    vector[_PLACE["tempo"]] = _on_circle(analysis.tempo)
    for place, measure in enumerate(MEASURES, _TEMPO_SIZE):
        value = measure.read(analysis)
        if value is not None and math.isfinite(value):
            strayed = (value - measure.usual) / measure.spread
            vector[place] = float(np.clip(strayed, -_FARTHEST, _FARTHEST)) * _WEIGHT[measure.group]
    return np.round(vector, _PLACES).astype(np.float32)


def why(one: ArrayLike, other: ArrayLike) -> str:
    """In what two songs are alike and in what they differ, in one sentence about the other.

    Parameters
    ----------
    one, other
        Vectors of `embed` [shape=(32,)].
    """
    away = np.asarray(other, np.float64) - np.asarray(one, np.float64)
    apart = {
        group: float(np.linalg.norm(away[place])) / (math.sqrt(2) * GROUPS[group]) for group, place in _PLACE.items()
    }
    alike = [group for group in apart if apart[group] <= _ALIKE]
    unlike = sorted((group for group in apart if apart[group] >= _UNLIKE), key=lambda group: -apart[group])
    parts = []
    if alike:
        parts.append("alike in everything" if len(alike) == len(GROUPS) else f"alike in {_listed(alike)}")
    if unlike:
        said = [f"{group} ({telling})" if (telling := _telling(group, away)) else group for group in unlike]
        parts.append(f"differs in {_listed(said)}")
    sentence = "; ".join(parts) or "somewhat alike in everything"
    return f"{sentence[0].upper()}{sentence[1:]}."


def _telling(group: str, away: NDArray[np.float64]) -> str:
    """The words for what differs most in a group."""
    if group == "tempo":
        return ""
    places = range(*_PLACE[group].indices(EMBEDDING_SIZE))
    spoken = [place for place in places if MEASURES[place - _TEMPO_SIZE].less]
    place = max(spoken, key=lambda place: abs(away[place]))
    measure = MEASURES[place - _TEMPO_SIZE]
    if abs(away[place]) < _WEIGHT[group]:  # less than a spread
        return ""
    return measure.more if away[place] > 0 else measure.less


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _on_circle(tempo: float | None) -> tuple[float, float]:
    if not tempo or tempo <= 0:
        return 0.0, 0.0
    angle = 2 * math.pi * math.log2(tempo)
    return math.cos(angle) * GROUPS["tempo"], math.sin(angle) * GROUPS["tempo"]


def _curve(analysis: Analysis, name: str, columns: int) -> Curve | None:
    curve = analysis.curves.get(name)
    if curve is None or len(curve) < 3 or curve.values.ndim != 2 or curve.values.shape[1] < columns:
        return None
    return curve


def _pitch_classes(analysis: Analysis) -> NDArray[np.float64] | None:
    """How much each pitch class sounds, C first, as parts of all [shape=(12,)]."""
    curve = _curve(analysis, "chroma", 12)
    if curve is None:
        return None
    sums = np.asarray(curve.values, np.float64)[:, :12].sum(axis=0)
    total = float(sums.sum())
    return sums / total if total > 0 else None


def _profile(analysis: Analysis) -> NDArray[np.float64] | None:
    """The pitch classes from the tonic upwards."""
    classes = _pitch_classes(analysis)
    tonic = (analysis.key or "").partition(" ")[0]
    if classes is None or tonic not in PITCH_CLASSES:
        return None
    return np.roll(classes, -PITCH_CLASSES.index(tonic))


_TEMPO_SIZE = 2


def _places() -> dict[str, slice]:
    places = {"tempo": slice(0, _TEMPO_SIZE)}
    start = _TEMPO_SIZE
    for group in list(GROUPS)[1:]:
        size = sum(measure.group == group for measure in MEASURES)
        places[group] = slice(start, start + size)
        start += size
    return places


_PLACE = _places()
_WEIGHT = {group: GROUPS[group] / math.sqrt(place.stop - place.start) for group, place in _PLACE.items()}
