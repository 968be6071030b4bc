"""Rhythm: tempo, beats, downbeats, metre, grid and swing of a song, from its onsets and its harmony."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.analysis.downbeats import find_downbeats
from sfa_kernel.analysis.grid import follow
from sfa_kernel.analysis.tempo import Pulse, find_pulses, octave_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.curves import Curve
    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.model import GridSegment
    from sfa_kernel.analysis.onsets import Onsets
    from sfa_kernel.analysis.spectrum import Features

__all__ = ["Rhythm", "find_rhythm"]

_AUDIBLE = -45.0  # dB below the loud parts: what is softer carries no beat


@dataclass
class Rhythm:
    """What `Analysis` says about rhythm, under the same names."""

    tempo: float | None = None
    tempo_confidence: float = 0.0
    tempo_alternative: float | None = None
    beats: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    beat_confidence: float = 0.0
    downbeats: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    downbeat_confidence: float = 0.0
    beats_per_bar: int = 4
    metre_confidence: float = 0.0
    grid_kind: str = "none"
    grid: list[GridSegment] = field(default_factory=list)
    swing: float | None = None
    swing_confidence: float = 0.0
    curves: dict[str, Curve] = field(default_factory=dict)

    def results(self) -> dict[str, Any]:
        """The fields that go into the analysis."""
        return {name: value for name, value in vars(self).items() if name != "curves"}


def find_rhythm(features: Features, level: NDArray[np.float32], onsets: Onsets, harmony: Chroma) -> Rhythm:
    """Rhythm of a song.

    Parameters
    ----------
    features, onsets, harmony
        Of the song.
    level
        Compressed bands [shape=(frames, bands)].
    """
    rhythm = Rhythm()
    pulses = find_pulses(onsets)
    if not pulses:
        return rhythm
    start, end = _audible(features)
    lines, heard = follow(onsets, pulses[0])
    index = lines.indices(np.array([start - 0.03, end]))
    times = lines.times(np.arange(np.ceil(index[0]), np.ceil(index[1])))
    if len(times) < 4:
        return rhythm
    times = np.maximum(times, 0.0)
    rhythm.grid_kind = lines.kind
    if lines.kind == "free":
        span = min(8, len(times) - 1)
        rhythm.tempo = 60 * span / float(np.median(times[span:] - times[:-span]))
    else:
        longest = np.diff(np.append(lines.start, times[-1])).argmax()
        rhythm.tempo = float(60 / lines.period[longest])
    rhythm.tempo_confidence = _tempo_confidence(pulses)
    rhythm.tempo_alternative = _alternative(pulses, rhythm.tempo)
    rhythm.beats = times
    grid = rhythm
    grid.times = times
    firsts, rhythm.beats_per_bar = find_downbeats(grid.times, onsets, harmony, level)
    rhythm.downbeats = grid.times[firsts]
    return rhythm


def _audible(features: Features) -> tuple[float, float]:
    """Where the song begins and ends to sound, in seconds."""
    level = np.sqrt(np.einsum("ij,ij->i", features.bands, features.bands))
    if not len(level):
        return 0.0, features.duration
    loud = np.flatnonzero(level > max(1e-6, float(np.percentile(level, 90)) * 10 ** (_AUDIBLE / 20)))
    if not len(loud):
        return 0.0, features.duration
    return float(loud[0]) / features.rate, min(features.duration, float(loud[-1] + 1) / features.rate)


def _tempo_confidence(pulses: list[Pulse]) -> float:
    best = pulses[0]
    if best.score <= 0:
        return 0.0
    rivals = [
        p.score / best.score if octave_apart(p, best) else p.plain / best.plain
        for p in pulses[1:]
        if abs(p.tempo / best.tempo - 1) > 0.03
    ]
    lead = 1 - max(rivals, default=0.0)
    return float(np.clip(lead, 0, 1) * np.clip(best.salience / 0.4, 0, 1))


def _alternative(pulses: list[Pulse], tempo: float) -> float | None:
    """The neighbouring metrical level: the one that scored, else the one nearer to common tempi."""
    for pulse in pulses[1:]:
        for ratio in (0.5, 2.0):
            if abs(pulse.tempo / (tempo * ratio) - 1) < 0.02:
                return tempo * ratio
    return tempo * 2 if tempo < 100 else tempo / 2
