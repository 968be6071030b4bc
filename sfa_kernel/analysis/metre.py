"""Which pulse is the beat, where in it the beat falls, and how many beats make a bar.

A pulse that repeats leaves all this open: half or twice as fast, on the beat or between, in three or in four. What
decides is what listeners take for granted: kick and bass begin the bar, the snare answers on two and four, chords
change on the first beat, more notes fall on beats than between them, and most music moves near 120 beats a minute.
Each reading is scored by a weighted sum of such signs, and the scores become probabilities by a softmax. The weights
were fitted by maximum likelihood on synthesised songs of more than twenty styles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

from sfa_kernel.analysis.beats import LATENCY, sampled
from sfa_kernel.analysis.tempo import FASTEST, SLOWEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.grid import Lines
    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.onsets import Onsets

__all__ = ["Reading", "Readings", "find_readings"]

_FINE = 24  # samples per beat of the pulse that is read
_RATIOS = (0.5, 1.0, 2.0)
_CENTRE = 120.0  # beats per minute
_SLOW, _FAST = 82.0, 180.0  # beats per minute: what lies outside is rather counted in half or double, as DJs do
_PHASES = 6  # at most so many places within a beat are considered
_SOBER = 0.85  # of the evidence counts, for styles that the weights were not fitted to
_SAME = 0.1  # beats: places that are nearer are one
_HARMONY_SPAN = 4  # frames of chroma before and after a change
_SOUND_SPAN = 2.0  # seconds of sound before and after a change
_COARSE = 4  # frames of sound at once

_SIGNS = {
    "tempo": 5.00,
    "waltz": -1.42,
    "bar repeats": 1.17,
    "two beats repeat": 0.37,
    "beat repeats": 0.57,
    "snare after two beats": -0.76,
    "onsets on beats": 0.15,
    "onsets on halves": 0.45,
    "kick on beats": 0.46,
    "kick on one": 1.04,
    "kick on three": 0.26,
    "snare on two and four": 0.07,
    "rattle on two and four": 0.14,
    "snare on three": -0.07,
    "chords on beats": -0.70,
    "chords on one": 1.66,
    "chords on three": -0.36,
    "snare between": 0.07,
    "kick between": 0.34,
    "half a waltz repeats": -1.03,
    "sound changes on one": 0.39,
}
"""Each sign and its weight."""

SIGNS = tuple(_SIGNS)
WEIGHTS = np.array(list(_SIGNS.values()))


@dataclass(frozen=True)
class Reading:
    """One way to hear a pulse.

    Parameters
    ----------
    ratio
        Beats per beat of the pulse: 0.5, 1 or 2.
    phase
        Index in the pulse at which a bar begins.
    bar
        Beats in a bar.
    probability
        0..1.
    """

    ratio: float
    phase: float
    bar: int
    probability: float


@dataclass(frozen=True, eq=False)
class Readings:
    """All ways to hear a pulse that were compared.

    Parameters
    ----------
    ratio, phase, bar
        Of each [shape=(n,)].
    signs
        [shape=(n, len(SIGNS))].
    """

    ratio: NDArray[np.float64]
    phase: NDArray[np.float64]
    bar: NDArray[np.intp]
    signs: NDArray[np.float64]

    @cached_property
    def probability(self) -> NDArray[np.float64]:
        """Of each, 0..1."""
        score = _SOBER * (self.signs @ WEIGHTS)
        odds: NDArray[np.float64] = np.exp(score - score.max())
        odds /= odds.sum()
        return odds

    @cached_property
    def best(self) -> Reading:
        """The likeliest."""
        top = int(self.probability.argmax())
        return Reading(float(self.ratio[top]), float(self.phase[top]), int(self.bar[top]), float(self.probability[top]))

    def share(
        self, *, ratio: float | None = None, beat: float | None = None, bar: int | None = None, one: bool = False
    ) -> float:
        """Probability, 0..1, that the beat is at this ratio, falls on this index, and bars have this length.

        Parameters
        ----------
        ratio
            Beats per beat of the pulse.
        beat
            Index in the pulse on which a beat falls; needs the ratio.
        bar
            Beats in a bar.
        one
            Whether it must be the first of its bar; needs ratio, beat and bar.
        """
        chosen = np.ones(len(self.ratio), bool)
        if ratio is not None:
            chosen &= np.abs(self.ratio - ratio) < 1e-6
        if bar is not None:
            chosen &= self.bar == bar
        if ratio is not None and beat is not None:
            turns = (self.phase - beat) * ratio / (bar if bar is not None and one else 1)
            chosen &= np.abs(turns - np.round(turns)) * (bar if bar is not None and one else 1) < _SAME
        return float(self.probability[chosen].sum())


def find_readings(
    lines: Lines,
    tempo: float,
    onsets: Onsets,
    chroma: Chroma,
    level: NDArray[np.float32],
    start: float,
    end: float,
) -> Readings | None:
    """Ways to hear a pulse.

    Parameters
    ----------
    lines
        Where it lies.
    tempo
        Its beats per minute.
    onsets, chroma
        Of the song.
    level
        Compressed bands [shape=(frames, bands)] at the onsets' rate.
    start, end
        Where the song sounds, in seconds.

    Returns
    -------
    Readings or None
        None where the song is too short for two bars.
    """
    edges = lines.indices(np.array([start, end]))
    first = int(np.floor(edges[0]))
    grid = first + np.arange(max(_FINE * 12, int((edges[1] - first) * _FINE))) / _FINE
    times = lines.times(grid)
    rows = _rows(onsets, chroma, level, times)
    repeats = _Repeats(rows[[0, 2]])
    found = []
    for ratio in _RATIOS:
        if not SLOWEST <= tempo * ratio <= FASTEST:
            continue
        for bar in (3, 4):
            readings = _readings_of(rows, repeats, ratio, bar, tempo * ratio)
            if readings is not None:
                found.append(readings)
    if not found:
        return None
    return Readings(
        np.concatenate([some.ratio for some in found]),
        first + np.concatenate([some.place for some in found]),
        np.concatenate([some.bar for some in found]),
        np.concatenate([some.signs for some in found]),
    )


def _rows(
    onsets: Onsets, chroma: Chroma, level: NDArray[np.float32], times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What is heard at each time [shape=(6, n)], each row with a mean of one.

    All onsets, kick, snare's body, its rattle, changes of chord and changes of sound.
    """
    at = times + LATENCY
    kernel = np.array([0.5, 1.0, 0.5])
    series = [np.minimum(onsets.total, 12.0), *np.minimum(onsets.accents, 6.0)]
    rows = [sampled(np.convolve(row, kernel, mode="same"), onsets.rate, at) for row in series]
    rows.append(sampled(_change(chroma.frames, _HARMONY_SPAN), chroma.rate, times))
    coarse = np.add.reduceat(level, np.arange(0, len(level), _COARSE), axis=0) / np.float32(_COARSE)
    # frame i of the coarse level is centred half a group later
    later = 0.5 * (_COARSE - 1) / onsets.rate
    rate = onsets.rate / _COARSE
    rows.append(sampled(_change(coarse, round(_SOUND_SPAN * rate)) ** 2, rate, times - later))
    table = np.array(rows)
    mean = table.mean(axis=1, keepdims=True)
    result: NDArray[np.float64] = table / np.maximum(mean, 1e-9)
    return result


def _usual(tempo: float) -> float:
    """How common a tempo is: 0 for the most common, less for others."""
    away = 1.2 * max(0.0, float(np.log2(_SLOW / tempo))) + 2.0 * max(0.0, float(np.log2(tempo / _FAST)))
    return -float(np.log2(tempo / _CENTRE) ** 2) - away


def _change(frames: NDArray[np.float64] | NDArray[np.float32], span: int) -> NDArray[np.float64]:
    """Cosine distance between the means of so many frames after and before each frame, itself in both."""
    count = len(frames)
    if count < 3:
        return np.zeros(count)
    total = np.zeros((count + 1, frames.shape[1]))
    np.cumsum(frames, axis=0, out=total[1:])
    here = np.arange(count)
    after = total[np.minimum(here + span + 1, count)] - total[here]
    before = total[here + 1] - total[np.maximum(here - span, 0)]
    norms = np.sqrt(np.einsum("ij,ij->i", after, after) * np.einsum("ij,ij->i", before, before))
    products = np.einsum("ij,ij->i", after, before)
    distance = np.where(norms > 1e-9, 1 - products / np.maximum(norms, 1e-9), 0.0)
    # beside the song's edges there is nothing to compare with
    distance[:span] = distance[-span:] = 0.0
    return np.maximum(distance, 0.0)


def _readings_of(rows: NDArray[np.float64], repeats: _Repeats, ratio: float, bar: int, tempo: float) -> _Found | None:
    """Every place where bars of this length may begin, with the signs for it."""
    beat = round(_FINE / ratio)
    cycle = beat * bar
    whole = rows.shape[1] // cycle * cycle
    if whole < 2 * cycle:
        return None
    fold = rows[:, :whole].reshape(len(rows), -1, cycle).mean(axis=1)
    near = np.maximum(fold, np.maximum(np.roll(fold, 1, axis=1), np.roll(fold, -1, axis=1)))
    near[4:] = fold[4:]
    single = near[:2].sum(axis=0).reshape(bar, beat).mean(axis=0)
    tops = np.flatnonzero((single >= np.roll(single, 1)) & (single > np.roll(single, -1)))
    tops = tops[np.argsort(-single[tops], kind="stable")][:_PHASES]
    if not len(tops):
        return None
    ones = (tops[:, None] + np.arange(bar) * beat).ravel() % cycle
    places = ones[:, None] + np.arange(bar) * beat
    # what sounds on each beat of the bar, and on average on beats, halves and quarters of them
    on = near[:, places % cycle]
    beats = on.mean(axis=2)
    half = near[:, (places + beat // 2) % cycle].mean(axis=2)
    quarter = 0.5 * (near[:, (places + beat // 4) % cycle] + near[:, (places + 3 * beat // 4) % cycle]).mean(axis=2)
    one = on[:, :, 0] - on[:, :, 1:].max(axis=2)
    none = np.zeros(len(ones))
    if bar == 4:
        three = on[:, :, 2] - 0.5 * (on[:, :, 1] + on[:, :, 3])
        back = on[:, :, 1] + on[:, :, 3] - on[:, :, 0] - on[:, :, 2]
        late = on[2, :, 2] - on[2, :, 0]
    else:
        three = np.zeros_like(beats)
        back = on[:, :, 1] + on[:, :, 2] - 2 * on[:, :, 0]
        late = none
    same = [float(bar != 4), *(repeats.after(0, lag) for lag in (cycle, 2 * beat, beat)), repeats.answer(beat, bar)]
    signs = np.stack(
        [
            np.full(len(ones), _usual(tempo)),
            *(np.full(len(ones), sign) for sign in same),
            beats[0] - half[0],
            half[0] - quarter[0],
            beats[1] - half[1],
            one[1],
            three[1],
            back[2],
            back[3],
            late,
            beats[4] - half[4],
            one[4],
            three[4],
            beats[2] - half[2],
            half[1] - quarter[1],
            np.full(len(ones), repeats.after(0, cycle // 2) if bar == 3 else 0.0),
            one[5],
        ],
        axis=1,
    )
    place = ones / _FINE
    # the samples are coarser than the pulse is known
    place = np.where(np.abs(place - np.round(place)) < 1.5 / _FINE, np.round(place), place)
    return _Found(np.full(len(ones), ratio), place, np.full(len(ones), bar), np.clip(signs, -4.0, 4.0))


@dataclass(frozen=True, eq=False)
class _Found:
    ratio: NDArray[np.float64]
    place: NDArray[np.float64]
    bar: NDArray[np.intp]
    signs: NDArray[np.float64]


class _Repeats:
    """How far a row of samples is the same some samples later: 1 for exactly."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        count = rows.shape[1]
        centred = rows - rows.mean(axis=1, keepdims=True)
        size = scipy.fft.next_fast_len(2 * count, real=True)
        spectrum = scipy.fft.rfft(centred, size, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        self._values = scipy.fft.irfft(power, size, axis=1)[:, :count]
        self._values *= count / np.maximum(self._values[:, :1], 1e-9) / (count - np.arange(count))

    def after(self, row: int, lag: int) -> float:
        """Correlation of a row with itself so many samples later."""
        return float(self._values[row, lag]) if lag < 0.8 * self._values.shape[1] else 0.0

    def answer(self, beat: int, bar: int) -> float:
        """Whether the snare repeats after two beats as it does after four: not so at twice the tempo."""
        return min(self.after(1, 2 * beat) / max(self.after(1, 4 * beat), 0.1), 1.2) if bar == 4 else 0.9
