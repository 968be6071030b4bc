"""What the Web API answers, as songs and lists of songs.

Since 2026 a playlist's songs are under ``items`` and in it each under ``item``; before, both were called ``tracks`` and
``track``. Which of the two an application gets is Spotify's decision, so both are read.

What is no song that could come - gaps, files on somebody's computer, episodes - is counted and left out. An answer of
which not even the outline is right raises `ServiceError`.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import ServiceError
from sfa_kernel.sources.song import Song
from sfa_kernel.sources.spotify.links import LIKED, Link, LinkKind

__all__ = ["SERVICE", "Listing", "Page", "album", "liked", "listings", "page", "playlist", "song", "strange", "track"]

SERVICE = "spotify"

_ID = re.compile(r"[0-9A-Za-z]{22}")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_DESCRIPTION_LIMIT = 1000
_LONGEST_ADDRESS = 2000


@dataclass(frozen=True)
class Page:
    """Some songs of a list, in order.

    Attributes
    ----------
    songs
        Those that could come.
    skipped
        How many of its items are no songs: gaps, files on somebody's computer, episodes.
    next
        The address of the next page, to be followed as it is; None after the last.
    """

    songs: tuple[Song, ...]
    skipped: int = 0
    next: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"songs": [song.to_dict() for song in self.songs], "skipped": self.skipped, "next": self.next}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Page:
        """The way back from `to_dict`."""
        return cls(tuple(Song(**song) for song in document["songs"]), document["skipped"], document["next"])


@dataclass(frozen=True)
class Listing:
    """A song, an album, a playlist or the liked songs, as Spotify shows them.

    Attributes
    ----------
    kind, id
        See `Link`.
    owner
        Whose playlist it is; of albums and songs the artists.
    snapshot
        Which version of a playlist it is; None where there are no versions.
    total
        How many items it has, those that are no songs too.
    year
        Of an album, and of a song the album's.
    page
        The first of its songs; None where they were not told.
    note
        Why they were not told, in one sentence; None where they were.
    """

    kind: LinkKind
    id: str
    name: str
    owner: str = ""
    description: str = ""
    cover_url: str | None = None
    snapshot: str | None = None
    total: int = 0
    year: int | None = None
    page: Page | None = None
    note: str | None = None

    @property
    def link(self) -> Link:
        """Where it is."""
        return Link(self.kind, self.id)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(replace(self, page=None)), "page": self.page and self.page.to_dict()}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Listing:
        """The way back from `to_dict`."""
        page = document["page"]
        return cls(**{**document, "page": page and Page.from_dict(page)})


def song(document: Any, of: Listing | None = None) -> Song | None:
    """A song; None when it is none that could come.

    Parameters
    ----------
    document
        A track as the API has it.
    of
        The album that it was listed in, when the track does not name it.
    """
    if not isinstance(document, dict) or document.get("is_local") or document.get("type", "track") != "track":
        return None
    key, title = document.get("id"), _text(document.get("name"))
    # What was taken off Spotify still has its place in a list, and no name.
    if not isinstance(key, str) or not _ID.fullmatch(key) or not title:
        return None
    if str(document.get("uri", "")).startswith("spotify:episode:"):
        return None
    record = document.get("album")
    record = record if isinstance(record, dict) else {}
    codes = document.get("external_ids")
    return Song(
        service=SERVICE,
        key=key,
        title=title,
        artist=_people(document.get("artists")),
        album=_text(record.get("name")) or (of.name if of else ""),
        year=_year(record.get("release_date")) or (of.year if of else None),
        track_number=_whole(document.get("track_number")) or None,
        duration=_seconds(document.get("duration_ms")),
        isrc=_isrc(codes.get("isrc") if isinstance(codes, dict) else None),
        cover_url=_picture(record.get("images")) or (of.cover_url if of else None),
        url=Link("track", key).url,
    )


def page(document: Any, of: Listing | None = None) -> Page:
    """A page of an album, a playlist or the liked songs.

    Parameters
    ----------
    document
        A paging object, whose items are tracks or wrap them.
    of
        The album, when it is one's.
    """
    items = _mapping(document, "a page").get("items")
    if not isinstance(items, list):
        raise strange("a page without items")
    found = [song(_unwrapped(item), of) for item in items]
    songs = tuple(one for one in found if one is not None)
    following = document.get("next")
    if following is not None and not isinstance(following, str):
        raise strange("a page whose next is no address")
    return Page(songs, len(found) - len(songs), following or None)


def track(document: Any) -> Listing:
    """A single song."""
    one = song(_mapping(document, "a song"))
    if one is None:
        raise strange("a song without its name or id")
    return Listing(
        kind="track",
        id=one.key,
        name=one.title,
        owner=one.artist,
        cover_url=one.cover_url,
        total=1,
        year=one.year,
        page=Page((one,)),
    )


def album(document: Any) -> Listing:
    """An album with its first songs."""
    document = _mapping(document, "an album")
    paging = document.get("tracks") or document.get("items")
    outline = Listing(
        kind="album",
        id=_id(document),
        name=_text(document.get("name")) or "Album",
        owner=_people(document.get("artists")),
        cover_url=_picture(document.get("images")),
        total=_total(paging) or _whole(document.get("total_tracks")) or 0,
        year=_year(document.get("release_date")),
    )
    if not isinstance(paging, dict) or not isinstance(paging.get("items"), list):
        return outline
    return replace(outline, page=page(paging, outline))


def playlist(document: Any) -> Listing:
    """A playlist, with its first songs where they are told."""
    document = _mapping(document, "a playlist")
    owner = document.get("owner")
    owner = owner if isinstance(owner, dict) else {}
    paging = next((document[name] for name in ("items", "tracks") if isinstance(document.get(name), dict)), None)
    snapshot = document.get("snapshot_id")
    return Listing(
        kind="playlist",
        id=_id(document),
        name=_text(document.get("name")) or "Playlist",
        owner=_text(owner.get("display_name")) or _text(owner.get("id")),
        description=_description(document.get("description")),
        cover_url=_picture(document.get("images")),
        snapshot=snapshot if isinstance(snapshot, str) and snapshot else None,
        total=_total(paging),
        page=page(paging) if paging and isinstance(paging.get("items"), list) else None,
    )


def liked(document: Any, owner: str = "") -> Listing:
    """The liked songs, by their first page."""
    return Listing(
        kind=LIKED.kind, id=LIKED.id, name="Liked songs", owner=owner, total=_total(document), page=page(document)
    )


def listings(document: Any) -> tuple[list[Listing], str | None]:
    """A page of playlists without their songs, and the address of the next page."""
    items = _mapping(document, "a page").get("items")
    if not isinstance(items, list):
        raise strange("a page without items")
    following = document.get("next")
    # There are gaps in these lists too.
    found = [playlist(item) for item in items if isinstance(item, dict) and _ID.fullmatch(str(item.get("id")))]
    return found, following if isinstance(following, str) and following else None


def strange(what: str) -> ServiceError:
    """The error of an answer that cannot be read."""
    return ServiceError(f"Spotify answered in a way we do not understand: {what}.")


def _mapping(document: Any, what: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise strange(f"{what} is no object")
    return document


def _unwrapped(item: Any) -> Any:
    if not isinstance(item, dict) or item.get("is_local"):
        return None
    for name in ("item", "track"):  # in a track itself, "track" may say that it is one
        if name in item and not isinstance(item[name], bool):
            return item[name]
    return item


def _id(document: dict[str, Any]) -> str:
    key = document.get("id")
    if not isinstance(key, str) or not _ID.fullmatch(key):
        raise strange("something without its id")
    return key


def _text(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) else ""


def _description(value: Any) -> str:
    # It comes as HTML: with entities, and at times with links.
    text = re.sub(r"<[^<>]*>", "", value[: 8 * _DESCRIPTION_LIMIT]) if isinstance(value, str) else ""
    return clean_text(html.unescape(text), _DESCRIPTION_LIMIT)


def _people(value: Any) -> str:
    people = value if isinstance(value, list) else []
    names = [_text(one.get("name")) for one in people if isinstance(one, dict)]
    return clean_text(", ".join(name for name in names if name))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_000_000 else None


def _total(paging: Any) -> int:
    return (_whole(paging.get("total")) or 0) if isinstance(paging, dict) else 0


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value / 1000 if 0 < value < 1e9 else None


def _year(value: Any) -> int | None:
    # "1999", "1999-12" or "1999-12-31"; "0000" where nobody knows.
    year = value[:4] if isinstance(value, str) else ""
    return int(year) if re.fullmatch(r"[12][0-9]{3}", year) else None


def _isrc(value: Any) -> str | None:
    code = re.sub(r"[\s-]", "", value[:40]).upper() if isinstance(value, str) else ""
    return code if _ISRC.fullmatch(code) else None


def _picture(value: Any) -> str | None:
    """The address of the widest picture."""
    pictures = [picture for picture in value if isinstance(picture, dict)] if isinstance(value, list) else []
    pictures.sort(key=lambda picture: -(_whole(picture.get("width")) or 0))
    for picture in pictures:
        address = picture.get("url")
        if isinstance(address, str) and len(address) <= _LONGEST_ADDRESS and _is_address(address):
            return address
    return None


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isascii() and text.isprintable()
