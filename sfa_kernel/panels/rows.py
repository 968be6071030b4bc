"""Rows as widgets show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import pauses
from sfa_kernel.catalog import tracks as track_table
from sfa_kernel.catalog.jobs import RUNNING
from sfa_kernel.jobs.log import read_log

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

__all__ = ["job_rows", "log_part", "overview", "track_rows"]

LOG_LINES = 500  # of one answer: a page shows no more

# Attempt and progress that were published and may not have reached the catalogue yet, by job id.
Fresh = Mapping[str, tuple[int, int]]


def track_rows(studio: Studio, ids: Sequence[UUID], *, fresh: Fresh | None = None) -> list[dict[str, Any]]:
    """What a list shows of these tracks, in this order."""
    with studio.catalog.read() as connection:
        summaries = track_table.summaries(connection, ids)
    return [_track_row(summary, fresh or {}) for summary in summaries]


def _track_row(summary: Mapping[str, Any], fresh: Fresh) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": str(summary["id"]),
        **{name: summary[name] for name in ("title", "artist", "album", "duration", "bpm", "key", "camelot")},
        "energy": summary["energy"],
        "lufs": summary["lufs"],
        "stems": summary["stems"],
        "art": summary["cover"] is not None,
        "added_at": summary["added_at"].isoformat(),
        "progress": 0,
        "stage": None,
        "error": None,
    }
    jobs = sorted(summary["jobs"], key=lambda job: job["kind"] != "separate")  # the longest speaks for all
    working = next((job for job in jobs if job["status"] in RUNNING), None)
    failed = next((job for job in jobs if job["status"] == "failed"), None)
    if working is not None:
        _, reported = fresh.get(str(working["id"]), (0, 0))
        progress = max(working["progress"], reported)
        return {**row, "status": "working", "stage": working["kind"], "progress": progress}
    if any(job["status"] == "queued" for job in jobs):
        return {**row, "status": "queued"}
    if failed is not None:
        return {**row, "status": "failed", "stage": failed["kind"], "error": failed["error"]}
    return {**row, "status": "ready" if summary["analyzed"] or row["stems"] else "new"}


def job_rows(studio: Studio, jobs: Sequence[JobRow], *, fresh: Fresh | None = None) -> list[dict[str, Any]]:
    """What the job board shows of these jobs."""
    with studio.catalog.read() as connection:
        about = list({job.track_id for job in jobs if job.track_id is not None})
        titles = {track.id: track.title for track in track_table.get_many(connection, about)}
        paused = {row["batch_id"] for row in pauses.listing(connection)}
    return [_job_row(job, titles, paused, fresh or {}) for job in jobs]


def _job_row(job: JobRow, titles: Mapping[UUID, str], paused: Collection[UUID], fresh: Fresh) -> dict[str, Any]:
    attempt, reported = fresh.get(str(job.id), (0, 0))
    progress = max(job.progress, reported) if job.status in RUNNING and job.attempt == attempt else job.progress
    due = _seconds_until(job.scheduled_at)
    return {
        "id": str(job.id),
        "kind": job.kind,
        "queue": job.queue,
        "track_id": str(job.track_id) if job.track_id else None,
        "title": titles.get(job.track_id) if job.track_id else job.arguments.get("title"),
        "status": job.status,
        "progress": progress,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "priority": job.priority,
        "error": job.error,
        "service": job.service,
        "blockers": job.blockers,
        "holder": job.holder,
        "batch": str(job.batch_id) if job.batch_id else None,
        "paused": job.status == "queued" and job.batch_id in paused,
        "created_at": job.created_at.isoformat(),
        "scheduled_at": job.scheduled_at.isoformat(),
        "started_at": job.started_at.isoformat() if job.started_at else None,
        "ended_at": job.ended_at.isoformat() if job.ended_at else None,
        "due_s": due if job.status == "queued" and due > 0 else None,
        "eta_s": _time_left(job, progress),
    }


def _time_left(job: JobRow, progress: int) -> float | None:
    """Seconds until a running job should end, once enough is done to tell."""
    if job.status not in RUNNING or job.started_at is None or progress < 3:
        return None
    spent = -_seconds_until(job.started_at)
    return round(spent * (100 - progress) / progress, 1)


def _seconds_until(moment: datetime) -> float:
    return round((moment - datetime.now(UTC)).total_seconds(), 2)


def overview(studio: Studio, *, only: Run | None = None) -> dict[str, Any]:
    """How it all stands: ``counts`` of each status, ``queues``, ``services`` left alone, batches that are ``paused``.

    Of one run ``only``, just the counts and batches of its jobs.
    """
    paused = [{"batch": str(row["batch_id"]), "waiting": row["waiting"]} for row in studio.ledger.paused()]
    if only is not None:
        jobs = only.jobs
        counts = {status: sum(job.status == status for job in jobs) for status in job_table.TRANSITIONS}
        batches = {str(job.batch_id) for job in jobs}
        own = [row for row in paused if row["batch"] in batches]
        return {"counts": counts, "queues": [], "services": [], "paused": own}
    with studio.catalog.read() as connection:
        counts = job_table.counts(connection)
    return {
        "counts": counts,
        "queues": studio.ledger.queues(),
        "services": [
            {"service": s["service"], "failures": s["failures"], "trial_s": _seconds_until(s["trial_at"])}
            for s in studio.ledger.services()
        ],
        "paused": paused,
    }


def log_part(studio: Studio, job_id: UUID, offset: int) -> dict[str, Any]:
    """What a job's log has after ``offset`` bytes; of very much the last lines."""
    lines, following = read_log(studio.storage.path("logs"), job_id, offset)
    shown = lines[-LOG_LINES:]
    return {"lines": shown, "offset": offset, "next": following, "skipped": len(lines) - len(shown)}
