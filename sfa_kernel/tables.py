"""Rows that show themselves as a table in a notebook."""

from __future__ import annotations

import html
from datetime import datetime
from typing import Any

__all__ = ["Table"]


class Table(list[dict[str, Any]]):
    """Rows of an answer; a table in a notebook."""

    def _repr_html_(self) -> str:
        if not self:
            return "<em>no rows</em>"
        head = "".join(_cell("th", str(name), value) for name, value in self[0].items())
        body = "".join(
            "<tr>" + "".join(_cell("td", _text(value), value) for value in row.values()) + "</tr>" for row in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(tag: str, text: str, value: Any) -> str:
    """A cell; where numbers stand at the right, words stand at the left."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    side = "right" if number else "left"
    return f'<{tag} style="text-align: {side}">{html.escape(text)}</{tag}>'


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M %Z}".rstrip()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
