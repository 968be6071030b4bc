"""The kind of job that looks through a folder, and lets what is new in it be imported."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import folders, origins
from sfa_kernel.errors import InputError, NotFoundError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline.intake import PAUSE, SETTLED, import_requests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.folders import FolderRow
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.sources.walk import Seen
    from sfa_kernel.storage import FileChanges

__all__ = ["SCAN", "key_of", "scan_request"]

SOON = 1  # it is quick: it goes before the imports that wait
TIME_LIMIT = 1800.0  # s: a hundred thousand files on a slow share
SHOWN = 3  # how many of what cannot be read are named to a person; the log has all


def key_of(folder_id: UUID, *, asked: bool) -> str:
    """The unique key of the job that looks through a folder; see `scan_request`."""
    return f"scan:{folder_id}:{'asked' if asked else 'changed'}"


def scan_request(folder: FolderRow, *, asked: bool) -> JobRequest:
    """The job that looks through a folder; while one waits or runs there is no second.

    Parameters
    ----------
    asked
        Whether a person asks for all that is in it: then songs that were removed come back, files that could not be
        used are tried again, and the job fails when the folder cannot be read. Otherwise the folder's row says so,
        and all else stays as it is.
    """
    return JobRequest(
        kind=SCAN.name,
        queue=SCAN.queue,
        track_id=None,
        arguments={"title": clean_text(Path(folder.path).name, 120), "folder": str(folder.id), "asked": asked},
        unique_key=key_of(folder.id, asked=asked),
        priority=SOON,
        max_attempts=SCAN.max_attempts,
    )


@dataclass(frozen=True)
class Scan:
    """What a look through a folder has found.

    Attributes
    ----------
    total
        How many files there are.
    fresh
        Those that nobody has looked at as they are now.
    changing
        Those of them that somebody may be writing.
    unreadable
        What could not be looked at, and why: a line each.
    problem
        Why the folder itself could not be read.
    """

    total: int = 0
    fresh: list[Seen] = field(default_factory=list)
    changing: list[Seen] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    problem: str | None = None


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    try:
        folder = folders.get(connection, UUID(job.arguments["folder"]))
    except NotFoundError:
        return Plan(None)  # somebody has forgotten it in the meantime
    seen = origins.below(connection, folder.inside)
    if job.arguments["asked"]:
        for path in origins.without_track(connection, folder.inside):
            seen.pop(path, None)
    return Plan(
        {
            "folder": folder.path,
            "home": ground.storage.home,
            "seen": seen,
            "strict": job.arguments["asked"],
            "roots": ground.settings.import_folders if folder.confined else None,
        },
        time_limit=TIME_LIMIT,
    )


def work(
    *,
    folder: str,
    home: Path,
    seen: Mapping[str, tuple[int, int, bool]],
    strict: bool,
    roots: Sequence[Path] | None,
    scratch: Path,
    progress: Progress,
) -> Scan:
    """Look through a folder.

    Parameters
    ----------
    home
        The library's own folder, which is left out.
    seen
        See `sfa_kernel.catalog.origins.below`.
    strict
        Whether a folder that cannot be read is an error.
    roots
        See `sfa_kernel.sources.walk.walk`.
    """
    from sfa_kernel.sources.walk import walk

    try:
        walked = walk(Path(folder), leave_out=home, roots=roots)
    except InputError as error:
        if strict:
            raise
        return Scan(problem=str(error))
    now = time.time()
    scan = Scan(total=len(walked.files), unreadable=walked.unreadable)
    for file in walked.files:
        size, modified, removed = seen.get(file.path, (-1, -1, False))
        if removed or (size, modified) == (file.bytes, file.modified):
            continue
        writing = 0 <= now - file.modified / 1e9 < SETTLED
        (scan.changing if writing else scan.fresh).append(file)
    return scan


def _commit(connection: Connection, job: JobRow, result: Scan, files: FileChanges) -> str:
    problem = result.problem
    if problem is None and result.unreadable:
        more = len(result.unreadable) - SHOWN
        named = "; ".join(result.unreadable[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
        problem = f"Not all of it can be read: {named}."
    folders.set_scanned(connection, UUID(job.arguments["folder"]), problem=problem)
    if result.problem is not None:
        return result.problem
    fresh = len(result.fresh) + len(result.changing)
    return "\n".join([f"Files: {result.total}, of which {fresh} are new or have changed.", *result.unreadable])


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Scan) -> None:
    ledger.catalog.after_commit(partial(ledger.bus.publish, "sources", {"what": ["folders"]}))
    try:
        folder = folders.get(connection, UUID(job.arguments["folder"]))
    except NotFoundError:
        return
    if not result.fresh and not result.changing:
        return
    since = job.started_at or job.created_at  # of what others found meanwhile, the result knows nothing
    others = origins.taken_care_of(connection, folder.inside, since)
    for files, delay in ((result.fresh, 0.0), (result.changing, PAUSE)):
        chosen = [file for file in files if file.path not in others]
        requests = import_requests(
            [file.path for file in chosen],
            reference=folder.reference,
            stages=folder.stages,
            folder_id=folder.id,
            sizes=[file.bytes for file in chosen],
            restore=job.arguments["asked"],
            batch_id=job.batch_id,
            delay=delay,
        )
        ledger.enqueue_all(connection, requests)


def _failed(connection: Connection, job: JobRow, reason: str, final: bool) -> None:
    folders.set_scanned(connection, UUID(job.arguments["folder"]), problem=reason)


SCAN = Kind(name="scan", queue="import", prepare=_prepare, work=work, commit=_commit, failed=_failed, follow=_follow)
