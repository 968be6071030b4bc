"""What a separation will take before it starts: time, and minutes that a service bills."""

from __future__ import annotations

import html
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from sfa_kernel.catalog import quotas, timings, tracks
from sfa_kernel.separation.engines import engine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sfa_kernel.catalog import Connection
    from sfa_kernel.separation.interface import Engine
    from sfa_kernel.separation.request import Request
    from sfa_kernel.settings import Settings

__all__ = ["Estimate", "estimate"]

NEWEST = 20  # separations whose median tells how quick this machine is


@dataclass(frozen=True)
class Estimate:
    """What separating some tracks will take.

    Attributes
    ----------
    tracks
        How many there are to do.
    there
        How many more were named whose stems are there already; they cost nothing.
    seconds
        How long it takes once it begins [s]; None when nothing is known.
    known
        Whether earlier separations on this machine say so; otherwise it is the model's usual speed.
    minutes
        Minutes that a service bills; None when nobody bills any.
    minutes_left
        Minutes the account last had; None when nobody bills any, or nobody asked.
    checked_at
        When it had them.
    service
        The service that bills; empty when there is none.
    """

    tracks: int
    there: int
    seconds: float | None
    known: bool
    minutes: float | None = None
    minutes_left: float | None = None
    checked_at: datetime | None = None
    service: str = ""

    @property
    def enough(self) -> bool:
        """Whether the account has the minutes, as far as anybody knows."""
        return self.minutes is None or self.minutes_left is None or self.minutes <= self.minutes_left

    def __str__(self) -> str:
        return self._told(self._bill(), self._account())

    @property
    def without_account(self) -> str:
        """The same for where the minutes that are left are seen beside it."""
        return self._told(self._bill(), "" if self.enough else ", more than are left")

    def _told(self, bill: str, account: str) -> str:
        if not self.tracks:
            return "These stems are there already." if self.there else "There is nothing to separate."
        return " ".join(sentence for sentence in (self._time(), bill and f"{bill}{account}.", self._rest()) if sentence)

    def _time(self) -> str:
        songs = "1 song" if self.tracks == 1 else f"{self.tracks:,} songs"
        if self.seconds is None:
            return f"How long {'it takes' if self.tracks == 1 else f'{songs} take'} is known once one is done."
        basis = "as such separations took here" if self.known else "at its usual speed on two processor cores"
        return f"About {_span(self.seconds)} for {songs}, {basis}."

    def _bill(self) -> str:
        return "" if self.minutes is None else f"{self.service} bills {_minutes(self.minutes)}"

    def _account(self) -> str:
        if self.minutes_left is None or self.checked_at is None:
            return "; how many are left has not been asked"
        left = f"{_number(self.minutes_left)} were left on {self.checked_at:%Y-%m-%d at %H:%M} UTC"
        return f"; {left}" if self.enough else f", but only {left}"

    def _rest(self) -> str:
        if not self.there:
            return ""
        return (
            "1 more has these stems already." if self.there == 1 else f"{self.there:,} more have these stems already."
        )

    def _repr_html_(self) -> str:
        text = html.escape(str(self))
        return f"<p>{text}</p>" if self.enough else f"<p><strong>{text}</strong></p>"


def estimate(
    connection: Connection, track_ids: Sequence[UUID], asked: Request, *, settings: Settings, force: bool = False
) -> Estimate:
    """Tell what a separation will take.

    Parameters
    ----------
    track_ids
        Of what.
    asked
        What is to be done with each.
    settings
        How many run at once, and on which device.
    force
        Whether it will be done again where it has been done.

    Raises
    ------
    NotFoundError
        When a track is unknown.
    """
    chosen = engine(asked.engine)
    cloud = bool(chosen.service)
    found = timings.lengths(connection, track_ids, asked.key)
    for track_id in set(track_ids) - found.keys():
        tracks.get(connection, track_id)  # says that there is none
    lengths = [_length(duration, asked) for duration, there in found.values() if force or not there]
    device = "auto" if cloud else settings.separation_device
    measured = _rate(timings.of_model(connection, asked.engine, asked.model), asked, chosen, device)
    usual = chosen.model(asked.model).speed * chosen.effort(asked.model, asked.stems)
    rate = usual if measured is None else measured
    quota = quotas.get(connection, chosen.name)
    at_once = settings.cloud_limit if cloud else settings.separation_limit
    return Estimate(
        tracks=len(lengths),
        there=len(found) - len(lengths),
        seconds=_together([length * rate for length in lengths], at_once) if rate else None,
        known=measured is not None,
        minutes=sum(chosen.minutes(asked.model, asked.stems, length) for length in lengths) if cloud else None,
        minutes_left=quota.minutes_left if cloud else None,
        checked_at=quota.checked_at if cloud else None,
        service=chosen.service,
    )


def _length(duration: float, asked: Request) -> float:
    """How much of a track will be separated [s]."""
    if asked.region is None:
        return duration
    start, end = asked.region
    return max(0.0, min(end, duration) - start)


def _rate(done: Sequence[timings.Timing], asked: Request, chosen: Engine, device: str) -> float | None:
    """How long a second of music takes [s], as far as what was done tells; of that, what is most like it."""
    if device == "auto" and done:
        device = done[0].device
    done = [timing for timing in done if timing.device.partition(":")[0] == device.partition(":")[0]]
    alike = [timing for timing in done if (timing.stems, timing.settings) == (asked.stems, asked.settings)] or done
    # A preview is short, and most of what it takes is the start.
    alike = [timing for timing in alike if timing.preview == (asked.region is not None)] or alike
    if not alike:
        return None
    full = median(timing.rate / chosen.effort(asked.model, timing.stems) for timing in alike[:NEWEST])
    return full * chosen.effort(asked.model, asked.stems)


def _together(seconds: Sequence[float], at_once: int) -> float:
    """How long it all takes [s] when some run at once."""
    return max(max(seconds, default=0.0), sum(seconds) / max(1, at_once))


def _minutes(minutes: float) -> str:
    return "1 minute" if minutes == 1 else f"{_number(minutes)} minutes"


def _number(minutes: float) -> str:
    return f"{minutes:,.1f}".removesuffix(".0")


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
