"""Cues: the places a DJ jumps to, each with its reason.

Cues come from the form of the song (sections, drops, loops) and, where stems have been separated, from the
stems' levels: drums say where to mix in, the voice where it enters and after which bar it is safe to mix out.
The selection follows common practice: mix in, voice in, builds, drops, breaks, a last loop, and mix out, at
most eight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.model import Analysis, Cue, FloatArray
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.analysis.model import Loop, Section

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
_WAY_OUT = 16  # bars left to mix out in a song without an outro
_LEAST_WAY_OUT = 4  # bars
_STAYS = 2.0  # s that a stem plays before it counts as having entered
_SILENT = 1e-3  # root mean square of a stem that does not play


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
    playing = _playing(stem_levels or {}, stem_rate)
    cues = [
        _mix_in(analysis, grid, playing.get("drums")),
        *_form_cues(analysis, grid),
        _voice_in(grid, playing.get("vocals")),
        _mix_out(analysis, grid, playing.get("vocals")),
        _last_loop(analysis, grid),
    ]
    return _select([cue for cue in cues if cue is not None])


def _snap(time: float, grid: FloatArray) -> float:
    return float(grid[int(np.argmin(np.abs(grid - time)))])


def _playing(levels: Mapping[str, np.ndarray], rate: float) -> dict[str, tuple[float, float, float]]:
    """Where each stem first plays for two seconds, where it last does, and how steadily at first (0..1)."""
    usable = {name: np.nan_to_num(np.asarray(level, float)) for name, level in levels.items() if len(level)}
    if not usable:
        return {}
    count = min(len(level) for level in usable.values())
    everything = np.sqrt(sum(level[:count] ** 2 for level in usable.values()))
    width = max(1, round(_STAYS * rate))
    found = {}
    for name, level in usable.items():
        level = level[:count]
        loud = level > np.maximum(0.25 * everything, 0.2 * float(np.percentile(level, 95)))
        loud &= level > _SILENT
        if len(loud) < width:
            continue
        share = np.convolve(loud, np.ones(width) / width, mode="valid")
        stays = np.flatnonzero((share >= 0.7) & loud[: len(share)])
        if len(stays):
            last = int(np.flatnonzero(loud[: stays[-1] + width])[-1]) + 1
            found[name] = (float(stays[0]) / rate, last / rate, float(share[stays[0]]))
    return found


def _mix_in(analysis: Analysis, grid: FloatArray, drums: tuple[float, float, float] | None) -> Cue:
    sure = 0.6 + 0.4 * analysis.downbeat_confidence
    first = float(grid[0])
    if drums is not None:
        start = _bar_of(drums[0], grid)
        # a song whose drums wait for half of it is mixed in by its beginning all the same
        if first < start < 0.4 * analysis.duration:
            bars = int(np.searchsorted(grid, start - 1e-6))
            reason = f"The drums begin here, after {bars} bars without them."
            return Cue(start, "intro", "Mix in", COLORS["intro"], sure, reason)
        if start <= first:
            return Cue(first, "intro", "Mix in", COLORS["intro"], sure, "The first downbeat, and the drums play.")
    return Cue(first, "intro", "Mix in", COLORS["intro"], sure, "The first downbeat.")


def _bar_of(time: float, grid: FloatArray) -> float:
    """The downbeat of the bar in which something enters, be it a little early."""
    before = grid[grid <= time + 0.25]
    return float(before[-1]) if len(before) else float(grid[0])


def _form_cues(analysis: Analysis, grid: FloatArray) -> list[Cue]:
    cues = []
    numbers: dict[str, int] = {}
    for index, section in enumerate(analysis.sections):
        kind = {"drop": "drop", "chorus": "drop", "build": "build", "break": "break", "bridge": "break"}.get(
            section.label
        )
        if kind is None or (not index and kind != "drop"):
            continue
        numbers[section.label] = numbers.get(section.label, 0) + 1
        number = f" {numbers[section.label]}" if kind == "drop" else ""
        before = analysis.sections[index - 1].label if index else ""
        cues.append(
            Cue(
                _snap(section.start, grid),
                kind,
                f"{section.label.capitalize()}{number}",
                COLORS[kind],
                section.confidence,
                _reason(section, before),
            )
        )
    return cues


def _reason(section: Section, before: str) -> str:
    back = section.evidence.get("low_change", 0.0)
    if section.label in ("drop", "chorus") and before in ("build", "break", "bridge"):
        return (
            f"The low register returns by {back:.0f} dB after the {before}."
            if back > 3
            else f"The full sound returns after the {before}."
        )
    if section.reason:
        return section.reason
    return {
        "build": "The highs rise towards a change.",
        "break": "Bass and drums drop out.",
        "bridge": "Bass and drums drop out.",
    }.get(section.label, "The fullest part of the song begins.")


def _voice_in(grid: FloatArray, voice: tuple[float, float, float] | None) -> Cue | None:
    if voice is None:
        return None
    start, _, share = voice
    reason = f"The voice enters in this bar, at {start:.1f} s, and stays."
    return Cue(_bar_of(start, grid), "vocal", "Voice in", COLORS["vocal"], share, reason)


def _mix_out(analysis: Analysis, grid: FloatArray, voice: tuple[float, float, float] | None) -> Cue | None:
    outro = next((s for s in reversed(analysis.sections[1:]) if s.label == "outro"), None)
    time, sure, reason = None, 0.0, ""
    if outro is not None:
        time, sure, reason = _snap(outro.start, grid), outro.confidence, "From here the song only thins out."
    elif len(grid) >= 3 * _WAY_OUT and len(analysis.downbeats):
        time, sure = float(grid[-_WAY_OUT]), 0.4
        reason = f"The song has no outro: its last {_WAY_OUT} bars are left to mix."
    if voice is not None and (time is None or voice[1] > time + 1.0):
        after = grid[grid >= voice[1] - 0.25]
        if len(after) >= _LEAST_WAY_OUT:
            time, sure = float(after[0]), max(sure, 0.7)
            reason = f"The voice has ended at {voice[1]:.1f} s; {len(after)} bars without it are left."
    return None if time is None else Cue(time, "outro", "Mix out", COLORS["outro"], sure, reason)


def _last_loop(analysis: Analysis, grid: FloatArray) -> Cue | None:
    """The best loop from which to mix out: late in the song, and where it is full rather than in a break."""
    late = [loop for loop in analysis.loops if loop.start >= 0.5 * analysis.duration and loop.bars <= _LOOP_BARS]
    if late:
        empty = [s for s in analysis.sections if s.label in ("build", "break", "bridge", "outro")]

        def worth(loop: Loop) -> float:
            full = not any(s.start <= loop.start + 0.01 < s.end for s in empty)
            # where a section begins there is a cue already
            taken = any(abs(s.start - loop.start) < 0.1 for s in analysis.sections)
            return loop.score + 0.5 * full - 0.4 * taken + 0.3 * loop.start / analysis.duration

        best = max(late, key=worth)
        return Cue(
            _snap(best.start, grid), "loop", f"Loop {best.bars} bars", COLORS["loop"], 0.8 * best.score, best.reason
        )
    outro = next((s for s in reversed(analysis.sections[1:]) if s.label == "outro"), None)
    if outro is None or not len(analysis.downbeats):
        return None
    start = int(np.argmin(np.abs(grid - outro.start))) - _LOOP_BARS
    if start <= 0:
        return None
    reason = f"The last {_LOOP_BARS} full bars: a loop to mix out of."
    return Cue(float(grid[start]), "loop", "Loop", COLORS["loop"], 0.5 * outro.confidence, reason)


def _select(cues: list[Cue]) -> list[Cue]:
    """At most eight: the first of each type, the second drop, then the surest; two on one beat become one."""
    rank = {"intro": 0, "drop": 1, "outro": 2, "break": 3, "vocal": 4, "build": 5, "loop": 7}
    seen: dict[str, int] = {}
    order = []
    for cue in sorted(cues, key=lambda c: c.time):
        times = seen.get(cue.type, 0)
        seen[cue.type] = times + 1
        first = rank[cue.type] if not times else 6 if cue.type == "drop" and times == 1 else 8
        order.append((first, -cue.confidence, cue))
    chosen: list[Cue] = []
    for _, _, cue in sorted(order, key=lambda item: item[:2]):
        if len(chosen) < _MOST and all(abs(cue.time - other.time) > 0.05 for other in chosen):
            chosen.append(cue)
    return sorted(chosen, key=lambda c: c.time)
