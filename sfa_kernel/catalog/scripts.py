"""Scripts: timed changes of the decks' controls, kept under a name."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog.rows import fetch, fetch_one
from sfa_kernel.errors import NotFoundError, ParameterError

if TYPE_CHECKING:
    from sfa_kernel.catalog.connection import Connection

__all__ = ["ScriptRow", "change", "checked_name", "create", "get", "listing", "purge", "remove", "restore"]

LONGEST_NAME = 200


@dataclass(frozen=True)
class ScriptRow:
    """One row of the table ``scripts``; the migration says what each column means.

    Attributes
    ----------
    events
        How many it has; its document is read by `get` alone.
    """

    id: UUID
    name: str
    duration: float
    events: int
    created_at: datetime
    changed_at: datetime
    removed_at: datetime | None
    document: dict[str, Any] | None = None


_SUMMARY = """id, name, duration, json_array_length(document, '$.events')::INTEGER AS events,
    created_at, changed_at, removed_at"""


def create(connection: Connection, name: str, document: dict[str, Any]) -> ScriptRow:
    """Add a script.

    Parameters
    ----------
    document
        What `sfa_kernel.control.script.Script.document` gives.

    Raises
    ------
    ParameterError
        When its name is empty.
    """
    now = datetime.now(UTC)
    row = ScriptRow(
        uuid4(), checked_name(name), document["duration"], len(document["events"]), now, now, None, document
    )
    connection.execute(
        "INSERT INTO scripts (id, name, document, duration, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?)",
        [row.id, row.name, json.dumps(document), row.duration, now, now],
    )
    return row


def change(
    connection: Connection, script_id: UUID, *, name: str | None = None, document: dict[str, Any] | None = None
) -> ScriptRow:
    """Give a script another name, or write it anew.

    Raises
    ------
    NotFoundError
        When it is not there any more.
    ParameterError
        When its name is empty.
    """
    row = get(connection, script_id)
    row = replace(row, changed_at=datetime.now(UTC), name=row.name if name is None else checked_name(name))
    if document is not None:
        row = replace(row, document=document, duration=document["duration"], events=len(document["events"]))
    connection.execute(
        "UPDATE scripts SET name = ?, document = ?, duration = ?, changed_at = ? WHERE id = ?",
        [row.name, json.dumps(row.document), row.duration, row.changed_at, row.id],
    )
    return row


def get(connection: Connection, script_id: UUID) -> ScriptRow:
    """One script with its document.

    Raises
    ------
    NotFoundError
        When there is none of that id, or it was removed.
    """
    row = fetch_one(
        connection,
        f"SELECT {_SUMMARY}, document FROM scripts WHERE id = ? AND removed_at IS NULL",  # noqa: S608 - our own names
        [script_id],
    )
    if row is None:
        raise NotFoundError("That script is not there any more.", hint="studio.scripts lists those that are.")
    return ScriptRow(**{**row, "document": json.loads(row["document"])})


def listing(connection: Connection, *, removed: bool = False) -> list[ScriptRow]:
    """All scripts without their documents, the last changed first; or those that were removed and can be restored."""
    rows = fetch(
        connection,
        f"SELECT {_SUMMARY} FROM scripts WHERE (removed_at IS NOT NULL) = ? ORDER BY changed_at DESC, id",  # noqa: S608
        [removed],
    )
    return [ScriptRow(**row) for row in rows]


def remove(connection: Connection, script_id: UUID) -> None:
    """Take a script away; `restore` brings it back.

    Raises
    ------
    NotFoundError
        When it is not there any more.
    """
    get(connection, script_id)
    connection.execute("UPDATE scripts SET removed_at = ? WHERE id = ?", [datetime.now(UTC), script_id])


def restore(connection: Connection, script_id: UUID) -> ScriptRow:
    """Bring a script back.

    Raises
    ------
    NotFoundError
        When it is gone for good.
    """
    connection.execute("UPDATE scripts SET removed_at = NULL WHERE id = ?", [script_id])
    return get(connection, script_id)


def purge(connection: Connection, before: datetime) -> int:
    """Delete the scripts that were removed before this time. Returns how many."""
    return len(connection.execute("DELETE FROM scripts WHERE removed_at < ? RETURNING id", [before]).fetchall())


def checked_name(name: object) -> str:
    """A name as it is kept.

    Raises
    ------
    ParameterError
        When it is empty.
    """
    cleaned = clean_text(name, LONGEST_NAME) if isinstance(name, str) else ""
    if not cleaned:
        raise ParameterError("A script needs a name.", hint="Give it one or more letters.")
    return cleaned
