"""Jobs that ask Spotify: what a link leads to, which playlists somebody has, who has logged in.

What it says is written down, so that a page can show it again and an import need not ask twice. Songs of a long list
are kept page by page while they come; a job that has to wait, or is killed, goes on where it was.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import lookups, playlists, songs
from sfa_kernel.errors import FatalJobError, ParameterError, RetryableJobError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline import download
from sfa_kernel.pipeline.stages import parse_stages
from sfa_kernel.sources.spotify.links import LIKED, Link, parse
from sfa_kernel.sources.spotify.tokens import access

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.catalog.playlists import PlaylistRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.sources.spotify.gather import Gathered
    from sfa_kernel.sources.spotify.shapes import Listing
    from sfa_kernel.storage import FileChanges

__all__ = [
    "LOGIN_FAILED",
    "LOGIN_KEY",
    "LOOKUP",
    "MY_PLAYLISTS",
    "OF_WHO_IS_LOGGED_IN",
    "SERVICE",
    "LoginNews",
    "import_request",
    "imported",
    "login_request",
    "look_request",
    "my_playlists_request",
    "songs_of",
]

SERVICE = "Spotify"
MY_PLAYLISTS = "spotify:me:playlists"
LOGIN_FAILED = "spotify:login"  # why the last login failed
OF_WHO_IS_LOGGED_IN = (MY_PLAYLISTS, LIKED.uri)
LOGIN_KEY = "lookup:login"
TIME_LIMIT = 1800.0  # s: tens of thousands of liked songs, with waits
SOON = 1  # somebody waits for the answer
IMPORT_ATTEMPTS = 6  # each long wait that the service asks for is one

_OWNER = "spotify"  # the service of songs and playlists
_SINGLES, _SINGLES_NAME = "spotify:tracks", "Songs from Spotify"  # of songs that were asked for one by one
_KINDS = {"track": "Song", "album": "Album", "playlist": "Playlist", "liked": "Liked songs"}


def look_request(link: Link, name: str = "") -> JobRequest:
    """The job that asks what a link leads to, which may have a ``name`` for people."""
    return _request({"action": "look", "link": link.uri, "title": _title(link, name)}, f"lookup:look:{link.uri}")


def import_request(link: Link, name: str = "", *, download: bool = False, stages: Sequence[str] = ()) -> JobRequest:
    """The job that writes what a link leads to as a playlist, and with ``download`` queues its songs.

    Parameters
    ----------
    link, name
        Where it is, and its name for people as far as known.
    download
        Whether to download the songs that are not here.
    stages
        What is done with these.

    Raises
    ------
    ParameterError
        When a stage is unknown, or stages are named for songs that nobody downloads.
    """
    names = list(parse_stages(stages)) if stages else []
    if names and not download:
        raise ParameterError(
            "Nothing can be done with songs that are not here.", hint="Download them too, or name no stages."
        )
    arguments = {"action": "import", "link": link.uri, "download": download, "stages": names}
    key = f"lookup:import:{link.uri}:{download}:{','.join(names)}"
    return _request({**arguments, "title": _title(link, name)}, key, max_attempts=IMPORT_ATTEMPTS)


def my_playlists_request() -> JobRequest:
    """The job that asks for the playlists of who is logged in."""
    return _request({"action": "my_playlists", "title": "Playlists at Spotify"}, "lookup:my_playlists")


def login_request() -> JobRequest:
    """The job that completes a login: a person has agreed, and Spotify has said so."""
    return _request({"action": "login", "title": "Login to Spotify"}, LOGIN_KEY)


def _request(arguments: dict[str, Any], key: str, *, max_attempts: int = 3) -> JobRequest:
    return JobRequest(
        kind=LOOKUP.name,
        queue=LOOKUP.queue,
        track_id=None,
        arguments=arguments,
        unique_key=key,
        priority=SOON,
        max_attempts=max_attempts,
        service=SERVICE,
    )


def _title(link: Link, name: str) -> str:
    return name or f"{_KINDS[link.kind]} at Spotify"


class LoginNews:
    """Watches a ledger's transitions: how a login stands is told whenever its job begins or ends.

    Parameters
    ----------
    ledger
        Whose observer it is.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, connection: Connection, job: JobRow) -> None:
        """Look at one transition, inside its transaction."""
        if job.unique_key == LOGIN_KEY:
            _tell(self._ledger, "spotify")


def _tell(ledger: Ledger, what: str) -> None:
    ledger.catalog.after_commit(partial(ledger.bus.publish, "sources", {"what": [what]}))


def songs_of(row: lookups.LookupRow) -> list[UUID]:
    """The ids of the songs that a link leads to."""
    return [UUID(text) for text in row.document["songs"]]


def imported(connection: Connection) -> dict[str, PlaylistRow]:
    """The playlists that came from Spotify, by the link of each."""
    return {row.key: row for row in playlists.listing(connection) if row.service == _OWNER and row.key is not None}


# -- the steps ---------------------------------------------------------------------------------------------------


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    arguments = job.arguments
    if arguments.get("download"):
        download.check_allowed(connection, ground.settings)
    link = arguments.get("link")
    return Plan(
        {
            "action": arguments["action"],
            "link": link,
            "known": None if link is None else _known(connection, link),
            "pages": ground.storage.path("runs/spotify"),
            "access": access(ground.settings),
        },
        time_limit=TIME_LIMIT,
    )


def _known(connection: Connection, link: str) -> str | None:
    """The version of a list of which all songs are written down."""
    row = lookups.get(connection, link)
    if row is None or row.snapshot is None:
        return None
    ids = songs_of(row)
    return row.snapshot if len(songs.get_many(connection, ids)) == len(ids) else None


def work(
    *,
    action: str,
    link: str | None,
    known: str | None,
    pages: Path,
    access: dict[str, Any],
    scratch: Path,
    progress: Progress,
) -> Any:
    """Ask Spotify.

    Parameters
    ----------
    action
        ``look``, ``import``, ``my_playlists`` or ``login``.
    link
        Where to look.
    known
        The version of what is there of which all songs are known.
    pages
        Where songs of long lists are kept while they come.
    access
        See `sfa_kernel.sources.spotify.tokens.access`.

    Returns
    -------
    object
        Of a link a `sfa_kernel.sources.spotify.gather.Gathered`; a list of playlists; or the name of who has logged in.
    """
    from sfa_kernel.sources.spotify.client import Client
    from sfa_kernel.sources.spotify.gather import gather
    from sfa_kernel.sources.spotify.login import exchange
    from sfa_kernel.sources.spotify.tokens import Tokens

    tokens = Tokens(access)
    if action == "login":
        return exchange(access).name
    if action == "my_playlists":
        with Client(access["url"], tokens.user) as client:
            return [client.liked(), *client.my_playlists()]
    place = parse(str(link))
    with Client(access["url"], tokens.user if place == LIKED else tokens.best) as client:
        gathered = gather(client, place, pages, known=known, progress=progress)
    if action == "import" and gathered.listing.note is not None:
        raise FatalJobError(gathered.listing.note)
    return gathered


def _commit(connection: Connection, job: JobRow, result: Any, files: FileChanges) -> str:
    action = job.arguments["action"]
    if action == "login":
        lookups.forget(connection, LOGIN_FAILED, *OF_WHO_IS_LOGGED_IN)
        return f"{result or 'Somebody'} is logged in to Spotify."
    if action == "my_playlists":
        return _write_my_playlists(connection, result)
    gathered: Gathered = result
    if gathered.pages is not None:
        files.drop([files.storage.name(gathered.pages)])
    link = parse(job.arguments["link"])
    song_ids = _write_songs(connection, link, gathered)
    job_table.note(connection, job.id, {"title": gathered.listing.name})
    if gathered.listing.note is not None:
        return f"{gathered.listing.name}: {gathered.listing.note}"
    here = songs.match(connection, song_ids)
    said = f"{gathered.listing.name}: {_many(len(song_ids), 'song')}, {len(here):,} of them here"
    if action == "look":
        return f"{said}."
    row, new = _write_playlist(connection, link, gathered, song_ids)
    absent = len(song_ids) - len(here)
    job_table.note(connection, job.id, {"playlists": [str(row.id)], "new": new, "absent": absent})
    where = "" if row.name == gathered.listing.name else f" “{row.name}”"
    return f"{said}, {new:,} new in the playlist{where}."


def _many(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _write_my_playlists(connection: Connection, found: Sequence[Listing]) -> str:
    rows = [{"link": one.link.uri, "name": one.name, "owner": one.owner, "total": one.total} for one in found]
    lookups.put(connection, MY_PLAYLISTS, {"playlists": rows})
    return f"Lists of songs: {len(rows):,}."


def _write_songs(connection: Connection, link: Link, gathered: Gathered) -> list[UUID]:
    """Write what a link leads to. Returns the ids of its songs."""
    listing = gathered.listing
    if gathered.songs is not None:
        ids, skipped = songs.put(connection, gathered.songs), gathered.skipped
    else:
        row = lookups.get(connection, link.uri)
        if row is None:
            raise RetryableJobError("What Spotify had said of this link was forgotten meanwhile.")
        ids, skipped = songs_of(row), row.document["skipped"]
    document = {
        "name": listing.name,
        "owner": listing.owner,
        "total": listing.total,
        "skipped": skipped,
        "note": listing.note,
        "songs": [str(song_id) for song_id in ids],
    }
    # Songs that were not told may be told another time, of the same version.
    lookups.put(connection, link.uri, document, snapshot=gathered.version if listing.note is None else None)
    return ids


def _write_playlist(
    connection: Connection, link: Link, gathered: Gathered, song_ids: Sequence[UUID]
) -> tuple[PlaylistRow, int]:
    """Write a playlist, or what is new of it. Returns it, and how many of its songs are new."""
    listing = gathered.listing
    if link.kind == "track":
        return playlists.imported(connection, service=_OWNER, key=_SINGLES, name=_SINGLES_NAME, song_ids=song_ids)
    return playlists.imported(
        connection,
        service=_OWNER,
        key=link.uri,
        name=listing.name,
        song_ids=song_ids,
        url=link.url,
        owner=listing.owner,
        description=listing.description,
        snapshot=gathered.version,
    )


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Any) -> None:
    action = job.arguments["action"]
    if action == "login":
        ledger.enqueue(connection, my_playlists_request())
        return
    _tell(ledger, "lookups")
    if action != "import":
        return
    link = parse(job.arguments["link"])
    row = imported(connection)[_SINGLES if link.kind == "track" else link.uri]
    ledger.catalog.after_commit(partial(ledger.bus.publish, "playlists", {"changed": [str(row.id)]}))
    if job.arguments["download"]:
        told = lookups.get(connection, link.uri)
        asked = set() if told is None else set(songs_of(told))
        # What a person took out of the playlist, or out of the library, is not wanted.
        absent = [song_id for song_id in playlists.missing(connection, row) if song_id in asked]
        wanted = [song.id for song in songs.get_many(connection, absent) if song.track_id is None]
        requests = download.requests(connection, wanted, job.arguments["stages"], job.batch_id)
        ledger.enqueue_all(connection, requests)


def _failed(connection: Connection, job: JobRow, reason: str, final: bool) -> None:
    if final and job.arguments["action"] == "login":
        lookups.put(connection, LOGIN_FAILED, {"error": reason})


LOOKUP = Kind(
    name="lookup",
    queue="lookup",
    prepare=_prepare,
    work=work,
    commit=_commit,
    failed=_failed,
    follow=_follow,
)
