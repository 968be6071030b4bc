"""What a page tells of when it has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["batch_notice"]

LONG_SECONDS = 20.0  # shorter work was watched, or is not missed


def batch_notice(ended: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to tell of work that was asked for together and has ended; None when nobody needs to hear of it."""
    if ended["seconds"] < LONG_SECONDS or ended["cancelled"] == ended["jobs"]:
        return None
    took = f"Took {_span(ended['seconds'])}."
    notice = {"id": ended["id"], "level": "ok", "jobs": "history"}
    if ended["failed"]:
        text = f"{ended['failed']:,} of {_many(ended['jobs'], 'job')} failed. {took}"
        return notice | {"level": "warn", "jobs": "failed", "text": text}
    if ended["cancelled"]:
        text = f"{_many(ended['completed'], 'job')} done, {ended['cancelled']:,} cancelled. {took}"
        return notice | {"level": "info", "text": text}
    if ended["tracks"]:
        verb = "is" if ended["tracks"] == 1 else "are"
        del notice["jobs"]
        return notice | {"text": f"{_many(ended['tracks'], 'song')} {verb} ready. {took}"}
    return notice | {"text": f"{_many(ended['jobs'], 'job')} done. {took}"}


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
