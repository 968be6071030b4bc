"""Which sections repeat each other: the same bars, chord progression and texture, whatever their lengths."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.structure import Bars

__all__ = ["SAME_PART", "closest", "distances", "letters", "likeness"]

_PATTERN = 4  # bars of a section's pattern that are compared
_PART = 4  # bars of a beginning or an end that are compared
SAME_PART = 6.0
"""Distance up to which two sections of one label are the same part of the song."""

_SAME_SOUND = 1.0  # distance up to which sections of different labels are: hardly a difference at all


def distances(starts: NDArray[np.intp], bars: Bars) -> NDArray[np.float64]:
    """How unlike each other the sections' patterns of four bars are [shape=(sections, sections)].

    Parameters
    ----------
    starts
        First bar of each section.
    bars
        Of the song.

    Returns
    -------
    ndarray
        Mean squared distance of their bars in the units of `Bars.sound`, less what the song's own noise makes.
    """
    return _apart(starts, np.append(starts[1:], len(bars.sound)), bars)


def closest(starts: NDArray[np.intp], bars: Bars) -> NDArray[np.float64]:
    """As `distances`, where it is enough that sections begin alike or end alike.

    A second drop that gets fuller half-way, or a longer build, is still the same part.
    """
    ends = np.append(starts[1:], len(bars.sound))
    whole = _apart(starts, ends, bars)
    heads = _apart(starts, np.minimum(ends, starts + _PART), bars)
    tails = _apart(np.maximum(starts, ends - _PART), ends, bars)
    return np.minimum(whole, np.minimum(heads, tails))


def _apart(starts: NDArray[np.intp], ends: NDArray[np.intp], bars: Bars) -> NDArray[np.float64]:
    patterns = np.stack([_pattern(bars.steady[a:b]) for a, b in zip(starts, ends, strict=True)])
    flat = patterns.reshape(len(starts), -1)
    squares = (flat**2).sum(axis=1)
    apart = (squares[:, None] + squares[None, :] - 2 * flat @ flat.T) / _PATTERN
    # a mean over few bars carries its share of noise
    rounds = np.maximum((ends - starts) / _PATTERN, 1.0)
    luck = bars.noise * (1 / rounds[:, None] + 1 / rounds[None, :])
    result: NDArray[np.float64] = np.maximum(apart - luck, 0.0)
    np.fill_diagonal(result, 0.0)
    return result


def _pattern(part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of every fourth bar of a section, from its first, second, third and fourth on."""
    if len(part) < _PATTERN:
        return np.repeat(part.mean(axis=0)[None], _PATTERN, axis=0)
    return np.stack([part[phase::_PATTERN].mean(axis=0) for phase in range(_PATTERN)])


def likeness(apart: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances as 0 (nothing in common) .. 1 (the same)."""
    return 1 / (1 + apart / SAME_PART)


def letters(apart: NDArray[np.float64], parts_apart: NDArray[np.float64], labels: list[str]) -> list[str]:
    """``"A"``, ``"B"``, ... for each section, by first appearance.

    Parameters
    ----------
    apart
        From `distances`, for sections of different labels: only what hardly differs at all is one part.
    parts_apart
        From `closest`, for sections of one label, which may differ more.
    labels
        What each section does in the song.
    """
    groups: list[list[int]] = []
    result = []
    for index, label in enumerate(labels):

        def gap(group: list[int], index: int = index, label: str = label) -> float:
            gaps = [
                parts_apart[index, other] / SAME_PART if labels[other] == label else apart[index, other] / _SAME_SOUND
                for other in group
            ]
            return float(sum(gaps)) / len(gaps)

        nearest = min(groups, key=gap, default=None)
        if nearest is None or gap(nearest) >= 1:
            nearest = []
            groups.append(nearest)
        nearest.append(index)
        result.append(_letter(next(i for i, group in enumerate(groups) if group is nearest)))
    return result


def _letter(number: int) -> str:
    alphabet = string.ascii_uppercase
    return alphabet[number] if number < 26 else _letter(number // 26 - 1) + alphabet[number % 26]
