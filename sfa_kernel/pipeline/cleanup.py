"""Cleanup: what nobody needs any more goes for good, each night and whenever somebody asks.

Rows go in one transaction, and their files once it holds. A file that no row refers to is looked up while the
catalogue is free, and checked again in the transaction: it may have found an owner.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel import inventory
from sfa_kernel.catalog import exports, hotcues, jobs, lookups, playlists, scripts, songs, stems, trash, webhooks
from sfa_kernel.catalog.files import of_tracks, referenced, referenced_among
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline.recording import left_behind, recording_request
from sfa_kernel.pipeline.render import FOLDER, RENDER
from sfa_kernel.pipeline.upload import UPLOAD
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["CLEANUP", "cleanup_request", "clock"]

DAY = 86400.0  # s
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
    ended_before = datetime.fromtimestamp(now, UTC) - timedelta(days=settings.job_retention)
    running = jobs.listing(connection, statuses=jobs.RUNNING, limit=10_000)
    waiting = jobs.listing(connection, statuses=jobs.ACTIVE, queue=UPLOAD.queue, limit=100_000)
    uploads = {job.arguments["upload"] for job in waiting if job.arguments.get("upload")}
    renders = jobs.listing(connection, statuses=jobs.ACTIVE, queue=RENDER.queue, limit=100_000)
    uploads |= {PurePath(job.arguments["script"]).name for job in renders if job.arguments.get("script")}
    return Plan(
        {
            "home": ground.storage.home,
            "now": now,
            "owned": referenced(connection),
            "expiring": [
                *of_tracks(connection, trash.due(connection, removed_before)),
                *stems.files(connection, stems.due(connection, removed_before)),
            ],
            "busy": {f"{job.id}-{job.attempt}" for job in running} | uploads,
            "limits": {
                "removed_before": removed_before,
                "exported_before": ended_before,
                "told_before": ended_before,
                "job_retention": settings.job_retention,
            },
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
        Names of the scratch folders in use, and of uploads, recordings and scripts whose jobs wait.
    limits
        Passed on to the commit.
    """
    storage = Storage(home)
    swept: dict[str, int] = {}
    # What a page recorded before it was gone becomes a song; then its folder goes.
    left = [recording for recording in left_behind(storage, before=now - DAY) if recording.id not in busy]
    busy = busy.union(recording.id for recording in left)
    for folder in ("scratch", "uploads", "runs/spotify", FOLDER):
        if not storage.path(folder).is_dir():
            continue
        for entry in inventory.entries(storage.path(folder)):
            if now - entry.changed > DAY and entry.path.name not in busy and entry.path != scratch:
                storage.discard(entry.path)
                swept[f"{folder}/{entry.path.name}"] = entry.bytes
    progress(40)
    orphans = inventory.orphans(storage, owned, before=now - DAY)
    progress(80)
    logs = {
        str(job_id): entry.bytes
        for entry in inventory.entries(storage.path("logs"))
        if now - entry.changed > min(DAY, limits["job_retention"] * DAY)
        and (job_id := inventory.identifier(entry.path)) is not None
    }
    sizes = {name: length for name in expiring if (length := _size(home / name)) is not None}
    return {"swept": swept, "orphans": orphans, "logs": logs, "sizes": sizes, "recordings": left, **limits}


def _commit(connection: Connection, job: JobRow, result: dict[str, Any], files: FileChanges) -> str:
    purged, names = trash.purge(connection, result["removed_before"])
    lists = playlists.purge(connection, result["removed_before"])
    cues = hotcues.purge(connection, result["removed_before"])
    written = scripts.purge(connection, result["removed_before"])
    links = lookups.prune(connection, result["told_before"])
    unwanted = songs.prune(connection, result["told_before"])
    pruned = jobs.prune(connection, result["job_retention"])
    sets, set_names = stems.purge(connection, result["removed_before"])
    taken_away = exports.prune(connection, result["exported_before"])
    forgotten = webhooks.prune(connection, DELIVERY_DAYS)
    owned = referenced_among(connection, result["orphans"])
    orphans = {name: size for name, size in result["orphans"].items() if name not in owned}
    known = {str(found.id) for found in jobs.get_many(connection, [UUID(name) for name in result["logs"]])}
    logs = {f"logs/{name}.jsonl": size for name, size in result["logs"].items() if name not in known}
    files.drop([*names, *set_names, *taken_away, *orphans, *logs])
    counts = {
        "removed tracks": len(purged),
        "their files": len(names),
        "playlists": lists,
        "former hot cues": cues,
        "scripts": written,
        "links that were looked at": links,
        "songs that nobody has": unwanted,
        "sets of stems": sets,
        "exports": len(taken_away),
        "files of nothing": len(orphans),
        "ended jobs": len(pruned),
        "job logs": len(logs),
        "webhook deliveries": forgotten,
        "leftovers": len(result["swept"]),
    }
    freed = sum(result["sizes"].get(name, 0) for name in [*names, *set_names])
    freed += sum(sum(part.values()) for part in (taken_away, orphans, logs, result["swept"]))
    gone = ", ".join(f"{what} {count}" for what, count in counts.items() if count)
    return f"Freed {freed / 1e6:.1f} MB ({gone})." if gone else "There was nothing to remove."


def _size(path: Path) -> int | None:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return None


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: dict[str, Any]) -> None:
    ledger.enqueue_all(connection, [recording_request(recording) for recording in result["recordings"]])


CLEANUP = Kind(name="cleanup", queue="maintenance", prepare=_prepare, work=work, commit=_commit, follow=_follow)
