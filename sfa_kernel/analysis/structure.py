"""Form: where sections begin, and what each does in the song.

Boundaries minimise what a piecewise-linear description of the bars leaves unexplained, at a price for each
section that favours whole phrases of 4 and 8 bars (after Sargent, Bimbot & Vincent, "Estimating the
Structural Segmentation of Popular Music Pieces under Regularity Constraints", 2017). Linear rather than
constant, so that a riser is one section and not a staircase.

Labels are the likeliest path through a small grammar of song forms (Viterbi), given how full each section's
low, middle and high registers are and where the energy goes; the notions of build, drop and break follow
Vande Veire & De Bie, "From Raw Audio to a Seamless Mix", 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.downbeats import beat_means
from sfa_kernel.analysis.model import Section
from sfa_kernel.analysis.onsets import HIGH_BANDS, LOW_BANDS, MIDDLE_BANDS, Onsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Bars", "Form", "describe_bars", "find_form"]

_LONGEST = 64  # bars in a section
_LONGEST_RISE = 16  # bars over which a build may rise
_PRICE = 9.0  # of a section, in units of the bars' own noise
_PRICE_OF_PICKUP = 25.0  # of a song that begins within a phrase
_PRICE_OF_RISE = 5.0  # of a slope within a section
_FLOOR = -40.0  # dB below the loudest bars: as good as silent
_FAINT = -20.0  # dB below the loudest bars: how highs move down there is no riser


@dataclass(frozen=True)
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
    """

    edges: NDArray[np.float64]
    texture: NDArray[np.float64]
    level: NDArray[np.float64]


@dataclass(frozen=True)
class Form:
    """The song's sections.

    Parameters
    ----------
    sections
        In order.
    drops
        In seconds.
    phrase
        Index of the first bar, 0..3, of a phrase of four.
    """

    sections: list[Section]
    drops: list[float]
    phrase: int


def describe_bars(
    edges: NDArray[np.float64], bands: NDArray[np.float32], level: NDArray[np.float32], onsets: Onsets
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
    density = beat_means(np.stack([onsets.low, onsets.middle, onsets.high], axis=1), onsets.rate, edges)
    texture = np.concatenate([beat_means(level, onsets.rate, edges), 1.5 * density], axis=1)
    powers = np.stack([(bands[:, part] ** 2).sum(axis=1) for part in (LOW_BANDS, MIDDLE_BANDS, HIGH_BANDS)], axis=1)
    decibel = 10 * np.log10(beat_means(powers, onsets.rate, edges) + 1e-12)
    decibel -= np.percentile(decibel, 90, axis=0)
    return Bars(edges, texture, np.maximum(decibel, _FLOOR))


def find_form(bars: Bars, end: float, four_on_the_floor: bool) -> Form:
    """Sections and drops of a song.

    Parameters
    ----------
    bars
        Of the song.
    end
        Of the last section, in seconds.
    four_on_the_floor
        Whether a kick marks every beat, as club music has it.
    """
    starts, phrase = find_boundaries(bars)
    starts = _absorb_fills(starts, len(bars.level))
    traits = _traits(starts, bars)
    states, lead = _label(traits)
    arrivals = [
        index
        for index in range(1, len(states))
        if states[index] == "peak"
        and states[index - 1] in ("build", "break")
        and (
            (states[index - 1] == "build" and traits.rise[index - 1] > 6 and traits.low_jump[index] > 3)
            or (four_on_the_floor and traits.low_jump[index] > 8)
        )
    ]
    # without a single build-up and return it is a song, whose full sections are choruses
    names = {"peak": "drop", "break": "break"} if arrivals else {"peak": "chorus", "break": "bridge"}
    edges = np.append(bars.edges[starts], end)
    edges[0] = 0.0
    sections: list[Section] = []
    for index, state in enumerate(states):
        label = names.get(state, state)
        begin, finish, sure = float(edges[index]), float(edges[index + 1]), float(lead[index])
        if sections and sections[-1].label == label:
            last = sections.pop()
            share = (last.end - last.start) / max(finish - last.start, 1e-9)
            begin, sure = last.start, share * last.confidence + (1 - share) * sure
        sections.append(Section(begin, finish, label, sure))
    return Form(sections, [float(edges[index]) for index in arrivals], phrase)


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
    count = len(bars.texture)
    if count < 8:
        return np.zeros(1, np.intp), 0
    residual = _residuals(bars.texture)
    paths = [_segment(residual, phrase) for phrase in range(4)]
    # most songs begin with a phrase, not within one
    phrase = int(np.argmin([cost + (_PRICE_OF_PICKUP if index else 0.0) for index, (cost, _) in enumerate(paths)]))
    return paths[phrase][1], phrase


def _residuals(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the best line, or constant, leaves of bars ``end - length .. end``, over the bars' noise.

    [shape=(bars + 1, longest + 1)]; infinite where there is no such section.
    """
    count = len(x)
    noise = _noise(x)
    longest = min(_LONGEST, count)
    t = np.arange(count, dtype=float)
    zero = np.zeros((1, x.shape[1]))
    sum_x = np.concatenate([zero, np.cumsum(x, axis=0)])
    sum_tx = np.concatenate([zero, np.cumsum(t[:, None] * x, axis=0)])
    sum_xx = np.concatenate([[0.0], np.cumsum((x * x).sum(axis=1))])
    result = np.full((count + 1, longest + 1), np.inf)
    for length in range(1, longest + 1):
        end = np.arange(length, count + 1)
        start = end - length
        dx = sum_x[end] - sum_x[start]
        constant = sum_xx[end] - sum_xx[start] - (dx**2).sum(axis=1) / length
        value = constant / noise
        if 4 <= length <= _LONGEST_RISE:
            dtx = sum_tx[end] - sum_tx[start] - (start + (length - 1) / 2)[:, None] * dx
            line = constant - (dtx**2).sum(axis=1) / (length * (length**2 - 1) / 12)
            value = np.minimum(value, line / noise + _PRICE_OF_RISE)
        result[end, length] = np.maximum(value, 0.0)
    return result


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


def _noise(x: NDArray[np.float64]) -> float:
    """Typical squared difference between a bar and its repetition."""
    values = []
    for lag in (1, 2, 4):
        if len(x) > lag + 4:
            values.append(float(np.median(((x[lag:] - x[:-lag]) ** 2).sum(axis=1))) / 2)
    # a machine repeats exactly; below this no listener hears a change either
    return max(min(values), 0.02 * float(x.shape[1]))


_STATES = ("intro", "verse", "build", "peak", "break", "outro")

# What usually follows what, as additions to the score; absent pairs do not occur.
_FOLLOWS: dict[str, dict[str, float]] = {
    "start": {"intro": 0.0, "verse": -1.2, "build": -2.0, "peak": -2.0, "break": -1.5},
    "intro": {"intro": 0.0, "verse": 0.0, "build": 0.0, "break": -0.4, "peak": -0.8, "outro": -3.0},
    "verse": {"verse": 0.0, "build": 0.0, "peak": -0.2, "break": -0.5, "outro": -0.8},
    "build": {"build": -0.5, "peak": 1.0, "verse": -1.5, "break": -1.2, "outro": -3.0},
    "peak": {"peak": 0.0, "break": 0.0, "verse": -0.5, "build": -0.5, "outro": 0.0},
    "break": {"break": 0.0, "build": 0.3, "peak": 0.2, "verse": -0.5, "outro": -0.8},
    "outro": {"outro": 0.0},
}
_ENDS = {"intro": -2.0, "verse": -1.0, "build": -3.0, "peak": -1.0, "break": -1.0, "outro": 0.0}


@dataclass(frozen=True)
class _Traits:
    """What the labels are told of each segment; arrays over segments."""

    bars: NDArray[np.float64]
    level: NDArray[np.float64]  # [shape=(segments, 3)], dB
    sparse: NDArray[np.float64]  # 0 (all registers full) .. 3
    rise: NDArray[np.float64]  # of the high register from start to end, dB
    low_return: NDArray[np.float64]  # of the low register at the segment's end, dB
    low_jump: NDArray[np.float64]  # of the low register at the segment's beginning, dB
    power: NDArray[np.float64]  # against the other full segments, standard deviations


def _traits(starts: NDArray[np.intp], bars: Bars) -> _Traits:
    count = len(bars.level)
    ends = np.append(starts[1:], count)
    level, rise, leaves, arrives = [], [], [], []
    for start, end in zip(starts, ends, strict=True):
        part = bars.level[start:end]
        level.append(np.median(part, axis=0))
        rise.append(_rise(np.maximum(part[:, 2], _FAINT)))
        arrives.append(float(np.median(part[:4, 0])))
        leaves.append(float(part[-2:, 0].min()))
    levels = np.array(level)
    full = np.clip(1 + levels / 24, 0, 1)
    sparse = 3 - full.sum(axis=1)
    power = levels @ np.array([0.6, 0.2, 0.2])
    solid = (levels[:, 0] > -8) & (sparse < 0.75)
    weight = np.where(solid, ends - starts, 0) + 1e-9
    mean = float((weight * power).sum() / weight.sum())
    spread = float(np.sqrt((weight * (power - mean) ** 2).sum() / weight.sum()))
    jump = np.zeros(len(starts))
    jump[1:] = np.array(arrives[1:]) - np.array(leaves[:-1])
    back = np.zeros(len(starts))
    back[:-1] = jump[1:]
    return _Traits(
        (ends - starts).astype(float), levels, sparse, np.array(rise), back, jump, (power - mean) / max(spread, 0.7)
    )


def _rise(values: NDArray[np.float64]) -> float:
    """By how much the straight line through the values climbs."""
    count = len(values)
    if count < 3:
        return 0.0
    t = np.arange(count) - (count - 1) / 2
    return float((t * values).sum() / (t * t).sum() * (count - 1))


def _emissions(traits: _Traits) -> NDArray[np.float64]:
    """How well each label [columns: _STATES] fits each segment."""
    low = traits.level[:, 0]
    absent = np.clip((-low - 9) / 6, -1, 1.5)
    short = np.clip(1 - np.maximum(traits.bars - 16, 0) / 8, -1.5, 1)
    rising = np.clip((traits.rise - 6) / 4, -2, 2)
    build = rising + 1.2 * np.clip((traits.low_return - 2) / 8, -1, 1) + 0.3 * short - 0.5
    return np.stack(
        [
            1.6 * traits.sparse - 0.6,
            -0.9 * np.maximum(absent, 0) - 0.8 * traits.sparse - 0.7 * np.clip(traits.power, -1, 1.2) + 0.2,
            build,
            -1.5 * np.maximum(absent, 0) - 0.4 * traits.sparse + 0.7 * np.clip(traits.power, -1.5, 1),
            1.2 * absent - 0.4 * np.maximum(rising, 0),
            1.6 * traits.sparse - 0.6,
        ],
        axis=1,
    )


def _label(traits: _Traits) -> tuple[list[str], NDArray[np.float64]]:
    """Likeliest label of each segment, and how far it leads over the second, 0..1."""
    emission = _emissions(traits) * np.clip(traits.bars / 6, 0.7, 2.0)[:, None]
    count = len(emission)
    step = np.full((len(_STATES), len(_STATES)), -np.inf)
    for before, options in _FOLLOWS.items():
        for after, value in options.items():
            if before != "start":
                step[_STATES.index(before), _STATES.index(after)] = value
    first = np.array([_FOLLOWS["start"].get(state, -np.inf) for state in _STATES])
    last = np.array([_ENDS[state] for state in _STATES])
    forward = np.zeros_like(emission)
    back = np.zeros(emission.shape, np.intp)
    forward[0] = first + emission[0]
    for index in range(1, count):
        options = forward[index - 1][:, None] + step
        back[index] = options.argmax(axis=0)
        forward[index] = options.max(axis=0) + emission[index]
    behind = np.zeros_like(emission)
    behind[-1] = last
    for index in range(count - 2, -1, -1):
        behind[index] = (step + emission[index + 1] + behind[index + 1]).max(axis=1)
    total = forward + behind
    ranked = np.sort(total, axis=1)
    lead = 1 - np.exp(-(ranked[:, -1] - ranked[:, -2]))
    state = int((forward[-1] + last).argmax())
    path = [state]
    for index in range(count - 1, 0, -1):
        state = int(back[index, state])
        path.append(state)
    return [_STATES[state] for state in path[::-1]], lead
