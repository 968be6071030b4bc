"""Cues: the places a DJ jumps to, each with its reason.

Cues come from the form of the song (sections, drops) and, where stems have been separated, from the stems'
levels. The selection follows common practice: the first downbeat, voice in, builds, drops, breaks, the last
loop, and the outro, at most eight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.model import Analysis, Cue, FloatArray
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COLORS", "find_cues"]

COLORS = {
    "intro": "#2fbf71",
    "vocal": "#f25fa5",
    "build": "#f2c230",
    "drop": "#e5484d",
    "break": "#3b82f6",
    "loop": "#22b8cf",
    "outro": "#9b5de5",
}

_MOST = 8
_LOOP_BARS = 8


def find_cues(
    analysis: Analysis,
    *,
    stem_levels: Mapping[str, np.ndarray] | None = None,
    stem_rate: float = 10.0,
) -> list[Cue]:
    """Cue points of a song, in order of time.

    Parameters
    ----------
    analysis
        Of the song.
    stem_levels
        Root mean square of each stem (``vocals``, ``drums``, ``bass``, ``other``) over time.
    stem_rate
        Values per second of ``stem_levels``, in Hz.

    Returns
    -------
    list of Cue
        At most eight; empty where the song has no beats.

    Raises
    ------
    ParameterError
        When ``stem_rate`` is not positive.
    """
    if not stem_rate > 0:
        raise ParameterError("The rate of the stem levels must be positive.")
    grid = np.asarray(analysis.downbeats if len(analysis.downbeats) else analysis.beats, float)
    if not len(grid):
        return []
    cues = [
        Cue(float(grid[0]), "intro", "Mix in", COLORS["intro"], 0.9, "The first downbeat."),
        *_form_cues(analysis, grid),
    ]
    vocal = _vocal_cue(grid, stem_levels, stem_rate)
    if vocal is not None:
        cues.append(vocal)
    return _select(cues)


def _snap(time: float, grid: FloatArray) -> float:
    return float(grid[int(np.argmin(np.abs(grid - time)))])


def _form_cues(analysis: Analysis, grid: FloatArray) -> list[Cue]:
    cues = []
    number = 0
    for index, section in enumerate(analysis.sections):
        time = _snap(section.start, grid)
        before = analysis.sections[index - 1].label if index else ""
        sure = section.confidence
        if section.label in ("drop", "chorus") and index:
            number += 1
            name = "Drop" if section.label == "drop" else "Chorus"
            reason = (
                f"Bass and drums return after the {before}."
                if before in ("build", "break", "bridge")
                else "The fullest part of the song begins."
            )
            cues.append(Cue(time, "drop", f"{name} {number}", COLORS["drop"], sure, reason))
        elif section.label == "build":
            reason = "The highs rise towards a change."
            cues.append(Cue(time, "build", "Build", COLORS["build"], sure, reason))
        elif section.label in ("break", "bridge"):
            reason = "Bass and drums drop out."
            cues.append(Cue(time, "break", section.label.capitalize(), COLORS["break"], sure, reason))
        elif section.label == "outro" and index:
            reason = "From here the song only thins out."
            cues.append(Cue(time, "outro", "Mix out", COLORS["outro"], sure, reason))
            start = int(np.argmin(np.abs(grid - section.start))) - _LOOP_BARS
            if start > 0 and len(analysis.downbeats):
                reason = f"The last {_LOOP_BARS} full bars: a loop to mix out of."
                cues.append(Cue(float(grid[start]), "loop", "Loop", COLORS["loop"], 0.8 * sure, reason))
    return cues


def _vocal_cue(grid: FloatArray, stem_levels: Mapping[str, np.ndarray] | None, stem_rate: float) -> Cue | None:
    """Where the voice first stays for two seconds."""
    levels = None if stem_levels is None else stem_levels.get("vocals")
    if levels is None or len(levels) == 0:
        return None
    voice = np.nan_to_num(np.asarray(levels, float))
    everything = np.sqrt(
        sum(
            np.nan_to_num(np.asarray(level, float)[: len(voice)]) ** 2
            for level in (stem_levels or {}).values()
            if len(level) >= len(voice)
        )
    )
    loud = voice > np.maximum(0.25 * everything, 0.2 * float(np.percentile(voice, 95)))
    loud &= voice > 1e-3
    width = max(1, round(2 * stem_rate))
    if len(loud) < width:
        return None
    share = np.convolve(loud, np.ones(width) / width, mode="valid")
    found = np.flatnonzero((share >= 0.7) & loud[: len(share)])
    if not len(found):
        return None
    onset = float(found[0]) / stem_rate
    before = grid[grid <= onset + 0.25]
    time = float(before[-1]) if len(before) else float(grid[0])
    sure = float(share[found[0]])
    return Cue(time, "vocal", "Voice in", COLORS["vocal"], sure, "The voice enters in this bar.")


def _select(cues: list[Cue]) -> list[Cue]:
    """At most eight: first one of each type, then the surest; two on one beat become one."""
    rank = {"intro": 0, "drop": 1, "outro": 2, "break": 3, "vocal": 4, "build": 5, "loop": 6}
    chosen: list[Cue] = []
    seen: dict[str, int] = {}
    order = []
    for cue in sorted(cues, key=lambda c: c.time):
        order.append((seen.get(cue.type, 0), rank[cue.type], cue))
        seen[cue.type] = seen.get(cue.type, 0) + 1
    for _, _, cue in sorted(order, key=lambda item: item[:2]):
        if len(chosen) < _MOST and all(abs(cue.time - other.time) > 0.05 for other in chosen):
            chosen.append(cue)
    return sorted(chosen, key=lambda c: c.time)
