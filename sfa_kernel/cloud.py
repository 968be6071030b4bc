"""``studio.lalal``: the account at lalal.ai, as it was when it was last asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfa_kernel.catalog import quotas
from sfa_kernel.catalog.jobs import ACTIVE
from sfa_kernel.pipeline.cloud import ENGINE, SERVICE, cloud_request
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sfa_kernel.catalog.quotas import QuotaRow
    from sfa_kernel.jobs import JobRequest
    from sfa_kernel.library import Library
    from sfa_kernel.runs import Run

__all__ = ["CloudAccount"]

EVERY = 1_000_000_000


class CloudAccount:
    """The account at lalal.ai.

    Its key comes from the environment or the encrypted store, see `sfa_kernel.credentials`.

    Parameters
    ----------
    library
        Whose jobs use it.
    start
        Queues jobs and returns their run.
    """

    def __init__(self, library: Library, *, start: Callable[[Sequence[JobRequest]], Run]) -> None:
        self._library = library
        self._start = start

    def _row(self) -> QuotaRow:
        with self._library.catalog.read() as connection:
            return quotas.get(connection, ENGINE)

    @property
    def minutes_left(self) -> float | None:
        """Minutes that were left when the service was last asked; None before."""
        return self._row().minutes_left

    @property
    def checked_at(self) -> datetime | None:
        """When that was."""
        return self._row().checked_at

    @property
    def voice_packs(self) -> Table:
        """The voices that a voice can be changed to: ``id``, ``name``, ``created``; empty before `refresh_voices`."""
        return Table(self._row().voice_packs or [])

    def refresh(self) -> Run:
        """Ask the service for the minutes that are left; returns at once.

        Examples
        --------
        >>> await studio.lalal.refresh()            # doctest: +SKIP
        >>> studio.lalal.minutes_left               # doctest: +SKIP
        1234.5
        """
        return self._start([cloud_request("quota")])

    def refresh_voices(self) -> Run:
        """Ask the service for the voices that there are; returns at once."""
        return self._start([cloud_request("voice_packs")])

    def cancel_all(self) -> Run:
        """Stop all tasks of the account, whoever began them, and this library's jobs that use it; returns at once."""
        # First our own: a job whose task is stopped would order it again.
        ours = self._library.ledger.jobs(statuses=ACTIVE, kind="separate", limit=EVERY)
        self._library.ledger.cancel([job.id for job in ours if job.service == SERVICE])
        return self._start([cloud_request("cancel_all")])

    def __repr__(self) -> str:
        row = self._row()
        if row.minutes_left is None or row.checked_at is None:
            return "<lalal.ai: not asked yet>"
        return f"<lalal.ai: {row.minutes_left:,.1f} minutes left on {row.checked_at:%Y-%m-%d at %H:%M} UTC>"
