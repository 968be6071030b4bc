"""Pieces of work for the runner's tests; worker processes import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from sfa_kernel.errors import (
    AudioError,
    DiskFullError,
    FatalJobError,
    RateLimitedError,
    RetryableJobError,
    ServiceError,
)


def double(*, number: int, progress: Any, scratch: Path) -> int:
    for percent in (25, 50, 75):
        progress(percent)
    (scratch / "made.txt").write_text("made")
    return 2 * number


def make_file(*, progress: Any, scratch: Path) -> Path:
    path = scratch / "made.txt"
    path.write_text("made")
    return path


def refuse(*, progress: Any, scratch: Path) -> None:
    (scratch / "half.txt").write_text("half")
    raise AudioError("This file holds no sound.", hint="Add another file.")


def busy(*, progress: Any, scratch: Path) -> None:
    """Fail in a way that may pass, and does not."""
    raise RetryableJobError("The service was busy.")


def stumble(*, marker: str, progress: Any, scratch: Path) -> str:
    """Fail once in a way that may pass."""
    if Path(marker).exists():
        return "second attempt"
    Path(marker).touch()
    raise RetryableJobError("The service was busy.")


def crash(*, marker: str, progress: Any, scratch: Path) -> str:
    """Take the process down, once."""
    if Path(marker).exists():
        return "second attempt"
    Path(marker).touch()
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


def linger(*, marker: str, progress: Any, scratch: Path) -> None:
    """Work until stopped."""
    Path(marker).write_text(str(os.getpid()))
    while True:
        progress(10)
        time.sleep(0.02)


def on_call(*, marker: str, fail: str = "", progress: Any, scratch: Path) -> Path:
    """Work until somebody lays the marker down, then make a file."""
    progress(10)
    while not Path(marker).exists():
        time.sleep(0.01)
    if fail:
        raise FatalJobError(fail)
    return make_file(progress=progress, scratch=scratch)


def cling(*, marker: str, progress: Any, scratch: Path) -> None:
    """Ignore every signal that can be ignored, and start somebody who does so too."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if child:
        Path(marker).write_text(f"{os.getpid()} {child}")
        progress(10)
    while True:
        try:
            time.sleep(0.01)
        except BaseException:  # noqa: S112 - that is the point
            continue


def complain(*, marker: str, error: str, times: int, progress: Any, scratch: Path) -> str:
    """Raise one of our errors so many times, then be content."""
    with Path(marker).open("a") as said:
        said.write(".")
    if Path(marker).stat().st_size <= times:
        raise TROUBLE[error]
    return "content"


TROUBLE = {
    "disk": DiskFullError("There is no room on the disk."),
    "limited": RateLimitedError("The service asks for patience."),
    "told": RateLimitedError("The service asks for patience.", retry_after=500.0),
    "service": ServiceError("The service does not answer."),
    "fatal": FatalJobError("This will never work."),
    "unexpected": ValueError("what now"),
}
