"""``studio.downloads``: whether songs may be downloaded here, with what, and which."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from sfa_kernel.catalog import preferences
from sfa_kernel.catalog.songs import SongRow
from sfa_kernel.errors import ParameterError, SetupError
from sfa_kernel.pipeline.download import check_allowed, requests
from sfa_kernel.pipeline.tools import tools_request
from sfa_kernel.playlists import Playlist
from sfa_kernel.sources.downloads import NOTICE, tools
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sfa_kernel.jobs import JobRequest
    from sfa_kernel.library import Library
    from sfa_kernel.runs import Run
    from sfa_kernel.sources.downloads.tools import Health

__all__ = ["Downloads"]


class Downloads:
    """Downloads of songs that others name. They are off until somebody switches them on.

    Parameters
    ----------
    library
        Whose.
    start
        Queues jobs and returns their run.
    """

    notice = NOTICE
    """What whoever switches them on agrees to."""

    def __init__(self, library: Library, *, start: Callable[..., Run]) -> None:
        self._library = library
        self._start = start

    @property
    def allowed(self) -> bool:
        """Whether this installation lets people switch them on."""
        return self._library.settings.downloads_allowed

    @property
    def on(self) -> bool:
        """Whether songs may be downloaded now."""
        with self._library.catalog.read() as connection:
            return self.allowed and bool(preferences.get(connection, preferences.DOWNLOADS, False))

    def switch_on(self, *, agreed: bool = False) -> None:
        """Let songs be downloaded into this library.

        Parameters
        ----------
        agreed
            Whether a person has read `notice` and agrees.

        Raises
        ------
        ParameterError
            When nobody has agreed; the message is what there is to agree to.
        SetupError
            When this installation does not allow it.
        """
        if not self.allowed:
            raise SetupError("Downloads are not allowed in this installation.", hint="Add files that you have.")
        if not agreed:
            raise ParameterError(NOTICE, hint="With agreed=True you agree, and they are switched on.")
        self._switch(True)

    def switch_off(self) -> None:
        """Let no more songs be downloaded; those that wait are called off."""
        self._switch(False)
        ledger = self._library.ledger
        ledger.cancel([job.id for job in ledger.jobs(statuses=("queued",), kind="download", limit=1_000_000_000)])

    def _switch(self, on: bool) -> None:
        catalog, bus = self._library.catalog, self._library.bus
        with catalog.write() as connection:
            preferences.put(connection, preferences.DOWNLOADS, on)
            catalog.after_commit(partial(bus.publish, "sources", {"what": ["downloads"]}))

    @property
    def health(self) -> list[Health]:
        """How each program is; asks those whose version nobody noted, which may take a second or two."""
        return tools.check_all(self._library.settings)

    @property
    def tools(self) -> Table:
        """The programs that download: ``tool``, ``ready``, ``detail`` and ``hint``."""
        return Table(
            {"tool": one.name, "ready": one.ok, "detail": one.detail, "hint": one.hint or None} for one in self.health
        )

    def install(self, *names: str) -> Run:
        """Set programs up, each in an environment of its own, for all libraries; returns at once.

        Parameters
        ----------
        names
            Such as ``"spotdl"``, ``"yt-dlp"``, ``"deno"``; those three when none is named.

        Raises
        ------
        ParameterError
            When there is no such program.
        SetupError
            When one cannot be set up from here; the hint says how to get it.
        """
        wanted = names or tuple(name for name, tool in tools.TOOLS.items() if tool.requirement)
        run = self._start([tools_request(name) for name in dict.fromkeys(wanted)])
        self._library.bus.publish("sources", {"what": ["tools"]})
        return run

    def get(self, songs: Playlist | Iterable[SongRow | UUID | str], *, stages: str | Sequence[str] = ()) -> Run:
        """Download songs that are not here; returns at once.

        Parameters
        ----------
        songs
            A playlist, or songs, which may be named by their ids. What is here already is left out.
        stages
            What is done with each once it is here.

        Raises
        ------
        SetupError
            When downloads are not allowed, or switched off.
        ParameterError
            When a stage is unknown, something is no song, or nothing is missing.

        Examples
        --------
        >>> await studio.downloads.get(studio.playlists["Friday"], stages="analyze")    # doctest: +SKIP
        """
        ids = _ids(songs)
        names = [name.strip() for name in stages.split(",")] if isinstance(stages, str) else list(stages)
        with self._library.catalog.write() as connection:
            check_allowed(connection, self._library.settings)
            wanted: list[JobRequest] = requests(connection, ids, [name for name in names if name])
        if not wanted:
            raise ParameterError("There is nothing to download: all of these songs are here.")
        return self._start(wanted, grows=True)

    def __repr__(self) -> str:
        if not self.allowed:
            return "<downloads: not allowed in this installation>"
        return f"<downloads: {'on' if self.on else 'off; studio.downloads.switch_on() says what to agree to'}>"


def _ids(songs: Playlist | Iterable[SongRow | UUID | str]) -> list[UUID]:
    """The ids of songs, or of those that a playlist has not got."""
    if isinstance(songs, str):
        raise ParameterError(f"{songs!r} is no list of songs.", hint="Name a playlist: studio.playlists[...]")
    try:
        chosen = songs.missing if isinstance(songs, Playlist) else songs
        return [song.id if isinstance(song, SongRow) else UUID(str(song)) for song in chosen]
    except (TypeError, ValueError) as error:
        raise ParameterError("These are no songs.", hint="Name a playlist, or songs by their ids.") from error
