"""On a full disk work waits, and nothing is lost; with room it goes on by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.disks import run_on_small_disk
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = """
import logging, os, threading
from uuid import uuid4
from sfa_kernel.errors import BusyError, DiskFullError, SfaError
from sfa_kernel.jobs import Ground, JobRequest, Kind, Plan, Runner
from sfa_kernel.jobs import runner as runner_module
from sfa_kernel.studio import Studio
from tests.jobs import disk_work

runner_module.BUSY_SECONDS = 0.5
kept = {}

def commit(connection, job, path, files):
    kept[job.id] = files.keep(path, "analysis")
    connection.execute("INSERT INTO completions VALUES (?)", [job.id])

kind = Kind("make", "analysis", lambda connection, job, ground: Plan(dict(job.arguments)), disk_work.make, commit)
studio = Studio.open(home, run_jobs=False)
with studio.catalog.write() as connection:
    connection.execute("CREATE TABLE completions (job UUID)")
ledger = studio.ledger
runner = Runner(ledger, Ground(studio.storage, studio.settings), {"make": kind})

def queue(**arguments):
    with studio.catalog.write() as connection:
        return ledger.enqueue(connection, JobRequest("make", "analysis", None, arguments)).id

def told(job_id, condition):
    "Wait until an event says so of the job."
    seen = threading.Event()
    return seen, studio.bus.subscribe(f"jobs:{job_id}", lambda event: condition(event.data) and seen.set())

def completed(*ids):
    jobs = ledger.wait(ids, timeout=60)
    assert [job.status for job in jobs] == ["completed"] * len(ids), jobs
    return jobs

def check():
    "Every job that ended well is there once, with its file, and no other file is."
    with studio.catalog.read() as connection:
        rows = [row[0] for row in connection.execute("SELECT job FROM completions").fetchall()]
    assert sorted(rows) == sorted(kept), (rows, kept)
    assert {studio.storage.name(path) for path in studio.storage.path("analysis").iterdir()} == set(kept.values())
    assert list(studio.storage.path("scratch").iterdir()) == []
"""

WORK = """
runner.start()
before = queue(size=8192)
completed(before)

# Not enough room for what the work makes, but some: the job says why it waits.
fill()
os.truncate(home / "ballast", os.path.getsize(home / "ballast") - (2 << 20))
big = queue(size=8 << 20)
seen, _ = told(big, lambda data: data["status"] == "queued" and data["error"])
assert seen.wait(30)
job = ledger.get(big)
assert job.error.startswith("There is no room on the disk."), job.error
assert job.max_attempts - job.attempt == 3
assert studio.storage.path(kept[before]).stat().st_size == 8192
make_room()
(job,) = completed(big)
assert job.max_attempts - job.attempt == 2 and job.error is None, job

# No room at all when the work is done: its result waits, and the work is not done again.
gate = sys.argv[2] + "-gate"
late = queue(size=1 << 20, gate=gate)
seen, _ = told(late, lambda data: data["progress"] >= 50)
assert seen.wait(30)
waits = threading.Event()
class Handler(logging.Handler):
    def emit(self, record):
        if "have to wait" in record.getMessage():
            waits.set()
logging.getLogger("sfa_kernel.jobs.runner").addHandler(Handler())
fill()
Path(gate).touch()
assert waits.wait(30)
try:
    queue(size=4096, gate="x" * 10_000)  # more than is left of the last page of the log
    raise AssertionError("there was room")
except DiskFullError as error:
    assert str(error).startswith("The disk is full, so nothing was changed."), error
assert ledger.get(late).status == "processing"
assert ledger.get(big).status == "completed"
make_room()
(job,) = completed(late)
assert job.attempt == 1

runner.stop()
check()
studio.close()

# Whoever opens the library afterwards finds it whole.
studio.catalog.give_back()
check()
os.unlink(gate)
"""

IMPORT = """
song, other = sys.argv[2], sys.argv[3]
studio.add(song)
fill()
try:
    studio.add(other)
    raise AssertionError("there was room")
except SfaError as error:
    said = str(error)
    assert ("disk" in said or "space" in said) and "\\n" not in said, said
names = {studio.storage.name(path) for path in studio.storage.path("downloads").iterdir()}
assert names == {studio.storage.name(track.path) for track in studio.tracks}
assert list(studio.storage.path("scratch").iterdir()) == []
assert len(studio.tracks) == 1
make_room()
studio.add(other)
assert len(studio.tracks) == 2
studio.close()
"""


def test_jobs_wait_for_room_and_go_on_by_themselves(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    done = run_on_small_disk(BEGIN + WORK, home, str(tmp_path / "marker"), megabytes=16)
    assert done.returncode == 0, done.stderr


def test_a_song_that_does_not_fit_is_refused_in_one_sentence(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    songs = [str(write_song(tmp_path / f"{seed}.wav", seconds=2, seed=seed)) for seed in (1, 2)]
    done = run_on_small_disk(BEGIN + IMPORT, home, *songs, megabytes=16)
    assert done.returncode == 0, done.stderr
