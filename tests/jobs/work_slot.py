"""Pieces of work for the tests of slots and back ends; worker processes import them by name."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sfa_kernel.errors import AudioError


def add(*, a: int, b: int, progress: Any, **_: Any) -> int:
    return a + b


def who(*, progress: Any, **_: Any) -> int:
    return os.getpid()


def steps(*, percents: list[float], progress: Any, **_: Any) -> None:
    for percent in percents:
        progress(percent)


def talk(*, progress: Any, **_: Any) -> None:
    """Speak in every way there is."""
    print("printed")
    logging.getLogger("work").info("logged\nover two lines")
    print("complained", file=sys.stderr)
    subprocess.run(["echo", "said by a program"], check=True)
    print("half a line", end="")
    logging.getLogger("work").warning("warned")
    print("10 %\r20 %\r30 %")
    print("no end", end="")


def chatter(*, lines: int, progress: Any, **_: Any) -> None:
    for number in range(lines):
        print(number)


def write_file(*, scratch: Path, progress: Any) -> Path:
    progress(50)
    assert not any(scratch.iterdir())
    (scratch / "made.txt").write_text("made")
    return scratch / "made.txt"


def last_words(*, progress: Any, **_: Any) -> None:
    print("last words")
    os.kill(os.getpid(), signal.SIGKILL)


def die(*, how: str, progress: Any, **_: Any) -> None:
    match how:
        case "null pointer":
            ctypes.string_at(0)
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "terminated":
            os.kill(os.getpid(), signal.SIGTERM)
        case "aborted":
            os.abort()
        case "left":
            os._exit(3)


def hold_on(*, marker: str, deaf: bool = False, progress: Any, **_: Any) -> None:
    """Hang for good; say who hangs."""
    if deaf:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    _announce(progress, marker, os.getpid())
    time.sleep(3600)


def hold_the_interpreter(*, marker: str, progress: Any, **_: Any) -> None:
    """Hang in C code without giving up the interpreter lock."""
    child = subprocess.Popen(["sleep", "3600"])
    _announce(progress, marker, os.getpid(), child.pid)
    ctypes.PyDLL(None).sleep(3600)


def start_programs(*, marker: str, then: str, progress: Any, **_: Any) -> None:
    """Start a program, one with a session of its own, and a fork that holds on to all our pipes."""
    programs = [subprocess.Popen(["sleep", "3600"]), subprocess.Popen(["sleep", "3600"], start_new_session=True)]
    fork = os.fork()
    if fork == 0:
        time.sleep(3600)
        os._exit(0)
    _announce(progress, marker, os.getpid(), *(program.pid for program in programs), fork)
    if then == "hang":
        time.sleep(3600)
    if then == "die":
        os.kill(os.getpid(), signal.SIGKILL)


def devour(*, progress: Any, **_: Any) -> None:
    """Use more memory than there is."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    bytearray(8 << 30)


def fill_the_disk(*, progress: Any, **_: Any) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError as error:
        raise AudioError("The file cannot be written.") from error


class _Stubborn(Exception):  # noqa: N818
    def __init__(self, first: str, second: Any) -> None:
        super().__init__(first)
        self.second = second


def stumble(*, progress: Any, **_: Any) -> None:
    """Raise what cannot be sent to another process."""
    raise _Stubborn("stumbled", lambda: None)


def give_back_a_lock(*, progress: Any, **_: Any) -> Any:
    return threading.Lock()


def refuse(*, progress: Any, **_: Any) -> None:
    raise AudioError("This file holds no sound.", hint="Add another file.")


def _announce(progress: Any, marker: str, *pids: int) -> None:
    """Say which processes run, then that they do."""
    Path(marker).write_text(" ".join(map(str, pids)))
    progress(10)
