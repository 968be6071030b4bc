"""Songs as the decks take them: their files, and what the console is told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["TARGET", "DeckSong", "gain_of", "tonic_of"]

TARGET = -14.0  # LUFS that all decks play at: two of them together leave the limiter little to do
USUAL = -9.0  # LUFS of a song that was never measured
HIGHEST_PEAK = -1.0  # dBTP that a quiet song may be raised to
LEAST, MOST = -26.0, 12.0  # dB
_PITCHES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"#": 1, "b": -1}


@dataclass(frozen=True)
class DeckSong:
    """One song for a deck.

    Attributes
    ----------
    id, title
        Of the track.
    mix, stems
        Its files; of the stems by name in the mixer's order, none where it has none.
    beats, downbeats
        In seconds; empty without an analysis.
    cues
        Its hot cues: ``time``, ``end`` [s; None for a point] and ``slot`` (1 to 8) of each.
    gain
        See `gain_of` [dB].
    key
        See `tonic_of`.
    """

    id: str
    title: str
    mix: Path
    stems: Mapping[str, Path] = field(default_factory=dict)
    beats: tuple[float, ...] = ()
    downbeats: tuple[float, ...] = ()
    cues: tuple[Mapping[str, Any], ...] = ()
    gain: float = 0.0
    key: Mapping[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        """What the console is told of it besides its sound, as ``info.ts`` takes it."""
        heard = {"beats": list(self.beats), "downbeats": list(self.downbeats)} if self.beats else None
        return {"analysis": heard, "cues": [dict(cue) for cue in self.cues], "gain": self.gain, "key": self.key}


def gain_of(lufs: float | None, true_peak: float | None) -> float:
    """What brings a song to the loudness of all decks, in dB; a quiet one is raised only as far as its peaks allow.

    Parameters
    ----------
    lufs, true_peak
        Its loudness [LUFS] and highest peak [dBTP]; None when silent or never analysed.
    """
    wanted = TARGET - (USUAL if lufs is None else lufs)
    if wanted > 0 and true_peak is not None:
        wanted = max(0.0, min(wanted, HIGHEST_PEAK - true_peak))
    return max(LEAST, min(MOST, wanted))


def tonic_of(key: str | None) -> dict[str, Any] | None:
    """A key as the console reckons with it: the pitch class of its tonic (C is 0), and whether it is minor.

    Parameters
    ----------
    key
        ``"F# minor"``; None while unknown.
    """
    name, _, mode = (key or "").partition(" ")
    if name[:1] not in _PITCHES or mode not in ("major", "minor"):
        return None
    return {"tonic": (_PITCHES[name[0]] + sum(_SIGNS.get(sign, 0) for sign in name[1:])) % 12, "minor": mode == "minor"}
