"""Workers are killed at random moments, and nothing is lost, done twice or left behind.

``SFA_CRASH_ROUNDS`` says how often a process is killed, ``SFA_CRASH_SEED`` repeats the choices of an earlier run.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psutil
import pytest

from sfa_kernel.catalog.files import referenced
from sfa_kernel.jobs import sweep as sweep_module
from sfa_kernel.library import Library
from sfa_kernel.settings import load_settings
from tests.jobs.crash_work import LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.catalog.jobs import JobRow

ROUNDS = int(os.environ.get("SFA_CRASH_ROUNDS", "12"))
SEED = int(os.environ.get("SFA_CRASH_SEED", random.randrange(1_000_000)))  # noqa: S311 - a dice
DRAIN_SECONDS = 60 + ROUNDS


class Town:
    """The processes on one library; all of them carry a mark by which they are found."""

    def __init__(self, folder: Path) -> None:
        self.home, self.marks = folder / "library", folder / "marks"
        self.marks.mkdir()
        self.chance = random.Random(SEED)  # noqa: S311 - a dice
        self.sign = f"SFA_CRASH_TEST={uuid4()}"
        self.workers: list[subprocess.Popen[str]] = []
        self.person: subprocess.Popen[str] | None = None

    def start(self, role: str, number: int, *, ready: bool = True) -> subprocess.Popen[str]:
        name, _, value = self.sign.partition("=")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.crash_work", role, self.home, self.marks, str(number)],
            env={**os.environ, name: value},
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if ready:
            assert process.stdout is not None
            process.stdout.readline()
        return process

    def round(self) -> None:
        """Let two workers and a person be at work, and kill one process."""
        while len(self.workers) < 2:
            self.workers.append(self.start("worker", 0))
        if self.person is None:
            self.person = self.start("person", self.chance.randrange(1_000_000))
        ways = [
            self.kill_a_worker,
            self.kill_at_an_operation,
            self.kill_a_child,
            self.kill_a_beginner,
            self.kill_the_person,
        ]
        self.chance.choices(ways, weights=[4, 4, 2, 1, 1])[0]()

    def kill_a_worker(self) -> None:
        """At any moment of its life."""
        victim = self.chance.choice(self.workers)
        self.wait_a_moment()
        self.kill(victim)

    def kill_at_an_operation(self) -> None:
        """Before one of its steps on the file system."""
        self.kill(self.workers[0])
        victim = self.start("worker", int(10 ** self.chance.uniform(0, 2.5)))
        self.workers.append(victim)
        with suppress(subprocess.TimeoutExpired):  # it may have less to do than that
            victim.wait(timeout=2.0)
        self.kill(victim)

    def kill_a_child(self) -> None:
        """The process that does the work, alone."""
        self.wait_a_moment()
        parent = psutil.Process(self.chance.choice(self.workers).pid)
        with suppress(psutil.NoSuchProcess):  # it is one of those whose work crashes
            children = [child for child in parent.children() if "LokyProcess" in " ".join(child.cmdline())]
            if children:
                self.chance.choice(children).kill()

    def kill_a_beginner(self) -> None:
        """While it starts."""
        victim = self.start("worker", 0, ready=False)
        time.sleep(self.chance.uniform(0.1, 0.6))
        self.kill(victim)

    def kill_the_person(self) -> None:
        """While it adds songs or queues jobs."""
        self.wait_a_moment()
        assert self.person is not None
        self.kill(self.person)
        self.person = None

    def wait_a_moment(self) -> None:
        time.sleep(10 ** self.chance.uniform(-5, -0.4))

    def kill(self, process: subprocess.Popen[str]) -> None:
        assert process.poll() in (None, -signal.SIGKILL), "it ended by itself"
        process.kill()
        self.close(process)

    def close(self, process: subprocess.Popen[str]) -> None:
        """Close its standard input, on which a worker ends, and wait for its end."""
        process.communicate(timeout=DRAIN_SECONDS)
        if process in self.workers:
            self.workers.remove(process)

    def survivors(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                name, _, value = self.sign.partition("=")
                if process.environ().get(name) == value and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def noted(self, name: str) -> list[str]:
        path = self.marks / name
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    for process in town.survivors():
        process.kill()


@pytest.mark.slow
@pytest.mark.timeout(120 + 10 * ROUNDS)
def test_killed_at_random_moments_every_job_ends_once_and_nothing_is_left(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    for _ in range(ROUNDS):
        town.round()
    took = time.monotonic() - began
    if town.person is not None:
        town.kill(town.person)
    for worker in list(town.workers):
        town.kill(worker)
    last = town.start("worker", 0)

    library = Library(load_settings(home=town.home))
    with library.catalog.read() as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM jobs").fetchall()]
    jobs = {job.id: job for job in library.ledger.wait(ids, timeout=DRAIN_SECONDS)}
    town.close(last)
    assert last.returncode == 0
    with capsys.disabled():
        statuses = Counter(job.status for job in jobs.values())
        print(f"\n{ROUNDS} kills in {took:.0f} s, then {time.monotonic() - began - took:.0f} s to drain; seed {SEED}")
        print(", ".join(f"{count} {status}" for status, count in sorted(statuses.items())))

    check_jobs(town, library, jobs)
    monkeypatch.setattr(sweep_module, "IMPORT_SECONDS", 0.0)  # nobody imports any more
    sweep_module.sweep(library.catalog, library.storage)
    check_files(library)
    deadline = time.monotonic() + 10
    while town.survivors() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [process.cmdline() for process in town.survivors()] == []


def check_jobs(town: Town, library: Library, jobs: dict[UUID, JobRow]) -> None:
    """Each job ended once, and each of its attempts was made once at most."""
    with library.catalog.read() as connection:
        completions = rows(connection, "SELECT job, attempt FROM completions")
        failures = rows(connection, "SELECT job, attempt FROM failures")
        final = rows(connection, "SELECT job, max(attempt) FROM failures WHERE final GROUP BY job")
    assert {job.status for job in jobs.values()} <= {"completed", "failed", "cancelled"}
    assert "completed" in {job.status for job in jobs.values()}
    done = {job.id: job.attempt for job in jobs.values() if job.status == "completed"}
    assert len(completions) == len(done)
    assert dict(completions) == done
    assert {job.id: job.attempt for job in jobs.values() if job.status == "failed"}.items() <= dict(final).items()
    assert twice(completions + failures) == []
    assert twice(town.noted("begun")) == []
    assert town.noted("overlaps") == []
    assert [job for job in jobs.values() if job.attempt > job.max_attempts] == []
    begun = Counter(line.split()[0] for line in town.noted("begun"))
    assert all(count <= jobs[UUID(job)].attempt for job, count in begun.items())
    # What was promised to those who asked holds, though their process or the worker died right after.
    assert {UUID(line) for line in town.noted("queued")} <= jobs.keys()
    stopped = set(town.noted("cancelled")) - set(town.noted("retried"))
    assert {jobs[UUID(line)].status for line in stopped} <= {"cancelled"}


def check_files(library: Library) -> None:
    """What is in the folders is what the catalogue refers to, and whole."""
    with library.catalog.read() as connection:
        wanted = referenced(connection)
    found = {
        library.storage.name(path)
        for folder in ("downloads", "stems", "analysis", "exports", "uploads", "scratch")
        for path in library.storage.path(folder).rglob("*")
    }
    assert found - wanted == set(), "orphans"
    assert wanted - found == set(), "missing"
    for name in wanted:
        if name.startswith("analysis/"):
            lines = library.storage.path(name).read_text().splitlines()
            assert len(lines) == LINES
            assert len(set(lines)) == 1


def rows(connection: Any, query: str) -> list[tuple[UUID, int]]:
    return [tuple(row) for row in connection.execute(query).fetchall()]


def twice(things: list[Any]) -> list[Any]:
    return [thing for thing, count in Counter(things).items() if count > 1]
