"""Inside a worker process: how it settles in, and how it does one piece of work.

What the work prints, and what the programs it starts print, goes through a pipe to the process that asked for
the work. Nothing is lost when this process dies: its last words are in the pipe, and the other side logs them.
Log records travel on the same pipe, so that everything keeps its order.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sfa_kernel.errors import DiskFullError, RetryableJobError, SfaError
from sfa_kernel.events import Journal
from sfa_kernel.storage import disk_is_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from sfa_kernel.jobs.kinds import Work
    from sfa_kernel.jobs.slot import Report

__all__ = ["RECORD", "no_room", "perform", "settle"]

RECORD = b"\x1e"  # begins a log record among the printed lines; the sign for it in JSON text sequences (RFC 7464)
WATCH_SECONDS = 0.5
ROOM = 64 * 1024  # with fewer bytes free, an unexpected error is the disk's [bytes]


def settle(output: Connection, life: Connection) -> None:
    """Prepare a new process for work.

    Parameters
    ----------
    output
        Where everything printed goes.
    life
        A pipe whose other end only the parent has: it closes when the parent is gone.
    """
    # A session of our own: a Ctrl-C in the parent's terminal is for the parent, and whatever we start can be
    # ended with us, as one group.
    os.setsid()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # when memory runs out, take this process first
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    for descriptor in (1, 2):
        os.dup2(output.fileno(), descriptor)
    _end_with_parent(life)


def _end_with_parent(life: Connection) -> None:
    """See to it that this process and what it started end when the parent does.

    On Linux the kernel does it: when the pipe's other end closes, it sends SIGKILL to our group. That needs no
    thread of ours, so it also ends work that hangs in C code and never gives up the interpreter lock; and it
    takes programs the work has started along. (PR_SET_PDEATHSIG would not do: it fires when the parent's
    *thread* that started us ends, and spares our children.) Elsewhere a thread looks who our parent is.
    """
    try:
        import fcntl

        descriptor = life.fileno()
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    except (ImportError, AttributeError, OSError):
        threading.Thread(target=_watch, args=(os.getppid(),), name="sfa-parent", daemon=True).start()
    _held.append(life)
    if life.poll():  # it was gone before we could ask to hear of it
        os.killpg(0, signal.SIGKILL)


_held: list[Connection] = []  # the pipe must stay open for as long as the process lives


def _watch(parent: int) -> NoReturn:
    while True:
        _end_without(parent)
        time.sleep(WATCH_SECONDS)


def _end_without(parent: int) -> None:
    if os.getppid() != parent:
        os.killpg(0, signal.SIGKILL)


def perform(work: Work, arguments: dict[str, Any], parent: int, report: Report) -> Any:
    """Do one piece of work and return its result.

    Parameters
    ----------
    work, arguments
        The work and its keyword arguments, to which ``progress`` is added.
    parent
        Who waits for the result: the process id.
    report
        Where progress goes.

    Raises
    ------
    SfaError
        What the work raised, or what its error means to a person. Other errors do not leave this process: they
        may not survive the way. Their traceback is in the job's log.
    """
    with _records():
        try:
            return work(progress=_progress(parent, report), **arguments)
        except BaseException as error:
            raise _explained(error, arguments.get("scratch")) from None
        finally:
            _end_children()
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # whatever the work put there


def _progress(parent: int, report: Report) -> Callable[[float], None]:
    journal = _journal(report.events)
    last = 0

    def progress(percent: float) -> None:
        nonlocal last
        _end_without(parent)
        whole = min(100, int(percent))
        if whole > last:
            last = whole
            journal.publish(f"jobs:{report.job['id']}", {**report.job, "progress": whole})

    return progress


@cache
def _journal(folder: Path) -> Journal:
    return Journal(folder)


def _explained(error: BaseException, scratch: Path | None) -> SfaError:
    if _is_disk_full(error, scratch):
        _log_traceback(error)
        return no_room()
    if isinstance(error, SfaError):
        return error
    _log_traceback(error)
    if isinstance(error, MemoryError):
        return RetryableJobError(
            "The work needed more memory than there is.", hint="Close other programs, or run fewer jobs at once."
        )
    return RetryableJobError(f"Unexpected {type(error).__name__}: {error}")


def no_room() -> DiskFullError:
    """What a job says while the disk is full."""
    return DiskFullError("There is no room on the disk.", hint="Free some space; the job then goes on by itself.")


def _is_disk_full(error: BaseException, scratch: Path | None) -> bool:
    if disk_is_full(error):
        return True
    # Libraries that write files themselves have names of their own for it.
    if isinstance(error, SfaError) or scratch is None:
        return False
    with suppress(OSError):
        return shutil.disk_usage(scratch).free < ROOM
    return False


def _log_traceback(error: BaseException) -> None:
    frames = traceback.format_exception(type(error), error, error.__traceback__)
    _send("error", "".join(frames).rstrip())


def _end_children() -> None:
    """End the programs the work started and left behind."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return  # the usual case, and quickly known
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=1.0)


@contextmanager
def _records() -> Iterator[None]:
    """Send log records of the work to the job's log."""
    root = logging.getLogger()
    level = root.level
    handler = _Records()
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


class _Records(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            _send(record.levelname.lower(), self.format(record))
        except Exception:
            self.handleError(record)


def _send(level: str, text: str) -> None:
    os.write(2, RECORD + json.dumps([level, text]).encode() + b"\n")
