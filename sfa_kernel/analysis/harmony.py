"""Which pitch classes sound, and how far the song is out of tune.

Chroma from spectral peaks (Gomez, "Tonal Description of Polyphonic Audio for Music Content Processing",
2006): peaks rather than bins, so that broad-band percussion adds little, and their interpolated frequencies,
so that the tuning is read before pitches are rounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.spectrum import Peaks

__all__ = ["Chroma", "chroma", "tuning"]

_LOWEST, _PITCHES = 34, 64  # MIDI numbers from B flat 1: the range of the peaks
# Harmonics that fall on other pitch classes: semitones above the note, and amplitude as in a sawtooth.
_HARMONICS = ((19, 1 / 3), (28, 1 / 5), (31, 1 / 6), (34, 1 / 7), (38, 1 / 9))


@dataclass(frozen=True)
class Chroma:
    """Pitch classes over time.

    Parameters
    ----------
    rate
        Frames per second; frame ``i`` is centred on ``i / rate`` seconds.
    frames
        Strength of C, C sharp, ... B [shape=(frames, 12)].
    tuning
        In semitones, -0.5..0.5.
    """

    rate: float
    frames: NDArray[np.float64]
    tuning: float


def tuning(peaks: Peaks) -> float:
    """Deviation from A4 = 440 Hz in semitones, -0.5..0.5: the circular mean over all peaks above 200 Hz."""
    upper = peaks.pitch > 55
    # below that a bin is wider than the deviations in question
    vector = np.sum(peaks.magnitude[upper] * np.exp(2j * np.pi * peaks.pitch[upper]))
    return float(np.angle(vector) / (2 * np.pi)) if abs(vector) > 0 else 0.0


def chroma(peaks: Peaks) -> Chroma:
    """Chroma of a song.

    Parameters
    ----------
    peaks
        Of the song.
    """
    deviation = tuning(peaks)
    pitch = peaks.pitch - deviation
    nearest = np.round(pitch)
    # a peak half-way between two semitones belongs to neither
    weight = peaks.magnitude * np.cos(np.pi * (pitch - nearest)) ** 2
    column = np.clip(nearest.astype(np.int64) - _LOWEST, 0, _PITCHES - 1)
    size = peaks.frames * _PITCHES
    cell = peaks.frame.astype(np.int64) * _PITCHES + column
    notes = np.bincount(cell, weight, size).astype(np.float64).reshape(-1, _PITCHES)
    _suppress_harmonics(notes)
    strength = np.sqrt(notes)
    frames = np.zeros((peaks.frames, 12))
    for note in range(_PITCHES):
        frames[:, (note + _LOWEST) % 12] += strength[:, note]
    return Chroma(peaks.rate, frames, deviation)


def _suppress_harmonics(notes: NDArray[np.float64]) -> None:
    """Take from each note what the notes below it sound along, from the bottom up, in place.

    The third and fifth harmonic of every note are the fifth and the major third of its chord; left in, they
    turn C major into E minor.
    """
    for note in range(_PITCHES):
        for interval, share in _HARMONICS:
            if note + interval < _PITCHES:
                above = notes[:, note + interval]
                np.maximum(above - share * notes[:, note], 0.0, out=above)
