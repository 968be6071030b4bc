"""What a kind of job is: the three steps around one piece of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.storage import FileChanges, Storage

__all__ = ["Kind", "Plan", "Work"]

# Work runs in a process of its own: a module-level function of keyword arguments (paths, numbers, text),
# `progress`, and `scratch`, the folder for the files it makes. It returns what the commit step needs.
Work = Callable[..., Any]


@dataclass(frozen=True)
class Plan:
    """What to do for one job: keyword arguments for the work, or nothing because it is done already."""

    arguments: dict[str, Any] | None


@dataclass(frozen=True)
class Kind:
    """One kind of job.

    Attributes
    ----------
    name, queue
        What it is, and whose limit it counts towards.
    prepare
        ``prepare(connection, job, storage) -> Plan``: reads what the work needs, in a read transaction.
    work
        The work itself; it never sees the catalogue.
    commit
        ``commit(connection, job, result, files)``: keeps the files the work made and writes the rows, in the
        transaction that completes the job.
    """

    name: str
    queue: str
    prepare: Callable[[Connection, JobRow, Storage], Plan]
    work: Work
    commit: Callable[[Connection, JobRow, Any, FileChanges], None]
