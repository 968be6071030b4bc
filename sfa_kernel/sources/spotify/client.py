"""What is asked of Spotify's Web API, and what its answers mean.

All calls are questions, so they are repeated when the service is in trouble. A token that is no longer good is renewed
once. A short wait that the service asks for is waited; a long one ends the work, for whoever queued it to go on later.

A token goes to the API's own address and nowhere else, and is never logged or part of an error.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import FatalJobError, NotFoundError, RateLimitedError, ServiceError, SetupError
from sfa_kernel.headers import retry_after
from sfa_kernel.sources.spotify import shapes
from sfa_kernel.sources.spotify.shapes import Listing, Page, strange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sfa_kernel.credentials import Secret
    from sfa_kernel.sources.spotify.links import Link

__all__ = ["Account", "Client", "Withheld", "rate_limited", "told"]

logger = logging.getLogger(__name__)

_T = TypeVar("_T")

PATIENCE = 10.0  # s; for how long a call waits when it is asked to
USUAL_PAUSE = 30.0  # s; the window that Spotify counts calls in, for when it does not say how long to wait
LONGEST_ANSWER = 16 << 20  # bytes
LONGEST_CALL = 60.0  # s, for an answer that trickles in

_MOST_PAGES = 2000
_NAMES = {"track": "song", "album": "album", "playlist": "playlist", "liked": "list of liked songs"}


class Withheld(FatalJobError):  # noqa: N818 - what is the matter, for those who can do without
    """The songs of a playlist are not told to this account."""


@dataclass(frozen=True)
class Account:
    """Who is logged in: the id, and a name for people."""

    id: str
    name: str


@dataclass(frozen=True)
class _Answer:
    status: int
    retry_after: str
    body: bytes


class Client:
    """A connection to the Web API, for one thread.

    Parameters
    ----------
    url
        Where it is, such as ``"https://api.spotify.com/v1"``.
    token
        Gives an access token; told True when the last one was refused.
    timeout
        How long the service may be silent [s].
    pauses
        How long to wait before each further try [s]; their number is that of the tries.
    sleep
        How to wait; may raise to stop.

    Notes
    -----
    All methods raise

    - `NotFoundError` when there is no such song, album or playlist;
    - `SetupError` when the application or the account may not ask, with what to do about it;
    - `FatalJobError` when the service refuses for another reason;
    - `RateLimitedError` when it asks us to wait for longer than 10 s;
    - `ServiceError` when it is in trouble, too slow, answers strangely, or cannot be reached.

    Examples
    --------
    >>> with Client("https://api.spotify.com/v1", token) as client:  # doctest: +SKIP
    ...     listing = client.look(parse("spotify:album:4aawyAB9vmqN3uQ7FjRGTy"))
    ...     songs = [song for page in client.pages(listing) for song in page.songs]
    """

    def __init__(
        self,
        url: str,
        token: Callable[[bool], Secret],
        *,
        timeout: float = 20.0,
        pauses: Sequence[float] = (1.0, 2.0, 4.0),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import httpx

        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise SetupError(
                f"{url!r} is no address of Spotify.", hint="Set spotify_url to https://api.spotify.com/v1."
            )
        self._base = url.rstrip("/")
        self._token = token
        self._pauses = tuple(pauses)
        self._sleep = sleep
        self._http = httpx.Client(timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)), follow_redirects=False)

    def __repr__(self) -> str:
        return f"Client({self._base!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def look(self, link: Link) -> Listing:
        """What a link leads to, with the first of its songs."""
        if link.kind == "liked":
            return self.liked()
        return {"track": self.track, "album": self.album, "playlist": self.playlist}[link.kind](link.id)

    def track(self, key: str) -> Listing:
        """A song."""
        return shapes.track(self._ask(f"tracks/{key}", "song"))

    def album(self, key: str) -> Listing:
        """An album with its first songs."""
        listing = shapes.album(self._ask(f"albums/{key}", "album"))
        if listing.page is None:
            listing = replace(listing, page=self.page(listing, f"{self._base}/albums/{key}/tracks?limit=50&offset=0"))
        return listing

    def playlist(self, key: str) -> Listing:
        """A playlist with its first songs; without them, and with a note, when its owner alone may see them."""
        listing = shapes.playlist(self._ask(f"playlists/{key}", "playlist"))
        if listing.page is not None:
            return listing
        try:
            document = self._items(key)
        except Withheld as error:
            return replace(listing, note=error.message)
        total = document.get("total") if isinstance(document, dict) else None
        return replace(
            listing, page=shapes.page(document), total=total if isinstance(total, int) and total >= 0 else listing.total
        )

    def liked(self) -> Listing:
        """The liked songs of who is logged in, the newest first."""
        return shapes.liked(self._ask("me/tracks?limit=50&offset=0", "list of liked songs"))

    def page(self, listing: Listing, address: str) -> Page:
        """One more page of a list.

        Parameters
        ----------
        listing
            The list.
        address
            What the page before gave as `Page.next`.
        """
        document = self._ask(address, _NAMES[listing.kind], songs=listing.kind == "playlist")
        return shapes.page(document, listing if listing.kind == "album" else None)

    def pages(self, listing: Listing) -> Iterator[Page]:
        """All songs of a list, page by page, beginning with the one that is there."""
        page, seen = listing.page, set[str]()
        while page is not None:
            yield page
            if page.next is None:
                return
            if page.next in seen or len(seen) >= _MOST_PAGES:
                raise strange("a list without an end")
            seen.add(page.next)
            page = self.page(listing, page.next)

    def my_playlists(self) -> Iterator[Listing]:
        """The playlists that who is logged in has or follows, without their songs."""
        address, seen = "me/playlists?limit=50&offset=0", set[str]()
        while address not in seen and len(seen) < _MOST_PAGES:
            seen.add(address)
            found, following = shapes.listings(self._ask(address, "list of playlists"))
            yield from found
            if following is None:
                return
            address = following
        raise strange("a list without an end")

    def me(self) -> Account:
        """Who is logged in."""
        document = self._ask("me", "account")
        key = document.get("id") if isinstance(document, dict) else None
        if not isinstance(key, str) or not key:
            raise strange("an account without its id")
        return Account(clean_text(key), clean_text(str(document.get("display_name") or "")) or clean_text(key))

    def _items(self, key: str) -> Any:
        """The first page of a playlist's songs, where they are now or where they were."""
        try:
            return self._ask(f"playlists/{key}/items?limit=50&offset=0&additional_types=track", "playlist", songs=True)
        except NotFoundError:
            # Not all applications have the new address.
            path = f"playlists/{key}/tracks?limit=100&offset=0&additional_types=track"
            return self._ask(path, "playlist", songs=True)

    def _ask(self, address: str, what: str, *, songs: bool = False) -> Any:
        """The answer to a GET: of a path, or of an address that an answer gave."""
        if not address.startswith(f"{self._base}/"):
            if "://" in address:
                raise strange("the next page is said to be elsewhere")
            address = f"{self._base}/{address}"
        token, renewed, waited = self._token(False), False, 0.0
        while True:
            answer = self._repeated(address, token)
            if answer.status == 401 and not renewed:
                token, renewed = self._token(True), True
                continue
            if answer.status == 429:
                asked = retry_after(answer.retry_after)
                pause = USUAL_PAUSE if asked is None else max(asked, 1.0)
                waited += pause
                if waited > PATIENCE:
                    raise rate_limited(pause)
                self._sleep(pause)
                continue
            _judge(answer, what, songs=songs)
            try:
                return json.loads(answer.body)
            except (ValueError, RecursionError):
                raise strange("an answer is no JSON") from None

    def _get(self, address: str, token: Secret) -> _Answer:
        deadline = time.monotonic() + LONGEST_CALL
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        with self._http.stream("GET", address, headers=headers) as response:
            body = bytearray()
            for piece in response.iter_bytes():
                body += piece
                if len(body) > LONGEST_ANSWER:
                    raise strange("an answer without an end")
                if time.monotonic() > deadline:
                    raise ServiceError("Spotify did not answer in time.")
            if response.status_code == 408 or response.status_code >= 500:
                raise ServiceError(f"Spotify is in trouble: it answered {response.status_code}.")
            return _Answer(response.status_code, response.headers.get("retry-after", ""), bytes(body))

    def _repeated(self, address: str, token: Secret) -> _Answer:
        """Ask until there is an answer, as often as may be."""
        for pause in (*self._pauses, None):
            try:
                return told(lambda: self._get(address, token))
            except ServiceError as error:
                if pause is None:
                    raise
                logger.info("%s Trying again in %g s.", error.message, pause)
            self._sleep(pause)
        raise AssertionError("the last try returns or raises")


def told(call: Callable[[], _T]) -> _T:
    """Call, with the errors of the connection as ours."""
    import httpx

    try:
        return call()
    except httpx.TimeoutException as error:
        raise ServiceError("Spotify did not answer in time.") from error
    except httpx.ConnectError as error:
        # What the system calls it is no sentence, and stays in the log.
        raise ServiceError("Spotify cannot be reached.", hint="Check the network.") from error
    except httpx.DecodingError as error:
        raise strange("an answer that cannot be unpacked") from error
    except httpx.TransportError as error:
        raise ServiceError("The connection to Spotify broke.") from error
    except httpx.InvalidURL:
        raise strange("an address that is none") from None


def rate_limited(seconds: float) -> RateLimitedError:
    """The error of being asked to wait.

    Parameters
    ----------
    seconds
        How long.
    """
    unit, size = ("second", 1.0) if seconds < 90 else ("minute", 60.0) if seconds < 5400 else ("hour", 3600.0)
    number = max(1, round(seconds / size))
    return RateLimitedError(
        f"Spotify is asked too often: it wants us to wait {number} {unit}{'' if number == 1 else 's'}.",
        hint="What is left goes on by itself after that.",
        retry_after=seconds,
    )


def _judge(answer: _Answer, what: str, *, songs: bool) -> None:
    """Raise what an answer other than a good one means.

    Parameters
    ----------
    what
        What was asked for.
    songs
        Whether the songs of a playlist were.
    """
    status = answer.status
    if status == 200:
        return
    words = _reason(answer.body)
    known = words.lower()
    if status == 401:
        if "valid user authentication" in known:
            raise SetupError(f"Spotify tells the {what} only to who is logged in.", hint="Log in to Spotify.")
        raise SetupError("Spotify does not accept the login.", hint="Log in to Spotify again.")
    if status == 403:
        raise _forbidden(words, what, songs=songs)
    if status == 404 or (status == 400 and "invalid base62 id" in known):
        raise NotFoundError(
            f"Spotify shows us no {what} at this link: it is gone, or private, or one of Spotify's own.",
            hint="" if what in ("song", "album") else "A playlist that is yours is shown once you are logged in.",
        )
    if 300 <= status < 400:
        raise SetupError("Spotify is not at this address.", hint="Set spotify_url to https://api.spotify.com/v1.")
    if status < 400:
        raise strange(f"it answered {status}")
    raise FatalJobError(f"Spotify refuses: {words or f'it answered {status}'}.")


def _forbidden(words: str, what: str, *, songs: bool) -> SetupError | FatalJobError:
    known = words.lower()
    if "premium" in known:
        return SetupError(
            "Spotify answers this client id only while its owner has Spotify Premium.",
            hint="Use the client id of an account with Premium.",
        )
    if "not registered" in known or "not be registered" in known or "developer dashboard" in known:
        return SetupError(
            "This Spotify account is not on the list of those who may use this client id.",
            hint="Its owner can add it at developer.spotify.com/dashboard, under User Management (five at most).",
        )
    if "scope" in known:
        return SetupError(
            f"The login does not allow us to see the {what}.", hint="Log in to Spotify again and agree to all of it."
        )
    if songs:
        return Withheld(
            "Spotify tells the songs of this playlist only to its owner and those who edit it, logged in here."
        )
    return FatalJobError(f"Spotify does not show us this {what}{f': {words}' if words else ''}.")


def _reason(body: bytes) -> str:
    """The service's own sentence, without its full stop; some of its refusals are plain text."""
    text = body[:2000].decode("utf-8", "replace")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return "" if text.lstrip().startswith("<") else clean_text(text, 200).rstrip(".")
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return clean_text(message, 200).rstrip(".") if isinstance(message, str) else ""
