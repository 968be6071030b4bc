"""Headers of HTTP that servers and clients have in common here."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

__all__ = ["attachment", "retry_after"]

LONGEST_PAUSE = 86400.0  # the longest wait that a server may ask for [s]


def attachment(name: str) -> str:
    """A file's name as the value of ``Content-Disposition`` (RFC 6266), in ASCII for who knows nothing else."""
    name = "".join(character for character in name if character.isprintable()) or "file"
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace("\\", "_").replace('"', "'")
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


def retry_after(text: str) -> float | None:
    """Seconds to wait, from the value of ``Retry-After``: a number or a date, a day at most; None when it is none."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    left = (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(left, 0.0), LONGEST_PAUSE)
