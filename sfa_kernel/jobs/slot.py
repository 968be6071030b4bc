"""One place where work runs: a loky pool of a single process.

A slot keeps its process warm between jobs. What kills the process, a crash or a cancelled job, harms no
neighbour, because no other job shares the pool.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import RetryableJobError
from sfa_kernel.events import Journal

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.jobs.kinds import Work

__all__ = ["Slot"]

IDLE_SECONDS = 60  # a process nobody needs goes after this long


class Slot:
    """A worker process for one job at a time."""

    def __init__(self) -> None:
        self._pool: Any = None

    def run(self, work: Work, arguments: dict[str, Any], *, events: Path, report: dict[str, Any]) -> Any:
        """Do a piece of work in the slot's process and return its result.

        Parameters
        ----------
        work, arguments
            A module-level function and its keyword arguments.
        events
            The journal's folder, to which the process reports progress.
        report
            What a progress event says besides the progress.

        Raises
        ------
        RetryableJobError
            When the process died.
        """
        from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

        if self._pool is None:
            self._pool = ProcessPoolExecutor(max_workers=1, timeout=IDLE_SECONDS, env={"OMP_NUM_THREADS": "1"})
        try:
            return self._pool.submit(_work, work, arguments, os.getpid(), events, report).result()
        except BrokenProcessPool as error:
            self._pool = None
            raise RetryableJobError("The process that did the work died.") from error

    def kill(self) -> None:
        """End the process, whatever it does; the next job gets a new one."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)


def _work(work: Work, arguments: dict[str, Any], parent: int, events: Path, report: dict[str, Any]) -> Any:
    journal = Journal(events)
    last = -1

    def progress(percent: int) -> None:
        nonlocal last
        if os.getppid() != parent:  # whoever wanted this is gone
            os._exit(1)
        if percent > last:
            last = percent
            journal.publish(f"jobs:{report['id']}", {**report, "progress": int(percent)})

    progress(0)
    return work(progress=progress, **arguments)
