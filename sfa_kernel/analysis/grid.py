"""The grid: on which lines the beats lie.

A song made to one tempo lies on a single line, one whose tempo was changed on several, and one that was played
freely on none. Lines come from least squares over the tracked beats, neighbours joined from the bottom up while
one line explains both (Keogh et al., "An Online Algorithm for Segmenting Time Series", 2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
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
_SHORT = 16  # beats: between longer ones, a stretch of fewer is a slip
_BREAK = 60.0  # beats: how much louder notes must be that break the count by half a beat
_AS_LOUD = 0.86  # share of the accents that beats without slips must meet to be preferred
_UNSURE = 0.25  # beats by which a count over a change of tempo may be wrong, for it to say anything
_DRIFT = 0.03  # relative change of tempo from one stretch to the next that may still be a drift
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
        # the tracking may have slipped to the notes between where the drums were away
        anew = _without_slips(onsets, times, weight, edges)
        if _heard_on(onsets, anew) > _AS_LOUD * _heard_on(onsets, times):
            times, weight = settle(onsets.attack, onsets.rate, anew)
            edges = _joined(times, weight)
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


def _heard_on(onsets: Onsets, times: NDArray[np.float64]) -> float:
    """Onset strength per second that beats meet."""
    around = (times[:, None] + np.array([-0.012, 0.0, 0.012])).ravel()
    met = sampled(np.minimum(onsets.accent, 12.0), onsets.rate, around).reshape(-1, 3).max(axis=1)
    return float(met.sum()) / max(float(times[-1] - times[0]), 1e-9)


def _without_slips(
    onsets: Onsets, times: NDArray[np.float64], weight: NDArray[np.float64], edges: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Tracked beats made anew from the long stretches, each on the beat if its neighbours are.

    Between two long stretches a short one is where the tracking found its way from beats to the notes between or
    back. Without it the neighbours meet again, and of each it is asked whether its beats are on the louder notes; half
    a beat is moved where it pays, over the whole song, more than it breaks the count.
    """
    start, period = _fit(times, weight, edges)
    beats = np.diff(edges)
    long = beats >= _SHORT
    # what begins or ends the song has no neighbours to slip between
    long[[0, -1]] |= beats[[0, -1]] >= _BLOCK
    kept = np.flatnonzero(long)
    if not len(kept):
        return times
    soft = np.convolve(np.minimum(onsets.accent, 12.0), np.hanning(5) / 2.0, mode="same")
    places = [(float(start[line]), float(period[line]), int(beats[line])) for line in kept]
    gains = [_offbeat_gain(soft, onsets.rate, place) for place in places]
    whole = [bool(after == before + 1) for before, after in pairwise(kept)]
    flips = [_flip(one, other, near) for one, other, near in zip(places[:-1], places[1:], whole, strict=True)]
    if max(flips, default=-1.0) < 0:
        return times
    moved = _moves(gains, flips)
    lines = [(at + 0.5 * step * move, step, count) for (at, step, count), move in zip(places, moved, strict=True)]
    made: list[NDArray[np.float64]] = []
    for number, (at, step, count) in enumerate(lines):
        last = number + 1 == len(lines)
        stop = times[-1] + 0.5 * step if last else _meeting(at, step, count, lines[number + 1])
        # a line reaches back to where the one before it ends
        back = max(0, round((at - made[-1][-1]) / step) - 1) if made else 0
        made.append(at + step * np.arange(-back, max(1, round((stop - at) / step))))
    lead = np.arange(max(0, round((lines[0][0] - times[0]) / lines[0][1])), 0, -1)
    return np.concatenate([lines[0][0] - lines[0][1] * lead, *made])


def _offbeat_gain(soft: NDArray[np.float64], rate: float, place: tuple[float, float, int]) -> float:
    """By how much the notes between the beats of a stretch are louder than those on them, in beats."""
    at, step, count = place
    on = at + step * np.arange(count)
    sums = [
        float(sampled(soft, rate, (times[:, None] + np.array([-0.012, 0.0, 0.012])).ravel()).sum()) + 1e-6
        for times in (on, on + 0.5 * step)
    ]
    return count * float(np.clip(np.log(sums[1] / sums[0]), -1.0, 1.0))


def _flip(one: tuple[float, float, int], other: tuple[float, float, int], near: bool) -> float:
    """-1 where two stretches count alike, 1 where one of them is half a beat off, near 0 where that cannot be said."""
    at, step, count = one
    gap = (other[0] - at - step * count) / (0.5 * (step + other[1]))
    change = abs(other[1] / step - 1)
    if not near and gap * change > _UNSURE:
        # over a slow drift the tracking is trusted
        return 0.0 if change > _DRIFT else -1.0
    return -float(np.cos(2 * np.pi * gap))


def _moves(gains: list[float], flips: list[float]) -> list[int]:
    """For each stretch, whether it moves by half a beat: the best sequence of all."""
    score = [0.0, gains[0]]
    choices: list[tuple[int, int]] = []
    for gain, flip in zip(gains[1:], flips, strict=True):
        same, turned = -0.5 * _BREAK * flip, 0.5 * _BREAK * flip
        options = [[score[0] + same, score[1] + turned], [score[0] + turned, score[1] + same]]
        picked = (int(options[0][1] > options[0][0]), int(options[1][1] >= options[1][0]))
        choices.append(picked)
        score = [options[0][picked[0]], options[1][picked[1]] + gain]
    move = int(score[1] > score[0])
    moves = [move]
    for picked in reversed(choices):
        move = picked[move]
        moves.append(move)
    return moves[::-1]


def _meeting(at: float, step: float, count: int, other: tuple[float, float, int]) -> float:
    """Where, between two stretches, the beats of both fall together best: the later one's first beat, in seconds."""
    begin, period, _ = other
    back = np.arange(max(1, int((begin - at - step * (count - 1)) / period) + 1))
    beats = begin - period * back
    phase = (beats - at) / step
    return float(beats[int(np.abs(phase - np.round(phase)).argmin())])


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
