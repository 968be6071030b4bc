"""Rows that show themselves as a table in a notebook."""

from __future__ import annotations

import html
from typing import Any

__all__ = ["Table"]


class Table(list[dict[str, Any]]):
    """Rows of an answer; a table in a notebook."""

    def _repr_html_(self) -> str:
        if not self:
            return "<em>no rows</em>"
        head = "".join(f"<th>{html.escape(str(name))}</th>" for name in self[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_text(value))}</td>" for value in row.values()) + "</tr>"
            for row in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
