"""What people have switched on or off in a library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfa_kernel.catalog.connection import Connection

__all__ = ["DOWNLOADS", "get", "put"]

DOWNLOADS = "downloads"  # whether songs may be downloaded: a bool


def get(connection: Connection, name: str, default: Any = None) -> Any:
    """What was last put under a name, or ``default``."""
    row = connection.execute("SELECT value FROM preferences WHERE name = ?", [name]).fetchone()
    return default if row is None else json.loads(row[0])


def put(connection: Connection, name: str, value: Any) -> None:
    """Keep a value that JSON can hold."""
    connection.execute(
        "INSERT INTO preferences (name, value, changed_at) VALUES (?, ?, now()) "
        "ON CONFLICT DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
        [name, json.dumps(value)],
    )
