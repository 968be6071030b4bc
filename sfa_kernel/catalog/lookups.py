"""What a service last said of a link: shown as a preview, and not asked again while the service has no newer one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch_one

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sfa_kernel.catalog.connection import Connection

__all__ = ["LookupRow", "forget", "get", "prune", "put"]


@dataclass(frozen=True)
class LookupRow:
    """One row of the table ``lookups``; the migration says what each column means."""

    key: str
    snapshot: str | None
    document: dict[str, Any]
    fetched_at: datetime


def get(connection: Connection, key: str) -> LookupRow | None:
    """What was last said of this key, if anybody asked."""
    row = fetch_one(connection, "SELECT key, snapshot, document, fetched_at FROM lookups WHERE key = ?", [key])
    return None if row is None else LookupRow(**{**row, "document": json.loads(row["document"])})


def put(connection: Connection, key: str, document: Mapping[str, Any], *, snapshot: str | None = None) -> None:
    """Note what a service says now, in place of what it said before."""
    connection.execute(
        "INSERT INTO lookups (key, snapshot, document, fetched_at) VALUES (?, ?, ?, now()) ON CONFLICT DO UPDATE "
        "SET snapshot = excluded.snapshot, document = excluded.document, fetched_at = excluded.fetched_at",
        [key, snapshot, json.dumps(document)],
    )


def forget(connection: Connection, *keys: str) -> None:
    """Nobody is to see again what was said of these keys."""
    connection.execute("DELETE FROM lookups WHERE key IN (SELECT unnest(?::VARCHAR[]))", [list(keys)])


def prune(connection: Connection, before: datetime) -> int:
    """Forget what was said before this time. Returns of how many keys."""
    return len(connection.execute("DELETE FROM lookups WHERE fetched_at < ? RETURNING key", [before]).fetchall())
