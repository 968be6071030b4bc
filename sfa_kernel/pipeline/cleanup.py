"""Cleanup: what nobody needs any more goes for good, each night and whenever somebody asks.

Rows go in one transaction, and their files once it holds. A file that no row refers to is looked up while the
catalogue is free, and checked again in the transaction: it may have found an owner.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import files as inventory
from sfa_kernel.catalog import jobs, trash, webhooks
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["CLEANUP", "cleanup_request", "clock"]

DAY = 86400.0  # s
OWNED = ("downloads", "stems", "analysis")  # folders whose files belong to rows
DELIVERY_DAYS = 30.0
TIME_LIMIT = 3600.0  # s

clock = time.time


def cleanup_request() -> JobRequest:
    """The job; while one waits or runs there is no second."""
    return JobRequest(kind=CLEANUP.name, queue=CLEANUP.queue, track_id=None, arguments={}, unique_key=CLEANUP.name)


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    now = clock()
    settings = ground.settings
    removed_before = datetime.fromtimestamp(now, UTC) - timedelta(days=settings.trash_retention)
    running = jobs.listing(connection, statuses=jobs.RUNNING, limit=10_000)
    return Plan(
        {
            "home": ground.storage.home,
            "now": now,
            "owned": inventory.referenced(connection),
            "expiring": trash.files_of(connection, trash.due(connection, removed_before)),
            "busy": {f"{job.id}-{job.attempt}" for job in running},
            "limits": {"removed_before": removed_before, "job_retention": settings.job_retention},
        },
        time_limit=TIME_LIMIT,
    )


def work(
    *,
    home: Path,
    now: float,
    owned: set[str],
    expiring: list[str],
    busy: set[str],
    limits: dict[str, Any],
    scratch: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Remove what no row can know of, and look up what no row refers to.

    Parameters
    ----------
    home
        The storage root.
    now
        The time to go by [s since the epoch].
    owned
        The names of the files that rows refer to.
    expiring
        Names of files whose size is wanted: their tracks are about to go.
    busy
        Names of the scratch folders in use.
    limits
        Passed on to the commit.
    """
    storage = Storage(home)
    swept: dict[str, int] = {}
    for folder in ("scratch", "uploads"):
        for path, size, newest in _entries(storage.path(folder)):
            if now - newest > DAY and path.name not in busy and path != scratch:
                storage.discard(path)
                swept[f"{folder}/{path.name}"] = size
    progress(40)
    orphans = {
        name: size
        for folder in OWNED
        for path, size, newest in _entries(storage.path(folder))
        if (name := f"{folder}/{path.name}") not in owned and now - newest > DAY and _uuid(path) is not None
    }
    progress(80)
    logs = {
        str(job_id): size
        for path, size, newest in _entries(storage.path("logs"))
        if now - newest > min(DAY, limits["job_retention"] * DAY) and (job_id := _uuid(path)) is not None
    }
    sizes = {name: length for name in expiring if (length := _size(home / name)) is not None}
    return {"swept": swept, "orphans": orphans, "logs": logs, "sizes": sizes, **limits}


def _commit(connection: Connection, job: JobRow, result: dict[str, Any], files: FileChanges) -> str:
    purged, names = trash.purge(connection, result["removed_before"])
    pruned = jobs.prune(connection, result["job_retention"])
    forgotten = webhooks.prune(connection, DELIVERY_DAYS)
    owned = inventory.referenced_among(connection, result["orphans"])
    orphans = {name: size for name, size in result["orphans"].items() if name not in owned}
    known = {str(found.id) for found in jobs.get_many(connection, [UUID(name) for name in result["logs"]])}
    logs = {f"logs/{name}.jsonl": size for name, size in result["logs"].items() if name not in known}
    files.drop([*names, *orphans, *logs])
    counts = {
        "removed tracks": len(purged),
        "their files": len(names),
        "files of nothing": len(orphans),
        "ended jobs": len(pruned),
        "job logs": len(logs),
        "webhook deliveries": forgotten,
        "leftovers": len(result["swept"]),
    }
    freed = sum(result["sizes"].get(name, 0) for name in names)
    freed += sum(sum(part.values()) for part in (orphans, logs, result["swept"]))
    gone = ", ".join(f"{what} {count}" for what, count in counts.items() if count)
    return f"Freed {freed / 1e6:.1f} MB ({gone})." if gone else "There was nothing to remove."


def _entries(folder: Path) -> Iterator[tuple[Path, int, float]]:
    """What lies in a folder: path, bytes, and when something was last done to it [s since the epoch]."""
    for path in list(folder.iterdir()):
        sizes, times = zip(*_measure(path), strict=True)
        yield path, sum(sizes), max(times)


def _measure(path: Path) -> Iterator[tuple[int, float]]:
    """Bytes and time of a file, a link or each part of a folder; what a link points to is somewhere else."""
    try:
        status = path.lstat()
        # A file that was moved here keeps the time of its content, but not that of its name.
        yield status.st_size, max(status.st_mtime, status.st_ctime)
        if path.is_dir() and not path.is_symlink():
            with os.scandir(path) as entries:
                for entry in entries:
                    yield from _measure(Path(entry.path))
    except OSError:
        yield 0, float("inf")  # somebody has just removed it, or it is not ours: leave it alone


def _size(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return None


def _uuid(path: Path) -> UUID | None:
    """The id that a file is named for; what has another name was put there by a person."""
    try:
        return UUID(path.stem)
    except ValueError:
        return None


CLEANUP = Kind(name="cleanup", queue="maintenance", prepare=_prepare, work=work, commit=_commit)
