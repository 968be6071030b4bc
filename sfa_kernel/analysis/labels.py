"""What each section does in the song: intro, verse, build, drop or chorus, break or bridge, outro.

Labels are the likeliest path through a small grammar of song forms (Viterbi), given how full each section's
low, middle and high registers are and where the energy goes; the notions of build, drop and break follow
Vande Veire & De Bie, "From Raw Audio to a Seamless Mix", 2018.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.repeats import SAME_PART

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.structure import Bars

__all__ = ["Traits", "describe_sections", "join_rises", "label_sections", "rise"]

_FAINT = -20.0  # dB below the loud bars: how highs move down there is no riser
_ABSENT = -24.0  # dB below the loud bars: nothing plays there
_RISER = 6.0  # dB that the highs climb in a build
_ALIKE = 1.5  # distance of sections whose labels are decided together
_STATES = ("intro", "verse", "build", "peak", "break", "outro")

_OTHER_PART = 0.7  # what it costs to give neighbours of different sound one label
_INNER = [1, 2, 3, 4]  # those that do not depend on the place in the song

# What usually follows what, as additions to the score; absent pairs do not occur.
_FOLLOWS: dict[str, dict[str, float]] = {
    "start": {"intro": 0.0, "verse": -1.2, "build": -2.0, "peak": -2.0, "break": -1.5},
    "intro": {"intro": -0.2, "verse": 0.0, "build": 0.0, "break": -0.2, "peak": -0.6, "outro": -3.0},
    "verse": {"verse": 0.0, "build": 0.0, "peak": -0.2, "break": -0.4, "outro": -0.8},
    "build": {"build": -0.5, "peak": 1.0, "verse": -1.5, "break": -1.2, "outro": -3.0},
    "peak": {"peak": 0.0, "break": 0.0, "verse": -0.5, "build": -0.5, "outro": 0.0},
    "break": {"break": 0.0, "build": 0.3, "peak": 0.2, "verse": -0.5, "outro": -0.8},
    "outro": {"outro": 0.0},
}
_ENDS = {"intro": -2.0, "verse": -1.0, "build": -3.0, "peak": -1.0, "break": -1.0, "outro": 0.0}


@dataclass(frozen=True, eq=False)
class Traits:
    """What the labels are told of each section; arrays over sections.

    Parameters
    ----------
    bars
        Its length.
    level
        Median of the low, middle and high registers, in dB below the loud bars [shape=(sections, 3)].
    sparse
        0 (all registers full) .. 3.
    rise
        By how much the highs climb from bar to bar, in dB; 0 where they jump once.
    summit
        Of the high register in its last two bars, in dB.
    low_jump
        Of the low register at the section's beginning, in dB.
    low_return
        Of the low register at the section's end, in dB.
    power
        Against the other full sections, in standard deviations.
    place
        Where it begins and ends, as shares of the song [shape=(sections, 2)].
    """

    bars: NDArray[np.float64]
    level: NDArray[np.float64]
    sparse: NDArray[np.float64]
    rise: NDArray[np.float64]
    summit: NDArray[np.float64]
    low_jump: NDArray[np.float64]
    low_return: NDArray[np.float64]
    power: NDArray[np.float64]
    place: NDArray[np.float64]


def join_rises(starts: NDArray[np.intp], bars: Bars) -> NDArray[np.intp]:
    """Starts of sections, where a rise that was cut into pieces is one again."""
    level = np.maximum(bars.level, [_ABSENT, _ABSENT, _FAINT])
    ends = np.append(starts[1:], len(level))
    climbs = [rise(level[a:b]) for a, b in zip(starts, ends, strict=True)]
    kept = [int(starts[0])]
    for index in range(1, len(starts)):
        bar = int(starts[index])
        before = level[max(int(starts[index - 1]), bar - 2) : bar].mean(axis=0)
        after = level[bar : min(int(ends[index]), bar + 2)].mean(axis=0)
        low, middle, high = after - before
        goes_on = climbs[index - 1] > 2 and climbs[index] > 2 and -2 < high < 8
        if not (goes_on and low < 6 and abs(middle) < 5):
            kept.append(bar)
    return np.array(kept, np.intp)


def describe_sections(starts: NDArray[np.intp], bars: Bars) -> Traits:
    """What the labels are told of each section.

    Parameters
    ----------
    starts
        First bar of each.
    bars
        Of the song.
    """
    count = len(bars.level)
    ends = np.append(starts[1:], count)
    level, climbs, summit, leaves, arrives = [], [], [], [], []
    for start, end in zip(starts, ends, strict=True):
        part = bars.level[start:end]
        level.append(np.median(part, axis=0))
        climbs.append(rise(part))
        summit.append(float(part[-2:, 2].max()))
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
    return Traits(
        (ends - starts).astype(float),
        levels,
        sparse,
        np.array(climbs),
        np.array(summit),
        jump,
        back,
        (power - mean) / max(spread, 0.7),
        np.stack([starts, ends], axis=1) / count,
    )


def rise(level: NDArray[np.float64]) -> float:
    """By how much the highs climb from bar to bar, in dB; nothing where they jump once.

    Parameters
    ----------
    level
        Of the low, middle and high registers in each bar, in dB [shape=(bars, 3)].
    """
    values = np.maximum(level[:, 2], _FAINT)
    count = len(values)
    if count < 3:
        return 0.0
    t = np.arange(count) - (count - 1) / 2
    climb = float((t * values).sum() / (t * t).sum() * (count - 1))
    if climb <= 0:
        return climb
    share = float(np.diff(values).max()) / climb
    return climb * float(np.clip((0.85 - share) / 0.25, 0, 1))


def _emissions(traits: Traits) -> NDArray[np.float64]:
    """How well each label [columns: _STATES] fits each section."""
    low, middle = traits.level[:, 0], traits.level[:, 1]
    begin, end = traits.place.T
    absent = np.clip((-low - 9) / 6, -1, 1.5)
    short = np.clip(1 - np.maximum(traits.bars - 16, 0) / 8, -1.5, 1)
    rising = np.clip((traits.rise - _RISER) / 3, -2, 2)
    build = rising - 1.5 * (traits.rise < 2) + 1.2 * np.clip((traits.low_return - 2) / 8, -1, 1) + 0.3 * short - 0.5
    body = np.clip((middle + 7) / 5, -1, 1)
    edge = 1.6 * traits.sparse - 0.6 - 0.5 * np.clip(traits.power, 0, 1) * (traits.sparse < 0.5)
    return np.stack(
        [
            edge - 6 * np.clip(end - 0.35, 0, 0.4),
            -0.9 * np.maximum(absent, 0) - 0.8 * traits.sparse - 0.7 * np.clip(traits.power, -1, 1.2) + 0.2,
            build,
            -1.5 * np.maximum(absent, 0) - 0.4 * traits.sparse + 0.7 * np.clip(traits.power, -1.5, 1),
            1.2 * absent - 0.4 * np.maximum(rising, 0) + 0.4 * body,
            edge - 6 * np.clip(0.65 - begin, 0, 0.4),
        ],
        axis=1,
    )


def _steps(traits: Traits, apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each label adds to the score after each other [shape=(sections, before, after)]."""
    count = len(traits.bars)
    step = np.full((len(_STATES), len(_STATES)), -np.inf)
    for before, options in _FOLLOWS.items():
        for after, value in options.items():
            if before != "start":
                step[_STATES.index(before), _STATES.index(after)] = value
    steps = np.repeat(step[None], count, axis=0)
    thinner = np.diff(traits.sparse, prepend=traits.sparse[:1])
    # an intro fills up, an outro thins out
    intro, outro = _STATES.index("intro"), _STATES.index("outro")
    steps[:, intro, intro] -= 2 * np.clip(thinner - 0.2, 0, 1)
    steps[:, outro, outro] -= 2 * np.clip(-thinner - 0.2, 0, 1)
    # what has other chords or another sound is rather another part
    unlike = np.clip((np.diagonal(apart, 1) - SAME_PART) / SAME_PART, 0, 1)
    for state in (_STATES.index("verse"), _STATES.index("peak")):
        steps[1:, state, state] -= _OTHER_PART * unlike
    return steps


def label_sections(
    traits: Traits, apart: NDArray[np.float64], four_on_the_floor: bool
) -> tuple[list[str], NDArray[np.float64], list[int]]:
    """What each section does, and which ones are drops.

    Parameters
    ----------
    traits
        Of each section.
    apart
        How unlike the sections are, from `repeats.distances`.
    four_on_the_floor
        Whether a kick marks every beat, as club music has it.

    Returns
    -------
    states : list of str
        Likeliest label of each section; ``"peak"`` for drop and chorus.
    lead : ndarray
        Its lead over the second, 0..1.
    drops : list of int
        Sections with which the full sound returns.
    """
    emission = _emissions(traits)
    alike = (apart < _ALIKE).astype(float)
    alike /= alike.sum(axis=1, keepdims=True)
    emission[:, _INNER] = 0.5 * emission[:, _INNER] + 0.5 * (alike @ emission)[:, _INNER]
    states, lead = _likeliest(traits, emission, _steps(traits, apart))
    drops = _arrivals(states, traits, four_on_the_floor)
    # in club music what is full before the first build-up, and no drop's like, is the verse
    early = [
        index
        for index, state in enumerate(states)
        if state == "peak"
        and drops
        and (index == 0 or states[index - 1] in ("intro", "verse"))
        and apart[index, drops].min() > SAME_PART
    ]
    if early:
        emission[early, _STATES.index("peak")] -= 1.5
        states, lead = _likeliest(traits, emission, _steps(traits, apart))
        drops = _arrivals(states, traits, four_on_the_floor)
    return states, lead, drops


def _likeliest(
    traits: Traits, emission: NDArray[np.float64], steps: NDArray[np.float64]
) -> tuple[list[str], NDArray[np.float64]]:
    """The path through the grammar with the highest score, and how far each label leads."""
    emission = emission * np.clip(traits.bars / 6, 0.7, 2.0)[:, None]
    count = len(emission)
    first = np.array([_FOLLOWS["start"].get(state, -np.inf) for state in _STATES])
    last = np.array([_ENDS[state] for state in _STATES])
    forward = np.zeros_like(emission)
    back = np.zeros(emission.shape, np.intp)
    forward[0] = first + emission[0]
    for index in range(1, count):
        options = forward[index - 1][:, None] + steps[index]
        back[index] = options.argmax(axis=0)
        forward[index] = options.max(axis=0) + emission[index]
    behind = np.zeros_like(emission)
    behind[-1] = last
    for index in range(count - 2, -1, -1):
        behind[index] = (steps[index + 1] + emission[index + 1] + behind[index + 1]).max(axis=1)
    total = forward + behind
    ranked = np.sort(total, axis=1)
    lead = 1 - np.exp(-(ranked[:, -1] - ranked[:, -2]))
    state = int((forward[-1] + last).argmax())
    path = [state]
    for index in range(count - 1, 0, -1):
        state = int(back[index, state])
        path.append(state)
    return [_STATES[state] for state in path[::-1]], lead


def _arrivals(states: list[str], traits: Traits, four_on_the_floor: bool) -> list[int]:
    """Sections that are drops: the full sound returns after a riser, or in club music after any break.

    Parameters
    ----------
    states
        Label of each section.
    traits
        Of each section.
    four_on_the_floor
        Whether a kick marks every beat.
    """
    returns = [
        index
        for index in range(1, len(states))
        if states[index] == "peak" and states[index - 1] in ("build", "break") and traits.low_jump[index] > 3
    ]
    lifted = [
        i
        for i in returns
        if states[i - 1] == "build" and traits.rise[i - 1] > _RISER and traits.summit[i - 1] > traits.level[i, 2] - 3
    ]
    if lifted or four_on_the_floor:
        lifted += [i for i in returns if i not in lifted and traits.low_jump[i] > 8]
    return sorted(lifted)
