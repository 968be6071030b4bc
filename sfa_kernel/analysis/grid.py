"""The grid: on which lines the beats lie.

A song made to one tempo lies on a single line, one whose tempo was changed on several, and one that was played
freely on none. Lines come from least squares over the tracked beats, neighbours joined from the bottom up while
one line explains both (Keogh et al., "An Online Algorithm for Segmenting Time Series", 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.beats import (
    LATENCY,
    attack_offset,
    best_phase,
    local_tempo,
    sampled,
    settle,
    smooth,
    track,
)
from sfa_kernel.analysis.tempo import exact_tempo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.beats import LocalTempo
    from sfa_kernel.analysis.onsets import Onsets
    from sfa_kernel.analysis.tempo import Pulse

__all__ = ["Lines", "follow"]

_STEADY = 0.9  # phase coherence from which on the tempo counts as constant
_STRAY = 0.06  # share of the onsets that may speak for another tempo in a song of one
_FIRM, _SUPPLE = 700.0, 250.0  # tightness of the tracking where the pulse repeats, and where it only nearly does
_BLOCK = 8  # beats that are taken to be on one line
_LOOSE = 0.011  # seconds: the most that beats may deviate from their line, root mean square
_BENT = 0.018  # seconds: the most that the mean of a block may
_STRETCH = 16.0  # seconds: where half of the song lies on longer lines it has a grid, else it breathes


@dataclass(frozen=True, eq=False)
class Lines:
    """A pulse in time: ``time = start + period * (index - first)`` on each line.

    Parameters
    ----------
    kind
        ``"constant"``, ``"piecewise"`` or ``"free"``; in the last, each line spans a single beat.
    first
        Index of each line's first beat, rising [shape=(n,)].
    start
        Its time in seconds [shape=(n,)].
    period
        Seconds per beat [shape=(n,)].
    """

    kind: str
    first: NDArray[np.float64]
    start: NDArray[np.float64]
    period: NDArray[np.float64]

    def times(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Times of (fractional) indices, in seconds."""
        line = np.clip(np.searchsorted(self.first, index + 1e-9, "right") - 1, 0, None)
        return self.start[line] + self.period[line] * (index - self.first[line])

    def indices(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(Fractional) indices of times."""
        line = np.clip(np.searchsorted(self.start, times + 1e-9, "right") - 1, 0, None)
        index = self.first[line] + (times - self.start[line]) / self.period[line]
        # where a line ends before the next begins, it does not reach into it
        limit = np.append(self.first[1:], np.inf)[line]
        result: NDArray[np.float64] = np.minimum(index, limit)
        return result

    def read(self, ratio: float, phase: float) -> Lines:
        """The same lines with another count: so many beats per beat, the first at this index."""
        return Lines(self.kind, (self.first - phase) * ratio, self.start, self.period / ratio)

    def moved(self, seconds: float) -> Lines:
        """The same lines, later."""
        return Lines(self.kind, self.first, self.start + seconds, self.period)


def follow(onsets: Onsets, pulse: Pulse) -> tuple[Lines, LocalTempo]:
    """The lines on which a pulse lies, and the tempo that was heard around each moment.

    Parameters
    ----------
    onsets
        Of the song.
    pulse
        Whose tempo holds for the song, or for a part of it.
    """
    heard = local_tempo(onsets.total, onsets.rate, pulse.tempo)
    if pulse.steadiness >= _STEADY and heard.strays(pulse.tempo) <= _STRAY:
        return _constant(onsets, pulse.tempo), heard
    strength = onsets.total / 3 + onsets.accent / 3
    rough = track(strength, onsets.rate, heard, _SUPPLE if pulse.loose else _FIRM)
    if len(rough) < 4:
        return _constant(onsets, pulse.tempo), heard
    times, weight = settle(onsets.attack, onsets.rate, rough)
    edges = _joined(times, weight)
    lengths = times[np.minimum(edges[1:], len(times) - 1)] - times[edges[:-1]]
    longest = np.sort(lengths)[::-1]
    half = longest[int(np.searchsorted(np.cumsum(longest), 0.5 * longest.sum()))]
    if half < min(_STRETCH, 0.45 * (times[-1] - times[0])):
        even = smooth(times, weight) - LATENCY
        even = np.maximum.accumulate(even + 1e-4 * np.arange(len(even))) - 1e-4 * np.arange(len(even))
        return Lines("free", np.arange(len(even) - 1.0), even[:-1], np.maximum(np.diff(even), 1e-3)), heard
    if len(edges) > 2:
        widest = 60 / float(_fit(times, weight, edges)[1][int(lengths.argmax())])
        constant = _constant(onsets, exact_tempo(onsets.total, onsets.rate, widest))
        if _explains(onsets, constant, times):
            return constant, heard
    start, period = _fit(times, weight, edges)
    if len(edges) == 2:
        return _constant(onsets, exact_tempo(onsets.total, onsets.rate, 60 / float(period[0]))), heard
    return Lines("piecewise", edges[:-1].astype(np.float64), start - LATENCY, period), heard


def _constant(onsets: Onsets, tempo: float) -> Lines:
    period = 60 / tempo
    phase = best_phase(onsets.accent, onsets.rate, period)
    times = phase + period * np.arange(0.0, int(len(onsets.attack) / onsets.rate / period))
    start = phase + attack_offset(onsets.attack, onsets.rate, times) - LATENCY
    return Lines("constant", np.zeros(1), np.array([start]), np.array([period]))


def _explains(onsets: Onsets, constant: Lines, times: NDArray[np.float64]) -> bool:
    """Whether a constant grid meets the onsets nearly everywhere where tracked beats meet them."""
    duration = len(onsets.attack) / onsets.rate
    first, stop = np.ceil(constant.indices(np.array([0.0, duration])))
    beats = constant.times(np.arange(float(first), float(stop)))
    soft = np.convolve(onsets.total + onsets.accent, np.hanning(7) / 3.0, mode="same")
    bins = np.arange(0.0, duration + _STRETCH / 2, _STRETCH / 2)
    grid, _ = np.histogram(beats, bins, weights=sampled(soft, onsets.rate, beats + LATENCY))
    free, _ = np.histogram(times, bins, weights=sampled(soft, onsets.rate, times))
    missed = np.where(grid < 0.7 * free, free, 0.0)
    return float(missed.sum()) < 0.08 * float(free.sum())


class _Sums:
    """Running sums from which any stretch's line follows at once."""

    def __init__(self, times: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        self._index = np.arange(len(times))
        self._origin = float(times[0])
        x, y = self._index.astype(np.float64), times - self._origin
        terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y]) * weight
        self._total = np.concatenate([np.zeros((6, 1)), np.cumsum(terms, axis=1)], axis=1)

    def lines(
        self, first: NDArray[np.intp], stop: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Start, period, squared deviation and weight of the stretches ``first .. stop``."""
        w, x, y, xx, xy, yy = self._total[:, stop] - self._total[:, first]
        w = np.maximum(w, 1e-12)
        sxx, sxy, syy = xx - x * x / w, xy - x * y / w, yy - y * y / w
        period = sxy / np.maximum(sxx, 1e-12)
        start = self._origin + (y - period * x) / w + period * first
        return start, period, np.maximum(syy - period * sxy, 0.0), w


def _joined(times: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.intp]:
    """Edges of the stretches that lie on one line each, as indices; the last is the number of beats."""
    sums = _Sums(times, weight)
    blocks = np.append(np.arange(0, max(1, len(times) - _BLOCK // 2), _BLOCK), len(times))
    edges = list(blocks)
    while len(edges) > 2:
        first, stop = np.array(edges[:-2]), np.array(edges[2:])
        start, period, deviation, total = sums.lines(first, stop)
        loose = np.sqrt(deviation / total)
        loose[loose > _LOOSE] = np.inf
        while np.isfinite(loose).any():
            best = int(loose.argmin())
            if _straight(times, weight, int(first[best]), int(stop[best]), float(start[best]), float(period[best])):
                break
            loose[best] = np.inf
        if not np.isfinite(loose).any():
            break
        del edges[best + 1]
    for inner in range(1, len(edges) - 1):
        edges[inner] = _best_edge(sums, edges[inner - 1], edges[inner], edges[inner + 1])
    return np.array(edges)


def _straight(
    times: NDArray[np.float64], weight: NDArray[np.float64], first: int, stop: int, start: float, period: float
) -> bool:
    """Whether a stretch bends nowhere: no block of it lies off the line as a whole."""
    away = (times[first:stop] - start - period * np.arange(stop - first)) * weight[first:stop]
    at = np.arange(0, max(1, stop - first - _BLOCK // 2), _BLOCK)
    heavy = np.add.reduceat(weight[first:stop], at)
    means = np.abs(np.add.reduceat(away, at)) / heavy
    return bool(np.all(means[heavy > 0.2 * heavy.max()] < _BENT))


def _best_edge(sums: _Sums, first: int, edge: int, stop: int) -> int:
    """Where between its neighbours, near by, an edge leaves the least deviation."""
    options = np.arange(max(first + 4, edge - _BLOCK), min(stop - 4, edge + _BLOCK) + 1)
    if not len(options):
        return edge
    before = sums.lines(np.full_like(options, first), options)[2]
    after = sums.lines(options, np.full_like(options, stop))[2]
    return int(options[int(np.argmin(before + after))])


def _fit(
    times: NDArray[np.float64], weight: NDArray[np.float64], edges: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    start, period, _, _ = _Sums(times, weight).lines(edges[:-1], edges[1:])
    return start, period
