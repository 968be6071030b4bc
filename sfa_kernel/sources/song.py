"""A song as somebody else names it: a service, or a playlist file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Song"]


@dataclass(frozen=True)
class Song:
    """What is known of a song that may not be here.

    Texts are clean, as `sfa_kernel.audio.text.clean_text` makes them.

    Attributes
    ----------
    service, key
        Who names it so, ``"spotify"`` or ``"file"``; and its id there, or the file's path.
    title, artist, album
        Artists are joined by ``", "``; empty where unknown.
    duration
        In seconds; None where unknown.
    isrc
        International Standard Recording Code, in capitals and without dashes.
    cover_url, url
        A picture, and a page for people.
    """

    service: str
    key: str
    title: str
    artist: str = ""
    album: str = ""
    year: int | None = None
    track_number: int | None = None
    duration: float | None = None
    isrc: str | None = None
    cover_url: str | None = None
    url: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; ``Song(**document)`` is the way back."""
        return asdict(self)
