"""The board that all processes of a library share: one poller, one pace, nothing paid twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sfa_kernel.errors import Cancelled, RateLimitedError, ServiceError, SetupError
from sfa_kernel.separation.lalal import board as module
from sfa_kernel.separation.lalal.board import DAY, Board, Ordered
from sfa_kernel.separation.lalal.client import Upload
from tests.separation.lalal.server import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sfa_kernel.separation.lalal.client import Client
    from tests.separation.lalal.server import Service

DONE = {"status": "success"}


class Asked:
    """What a poller asks; tasks are done when they were asked for so often."""

    def __init__(self, folder: Path, times: int = 1) -> None:
        self.calls: list[list[str]] = []
        self.next: list[float] = []  # when the board says that the next call may be, at each call
        self.counts: Counter[str] = Counter()
        self._turn = folder / "turn.json"
        self._times = times

    def __call__(self, tasks: Sequence[str]) -> dict[str, Any]:
        self.calls.append(list(tasks))
        self.next.append(json.loads(self._turn.read_text())["next"])
        self.counts.update(tasks)
        return {
            task: DONE if self.counts[task] >= self._times else {"status": "progress", "progress": 40} for task in tasks
        }


def numbers(count: int) -> dict[str, float]:
    return {str(uuid4()): time.time() for _ in range(count)}


def nothing(_: object) -> None:
    pass


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path / "board", interval=0.02)


def ordered(task: str = "", **more: Any) -> Ordered:
    return Ordered(
        **{"key": str(uuid4()), "at": time.time(), "source": str(uuid4()), "minutes": 2.0, "task": task} | more
    )


def test_250_tasks_are_asked_for_in_two_calls(board: Board) -> None:
    asked, tasks = Asked(board.folder), numbers(250)
    assert board.wait(tasks, asked, nothing) == dict.fromkeys(tasks, DONE)
    assert [len(call) for call in asked.calls] == [200, 50]


def test_calls_keep_their_distance(board: Board) -> None:
    asked = Asked(board.folder, 4)
    board.wait(numbers(250), asked, nothing)
    assert len(asked.calls) == 8
    # Each round has two calls, so the next waits for twice the interval: 12 a minute are 12, whoever makes them.
    assert all(later - earlier >= 0.04 for earlier, later in pairwise(asked.next[::2]))


def test_boards_of_one_folder_ask_for_each_other(tmp_path: Path) -> None:
    asked = Asked(tmp_path, 3)
    waits = [(Board(tmp_path, interval=0.1), numbers(1)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda wait: wait[0].wait(wait[1], asked, nothing), waits))
    assert all(answer == DONE for answers in found for answer in answers.values())
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(asked.next))
    assert len(asked.calls) < sum(asked.counts.values())


def test_progress_is_told_and_a_stop_is_heard(board: Board) -> None:
    (task,) = tasks = numbers(1)

    def stop(answers: Any) -> None:
        if answers.get(task, {}).get("progress") == 40:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        board.wait(tasks, Asked(board.folder, 99), stop)
    assert not Board(board.folder).wanted(task)


def test_who_asks_too_often_waits_longer_each_time(board: Board) -> None:
    moments: list[float] = []

    def busy(tasks: Sequence[str]) -> dict[str, Any]:
        moments.append(time.monotonic())
        if len(moments) < 5:
            raise RateLimitedError("too often")
        return dict.fromkeys(tasks, DONE)

    board.wait(numbers(1), busy, nothing)
    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert all(pause >= 0.02 * factor for pause, factor in zip(pauses, (2, 4, 8, 8), strict=True))


def test_trouble_is_borne_for_a_while(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Sequence[str]] = []

    def troubled(tasks: Sequence[str]) -> dict[str, Any]:
        calls.append(tasks)
        if len(calls) < 3 or calls == []:
            raise ServiceError("down")
        return dict.fromkeys(tasks, DONE)

    board.wait(numbers(1), troubled, nothing)
    assert len(calls) == 3
    monkeypatch.setattr(module, "_PATIENCE", 0.05)

    def down(_: Sequence[str]) -> dict[str, Any]:
        raise ServiceError("down")

    with pytest.raises(ServiceError, match="down"):
        board.wait(numbers(1), down, nothing)


def test_a_refused_key_is_an_error_at_once(board: Board) -> None:
    def refused(_: Sequence[str]) -> dict[str, Any]:
        raise SetupError("no")

    with pytest.raises(SetupError):
        board.wait(numbers(1), refused, nothing)


def test_damaged_files_count_as_missing(board: Board) -> None:
    (task,) = tasks = numbers(1)
    name, content = "a" * 64, "b" * 64
    board.put_ordered(name, ordered(task))
    board.put_source(content, Upload(str(uuid4()), time.time() + DAY))
    (board.folder / "turn.json").write_text('{"next": ')
    (board.folder / "answers" / f"{task}.json").write_bytes(b"\xff{")
    (board.folder / "waiting" / "nonsense").write_text("x")
    for path in (board.folder / "orders" / f"{name}.json", board.folder / "sources" / f"{content}.json"):
        path.write_text(path.read_text()[:-9])
    assert board.ordered(name) is None
    assert board.source(content) is None
    assert board.wait(tasks, Asked(board.folder), nothing) == {task: DONE}


def test_what_the_service_forgets_is_forgotten(board: Board) -> None:
    name, content = "a" * 64, "b" * 64
    board.put_ordered(name, ordered(str(uuid4()), at=time.time() - DAY))
    board.put_source(content, Upload(str(uuid4()), time.time() + 60))
    assert board.ordered(name) is None
    assert board.source(content) is None
    with pytest.raises(ServiceError, match="a day"):
        board.wait({str(uuid4()): time.time() - DAY - 1}, Asked(board.folder, 99), nothing)


def test_what_is_too_old_or_left_behind_is_not_asked_for(board: Board) -> None:
    (task,) = tasks = numbers(1)
    left = board.folder / "waiting" / f"{uuid4()}.of-one-that-died"
    left.write_text(repr(time.time()))
    os.utime(left, (0, time.time() - 90))
    (board.folder / "waiting" / f"{uuid4()}.of-one-that-is-late").write_text(repr(time.time() - DAY))
    asked = Asked(board.folder)
    board.wait(tasks, asked, nothing)
    assert list(asked.counts) == [task]


def test_a_clock_that_was_set_back_stops_nothing(board: Board) -> None:
    (board.folder / "turn.json").write_text('{"next": 99999999999}')
    board.wait(numbers(1), Asked(board.folder), nothing)


def test_orders_of_an_owner_are_found_until_they_are_delivered(board: Board) -> None:
    mine, other = ordered(str(uuid4()), owner="job 1"), ordered(str(uuid4()), owner="job 2")
    board.put_ordered("1" * 64, mine)
    board.put_ordered("2" * 64, other)
    assert board.of("job 1") == {"1" * 64: mine}
    board.delivered("1" * 64)
    assert board.of("job 1") == {}


def test_all_boards_together_keep_to_the_services_limit(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    began = time.monotonic()
    service.clock = lambda: (time.monotonic() - began) * 250  # 0.02 s are its 5 s, 0.24 s its minute
    service.steps = (0,) * 50 + (100,)
    source = client.upload(song).id
    tasks = [client.submit("stem_separator", source, {"stem": stem}) for stem in ("vocals", "drum", "bass", "piano")]
    refused: list[RateLimitedError] = []

    def check(ids: Sequence[str]) -> dict[str, Any]:
        try:
            return client.check(ids)
        except RateLimitedError as error:
            refused.append(error)
            raise

    with ThreadPoolExecutor(4) as pool:
        boards = [Board(tmp_path, interval=0.02) for _ in tasks]
        waits = [pool.submit(b.wait, {t: time.time()}, check, nothing) for b, t in zip(boards, tasks, strict=True)]
        assert all(answer["status"] == "success" for wait in waits for answer in wait.result(60).values())
    assert not refused
    assert len(service.checks) >= 51


def test_addresses_of_results_do_not_stay_on_the_board(board: Board) -> None:
    tasks, link = numbers(3), "https://d.lalal.ai/secret"
    board.wait(tasks, lambda ids: {task: {**DONE, "result": {"tracks": [{"url": link}]}} for task in ids}, nothing)
    assert board.folder.stat().st_mode & 0o077 == 0
    assert not [path for path in board.folder.rglob("*") if path.is_file() and link in path.read_text()]


@contextmanager
def waiting(folder: Path, url: str, *tasks: str) -> Iterator[subprocess.Popen[str]]:
    """A process that waits for tasks, once it has heard of one."""
    command = [sys.executable, "-m", "tests.separation.lalal.waiter", str(folder), url, KEY, "0.3", *tasks]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "heard\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_when_the_poller_is_killed_another_takes_over(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    service.steps = (0,) * 100_000
    source = client.upload(song).id
    first, second, third = (
        client.submit("stem_separator", source, {"stem": stem}) for stem in ("vocals", "drum", "bass")
    )
    with waiting(tmp_path, service.url, first) as poller, waiting(tmp_path, service.url, second) as left:
        poller.kill()
        with waiting(tmp_path, service.url, third) as late:
            service.steps = (100,)
            assert left.communicate(timeout=60)[0] == "success\n"
            assert late.communicate(timeout=60)[0] == "success\n"
    assert sum(len(tasks) for _, tasks in service.checks) > len(service.checks)  # one asks for the others, too
