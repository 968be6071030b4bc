"""Widgets for music: library, playlists, player, stem mixer, decks, pictures of an analysis, jobs, and a dashboard.

The widgets know arrays, dicts and messages; where songs, stems and jobs come from is the business of the
handlers they are given:

>>> from sfa_widgets import LibraryTable
>>> table = LibraryTable({"tracks.page": lambda params, buffers: {"total": 0, "rows": []}})  # doctest: +SKIP
"""

from __future__ import annotations

from sfa_widgets._base import Handler, SfaWidget, WidgetsNotBuiltError
from sfa_widgets._widgets import (
    AnalysisView,
    Dashboard,
    DeckConsole,
    ImportPanel,
    JobsBoard,
    LibraryTable,
    PlaylistsView,
    StemMixer,
    TrackPlayer,
)

__all__ = [
    "AnalysisView",
    "Dashboard",
    "DeckConsole",
    "Handler",
    "ImportPanel",
    "JobsBoard",
    "LibraryTable",
    "PlaylistsView",
    "SfaWidget",
    "StemMixer",
    "TrackPlayer",
    "WidgetsNotBuiltError",
]
