"""What a person relies on when work crashes, hangs or is stopped: nothing else suffers, and one is told why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sfa_kernel.errors import AudioError, DiskFullError, InternalError, RetryableJobError, SetupError
from sfa_kernel.jobs.slot import LocalBackend, LocalSlot, backend
from sfa_kernel.settings import load_settings
from sfa_kernel.studio import Studio
from tests.jobs import work_slot as work
from tests.jobs.bench_slot import TIMEOUT, Desk, gone

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.bus.close()


@pytest.fixture
def slot() -> Iterator[LocalSlot]:
    slot = LocalSlot()
    yield slot
    slot.kill()
    ours = psutil.Process().children(recursive=True)
    assert not [p for p in ours if "LokyProcess" in " ".join(p.cmdline())], "a process was left behind"


def test_work_runs_in_one_process_that_is_kept(desk: Desk, slot: LocalSlot) -> None:
    first = desk.run(slot, work.who)
    assert first != os.getpid()
    assert desk.run(slot, work.who) == first
    assert desk.run(slot, work.add, a=1, b=2) == 3


def test_progress_is_whole_and_never_falls(desk: Desk, slot: LocalSlot) -> None:
    steps = [-5, 10.9, 10, 50, 20, 250]
    seen = desk.progress(lambda report: slot.run(work.steps, {"percents": steps}, report=report))
    assert seen == [10, 50, 100]


def test_all_the_work_says_is_in_its_log_in_order(desk: Desk, slot: LocalSlot) -> None:
    report = desk.report()
    slot.run(work.talk, {}, report=report)
    assert desk.log(report) == [
        ("output", "printed"),
        ("info", "logged\nover two lines"),
        ("output", "complained"),
        ("output", "said by a program"),
        ("output", "half a line"),
        ("warning", "warned"),
        ("output", "30 %"),
        ("output", "no end"),
    ]
    later = desk.report()
    slot.run(work.add, {"a": 1, "b": 2}, report=later)
    assert desk.log(later) == []


def test_a_talkative_job_does_not_fill_the_disk(desk: Desk, slot: LocalSlot) -> None:
    report = desk.report()
    slot.run(work.chatter, {"lines": 5000}, report=report)
    lines = desk.log(report)
    assert len(lines) == 2001
    assert lines[-1] == ("warning", "The log is full after 2000 lines; the rest is not kept.")


def test_the_last_words_of_a_process_are_kept(desk: Desk, slot: LocalSlot) -> None:
    report = desk.report()
    with pytest.raises(RetryableJobError):
        slot.run(work.last_words, {}, report=report)
    assert desk.log(report) == [("output", "last words")]


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("null pointer", "The process that did the work crashed (SIGSEGV)."),
        ("aborted", "The process that did the work crashed (SIGABRT)."),
        (
            "killed",
            "The process that did the work was ended by signal 9 (SIGKILL); the system may have been short of memory.",
        ),
        ("terminated", "The process that did the work was ended by signal 15 (SIGTERM)."),
        ("left", "The process that did the work ended with exit status 3."),
    ],
)
def test_one_is_told_how_a_process_died_and_the_slot_goes_on(
    desk: Desk, slot: LocalSlot, how: str, sentence: str
) -> None:
    with pytest.raises(RetryableJobError) as caught:
        desk.run(slot, work.die, how=how)
    assert str(caught.value) == sentence
    assert desk.run(slot, work.add, a=1, b=2) == 3


def test_a_crash_leaves_its_place_in_the_log(desk: Desk, slot: LocalSlot) -> None:
    report = desk.report()
    with pytest.raises(RetryableJobError):
        slot.run(work.die, {"how": "null pointer"}, report=report)
    text = "\n".join(line for _, line in desk.log(report))
    assert "Segmentation fault" in text
    assert "work_slot.py" in text


def test_a_process_killed_between_two_jobs_costs_no_attempt(desk: Desk, slot: LocalSlot) -> None:
    worker = desk.run(slot, work.who)
    os.kill(worker, signal.SIGKILL)
    with suppress(ChildProcessError):  # the pool may have noticed it first
        os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)
    assert desk.run(slot, work.add, a=1, b=2) == 3


def test_a_crash_spares_the_neighbour(desk: Desk, slot: LocalSlot) -> None:
    neighbour = LocalSlot()
    running = desk.begin(neighbour, work.hold_on)
    with pytest.raises(RetryableJobError, match="SIGSEGV"):
        desk.run(slot, work.die, how="null pointer")
    assert psutil.Process(running.pids[0]).is_running()
    assert not running.future.done()
    neighbour.kill()


def test_memory_that_is_not_there_ends_the_job_only(desk: Desk, slot: LocalSlot) -> None:
    with pytest.raises(RetryableJobError, match="needed more memory than there is"):
        desk.run(slot, work.devour)


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux has this")
def test_the_system_takes_the_worker_first_when_memory_runs_out(desk: Desk, slot: LocalSlot) -> None:
    worker = desk.run(slot, work.who)
    assert Path(f"/proc/{worker}/oom_score_adj").read_text().strip() == "1000"


def test_a_full_disk_is_named_whatever_the_work_made_of_it(desk: Desk, slot: LocalSlot) -> None:
    with pytest.raises(DiskFullError):
        desk.run(slot, work.fill_the_disk)


def test_errors_for_people_arrive_as_they_are(desk: Desk, slot: LocalSlot) -> None:
    with pytest.raises(AudioError) as caught:
        desk.run(slot, work.refuse)
    assert str(caught.value) == "This file holds no sound. Add another file."


def test_an_unexpected_error_arrives_as_a_sentence_and_its_traceback_is_in_the_log(desk: Desk, slot: LocalSlot) -> None:
    report = desk.report()
    with pytest.raises(RetryableJobError, match="Unexpected _Stubborn: stumbled"):
        slot.run(work.stumble, {}, report=report)
    ((level, text),) = desk.log(report)
    assert level == "error"
    assert "in stumble" in text


def test_a_result_that_cannot_be_passed_on_is_our_mistake(desk: Desk, slot: LocalSlot) -> None:
    with pytest.raises(InternalError, match="cannot pickle"):
        desk.run(slot, work.give_back_a_lock)
    assert desk.run(slot, work.add, a=1, b=2) == 3


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (work.hold_on, {}),
        (work.hold_on, {"deaf": True}),
        (work.hold_the_interpreter, {}),
        (work.start_programs, {"then": "hang"}),
    ],
    ids=["asleep", "ignores signals", "in C code", "with programs"],
)
def test_kill_ends_work_and_its_programs_within_a_second(
    desk: Desk, slot: LocalSlot, function: Any, arguments: dict[str, Any]
) -> None:
    running = desk.begin(slot, function, **arguments)
    began = time.monotonic()
    slot.kill()
    with pytest.raises(RetryableJobError, match="The work was stopped"):
        running.future.result(TIMEOUT)
    assert time.monotonic() - began < 1.0
    assert gone(running.pids)
    assert desk.run(slot, work.add, a=1, b=2) == 3


def test_kill_ends_a_process_that_is_about_to_start(desk: Desk, slot: LocalSlot) -> None:
    for _ in range(3):
        report = desk.report()
        slot.kill(report)  # before it was handed over
        with pytest.raises(RetryableJobError, match="The work was stopped"):
            slot.run(work.hold_on, {"marker": str(desk.folder / "never")}, report=report)
    assert not (desk.folder / "never").exists()


def test_kill_of_work_that_has_ended_spares_the_next(desk: Desk, slot: LocalSlot) -> None:
    ended = desk.report()
    slot.run(work.add, {"a": 1, "b": 2}, report=ended)
    running = desk.begin(slot, work.hold_on)
    slot.kill(ended)
    assert psutil.Process(running.pids[0]).is_running()
    slot.kill(running.report)
    with pytest.raises(RetryableJobError):
        running.future.result(TIMEOUT)


@pytest.mark.parametrize("then", ["die", "return"])
def test_programs_end_with_the_work_that_started_them(desk: Desk, slot: LocalSlot, then: str) -> None:
    marker = desk.folder / "pids"
    try:
        desk.run(slot, work.start_programs, marker=str(marker), then=then)
    except RetryableJobError:
        assert then == "die"
    worker, *programs = [int(pid) for pid in marker.read_text().split()]
    # A dead process cannot say what it had started; what has left its session then lives on.
    assert gone(programs if then == "return" else [worker, programs[0], programs[2]])
    for pid in programs:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)


PROGRAM = """
import os, sys, threading
from contextlib import suppress
from pathlib import Path
from tests.jobs import work_slot as work
from tests.jobs.bench_slot import Desk
from sfa_kernel.jobs.slot import LocalSlot

desk = Desk(Path(sys.argv[1]))
idle, busy = LocalSlot(), LocalSlot()
Path(sys.argv[1], "idle").write_text(str(desk.run(idle, work.who)))
if sys.argv[2] != "idle":
    Path(sys.argv[1], "busy").write_text(" ".join(map(str, desk.begin(busy, work.hold_the_interpreter).pids)))
if sys.argv[2].isdigit():
    os.kill(os.getpid(), int(sys.argv[2]))
"""


@pytest.mark.parametrize("end", ["idle", "busy", str(int(signal.SIGTERM)), str(int(signal.SIGKILL))])
def test_a_program_ends_at_once_in_silence_and_takes_its_workers_along(tmp_path: Path, end: str) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), end],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # loky's helper holds the pipe as well: it has done its work when we have read to the end.
    said, _ = program.communicate(timeout=TIMEOUT)
    assert (program.returncode, said) == (-int(end) if end.isdigit() else 0, "")
    pids = [int(pid) for name in ("idle", "busy") for pid in _read(tmp_path / name).split()]
    assert gone(pids)
    assert not list(Path("/dev/shm").glob(f"*loky-{program.pid}-*"))  # noqa: S108 - where semaphores are


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_the_settings_choose_the_back_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(backend(load_settings(), places=1), LocalBackend)
    monkeypatch.setenv("SFA_BACKEND", "abacus")
    with pytest.raises(SetupError, match="no back end 'abacus'"):
        backend(load_settings(), places=1)


STUDIO = """
import os, sys, threading
from contextlib import suppress
from pathlib import Path
from sfa_kernel.studio import Studio
from tests.sounds import write_song

folder = Path(sys.argv[1])
studio = Studio.open(folder / "library")
song = studio.add(write_song(folder / "song.wav", seconds=120))[0]
both = {"separate": threading.Event(), "analyze": threading.Event()}
studio.bus.subscribe("jobs:*", lambda event: event.data["progress"] > 0 and both[event.data["kind"]].set())
studio.run(song, stages="separate,analyze")
for kind in both.values():
    assert kind.wait(60)
"""


def test_a_program_that_forgets_its_studio_gives_its_jobs_back_unharmed(tmp_path: Path) -> None:
    program = [sys.executable, "-c", STUDIO, str(tmp_path)]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    assert (ended.stdout, ended.stderr) == ("", "")
    with Studio.open(tmp_path / "library", run_jobs=False) as studio:
        jobs = studio.ledger.jobs()
    given_back = [job for job in jobs if job.status != "completed"]
    assert given_back
    for job in given_back:  # being interrupted is no failure: all attempts are left
        assert (job.status, job.max_attempts - job.attempt) == ("queued", 3)
    assert not any((tmp_path / "library" / "scratch").iterdir())
