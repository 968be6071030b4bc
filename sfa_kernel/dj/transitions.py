"""How one song becomes the next: what each kind of transition does with the controls of two decks.

A transition takes a number of bars of the song that goes. Its steps are timed by places in that song, so that they
fall on its beats whatever its speed. The decks stand on two sides of the crossfader, the first on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.analysis.wheel import fitting_keys, key_number
from sfa_kernel.control.script import ScriptEvent
from sfa_kernel.dj.mixpoints import MixSong, bar_time, mix_in, mix_out

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "END",
    "KINDS",
    "LOAD_BARS",
    "STARTS",
    "Handover",
    "Transition",
    "fold",
    "free_from",
    "matches",
    "steps",
    "suggest",
    "tidied",
]

KINDS = ("cut", "blend", "bass swap", "echo out", "stem swap")
# After which share of a transition the song that comes is heard, where that is not at once.
STARTS = {"cut": 1.0, "echo out": 0.5}
END = 0.1  # s before its end that a song may still be left
LOAD_BARS = 2  # bars after a transition until the free deck takes the next song
MOST_STRETCH = 0.08  # of its tempo that a song is bent to fit another
_LENGTHS = (32, 16, 8, 4, 2, 1)  # bars
_USUAL = 16  # bars of a transition, where there is room
_ECHO_BARS = 4
_QUIET = 4  # energy up to which two songs are blended rather than swapped
_JUST_BEFORE = 0.5  # bars before it begins that a deck is put in its place

# What a deck is set to before a song is mixed in, and after it has gone.
_NEUTRAL: dict[str, float | str] = {
    "volume": 1.0,
    "eq.low": 0.0,
    "eq.mid": 0.0,
    "eq.high": 0.0,
    "kill.low": 0,
    "kill.mid": 0,
    "kill.high": 0,
    "filter": 0.0,
    "fx.1.on": 0,
    "loop.active": 0,
    "key_shift": 0.0,
    "keylock": 1,
    "slip": 0,
    "reverse": 0,
}


@dataclass(frozen=True)
class Transition:
    """From one song of a mix to the next.

    Attributes
    ----------
    kind
        One of `KINDS`.
    bars
        How long it takes.
    out_at, in_at
        Where in the song that goes and in the one that comes it begins, in s.
    reason
        Why here and so.
    """

    kind: str
    bars: int
    out_at: float
    in_at: float
    reason: str


@dataclass(frozen=True)
class Handover:
    """A transition on two decks.

    Attributes
    ----------
    out, into
        The song that goes and the one that comes.
    deck, other
        Numbers of the decks that the songs are on: ``deck`` has the one that goes.
    transition
        What is to happen.
    seconds
        How long it takes, in s as a clock tells them.
    matched
        Whether the song that comes is held to the beat of the one that goes.
    """

    out: MixSong
    into: MixSong
    deck: int
    other: int
    transition: Transition
    seconds: float
    matched: bool

    def at(self, bars: float) -> float:
        """The place in the song that goes after so many bars of the transition, in s; it is before its end."""
        first = self.out.bar_at(self.transition.out_at)
        offset = self.transition.out_at - bar_time(self.out, first)  # a person may begin it off the bar
        whole = int(bars // 1)
        here = bar_time(self.out, first + whole)
        place = offset + here + (bars - whole) * (bar_time(self.out, first + whole + 1) - here)
        return min(place, self.out.duration - END)

    def step(self, bars: float, control: str, value: float | str, over: float | None = None) -> ScriptEvent:
        """A change after so many bars; ``over`` in bars."""
        seconds = None if over is None else over * self.seconds / self.transition.bars
        return ScriptEvent(self.at(bars), control, value, seconds, self.deck)

    def going(self, bars: float, name: str, value: float | str, over: float | None = None) -> ScriptEvent:
        """A change of the deck whose song goes."""
        return self.step(bars, f"deck.{self.deck}.{name}", value, over)

    def coming(self, bars: float, name: str, value: float | str, over: float | None = None) -> ScriptEvent:
        """A change of the deck whose song comes."""
        return self.step(bars, f"deck.{self.other}.{name}", value, over)

    def cross(self, bars: float, share: float, over: float | None = None) -> ScriptEvent:
        """The crossfader goes toward the song that comes: 0 is the one that goes, 1 the one that comes."""
        side = 2 * share - 1
        return self.step(bars, "mixer.crossfader", side if self.deck == 1 else -side, over)


def fold(ratio: float) -> float:
    """A ratio of tempos with half and double time taken out: between 0.7 and 1.4.

    The decks' sync folds in the same way.
    """
    while ratio > 1.4:
        ratio /= 2
    while ratio < 0.7:
        ratio *= 2
    return ratio


def matches(out: MixSong, into: MixSong) -> bool:
    """Whether a song can be held to the beat of another without bending it by more than 8 %."""
    if out.tempo is None or into.tempo is None:
        return False
    return out.steady and into.steady and abs(fold(out.tempo / into.tempo) - 1) <= MOST_STRETCH


def free_from(out: MixSong, into: MixSong, transition: Transition) -> float:
    """The place in the song that comes at which it is alone and the other deck is ready, in s: it may go from there."""
    bent = fold(out.tempo / into.tempo) if matches(out, into) and out.tempo and into.tempo else 1.0
    heard = (1 - STARTS.get(transition.kind, 0.0)) * transition.bars * out.bar_seconds * bent
    return transition.in_at + heard + (LOAD_BARS + 1) * into.bar_seconds


def suggest(out: MixSong, into: MixSong, played_from: float, free: float = 0.0) -> Transition:
    """The transition that suits two songs.

    Parameters
    ----------
    out, into
        The song that goes and the one that comes.
    played_from
        Where the first came in, in s.
    free
        Where it may begin to go at the earliest, in s.
    """
    last, left = mix_out(out, played_from, free)
    first, before = mix_in(into)
    out_at, in_at = bar_time(out, last), bar_time(into, first)
    kind, reason = _kind(out, into)
    room = min(left, max(before, 8), max((len(into.bars) - first) // 3, 1))
    if kind in ("cut", "echo out"):
        room = min(room, _ECHO_BARS)
    bars = next((length for length in _LENGTHS if length <= min(room, _USUAL)), 1)
    where = "at the outro" if out.outro_start is not None else f"{left} bars before the end"
    return Transition(kind, bars, max(out_at, 0.0), max(in_at, 0.0), f"{reason}; {where}")


def _kind(out: MixSong, into: MixSong) -> tuple[str, str]:
    if out.tempo is None or into.tempo is None:
        return "blend", "a song without a beat grid is faded"
    if not matches(out, into):
        if not (out.steady and into.steady):
            return "echo out", "a beat that wavers cannot be matched"
        return "echo out", f"{out.tempo:.0f} and {into.tempo:.0f} BPM are too far apart to match"
    here, there = key_number(out.camelot), key_number(into.camelot)
    fits = here is None or there is None or there in fitting_keys(here)
    if not fits and _swappable(out, into):
        return "stem swap", f"{out.camelot} and {into.camelot} clash: drums first, then the rest"
    if max(out.energy, into.energy) <= _QUIET:
        return "blend", "two calm songs"
    if fits and here is not None and there is not None:
        return "bass swap", f"{out.camelot} and {into.camelot} fit"
    return "bass swap", "one bass at a time"


def _swappable(out: MixSong, into: MixSong) -> bool:
    return all({"vocals", "drums", "bass"} <= set(song.stems) for song in (out, into))


def steps(handover: Handover, glide: float = 0.0) -> list[ScriptEvent]:
    """What happens, in order: the song that comes is put in place, starts, takes over; the other stops.

    Parameters
    ----------
    handover
        The transition.
    glide
        Seconds in which the song that has come goes back to its own tempo.
    """
    transition = handover.transition
    kind = transition.kind
    if kind == "stem swap" and not _swappable(handover.out, handover.into):
        kind = "bass swap"  # a song's stems may have gone since it was planned
    ready = [
        *((name, value) for name, value in _NEUTRAL.items()),
        *((f"stem.{stem}.mute", 0) for stem in handover.into.stems),
        ("quantize", 1),
        ("sync", 0),
        ("pitch", 0.0),
        ("seek", transition.in_at),
        ("sync", int(handover.matched)),
    ]
    prepared = [handover.coming(-_JUST_BEFORE, name, value) for name, value in ready]
    bars = transition.bars
    back = [handover.coming(bars, "pitch", 0.0, glide * bars / handover.seconds)] if glide else []
    return [
        *prepared,
        handover.cross(-_JUST_BEFORE, 0.0),
        *_WAYS[kind](handover),
        handover.cross(bars, 1.0),
        handover.coming(bars, "sync", 0),
        *back,
        handover.going(bars, "play", 0),  # last: a deck that stands comes to no place any more
    ]


def tidied(handover: Handover, place: float) -> list[ScriptEvent]:
    """The deck whose song has gone is as it was before, once the other song is at ``place`` (s)."""
    left = [*_NEUTRAL.items(), *((f"stem.{stem}.mute", 0) for stem in handover.out.stems)]
    return [ScriptEvent(place, f"deck.{handover.deck}.{name}", value, None, handover.other) for name, value in left]


def _cut(handover: Handover) -> Iterator[ScriptEvent]:
    yield handover.coming(handover.transition.bars, "play", 1)


def _blend(handover: Handover) -> Iterator[ScriptEvent]:
    yield handover.coming(0, "play", 1)
    yield handover.cross(0, 1.0, handover.transition.bars)


def _bass_swap(handover: Handover) -> Iterator[ScriptEvent]:
    bars = handover.transition.bars
    half = bars / 2
    yield handover.coming(0, "kill.low", 1)
    yield handover.coming(0, "play", 1)
    yield handover.cross(0, 0.5, half)
    yield handover.coming(half, "kill.low", 0)
    yield handover.going(half, "kill.low", 1)
    yield handover.cross(half, 1.0, half)


def _echo_out(handover: Handover) -> Iterator[ScriptEvent]:
    bars = handover.transition.bars
    half = bars / 2
    yield handover.going(0, "fx.1.kind", "echo")
    yield handover.going(0, "fx.1.beats", 0.5)
    yield handover.going(0, "fx.1.amount", 0.6)
    yield handover.going(0, "fx.1.mix", 0.0)
    yield handover.going(0, "fx.1.on", 1)
    yield handover.going(0, "fx.1.mix", 0.8, half)
    yield handover.going(half, "volume", 0.0, half)
    yield handover.coming(half, "play", 1)
    yield handover.cross(half, 1.0, half)


def _stem_swap(handover: Handover) -> Iterator[ScriptEvent]:
    """Drums of the new song over the old one, then bass and the rest change places, the voice last."""
    bars = handover.transition.bars
    half = bars / 2
    melody = [stem for stem in handover.into.stems if stem != "drums"]
    for stem in melody:
        yield handover.coming(0, f"stem.{stem}.mute", 1)
    yield handover.coming(0, "play", 1)
    yield handover.cross(0, 0.5, min(1.0, half))
    yield handover.going(half, "stem.drums.mute", 1)
    yield handover.going(half, "stem.bass.mute", 1)
    for stem in melody:
        if stem != "vocals":
            yield handover.coming(half, f"stem.{stem}.mute", 0)
    yield handover.cross(half, 1.0, half)
    yield handover.coming(bars, "stem.vocals.mute", 0)


_WAYS = {"cut": _cut, "blend": _blend, "bass swap": _bass_swap, "echo out": _echo_out, "stem swap": _stem_swap}
