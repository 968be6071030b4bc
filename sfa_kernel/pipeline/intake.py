"""The kind of job that brings files of this computer into the library, some dozens at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import origins, tracks
from sfa_kernel.catalog.origins import OriginRow
from sfa_kernel.errors import InputError, RetryableJobError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline import stages as pipeline
from sfa_kernel.pipeline.importing import Found, ImportedFile, copies, examine, note, take_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["AT_ONCE", "IMPORT", "SETTLED", "import_requests"]

AT_ONCE = 50  # files
FILE_SECONDS = 300.0  # how long one may take: hours of sound from a slow disk
SETTLED = 2.0  # s since somebody last wrote to a file, after which it is taken for complete
PAUSE, LONGEST_PAUSE = 3.0, 600.0  # s until a file that was being written is looked at again


def import_requests(
    files: Sequence[Path | str],
    *,
    reference: bool = False,
    stages: Sequence[str] = (),
    folder_id: UUID | None = None,
    sizes: Sequence[int] | None = None,
    restore: bool = True,
    batch_id: UUID | None = None,
    again: int = 0,
    delay: float = 0.0,
) -> list[JobRequest]:
    """The jobs that bring files into the library, `AT_ONCE` at a time.

    A file that cannot be used is noted in the table ``origins`` and in the job's log, and harms no other; a job of
    one file that no folder's import is about fails instead. Songs that playlists name by these paths are linked.

    Parameters
    ----------
    files
        Absolute paths.
    reference
        Whether they stay where they are.
    stages
        What is done with the songs: of a folder with new ones, else with all.
    folder_id
        The folder they were found in.
    sizes
        Their sizes [bytes], when they are known.
    restore
        Whether tracks that a person has removed come back.
    batch_id
        What else was asked for at the same time.
    again
        How often they were being written when they were looked at.
    delay
        How long the jobs wait before they may start [s].
    """
    names = [str(file) for file in files]
    requests = []
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        arguments: dict[str, Any] = {
            "title": _title(part),
            "files": part,
            "reference": reference,
            "stages": list(stages),
            "folder": None if folder_id is None else str(folder_id),
            "restore": restore,
            "again": again,
        }
        if sizes is not None:
            arguments["sizes"] = list(sizes[start : start + AT_ONCE])
        requests.append(
            JobRequest(
                kind=IMPORT.name,
                queue=IMPORT.queue,
                track_id=None,
                arguments=arguments,
                max_attempts=IMPORT.max_attempts,
                batch_id=batch_id,
                delay=delay,
            )
        )
    return requests


def _title(files: Sequence[str]) -> str:
    first = clean_text(Path(files[0]).name, 120)
    more = len(files) - 1
    return f"{first} and {more} more" if more else first


@dataclass(frozen=True)
class Problem:
    """A file that cannot be used: its state as it was looked at, and why."""

    path: str
    bytes: int
    modified: int
    reason: str


@dataclass
class Intake:
    """What one job's files are.

    Attributes
    ----------
    found
        Those that can be used.
    problems
        Those that cannot.
    unsettled
        Those that somebody is writing.
    untouched
        Those that shall have a job each, for one of them has brought a job about all of them to its end.
    taken
        What became of ``found``, once it is in the catalogue.
    """

    found: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)
    taken: list[ImportedFile] = field(default_factory=list)


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    files = job.arguments["files"]
    sizes = job.arguments.get("sizes") or [_size(path) for path in files]
    return Plan(
        {
            "files": files,
            "reference": job.arguments["reference"],
            "known": tracks.hashes(connection, ground.storage, sizes),
            "copied": copies(connection, ground.storage, files),
            "strict": _alone(job),
            "apart": job.attempt > 1 and len(files) > 1,
        },
        time_limit=FILE_SECONDS * len(files),
    )


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return -1  # the work says why


def _alone(job: JobRow) -> bool:
    """Whether it is about one file that somebody named, who is to hear if it cannot be used."""
    return job.arguments["folder"] is None and len(job.arguments["files"]) == 1


def work(
    *,
    files: Sequence[str],
    reference: bool,
    known: Mapping[str, str],
    copied: Mapping[str, Path],
    strict: bool,
    apart: bool,
    scratch: Path,
    progress: Progress,
) -> Intake:
    """Look at each file, and copy what the library is to keep.

    Parameters
    ----------
    files, reference
        See `import_requests`.
    known
        Content of which no copy is needed; see `sfa_kernel.pipeline.importing.examine`.
    copied
        The library's copies of what the files were.
    strict
        Whether a file that cannot be used is an error.
    apart
        Whether to leave each to a job of its own.
    """
    from sfa_kernel.progress import Steps

    if apart:
        return Intake(untouched=list(files))
    intake = Intake()
    steps = Steps(progress)
    for number, path in enumerate(files):
        steps.at(number / len(files))
        state = _state(path)
        if state is not None and 0 <= time.time() - state[1] / 1e9 < SETTLED:
            intake.unsettled.append(path)
            continue
        try:
            intake.found.append(examine(Path(path), scratch, reference=reference, known=known, copied=copied.get(path)))
        except InputError as error:
            if strict:
                raise
            if state is not None:  # else it has just gone
                intake.problems.append(Problem(path, *state, str(error)))
        except RetryableJobError:
            intake.unsettled.append(path)
    steps.at(1.0)
    return intake


def _state(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return status.st_size, status.st_mtime_ns


def _commit(connection: Connection, job: JobRow, result: Intake, files: FileChanges) -> str:
    restore = job.arguments["restore"]
    result.taken = take_all(connection, files.storage, files, result.found, restore=restore)
    note(connection, list(zip(result.found, result.taken, strict=True)))
    now = datetime.now(UTC)
    bad = [OriginRow(one.path, one.bytes, one.modified, None, one.reason, now) for one in result.problems]
    origins.put(connection, bad)
    new = sum(taken.new for taken in result.taken)
    refused = [[clean_text(Path(one.path).name, 120), one.reason] for one in result.problems]
    job_table.note(connection, job.id, {"new": new, "known": len(result.taken) - new, "refused": refused})
    return "\n".join([_summary(result), *(problem.reason for problem in result.problems)])


def _summary(result: Intake) -> str:
    if result.untouched:
        return "Each file gets a job of its own: an attempt at all of them came to a bad end."
    new = sum(taken.new for taken in result.taken)
    counts = {
        "new": new,
        "known already": len(result.taken) - new,
        "not usable": len(result.problems),
        "still being written": len(result.unsettled),
    }
    return f"Files: {', '.join(f'{count} {what}' for what, count in counts.items() if count) or 'none'}."


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Intake) -> None:
    arguments = job.arguments
    there = {row.id for row in tracks.get_many(connection, [taken.track.id for taken in result.taken])}
    chosen = [t.track.id for t in result.taken if t.track.id in there and (t.new or arguments["folder"] is None)]
    if arguments["stages"]:
        unique = list(dict.fromkeys(chosen))
        pipeline.enqueue(connection, ledger, unique, stages=arguments["stages"], batch_id=job.batch_id)
    again = arguments["again"] + 1
    ledger.enqueue_all(connection, _anew(job, result.untouched, one_by_one=True))
    pause = min(LONGEST_PAUSE, PAUSE * 2 ** arguments["again"])
    ledger.enqueue_all(connection, _anew(job, result.unsettled, again=again, delay=pause))
    if there:
        ids = [str(track_id) for track_id in there]
        ledger.catalog.after_commit(partial(ledger.bus.publish, "library", {"added": ids}))
    if result.problems:
        ledger.catalog.after_commit(partial(ledger.bus.publish, "sources", {"what": ["folders"]}))


def _anew(
    job: JobRow, files: Sequence[str], *, one_by_one: bool = False, again: int = 0, delay: float = 0.0
) -> list[JobRequest]:
    """Jobs about some of a job's files, as it was about them."""
    groups: Iterable[Sequence[str]] = ([file] for file in files) if one_by_one else [files]
    return [
        request
        for group in groups
        for request in import_requests(
            group,
            reference=job.arguments["reference"],
            stages=job.arguments["stages"],
            folder_id=job.arguments["folder"],
            restore=job.arguments["restore"],
            batch_id=job.batch_id,
            again=again,
            delay=delay,
        )
    ]


def _failed(connection: Connection, job: JobRow, reason: str, final: bool) -> None:
    """A file that brings its job to a bad end each time is not to be looked at by each scan."""
    files = job.arguments["files"]
    state = _state(files[0]) if final and len(files) == 1 else None
    if state is not None:
        origins.put(connection, [OriginRow(files[0], *state, None, reason, datetime.now(UTC))])


IMPORT = Kind(
    name="import", queue="import", prepare=_prepare, work=work, commit=_commit, failed=_failed, follow=_follow
)
