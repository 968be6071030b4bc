"""A mix that plays by itself: songs, transitions between them, and the script that a console plays it from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sfa_kernel.control.given import shown
from sfa_kernel.control.script import Script, ScriptEvent
from sfa_kernel.dj.mixpoints import bar_time
from sfa_kernel.dj.transitions import (
    END,
    KINDS,
    LOAD_BARS,
    STARTS,
    Handover,
    Transition,
    fold,
    free_from,
    matches,
    steps,
    suggest,
    tidied,
)
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.dj.mixpoints import MixSong

__all__ = ["Mix", "plan"]

GLIDE = 20.0  # s in which a song that was bent to fit goes back to its own tempo
_MOST_BARS = 64


@dataclass(frozen=True)
class Mix:
    """Songs in order with the transitions between them; times follow from both.

    Attributes
    ----------
    songs
        In order; the first is on deck 1, the second on deck 2, and so on in turns.
    transitions
        One fewer.
    """

    songs: tuple[MixSong, ...]
    transitions: tuple[Transition, ...]

    def changed(self, number: int, /, **change: Any) -> Mix:
        """The mix with one transition changed; what a song is now too short for moves along.

        Parameters
        ----------
        number
            Of the transition, from 0.
        **change
            Any of ``kind``, ``bars``, ``out_at`` and ``in_at``.

        Raises
        ------
        ParameterError
            When there is no such transition, or the songs do not allow it.
        """
        if isinstance(number, bool) or number not in range(len(self.transitions)):
            count = len(self.transitions)
            raise ParameterError(f"There is no transition {shown(number)}.", hint=f"There are {count}, from 0.")
        number = int(number)
        before = self.transitions[number]
        unknown = sorted(set(change) - {"kind", "bars", "out_at", "in_at"})
        if unknown:
            raise ParameterError(
                f"A transition has no {shown(unknown[0])}.", hint="Change kind, bars, out_at or in_at."
            )
        after = replace(before, **change, reason="as you set it")
        if "bars" in change and "out_at" not in change:
            after = self._begun_earlier(number, after)
        self._check(number, after)
        transitions = list(self.transitions)
        transitions[number] = after
        for later in range(number + 1, len(transitions)):
            # A song may not go before it has come.
            came = transitions[later - 1]
            free = free_from(self.songs[later - 1], self.songs[later], came)
            if transitions[later].out_at >= free:
                break
            transitions[later] = suggest(self.songs[later], self.songs[later + 1], came.in_at, free)
        return Mix(self.songs, tuple(transitions))

    def with_songs(self, songs: Sequence[MixSong]) -> Mix:
        """The mix of other songs, or of the same in another order.

        Where two follow each other as before, they meet as before.

        Raises
        ------
        ParameterError
            When there is no song.
        """
        if not songs:
            raise ParameterError("There is nothing to mix.", hint="Choose at least one song.")
        met = {
            (out.id, into.id): transition
            for out, into, transition in zip(self.songs, self.songs[1:], self.transitions, strict=False)
        }
        transitions: list[Transition] = []
        came = free = 0.0
        for out, into in pairwise(songs):
            kept = met.get((out.id, into.id))
            if kept is None or kept.out_at < free:
                kept = suggest(out, into, came, free)
            transitions.append(kept)
            came, free = kept.in_at, free_from(out, into, kept)
        return Mix(tuple(songs), tuple(transitions))

    def _check(self, number: int, transition: Transition) -> None:
        if transition.kind not in KINDS:
            known = ", ".join(KINDS)
            raise ParameterError(f"There is no transition {shown(transition.kind)}.", hint=f"Choose from {known}.")
        bars: object = transition.bars
        if isinstance(bars, bool) or not isinstance(bars, int) or not 1 <= bars <= _MOST_BARS:
            raise ParameterError(f"A transition takes 1 to {_MOST_BARS} bars.", hint="Choose 4, 8, 16 or 32.")
        out, into = self.songs[number], self.songs[number + 1]
        free = self._free_from(number)
        latest = max(free, out.duration - END - length(out, transition.bars))
        hint = f"Choose a place in it, or other than {transition.bars} bars."
        if not free <= transition.out_at <= latest:
            raise ParameterError(f"The song that goes can be left from {free:.1f} to {latest:.1f} s.", hint=hint)
        latest = max(0.0, into.duration - END - length(into, transition.bars))
        if not 0.0 <= transition.in_at <= latest:
            raise ParameterError(f"The song that comes can be entered from 0 to {latest:.1f} s.", hint=hint)

    def _free_from(self, number: int) -> float:
        """Where a transition of the song may begin at the earliest, in s."""
        if number == 0:
            return 0.0
        return free_from(self.songs[number - 1], self.songs[number], self.transitions[number - 1])

    def _begun_earlier(self, number: int, transition: Transition) -> Transition:
        """The transition as many bars earlier as it needs to end before its song does."""
        bars: object = transition.bars
        if isinstance(bars, bool) or not isinstance(bars, int):
            return transition
        out, out_at = self.songs[number], transition.out_at
        bar = out.bar_at(out_at)
        offset = out_at - bar_time(out, bar)
        while out_at > out.duration - END - length(out, bars) and bar > 0:
            bar -= 1
            out_at = bar_time(out, bar) + offset
        return replace(transition, out_at=max(out_at, 0.0))

    def script(self, sample_rate: int = 48000) -> MixScript:
        """What a console does to play it."""
        return _written(self, sample_rate)


@dataclass(frozen=True)
class MixScript:
    """A mix as a script.

    Attributes
    ----------
    script
        Its events happen in their order.
    parts
        Where in the events the first song and then each transition begins.
    starts
        Seconds since the beginning at which each song begins to be heard.
    spans
        How each song lies in the mix.
    """

    script: Script
    parts: list[int]
    starts: list[float]
    spans: list[Span]


@dataclass(frozen=True)
class Span:
    """A song in a mix: heard from ``start`` to ``end`` [s of the mix], ``source`` to ``target`` [s of the song]."""

    start: float
    end: float
    source: float
    target: float


def plan(songs: Sequence[MixSong]) -> Mix:
    """A mix of songs in their order, with the transitions that suit them.

    Raises
    ------
    ParameterError
        When there is no song.
    """
    return Mix((), ()).with_songs(songs)


@dataclass(frozen=True)
class _Run:
    """How a song goes.

    From ``place`` (s of the song) at ``time`` (s of the mix), at ``rate`` until ``held`` (s of the mix), then gliding
    to its own tempo within ``GLIDE``.
    """

    time: float
    place: float
    rate: float
    held: float

    def rate_at(self, time: float) -> float:
        share = min(max((time - self.held) / GLIDE, 0.0), 1.0)
        return self.rate + (1.0 - self.rate) * share

    def place_at(self, time: float) -> float:
        if time <= self.held:
            return self.place + (time - self.time) * self.rate
        gliding = min(time - self.held, GLIDE)
        bent = gliding * (self.rate + self.rate_at(self.held + gliding)) / 2
        return self.place + (self.held - self.time) * self.rate + bent + max(time - self.held - GLIDE, 0.0)

    def time_at(self, place: float) -> float:
        """When it is at a place; the opposite of `place_at`, which rises."""
        early, late = self.time, self.time + 3.0 * max(place - self.place, 0.0) + GLIDE
        for _ in range(60):
            middle = (early + late) / 2
            early, late = (middle, late) if self.place_at(middle) < place else (early, middle)
        return early


def _written(mix: Mix, sample_rate: int) -> MixScript:
    songs = mix.songs
    run = _Run(0.0, 0.0, 1.0, 0.0)  # from its beginning, so that nothing of it is lost
    events = [ScriptEvent(0.0, "deck.1.play", 1)]
    if len(songs) > 1:
        events.append(ScriptEvent(0.0, "deck.2.track", str(songs[1].id)))
    parts, starts, spans = [0], [0.0], []
    for number in range(len(mix.transitions)):
        parts.append(len(events))
        deck, other = (1, 2) if number % 2 == 0 else (2, 1)
        before = run
        run, added = _handed_over(mix, number, run, deck, other)
        spans.append(Span(before.time, run.held, before.place, before.place_at(run.held)))
        starts.append(run.time)
        events += added
    end = run.time_at(songs[-1].duration)
    spans.append(Span(run.time, end, run.place, songs[-1].duration))
    controls: dict[str, float | str] = {
        "deck.1.track": str(songs[0].id),
        "deck.1.assign": "left",
        "deck.2.assign": "right",
        "mixer.crossfader": -1.0,
    }
    script = Script(events, end, sample_rate=sample_rate, controls=controls, positions={1: 0.0})
    return MixScript(script, parts, starts, spans)


def length(song: MixSong, bars: int) -> float:
    """Of so many bars of a song at its own tempo, in s; half a bar less, since its last may be cut off."""
    return (bars - 0.5) * song.bar_seconds


def _handed_over(mix: Mix, number: int, run: _Run, deck: int, other: int) -> tuple[_Run, list[ScriptEvent]]:
    """The steps of one transition, and how the song that has come goes on."""
    transition, out, into = mix.transitions[number], mix.songs[number], mix.songs[number + 1]
    begins = run.time_at(transition.out_at)
    rate = run.rate_at(begins)
    matched = transition.kind not in STARTS and matches(out, into)
    handover = Handover(out, into, deck, other, transition, 1.0, matched)
    seconds = (handover.at(transition.bars) - transition.out_at) / rate
    handover = replace(handover, seconds=seconds)
    starts, ends = begins + STARTS.get(transition.kind, 0.0) * seconds, begins + seconds
    bent = fold(out.tempo * rate / into.tempo) if matched and out.tempo and into.tempo else 1.0
    after = _Run(starts, transition.in_at, bent, ends)
    loads = after.place_at(ends + LOAD_BARS * into.bar_seconds)
    if number + 1 < len(mix.transitions):
        # Of a very short song, the free deck is ready before the song goes.
        loads = max(after.place_at(ends), min(loads, mix.transitions[number + 1].out_at - 0.75 * into.bar_seconds))
    events = [*steps(handover, GLIDE if bent != 1.0 else 0.0), *tidied(handover, loads)]
    if number + 2 < len(mix.songs):
        events.append(ScriptEvent(loads, f"deck.{deck}.track", str(mix.songs[number + 2].id), None, other))
    return after, events
