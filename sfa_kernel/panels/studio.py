"""The studio as a person in a notebook holds it: it shows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel import runs, studio
from sfa_kernel.library import Track
from sfa_kernel.panels.compose import dashboard, jobs_panel, library_panel, player_panel

if TYPE_CHECKING:
    from uuid import UUID

    import sfa_widgets

__all__ = ["Studio"]


class ShownRun(runs.Run):
    """A run that is displayed as live progress."""

    _library: studio.Studio
    _board: sfa_widgets.JobsBoard | None = None

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if self._board is None:
            self._board = jobs_panel(self._library, ids=self.ids)
        return self._board._repr_mimebundle_(**options)


class Studio(studio.Studio):
    """A `sfa_kernel.studio.Studio` with its widgets."""

    run_type = ShownRun

    def library(self, query: str = "", *, player: sfa_widgets.TrackPlayer | None = None) -> sfa_widgets.LibraryTable:
        """The library as a widget: search, sort, select; what is opened there goes to ``player``."""
        return library_panel(self, query=query, player=player)

    def player(self, track: Track | str | UUID | None = None) -> sfa_widgets.TrackPlayer:
        """A player as a widget: waveform, beat grid, sections, cues, stems."""
        chosen = None if track is None else track.id if isinstance(track, Track) else self.track(track).id
        return player_panel(self, chosen)

    def board(self) -> sfa_widgets.JobsBoard:
        """The job board as a widget."""
        return jobs_panel(self)

    def dashboard(self) -> sfa_widgets.Dashboard:
        """The whole studio on one page."""
        return dashboard(self)
