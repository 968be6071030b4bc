"""Answers the job board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import playlists
from sfa_kernel.errors import ParameterError
from sfa_kernel.panels.library import Handler, identifiers
from sfa_kernel.panels.rows import job_rows, log_part, overview

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.catalog import Connection
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

__all__ = ["job_handlers"]

LONGEST_LIST = 5000
EVERY = 1_000_000_000
SHOWN_OF_BATCH = 50
# The parts of a board, each in the order in which a person reads it.
LISTS: dict[str, tuple[Sequence[str] | None, str]] = {
    "failed": (("failed",), "ended"),
    "running": (job_table.RUNNING, "newest"),
    "waiting": (("queued",), "next"),
    "history": (("completed", "cancelled"), "ended"),
    "all": (None, "newest"),
}


def job_handlers(studio: Studio, *, only: Run | None = None) -> dict[str, Handler]:
    """Handlers of a job board; of the jobs of one run ``only``, when named."""
    ledger = studio.ledger

    def listing(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        if only is not None:
            found = only.jobs
        else:
            statuses, order = _list(params.get("status", "all"))
            with studio.catalog.read() as connection:
                found = job_table.listing(
                    connection,
                    statuses=statuses,
                    queue=params.get("queue"),
                    order=order,
                    limit=max(0, min(LONGEST_LIST, int(params.get("limit", 100)))),
                    offset=max(0, int(params.get("offset", 0))),
                )
        return {"jobs": job_rows(studio, found), **overview(studio, only=only)}

    def show(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        job = ledger.get(identifiers(params)[0])
        needs = [{"id": str(need.id), "kind": need.kind, "status": need.status} for need in ledger.jobs(job.needs)]
        return {"job": job_rows(studio, [job])[0], "arguments": job.arguments, "needs": needs}

    def log(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return log_part(studio, identifiers(params)[0], max(0, int(params.get("offset", 0))))

    def cancel(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"cancelled": [str(job.id) for job in ledger.cancel(identifiers(params))]}

    def cancel_all(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"cancelled": [str(job.id) for job in ledger.cancel_all(params.get("queue"))]}

    def retry(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"queued": [str(job.id) for job in studio.jobs.retry(*identifiers(params))]}

    def retry_failed(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        failed = ledger.jobs(statuses=["failed"], queue=params.get("queue"), limit=EVERY)
        return {"queued": [str(job.id) for job in studio.jobs.retry(*(job.id for job in failed))]}

    def batch(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        batch_id = _batch(params)
        with studio.catalog.read() as connection:
            kinds = job_table.batch_kinds(connection, batch_id)
            parts = {
                name: job_table.listing(
                    connection, statuses=LISTS[name][0], batch_id=batch_id, order=LISTS[name][1], limit=SHOWN_OF_BATCH
                )
                for name in ("running", "waiting", "failed")
            }
            active = any(row["status"] in job_table.ACTIVE for row in kinds)
            brought = None if active else _brought(connection, batch_id)
        paused = any(row["batch_id"] == batch_id for row in ledger.paused())
        rows = {name: job_rows(studio, found) for name, found in parts.items()}
        return {"kinds": kinds, **rows, "paused": paused, "brought": brought}

    def cancel_batch(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        active = ledger.jobs(statuses=job_table.ACTIVE, batch_id=_batch(params), limit=EVERY)
        return {"cancelled": [str(job.id) for job in ledger.cancel([job.id for job in active])]}

    def pause(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        studio.jobs.pause(_batch(params))
        return {}

    def resume(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        studio.jobs.resume(_batch(params))
        return {}

    def prune(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"removed": ledger.prune(0.0)}

    return {
        "jobs.list": listing,
        "jobs.show": show,
        "jobs.log": log,
        "jobs.cancel": cancel,
        "jobs.cancel_all": cancel_all,
        "jobs.retry": retry,
        "jobs.retry_failed": retry_failed,
        "jobs.prune": prune,
        "batch.show": batch,
        "batch.cancel": cancel_batch,
        "batch.pause": pause,
        "batch.resume": resume,
    }


def _brought(connection: Connection, batch_id: UUID) -> dict[str, Any]:
    """What came of a batch, with the names of the playlists that are there."""
    brought = job_table.batch_brought(connection, batch_id)
    names = {str(row.id): row.name for row in playlists.listing(connection)} if brought["playlists"] else {}
    found = [{"id": key, "name": names[key]} for key in brought["playlists"] if key in names]
    return {**brought, "playlists": found}


def _batch(params: dict[str, Any]) -> UUID:
    return identifiers({"id": params.get("batch")})[0]


def _list(name: object) -> tuple[Sequence[str] | None, str]:
    if str(name) not in LISTS:
        raise ParameterError(f"A request of the page named no list of jobs: {name!r}.", hint="Reload the page.")
    return LISTS[str(name)]
