"""A mix that plays by itself, as a person in a notebook holds it."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.control.given import number
from sfa_kernel.dj.automix import Mix
from sfa_kernel.dj.mixpoints import MixSong
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.library import Track, clock
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sfa_kernel.control.script import Script
    from sfa_kernel.studio import Studio

__all__ = ["AutoMix", "AutoMixes"]

MOST_SONGS = 200
MOST_PLANS = 20  # that a studio remembers


class AutoMix:
    """Songs in order, with a transition between each two that follow each other.

    Parameters
    ----------
    studio
        Whose songs, and whose decks play them.
    tracks
        In order.

    Raises
    ------
    ParameterError
        When there is no song, or more than 200.

    Examples
    --------
    >>> night = studio.automix(studio.playlists["Friday night"])            # doctest: +SKIP
    >>> night.transitions                                                   # doctest: +SKIP
    >>> night.change(2, kind="echo out", bars=4)                            # doctest: +SKIP
    >>> night.play()                                                        # doctest: +SKIP
    """

    def __init__(self, studio: Studio, tracks: Iterable[Track]) -> None:
        self.id = uuid4()
        self._studio = studio
        self._lock = threading.Lock()  # cells and pages change it
        self._known: dict[UUID, Track] = {}
        self._mix = Mix((), ())
        self._put(list(tracks))

    @property
    def songs(self) -> list[Track]:
        """The songs in order; set, what follows each other as before meets as before.

        Raises
        ------
        ParameterError
            When there is no song, or more than 200.
        """
        return self.songs_of(self._mix)

    @songs.setter
    def songs(self, tracks: Iterable[Track]) -> None:
        with self._lock:
            self._put(list(tracks))
        self._tell()

    def _put(self, tracks: list[Track]) -> None:
        if len(tracks) > MOST_SONGS:
            raise ParameterError(
                f"{len(tracks)} songs are more than one mix takes.", hint=f"Choose up to {MOST_SONGS} of them."
            )
        known = {song.id: song for song in self._mix.songs}
        self._known |= {track.id: track for track in tracks}
        self._mix = self._mix.with_songs([known.get(track.id) or _song(track) for track in tracks])

    def songs_of(self, mix: Mix) -> list[Track]:
        """The songs of a `mix` that this one was."""
        return [self._known[song.id] for song in mix.songs]

    def _tell(self) -> None:
        """Pages that show the plan look at it again."""
        self._studio.decks().tell("automix.plan", {"plan": str(self.id), "play": False})

    @property
    def mix(self) -> Mix:
        """What is planned."""
        return self._mix

    @property
    def transitions(self) -> Table:
        """What happens between the songs, a row each; `change` changes it."""
        mix = self._mix
        songs, starts = self.songs_of(mix), mix.script().starts[1:]
        return Table(
            {
                "transition": number,
                "from": songs[number].title,
                "to": songs[number + 1].title,
                **asdict(transition),
                "starts": clock(start),
            }
            for number, (transition, start) in enumerate(zip(mix.transitions, starts, strict=True))
        )

    @property
    def duration(self) -> float:
        """How long it plays, in s."""
        return self._mix.script().script.duration

    def change(self, transition: int, /, **change: Any) -> AutoMix:
        """Change one transition; what a song is now too short for moves along.

        Parameters
        ----------
        transition
            Its number, from 0.
        **change
            ``kind`` ("cut", "blend", "bass swap", "echo out", "stem swap"), ``bars``, and the places ``out_at`` and
            ``in_at`` in s of the song that goes and of the one that comes.

        Raises
        ------
        ParameterError
            When there is no such transition, or the songs do not allow it.
        """
        for name in ("out_at", "in_at"):
            if name in change and number(change[name]) is None:
                raise ParameterError(f"{name} is a place in a song, in seconds.", hint="Give a number, such as 92.5.")
        with self._lock:
            self._mix = self._mix.changed(transition, **change)
        self._tell()
        return self

    def play(self) -> None:
        """Let decks 1 and 2 play it from its first song; what is changed from now on is played as changed.

        Raises
        ------
        SetupError
            When no page plays the decks.
        """
        self._studio.decks().ask("automix.plan", plan=str(self.id), play=True)

    def script(self, sample_rate: int = 48000) -> Script:
        """The mix as timed changes of controls: to be saved, edited, played or rendered like any script."""
        return self._mix.script(sample_rate).script

    def __repr__(self) -> str:
        return f"AutoMix({len(self._mix.songs)} songs, {clock(self.duration)})"

    def _repr_html_(self) -> str:
        return f"<p>{len(self._mix.songs)} songs, {clock(self.duration)}</p>{self.transitions._repr_html_()}"


def _song(track: Track) -> MixSong:
    return MixSong.of(track.id, track.duration, track.analysis, tuple(track.stems))


class AutoMixes:
    """The mixes that were planned last, so that cells and pages can go on with each other's."""

    def __init__(self) -> None:
        self._mixes: dict[str, AutoMix] = {}
        self._lock = threading.Lock()

    def add(self, mix: AutoMix) -> AutoMix:
        """Remember one; of too many, the one that nobody has looked at for longest is forgotten."""
        with self._lock:
            self._mixes.pop(str(mix.id), None)
            self._mixes[str(mix.id)] = mix
            for oldest in list(self._mixes)[:-MOST_PLANS]:
                del self._mixes[oldest]
        return mix

    def get(self, identifier: str) -> AutoMix:
        """One of them by its id.

        Raises
        ------
        NotFoundError
            When it is not known, as after a kernel has started anew.
        """
        mix = self._mixes.get(identifier)
        if mix is None:
            raise NotFoundError("That plan is not there any more.", hint="Plan the mix again.")
        return self.add(mix)
