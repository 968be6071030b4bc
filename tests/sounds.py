"""Songs made on the fly for tests that need a song, not a certain one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SAMPLE_RATE = 22050


def four_on_the_floor(seconds: float, *, bpm: float = 120.0, seed: int = 0) -> NDArray[np.float32]:
    """A kick on each beat, a hat between, a bass note and a chord in A minor [shape=(n, 2)]."""
    n = int(seconds * SAMPLE_RATE)
    t = np.arange(n) / SAMPLE_RATE
    since_beat = t % (60 / bpm)
    since_off = (t + 30 / bpm) % (60 / bpm)
    kick = np.sin(2 * np.pi * 55 * since_beat) * np.exp(-since_beat * 18)
    hat = np.random.default_rng(seed).standard_normal(n) * np.exp(-since_off * 60) * 0.2
    bass = 0.25 * np.sin(2 * np.pi * 110 * t)
    chord = 0.08 * sum(np.sin(2 * np.pi * f * t) for f in (440.0, 523.25, 659.26))
    left, right = kick + hat + bass + chord, kick + 0.8 * hat + bass + 1.2 * chord
    song = np.stack([left, right], axis=1) * 0.5
    return song.astype(np.float32)


def write_song(path: Path, *, seconds: float = 8.0, bpm: float = 120.0, seed: int = 0) -> Path:
    """Write such a song; the suffix decides on the format."""
    soundfile.write(path, four_on_the_floor(seconds, bpm=bpm, seed=seed), SAMPLE_RATE)
    return path
