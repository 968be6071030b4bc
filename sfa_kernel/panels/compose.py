"""The panels themselves: a widget, its handlers, and its live updates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sfa_widgets

from sfa_kernel.panels.analysis import analysis_handlers
from sfa_kernel.panels.automix import automix_handlers
from sfa_kernel.panels.decks import deck_handlers
from sfa_kernel.panels.downloads import download_handlers
from sfa_kernel.panels.engines import engine_handlers
from sfa_kernel.panels.exports import export_handlers
from sfa_kernel.panels.folders import folder_handlers
from sfa_kernel.panels.jobs import job_handlers
from sfa_kernel.panels.library import library_handlers
from sfa_kernel.panels.live import Live
from sfa_kernel.panels.player import player_handlers
from sfa_kernel.panels.playlists import playlist_handlers
from sfa_kernel.panels.presets import preset_handlers
from sfa_kernel.panels.recordings import recording_handlers
from sfa_kernel.panels.scripts import script_handlers
from sfa_kernel.panels.spotify import spotify_handlers
from sfa_kernel.panels.uploads import upload_handlers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.panels.library import Handler
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

__all__ = [
    "analysis_panel",
    "dashboard",
    "decks_panel",
    "import_panel",
    "jobs_panel",
    "library_panel",
    "mixer_panel",
    "player_panel",
    "playlists_panel",
]


def library_panel(
    studio: Studio, *, query: str = "", player: sfa_widgets.TrackPlayer | None = None
) -> sfa_widgets.LibraryTable:
    """The library as a table; a track that is opened goes to ``player``, or it says how to open one."""

    def on_open(track_id: UUID) -> None:
        if player is not None:
            player.load(str(track_id))
        else:
            hint = f'To see and hear it, run: studio.player("{str(track_id)[:8]}")'
            table.push("notice", {"level": "info", "text": hint})

    handlers = library_handlers(studio, on_open=on_open) | upload_handlers(studio) | _dialog_handlers(studio)
    table = sfa_widgets.LibraryTable(handlers | playlist_handlers(studio), query=query)
    Live(studio, table)
    return table


def playlists_panel(studio: Studio, playlist_id: UUID | None = None) -> sfa_widgets.PlaylistsView:
    """The playlists, one of them open when it is named."""

    def on_open(track_id: UUID) -> None:
        hint = f'To see and hear it, run: studio.player("{str(track_id)[:8]}")'
        view.push("notice", {"level": "info", "text": hint})

    handlers = library_handlers(studio, on_open=on_open) | upload_handlers(studio) | _dialog_handlers(studio)
    view = sfa_widgets.PlaylistsView(handlers | _source_handlers(studio), playlist_id=str(playlist_id or ""))
    Live(studio, view, sources=True)
    return view


def player_panel(studio: Studio, track_id: UUID | None = None) -> sfa_widgets.TrackPlayer:
    """A player, with a track in it when one is named."""

    def on_open(opened: UUID) -> None:
        player.load(str(opened))

    handlers = library_handlers(studio, on_open=on_open) | player_handlers(studio) | _dialog_handlers(studio)
    player = sfa_widgets.TrackPlayer(handlers, track_id=str(track_id) if track_id else "")
    Live(studio, player)
    return player


def mixer_panel(
    studio: Studio, track_id: UUID | None = None, *, shown: UUID | None = None, compare: UUID | None = None
) -> sfa_widgets.StemMixer:
    """The stems of a track: of the set in use or of the one that is named, beside a second set when it is named."""

    def on_open(opened: UUID) -> None:
        mixer.load(str(opened))

    handlers = library_handlers(studio, on_open=on_open) | player_handlers(studio) | _dialog_handlers(studio)
    mixer = sfa_widgets.StemMixer(
        handlers, track_id=str(track_id or ""), set_id=str(shown or ""), compare_id=str(compare or "")
    )
    Live(studio, mixer)
    return mixer


def analysis_panel(
    studio: Studio,
    track_id: UUID | None = None,
    *,
    compare: UUID | None = None,
    pictures: Sequence[str] | None = None,
) -> sfa_widgets.AnalysisView:
    """The pictures of a track's analysis, beside those of a second one when it is named."""

    def on_open(opened: UUID) -> None:
        view.load(str(opened))

    handlers = library_handlers(studio, on_open=on_open) | player_handlers(studio) | analysis_handlers(studio)
    chosen = {} if pictures is None else {"pictures": list(pictures)}
    view = sfa_widgets.AnalysisView(handlers, track_id=str(track_id or ""), compare_id=str(compare or ""), **chosen)
    Live(studio, view)
    return view


def decks_panel(studio: Studio) -> sfa_widgets.DeckConsole:
    """The decks of a studio, with what they are loaded from."""

    def on_open(track_id: UUID) -> None:
        console.push(
            "notice", {"level": "info", "text": f'To load it, run: studio.deck(1).load("{str(track_id)[:8]}")'}
        )

    handlers = library_handlers(studio, on_open=on_open) | player_handlers(studio) | analysis_handlers(studio)
    handlers |= playlist_handlers(studio) | job_handlers(studio)
    console = sfa_widgets.DeckConsole(handlers | _deck_handlers(studio))
    studio.decks().show_on(console)
    Live(studio, console, news=True, sources=True, decks=True)
    return console


def jobs_panel(studio: Studio, *, run: Run | None = None) -> sfa_widgets.JobsBoard:
    """The job board; of one run only, when it is named."""
    board = sfa_widgets.JobsBoard(job_handlers(studio, only=run), compact=run is not None)
    Live(studio, board, only=run, news=run is None)
    return board


def import_panel(studio: Studio, link: str = "") -> sfa_widgets.ImportPanel:
    """What brings songs in; a ``link`` is looked at once it is shown."""
    panel = sfa_widgets.ImportPanel(
        upload_handlers(studio) | _dialog_handlers(studio) | _source_handlers(studio), link=link
    )
    Live(studio, panel, sources=True)
    return panel


def dashboard(studio: Studio) -> sfa_widgets.Dashboard:
    """The whole studio on one page."""

    def on_open(track_id: UUID) -> None:
        page.push("player.open", {"id": str(track_id)})

    page = sfa_widgets.Dashboard(
        library_handlers(studio, on_open=on_open)
        | player_handlers(studio)
        | analysis_handlers(studio)
        | _deck_handlers(studio)
        | upload_handlers(studio)
        | _dialog_handlers(studio)
        | _source_handlers(studio)
    )
    studio.decks().show_on(page)
    Live(studio, page, news=True, sources=True, decks=True)
    return page


def _dialog_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of what separates and exports; it watches its own jobs."""
    return engine_handlers(studio) | export_handlers(studio) | job_handlers(studio)


def _deck_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of the decks, of what plays on them by itself, and of what is kept of it."""
    kept = script_handlers(studio) | preset_handlers(studio) | recording_handlers(studio)
    return deck_handlers(studio) | automix_handlers(studio) | kept


def _source_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of playlists, and of where songs come from."""
    return playlist_handlers(studio) | folder_handlers(studio) | spotify_handlers(studio) | download_handlers(studio)
