"""The processes of the crash test: workers that are killed, and somebody who keeps them busy.

    python -m tests.jobs.crash_work worker HOME MARKS [OPERATION]
    python -m tests.jobs.crash_work person HOME MARKS SEED

A worker with an OPERATION kills itself before its OPERATION-th step on the file system; so, over many rounds, every
gap between two steps is met. MARKS is a folder outside of the library where the processes note what they did.
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sys
import threading
import time
import wave
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.catalog import analyses
from sfa_kernel.catalog import jobs as table
from sfa_kernel.catalog.analyses import AnalysisRow
from sfa_kernel.errors import FatalJobError, RetryableJobError, TransitionError
from sfa_kernel.jobs import Ground, JobRequest, Kind, Plan, Runner
from sfa_kernel.jobs import runner as runner_module
from sfa_kernel.library import Library
from sfa_kernel.pipeline.importing import import_file
from sfa_kernel.settings import load_settings

if TYPE_CHECKING:
    from sfa_kernel.storage import FileChanges

LINES = 2000  # of each file the work makes
LIMITS = {"analysis": 3, "export": 2}
STEPS = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.scandir", "shutil.move", "shutil.rmtree"}


def note(marks: Path, name: str, *lines: object) -> None:
    """Append whole lines, whoever else appends."""
    descriptor = os.open(marks / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())
    os.close(descriptor)


# -- the kinds ---------------------------------------------------------------------------------------------------


def render(*, job: str, attempt: int, marks: Path, scratch: Path, progress: Any) -> list[Path]:
    """Make two files, slowly, and run into trouble now and then."""
    note(marks, "begun", f"{job} {attempt}")
    chance = random.Random(f"{job}-{attempt}")  # noqa: S311 - a dice
    with (marks / job).open("w") as alone:
        try:
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            note(marks, "overlaps", f"{job} {attempt}")
        paths = [scratch / "first.txt", scratch / "second.txt"]
        for number, path in enumerate(paths):
            with path.open("w") as file:
                for _ in range(2):
                    file.write(f"{job}\n" * (LINES // 2))
                    time.sleep(chance.uniform(0, 0.02))
            progress(50 * (number + 1))
        trouble = chance.random()
        if trouble < 0.03:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif trouble < 0.06:
            raise RetryableJobError("The service was busy.")
        elif trouble < 0.08:
            raise FatalJobError("This cannot be done.")
    return paths


def stumble(*, job: str, attempt: int, marks: Path, scratch: Path, progress: Any) -> None:
    """Leave half a file and fail, each time."""
    note(marks, "begun", f"{job} {attempt}")
    (scratch / "half.txt").write_text("half")
    raise RetryableJobError("The service was busy.")


def kinds(marks: Path) -> dict[str, Kind]:
    def prepare(connection: Any, job: table.JobRow, ground: Ground) -> Plan:
        return Plan({"job": str(job.id), "attempt": job.attempt, "marks": marks}, time_limit=20.0)

    def replace_analysis(connection: Any, job: table.JobRow, paths: list[Path], files: FileChanges) -> None:
        _count(connection, job)
        file, waveform = (files.keep(path, "analysis") for path in paths)
        now = datetime.now(UTC)
        row = AnalysisRow(job.subject, 1, 0, 0, "", 0, "", 0, 0, 0, 0, file=file, waveform=waveform, created_at=now)
        before = analyses.put(connection, row)
        if before is not None:
            files.drop([before.file, before.waveform])

    def count(connection: Any, job: table.JobRow, paths: list[Path], files: FileChanges) -> None:
        _count(connection, job)

    def fail(connection: Any, job: table.JobRow, reason: str, final: bool) -> None:
        connection.execute("INSERT INTO failures VALUES (?, ?, ?)", [job.id, job.attempt, final])

    return {
        "render": Kind("render", "analysis", prepare, render, replace_analysis, failed=fail),
        "count": Kind("count", "export", prepare, render, count, failed=fail),
        "stumble": Kind("stumble", "analysis", prepare, stumble, count, failed=fail),
    }


def _count(connection: Any, job: table.JobRow) -> None:
    connection.execute("INSERT INTO completions VALUES (?, ?)", [job.id, job.attempt])


# -- the processes -----------------------------------------------------------------------------------------------


def open_library(home: Path) -> Library:
    library = Library(replace(load_settings(home=home), busy_timeout=60.0))
    library.ledger.limits = LIMITS
    with library.catalog.write() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS completions (job UUID, attempt INTEGER)")
        connection.execute("CREATE TABLE IF NOT EXISTS failures (job UUID, attempt INTEGER, final BOOLEAN)")
    return library


def be_a_worker(home: Path, marks: Path, operation: int) -> None:
    """Run jobs until standard input closes."""
    # What takes seconds for people's sake takes tenths here.
    for name, seconds in {"TICK_SECONDS": 0.05, "BEAT_SECONDS": 0.2, "LOOK_SECONDS": 0.4}.items():
        setattr(runner_module, name, seconds)
    runner_module.back_off = lambda attempt: 0.1
    library = open_library(home)
    runner = Runner(library.ledger, Ground(library.storage, library.settings), kinds(marks))
    if operation:
        _die_at(operation)
    runner.start()
    print("ready", flush=True)
    sys.stdin.read()
    runner.stop()
    library.bus.close()


def _die_at(operation: int) -> None:
    left = operation
    counting = threading.Lock()

    def hook(event: str, arguments: Any) -> None:
        nonlocal left
        if event in STEPS:
            with counting:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def be_a_person(home: Path, marks: Path, seed: int) -> None:
    """Add songs, and queue, cancel and retry jobs, until killed."""
    chance = random.Random(seed)  # noqa: S311 - a dice
    library = open_library(home)
    ledger = library.ledger
    print("ready", flush=True)
    while True:
        deed = chance.random()
        active = ledger.jobs(active=True)
        with library.catalog.read() as connection:
            tracks = [row[0] for row in connection.execute("SELECT id FROM tracks").fetchall()]
        if not tracks or (deed < 0.1 and len(tracks) < 20):
            import_file(library.catalog, library.storage, _song(marks, chance))
        elif deed < 0.2 and active:
            chosen = [job.id for job in chance.sample(active, min(3, len(active)))]
            note(marks, "cancelled", *(job.id for job in ledger.cancel(chosen)))
        elif deed < 0.3:
            _retry(library, marks)
        elif len(active) < 30:
            _queue(library, marks, chance.choice(tracks), hopeless=deed > 0.95)
        time.sleep(chance.uniform(0, 0.05))


def _song(marks: Path, chance: random.Random) -> Path:
    path = marks / "song.wav"
    with wave.open(str(path), "wb") as song:
        song.setparams((1, 2, 8000, 0, "NONE", ""))
        song.writeframes(chance.randbytes(16000))
    return path


def _retry(library: Library, marks: Path) -> None:
    ended = library.ledger.jobs(statuses=["failed", "cancelled"], limit=3)
    note(marks, "retried", *(job.id for job in ended))  # before, so that none is missing
    try:
        changed = library.ledger.retry([job.id for job in ended])
    except TransitionError:
        return
    note(marks, "retried", *(job.id for job in changed))


def _queue(library: Library, marks: Path, track: UUID, *, hopeless: bool) -> None:
    ledger = library.ledger
    with library.catalog.write() as connection:
        if hopeless:
            jobs = [ledger.enqueue(connection, JobRequest("stumble", "analysis", None, {}, max_attempts=2))]
        else:
            key = f"render:{track}"
            first = JobRequest("render", "analysis", track, {}, unique_key=key, max_attempts=50, batch_id=uuid4())
            jobs = [ledger.enqueue(connection, first)]
            after = JobRequest("count", "export", track, {}, needs=[jobs[0].id], max_attempts=50)
            jobs.append(ledger.enqueue(connection, after))
    note(marks, "queued", *(job.id for job in jobs))


if __name__ == "__main__":
    role, home, marks = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    {"worker": be_a_worker, "person": be_a_person}[role](home, marks, int(sys.argv[4]))
