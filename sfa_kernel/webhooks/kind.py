"""The kind of job that delivers: one job for each message and receiver."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sfa_kernel import __version__
from sfa_kernel.catalog import webhooks as table
from sfa_kernel.errors import FatalJobError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.webhooks import signing
from sfa_kernel.webhooks.addresses import service
from sfa_kernel.webhooks.sending import answered, work

if TYPE_CHECKING:
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs.kinds import Ground
    from sfa_kernel.storage import FileChanges

__all__ = ["EVENTS", "PING", "WEBHOOK", "request"]

EVENTS = ("track.downloaded", "track.processed", "track.analyzed", "job.failed")
PING = "ping"  # sent when a person asks for it, to any webhook
TIMEOUT = 10.0  # s
GONE = 410


def request(url: str, delivery_id: UUID, *, max_attempts: int = 5) -> JobRequest:
    """The job that makes a delivery."""
    return JobRequest(
        kind=WEBHOOK.name,
        queue=WEBHOOK.queue,
        track_id=None,
        arguments={"delivery": str(delivery_id)},
        service=service(url),
        max_attempts=max_attempts,
    )


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    """Write and sign the message here: the secret leaves this process no more than the catalogue does."""
    delivery = table.get_delivery(connection, _delivery(job))
    if not table.get(connection, delivery.webhook_id).active:
        raise FatalJobError("The webhook was switched off: its receiver said that it is gone.")
    message = {
        "id": str(delivery.id),
        "type": delivery.event,
        "timestamp": delivery.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "attempt": len(delivery.attempts) + 1,
        "data": delivery.data,
    }
    body = json.dumps(message, separators=(",", ":")).encode()
    now = int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": f"sound-forge-alchemy/{__version__}",
        "webhook-id": str(delivery.id),
        "webhook-timestamp": str(now),
        "webhook-signature": signing.sign(
            signing.secret(ground.storage, delivery.webhook_id), str(delivery.id), now, body
        ),
    }
    arguments = {
        "url": delivery.url,
        "body": body,
        "headers": headers,
        "private": ground.settings.webhooks_private,
        "timeout": TIMEOUT,
    }
    # The system's resolver keeps to no limit of ours; this one ends it too.
    return Plan(arguments, time_limit=3 * TIMEOUT)


def _commit(connection: Connection, job: JobRow, result: int, files: FileChanges) -> None:
    table.note_attempt(connection, _delivery(job), begun_at=_begun(job), response_status=result, error=None)


def _failed(connection: Connection, job: JobRow, reason: str, final: bool) -> None:
    status = answered(reason)
    table.note_attempt(connection, _delivery(job), begun_at=_begun(job), response_status=status, error=reason)
    if status == GONE:
        table.switch_off(connection, table.get_delivery(connection, _delivery(job)).webhook_id)


def _delivery(job: JobRow) -> UUID:
    return UUID(job.arguments["delivery"])


def _begun(job: JobRow) -> datetime:
    return job.started_at or job.created_at


WEBHOOK = Kind(
    name="webhook", queue="webhooks", prepare=_prepare, work=work, commit=_commit, failed=_failed, max_attempts=5
)
