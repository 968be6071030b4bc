"""What a person relies on when jobs run on a Dask cluster: the same as here, and a lost machine loses no work."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from sfa_kernel.errors import AudioError, RetryableJobError, SetupError
from sfa_kernel.jobs import dask
from sfa_kernel.jobs.dask import DaskBackend
from sfa_kernel.jobs.slot import backend
from sfa_kernel.settings import load_settings
from sfa_kernel.studio import Studio
from tests.jobs import work_slot as work
from tests.jobs.bench_slot import TIMEOUT, Desk, gone
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.events import Event

ROOT = Path(__file__).parents[2]


class Cluster:
    """A scheduler and two workers, as programs of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(file))
        self.workers = [
            self._start("worker", "--scheduler-file", str(file), "--nthreads", "2", "--no-nanny") for _ in range(2)
        ]
        self.address = self._address(file)

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        module = f"distributed.cli.dask_{program}"
        command = [sys.executable, "-m", module, "--host", "127.0.0.1", "--no-dashboard", *options]
        with (self.folder / "cluster.log").open("ab") as log:
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def _address(self, file: Path) -> str:
        """Where the scheduler is, once both workers have come."""
        from distributed import Client

        with Client(scheduler_file=str(file), timeout=TIMEOUT, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=TIMEOUT)
        return str(json.loads(file.read_text())["address"])

    def stop(self) -> None:
        programs = [*self.workers, self.scheduler]
        family = [child.pid for p in programs for child in _family(p.pid)]
        for program in programs:
            program.kill()
            program.wait(TIMEOUT)
        assert gone(family), "a worker's process outlived it"


def _family(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.bus.close()


def test_songs_are_separated_and_analysed_once_though_a_worker_is_killed(
    cluster: Cluster, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_BACKEND", "dask")
    monkeypatch.setenv("SFA_DASK_ADDRESS", cluster.address)
    statuses: list[tuple[str, str]] = []
    at_work = threading.Event()

    def hear(event: Event) -> None:
        statuses.append((event.data["id"], event.data["status"]))
        if event.data["kind"] == "separate" and event.data["progress"] > 0:
            at_work.set()

    with Studio.open(home) as studio, studio.bus.subscribe("jobs:*", hear):
        songs = [studio.add(write_song(tmp_path / f"{bpm}.wav", seconds=20, bpm=bpm))[0] for bpm in (100, 120)]
        run = studio.run(songs)
        assert at_work.wait(TIMEOUT)
        victim = cluster.workers[0]
        children = [child.pid for child in _family(victim.pid)]
        assert children, "it was to be killed at work"
        victim.kill()
        assert all(job.status == "completed" for job in run.wait(timeout=4 * TIMEOUT).jobs), run
        assert gone(children)
        for song, bpm in zip(songs, (100, 120), strict=True):
            song = studio.track(song.id)
            assert song.analysis is not None
            assert song.analysis.tempo == pytest.approx(bpm, rel=0.02)
            assert song.stems
            assert all(stem.exists() for stem in song.stems.values())
        ids = {str(job.id) for job in run.jobs}
    completed = Counter(job for job, status in statuses if status == "completed")
    assert completed == dict.fromkeys(ids, 1)
    assert not any((home / "scratch").iterdir())


def test_work_on_the_cluster_is_like_work_here(cluster: Cluster, desk: Desk) -> None:
    back_end = DaskBackend(cluster.address, places=4)
    slot = back_end.slot()

    percents = [30, 20, 80, 100]
    seen = desk.progress(lambda report: slot.run(work.steps, desk.arguments(report, percents=percents), report=report))
    assert seen == [30, 80, 100]
    assert desk.run(slot, work.write_file).read_text() == "made"
    report = desk.report()
    slot.run(work.talk, desk.arguments(report), report=report)
    assert desk.log(report)[:4] == [
        ("output", "printed"),
        ("info", "logged\nover two lines"),
        ("output", "complained"),
        ("output", "said by a program"),
    ]
    with pytest.raises(AudioError, match=r"This file holds no sound\. Add another file\."):
        desk.run(slot, work.refuse)
    workers = [worker.pid for worker in cluster.workers]
    with pytest.raises(RetryableJobError, match="crashed"):
        desk.run(slot, work.die, how="null pointer")
    assert [worker.pid for worker in cluster.workers if worker.poll() is None] == workers

    # Four places: fill them all, then free one.
    slots = [back_end.slot() for _ in range(4)]
    running = [desk.begin(one, work.hold_on, deaf=True) for one in slots]
    began = time.monotonic()
    slots[0].kill()
    assert desk.run(slot, work.add, a=1, b=2) == 3
    with pytest.raises(RetryableJobError, match="The work was stopped"):
        running[0].future.result(TIMEOUT)
    assert gone(running[0].pids, timeout=1.0)
    assert time.monotonic() - began < 5.0
    # Whoever takes a job over removes its folder: that ends what still runs, with nobody left to say so.
    shutil.rmtree(desk.folder / "scratch" / running[1].report.job["id"])
    assert gone(running[1].pids)
    for one in slots:
        one.kill()
    back_end.close()
    assert gone([pid for one in running for pid in one.pids])


def test_a_lost_scheduler_ends_its_work_and_is_named(cluster: Cluster, desk: Desk) -> None:
    back_end = DaskBackend(cluster.address, places=4)
    slot = back_end.slot()
    running = desk.begin(slot, work.hold_on)
    cluster.scheduler.send_signal(signal.SIGKILL)
    with pytest.raises(RetryableJobError, match=rf"The Dask scheduler at {cluster.address} was lost\."):
        running.future.result(TIMEOUT)
    assert gone(running.pids)
    with pytest.raises(RetryableJobError, match="cannot be reached"):
        desk.run(slot, work.add, a=1, b=2)
    back_end.close()


def test_a_cluster_of_our_own_starts_with_the_first_job_and_ends_with_the_program(desk: Desk) -> None:
    before = {child.pid for child in _family(os.getpid())}
    back_end = DaskBackend("", places=2)
    slot = back_end.slot()
    assert desk.run(slot, work.add, a=1, b=2) == 3
    stopped = desk.report()
    slot.kill(stopped)
    with pytest.raises(RetryableJobError, match="The work was stopped"):
        slot.run(work.add, desk.arguments(stopped, a=1, b=2), report=stopped)
    back_end.close()
    left = [child for child in _family(os.getpid()) if child.pid not in before]
    assert all("resource_tracker" in " ".join(child.cmdline()) for child in left), left


def test_what_is_wrong_with_a_cluster_is_said_in_a_sentence(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match="'nonsense' is no address of a Dask scheduler"):
        desk.run(DaskBackend("nonsense", places=2).slot(), work.add, a=1, b=2)
    with pytest.raises(RetryableJobError, match=r"The Dask scheduler at tcp://127\.0\.0\.1:1 cannot be reached"):
        desk.run(DaskBackend("tcp://127.0.0.1:1", places=2).slot(), work.add, a=1, b=2)
    with pytest.raises(SetupError, match="does not see the library's folder"):
        dask._run(work.add, {"scratch": desk.folder / "elsewhere" / "scratch" / "job"}, {})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("SFA_BACKEND", "dask")
    with pytest.raises(SetupError, match=r"sound-forge-alchemy\[cluster\]"):
        backend(load_settings(), places=1)
