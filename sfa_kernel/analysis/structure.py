"""Where sections begin: the song bar by bar, and the bars at which it becomes something else.

Boundaries minimise what a piecewise-linear description of the bars leaves unexplained, at a price for each
section that favours whole phrases of 4 and 8 bars (after Sargent, Bimbot & Vincent, "Estimating the
Structural Segmentation of Popular Music Pieces under Regularity Constraints", 2017). Linear rather than
constant, so that a riser is one section and not a staircase.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.means import interval_means, means_around
from sfa_kernel.analysis.onsets import HIGH_BANDS, LOW_BANDS, MIDDLE_BANDS, Onsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.harmony import Chroma

__all__ = ["Bars", "describe_bars", "find_boundaries", "novelty", "similarity"]

_LONGEST = 64  # bars in a section
_LONGEST_RISE = 16  # bars over which a build may rise
_LEAST_ROUNDS = 2  # of a pattern, before it can be said to bend
_PRICE = 9.0  # of a section, in units of the bars' own noise
_PRICE_OF_PICKUP = 25.0  # of a song that begins within a phrase
_PRICE_OF_RISE = 6.0  # of a slope within a section
_PRICE_OF_RISING_PATTERN = 10.0  # of a slope within a repeating section: else two sections would pass for one slope
_PRICE_OF_CURVE = 3.0  # of a slope that is none of a straight line
_PRICE_OF_PHASE = 1.5  # of each further bar that a pattern within a section has
_PRICE_OF_CRASH = 4.0  # of a first bar unlike the others
_PATTERNS = (1, 4, 8)  # bars after which a section may repeat itself
_SHORTEST = {1: 1, 4: 4, 8: 12}  # bars in a section with such a pattern
_DIRECTIONS = 16
_WEIGHT_OF_CHROMA = 1.5
_QUIETEST_NOISE = 0.4
_STRANGE = 3.0  # noises between a bar and all near it, from which on it is a fill
_LUCK = 1.5  # by how much the nearest of several repetitions is nearer than any one
_FLOOR = -40.0  # dB below the loudest bars: as good as silent


@dataclass(frozen=True, eq=False)
class Bars:
    """The song, bar by bar.

    Parameters
    ----------
    edges
        In seconds [shape=(bars + 1,)].
    texture
        Compressed bands and onset densities [shape=(bars, features)].
    level
        Of the low, middle and high registers in dB below the song's loudest bars [shape=(bars, 3)].
    chroma
        Direction of the pitch classes' strength, as long as they are strong in the song's own terms, at most 1
        [shape=(bars, 12)].
    """

    edges: NDArray[np.float64]
    texture: NDArray[np.float64]
    level: NDArray[np.float64]
    chroma: NDArray[np.float64]

    @cached_property
    def sound(self) -> NDArray[np.float64]:
        """All that is compared between bars, in one unit: texture and chroma [shape=(bars, features)]."""
        return np.concatenate([self.texture, _WEIGHT_OF_CHROMA * self.chroma], axis=1)

    @cached_property
    def noise(self) -> float:
        """Typical squared difference between a bar and its repetition."""
        nearest = _nearest(self.sound)
        typical = float(np.median(nearest))
        # a machine repeats exactly; below this no listener hears a change either
        return max(_LUCK * float(np.minimum(nearest, 4 * typical).mean()), _QUIETEST_NOISE)

    @cached_property
    def steady(self) -> NDArray[np.float64]:
        """The sound, with single bars that nothing near resembles (fills, crashes) as what they vary."""
        return _without_fills(self.sound, self.noise)


def describe_bars(
    edges: NDArray[np.float64], bands: NDArray[np.float32], level: NDArray[np.float32], onsets: Onsets, harmony: Chroma
) -> Bars:
    """Describe each bar.

    Parameters
    ----------
    edges
        Bar lines in seconds, the last bar's end included.
    bands, level
        Magnitudes as they are, and compressed [shape=(frames, bands)].
    onsets
        Of the song.
    """
    rate = onsets.rate
    density = [interval_means(register[:, None], rate, edges) for register in (onsets.low, onsets.middle, onsets.high)]
    texture = np.concatenate([interval_means(level, rate, edges), *(1.5 * column for column in density)], axis=1)
    parts = (LOW_BANDS, MIDDLE_BANDS, HIGH_BANDS)
    powers = np.stack([np.einsum("ij,ij->i", bands[:, part], bands[:, part]) for part in parts], axis=1)
    decibel = 10 * np.log10(interval_means(powers, rate, edges) + 1e-12)
    decibel -= np.percentile(decibel, 90, axis=0)
    notes = interval_means(harmony.frames, harmony.rate, edges)
    strength = np.linalg.norm(notes, axis=1)
    notes = notes / np.maximum(strength, max(float(np.percentile(strength, 75)), 1e-9))[:, None]
    return Bars(edges, texture, np.maximum(decibel, _FLOOR), notes)


def _absorb_fills(starts: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Count what is shorter than four bars, a fill or a pause before the drop, to the section before it."""
    kept = [int(starts[0])]
    ends = np.append(starts[1:], count)
    for start, end in zip(starts[1:], ends[1:], strict=True):
        if end - start >= 4:
            kept.append(int(start))
    if len(kept) > 1 and kept[1] < 4:  # a pick-up belongs to what it leads to
        kept.pop(1)
    return np.array(kept, np.intp)


def find_boundaries(bars: Bars) -> tuple[NDArray[np.intp], int]:
    """Bars at which a section begins, bar 0 included, and the first bar (0..3) of a phrase of four."""
    count = len(bars.sound)
    if count < 8:
        return np.zeros(1, np.intp), 0
    residual = _residuals(bars.steady, bars.noise)
    paths = [_segment(residual, phrase) for phrase in range(4)]
    # most songs begin with a phrase, not within one
    phrase = int(np.argmin([cost + (_PRICE_OF_PICKUP if index else 0.0) for index, (cost, _) in enumerate(paths)]))
    return _absorb_fills(paths[phrase][1], count), phrase


def _residuals(x: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """What the best description leaves of bars ``end - length .. end``, over the bars' noise, with its price.

    A section is described by one bar, by a pattern of 4 or 8 bars that repeats (a chord progression), or by
    either while it bends (a riser). [shape=(bars + 1, longest + 1)]; infinite where there is no such section.
    """
    count = len(x)
    longest = min(_LONGEST, count)
    x = x - x.mean(axis=0)
    squares = np.concatenate([[0.0], np.cumsum((x * x).sum(axis=1))])
    x = _principal(x)
    sums = {period: _strided(x, period) for period in _PATTERNS}
    result = np.full((count + 1, longest + 1), np.inf)
    for length in range(1, longest + 1):
        starts = count - length + 1
        whole = squares[length:] - squares[:starts]
        value = np.full(starts, np.inf)
        for period in _PATTERNS:
            if length < _SHORTEST[period]:
                break
            left = whole.copy()
            for phase in range(period):
                times = -((phase - length) // period)
                last = phase + period * times
                total = sums[period][last : last + starts] - sums[period][phase : phase + starts]
                left -= np.einsum("ij,ij->i", total, total) / times
            price = _PRICE_OF_PHASE * (period - 1)
            np.minimum(value, left / noise + price, out=value)
            if max(4, _LEAST_ROUNDS * period) <= length <= _LONGEST_RISE:
                parts = np.lib.stride_tricks.sliding_window_view(x, length, axis=0)
                prices = (_PRICE_OF_RISE if period == 1 else _PRICE_OF_RISING_PATTERN, _PRICE_OF_CURVE)
                for bend, price_of_bend in zip(_bends(length, period), prices, strict=True):
                    climb = parts @ bend
                    left -= np.einsum("ij,ij->i", climb, climb)
                    price += price_of_bend
                    np.minimum(value, left / noise + price, out=value)
        result[length:, length] = np.maximum(value, 0.0)
    # the crash with which a section begins is no part of its pattern
    result[:, 8:] = np.minimum(result[:, 8:], result[:, 7:-1] + _PRICE_OF_CRASH)
    return result


@cache
def _bends(length: int, period: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A slope and a curve over the bars of a section, of length one and free of what its pattern explains."""
    bar = np.arange(length)
    pattern = np.eye(period)[bar % period] / np.sqrt(np.bincount(bar % period, minlength=period))
    basis = list(pattern.T)
    for power in (1, 2):
        shape = ((bar - (length - 1) / 2) / length) ** power
        for known in basis:
            shape = shape - known * (known @ shape)
        size = float(np.linalg.norm(shape))
        basis.append(shape / size if size > 1e-6 else np.zeros(length))
    return basis[-2], basis[-1]


def _principal(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bars in the few directions in which they differ: the same distances, sooner computed."""
    values, vectors = np.linalg.eigh(x.T @ x)
    kept: NDArray[np.float64] = x @ vectors[:, values > 1e-3 * max(values[-1], 1e-12)][:, -_DIRECTIONS:]
    return kept


def _strided(x: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Row i is the sum of all rows i - period, i - 2 period, ... of x [shape=(bars + period, features)]."""
    count = len(x)
    rows = -(-count // period)
    padded = np.zeros(((rows + 1) * period, x.shape[1]))
    padded[period : period + count] = x
    # sizes written out: bars that are all the same have no direction in which they differ, and nothing to infer from
    total = np.cumsum(padded.reshape(rows + 1, period, x.shape[1]), axis=0).reshape(padded.shape)
    return total[: count + period]


def _segment(residual: NDArray[np.float64], phrase: int) -> tuple[float, NDArray[np.intp]]:
    """The cheapest sections, when phrases of four bars begin at ``phrase``."""
    count = len(residual) - 1
    lengths = np.arange(residual.shape[1])
    price = np.where(lengths % 8 == 0, 1.0, 1.1)
    price[lengths < 4] = 1.8
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    origin = np.zeros(count + 1, np.intp)
    for end in range(1, count + 1):
        options = lengths[1 : min(end, lengths[-1]) + 1]
        start = end - options
        # where it begins counts; the song's own beginning is free
        off = ((start - phrase) % 4 != 0) & (start > 0)
        cost = best[start] + residual[end, options] + _PRICE * (price[options] + off)
        top = int(np.argmin(cost))
        best[end], origin[end] = cost[top], start[top]
    found = [count]
    while found[-1] > 0:
        found.append(int(origin[found[-1]]))
    return float(best[count]), np.array(found[:0:-1], np.intp)


def _nearest(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half the squared distance of each bar to the nearest of those 1, 2, 4 or 8 bars away [shape=(bars,)]."""
    nearest = np.full(len(x), np.inf)
    for lag in (1, 2, 4, 8):
        if len(x) > lag:
            apart = ((x[lag:] - x[:-lag]) ** 2).sum(axis=1) / 2
            np.minimum(nearest[lag:], apart, out=nearest[lag:])
            np.minimum(nearest[:-lag], apart, out=nearest[:-lag])
    return nearest


def _without_fills(x: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """The bars, with single bars that nothing near resembles (fills, crashes) replaced by what they vary."""
    count = len(x)
    if count < 8:
        return x
    apart = _nearest(x)
    strange = apart > _STRANGE * noise
    alone = strange.copy()
    alone[1:] &= ~strange[:-1]
    alone[:-1] &= ~strange[1:]
    result = x.copy()
    for bar in np.flatnonzero(alone):
        others = [bar + lag for lag in (-8, -4, 4, 8) if 0 <= bar + lag < count]
        result[bar] = x[min(others, key=lambda other: float(((x[other] - x[bar]) ** 2).sum()))]
    return result


def similarity(bars: Bars, shrink: int) -> NDArray[np.uint8]:
    """How alike any two bars sound, 0 (as two bars of the song usually do not) .. 255 (the same).

    Parameters
    ----------
    bars
        Of the song.
    shrink
        How many bars are taken together.

    Returns
    -------
    ndarray
        [shape=(n, n)], n = bars / shrink, rounded up.
    """
    x = bars.sound
    if shrink > 1:
        firsts = np.arange(0, len(x), shrink)
        x = np.add.reduceat(x, firsts) / np.diff(np.append(firsts, len(x)))[:, None]
    squares = np.einsum("ij,ij->i", x, x)
    # by einsum: products this small lose more to the threads of a matrix library than they gain
    products = np.einsum("ik,jk->ij", x, x)
    apart = np.maximum(squares[:, None] + squares[None, :] - 2 * products, 0.0)
    usual = max(float(apart.mean()), bars.noise)
    alike: NDArray[np.uint8] = np.round(255 * np.exp(-2 * apart / usual)).astype(np.uint8)
    return alike


def novelty(bars: Bars) -> NDArray[np.float64]:
    """How much the four bars from each bar on differ from the four before, 0..1 [shape=(bars,)]."""
    ahead, behind = means_around(bars.steady, 4)
    result: NDArray[np.float64] = np.linalg.norm(ahead - behind, axis=1)
    result[:1] = 0.0  # before the first bar there is nothing
    result /= max(float(result.max(initial=0.0)), float(np.sqrt(bars.noise)))
    return result
