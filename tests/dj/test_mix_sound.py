"""A planned mix as it sounds: rendered by the console itself, and measured."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import soundfile
from scipy.signal import butter, sosfiltfilt

from sfa_kernel.dj.automix import plan
from sfa_kernel.dj.console import render
from sfa_kernel.dj.mixpoints import MixSong
from sfa_kernel.dj.songs import DeckSong

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sfa_kernel.dj.automix import Mix

RATE = 48000
SECONDS = 30.0
LOW, HIGH = 800.0, 4000.0  # Hz


def clicks(folder: Path, number: int, tempo: float, first: float, pitch: float) -> tuple[MixSong, DeckSong]:
    """A song that clicks on every beat over a soft tone: what a mix knows of it, and what a deck does."""
    beats = np.arange(first, SECONDS - 0.1, 60.0 / tempo)
    time = np.arange(round(0.03 * RATE)) / RATE
    click = 0.5 * np.sin(2 * np.pi * pitch * time) * np.exp(-time * 150)
    sound = 0.05 * np.sin(2 * np.pi * pitch * np.arange(round(SECONDS * RATE)) / RATE)
    for beat in beats:
        start = round(beat * RATE)
        sound[start : start + len(click)] += click[: len(sound) - start]
    file = folder / f"{number}.wav"
    soundfile.write(file, np.stack([sound, sound], axis=1), RATE, subtype="FLOAT")
    name = UUID(int=number)
    song = MixSong(name, SECONDS, tempo, steady=True, downbeats=beats[::4], camelot="8A", energy=7)
    return song, DeckSong(str(name), file.stem, file, beats=tuple(beats), downbeats=tuple(beats[::4]))


def rendered(mix: Mix, decks: list[DeckSong]) -> NDArray[np.float32]:
    blocks: list[NDArray[np.float32]] = []
    render(mix.script(RATE).script, {deck.id: deck for deck in decks}, lambda block: blocks.append(block.copy()))
    return np.concatenate(blocks, axis=1)


def onsets(sound: NDArray[np.float32], pitch: float) -> NDArray[np.float64]:
    """When clicks of a pitch begin [s]: where each has come up to a third of its peak."""
    sos = butter(4, (0.75 * pitch, 1.25 * pitch), "bandpass", fs=RATE, output="sos")
    level = np.convolve(np.abs(sosfiltfilt(sos, sound)), np.ones(96) / 96, "same")
    above = np.flatnonzero(level > 0.12 * level.max())
    firsts = above[np.flatnonzero(np.diff(above, prepend=-RATE) > 0.15 * RATE)]
    third = [np.argmax(level[first : first + 1440] > level[first : first + 1440].max() / 3) for first in firsts]
    return np.asarray((firsts + third) / RATE, np.float64)


def test_songs_meet_on_the_beat_and_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    made = [
        clicks(tmp_path, 1, 120.0, 0.31, LOW),
        clicks(tmp_path, 2, 126.0, 0.87, HIGH),
        clicks(tmp_path, 3, 60.7, 0.5, LOW),  # half the beats
    ]
    mix = plan([song for song, _ in made]).changed(0, kind="blend", bars=4).changed(1, kind="bass swap", bars=4)
    sound = rendered(mix, [deck for _, deck in made])
    low, high = onsets(sound[0], LOW), onsets(sound[0], HIGH)

    spans = mix.script().spans
    for goes, comes in pairwise(spans):
        # In the middle of a transition both are loud enough to be measured.
        middle, reach = (comes.start + goes.end) / 2, (goes.end - comes.start) / 4
        few, many = sorted(
            ((times[np.abs(times - middle) < reach], times) for times in (low, high)), key=lambda pair: len(pair[0])
        )
        assert len(few[0]) >= 3
        assert max(np.abs(many[1] - beat).min() for beat in few[0]) < 0.005

    # Alone, the second goes back to its own tempo; the planner knew when each would be heard.
    alone = high[(high > spans[0].end + 1) & (high < spans[2].start - 0.5)]
    assert 240.0 / (alone[-1] - alone[-5]) > 240.0 / (alone[4] - alone[0]) + 1.0
    level = np.sqrt(np.mean(sound[0][: len(sound[0]) // 2400 * 2400].reshape(-1, 2400) ** 2, axis=1))
    assert np.flatnonzero(level > 0.01)[-1] * 0.05 > mix.script().script.duration - 0.5
    assert level[2:-4].min() > 0.01
    assert np.abs(sound).max() < 1.0
