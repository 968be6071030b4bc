"""The parts of a deck that have settings of their own: equaliser, effects, stems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sfa_kernel.decks.setting import Section, Setting
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sfa_kernel.control import Controls

__all__ = ["Effect", "Effects", "Equaliser", "Kills", "Stem", "Stems"]


class Equaliser(Section):
    """``deck.eq``: three bands, split at 250 and 2500 Hz.

    Attributes
    ----------
    low, mid, high
        -26 to 6 dB.
    """

    __slots__ = ()
    low = Setting("eq.low", float)
    mid = Setting("eq.mid", float)
    high = Setting("eq.high", float)


class Kills(Section):
    """``deck.kill``: takes a band away altogether.

    Attributes
    ----------
    low, mid, high
        True while the band is away.
    """

    __slots__ = ()
    low = Setting("kill.low", bool)
    mid = Setting("kill.mid", bool)
    high = Setting("kill.high", bool)


class Effect(Section):
    """One of ``deck.effects``.

    Attributes
    ----------
    kind
        ``"echo"``, ``"reverb"``, ``"flanger"``, ``"crush"``, ``"gate"`` or ``"roll"``.
    on
        Whether it is heard.
    mix, amount
        0 to 1.
    beats
        Its time, 1/16 to 8 beats.
    """

    __slots__ = ()
    kind = Setting("kind", str)
    on = Setting("on", bool)
    mix = Setting("mix", float)
    amount = Setting("amount", float)
    beats = Setting("beats", float)


class Effects(Mapping[int, Effect]):
    """``deck.effects``: the two effects of a deck, 1 and 2."""

    def __init__(self, controls: Controls, prefix: str) -> None:
        self._effects = {slot: Effect(controls, f"{prefix}fx.{slot}.") for slot in (1, 2)}

    def __getitem__(self, slot: int) -> Effect:
        return self._effects[slot]

    def __iter__(self) -> Iterator[int]:
        return iter(self._effects)

    def __len__(self) -> int:
        return len(self._effects)

    def __repr__(self) -> str:
        return repr(self._effects)


class Stem(Section):
    """One of ``deck.stems``.

    Attributes
    ----------
    volume
        0 to 1.
    mute, solo
        Whether it is silent, or heard alone.
    filter
        -1 (low-pass) to 1 (high-pass).
    """

    __slots__ = ()
    volume = Setting("volume", float)
    mute = Setting("mute", bool)
    solo = Setting("solo", bool)
    filter = Setting("filter", float)


class Stems(Mapping[str, Stem]):
    """``deck.stems``: the stems of the song in a deck, by name.

    Any stem that a song may have can be set, so that it is set when such a song comes.

    Parameters
    ----------
    controls, prefix
        Those of the deck.
    names
        The stems of the song that is in it now.
    """

    def __init__(self, controls: Controls, prefix: str, names: Callable[[], list[str]]) -> None:
        self._controls = controls
        self._prefix = prefix
        self._names = names

    def __getitem__(self, name: str) -> Stem:
        """The stem of this name.

        Raises
        ------
        ParameterError
            When no song has such a stem.
        """
        if f"{self._prefix}stem.{name}.volume" not in self._controls:
            raise ParameterError(f"There is no stem {name!r}.", hint="track.stems has the names of a song's stems.")
        return Stem(self._controls, f"{self._prefix}stem.{name}.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __repr__(self) -> str:
        return repr({name: self[name] for name in self})
