"""Tonality: key, key changes, chords and tuning of a song, from its chroma and its beats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.analysis.chords import CHORDS, chord_lane, steps_of
from sfa_kernel.analysis.curves import Curve
from sfa_kernel.analysis.harmony import PITCH_CLASSES
from sfa_kernel.analysis.key import (
    KEYS,
    LEAN_TO_MINOR,
    WITNESSES,
    Heard,
    camelot,
    key_evidence,
    open_key,
    probabilities,
    third_heard,
)
from sfa_kernel.analysis.keychanges import scale_stretches
from sfa_kernel.analysis.model import KeySpan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.chords import Steps
    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.model import Chord
    from sfa_kernel.analysis.rhythm import Rhythm
    from sfa_kernel.analysis.spectrum import Features

__all__ = ["Tonality", "find_tonality"]

_NO_CHORD = len(CHORDS) - 1
_ACCORD = 2.0  # logarithm of how much likelier a change of key keeps the mode
_UNTUNED, _TUNED = 0.1, 0.35  # clarity of the tuning: drums and noise, music
_NO_THIRD, _THIRD = 0.1, 0.3  # of the strongest pitch class: the third of the key is missing, is heard
_BARE = 0.4  # of the confidence, lost without a third
_TELLING = 6.0  # seconds of chords after which a key is as sure as it gets


@dataclass
class Tonality:
    """What `Analysis` says about harmony, under the same names."""

    key: str | None = None
    key_confidence: float = 0.0
    key_alternative: str | None = None
    camelot: str | None = None
    open_key: str | None = None
    keys: list[KeySpan] = field(default_factory=list)
    chords: list[Chord] = field(default_factory=list)
    tuning_cents: float = 0.0
    curves: dict[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True)
class _Stretch:
    """Steps ``first`` .. ``last`` (exclusive), what speaks for each key there, and the scale's place above C's."""

    first: int
    last: int
    scale: int
    evidence: NDArray[np.float64]
    likely: NDArray[np.float64]

    @property
    def best(self) -> int:
        return int(self.likely.argmax())


def find_tonality(features: Features, harmony: Chroma, rhythm: Rhythm, phrase: int) -> Tonality:
    """Tonality of a song.

    Parameters
    ----------
    features, harmony, rhythm
        Of the song.
    phrase
        The first bar (0..3) of a phrase of four.
    """
    tonality = Tonality()
    if features.loudness.integrated is None or features.duration <= 0.5 or not harmony.frames.any():
        return tonality
    steps = steps_of(harmony, features.duration, rhythm.beats, rhythm.downbeats)
    tonality.chords, path = chord_lane(steps)
    stretches = _key_stretches(steps, path, phrase)
    _name_keys(tonality, steps, path, stretches)
    if tonality.key is not None:
        tonality.tuning_cents = 100 * harmony.tuning
    own = [stretch for stretch in stretches if KEYS[stretch.best] == tonality.key] or stretches
    tonality.curves = _curves(harmony, steps, rhythm, max(own, key=lambda stretch: stretch.last - stretch.first))
    return tonality


def _key_stretches(steps: Steps, path: NDArray[np.intp], phrase: int) -> list[_Stretch]:
    """The song in stretches of one key; neighbours in the same or relative keys count as one."""
    found = [_listen(steps, path, phrase, *stretch) for stretch in scale_stretches(steps, path != _NO_CHORD, phrase)]
    stretches: list[_Stretch] = []
    for stretch in _in_accord(found):
        if stretches and _related(stretches[-1], stretch):
            before = stretches.pop()
            longer = max(before, stretch, key=lambda part: part.last - part.first)
            stretch = _listen(steps, path, phrase, before.first, stretch.last, longer.scale)
        stretches.append(stretch)
    return stretches


def _in_accord(stretches: list[_Stretch]) -> list[_Stretch]:
    """The same with their likelihoods seen together.

    Most often a change of key moves everything by the same interval, so what is major stays major.
    """
    sounding = [stretch for stretch in stretches if stretch.likely.any()]
    if len(sounding) < 2:
        return stretches
    main = max(sounding, key=lambda stretch: stretch.last - stretch.first)
    log = {id(stretch): np.log(stretch.likely + 1e-9) for stretch in sounding}
    others = [stretch for stretch in sounding if stretch is not main]
    together = log[id(main)].copy()
    # what is known beforehand counts once
    lean = np.repeat((0.0, LEAN_TO_MINOR), 12)
    for stretch in others:
        heard = log[id(stretch)] - lean
        together += np.maximum(_moved(heard, main.scale - stretch.scale) + _ACCORD, heard.max())
    main_key = int(together.argmax())
    result = []
    for stretch in stretches:
        if stretch is main:
            score = together
        elif stretch.likely.any():
            score = log[id(stretch)].copy()
            score[_moved_key(main_key, stretch.scale - main.scale)] += _ACCORD
        else:
            result.append(stretch)
            continue
        likely = np.exp(score - score.max())
        result.append(replace(stretch, likely=likely / likely.sum()))
    return result


def _moved(values: NDArray[np.float64], semitones: int) -> NDArray[np.float64]:
    """Values of 24 keys, each at the key so many semitones higher."""
    moved: NDArray[np.float64] = np.roll(values.reshape(2, 12), semitones, axis=1).ravel()
    return moved


def _moved_key(key: int, semitones: int) -> int:
    return key // 12 * 12 + (key + semitones) % 12


def _related(one: _Stretch, other: _Stretch) -> bool:
    if not one.likely.any() or not other.likely.any():
        return True
    return camelot(KEYS[one.best])[:-1] == camelot(KEYS[other.best])[:-1]


def _listen(steps: Steps, path: NDArray[np.intp], phrase: int, first: int, last: int, scale: int) -> _Stretch:
    part = slice(first, last)
    seconds = np.diff(steps.edges)[part]
    changed = np.diff(path[part], prepend=-1) != 0
    chords = path[part][changed]
    openings = steps.bars[phrase::4]
    openings = path[openings[(openings >= first) & (openings < last)]]
    evidence = key_evidence(
        Heard(
            seconds @ steps.chroma[part] / max(seconds.sum(), 1e-9),
            chords[chords != _NO_CHORD],
            openings[openings != _NO_CHORD],
        )
    )
    return _Stretch(first, last, scale, evidence, probabilities(evidence))


def _name_keys(tonality: Tonality, steps: Steps, path: NDArray[np.intp], stretches: list[_Stretch]) -> None:
    """The spans of keys, and the song's own: that which holds longest."""
    held: dict[int, float] = {}
    for stretch in stretches:
        if not stretch.likely.any() or steps.clarity < _UNTUNED:
            continue
        start, end = float(steps.edges[stretch.first]), float(steps.edges[stretch.last])
        name = KEYS[stretch.best]
        held[stretch.best] = held.get(stretch.best, 0.0) + end - start
        tonality.keys.append(KeySpan(start, end, name, camelot(name), _confidence(steps, path, stretch)))
    if not held:
        return
    best = max(held, key=lambda key: held[key])
    tonality.key = KEYS[best]
    tonality.key_confidence = max(span.confidence for span in tonality.keys if span.key == tonality.key)
    tonality.camelot, tonality.open_key = camelot(tonality.key), open_key(tonality.key)
    likely = max((stretch.likely for stretch in stretches if stretch.best == best), key=lambda values: values[best])
    tonality.key_alternative = KEYS[int(np.where(np.arange(len(KEYS)) == best, -1.0, likely).argmax())]


def _confidence(steps: Steps, path: NDArray[np.intp], stretch: _Stretch) -> float:
    """The probability of the key, less where few chords, no third or no tuning was heard.

    Drums, noises and a bass alone fit some key, too.
    """
    part = slice(stretch.first, stretch.last)
    seconds = np.diff(steps.edges)[part]
    tonal = float(seconds[path[part] != _NO_CHORD].sum())
    third = third_heard(seconds @ steps.chroma[part], stretch.best)
    sure = 1 - np.exp(-3 * tonal / _TELLING)
    sure *= 1 - _BARE * np.clip((_THIRD - third) / (_THIRD - _NO_THIRD), 0.0, 1.0)
    sure *= np.clip((steps.clarity - _UNTUNED) / (_TUNED - _UNTUNED), 0.0, 1.0)
    return float(stretch.likely[stretch.best] * sure)


def _curves(harmony: Chroma, steps: Steps, rhythm: Rhythm, longest: _Stretch) -> dict[str, Curve]:
    beats = np.asarray(rhythm.beats, np.float64)
    strength = harmony.frames
    on_beats = np.isin(steps.edges[:-1], beats)
    places = np.arange(len(KEYS))
    return {
        "chroma": Curve(_to_one(strength), rate=harmony.rate, names=PITCH_CLASSES),
        "chroma.beats": Curve(_to_one(steps.chroma[on_beats]), x=steps.edges[:-1][on_beats], names=PITCH_CLASSES),
        "key.scores": Curve(longest.likely.astype(np.float32), x=places, names=KEYS),
        "key.evidence": Curve(longest.evidence.astype(np.float32), x=places, names=WITNESSES),
        "tuning.deviations": Curve(harmony.deviations.astype(np.float32), x=np.arange(100) - 49.5),
    }


def _to_one(chroma: NDArray[Any]) -> NDArray[np.float32]:
    """Each row scaled so that its strongest pitch class is one, silence left at zero."""
    strongest = chroma.max(axis=1, keepdims=True, initial=0.0)
    quiet = strongest < 1e-3 * strongest.max(initial=0.0)
    scaled: NDArray[np.float32] = np.where(quiet, 0.0, chroma / np.maximum(strongest, 1e-12)).astype(np.float32)
    return scaled
