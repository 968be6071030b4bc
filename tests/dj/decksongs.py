"""Songs for the decks, made on the fly, and a script that does with them what a console can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soundfile

from sfa_kernel.control.script import Script
from sfa_kernel.dj.songs import DeckSong

if TYPE_CHECKING:
    from pathlib import Path

RATE = 44100


def deck_song(path: Path, *, bpm: float, hertz: float, seconds: float = 14.0, rate: int = RATE) -> DeckSong:
    """A tone, a little noise and a click on each beat, in 16 bits; the right side is softer."""
    n = round(seconds * rate)
    time = np.arange(n) / rate
    sound = 0.2 * np.sin(2 * np.pi * hertz * time) + 0.02 * np.random.default_rng(int(bpm)).standard_normal(n)
    sound += 0.5 * np.exp(-((time % (60 / bpm)) * 150))
    soundfile.write(path, np.stack([sound, 0.7 * sound], axis=1), rate, subtype="PCM_16")
    beats = tuple(np.arange(0.0, seconds, 60 / bpm))
    return DeckSong(path.stem, path.stem, path, beats=beats, downbeats=beats[::4])


def two_songs(folder: Path) -> dict[str, DeckSong]:
    songs = [
        deck_song(folder / "one.wav", bpm=120, hertz=220),
        deck_song(folder / "two.wav", bpm=127.35, hertz=330),
    ]
    return {song.id: song for song in songs}


def mix(one: str = "one", two: str = "two") -> Script:
    """Two songs, the second synced with its key held, a crossfade and a loop."""
    script = Script(
        duration=8.0,
        sample_rate=RATE,
        controls={"deck.1.track": one, "deck.1.play": 1, "deck.2.sync": 1, "mixer.crossfader": -1},
        positions={1: 0.0},
    )
    script = script.add(1.0, "deck.2.track", two).add(2.0, "deck.2.play", 1)
    return script.add(2.5, "mixer.crossfader", 1, over=2.0).add(5.0, "deck.2.loop.set", 2)
