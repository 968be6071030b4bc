"""The studio as a person in a notebook holds it: it shows itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_widgets.figures import PICTURES

from sfa_kernel import playlists, runs, studio
from sfa_kernel.catalog import stems
from sfa_kernel.decks import Decks
from sfa_kernel.errors import ParameterError
from sfa_kernel.library import Track
from sfa_kernel.panels.compose import (
    analysis_panel,
    dashboard,
    decks_panel,
    import_panel,
    jobs_panel,
    library_panel,
    mixer_panel,
    player_panel,
    playlists_panel,
)
from sfa_kernel.sources.spotify.links import parse
from sfa_kernel.stemset import StemSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sfa_widgets

__all__ = ["Studio"]


class ShownRun(runs.Run):
    """A run that is displayed as live progress."""

    _library: studio.Studio
    _board: sfa_widgets.JobsBoard | None = None

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if self._board is None:
            self._board = jobs_panel(self._library, run=self)
        return _shown(self, self._board, options)


class ShownJobs(runs.Jobs):
    """The jobs of a library, displayed as the live job board."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio, on_queued=studio._work_if_wanted)
        self._studio = studio

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return _shown(self, self._studio._board(), options)


class ShownPlaylists(playlists.Playlists):
    """The playlists of a library, displayed as a widget."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(studio)
        self._studio = studio

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return _shown(self, self._studio._lists(), options)


class ShownDecks(Decks):
    """The decks, displayed as a widget that plays them."""

    library: Studio
    _widget: sfa_widgets.DeckConsole | None = None

    def _repr_mimebundle_(self, **options: Any) -> Any:
        if self._widget is None or self._widget.comm is None:  # one, in however many cells it is shown
            self._widget = decks_panel(self.library)
        return _shown(self, self._widget, options)


class Studio(studio.Studio):
    """A `sfa_kernel.studio.Studio` with its widgets."""

    run_type = ShownRun
    decks_type = ShownDecks
    _shown_board: sfa_widgets.JobsBoard | None = None
    _shown_lists: sfa_widgets.PlaylistsView | None = None

    @property
    def playlists(self) -> ShownPlaylists:
        """Lists of songs: one's own, imported ones, and smart ones; displayed, a widget to arrange them."""
        return ShownPlaylists(self)

    def _lists(self) -> sfa_widgets.PlaylistsView:
        """One view, in however many cells it is shown."""
        if self._shown_lists is None or self._shown_lists.comm is None:
            self._shown_lists = playlists_panel(self)
        return self._shown_lists

    @property
    def jobs(self) -> ShownJobs:
        """The newest jobs; displayed, the job board: queues, progress, failures, logs."""
        return ShownJobs(self)

    def _board(self) -> sfa_widgets.JobsBoard:
        """One board, in however many cells it is shown."""
        if self._shown_board is None or self._shown_board.comm is None:
            self._shown_board = jobs_panel(self)
        return self._shown_board

    def library(self, query: str = "", *, player: sfa_widgets.TrackPlayer | None = None) -> sfa_widgets.LibraryTable:
        """The library as a widget: search, sort, select; what is opened there goes to ``player``."""
        return library_panel(self, query=query, player=player)

    def player(self, track: Track | str | UUID | None = None) -> sfa_widgets.TrackPlayer:
        """A player as a widget: waveform, beat grid, sections, cues, stems."""
        return player_panel(self, self._one(track))

    def mixer(
        self,
        track: Track | str | UUID | None = None,
        set: StemSet | str | UUID | None = None,  # noqa: A002 - a studio's word
        compare: StemSet | str | UUID | None = None,
    ) -> sfa_widgets.StemMixer:
        """The stems of a track as a widget: fader, mute, solo, pan, meter and waveform of each.

        Parameters
        ----------
        track
            Whose stems.
        set
            One of its ``separations``, also a preview; the one in use when none is named.
        compare
            A second one of the same part of the song, to be heard stem by stem beside the first.

        Returns
        -------
        StemMixer
            With ``mix``, what each stem is set to, which can be set; ``play()``, ``pause()``, ``seek(seconds)``.

        Raises
        ------
        NotFoundError
            When there is no such track or set.
        ParameterError
            When a set is not of this track, or the two are of different parts of it.

        Examples
        --------
        >>> mixer = studio.mixer(track)                            # doctest: +SKIP
        >>> mixer.mix = {"vocals": {"muted": True}}                # doctest: +SKIP
        """
        opened = self._one(track)
        shown, other = self._set(opened, set), self._set(opened, compare)
        if opened is not None and other is not None:
            first = shown or self.track(opened).separation
            if first is not None and first.region != other.region:
                raise ParameterError(
                    "Two sets can be compared when they are of the same part of the song.",
                    hint="Name a preview of the same region, or two sets of the whole song.",
                )
        return mixer_panel(
            self,
            opened,
            shown=None if shown is None else shown.id,
            compare=None if other is None else other.id,
        )

    def _set(self, track: UUID | None, chosen: StemSet | str | UUID | None) -> StemSet | None:
        """The set of stems that is meant."""
        if chosen is None:
            return None
        try:
            identifier = chosen.id if isinstance(chosen, StemSet) else UUID(str(chosen))
        except ValueError:
            raise ParameterError(f"{chosen!r} names no set of stems.", hint="Take one of track.separations.") from None
        with self.catalog.read() as connection:
            made = StemSet(self, stems.get(connection, identifier))
        if made.row.track_id != track:
            raise ParameterError("This set of stems is of another track.", hint="Take one of track.separations.")
        return made

    def pictures(
        self,
        track: Track | str | UUID | None = None,
        compare: Track | str | UUID | None = None,
        *,
        pictures: str | Sequence[str] | None = None,
    ) -> sfa_widgets.AnalysisView:
        """The pictures of an analysis as a widget, all on one time axis; what is marked in it is ``selection``.

        Parameters
        ----------
        track
            Whose analysis.
        compare
            A second track to show under the first.
        pictures
            One or some of ``"features"``, ``"structure"``, ``"grid"``, ``"energy"``, ``"chroma"``, ``"spectrum"``
            and ``"mfcc"``; all of them without.

        Returns
        -------
        AnalysisView
            With ``play()``, ``pause()``, ``seek(seconds)``, and ``selection`` as [start, end] in s.

        Raises
        ------
        NotFoundError
            When there is no such track.
        ParameterError
            When there is no such picture.

        Examples
        --------
        >>> view = studio.pictures(track, pictures=["structure", "chroma"])     # doctest: +SKIP
        >>> view.selection                                                      # doctest: +SKIP
        [75.38, 90.46]
        """
        names = [pictures] if isinstance(pictures, str) else pictures
        for name in names or ():
            if name not in PICTURES:
                raise ParameterError(f"There is no picture {name!r}.", hint=f"Choose from {', '.join(PICTURES)}.")
        return analysis_panel(self, self._one(track), compare=self._one(compare), pictures=names)

    def _one(self, track: Track | str | UUID | None) -> UUID | None:
        return None if track is None else track.id if isinstance(track, Track) else self.track(track).id

    def importer(self, link: str = "") -> sfa_widgets.ImportPanel:
        """Brings songs in, as a widget: files, a link, a folder, the playlists of an account.

        Parameters
        ----------
        link
            A link to a song, an album or a playlist that is looked at when the widget is shown.

        Returns
        -------
        ImportPanel
            Nothing is brought in before a person says so in it; `add` does it at once.

        Raises
        ------
        ParameterError
            When the link is none.
        """
        return import_panel(self, parse(link).uri if link else "")

    def dashboard(self) -> sfa_widgets.Dashboard:
        """The whole studio on one page."""
        return dashboard(self)


def _shown(thing: object, widget: sfa_widgets.SfaWidget, options: dict[str, Any]) -> Any:
    """A widget in place of a thing, which speaks for itself where there are no widgets."""
    bundle = widget._repr_mimebundle_(**options)
    if bundle is None:
        return None
    data, metadata = bundle
    return {**data, "text/plain": repr(thing)}, metadata
