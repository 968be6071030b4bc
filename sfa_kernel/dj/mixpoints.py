"""Where a song can be mixed in and out: at its bars, by its form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from uuid import UUID

    from numpy.typing import NDArray

    from sfa_kernel.analysis.model import Analysis

__all__ = ["MixSong", "bar_time", "mix_in", "mix_out"]

PHRASE = 8  # bars
BAR_SECONDS = 2.0  # of a song without a beat grid
LEAST_PLAYED = 45.0  # s that a song is heard before it may be mixed out
WAY_OUT = 16  # bars left to mix out in a song without an outro
_NEAR = 0.1  # s


@dataclass(frozen=True, eq=False)
class MixSong:
    """What a mix has to know of a song.

    Attributes
    ----------
    id
        Of the track.
    duration
        In s.
    tempo
        In BPM; None without a beat grid.
    steady
        Whether its beats are so even that another song can be held to them.
    downbeats
        In s [shape=(bars,)].
    beats_per_bar
        Of most of it.
    camelot
        Its key; None while unknown.
    energy
        1-10.
    intro_end, outro_start
        Seconds at which its intro ends and its outro begins; None where it has none.
    sections
        Starts of its sections, in s.
    stems
        Names of the stems that it has been separated into.
    """

    id: UUID
    duration: float
    tempo: float | None = None
    steady: bool = False
    downbeats: NDArray[np.float64] | None = None
    beats_per_bar: int = 4
    camelot: str | None = None
    energy: int = 5
    intro_end: float | None = None
    outro_start: float | None = None
    sections: tuple[float, ...] = ()
    stems: tuple[str, ...] = ()

    @classmethod
    def of(cls, id: UUID, duration: float, analysis: Analysis | None, stems: tuple[str, ...]) -> MixSong:  # noqa: A002 - a track's word
        """What an analysis says of a song; one that has none is played as it is."""
        if analysis is None or analysis.tempo is None or len(analysis.downbeats) < 2:
            return cls(id, duration, stems=stems, energy=analysis.energy if analysis else 5)
        sections = analysis.sections
        opening, closing = (sections[0], sections[-1]) if sections else (None, None)
        return cls(
            id,
            duration,
            tempo=analysis.tempo,
            steady=analysis.grid_kind in ("constant", "piecewise"),
            downbeats=np.asarray(analysis.downbeats, np.float64),
            beats_per_bar=analysis.beats_per_bar,
            camelot=analysis.camelot,
            energy=analysis.energy,
            intro_end=opening.end if opening is not None and opening.label == "intro" else None,
            outro_start=closing.start if closing is not None and closing.label == "outro" else None,
            sections=tuple(section.start for section in sections),
            stems=stems,
        )

    @property
    def bars(self) -> NDArray[np.float64]:
        """Starts of its bars, in s; without a beat grid every 2 s."""
        if self.downbeats is not None:
            return self.downbeats
        return np.arange(0.0, max(self.duration, BAR_SECONDS), BAR_SECONDS)

    @property
    def bar_seconds(self) -> float:
        """Length of a bar at its own tempo, in s."""
        return BAR_SECONDS if self.tempo is None else self.beats_per_bar * 60.0 / self.tempo

    def bar_at(self, time: float) -> int:
        """The bar that begins nearest to a time."""
        return int(np.argmin(np.abs(self.bars - time)))

    @property
    def phrase_phase(self) -> int:
        """Which bar of every eight begins a phrase: the one where most sections begin."""
        phases = Counter(self.bar_at(start) % PHRASE for start in self.sections if start > _NEAR)
        return phases.most_common(1)[0][0] if phases else 0


def bar_time(song: MixSong, bar: int) -> float:
    """When a bar begins, in s; before the first and after the last at the song's own tempo."""
    bars = song.bars
    if bar < 0:
        return float(bars[0] + bar * song.bar_seconds)
    if bar >= len(bars):
        return float(bars[-1] + (bar - len(bars) + 1) * song.bar_seconds)
    return float(bars[bar])


def mix_in(song: MixSong) -> tuple[int, int]:
    """The bar with which a song comes in, and how many bars it has before it is fully there.

    It is its first whole bar; the length of its intro is how long a transition into it may take.
    """
    bars = song.bars
    first = int(np.searchsorted(bars, -_NEAR))
    end = song.intro_end
    return first, PHRASE if end is None else max(song.bar_at(end) - first, 1)


def mix_out(song: MixSong, played_from: float, free: float = 0.0) -> tuple[int, int]:
    """The bar at which a song begins to go, and how many bars are left of it there.

    It is where its outro begins, or else the last phrase that leaves 16 bars; never before it has been heard for 45 s
    or, of a short song, for half of what there is.

    Parameters
    ----------
    song
        The song.
    played_from
        Where it came in, in s.
    free
        Where it may begin to go at the earliest, in s.
    """
    bars = song.bars
    last = int(np.searchsorted(bars, song.duration - 0.5 * song.bar_seconds, "right"))  # a bar that is cut off is none
    heard = max(free, played_from + min(LEAST_PLAYED, 0.5 * (song.duration - played_from)))
    earliest = min(int(np.searchsorted(bars, heard - _NEAR)), max(last - 1, 0))
    if song.outro_start is not None:
        wanted = song.bar_at(song.outro_start)
    else:
        wanted = max(last - WAY_OUT, 0)
        wanted -= (wanted - song.phrase_phase) % PHRASE
    bar = max(wanted, earliest)
    return bar, max(last - bar, 1)
