"""The outbox: what is to be told is written in the same transaction as what happened.

So a crash loses no message and makes none twice: either the job has ended, its deliveries are written and
their jobs wait, or none of it is so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.catalog import songs, tracks
from sfa_kernel.catalog import webhooks as table
from sfa_kernel.webhooks.kind import WEBHOOK, request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.catalog.webhooks import WebhookRow
    from sfa_kernel.jobs import Ledger

__all__ = ["Outbox", "deliver"]

COMPLETED = {"download": "track.downloaded", "separate": "track.processed", "analyze": "track.analyzed"}


class Outbox:
    """Watches a ledger's transitions, and queues deliveries of those that somebody wants to hear of.

    Parameters
    ----------
    ledger
        Whose observer it is.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, connection: Connection, job: JobRow) -> None:
        """Look at one transition, inside its transaction."""
        event = _event(job)
        receivers = table.listening(connection, event) if event else []
        if event and receivers:
            deliver(connection, self._ledger, receivers, event, _data(connection, job))


def deliver(
    connection: Connection,
    ledger: Ledger,
    receivers: Sequence[WebhookRow],
    event: str,
    data: dict[str, Any],
    *,
    max_attempts: int = WEBHOOK.max_attempts,
) -> list[UUID]:
    """Queue an event for webhooks, inside the caller's transaction. Returns the deliveries."""
    ids = [uuid4() for _ in receivers]
    requests = [request(w.url, i, max_attempts=max_attempts) for w, i in zip(receivers, ids, strict=True)]
    jobs = ledger.enqueue_all(connection, requests)
    for webhook, delivery_id, job in zip(receivers, ids, jobs, strict=True):
        table.insert_delivery(connection, delivery_id, webhook.id, event=event, data=data, job_id=job.id)
    return ids


def _event(job: JobRow) -> str | None:
    if job.status == "completed":
        return COMPLETED.get(job.kind)
    # Not of our own jobs: a receiver that fails would be told of it without end.
    return "job.failed" if job.status == "failed" and job.kind != WEBHOOK.name else None


def _data(connection: Connection, job: JobRow) -> dict[str, Any]:
    track_id = job.track_id or _downloaded(connection, job)
    known = tracks.get_many(connection, [track_id]) if track_id else []
    return {
        "track": {"id": str(known[0].id), "title": known[0].title, "artist": known[0].artist} if known else None,
        "job": {
            "id": str(job.id),
            "kind": job.kind,
            "status": job.status,
            "attempt": job.attempt,
            "max_attempts": job.max_attempts,
            "error": job.error,
        },
    }


def _downloaded(connection: Connection, job: JobRow) -> UUID | None:
    """What a download has become: its job is about no track, for there was none when it was asked for."""
    song = job.arguments.get("song")
    found = songs.get_many(connection, [UUID(song)]) if job.kind == "download" and song else []
    return found[0].track_id if found else None
