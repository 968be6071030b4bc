"""``track.hot_cues``: the eight places of a song that a deck jumps to at the press of a button.

>>> track.hot_cues.set(1, 30.2, label="Drop", color="#e5484d")      # doctest: +SKIP
>>> track.hot_cues[1].time                                          # doctest: +SKIP
30.2
>>> track.hot_cues.clear(1); track.hot_cues.restore(1)              # doctest: +SKIP
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import cues as cue_table
from sfa_kernel.catalog import hotcues as table
from sfa_kernel.catalog import loops as loop_table
from sfa_kernel.catalog import tracks
from sfa_kernel.control.given import number, shown
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from sfa_kernel.catalog.cues import CueRow
    from sfa_kernel.library import Track

__all__ = ["COLORS", "HotCues"]

# What a slot is coloured when nobody says how.
COLORS = ("#e5484d", "#f2912e", "#f2c230", "#2fbf71", "#22b8cf", "#3b82f6", "#9b5de5", "#f25fa5")

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_LONGEST_LABEL = 100


class HotCues(Mapping[int, "CueRow"]):
    """The hot cues of one track by their slots, 1 to 8, read when they are asked for.

    Parameters
    ----------
    track
        Whose.
    """

    def __init__(self, track: Track) -> None:
        self._track = track

    def _all(self) -> dict[int, CueRow]:
        with self._track.library.catalog.read() as connection:
            return table.of_track(connection, self._track.id)

    def __getitem__(self, slot: int) -> CueRow:
        """The hot cue of a slot; a KeyError when it is free."""
        return self._all()[slot]

    def __iter__(self) -> Iterator[int]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def set(
        self,
        slot: int,
        time: float,
        *,
        end: float | None = None,
        label: str | None = None,
        color: str | None = None,
    ) -> CueRow:
        """Set a hot cue; what was in its slot can be brought back with `restore`.

        Parameters
        ----------
        slot
            1 to 8.
        time
            Where to jump to [s].
        end
            Where it goes back from there [s], which makes it a loop; None for a point.
        label, color
            A few words, and ``#rrggbb``; as they were when left out.

        Raises
        ------
        ParameterError
            When there is no such slot or colour, or a time is outside of the song.
        """
        place = _slot(slot)
        start = self._time(time)
        until = None if end is None else self._time(end)
        if until is not None and until <= start:
            raise ParameterError("A loop ends after it begins.", hint="Name an end that is later.")
        if color is not None and not (isinstance(color, str) and _COLOR.fullmatch(color)):
            raise ParameterError(f"{shown(color)} is no colour.", hint='Write it as "#e5484d".')
        track = self._track
        with track.library.catalog.write() as connection:
            tracks.get(connection, track.id)
            before = table.of_track(connection, track.id).get(place)
            kept = ("", COLORS[place - 1]) if before is None else (before.label, before.color)
            cue = table.put(
                connection,
                cue_table.CueRow(
                    id=uuid4(),
                    track_id=track.id,
                    time=start,
                    type=table.PRESSED,
                    label=kept[0] if label is None else clean_text(str(label), _LONGEST_LABEL),
                    color=kept[1] if color is None else color.lower(),
                    confidence=1.0,
                    reason="",
                    origin="person",
                    slot=place,
                    end=until,
                ),
            )
        self._tell()
        return cue

    def clear(self, slot: int) -> CueRow:
        """Free a slot; `restore` brings back what was there. A cue that was found stays among the track's cues.

        Returns
        -------
        CueRow
            What was there.

        Raises
        ------
        NotFoundError
            When it is free.
        """
        with self._track.library.catalog.write() as connection:
            before = table.clear(connection, self._track.id, _slot(slot))
        if before is None:
            raise NotFoundError(f"Hot cue {slot} is not set.")
        self._tell()
        return before

    def restore(self, slot: int) -> CueRow:
        """Bring back what was last overwritten or cleared in a slot; done twice, it is as before.

        Raises
        ------
        NotFoundError
            When nothing was.
        """
        with self._track.library.catalog.write() as connection:
            cue = table.restore(connection, self._track.id, _slot(slot))
        if cue is None:
            raise NotFoundError(f"Hot cue {slot} was never another one.")
        self._tell()
        return cue

    def fill(self) -> list[CueRow]:
        """Put the cues that were found into the free slots, in order of time; where a loop was found, as loops.

        Returns
        -------
        list
            Those that were put.
        """
        track = self._track
        with track.library.catalog.write() as connection:
            taken = table.of_track(connection, track.id)
            free = [slot for slot in table.SLOTS if slot not in taken]
            found = [
                cue
                for cue in cue_table.of_track(connection, track.id)
                if cue.origin == "auto"
                and not any(abs(cue.time - other.time) <= cue_table.SAME for other in taken.values())
            ]
            loops = [loop for loop in loop_table.of_track(connection, track.id) if loop.source == "mix"]
            filled = []
            for slot, cue in zip(free, found, strict=False):
                ends = [loop.end for loop in loops if abs(loop.start - cue.time) <= cue_table.SAME]
                end = ends[0] if ends and cue.type == "loop" else None
                filled.append(table.put(connection, replace(cue, slot=slot, end=end, origin="person")))
        if filled:
            self._tell()
        return filled

    def _time(self, time: Any) -> float:
        seconds = number(time)
        if seconds is None or not 0 <= seconds <= self._track.duration:
            raise ParameterError(
                f"A hot cue at {shown(time)} s is outside of the song, which lasts {self._track.duration:.3f} s.",
                hint="Name a time inside of it.",
            )
        return seconds

    def _tell(self) -> None:
        self._track.library.bus.publish("library", {"cues": [str(self._track.id)]})

    def __repr__(self) -> str:
        listed = ", ".join(f"{slot}: {cue.label or cue.type} at {cue.time:.2f} s" for slot, cue in self.items())
        return f"<hot cues: {listed or 'none'}>"

    def _repr_html_(self) -> str:
        rows = (
            {"slot": slot, "label": cue.label, "time": cue.time, "end": cue.end, "color": cue.color}
            for slot, cue in self.items()
        )
        return Table(rows)._repr_html_()


def _slot(slot: Any) -> int:
    if isinstance(slot, bool) or slot not in table.SLOTS:
        raise ParameterError(f"There is no hot cue {shown(slot)}.", hint="They are numbered 1 to 8.")
    return int(slot)
