"""Presets: settings of controls that a person keeps under a name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from datetime import datetime

    from sfa_kernel.catalog.connection import Connection

__all__ = ["KINDS", "PresetRow", "of_owner", "put", "remove"]

KINDS = ("eq", "effects", "layout", "mapping")


@dataclass(frozen=True)
class PresetRow:
    """One row of the table ``presets``; the migration says what each column means."""

    owner: str
    kind: str
    name: str
    value: dict[str, float | str]
    changed_at: datetime | None = None


def put(connection: Connection, preset: PresetRow) -> None:
    """Keep a preset, in place of the one of its owner, kind and name."""
    connection.execute(
        "INSERT INTO presets (owner, kind, name, value, changed_at) VALUES (?, ?, ?, ?, now()) "
        "ON CONFLICT DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
        [preset.owner, preset.kind, preset.name, json.dumps(preset.value)],
    )


def of_owner(connection: Connection, owner: str) -> list[PresetRow]:
    """The presets of a person, by kind and name."""
    rows = fetch(
        connection,
        "SELECT owner, kind, name, value, changed_at FROM presets WHERE owner = ? ORDER BY kind, name",
        [owner],
    )
    return [PresetRow(**{**row, "value": json.loads(row["value"])}) for row in rows]


def remove(connection: Connection, owner: str, kind: str, name: str) -> bool:
    """Forget a preset. Returns whether there was one."""
    gone = connection.execute(
        "DELETE FROM presets WHERE owner = ? AND kind = ? AND name = ? RETURNING name", [owner, kind, name]
    ).fetchall()
    return bool(gone)
