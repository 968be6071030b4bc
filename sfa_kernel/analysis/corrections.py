"""What a person puts right by hand, applied to what the machine found.

A correction is a kind with its value (JSON):

``grid``
    ``{"tempo": BPM, "first_beat": seconds}``: one tempo for the whole song, a bar beginning at that beat;
    ``{"scale": 0.5}`` or ``{"scale": 2}``: half or twice as many beats; ``{"shift": seconds}``: all beats later, or
    earlier; ``{"downbeat": seconds}``: the nearest beat begins a bar; ``{"beats_per_bar": 3}`` or ``4``;
    ``{"pin": seconds}``: the nearest beat is here, those since the pin before it are spaced anew, and those after it
    move along: one pin after the other, from the beginning, follows a band whose tempo moves.
``key``
    ``{"key": "A minor"}``.
``sections``
    ``{"sections": [{"start": 0.0, "end": 15.1, "label": "intro"}, ...]}``: all of them, without gaps.

What a person says is certain: its confidence is 1. A corrected grid moves no section, cue or loop.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, is_dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sfa_kernel.analysis.key import KEYS, camelot, open_key
from sfa_kernel.analysis.model import Analysis, GridSegment, KeySpan, Section
from sfa_kernel.analysis.tempo import usual_alternative
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["KINDS", "LABELS", "Correction", "apply", "correct", "plain"]

KINDS = ("grid", "key", "sections")
LABELS = ("intro", "verse", "build", "drop", "chorus", "break", "bridge", "outro")

_SLOWEST, _FASTEST = 20.0, 400.0  # BPM
_SAME = 0.01  # s: a time given twice
_ROUNDING = 0.05  # s: what the ends of the song may be off by


class Correction(Protocol):
    """One correction, wherever it is kept."""

    @property
    def kind(self) -> str:
        """``"grid"``, ``"key"`` or ``"sections"``."""

    @property
    def value(self) -> Mapping[str, Any]:
        """As the module says."""


def apply(analysis: Analysis, corrections: Iterable[Correction]) -> Analysis:
    """An analysis with corrections, each applied to the result of those before it.

    One that does not fit any more, because a newer analysis has found no beats to shift for example, is left out.

    Parameters
    ----------
    analysis
        What the machine found; stays as it is.
    corrections
        In the order in which they were made.

    Returns
    -------
    Analysis
        The same curves; ``corrected`` names the kinds that were applied.
    """
    for correction in corrections:
        try:
            analysis = correct(analysis, correction.kind, correction.value)
        except ParameterError:
            continue
    return analysis


def correct(analysis: Analysis, kind: str, value: Mapping[str, Any]) -> Analysis:
    """An analysis with one correction.

    Parameters
    ----------
    analysis
        Stays as it is.
    kind, value
        As the module says.

    Raises
    ------
    ParameterError
        When there is no such kind, or the value does not fit the song.
    """
    if kind not in KINDS:
        raise ParameterError(f"There is no correction of {kind!r}.", hint=f"Choose from {', '.join(KINDS)}.")
    corrected = _WAYS[kind](analysis, value)
    if kind not in corrected.corrected:
        corrected.corrected = [*corrected.corrected, kind]
    return corrected


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """The value of a correction as JSON values, from numbers of numpy and `Section` objects, too.

    Raises
    ------
    ParameterError
        When it holds what JSON does not.
    """

    def simple(part: Any) -> Any:
        if is_dataclass(part) and not isinstance(part, type):
            return asdict(part)
        if isinstance(part, np.generic | np.ndarray):
            return part.tolist()
        raise TypeError

    try:
        known: dict[str, Any] = json.loads(json.dumps(dict(value), default=simple, allow_nan=False))
    except (TypeError, ValueError):
        raise ParameterError("A correction consists of numbers and text.", hint="Leave out what is neither.") from None
    return known


# -- grid -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Beats:
    """Beats in order: when, whether one begins a bar, and which stretch of one tempo it belongs to (-1: none)."""

    times: NDArray[np.float64]
    opens: NDArray[np.bool_]
    owner: NDArray[np.intp]

    def kept(self, which: NDArray[np.bool_]) -> _Beats:
        return _Beats(self.times[which], self.opens[which], self.owner[which])


def _correct_grid(analysis: Analysis, value: Mapping[str, Any]) -> Analysis:
    given = frozenset(value)
    if given in (frozenset({"tempo", "first_beat"}), frozenset({"tempo", "first_beat", "beats_per_bar"})):
        return _one_tempo(analysis, value)
    ways = {
        "scale": _scale,
        "shift": _shift,
        "downbeat": _move_downbeat,
        "beats_per_bar": _change_metre,
        "pin": _pin,
    }
    if len(given) != 1 or not given <= set(ways):
        raise ParameterError(
            "A correction of the grid names tempo and first_beat, or one of scale, shift, downbeat, beats_per_bar, pin."
        )
    if len(analysis.beats) < 2:
        raise ParameterError("This song has no beat grid to correct.", hint="Give its tempo and first_beat.")
    (name,) = given
    return ways[name](analysis, value[name])


def _one_tempo(analysis: Analysis, value: Mapping[str, Any]) -> Analysis:
    tempo = _tempo(_number(value["tempo"], "The tempo"))
    first = _number(value["first_beat"], "The first beat")
    if not 0 <= first < analysis.duration:
        raise ParameterError(
            f"There is no sound at {first:g} s: the song lasts {analysis.duration:.3f} s.",
            hint="Name a beat inside the song.",
        )
    bar = _metre(value.get("beats_per_bar", analysis.beats_per_bar))
    period = 60 / tempo
    before = int(first / period + 1e-9)
    after = max(0, math.ceil((analysis.duration - first) / period - 1e-9) - 1)
    counts = np.arange(-before, after + 1)
    times = np.asarray(first + counts * period, np.float64)
    beats = _Beats(times, counts % bar == 0, np.zeros(len(counts), np.intp))
    corrected = replace(
        analysis,
        tempo=tempo,
        tempo_confidence=1.0,
        tempo_alternative=usual_alternative(tempo),
        grid_kind="constant",
        beats_per_bar=bar,
        beat_confidence=1.0,
        downbeat_confidence=1.0,
        metre_confidence=1.0,
    )
    return _with_beats(corrected, beats, [tempo])


def _scale(analysis: Analysis, factor: Any) -> Analysis:
    number = _number(factor, "The scale")
    if number not in (0.5, 2.0):
        raise ParameterError(f"A grid cannot be scaled by {number:g}.", hint="Use 0.5 or 2.")
    tempo = None if analysis.tempo is None else _tempo(analysis.tempo * number)
    beats = _doubled(analysis) if number == 2 else _halved(analysis)
    corrected = replace(
        analysis,
        tempo=tempo,
        tempo_confidence=1.0,
        tempo_alternative=analysis.tempo,
        beat_confidence=1.0,
    )
    return _with_beats(corrected, beats, [segment.tempo * number for segment in analysis.grid])


def _doubled(analysis: Analysis) -> _Beats:
    """A beat between each two, and one after the last; each bar becomes two."""
    old, bar = _beats_of(analysis), analysis.beats_per_bar
    last = old.times[-1] + (old.times[-1] - old.times[-2]) / 2
    between = np.append((old.times[:-1] + old.times[1:]) / 2, last)
    opens = np.zeros(2 * len(old.times), bool)
    starts = 2 * np.flatnonzero(old.opens)
    opens[starts] = True
    following = np.append(starts[1:], len(opens))
    halves = starts + bar
    opens[halves[halves < following]] = True
    if len(starts) and starts[0] >= bar:
        opens[starts[0] - bar] = True
    beats = _Beats(np.stack([old.times, between], axis=1).ravel(), opens, np.repeat(old.owner, 2))
    return beats.kept(beats.times < analysis.duration)


def _halved(analysis: Analysis) -> _Beats:
    """Every second beat, those that begin bars among them; two bars become one."""
    old, bar = _beats_of(analysis), analysis.beats_per_bar
    starts = np.flatnonzero(old.opens)
    first = int(starts[0]) if len(starts) else 0
    beats = old.kept(np.arange(len(old.times)) % 2 == first % 2)
    latest = -bar
    for index in np.flatnonzero(beats.opens).tolist():
        if index - latest < bar:
            beats.opens[index] = False
        else:
            latest = index
    return beats


def _shift(analysis: Analysis, by: Any) -> Analysis:
    seconds = _number(by, "The shift")
    old, bar = _beats_of(analysis), analysis.beats_per_bar
    period = float(np.median(np.diff(old.times)))
    if abs(seconds) > bar * period + _SAME:
        raise ParameterError(
            f"A shift of {seconds:g} s is more than a bar.", hint="Name the downbeat, or tempo and first_beat."
        )
    times = old.times + seconds
    # A grid that filled the song still does, so that a shift and its opposite leave what was there.
    lead, tail = old.times[1] - old.times[0], old.times[-1] - old.times[-2]
    before = int(times[0] / lead + 1e-9) if old.times[0] < lead else 0
    end = analysis.duration
    after = max(0, math.ceil((end - times[-1]) / tail - 1e-9) - 1) if old.times[-1] + tail >= end else 0
    before, after = max(0, before), max(0, after)
    times = np.concatenate(
        [times[0] - lead * np.arange(before, 0, -1), times, times[-1] + tail * np.arange(1, after + 1)]
    )
    opens = np.pad(old.opens, (before, after))
    starts = np.flatnonzero(opens)
    if len(starts):
        opens[starts[0] % bar : starts[0] : bar] = True
        opens[starts[-1] :: bar] = True
    beats = _Beats(times, opens, np.pad(old.owner, (before, after), mode="edge"))
    inside = beats.kept((beats.times >= 0) & (beats.times < end))
    return _with_beats(replace(analysis, beat_confidence=1.0), inside, [segment.tempo for segment in analysis.grid])


def _pin(analysis: Analysis, time: Any) -> Analysis:
    """The nearest beat is at ``time``: a stretch of one tempo ends there, and another begins."""
    old, here = _nearest(analysis, time, "The pinned beat")
    seconds = float(time)
    # The stretch that ends here; beats that belong to none are spaced from the first one.
    last = int(old.owner[here - 1]) if here else -1
    first = int(np.flatnonzero(old.owner == last)[0]) if last >= 0 else 0
    moved = old.times.copy()
    if here:
        moved[first : here + 1] = np.linspace(moved[first], seconds, here - first + 1)
    moved[here:] = old.times[here:] + (seconds - old.times[here])
    if len(moved) > 1 and np.min(np.diff(moved)) < 60 / _FASTEST:
        raise ParameterError("There is no room for the beats before it.", hint="Pin a beat nearer to where it is.")
    owner = old.owner.copy()
    tempi = [segment.tempo for segment in analysis.grid]
    if last >= 0:
        tempi[last] = 60 * (here - first) / (seconds - float(moved[first]))
        if owner[here] == last:
            # What follows keeps its tempo, as a stretch of its own.
            owner[here:] = np.where(owner[here:] >= last, owner[here:] + 1, owner[here:])
            tempi.insert(last + 1, analysis.grid[last].tempo)
    beats = _filled(_Beats(moved, old.opens, owner), analysis)
    kind = "piecewise" if analysis.grid_kind == "constant" and len(tempi) > 1 else analysis.grid_kind
    return _with_beats(replace(analysis, beat_confidence=1.0, grid_kind=kind), beats, tempi)


def _filled(beats: _Beats, analysis: Analysis) -> _Beats:
    """Beats up to the end of the song and no further, bars included."""
    times, bar = beats.times, analysis.beats_per_bar
    step = times[-1] - times[-2]
    more = max(0, math.ceil((analysis.duration - times[-1]) / step - 1e-9) - 1)
    opens = np.pad(beats.opens, (0, more))
    starts = np.flatnonzero(opens)
    if len(starts):
        opens[starts[-1] :: bar] = True
    times = np.concatenate([times, times[-1] + step * np.arange(1, more + 1)])
    filled = _Beats(times, opens, np.pad(beats.owner, (0, more), mode="edge"))
    return filled.kept((times >= 0) & (times < analysis.duration))


def _move_downbeat(analysis: Analysis, time: Any) -> Analysis:
    beats, nearest = _nearest(analysis, time, "The downbeat")
    return _with_bars(replace(analysis, downbeat_confidence=1.0), beats, nearest)


def _nearest(analysis: Analysis, time: Any, what: str) -> tuple[_Beats, int]:
    """The beats, and which of them is nearest to a time."""
    seconds = _number(time, what)
    if not 0 <= seconds <= analysis.duration:
        raise ParameterError(
            f"There is no sound at {seconds:g} s: the song lasts {analysis.duration:.3f} s.",
            hint="Name a beat inside the song.",
        )
    beats = _beats_of(analysis)
    return beats, int(np.argmin(np.abs(beats.times - seconds)))


def _change_metre(analysis: Analysis, beats_per_bar: Any) -> Analysis:
    bar = _metre(beats_per_bar)
    beats = _beats_of(analysis)
    starts = np.flatnonzero(beats.opens)
    corrected = replace(analysis, beats_per_bar=bar, metre_confidence=1.0)
    return _with_bars(corrected, beats, int(starts[0]) if len(starts) else 0)


def _with_bars(analysis: Analysis, beats: _Beats, start: int) -> Analysis:
    """Bars of one length from the beat ``start`` on, in both directions."""
    opens = (np.arange(len(beats.times)) - start) % analysis.beats_per_bar == 0
    return _with_beats(analysis, replace(beats, opens=opens), [segment.tempo for segment in analysis.grid])


def _beats_of(analysis: Analysis) -> _Beats:
    times = np.asarray(analysis.beats, np.float64)
    opens = np.zeros(len(times), bool)
    downbeats = np.asarray(analysis.downbeats, np.float64)
    nearest = np.searchsorted((times[:-1] + times[1:]) / 2, downbeats)
    opens[nearest[np.abs(times[nearest] - downbeats) < _SAME]] = True
    owner = np.full(len(times), -1, np.intp)
    for number, segment in enumerate(analysis.grid):
        owner[segment.first : segment.first + segment.beats] = number
    return _Beats(times, opens, owner)


def _with_beats(analysis: Analysis, beats: _Beats, tempi: list[float]) -> Analysis:
    """The analysis with these beats, and the grid that says the same.

    Parameters
    ----------
    tempi
        Of the stretches that the beats belong to.
    """
    grid = []
    for number, tempo in enumerate(tempi):
        mine = np.flatnonzero(beats.owner == number)
        if len(mine):
            grid.append(GridSegment(float(beats.times[mine[0]]), int(mine[0]), len(mine), tempo))
    return replace(analysis, beats=beats.times, downbeats=beats.times[beats.opens], grid=grid)


def _tempo(tempo: float) -> float:
    if not _SLOWEST <= tempo <= _FASTEST:
        raise ParameterError(f"A tempo of {tempo:g} BPM is out of range.", hint=f"Use {_SLOWEST:g} to {_FASTEST:g}.")
    return tempo


def _metre(beats_per_bar: Any) -> int:
    if beats_per_bar not in (3, 4):
        raise ParameterError(f"A bar of {beats_per_bar!r} beats is not known.", hint="Use 3 or 4.")
    return int(beats_per_bar)


# -- key and sections -----------------------------------------------------------------------------------------


def _correct_key(analysis: Analysis, value: Mapping[str, Any]) -> Analysis:
    if set(value) != {"key"} or not isinstance(value["key"], str):
        raise ParameterError("A correction of the key names the key.", hint='Write it as "A minor" or "F# major".')
    code = camelot(value["key"])
    key = next(name for name in KEYS if camelot(name) == code)  # spelled with sharps
    return replace(
        analysis,
        key=key,
        key_confidence=1.0,
        key_alternative=analysis.key_alternative if analysis.key in (key, None) else analysis.key,
        camelot=code,
        open_key=open_key(key),
        keys=[KeySpan(0.0, analysis.duration, key, code, 1.0)],
    )


def _correct_sections(analysis: Analysis, value: Mapping[str, Any]) -> Analysis:
    given = value.get("sections")
    if set(value) != {"sections"} or not isinstance(given, list) or not given:
        raise ParameterError("A correction of the sections lists them all.", hint="Give each its start, end and label.")
    sections: list[Section] = []
    for number, entry in enumerate(given, 1):
        end_before = sections[-1].end if sections else 0.0
        start, end, label = _section(entry, number)
        if abs(start - end_before) > (_SAME if sections else _ROUNDING):
            where = f"section {number - 1} ends" if sections else "the song begins"
            raise ParameterError(
                f"Section {number} begins at {start:g} s, but {where} at {end_before:g} s.",
                hint="Sections follow each other without gaps.",
            )
        if number == len(given):
            if abs(end - analysis.duration) > _ROUNDING:
                raise ParameterError(
                    f"The last section ends at {end:g} s, but the song at {analysis.duration:.3f} s.",
                    hint="Sections cover the whole song.",
                )
            end = analysis.duration
        if end <= end_before:
            raise ParameterError(f"Section {number} ends before it begins.", hint="List the sections in order.")
        sections.append(_by_hand(analysis, end_before, end, label))
    drops = [
        section.start for before, section in pairwise(sections) if section.label == "drop" and before.label != "drop"
    ]
    return replace(analysis, sections=sections, drops=drops)


def _section(entry: Any, number: int) -> tuple[float, float, str]:
    try:
        start, end, label = entry["start"], entry["end"], entry["label"]
    except (KeyError, TypeError):
        raise ParameterError(f"Section {number} lacks its start, end or label.") from None
    if label not in LABELS:
        raise ParameterError(f"There is no section {label!r}.", hint=f"Choose from {', '.join(LABELS)}.")
    return _number(start, "A section's start"), _number(end, "A section's end"), label


def _by_hand(analysis: Analysis, start: float, end: float, label: str) -> Section:
    """The section that the person left as it was, with its reasons; else a new one."""
    for section in analysis.sections:
        if abs(section.start - start) < _SAME and abs(section.end - end) < _SAME and section.label == label:
            return replace(section, start=start, end=end, confidence=1.0)
    return Section(start, end, label, 1.0, reason="Set by hand.")


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ParameterError(f"{what} is no number: {value!r}.")
    return float(value)


_WAYS = dict(zip(KINDS, (_correct_grid, _correct_key, _correct_sections), strict=True))
