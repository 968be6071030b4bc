"""Answers the job board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.panels.library import Handler, identifiers
from sfa_kernel.panels.rows import job_counts, job_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.studio import Studio

__all__ = ["job_handlers"]

LONGEST_LIST = 500
STATUSES = {"active": job_table.ACTIVE, "failed": ("failed",), "all": None}


def job_handlers(studio: Studio, *, only: Sequence[UUID] | None = None) -> dict[str, Handler]:
    """Handlers of a job board; of these jobs ``only``, when named."""

    def listing(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        if only is not None:
            found = studio.ledger.jobs(only)
            counts = {status: sum(job.status == status for job in found) for status in job_table.TRANSITIONS}
            return {"jobs": job_rows(studio, found), "counts": counts}
        limit = min(LONGEST_LIST, int(params.get("limit", 100)))
        with studio.catalog.read() as connection:
            found = job_table.listing(connection, statuses=STATUSES[params.get("status", "all")], limit=limit)
        return {"jobs": job_rows(studio, found), "counts": job_counts(studio)}

    def cancel(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"cancelled": [str(job.id) for job in studio.ledger.cancel(identifiers(params))]}

    def retry(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"queued": [str(job.id) for job in studio.jobs.retry(*identifiers(params))]}

    return {"jobs.list": listing, "jobs.cancel": cancel, "jobs.retry": retry}
