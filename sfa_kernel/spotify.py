"""``studio.spotify``: a person's account at Spotify, and what links lead to, as Spotify last said."""

from __future__ import annotations

import html
import threading
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sfa_kernel.catalog import jobs, lookups, songs, tracks
from sfa_kernel.errors import InputError, SetupError, SfaError
from sfa_kernel.pipeline import lookup
from sfa_kernel.pipeline.download import check_allowed
from sfa_kernel.sources.spotify.links import Link, parse
from sfa_kernel.sources.spotify.tokens import REDIRECT, access, client_id_of
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sfa_kernel.catalog import Connection
    from sfa_kernel.library import Library
    from sfa_kernel.runs import Run
    from sfa_kernel.settings import Settings
    from sfa_kernel.sources.spotify.login import Listener

__all__ = ["Login", "Preview", "Spotify", "State"]

SHOWN = 100  # songs of a preview in a notebook


@dataclass(frozen=True, repr=False)
class Login:
    """A login that waits for a person to agree.

    Attributes
    ----------
    url
        Where to do so.
    """

    url: str
    _answer: Future[Run]

    def wait(self, timeout: float | None = None) -> Run:
        """Wait for the browser's word. Returns the run that completes the login.

        Raises
        ------
        InputError
            When the person did not agree, or not in time.
        """
        try:
            return self._answer.result(timeout)
        except (TimeoutError, CancelledError):
            raise InputError("Nobody agreed to the login in time.", hint="Log in again.") from None

    def __repr__(self) -> str:
        return (
            f"Open {self.url} and agree. If the page that you are sent to then cannot be shown, give its address to "
            "studio.spotify.paste(address)."
        )

    def _repr_html_(self) -> str:
        return (
            f'<a href="{html.escape(self.url)}" target="_blank" rel="noopener">Log in to Spotify</a> and agree. If the '
            "page that you are sent to then cannot be shown, give its address to "
            "<code>studio.spotify.paste(address)</code>."
        )


@dataclass(frozen=True)
class State:
    """How it stands with Spotify.

    Attributes
    ----------
    client, secret
        Whether the id of a client is there, and its secret.
    login
        ``"none"``; ``"waiting"`` for a person to agree; ``"working"``; ``"done"``; or ``"failed"``.
    name
        Who is logged in.
    error
        Why the login failed.
    redirect
        The address that has to be registered with the client.
    """

    client: bool
    secret: bool
    login: str
    name: str | None
    error: str | None
    redirect: str


@dataclass(frozen=True, repr=False)
class Preview:
    """What a link leads to, as it was when Spotify was last asked.

    Attributes
    ----------
    link, kind, name, owner, url
        ``"spotify:playlist:ID"``; ``"track"``, ``"album"``, ``"playlist"`` or ``"liked"``; whose it is, or who plays.
    total, skipped
        How many items it has, and how many of them are no songs that could come.
    note
        Why its songs are not told; None when they are.
    songs
        All of them: ``title``, ``artist``, ``album``, ``duration`` [s], ``here``.
    """

    link: str
    kind: str
    name: str
    owner: str
    url: str
    total: int
    skipped: int
    note: str | None
    songs: Table
    fetched_at: datetime

    @property
    def here(self) -> int:
        """How many of its songs are in the library."""
        return sum(row["here"] for row in self.songs)

    def __repr__(self) -> str:
        by = f" by {self.owner}" if self.owner else ""
        if self.note is not None:
            return f"<{self.name}{by}: {self.note}>"
        many = "1 song" if len(self.songs) == 1 else f"{len(self.songs):,} songs"
        left_out = f", {self.skipped} entries are no songs" if self.skipped else ""
        return f"<{self.name}{by}: {many}, {self.here:,} of them here{left_out}>"

    def _repr_html_(self) -> str:
        rest = len(self.songs) - SHOWN
        more = f"<p>and {rest:,} more in <code>.songs</code></p>" if rest > 0 else ""
        table = Table(self.songs[:SHOWN])._repr_html_() if self.songs else ""
        return f"<p>{html.escape(repr(self)[1:-1])}</p>{table}{more}"


class Spotify:
    """A person's account at Spotify, and what links lead to.

    Everything is asked by a job; what was answered stays in the library, and is what this object tells.

    Parameters
    ----------
    library
        Whose.
    start
        Queues jobs as one batch and returns their run.
    """

    def __init__(self, library: Library, *, start: Callable[..., Run]) -> None:
        self._library = library
        self._start = start
        self._lock = threading.Lock()
        self._waiting: tuple[Listener, Future[Run]] | None = None

    def close(self) -> None:
        """Wait for no browser any more."""
        if (expected := self._wait_for(None)) is not None:
            expected.cancel()

    def _wait_for(self, waiting: tuple[Listener, Future[Run]] | None) -> Future[Run] | None:
        """Wait for this browser. Returns what somebody may still expect of the one before."""
        with self._lock:
            before, self._waiting = self._waiting, waiting
        if before is None:
            return None
        listener, answer = before
        listener.close()
        return answer

    # -- the login ---------------------------------------------------------------------------------------------------

    def login(self) -> Login:
        """Begin a login: a person opens the address that is returned, and agrees.

        This computer then waits for the browser's word for some minutes. A browser on another machine cannot bring
        it: `paste` takes the address that it was sent to.

        Raises
        ------
        SetupError
            When there is no id of a client.

        Examples
        --------
        >>> studio.spotify.login()                  # doctest: +SKIP
        """
        from sfa_kernel.sources.spotify.login import Listener, begin

        answer: Future[Run] = Future()
        allowed = access(self._library.settings)
        client_id_of(allowed)
        listener = Listener(partial(self._answered, answer))
        if (before := self._wait_for((listener, answer))) is not None:
            before.cancel()
        try:
            url = begin(allowed, listener.redirect)
        except BaseException:
            self.close()  # nobody will come
            raise
        self._note_failure(None)
        return Login(url, answer)

    def _answered(self, answer: Future[Run], problem: str | None) -> None:
        """The browser is back, or nobody came."""
        with suppress(InvalidStateError):  # another login has begun meanwhile, or the studio was closed
            if problem is not None:
                self._note_failure(problem)
                answer.set_exception(InputError(problem))
                return
            try:
                answer.set_result(self._start([lookup.login_request()]))
            except SfaError as error:
                answer.set_exception(error)

    def _note_failure(self, problem: str | None) -> None:
        """Write down why the last login failed, or that there is a new one."""
        with self._library.catalog.write() as connection:
            lookups.forget(connection, lookup.LOGIN_FAILED)
            if problem is not None:
                lookups.put(connection, lookup.LOGIN_FAILED, {"error": problem})
        self._tell()

    def _tell(self) -> None:
        self._library.bus.publish("sources", {"what": ["spotify"]})

    def paste(self, address: str) -> Run:
        """Complete a login by the address that the browser was sent to; returns at once.

        Raises
        ------
        ParameterError
            When it is not the address of the login that was begun last, or the person did not agree.
        """
        from sfa_kernel.sources.spotify.login import answered

        answered(address)
        run = self._start([lookup.login_request()])
        if (expected := self._wait_for(None)) is not None:
            with suppress(InvalidStateError):
                expected.set_result(run)
        return run

    def logout(self) -> None:
        """Forget the login, and what was told to who was logged in. Playlists that were imported stay."""
        from sfa_kernel.sources.spotify.login import log_out

        self.close()
        log_out()
        with self._library.catalog.write() as connection:
            lookups.forget(connection, lookup.LOGIN_FAILED, *lookup.OF_WHO_IS_LOGGED_IN)
        self._tell()

    @property
    def state(self) -> State:
        """How it stands."""
        from sfa_kernel.sources.spotify import login

        try:
            allowed = access(self._library.settings)
            client_id = allowed["client_id"]
            account, waits = login.logged_in(client_id), login.state(client_id) == "waiting"
        except SetupError as error:
            return State(False, False, "none", None, str(error), REDIRECT)
        with self._library.catalog.read() as connection:
            works = jobs.active_with_key(connection, lookup.LOGIN_KEY) is not None
            failed = lookups.get(connection, lookup.LOGIN_FAILED)
        stages = {"waiting": waits, "working": works, "done": account, "failed": failed, "none": True}
        return State(
            client=client_id is not None,
            secret=allowed["client_secret"] is not None,
            login=next(stage for stage, holds in stages.items() if holds),
            name=account.name or None if account else None,
            error=failed.document["error"] if failed else None,
            redirect=REDIRECT,
        )

    # -- what there is -----------------------------------------------------------------------------------------------

    def look(self, link: str) -> Run:
        """Ask what a link leads to; returns at once. `preview` tells it then.

        Raises
        ------
        ParameterError
            When it is no link to a song, an album or a playlist.

        Examples
        --------
        >>> link = "https://open.spotify.com/playlist/..."      # doctest: +SKIP
        >>> await studio.spotify.look(link)                     # doctest: +SKIP
        >>> studio.spotify.preview(link)                        # doctest: +SKIP
        <Warm-up by Ada: 42 songs, 7 of them here>
        """
        return self._start([lookup.look_request(parse(link), self._name(parse(link)))])

    def preview(self, link: str) -> Preview | None:
        """What a link leads to, as Spotify last said; None before `look`.

        Raises
        ------
        ParameterError
            When it is no link to a song, an album or a playlist.
        """
        place = parse(link)
        with self._library.catalog.read() as connection:
            row = lookups.get(connection, place.uri)
            return None if row is None else _preview(connection, place, row)

    def refresh(self) -> Run:
        """Ask for the playlists of who is logged in; returns at once. `playlists` tells them then."""
        return self._start([lookup.my_playlists_request()])

    @property
    def playlists(self) -> Table:
        """The liked songs and the playlists of who is logged in, as Spotify last said; empty before `refresh`.

        Rows with ``name``, ``owner``, ``total`` (items), ``link``, and ``playlist``: the id of the one that was
        imported from it, or None.
        """
        with self._library.catalog.read() as connection:
            row = lookups.get(connection, lookup.MY_PLAYLISTS)
            here = lookup.imported(connection)
        found = [] if row is None else row.document["playlists"]
        return Table(
            {
                **{name: one[name] for name in ("name", "owner", "total", "link")},
                "playlist": here[one["link"]].id if one["link"] in here else None,
            }
            for one in found
        )

    @property
    def playlists_at(self) -> datetime | None:
        """When Spotify was last asked for the playlists."""
        with self._library.catalog.read() as connection:
            row = lookups.get(connection, lookup.MY_PLAYLISTS)
        return None if row is None else row.fetched_at

    # -- bringing in -------------------------------------------------------------------------------------------------

    def add(self, *links: str, download: bool | None = None, stages: str | Sequence[str] = ()) -> Run:
        """Bring in what links lead to, as playlists; returns at once.

        Of a playlist that was brought in before, what is new is added; what a person took out of it stays out. Single
        songs go into a playlist of their own.

        Parameters
        ----------
        download
            Whether to download the songs that are not here; None for when downloads are switched on.
        stages
            What is done with these: some of ``separate``, ``analyze``, ``autocue``.

        Returns
        -------
        Run
            Grows by the downloads and by what is done with the songs.

        Raises
        ------
        ParameterError
            When one is no link to a song, an album or a playlist, or a stage is unknown.
        SetupError
            When songs are to be downloaded, and downloads are switched off.
        """
        places = [parse(link) for link in links]
        with self._library.catalog.read() as connection:
            if download:
                check_allowed(connection, self._library.settings)
            elif download is None:
                download = _downloads(connection, self._library.settings)
        names = [self._name(place) for place in places]
        return self._start(
            [
                lookup.import_request(place, name, download=download, stages=stages)
                for place, name in zip(places, names, strict=True)
            ],
            grows=True,
        )

    def _name(self, place: Link) -> str:
        """What people call it, as far as it is known."""
        with self._library.catalog.read() as connection:
            row = lookups.get(connection, place.uri)
        return "" if row is None else str(row.document["name"])

    def __repr__(self) -> str:
        state = self.state
        if not state.client:
            return "<Spotify: no id of a client yet>"
        said = {
            "none": "nobody is logged in",
            "waiting": "waits for you to agree in the browser",
            "working": "logging in",
            "done": f"{state.name or 'somebody'} is logged in",
            "failed": f"the login failed: {state.error}",
        }
        return f"<Spotify: {said[state.login]}>"


def _preview(connection: Connection, place: Link, row: lookups.LookupRow) -> Preview:
    found = songs.get_many(connection, lookup.songs_of(row))
    here = {track.id for track in tracks.get_many(connection, [one.track_id for one in found if one.track_id])}
    document = row.document
    return Preview(
        link=place.uri,
        kind=place.kind,
        name=document["name"],
        owner=document["owner"],
        url=place.url,
        total=document["total"],
        skipped=document["skipped"],
        note=document["note"],
        songs=Table(
            {
                "title": one.song.title,
                "artist": one.song.artist,
                "album": one.song.album,
                "duration": one.song.duration,
                "here": one.track_id in here,
            }
            for one in found
        ),
        fetched_at=row.fetched_at,
    )


def _downloads(connection: Connection, settings: Settings) -> bool:
    """Whether songs may be downloaded here."""
    try:
        check_allowed(connection, settings)
    except SetupError:
        return False
    return True
