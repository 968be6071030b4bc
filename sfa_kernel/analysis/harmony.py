"""Which pitch classes sound, and how far the song is out of tune.

Chroma from spectral peaks (Gomez, "Tonal Description of Polyphonic Audio for Music Content Processing",
2006): peaks rather than bins, so that broad-band percussion adds little, and their interpolated frequencies,
so that the tuning is read before pitches are rounded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.spectrum import Peaks

__all__ = ["PITCH_CLASSES", "Chroma", "chroma", "tuning"]

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

_LOWEST, _PITCHES = 34, 64  # MIDI numbers from B flat 1: the range of the peaks
_BASS = 52  # E3: a bass plays up to here
# Harmonics that fall on other pitch classes: semitones above the note, and amplitude as in a sawtooth.
_HARMONICS = ((19, 1 / 3), (28, 1 / 5), (31, 1 / 6), (34, 1 / 7), (38, 1 / 9))
_BASS_FACTOR = 2.0  # a bass is driven harder than chords are: its harmonics stand out more
_FAINTEST = 0.05  # of the loudest note of a frame: what is softer is noise as likely as music
_BLOCK = 2048  # frames at a time: the notes of a block stay in the cache
_PEAKS_AT_A_TIME = 1 << 16
_LEAST_TUNED = 55  # MIDI number: below that a bin is wider than the deviations in question


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
    bass
        The same as ``frames`` up to E3 alone [shape=(frames, 12)].
    deviations
        How much sounds at each deviation from A4 = 440 Hz, in steps of a cent from -50 [shape=(100,), sum=1].
    """

    rate: float
    frames: NDArray[np.float32]
    tuning: float
    bass: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 12), np.float32))
    deviations: NDArray[np.float64] = field(default_factory=lambda: np.zeros(100))

    @property
    def clarity(self) -> float:
        """How far what sounds agrees on one tuning, 0..1: music above 0.4, drums and noise below 0.2."""
        return float(abs(_vector(self.deviations)))


def tuning(peaks: Peaks) -> float:
    """Deviation from A4 = 440 Hz in semitones, -0.5..0.5: the circular mean over all peaks above 200 Hz."""
    return _circular_mean(_deviations(peaks))


def _deviations(peaks: Peaks) -> NDArray[np.float64]:
    histogram = np.zeros(100)
    for start in range(0, len(peaks.pitch), _PEAKS_AT_A_TIME):
        part = slice(start, start + _PEAKS_AT_A_TIME)
        pitch = peaks.pitch[part]
        weight = peaks.magnitude[part] * (pitch > np.float32(_LEAST_TUNED))
        cents = ((pitch - np.round(pitch)) * np.float32(100) + np.float32(50)).astype(np.int32)
        histogram += np.bincount(np.minimum(cents, 99), weight, 100)
    total = histogram.sum()
    return histogram / total if total > 0 else histogram


def _vector(deviations: NDArray[np.float64]) -> complex:
    return complex(np.sum(deviations * np.exp(2j * np.pi * (np.arange(100) - 49.5) / 100)))


def _circular_mean(deviations: NDArray[np.float64]) -> float:
    return float(np.angle(_vector(deviations)) / (2 * np.pi)) if deviations.any() else 0.0


def chroma(peaks: Peaks) -> Chroma:
    """Chroma of a song.

    Parameters
    ----------
    peaks
        Of the song.
    """
    deviations = _deviations(peaks)
    deviation = _circular_mean(deviations)
    frames = np.zeros((peaks.frames, 12), np.float32)
    bass = np.zeros((peaks.frames, 12), np.float32)
    edges = np.append(np.arange(0, peaks.frames, _BLOCK), peaks.frames)
    bounds = np.searchsorted(peaks.frame, edges)
    for start, end, first, last in zip(edges[:-1], edges[1:], bounds[:-1], bounds[1:], strict=True):
        part = slice(first, last)
        notes = _notes(
            peaks.frame[part] - start, peaks.pitch[part] - np.float32(deviation), peaks.magnitude[part], end - start
        )
        _suppress_harmonics(notes)
        notes[notes < _FAINTEST * notes.max(axis=0)] = 0.0
        strength = np.sqrt(notes)
        frames[start:end] = (_FOLD @ strength).T
        low = _BASS - _LOWEST + 1
        bass[start:end] = (_FOLD[:, :low] @ strength[:low]).T
    return Chroma(peaks.rate, frames, deviation, bass, deviations)


# Which pitch class each note belongs to [shape=(12, pitches)]; the highest notes are mostly harmonics, and count half.
_NUMBERS = np.arange(_PITCHES) + _LOWEST
_WEIGHTS = np.interp(_NUMBERS, (80, 97), (1.0, 0.5))
_FOLD = ((np.arange(12)[:, None] == _NUMBERS % 12) * _WEIGHTS).astype(np.float32)


def _notes(
    frame: NDArray[np.int32], pitch: NDArray[np.float32], magnitude: NDArray[np.float32], frames: int
) -> NDArray[np.float32]:
    """How strong each note is in each frame [shape=(pitches, frames)]."""
    nearest = np.round(pitch)
    # a peak half-way between two semitones belongs to neither
    weight = magnitude * np.cos(np.float32(np.pi) * (pitch - nearest)) ** 2
    column = np.clip(nearest.astype(np.int64) - _LOWEST, 0, _PITCHES - 1)
    notes = np.bincount(frame * _PITCHES + column, weight, frames * _PITCHES)
    return notes.astype(np.float32).reshape(frames, _PITCHES).T.copy()


def _suppress_harmonics(notes: NDArray[np.float32]) -> None:
    """Take from each note what the notes below it sound along, from the bottom up, in place.

    The third and fifth harmonic of every note are the fifth and the major third of its chord; left in, they
    turn C major into E minor.
    """
    for note in range(_PITCHES):
        factor = _BASS_FACTOR if note + _LOWEST <= _BASS else 1.0
        for interval, share in _HARMONICS:
            if note + interval < _PITCHES:
                above = notes[note + interval]
                np.maximum(above - np.float32(factor * share) * notes[note], 0.0, out=above)
