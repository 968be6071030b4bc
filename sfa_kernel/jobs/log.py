"""What a job says while it runs: one file of JSON lines a job, each line also an event for whoever watches.

A job's file has one writer at a time, the runner that holds it, or two for a moment when a dead runner's job
is taken over; every line is one ``O_APPEND`` write, so lines do not mix.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.events import Journal

__all__ = ["LINES", "JobLog", "log_path", "read_lines", "read_log"]

LINES = 2000  # what the work of one job may say; a program that talks in a loop must not fill the disk
LONGEST = 20_000  # characters of one line


def log_path(logs: Path, job_id: UUID | str) -> Path:
    """Where the log of a job is.

    Raises
    ------
    ValueError
        When the id is none: names come from outside, and must not leave the folder.
    """
    return logs / f"{UUID(str(job_id))}.jsonl"


class JobLog:
    """The writing side of one job's log.

    A line that cannot be written, because the disk is full, is lost; the job is not.

    Parameters
    ----------
    logs
        The library's folder of logs.
    journal
        Where each line is published, as ``log:<job id>``.
    job_id
        Whose log it is.
    limit
        Lines after which nothing more is taken, but a last line that says so. What the work says is limited;
        what the runner says is short and always kept.
    """

    def __init__(self, logs: Path, journal: Journal, job_id: UUID | str, *, limit: int | None = None) -> None:
        self._path = log_path(logs, job_id)
        self._journal = journal
        self._topic = f"log:{job_id}"
        self._limit = limit
        self._lines: int | None = None  # known once something is written: most jobs say nothing
        self._torn = False

    def write(self, level: str, text: str, attempt: int) -> None:
        """Add one line.

        Parameters
        ----------
        level
            ``debug``, ``info``, ``warning``, ``error`` or ``critical``; ``output`` for what was printed.
        text
            What is said; a traceback may have several lines.
        attempt
            Which attempt says so.
        """
        if self._limit is not None:
            if self._lines is None:
                self._lines = _count(self._path)
            if self._lines > self._limit:
                return
            if self._lines == self._limit:
                level, text = "warning", f"The log is full after {self._limit} lines; the rest is not kept."
            self._lines += 1
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]} ..."
        record = {"time": time.time(), "attempt": attempt, "level": level, "text": text}
        try:
            self._append(json.dumps(record).encode() + b"\n")
            self._journal.publish(self._topic, record)
        except OSError:
            pass

    def _append(self, line: bytes) -> None:
        if self._torn:  # end the half line first, else it would take this one with it
            line = b"\n" + line
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            self._torn = os.write(descriptor, line) < len(line)
        finally:
            os.close(descriptor)


def read_log(logs: Path, job_id: UUID | str, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Read a job's log, or what was added since the last call.

    Parameters
    ----------
    logs, job_id
        As for `JobLog`.
    offset
        Where to go on [bytes]: what the last call returned.

    Returns
    -------
    tuple
        Records (``time`` [s since the epoch], ``attempt``, ``level``, ``text``), and the next offset.

    Raises
    ------
    ValueError
        When the id is none.
    """
    lines, offset = read_lines(log_path(logs, job_id), offset)
    records = (_record(line) for line in lines)
    return [record for record in records if record is not None], offset


def read_lines(path: Path, offset: int = 0) -> tuple[list[Any], int]:
    """Read the whole lines of a file of JSON lines from an offset on, and say where to go on [bytes].

    Lines that a full disk or a crash has damaged are passed over.
    """
    try:
        with path.open("rb") as file:
            if offset > os.fstat(file.fileno()).st_size:
                offset = 0  # it was removed and begun anew
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], 0
    complete = data[: data.rfind(b"\n") + 1]
    values = []
    for line in complete.splitlines():
        with suppress(ValueError):
            values.append(json.loads(line))
    return values, offset + len(complete)


def _record(line: Any) -> dict[str, Any] | None:
    try:
        return {
            "time": float(line["time"]),
            "attempt": int(line["attempt"]),
            "level": str(line["level"]),
            "text": str(line["text"]),
        }
    except (ValueError, KeyError, TypeError):
        return None


def _count(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    except OSError:
        return 0
