"""Songs with stems that were made up: each stem a tone of its own, so that one hears which is which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sfa_kernel import audio
from sfa_kernel.exporting import Item, Song, Stem, StemSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RATE = 44100
FRAMES = 2 * RATE + 137  # no whole number of any codec's frames
PNG = b"\x89PNG\r\n\x1a\n" + bytes(3000)

TONES = {"vocals": 880.0, "drums": 220.0, "bass": 110.0, "other": 440.0, "guitar": 660.0, "piano": 550.0, "rest": 330.0}


def tone(name: str, *, frames: int = FRAMES, rate: int = RATE, level: float = 0.15) -> NDArray[np.float32]:
    """The sound of a stem [shape=(2, frames)]: in the left channel the tone, in the right its octave."""
    t = np.arange(frames) / rate
    fade = np.minimum(1, np.minimum(t, t[::-1]) / 0.05)
    hertz = TONES[name]
    sound = np.stack([np.sin(2 * np.pi * hertz * t), np.sin(4 * np.pi * hertz * t)]) * fade * level
    return sound.astype(np.float32)


@pytest.fixture
def make_item(tmp_path: Path) -> Callable[..., Item]:
    """Makes a song of these stems, with their files; keywords change the song."""
    made: list[Path] = []

    def make(
        stems: Sequence[str] | Mapping[str, Any] = ("vocals", "drums", "bass", "other"),
        *,
        rate: int = RATE,
        suffix: str = ".flac",
        **changes: Any,
    ) -> Item:
        folder = tmp_path / f"song{len(made)}"
        folder.mkdir()
        made.append(folder)
        sounds = stems if isinstance(stems, dict) else {name: tone(name, rate=rate) for name in stems}
        for name, sound in sounds.items():
            audio.encode(folder / f"{name}{suffix}", sound, rate)
        mix = sum(audio.decode(folder / f"{name}{suffix}")[0] for name in sounds)
        audio.encode(folder / "mix.wav", np.asarray(mix), rate)
        cover = folder / "cover.png"
        cover.write_bytes(PNG)
        song = Song(
            title="Søng",
            artist="Ärtist",
            album="Album",
            genre="House",
            year=2024,
            bpm=127.35,
            key="F# minor",
            camelot="11A",
            duration=FRAMES / RATE,
            file=folder / "mix.wav",
            content_hash=audio.content_hash(folder / "mix.wav"),
            cover=cover,
        )
        stem_set = StemSet(
            engine="demucs",
            model="htdemucs_ft",
            settings={"overlap": 0.25},
            start=None,
            end=None,
            residual_db=-96.0,
            report={"residual_db": -96.0, "stems": {}, "warnings": []},
            created_at="2026-11-21T12:00:00+00:00",
            stems=tuple(Stem(name, folder / f"{name}{suffix}") for name in sounds),
        )
        return Item(replace(song, **changes), stem_set)

    return make


def silent(share: float) -> None:
    """Progress that nobody watches."""
