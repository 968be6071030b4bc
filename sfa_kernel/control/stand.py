"""How a deck stood when somebody last heard of it, and where it must be by now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sfa_kernel.control.given import number

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Stand"]


@dataclass(frozen=True)
class Stand:
    """How a deck stood at a moment.

    Attributes
    ----------
    time
        The moment [s of a clock of this process].
    track
        Id of the track that the page has in it; None for none.
    playing
        Whether it played.
    position
        In the song [s].
    rate
        Seconds of the song in a second.
    duration
        Of the song [s]; 0 without one.
    tempo
        BPM; None when it is not known.
    selection
        What is marked, the loop, as start and end [s].
    """

    time: float = 0.0
    track: str | None = None
    playing: bool = False
    position: float = 0.0
    rate: float = 0.0
    duration: float = 0.0
    tempo: float | None = None
    selection: tuple[float, float] | None = None

    @classmethod
    def told(cls, told: Mapping[str, Any], time: float) -> Stand:
        """As a page tells it.

        Raises
        ------
        KeyError, TypeError, ValueError
            When it is not told rightly.
        """
        marked = told.get("selection")
        start, end = (None, None) if not marked else map(_number, marked)
        return cls(
            time=time,
            track=None if told.get("track") is None else str(told["track"]),
            playing=bool(told["playing"]),
            position=_number(told["position"]),
            rate=_number(told["rate"]),
            duration=_number(told["duration"]),
            tempo=None if told.get("tempo") is None else _number(told["tempo"]),
            selection=None if start is None or end is None else (start, end),
        )

    def position_at(self, now: float, *, looping: bool) -> float:
        """Where it is at a later moment, when nothing happened in between [s]."""
        if not self.playing:
            return self.position
        place = self.position + self.rate * max(0.0, now - self.time)
        if looping and self.selection is not None:
            start, end = self.selection
            if self.position < end <= place and end > start:
                place = start + (place - start) % (end - start)
        return max(0.0, min(place, self.duration) if self.duration > 0 else place)

    def moved(self, now: float, *, looping: bool, **changes: Any) -> Stand:
        """As it stands at a moment at which something of it is changed."""
        return replace(self, **{"time": now, "position": self.position_at(now, looping=looping), **changes})


def _number(told: Any) -> float:
    found = number(told)
    if found is None:
        raise ValueError("no number")
    return found
