"""``studio.deck(1)``: one deck, as a person in a notebook holds it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import stems as stem_table
from sfa_kernel.catalog import tracks as track_table
from sfa_kernel.control import control
from sfa_kernel.decks.parts import Effects, Equaliser, Kills, Stems
from sfa_kernel.decks.setting import Section, Setting
from sfa_kernel.errors import BusyError, NotFoundError, ParameterError
from sfa_kernel.library import Track, clock
from sfa_kernel.pipeline.originals import present

if TYPE_CHECKING:
    from collections.abc import Callable

    from sfa_kernel.catalog.cues import CueRow
    from sfa_kernel.control import Change, Observer
    from sfa_kernel.decks.decks import Decks

__all__ = ["Deck"]

LOOK_SECONDS = 0.1  # how often a deck that is waited for is looked at


class Deck(Section):
    """One deck. What is set here is set on the page as well, and the other way round.

    Attributes
    ----------
    number
        1 to 4.
    pitch
        How much faster than the song it plays, in per cent, -50 to 50.
    keylock
        Whether the key stays as the tempo changes.
    key_shift
        In semitones, -12 to 12.
    sync, leader
        Whether it follows the tempo of the leader; whether it is the one that others follow.
    quantize
        Whether what is set falls on beats, and jumps keep in time.
    slip, reverse
        Whether the song goes on underneath loops and scratches; whether it plays backwards.
    looping
        Whether the loop is in force.
    roll
        Length of a loop roll in beats; 0 ends it where the song would be by then.
    bend
        Nudges the tempo for as long as it is not 0, -1 to 1.
    volume
        Of its fader, 0 to 1.
    gain
        In dB, -26 to 12.
    filter
        -1 (low-pass) to 1 (high-pass); 0 is open.
    assign
        Its side of the crossfader: ``"left"``, ``"through"`` or ``"right"``.
    headphones
        Whether it is heard in the headphones.
    plays_stems
        Whether the song's stems are played, where it has some, instead of the song.

    Examples
    --------
    >>> deck = studio.deck(1)                               # doctest: +SKIP
    >>> deck.load(track); deck.play(); deck.tempo = 126     # doctest: +SKIP
    >>> deck.hotcue(1)                                      # doctest: +SKIP
    >>> deck.stems["vocals"].mute = True                    # doctest: +SKIP
    >>> deck.position                                       # doctest: +SKIP
    31.25
    """

    __slots__ = ("_decks", "number")
    pitch = Setting("pitch", float)
    keylock = Setting("keylock", bool)
    key_shift = Setting("key_shift", float)
    sync = Setting("sync", bool)
    leader = Setting("leader", bool)
    quantize = Setting("quantize", bool)
    slip = Setting("slip", bool)
    reverse = Setting("reverse", bool)
    looping = Setting("loop.active", bool)
    roll = Setting("roll", float)
    bend = Setting("bend", float)
    volume = Setting("volume", float)
    gain = Setting("gain", float)
    filter = Setting("filter", float)
    assign = Setting("assign", str)
    headphones = Setting("headphones", bool)
    plays_stems = Setting("stems", bool)

    def __init__(self, decks: Decks, number: int) -> None:
        super().__init__(decks.controls, f"deck.{number}.")
        self._decks = decks
        self.number = number

    def _set(self, name: str, value: Any = 1) -> None:
        self.controls.set(self.prefix + name, value)

    # -- the song --------------------------------------------------------------------------------------------------

    def load(self, track: Track | str | UUID) -> Track:
        """Put a song into the deck, which stops what plays there. What is asked of the deck next waits for the song.

        Parameters
        ----------
        track
            A track, or its id or the unambiguous beginning of it.

        Returns
        -------
        Track
            The one that was meant.

        Raises
        ------
        NotFoundError
            When there is no such track, or its sound is gone.
        """
        library = self._decks.library
        with library.catalog.read() as connection:
            identifier = track.id if isinstance(track, Track) else track_table.resolve(connection, track)
            found = Track(library, track_table.get(connection, identifier))
        present(found.path)
        self.controls.update([(f"{self.prefix}play", 0), (f"{self.prefix}track", str(found.id))])
        return found

    def unload(self) -> None:
        """Take the song out."""
        self.controls.update([(f"{self.prefix}play", 0), (f"{self.prefix}track", "")])

    @property
    def track(self) -> Track | None:
        """The song in it; None when there is none."""
        identifier, library = self.track_id, self._decks.library
        if identifier is None:
            return None
        try:
            with library.catalog.read() as connection:
                return Track(library, track_table.get(connection, identifier))
        except NotFoundError:
            return None

    @property
    def track_id(self) -> UUID | None:
        """The id of the song in it; None when there is none."""
        try:
            return UUID(self.controls[f"{self.prefix}track"])
        except ValueError:
            return None

    @property
    def ready(self) -> bool:
        """Whether the page has told that the song can be heard."""
        wanted = self.controls[f"{self.prefix}track"]
        return bool(wanted) and self._decks.attached and self._decks.link.stand(self.number).track == wanted

    @property
    def duration(self) -> float:
        """Length of the song in s; 0 without one."""
        told = self._decks.link.stand(self.number).duration
        if told > 0:
            return told
        track = self.track
        return 0.0 if track is None else track.duration

    # -- transport -------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Play. A page that was never clicked may refuse until it is."""
        self._set("play", 1)

    def pause(self) -> None:
        """Stop, and keep the place."""
        self._set("play", 0)

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return bool(self.controls[f"{self.prefix}play"])

    def cue(self) -> None:
        """Press and let go of the cue button: go back to the cue point while it plays, else set it here."""
        self._press("cue")

    def seek(self, seconds: float) -> None:
        """Go to a place in the song, in s.

        Raises
        ------
        ParameterError
            When it is no number.
        """
        self._set("seek", seconds)

    def beatjump(self, beats: float) -> None:
        """Jump by so many beats, backwards when negative; a loop that is in force moves along."""
        self._set("beatjump", beats)

    @property
    def position(self) -> float:
        """Where it is in s, also while a cell is busy: worked out from what the page told last."""
        return self._decks.link.position(self.number)

    async def until(self, seconds: float) -> float:
        """Wait until it has come to a place in the song.

        Returns
        -------
        float
            Where it is then, in s.

        Raises
        ------
        BusyError
            When it does not play, or stops before.
        """
        while self.position < seconds:
            stand = self._decks.link.stand(self.number)
            if not self.playing or stand.rate <= 0:
                raise BusyError(f"Deck {self.number} does not play.", hint="Start it, then wait.")
            await asyncio.sleep(min(LOOK_SECONDS, (seconds - self.position) / stand.rate + 0.001))
        return self.position

    # -- tempo and key ---------------------------------------------------------------------------------------------

    @property
    def tempo(self) -> float | None:
        """In BPM as it plays now; None when it is not known. It can be set.

        Raises
        ------
        ParameterError
            When it is set, and the tempo of the song is not known or too far from it.
        """
        stand = self._decks.link.stand(self.number)
        if stand.tempo is not None and self._decks.link.is_told(f"{self.prefix}pitch", self.number):
            return stand.tempo
        own = self._own_tempo()
        return None if own is None else own * (1 + self.pitch / 100)

    @tempo.setter
    def tempo(self, bpm: float) -> None:
        own = self._own_tempo()
        if own is None:
            raise ParameterError(
                f"The tempo of the song in deck {self.number} is not known.",
                hint="Load an analysed song, or set the pitch in per cent.",
            )
        wanted = float(control(f"{self.prefix}tempo").clean(bpm))
        bounds = control(f"{self.prefix}pitch")
        slowest, fastest = (own * (1 + end / 100) for end in (bounds.minimum, bounds.maximum))
        if wanted != bpm or not slowest <= wanted <= fastest:
            raise ParameterError(
                f"A song of {own:.2f} BPM cannot play at {bpm:g}.",
                hint=f"Choose from {slowest:.2f} to {fastest:.2f} BPM.",
            )
        self.pitch = 100 * (wanted / own - 1)

    def _own_tempo(self) -> float | None:
        """The song's own tempo [BPM]."""
        track = self.track
        if track is None:
            return None
        with self._decks.library.catalog.read() as connection:
            (row,) = track_table.summaries(connection, [track.id])
        return None if row["bpm"] is None else float(row["bpm"])

    def tap(self) -> None:
        """Tap the tempo: three taps or more set it."""
        self._set("tap")

    def match_key(self) -> None:
        """Shift the key by as little as makes it fit the leader's."""
        self._set("key_sync")

    # -- hot cues and loops ----------------------------------------------------------------------------------------

    def hotcue(self, number: int) -> None:
        """Press a hot cue, 1 to 8: jump there, or set it here when there is none.

        Raises
        ------
        ParameterError
            When there is no such hot cue.
        """
        self._press(f"hotcue.{number}.press")

    @property
    def hot_cues(self) -> dict[int, CueRow]:
        """Those of the song by their numbers."""
        track = self.track
        return {} if track is None else dict(track.hot_cues)

    def set_hotcue(
        self,
        number: int,
        time: float | None = None,
        *,
        end: float | None = None,
        label: str | None = None,
        color: str | None = None,
    ) -> CueRow:
        """Set a hot cue of the song in the deck; see `sfa_kernel.hotcues.HotCues.set`.

        Parameters
        ----------
        time
            In s; where the deck is when it is not said.

        Raises
        ------
        ParameterError
            When there is no song in the deck, no such hot cue, or the time is outside of the song.
        """
        at = min(self.position, self._song().duration) if time is None else time
        return self._song().hot_cues.set(number, at, end=end, label=label, color=color)

    def clear_hotcue(self, number: int) -> CueRow:
        """Free a hot cue; ``deck.track.hot_cues.restore(number)`` brings it back.

        Raises
        ------
        ParameterError
            When there is no song in the deck, or no such hot cue.
        NotFoundError
            When it is not set.
        """
        return self._song().hot_cues.clear(number)

    def _song(self) -> Track:
        track = self.track
        if track is None:
            raise ParameterError(f"There is no song in deck {self.number}.", hint="Load one first.")
        return track

    def loop(self, beats: float | None = None) -> None:
        """Loop from here.

        Parameters
        ----------
        beats
            How long, 1/32 to 64; as the deck's loop length says when it is not said.
        """
        length = self.controls[f"{self.prefix}loop.beats"] if beats is None else beats
        self._set("loop.set", length)

    def unloop(self) -> None:
        """Leave the loop; the song goes on."""
        self.looping = False

    @property
    def selection(self) -> tuple[float, float] | None:
        """What is marked, the loop: start and end in s; None for nothing."""
        return self._decks.link.stand(self.number).selection

    # -- parts -----------------------------------------------------------------------------------------------------

    @property
    def eq(self) -> Equaliser:
        """Its equaliser: ``low``, ``mid``, ``high`` in dB."""
        return Equaliser(self.controls, self.prefix)

    @property
    def kill(self) -> Kills:
        """What is taken away altogether: ``low``, ``mid``, ``high``."""
        return Kills(self.controls, self.prefix)

    @property
    def effects(self) -> Effects:
        """Its two effects: ``deck.effects[1].on = True``."""
        return Effects(self.controls, self.prefix)

    @property
    def stems(self) -> Stems:
        """The stems of the song by name: ``deck.stems["vocals"].volume = 0.5``."""
        return Stems(self.controls, self.prefix, self._stem_names)

    def _stem_names(self) -> list[str]:
        track = self.track
        if track is None:
            return []
        with self._decks.library.catalog.read() as connection:
            used = stem_table.in_use(connection, track.id)
            rows = [] if used is None else stem_table.of_separation(connection, used.id)
        return [row.name for row in rows]

    def observe(self, pattern: str, call: Callable[[Change], object]) -> Observer:
        """Call ``call(change)`` when one of its controls changes, whoever changed it.

        Parameters
        ----------
        pattern
            ``"play"``, ``"hotcue.*"``, or ``"*"`` for all; ``"position"`` for what the page tells.

        Returns
        -------
        Observer
            With ``close()``.

        Raises
        ------
        ParameterError
            When no control of a deck is meant.
        """
        return self._decks.observe(self.prefix + pattern, call)

    def _press(self, name: str) -> None:
        control(self.prefix + name)
        self.controls.update([(self.prefix + name, 1), (self.prefix + name, 0)])

    def __repr__(self) -> str:
        track = self.track
        if track is None:
            return f"<Deck {self.number}: empty>"
        playing = "playing" if self.playing else "paused"
        tempo = "" if self.tempo is None else f", {self.tempo:.2f} BPM"
        place = f"{clock(self.position)} of {clock(self.duration)}"
        return f"<Deck {self.number}: {track.title!r}, {playing} at {place}{tempo}>"
