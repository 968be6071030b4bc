"""Paused batches: their jobs that run are finished, and those that wait are left out when jobs are claimed.

The state is a row of the catalogue, so all processes of a library keep to it, also those that begin later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["LEFT_OUT", "forget", "listing", "prune", "put"]

LEFT_OUT = "batch_id IN (SELECT batch_id FROM paused_batches)"
"""Condition on a row of ``jobs``: its batch is paused. NULL for a job of no batch."""


def put(connection: Connection, batch_id: UUID) -> bool:
    """Pause a batch. Returns whether it was not paused already."""
    query = "INSERT INTO paused_batches VALUES (?, now()) ON CONFLICT DO NOTHING RETURNING batch_id"
    return connection.execute(query, [batch_id]).fetchone() is not None


def forget(connection: Connection, batch_id: UUID) -> bool:
    """Let a batch go on. Returns whether it was paused."""
    query = "DELETE FROM paused_batches WHERE batch_id = ? RETURNING batch_id"
    return connection.execute(query, [batch_id]).fetchone() is not None


def listing(connection: Connection) -> list[dict[str, Any]]:
    """The paused batches, the first paused first: ``batch_id``, ``paused_at``, and how many jobs are ``waiting``."""
    return fetch(
        connection,
        """
        SELECT batch_id, paused_at,
               (SELECT count(*) FROM jobs j WHERE j.batch_id = p.batch_id AND j.status = 'queued') AS waiting
        FROM paused_batches p ORDER BY paused_at, batch_id
        """,
    )


def prune(connection: Connection) -> None:
    """Forget the pauses of batches of which no job waits or runs."""
    connection.execute(
        "DELETE FROM paused_batches WHERE batch_id NOT IN "
        "(SELECT batch_id FROM jobs WHERE ended_at IS NULL AND batch_id IS NOT NULL)"
    )
