"""``studio.webhooks``: register who is told what happens, and see what they answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.catalog import webhooks as table
from sfa_kernel.catalog.webhooks import DeliveryRow, WebhookRow
from sfa_kernel.errors import ParameterError
from sfa_kernel.tables import Table
from sfa_kernel.webhooks import signing
from sfa_kernel.webhooks.addresses import checked_url
from sfa_kernel.webhooks.kind import EVENTS, PING, request
from sfa_kernel.webhooks.outbox import deliver

if TYPE_CHECKING:
    from collections.abc import Callable

    from sfa_kernel.library import Library

__all__ = ["Deliveries", "Webhook", "Webhooks"]


@dataclass(frozen=True)
class Webhook:
    """A URL that is told what happens.

    Attributes
    ----------
    events
        Of what it is told; see `sfa_kernel.webhooks.EVENTS`.
    active
        False once its receiver has answered 410 Gone; adding its URL again switches it on.
    """

    id: UUID
    url: str
    events: tuple[str, ...]
    active: bool
    created_at: datetime
    _library: Library = field(repr=False, compare=False)

    @property
    def secret(self) -> str:
        """What its receiver verifies signatures with. Not part of what a notebook shows of it.

        Raises
        ------
        SetupError
            When the key that it is derived from is gone.
        """
        return signing.secret(self._library.storage, self.id)


class Deliveries(Sequence[DeliveryRow]):
    """Deliveries, the newest first; a table in a notebook.

    Parameters
    ----------
    rows
        What the catalogue says of each.
    """

    def __init__(self, rows: Sequence[DeliveryRow]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def _table(self) -> Table:
        return Table(
            {
                "event": row.event,
                "time": f"{row.created_at:%Y-%m-%d %H:%M:%S}",
                "webhook": row.url,
                "status": row.status,
                "attempts": ", ".join(str(a.response_status or "no answer") for a in row.attempts),
                "last took": f"{row.attempts[-1].seconds:.1f} s" if row.attempts else "",
                "error": row.attempts[-1].error if row.attempts else "",
                "delivery": str(row.id),
            }
            for row in self._rows
        )

    def __repr__(self) -> str:
        return "\n".join(
            f"{row['time']}  {row['event']:16}  {row['status']:9}  {row['attempts']:9}  {row['webhook']}"
            for row in self._table()
        )

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


class Webhooks:
    """The webhooks of a library, with what one can do with them.

    Parameters
    ----------
    library
        Whose.
    on_queued
        Called when a delivery waits.
    """

    def __init__(self, library: Library, *, on_queued: Callable[[], None]) -> None:
        self._library = library
        self._on_queued = on_queued

    def add(self, url: str, *, events: str | Sequence[str] = EVENTS) -> Webhook:
        """Register a URL; give its ``.secret`` to the receiver, to verify with.

        The same URL again gets these events instead, keeps its secret, and is switched on again if its
        receiver had said that it was gone.

        Parameters
        ----------
        url
            Where to post, ``https://`` or ``http://``.
        events
            One or several of ``track.downloaded``, ``track.processed``, ``track.analyzed``, ``job.failed``.

        Raises
        ------
        ParameterError
            When an event is unknown, or a webhook may not go to that URL.
        """
        wanted = [events] if isinstance(events, str) else list(events)
        unknown = [name for name in wanted if name not in EVENTS]
        if unknown or not wanted:
            problem = f"There is no event {unknown[0]!r}." if unknown else "No event is named."
            raise ParameterError(problem, hint=f"Choose from {', '.join(EVENTS)}.")
        url = checked_url(url, private=self._library.settings.webhooks_private)
        with self._library.catalog.write() as connection:
            signing.key(self._library.storage, make=True)
            chosen = [name for name in EVENTS if name in wanted]
            return self._webhook(table.put(connection, WebhookRow(uuid4(), url, chosen, True, datetime.now(UTC))))

    def list(self) -> Sequence[Webhook]:
        """All of them, the first added first."""
        with self._library.catalog.read() as connection:
            return [self._webhook(row) for row in table.all_webhooks(connection)]

    def __iter__(self) -> Iterator[Webhook]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self.list())

    def remove(self, webhook_id: str | UUID) -> None:
        """Forget a webhook, its history, and what it has not been told yet.

        Raises
        ------
        NotFoundError
            When there is none with that id, or beginning of one.
        """
        with self._library.catalog.write() as connection:
            waiting = table.remove(connection, table.resolve(connection, "webhooks", webhook_id))
        self._library.ledger.cancel(waiting)

    def test(self, webhook_id: str | UUID, *, timeout: float = 15.0) -> DeliveryRow:
        """Send a webhook the event ``ping``, once, and return the delivery with its answer.

        Parameters
        ----------
        timeout
            How long to wait for the answer [s]; until then it may be ``waiting``.

        Raises
        ------
        NotFoundError
            When there is no such webhook.
        """
        library = self._library
        with library.catalog.write() as connection:
            webhook = table.get(connection, table.resolve(connection, "webhooks", webhook_id))
            (delivery_id,) = deliver(connection, library.ledger, [webhook], PING, {}, max_attempts=1)
            job_id = table.get_delivery(connection, delivery_id).job_id
        self._on_queued()
        library.ledger.wait([job_id], timeout=timeout)
        with library.catalog.read() as connection:
            return table.get_delivery(connection, delivery_id)

    def deliveries(self, webhook_id: str | UUID | None = None, *, limit: int = 50) -> Deliveries:
        """What was told, to one webhook or to all, and what the answers were; the newest first.

        Raises
        ------
        NotFoundError
            When there is no such webhook.
        """
        with self._library.catalog.read() as connection:
            chosen = None if webhook_id is None else table.resolve(connection, "webhooks", webhook_id)
            return Deliveries(table.deliveries(connection, webhook_id=chosen, limit=limit))

    def redeliver(self, delivery_id: str | UUID) -> DeliveryRow:
        """Send a message again, under the same id; one that waits for its next attempt goes on waiting.

        Raises
        ------
        NotFoundError
            When there is no such delivery.
        """
        with self._library.catalog.write() as connection:
            delivery = table.get_delivery(connection, table.resolve(connection, "deliveries", delivery_id))
            if delivery.status != "waiting":
                job = self._library.ledger.enqueue(connection, request(delivery.url, delivery.id))
                table.send_again(connection, delivery.id, job.id)
                delivery = table.get_delivery(connection, delivery.id)
        self._on_queued()
        return delivery

    def _webhook(self, row: WebhookRow) -> Webhook:
        return Webhook(row.id, row.url, tuple(row.events), row.active, row.created_at, self._library)

    def __repr__(self) -> str:
        return "\n".join(
            f"{webhook.id}  {'on ' if webhook.active else 'off'}  {webhook.url}  {', '.join(webhook.events)}"
            for webhook in self
        )

    def _repr_html_(self) -> str:
        rows = [
            {"id": w.id, "url": w.url, "events": ", ".join(w.events), "state": "on" if w.active else "off"}
            for w in self
        ]
        return Table(rows)._repr_html_()
