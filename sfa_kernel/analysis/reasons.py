"""Why a section has its label, as numbers and in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.labels import rise
from sfa_kernel.analysis.repeats import likeness
from sfa_kernel.analysis.structure import novelty

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from sfa_kernel.analysis.structure import Bars

__all__ = ["say", "weigh"]


def weigh(starts: NDArray[np.intp], bars: Bars, apart: NDArray[np.float64]) -> list[dict[str, float]]:
    """The numbers that speak for each section.

    Parameters
    ----------
    starts
        First bar of each section.
    bars
        Of the song.
    apart
        How unlike the sections are, from `repeats.distances`.

    Returns
    -------
    list of dict
        ``bars``; ``low``, ``middle``, ``high``: level of the registers against the song's loud bars, in dB;
        ``rise``: by how much the highs climb, in dB; ``low_change``: of the low register against the two bars
        before, in dB; ``low_return``: of the low register at the section's end, in dB; ``novelty``: how much
        the sound changes where it begins, 0..1; ``likeness``: to the section most like it, 0..1.
    """
    ends = np.append(starts[1:], len(bars.level))
    change = novelty(bars)
    alike = likeness(apart)
    np.fill_diagonal(alike, 0.0)
    jumps = [_low_jump(bars, int(start)) for start in starts] + [0.0]
    found = []
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        part = bars.level[start:end]
        low, middle, high = np.median(part, axis=0)
        found.append(
            {
                "bars": float(end - start),
                "low": float(low),
                "middle": float(middle),
                "high": float(high),
                "rise": rise(part),
                "low_change": jumps[index],
                "low_return": jumps[index + 1],
                "novelty": float(change[start]),
                "likeness": float(alike[index].max()),
            }
        )
    return found


def _low_jump(bars: Bars, start: int) -> float:
    if not start:
        return 0.0
    return float(np.median(bars.level[start : start + 4, 0]) - bars.level[max(0, start - 2) : start, 0].min())


def say(label: str, evidence: Mapping[str, float], repeats: bool, group: str) -> str:
    """The sentence for a section.

    Parameters
    ----------
    label
        Of the section.
    evidence
        From `weigh`.
    repeats
        Whether an earlier section has the same letter.
    group
        That letter.
    """
    low, middle, high = (max(0.0, -evidence[name]) for name in ("low", "middle", "high"))
    under = f"low {low:.0f}, middle {middle:.0f}, high {high:.0f} dB under the loud bars"
    bars = f"{evidence['bars']:.0f} bars"
    returns = evidence["low_return"]
    if label == "intro":
        text = f"The song is not full yet: {under}"
    elif label == "outro":
        text = f"The song thins out to its end: {under}"
    elif label == "build" and evidence["rise"] > 1:
        text = f"Highs rise {evidence['rise']:.0f} dB over {bars}"
        if returns > 2:
            text += f", and the low register comes back by {returns:.0f} dB after them"
    elif label == "build":
        text = f"The low register comes back by {returns:.0f} dB after these {bars}"
    elif label in ("break", "bridge"):
        text = f"Low register {low:.0f} dB under the loud bars, middle {middle:.0f} dB"
    elif label in ("drop", "chorus"):
        text = f"Among the fullest bars: {under}"
        if evidence["low_change"] > 6:
            text += f", and the low register has returned by {evidence['low_change']:.0f} dB"
    else:
        text = f"Bass and drums play, but it gets fuller elsewhere: {under}"
    return f"{text}; it repeats {group}." if repeats else f"{text}."
