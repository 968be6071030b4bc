"""Webhooks: who is told what happens, what they were told, and what they answered."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch
from sfa_kernel.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = [
    "AttemptRow",
    "DeliveryRow",
    "WebhookRow",
    "all_webhooks",
    "deliveries",
    "get",
    "get_delivery",
    "insert_delivery",
    "listening",
    "note_attempt",
    "prune",
    "put",
    "remove",
    "resolve",
    "send_again",
    "switch_off",
]


@dataclass(frozen=True)
class WebhookRow:
    """One row of the table ``webhooks``; the migration says what each column means."""

    id: UUID
    url: str
    events: list[str]
    active: bool
    created_at: datetime


@dataclass(frozen=True)
class AttemptRow:
    """One attempt at a delivery.

    Attributes
    ----------
    ended_at, seconds
        When it ended, and how long it took [s], the start of its process included.
    response_status
        What the receiver answered; None when there was no answer.
    error
        Why it failed; None when it was delivered.
    """

    number: int
    ended_at: datetime
    seconds: float
    response_status: int | None
    error: str | None


@dataclass(frozen=True)
class DeliveryRow:
    """One event for one webhook.

    Attributes
    ----------
    status
        ``waiting`` (for its first or its next attempt), ``delivered``, ``failed`` or ``cancelled``.
    next_at
        When the next attempt is due, while it waits.
    attempts
        Each attempt so far, in order.
    """

    id: UUID
    webhook_id: UUID
    url: str
    event: str
    data: dict[str, Any]
    job_id: UUID
    created_at: datetime
    delivered_at: datetime | None
    status: str
    next_at: datetime | None
    attempts: list[AttemptRow] = field(default_factory=list)


# The job knows how a delivery stands; once the job is forgotten, whether it arrived is what remains.
_DELIVERIES = """
    SELECT d.id, d.webhook_id, w.url, d.event, d.data, d.job_id, d.created_at, d.delivered_at,
           CASE WHEN j.status IN ('queued', 'downloading', 'processing') THEN 'waiting'
                WHEN d.delivered_at IS NOT NULL THEN 'delivered'
                WHEN j.status = 'cancelled' THEN 'cancelled'
                ELSE 'failed' END AS status,
           CASE WHEN j.status = 'queued' THEN j.scheduled_at END AS next_at
    FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id LEFT JOIN jobs j ON j.id = d.job_id
"""


# -- webhooks ------------------------------------------------------------------------------------------------


def put(connection: Connection, webhook: WebhookRow) -> WebhookRow:
    """Add a webhook; one with the same URL is switched on again and gets these events instead."""
    same = next((known for known in all_webhooks(connection) if known.url == webhook.url), None)
    if same is not None:
        webhook = WebhookRow(same.id, webhook.url, webhook.events, webhook.active, same.created_at)
        connection.execute("DELETE FROM webhooks WHERE id = ?", [same.id])
    connection.execute("INSERT INTO webhooks VALUES (?, ?, ?, ?, ?)", list(asdict(webhook).values()))
    return webhook


def get(connection: Connection, webhook_id: UUID) -> WebhookRow:
    """One webhook.

    Raises
    ------
    NotFoundError
        When there is none with that id.
    """
    found = _webhooks(connection, "WHERE id = ?", [webhook_id])
    if not found:
        raise NotFoundError(f"There is no webhook {webhook_id} in this library.")
    return found[0]


def all_webhooks(connection: Connection) -> list[WebhookRow]:
    """All of them, the first added first."""
    return _webhooks(connection, "ORDER BY created_at, id")


def listening(connection: Connection, event: str) -> list[WebhookRow]:
    """Those that are switched on and want to hear of an event."""
    return _webhooks(connection, "WHERE active AND list_contains(events, ?) ORDER BY created_at, id", [event])


def switch_off(connection: Connection, webhook_id: UUID) -> None:
    """Tell a webhook nothing more."""
    connection.execute("UPDATE webhooks SET active = false WHERE id = ?", [webhook_id])


def remove(connection: Connection, webhook_id: UUID) -> list[UUID]:
    """Forget a webhook and its deliveries. Returns the jobs that were to deliver them."""
    jobs = [delivery.job_id for delivery in _select(connection, "WHERE d.webhook_id = ?", [webhook_id])]
    connection.execute(
        "DELETE FROM delivery_attempts WHERE delivery_id IN (SELECT id FROM deliveries WHERE webhook_id = ?)",
        [webhook_id],
    )
    connection.execute("DELETE FROM deliveries WHERE webhook_id = ?", [webhook_id])
    connection.execute("DELETE FROM webhooks WHERE id = ?", [webhook_id])
    return jobs


def resolve(connection: Connection, table: str, name: str | UUID) -> UUID:
    """The id that begins so, in the table ``webhooks`` or ``deliveries``.

    Raises
    ------
    NotFoundError
        When there is none, or several.
    """
    rows = connection.execute(
        f"SELECT id FROM {table} WHERE starts_with(id::VARCHAR, ?) LIMIT 2",  # noqa: S608 - our own names
        [str(name).lower()],
    ).fetchall()
    if len(rows) != 1 or not str(name):
        thing = {"webhooks": "webhook", "deliveries": "delivery"}[table]
        problem = f"There is no {thing}" if not rows else f"There is more than one {thing}"
        raise NotFoundError(f"{problem} whose id begins with {str(name)!r}.", hint="`sfa webhooks` lists them.")
    found: UUID = rows[0][0]
    return found


def _webhooks(connection: Connection, rest: str, parameters: Sequence[object] = ()) -> list[WebhookRow]:
    rows = fetch(connection, f"SELECT id, url, events, active, created_at FROM webhooks {rest}", list(parameters))  # noqa: S608 - text of ours
    return [WebhookRow(**row) for row in rows]


# -- deliveries ----------------------------------------------------------------------------------------------


def insert_delivery(
    connection: Connection, delivery_id: UUID, webhook_id: UUID, *, event: str, data: dict[str, Any], job_id: UUID
) -> None:
    """Write what is to be delivered, and by which job."""
    connection.execute(
        "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, NULL)",
        [delivery_id, webhook_id, event, json.dumps(data), job_id, datetime.now(UTC)],
    )


def get_delivery(connection: Connection, delivery_id: UUID) -> DeliveryRow:
    """One delivery.

    Raises
    ------
    NotFoundError
        When there is none with that id, or its webhook was removed.
    """
    found = _select(connection, "WHERE d.id = ?", [delivery_id])
    if not found:
        raise NotFoundError("This delivery is gone: its webhook was removed.")
    return found[0]


def deliveries(connection: Connection, *, webhook_id: UUID | None = None, limit: int = 50) -> list[DeliveryRow]:
    """Deliveries of one webhook, or of all; the newest first."""
    where, parameters = ("", []) if webhook_id is None else ("WHERE d.webhook_id = ?", [webhook_id])
    return _select(connection, f"{where} ORDER BY d.created_at DESC, d.id LIMIT ?", [*parameters, limit])


def send_again(connection: Connection, delivery_id: UUID, job_id: UUID) -> None:
    """Another job delivers it now."""
    connection.execute("UPDATE deliveries SET job_id = ? WHERE id = ?", [job_id, delivery_id])


def note_attempt(
    connection: Connection, delivery_id: UUID, *, begun_at: datetime, response_status: int | None, error: str | None
) -> None:
    """Write down how an attempt ended; without an error it was delivered."""
    now = datetime.now(UTC)
    connection.execute(
        "INSERT INTO delivery_attempts SELECT $1, 1 + count(*), $2, $3, $4, $5 FROM delivery_attempts "
        "WHERE delivery_id = $1",
        [delivery_id, now, (now - begun_at).total_seconds(), response_status, error],
    )
    if error is None:
        connection.execute("UPDATE deliveries SET delivered_at = ? WHERE id = ?", [now, delivery_id])


def prune(connection: Connection, days: float) -> int:
    """Forget deliveries older than ``days`` whose job is forgotten. Returns how many."""
    rows = connection.execute(
        "DELETE FROM deliveries WHERE created_at < ? AND job_id NOT IN (SELECT id FROM jobs) RETURNING id",
        [datetime.now(UTC) - timedelta(days=days)],
    ).fetchall()
    connection.execute("DELETE FROM delivery_attempts WHERE delivery_id NOT IN (SELECT id FROM deliveries)")
    return len(rows)


def _select(connection: Connection, rest: str, parameters: Sequence[object]) -> list[DeliveryRow]:
    rows = fetch(connection, f"{_DELIVERIES} {rest}", list(parameters))
    attempts: dict[UUID, list[AttemptRow]] = {row["id"]: [] for row in rows}
    found = fetch(
        connection,
        "SELECT delivery_id, number, ended_at, seconds, response_status, error FROM delivery_attempts "
        "WHERE delivery_id IN (SELECT unnest(?::UUID[])) ORDER BY number",
        [list(attempts)],
    )
    for row in found:
        attempts[row.pop("delivery_id")].append(AttemptRow(**row))
    return [DeliveryRow(**{**row, "data": json.loads(row["data"]), "attempts": attempts[row["id"]]}) for row in rows]
