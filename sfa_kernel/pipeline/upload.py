"""The kind of job that brings a file into the library which a page has sent."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING

from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import songs, tracks
from sfa_kernel.errors import InputError, NotFoundError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline.importing import Found, examine, take
from sfa_kernel.pipeline.stages import enqueue, parse_stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges, Storage

__all__ = ["UPLOAD", "upload_key", "upload_request", "uploaded_file"]

TIME_LIMIT = 3600.0  # s: gigabytes that are written again as FLAC


def upload_key(upload: str) -> str:
    """The unique key of the job of an upload: while it is active, the file is somebody's."""
    return f"upload:{upload}"


def upload_request(upload: str, *, name: str, stages: Sequence[str] = ()) -> JobRequest:
    """The job that brings an uploaded file in.

    It says what came of it in its arguments: ``track``, and whether it is ``new``.

    Parameters
    ----------
    upload
        The name of its folder in ``uploads``.
    name
        What a person knows the file by.
    stages
        What is done with the song once it is here.

    Raises
    ------
    ParameterError
        When a stage is unknown.
    """
    return JobRequest(
        kind=UPLOAD.name,
        queue=UPLOAD.queue,
        track_id=None,
        arguments={"upload": upload, "stages": list(parse_stages(stages)) if stages else [], "title": name},
        unique_key=upload_key(upload),
        max_attempts=UPLOAD.max_attempts,
    )


def uploaded_file(storage: Storage, upload: str) -> Path:
    """The file of an upload.

    Raises
    ------
    NotFoundError
        When it is not there any more.
    """
    try:
        return next(storage.path(f"uploads/{upload}/file").iterdir())
    except (FileNotFoundError, StopIteration):
        raise NotFoundError("The uploaded file is not here any more.", hint="Add it again.") from None


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    path = uploaded_file(ground.storage, job.arguments["upload"])
    known = tracks.hashes(connection, ground.storage, [path.stat().st_size])
    return Plan({"path": path, "name": job.arguments["title"], "known": known}, time_limit=TIME_LIMIT)


def work(*, path: Path, name: str, known: Mapping[str, str], scratch: Path, progress: Progress) -> Found:
    """Look at the file, and make the library's copy. What cannot be used does not stay.

    Parameters
    ----------
    path, name, known
        See `sfa_kernel.pipeline.importing.examine`.
    """
    try:
        return examine(path, scratch, name=name, source=name, known=known)
    except InputError:
        shutil.rmtree(path.parent.parent, ignore_errors=True)
        raise


def _commit(connection: Connection, job: JobRow, result: Found, files: FileChanges) -> str:
    taken = take(connection, files.storage, files, result)
    files.drop([f"uploads/{job.arguments['upload']}"])
    songs.recognise(connection, [taken.track.id])
    job_table.note(connection, job.id, {"track": str(taken.track.id), "new": taken.new, "known": not taken.new})
    return "It is in the library." if taken.new else "It was in the library already."


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Found) -> None:
    there = tracks.by_hash(connection, result.content_hash)
    if there is None:
        return
    track, _ = there
    if stages := job.arguments["stages"]:
        enqueue(connection, ledger, [track.id], stages=stages, batch_id=job.batch_id)
    ledger.catalog.after_commit(partial(ledger.bus.publish, "library", {"added": [str(track.id)]}))


UPLOAD = Kind(name="upload", queue="import", prepare=_prepare, work=work, commit=_commit, follow=_follow)
