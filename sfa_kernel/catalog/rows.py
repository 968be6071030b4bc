"""Rows as dictionaries: the one way results leave DuckDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfa_kernel.catalog.connection import Connection

__all__ = ["fetch", "fetch_one", "fold"]


def fetch(connection: Connection, query: str, parameters: object = None) -> list[dict[str, Any]]:
    """Run a query; one dictionary a row."""
    cursor = connection.execute(query, parameters)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def fetch_one(connection: Connection, query: str, parameters: object = None) -> dict[str, Any] | None:
    """Run a query; its first row, if any."""
    rows = fetch(connection, query, parameters)
    return rows[0] if rows else None


def fold(text: str) -> str:
    """Text as it is searched: lower case, without accents."""
    import unicodedata

    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
