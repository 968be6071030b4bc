"""Pieces of work for the runner's tests; worker processes import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from sfa_kernel.errors import AudioError, RetryableJobError


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
