"""What a kind of job is: the three steps around one piece of work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs.ledger import Ledger
    from sfa_kernel.settings import Settings
    from sfa_kernel.storage import FileChanges, Storage

__all__ = ["Ground", "Kind", "Plan", "Work"]

# Work runs in a process of its own: a module-level function of keyword arguments (paths, numbers, text),
# `progress`, and `scratch`, the folder for the files it makes. It returns what the commit step needs.
Work = Callable[..., Any]


@dataclass(frozen=True)
class Ground:
    """What a job may know of its library besides the catalogue."""

    storage: Storage
    settings: Settings


@dataclass(frozen=True)
class Plan:
    """What to do for one job.

    Attributes
    ----------
    arguments
        Keyword arguments for the work; None when it is done already.
    time_limit
        How long the work may take before it is stopped [s]; None for as long as it wants.
    """

    arguments: dict[str, Any] | None
    time_limit: float | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of job.

    Attributes
    ----------
    name, queue
        What it is, and whose limit it counts towards.
    prepare
        ``prepare(connection, job, ground) -> Plan``: reads what the work needs, in a read transaction.
    work
        The work itself; it never sees the catalogue.
    commit
        ``commit(connection, job, result, files)``: keeps the files the work made and writes the rows, in the
        transaction that completes the job. May return a line for the job's log: what it did.
    begins
        The status in which it starts: ``processing``, or ``downloading``.
    max_attempts
        How often it is tried.
    failed
        ``failed(connection, job, reason, final)``: notes a failed attempt, in the transaction that ends it.
    follow
        ``follow(connection, ledger, job, result)``: queues what comes next, in the transaction that completes the
        job, after ``commit``. What it queues with the job's ``batch_id`` belongs to what was asked for together.
    """

    name: str
    queue: str
    prepare: Callable[[Connection, JobRow, Ground], Plan]
    work: Work
    commit: Callable[[Connection, JobRow, Any, FileChanges], str | None]
    begins: str = "processing"
    max_attempts: int = 3
    failed: Callable[[Connection, JobRow, str, bool], None] | None = None
    follow: Callable[[Connection, Ledger, JobRow, Any], None] | None = None
