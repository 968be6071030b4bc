"""Folders that songs are imported from, some of them watched."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.catalog.rows import fetch
from sfa_kernel.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["FolderRow", "any_watched", "by_path", "forget", "get", "listing", "put", "set_scanned", "set_watched"]


@dataclass(frozen=True)
class FolderRow:
    """One row of the table ``folders``; the migration says what each column means."""

    id: UUID
    path: str
    watched: bool
    reference: bool
    stages: list[str]
    added_at: datetime
    scanned_at: datetime | None
    problem: str | None
    confined: bool

    @property
    def inside(self) -> str:
        """What the paths of all that is in it begin with."""
        return self.path.rstrip(os.sep) + os.sep


def _rows(found: list[dict[str, Any]]) -> list[FolderRow]:
    return [FolderRow(**{**row, "stages": json.loads(row["stages"])}) for row in found]


def put(
    connection: Connection,
    path: str,
    *,
    watched: bool,
    reference: bool,
    stages: Sequence[str],
    confined: bool = False,
) -> FolderRow:
    """Note a folder; one that is noted already is from now on as is said here, and watched, or not confined, if so."""
    connection.execute(
        """
        INSERT INTO folders VALUES ($id, $path, $watched, $reference, $stages, $now, NULL, NULL, $confined)
        ON CONFLICT (path) DO UPDATE SET watched = folders.watched OR $watched, reference = $reference,
            stages = $stages, confined = folders.confined AND $confined
        """,
        {
            "id": uuid4(),
            "path": path,
            "watched": watched,
            "reference": reference,
            "stages": json.dumps(list(stages)),
            "confined": confined,
            "now": datetime.now(UTC),
        },
    )
    return _rows(fetch(connection, "SELECT * FROM folders WHERE path = ?", [path]))[0]


def listing(connection: Connection) -> list[FolderRow]:
    """All of them, by path."""
    return _rows(fetch(connection, "SELECT * FROM folders ORDER BY path"))


def any_watched(connection: Connection) -> bool:
    """Whether one of them is watched."""
    return connection.execute("SELECT true FROM folders WHERE watched LIMIT 1").fetchone() is not None


def get(connection: Connection, folder_id: UUID) -> FolderRow:
    """One folder.

    Raises
    ------
    NotFoundError
        When it is not one of them.
    """
    found = _rows(fetch(connection, "SELECT * FROM folders WHERE id = ?", [folder_id]))
    if not found:
        raise NotFoundError("This folder is not one of the library's any more.", hint="Add it again.")
    return found[0]


def by_path(connection: Connection, path: str) -> FolderRow | None:
    """The folder at this path, when it is one of them."""
    found = _rows(fetch(connection, "SELECT * FROM folders WHERE path = ?", [path]))
    return found[0] if found else None


def set_watched(connection: Connection, folder_id: UUID, watched: bool) -> None:
    """Say whether new files in it come in by themselves."""
    connection.execute("UPDATE folders SET watched = ? WHERE id = ?", [watched, folder_id])


def set_scanned(connection: Connection, folder_id: UUID, *, problem: str | None) -> None:
    """It was looked through just now; why not all of it could be read, if so."""
    connection.execute(
        "UPDATE folders SET scanned_at = ?, problem = ? WHERE id = ?", [datetime.now(UTC), problem, folder_id]
    )


def forget(connection: Connection, folder_id: UUID) -> None:
    """Take a folder off the list; tracks and origins stay."""
    connection.execute("DELETE FROM folders WHERE id = ?", [folder_id])
