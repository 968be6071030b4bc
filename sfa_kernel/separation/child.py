"""A separation in a process of its own: it can be killed in the middle, crash, or run out of memory, and harms nobody.

The parent says what to do in one line of JSON; the child answers in lines of JSON: how far it is, and at the end
the result or the error. What its libraries print goes to standard error. When the parent is gone, the child ends.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel import errors
from sfa_kernel.errors import DiskFullError, InternalError, RetryableJobError, SfaError
from sfa_kernel.progress import Steps
from sfa_kernel.separation.engines import engine as find_engine
from sfa_kernel.separation.interface import Place
from sfa_kernel.separation.report import Report
from sfa_kernel.separation.request import Request, request
from sfa_kernel.separation.separate import Separation, work
from sfa_kernel.storage import disk_is_full

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["in_child", "main"]

_LOOK_SECONDS = 0.1  # how often to ask whether to stop


def in_child(source: Path, folder: Path, asked: Request, place: Place, kind: str, steps: Steps) -> Separation:
    """Do `sfa_kernel.separation.separate.work` in a process of its own.

    Raises
    ------
    RetryableJobError
        When the process died.
    SfaError
        Whatever the work raised.
    """
    order = {
        "source": str(source),
        "folder": str(folder),
        "request": asked.to_dict(),
        "place": {
            "scratch": str(place.scratch),
            "device": place.device,
            "weights": None if place.weights is None else str(place.weights),
        },
        "kind": kind,
    }
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**_environment(), **find_engine(asked.engine).environment()},
        text=True,
        encoding="utf-8",
    )
    assert child.stdin is not None  # noqa: S101 - it is a pipe
    assert child.stdout is not None  # noqa: S101 - it is a pipe
    try:
        with suppress(BrokenPipeError):  # it died at once: its exit status says how
            child.stdin.write(json.dumps(order) + "\n")
            child.stdin.flush()
        answer = _listen(child.stdout, steps)
    finally:
        child.kill()
        code = child.wait()
        for pipe in (child.stdin, child.stdout):
            with suppress(BrokenPipeError):
                pipe.close()
    if answer is None:
        raise _died(code)
    if "error" in answer:
        raise _raised(answer["error"])
    return _result(asked, answer["result"], folder)


def _environment() -> dict[str, str]:
    """Ours, but for what holds a job's own process to one thread: an engine by itself may use all cores."""
    return {name: value for name, value in os.environ.items() if (name, value) != ("OMP_NUM_THREADS", "1")}


def _listen(lines: Iterable[str], steps: Steps) -> dict[str, Any] | None:
    """Pass on how far it is; returns its last word, or None when it has none."""
    heard: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        with suppress(ValueError):  # closed: nobody listens any more
            for line in lines:
                heard.put(line)
        heard.put(None)

    threading.Thread(target=read, name="sfa-separation", daemon=True).start()
    share = 0.0
    while True:
        try:
            line = heard.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            steps.at(share)
            continue
        if line is None or not line.endswith("\n"):  # it died, perhaps while it spoke
            return None
        message: dict[str, Any] = json.loads(line)
        if "at" not in message:
            return message
        share = message["at"]
        steps.at(share)


def _died(code: int) -> SfaError:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit status {code}"
    memory = "; the system may have been short of memory" if code == -9 else ""
    return RetryableJobError(f"The process that separated the song {how}{memory}.")


def _raised(error: dict[str, str]) -> SfaError:
    kind = getattr(errors, error["kind"], InternalError)
    raised: SfaError = kind(error["message"], hint=error["hint"])
    return raised


def _result(asked: Request, found: dict[str, Any], folder: Path) -> Separation:
    with np.load(folder / "levels.npz", allow_pickle=False) as archive:
        levels = {name: archive[name] for name in archive.files}
    return Separation(
        request=asked,
        stems={name: folder / file for name, file in found.pop("stems").items()},
        report=Report.from_dict(found.pop("report")),
        seconds=0.0,
        levels=levels,
        **found,
    )


def main() -> None:
    """The child's side."""
    # Only we speak on standard output: whatever else writes there goes to standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, name="sfa-parent", daemon=True).start()

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    def say_error(error: SfaError) -> None:
        say({"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}})

    try:
        say({"result": _work(order, lambda percent: say({"at": percent / 100}))})
    except MemoryError:
        message = "The separation needed more memory than there is."
        say_error(RetryableJobError(message, hint="Close other programs, or run fewer jobs at once."))
    except Exception as error:
        # What led to an error stays in this process: so who waits for it learns here that it was the disk.
        if disk_is_full(error):
            say_error(DiskFullError("There is no room for the stems.", hint="Free some space."))
        elif isinstance(error, SfaError):
            say_error(error)
        else:
            raise


def _work(order: dict[str, Any], progress: Any) -> dict[str, Any]:
    place, folder = order["place"], Path(order["folder"])
    weights = place["weights"] and Path(place["weights"])
    done = work(
        Path(order["source"]),
        folder,
        request(**order["request"]),
        Place(Path(place["scratch"]), place["device"], weights),
        order["kind"],
        Steps(progress),
    )
    arrays: dict[str, Any] = dict(done.levels)
    np.savez(folder / "levels.npz", **arrays)
    return {
        "sample_rate": done.sample_rate,
        "channels": done.channels,
        "start": done.start,
        "frames": done.frames,
        "stems": {name: path.name for name, path in done.stems.items()},
        "report": done.report.to_dict(),
        "device": done.device,
        "minutes": done.minutes,
        "minutes_left": done.minutes_left,
    }


def _end_with_parent() -> None:
    sys.stdin.read()  # ends when the parent's end of the pipe closes
    os._exit(1)


if __name__ == "__main__":
    main()
