"""``studio.decks().mixer``: where the decks come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfa_kernel.control import control
from sfa_kernel.control.given import number, shown
from sfa_kernel.control.script import Script, ScriptEvent
from sfa_kernel.decks.setting import Section, Setting
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from sfa_kernel.decks.decks import Decks

__all__ = ["DeckMixer", "Headphones"]

SIDES = {"left": -1.0, "middle": 0.0, "right": 1.0}
CROSSFADE = "crossfade"  # the tag of what is played while the crossfader moves by itself


class Headphones(Section):
    """``mixer.headphones``.

    Attributes
    ----------
    mix
        -1: the decks that are listened to before they are heard, to 1: what everybody hears.
    volume
        In dB, -60 (silent) to 6.
    split
        Whether each ear has one of the two.
    """

    __slots__ = ()
    mix = Setting("mix", float)
    volume = Setting("volume", float)
    split = Setting("split", bool)


class DeckMixer(Section):
    """The mixer of the decks.

    Attributes
    ----------
    crossfader
        -1 (left) to 1 (right).
    crossfader_curve
        ``"power"``, ``"linear"`` or ``"cut"``.
    master
        In dB, -60 (silent) to 6.
    limiter
        Whether it keeps the sum below 0 dBFS.
    recording
        Whether the page records what is heard, for the library.
    deck_count
        ``"2"`` or ``"4"``: how many decks are shown.

    Examples
    --------
    >>> mixer = studio.decks().mixer                    # doctest: +SKIP
    >>> mixer.crossfade(8, unit="beats")                # doctest: +SKIP
    """

    __slots__ = ("_decks",)
    crossfader = Setting("crossfader", float)
    crossfader_curve = Setting("crossfader_curve", str)
    master = Setting("master", float)
    limiter = Setting("limiter", bool)
    recording = Setting("record", bool)
    deck_count = Setting("decks", str)

    def __init__(self, decks: Decks) -> None:
        super().__init__(decks.controls, "mixer.")
        self._decks = decks

    @property
    def headphones(self) -> Headphones:
        """Volume, mix and split of the headphones; ``deck.headphones`` says which decks are listened to."""
        return Headphones(self.controls, "mixer.headphones.")

    def crossfade(self, length: float, *, unit: str = "seconds", to: str | float | None = None) -> None:
        """Move the crossfader evenly, in the page's time: a cell that is busy does not hold it up.

        Where no page plays yet, it is at its end at once.

        Parameters
        ----------
        length
            How long it takes.
        unit
            ``"seconds"``, ``"beats"`` or ``"bars"`` (of four beats) of the deck that leads.
        to
            ``"left"``, ``"middle"``, ``"right"``, or a place from -1 to 1; the other side when it is not said.

        Raises
        ------
        ParameterError
            When there is no such unit or place, or beats are asked for and no deck has a tempo.
        """
        end = self._end(to)
        second, count = self._second(unit), number(length)
        if count is None or count < 0:
            raise ParameterError(f"A crossfade cannot take {shown(length)} {unit}.", hint="Name a length from 0 up.")
        seconds = count * second
        if not self._decks.attached or seconds == 0:
            self.crossfader = end
            return
        ramp = ScriptEvent(0.0, "mixer.crossfader", end, over=seconds)
        self._decks.play(Script([ramp], seconds), tag=CROSSFADE, opening=False)

    def _end(self, to: str | float | None) -> float:
        if to is None:
            return 1.0 if self.crossfader <= 0 else -1.0
        if isinstance(to, str):
            if to not in SIDES:
                raise ParameterError(f"The crossfader has no {to!r}.", hint=f"Choose from {', '.join(SIDES)}.")
            return SIDES[to]
        return float(control("mixer.crossfader").clean(to))

    def _second(self, unit: str) -> float:
        """How many seconds one of a unit lasts."""
        if unit == "seconds":
            return 1.0
        if unit not in ("beats", "bars"):
            raise ParameterError(f"{unit!r} is no unit of a crossfade.", hint="Choose from seconds, beats, bars.")
        leader = self._decks.leader
        if leader is None or not leader.tempo:
            raise ParameterError(
                "No deck has a tempo to count beats by.", hint='Load an analysed song, or say unit="seconds".'
            )
        return 60 / leader.tempo * (4 if unit == "bars" else 1)
