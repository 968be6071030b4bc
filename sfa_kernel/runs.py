"""Work that was queued: watch it, wait for it, stop it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import tracks
from sfa_kernel.catalog.jobs import ACTIVE, JobRow
from sfa_kernel.errors import TransitionError
from sfa_kernel.jobs.log import read_log
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sfa_kernel.library import Library, Track

__all__ = ["Jobs", "Run"]

FAILURES_SHOWN = 10  # of a run that shows itself
EVERY = 1_000_000_000


class Run:
    """Jobs that were queued together: can be watched, cancelled, waited for and awaited.

    Parameters
    ----------
    library, ids
        The jobs, and whose they are.
    batch_id
        What they have in common, when they were asked for together.
    batches
        Batches all of whose jobs belong to the run, also those that others of them queue later: an import finds songs,
        and each song is a job.
    """

    def __init__(
        self, library: Library, ids: Sequence[UUID], *, batch_id: UUID | None = None, batches: Sequence[UUID] = ()
    ) -> None:
        self._library = library
        self._ids = list(ids)
        self.batch_id = batch_id
        self.batches = tuple(batches)

    @property
    def ids(self) -> list[UUID]:
        """The ids of its jobs, those of a run that grows as far as they are known."""
        return [job.id for job in self.jobs] if self.batches else list(self._ids)

    @property
    def jobs(self) -> list[JobRow]:
        """The jobs as they stand."""
        ledger = self._library.ledger
        if not self.batches:
            return ledger.jobs(self._ids)
        own = ledger.jobs(self._ids)
        seen = {job.id for job in own}
        found = [job for batch in self.batches for job in ledger.jobs(batch_id=batch, limit=EVERY)[::-1]]
        return own + [job for job in found if job.id not in seen]

    @property
    def done(self) -> bool:
        """Whether all have ended, one way or another."""
        return all(job.status not in ACTIVE for job in self.jobs)

    @property
    def tracks(self) -> list[Track]:
        """The songs that its completed jobs have brought into the library, as far as they are still there."""
        from sfa_kernel.library import Track

        ids = [UUID(job.arguments["track"]) for job in self.jobs if job.arguments.get("track")]
        with self._library.catalog.read() as connection:
            return [Track(self._library, row) for row in tracks.get_many(connection, ids)]

    @property
    def failures(self) -> Table:
        """The jobs that failed: ``track`` (its id), ``title``, ``stage`` and ``error`` of each.

        What was called off because it needed one of them is not among them.
        """
        failed = [job for job in self.jobs if job.status == "failed"]
        with self._library.catalog.read() as connection:
            rows = tracks.get_many(connection, [job.track_id for job in failed if job.track_id is not None])
        titles: dict[UUID | None, str] = {row.id: row.title for row in rows}
        return Table(
            {
                "track": job.track_id,
                "title": titles.get(job.track_id) or job.arguments.get("title", ""),
                "stage": job.kind,
                "error": job.error,
            }
            for job in failed
        )

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until all have ended, or for ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            self._library.ledger.wait(self.ids, timeout=left)
            # What has ended may have queued more.
            if not self.batches or self.done or left == 0:
                return self

    def cancel(self) -> None:
        """Stop those that have not ended."""
        self._library.ledger.cancel(self.ids)
        while self.batches and not self.done:  # one that ended just before has queued more
            self._library.ledger.cancel(self.ids)

    def pause(self) -> None:
        """Begin none of those that wait, in any process, until `resume`; what is at hand is finished.

        Raises
        ------
        TransitionError
            When all have ended, or do work that was asked for earlier and belongs to another run.
        """
        if self.batch_id is None:
            raise TransitionError("This work cannot be paused: it was not asked for as a batch.", hint="Cancel it.")
        batches = self.batches or (self.batch_id,)
        active = {job.batch_id for job in self.jobs if job.status in ACTIVE}
        # Where all have ended, the ledger says so.
        for batch_id in [batch for batch in batches if batch in active] or batches[:1]:
            self._library.ledger.pause(batch_id)

    def resume(self) -> None:
        """Let those that wait go on, also what another run that is paused was asked for earlier."""
        for batch_id in self._paused_batches():
            self._library.ledger.resume(batch_id)

    @property
    def paused(self) -> bool:
        """Whether any wait because they are paused."""
        return bool(self._paused_batches())

    def _paused_batches(self) -> set[UUID]:
        paused = {row["batch_id"] for row in self._library.ledger.paused()}
        return paused & {job.batch_id for job in self.jobs if job.status in ACTIVE} if paused else set()

    def __await__(self) -> Generator[Any, None, Run]:
        return asyncio.to_thread(self.wait).__await__()

    def __repr__(self) -> str:
        jobs = self.jobs
        ended = [job for job in jobs if job.status not in ACTIVE]
        failed = sum(job.status == "failed" for job in jobs)
        remarks = [f"{failed} failed"] if failed else []
        remarks += ["paused"] if self.paused else []
        line = f"<Run: {', '.join([f'{len(ended)} of {len(jobs)} jobs done', *remarks])}>"
        if not failed:
            return line
        lines = [f"  {row['title'] or row['track']}, {row['stage']}: {row['error']}" for row in self.failures]
        rest = [f"  and {failed - FAILURES_SHOWN} more in .failures"] if failed > FAILURES_SHOWN else []
        return "\n".join([line, *lines[:FAILURES_SHOWN], *rest])


class Jobs(Sequence[JobRow]):
    """The newest jobs of a library, with what one can do with them.

    Parameters
    ----------
    library
        Whose.
    on_queued
        Called when jobs wait again.
    """

    def __init__(self, library: Library, *, on_queued: Callable[[], None]) -> None:
        self._library = library
        self._on_queued = on_queued

    def _rows(self) -> list[JobRow]:
        return self._library.ledger.jobs()

    def __len__(self) -> int:
        return len(self._rows())

    def __getitem__(self, index: Any) -> Any:
        return self._rows()[index]

    def __iter__(self) -> Iterator[JobRow]:
        return iter(self._rows())

    def cancel(self, *ids: UUID) -> list[JobRow]:
        """Stop these jobs, and those that need them."""
        return self._library.ledger.cancel(ids)

    def cancel_all(self, queue: str | None = None) -> list[JobRow]:
        """Stop all jobs that wait or run, or those of one queue."""
        return self._library.ledger.cancel_all(queue)

    def retry(self, *ids: UUID) -> list[JobRow]:
        """Queue these failed or cancelled jobs again."""
        changed = self._library.ledger.retry(ids)
        self._on_queued()
        return changed

    def pause(self, batch_id: UUID) -> None:
        """Begin no more jobs of a batch, in any process, until `resume`; what is at hand is finished.

        Raises
        ------
        TransitionError
            When nothing of it waits or runs.
        """
        self._library.ledger.pause(batch_id)

    def resume(self, batch_id: UUID) -> None:
        """Let a paused batch go on."""
        self._library.ledger.resume(batch_id)
        self._on_queued()

    def log(self, job_id: UUID) -> list[dict[str, Any]]:
        """What a job has said so far, and what was said of it: lines with ``time, attempt, level, text``."""
        return read_log(self._library.storage.path("logs"), job_id)[0]

    def __repr__(self) -> str:
        return "\n".join(
            f"{job.kind:9} {job.status:10} {job.progress:3d} %  {job.error or ''}".rstrip() for job in self._rows()
        )
