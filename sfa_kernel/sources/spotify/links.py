"""What people paste when they mean a song, an album or a playlist of Spotify; nothing is asked of anybody."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NoReturn, cast
from urllib.parse import unquote, urlsplit

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import ParameterError

__all__ = ["LIKED", "Link", "LinkKind", "looks_like_link", "parse"]

LinkKind = Literal["track", "album", "playlist", "liked"]

_ID = re.compile(r"[0-9A-Za-z]{22}")
_WITH_ID = ("track", "album", "playlist")
_HOSTS = ("open.spotify.com", "play.spotify.com", "www.spotify.com", "spotify.com")
_SHORT_HOSTS = ("spotify.link", "spotify.app.link")
_WITHOUT_SCHEME = re.compile(r"(?:[\w-]+\.)*spotify(?:\.app)?\.(?:com|link)(?:[/?#:]|$)", re.IGNORECASE)
_OTHERS = {
    "artist": "an artist",
    "show": "a podcast",
    "episode": "an episode of a podcast",
    "audiobook": "an audiobook",
    "chapter": "a chapter of an audiobook",
    "user": "a person",
    "search": "a search",
    "genre": "a genre",
    "concert": "a concert",
    "prerelease": "an album that is not out yet",
    "local": "a file on somebody's computer",
}
_WHAT_GOES = "Paste a link to a song, an album or a playlist."
_HOW = "In Spotify: Share, then Copy link."
_SHOWN = 80  # characters of what was pasted


@dataclass(frozen=True)
class Link:
    """A place at Spotify.

    Attributes
    ----------
    kind
        ``"track"``, ``"album"``, ``"playlist"``, or ``"liked"``: the liked songs of who is logged in.
    id
        22 letters and digits; empty for the liked songs.
    """

    kind: LinkKind
    id: str

    @property
    def uri(self) -> str:
        """As Spotify's programs name it: ``"spotify:playlist:ID"``; it can be parsed again."""
        return "spotify:collection:tracks" if self.kind == "liked" else f"spotify:{self.kind}:{self.id}"

    @property
    def url(self) -> str:
        """Its page for people."""
        place = "collection/tracks" if self.kind == "liked" else f"{self.kind}/{self.id}"
        return f"https://open.spotify.com/{place}"


LIKED = Link("liked", "")
"""The liked songs of who is logged in."""


def looks_like_link(text: str) -> bool:
    """Whether a text is meant as a link, good or not, and no name of a file."""
    text = _bare(text)
    scheme, colon, rest = text.partition(":")
    if scheme.lower() in ("spotify", "http", "https"):
        return bool(colon)
    return bool(_WITHOUT_SCHEME.match(text)) or (scheme in _WITH_ID and bool(_ID.fullmatch(rest)))


def parse(text: str, kind: LinkKind | None = None) -> Link:
    """Read a link in any of its forms.

    Parameters
    ----------
    text
        ``https://open.spotify.com/intl-de/track/ID?si=...``, with or without its scheme, language and query;
        ``spotify:track:ID``, ``spotify:user:NAME:playlist:ID``, ``track:ID``; ``liked``; or an id by itself.
    kind
        What it has to lead to; needed for an id by itself.

    Raises
    ------
    ParameterError
        When it is none, or leads to something else; says why.

    Examples
    --------
    >>> parse("https://open.spotify.com/intl-de/album/4aawyAB9vmqN3uQ7FjRGTy?si=x").uri
    'spotify:album:4aawyAB9vmqN3uQ7FjRGTy'
    """
    bare = _bare(text)
    if not bare:
        raise ParameterError("There is no link.", hint=_WHAT_GOES)
    if len(bare) > 2000 or any(character.isspace() or not character.isprintable() for character in bare):
        raise ParameterError("This is no single link.", hint="Paste one link at a time.")
    scheme, colon, rest = bare.partition(":")
    if bare == "liked":
        link = LIKED
    elif _ID.fullmatch(bare):
        link = _bare_id(bare, kind)
    elif scheme.lower() == "spotify" and colon:
        # In URIs a name may be percent-encoded; some programs write them as addresses.
        link = _named([unquote(part) for part in re.split(r"[:/]+", re.split(r"[?#]", rest)[0].strip("/"))], bare)
    elif scheme in _WITH_ID and colon and not rest.startswith("//"):
        link = _named([scheme, rest], bare)
    elif scheme.lower() in ("http", "https") and rest.startswith("//"):
        link = _addressed(bare)
    elif _WITHOUT_SCHEME.match(bare):
        link = _addressed(f"https://{bare}")
    else:
        raise ParameterError(f"{_shown(bare)} is no link of Spotify.", hint=f"{_WHAT_GOES} {_HOW}")
    if kind is not None and link.kind != kind:
        raise ParameterError(f"This link leads to {_thing(link.kind)}, not to {_thing(kind)}.")
    return link


def _bare(text: str) -> str:
    return text.strip().strip("<>\"'").strip()


def _bare_id(text: str, kind: LinkKind | None) -> Link:
    if kind is None:
        raise ParameterError(
            f"{text} may be the id of a song, an album or a playlist.",
            hint=f"Say which, as in track:{text}, or paste the whole link.",
        )
    if kind == "liked":
        raise ParameterError("The liked songs have no id.", hint="They are of who is logged in.")
    return Link(kind, text)


def _addressed(address: str) -> Link:
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ParameterError("This is no address of the web.", hint=_HOW) from None
    if host in _SHORT_HOSTS:
        raise ParameterError(
            f"{host} is a short link: where it leads to is known only when it is opened.",
            hint="Open it in a browser and paste the address that it ends at.",
        )
    if host not in _HOSTS:
        raise ParameterError(f"{_shown(host)} is not Spotify.", hint=f"{_WHAT_GOES} {_HOW}")
    if parts.username is not None or port not in (None, 80, 443):
        raise ParameterError("This is no address that Spotify gives.", hint=_HOW)
    path = [unquote(part) for part in parts.path.split("/") if part]
    if path and re.fullmatch(r"intl-[A-Za-z]{2,8}(-[A-Za-z]{2,8})?", path[0]):
        del path[0]
    if path and path[0] == "embed":
        del path[0]
    return _named(path, address)


def _named(parts: list[str], text: str) -> Link:
    """The link of its parts: what it leads to, then the id."""
    if len(parts) > 2 and parts[0] == "user":
        parts = parts[2:]  # whose playlist it is does not matter
    if parts in (["collection"], ["collection", "tracks"]):
        return LIKED
    first = parts[0] if parts else ""
    if first in _OTHERS:
        raise ParameterError(f"This link leads to {_OTHERS[first]}.", hint=_WHAT_GOES)
    if first not in _WITH_ID:
        raise ParameterError(f"{_shown(text)} leads to no song, album or playlist.", hint=f"{_WHAT_GOES} {_HOW}")
    if len(parts) != 2 or not _ID.fullmatch(parts[1]):
        _no_id(first, parts[1:])
    return Link(cast("LinkKind", first), parts[1])


def _no_id(kind: str, rest: list[str]) -> NoReturn:
    if not rest:
        raise ParameterError(f"This link does not say which {kind}.", hint=_HOW)
    raise ParameterError(
        f"{_shown('/'.join(rest))} is no id of a {kind}: it has 22 letters and digits.", hint=f"Copy it anew. {_HOW}"
    )


def _shown(text: str) -> str:
    text = clean_text(text, _SHOWN + 1)
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


def _thing(kind: str) -> str:
    return {"track": "a song", "album": "an album", "playlist": "a playlist", "liked": "the liked songs"}[kind]
