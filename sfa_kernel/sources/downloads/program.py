"""Programs of others: started with a list of arguments, heard line by line, ended with all that they started."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from uuid import uuid4

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import RetryableJobError, SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = ["Ended", "run_program"]

LOOK_SECONDS = 0.5  # how often to see whether it lives when it says nothing
LONGEST = 1 << 20  # bytes of a line before it counts as one
MOST = 16 << 20  # bytes that it may say: who listens, and the log, take all of it
KEPT = 400  # lines of what it said last
ROUNDS = 5
MARK = "SOUND_FORGE_PROGRAM"  # in the environment of a program, and so of all that it starts
SHOWN = 200  # characters of a line that may stand in a message


@dataclass(frozen=True)
class Ended:
    """How a program ended.

    Attributes
    ----------
    code
        Its exit status; below zero the signal that ended it.
    output, errors
        The last lines that it wrote on its standard output and on its standard error.
    """

    code: int
    output: list[str]
    errors: list[str]

    @property
    def last(self) -> str:
        """The last thing it complained of, or said, fit for a message; empty when it was silent."""
        for line in reversed(self.lines):
            if shown := clean_text(line, SHOWN):
                return shown
        return ""

    @property
    def lines(self) -> list[str]:
        """All lines, those of standard error last."""
        return self.output + self.errors


def run_program(
    arguments: Sequence[str],
    *,
    folder: Path | None = None,
    hear: Callable[[str], None] | None = None,
    silence: float,
    name: str = "",
) -> Ended:
    """Run a program to its end.

    Parameters
    ----------
    arguments
        The program and its arguments. Other users of this computer can see them: nothing secret.
    folder
        Where it runs, and leaves what it makes.
    hear
        Told each line as it comes, from both streams. What it raises ends the program.
    silence
        How long it may say nothing before it counts as stuck [s].
    name
        What people call it; the name of its file when that says it.

    Raises
    ------
    SetupError
        When it cannot be started.
    RetryableJobError
        When it was stuck, or talked without end.
    """
    name = name or os.path.basename(arguments[0])
    mark = uuid4().hex
    try:
        # In this process' own session and group: what ends us, by a signal to the group, ends it too.
        child = subprocess.Popen(  # noqa: S603 - a list of arguments; what is from outside cannot be an option
            list(arguments),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(mark),
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SetupError(f"{name} cannot be started: {reason}.", hint="See: sfa tools") from error
    try:
        return _listen(child, hear or (lambda line: None), name, silence)
    finally:
        child.kill()
        child.wait()
        _end_marked(mark)
        for stream in (child.stdout, child.stderr):
            if stream is not None:
                stream.close()


def _environment(mark: str) -> dict[str, str]:
    """Ours, without what is for us alone: settings and keys of services."""
    own = {name: value for name, value in os.environ.items() if not name.upper().startswith("SFA_")}
    return {**own, MARK: mark, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "NO_COLOR": "1", "COLUMNS": "400"}


def _end_marked(mark: str) -> None:
    """End what a program has started, also what nobody knows to be its child since it died."""
    import psutil

    for _ in range(ROUNDS):  # one of them may just be starting another
        left = False
        for pid in psutil.pids():
            with suppress(ProcessLookupError, PermissionError, psutil.Error):
                if os.getsid(pid) != os.getsid(0) or pid == os.getpid():
                    continue
                process = psutil.Process(pid)
                if process.environ().get(MARK) == mark:
                    process.kill()
                    left = True
        if not left:
            return


def _listen(child: subprocess.Popen[bytes], hear: Callable[[str], None], name: str, silence: float) -> Ended:
    assert child.stdout is not None  # noqa: S101 - it is a pipe
    assert child.stderr is not None  # noqa: S101 - it is a pipe
    out, errors = _Lines(child.stdout), _Lines(child.stderr)
    heard_at = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for lines in (out, errors):
            selector.register(lines.stream, selectors.EVENT_READ, lines)
        while selector.get_map():
            ready = selector.select(LOOK_SECONDS)
            for key, _ in ready:
                heard_at = time.monotonic()
                if not key.data.read(hear):
                    selector.unregister(key.fileobj)
            if out.bytes + errors.bytes > MOST:
                raise RetryableJobError(f"{name} talked without end, and was stopped.")
            if not ready and child.poll() is not None:
                break  # what it left behind holds the pipes open
            if time.monotonic() - heard_at > silence:
                raise RetryableJobError(f"{name} was stuck: it said nothing for {silence:.0f} s, and was stopped.")
    _wait(child, silence, name)
    return Ended(child.returncode, out.end(hear), errors.end(hear))


def _wait(child: subprocess.Popen[bytes], silence: float, name: str) -> None:
    """It has closed its streams, and may yet be at work."""
    try:
        child.wait(silence)
    except subprocess.TimeoutExpired:
        raise RetryableJobError(f"{name} was stuck: it did not end within {silence:.0f} s.") from None


class _Lines:
    """Cuts what comes into lines; what draws over itself (a carriage return) is a line each time."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.bytes = 0
        self._rest = b""
        self._lines: list[str] = []

    def read(self, hear: Callable[[str], None]) -> bool:
        """Take what has come; False at the end."""
        data = os.read(self.stream.fileno(), 1 << 16)
        self.bytes += len(data)
        self._feed(data, hear)
        return bool(data)

    def end(self, hear: Callable[[str], None]) -> list[str]:
        """The lines, the last also without an end."""
        self._feed(b"\n", hear)
        return self._lines

    def _feed(self, data: bytes, hear: Callable[[str], None]) -> None:
        *whole, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        if len(self._rest) > LONGEST:
            whole.append(self._rest)
            self._rest = b""
        for line in whole:
            if text := line.decode("utf-8", "replace").rstrip():
                self._lines = [*self._lines[1 - KEPT :], text]
                hear(text)
