"""The console without a page: a script becomes the sound that a page would play."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from sfa_kernel.control.script import Script, ScriptEvent
from sfa_kernel.dj.console import render
from sfa_kernel.dj.songs import DeckSong, gain_of, tonic_of
from sfa_kernel.errors import AudioError, Cancelled, NotFoundError
from tests.dj.decksongs import RATE, mix, two_songs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

SETTLED = RATE // 4  # frames: the limiter's way, and what is smoothed


@pytest.fixture
def songs(tmp_path: Path) -> dict[str, DeckSong]:
    return two_songs(tmp_path)


def heard(script: Script, songs: Mapping[str, DeckSong]) -> NDArray[np.float32]:
    blocks: list[NDArray[np.float32]] = []
    render(script, songs, blocks.append)
    return np.concatenate(blocks, axis=1)


def strength(sound: NDArray[np.float32], hertz: float) -> float:
    """Amplitude of a tone."""
    time = np.arange(len(sound)) / RATE
    return float(2 * abs(np.mean(sound * np.exp(-2j * np.pi * hertz * time))))


def test_a_mix_is_what_the_script_says_and_the_same_each_time(songs: dict[str, DeckSong]) -> None:
    seen: list[int] = []
    blocks: list[NDArray[np.float32]] = []
    started = render(mix(), songs, blocks.append, progress=seen.append)
    sound = np.concatenate(blocks, axis=1)
    assert sound.shape == (2, 8 * RATE)
    assert max(block.shape[1] for block in blocks) < RATE
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert [song for _, song in started] == ["one", "two"]
    assert [at for at, _ in started] == pytest.approx([0.0, 2.0], abs=0.01)

    before, after = sound[0, RATE : 2 * RATE], sound[0, 5 * RATE : 7 * RATE]
    assert strength(before, 220) > 20 * strength(before, 330)
    assert strength(after, 330) > 20 * strength(after, 220)
    assert np.array_equal(sound, heard(mix(), songs))


def test_a_song_at_its_own_speed_comes_out_to_the_sample(songs: dict[str, DeckSong]) -> None:
    """Gain 0, faders open, limiter off: what the file holds, a little later."""
    plain = Script(
        [ScriptEvent(0.0, "deck.1.play", 1)],
        duration=4.0,
        sample_rate=RATE,
        controls={"deck.1.track": "one", "deck.1.keylock": 0, "mixer.limiter": 0, "deck.1.assign": "through"},
        positions={1: 0.0},
    )
    sound = heard(plain, songs)
    original = soundfile.read(songs["one"].mix, dtype="float32")[0].T
    part = original[:, SETTLED : SETTLED + RATE]
    differences = [
        np.max(np.abs(sound[:, SETTLED + late : SETTLED + late + RATE] - part)) for late in range(RATE // 50)
    ]
    assert min(differences) < 1e-4


def test_a_song_is_loaded_exactly_when_the_script_says(songs: dict[str, DeckSong]) -> None:
    def at(frame: int) -> Script:
        return Script(
            [ScriptEvent(frame / RATE, "deck.1.track", "one"), ScriptEvent(frame / RATE, "deck.1.play", 1)],
            duration=1.0,
            sample_rate=RATE,
        )

    early, late = heard(at(1000), songs), heard(at(1333), songs)
    assert np.any(early)
    assert np.max(np.abs(early[:, 1000:20000] - late[:, 1333:20333])) < 1e-6


def test_a_song_at_another_rate_keeps_its_pitch_and_length(tmp_path: Path) -> None:
    time = np.arange(48000 * 3) / 48000
    soundfile.write(tmp_path / "mono.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 48000)
    song = DeckSong("mono", "Mono", tmp_path / "mono.wav")
    script = Script(
        [ScriptEvent(0.0, "deck.1.play", 1)], duration=4.0, sample_rate=RATE, controls={"deck.1.track": "mono"}
    )
    sound = heard(script, {"mono": song})
    assert strength(sound[0, RATE : 2 * RATE], 440) > 0.05
    assert np.allclose(sound[0], sound[1])
    assert not np.any(np.abs(sound[:, round(3.1 * RATE) :]) > 1e-4)


def test_a_render_may_be_called_where_an_event_loop_runs(songs: dict[str, DeckSong]) -> None:
    async def cell() -> NDArray[np.float32]:
        return heard(Script(duration=0.5, sample_rate=RATE, controls={"deck.1.track": "one", "deck.1.play": 1}), songs)

    assert np.any(asyncio.run(cell()))


def test_what_is_missing_is_said_before_anything_is_written(songs: dict[str, DeckSong], tmp_path: Path) -> None:
    blocks: list[NDArray[np.float32]] = []
    with pytest.raises(NotFoundError, match="is not here: two"):
        render(mix(), {"one": songs["one"]}, blocks.append)
    (tmp_path / "no.wav").write_bytes(b"no sound at all")
    with pytest.raises(AudioError):
        render(mix(), songs | {"one": DeckSong("one", "One", tmp_path / "no.wav")}, blocks.append)
    assert blocks == []


def test_a_render_stops_when_it_is_told_to(songs: dict[str, DeckSong]) -> None:
    blocks: list[NDArray[np.float32]] = []
    with pytest.raises(Cancelled):
        render(mix(), songs, blocks.append, cancel=lambda: len(blocks) >= 2)
    assert len(blocks) == 2


def test_songs_are_brought_to_one_loudness_but_not_beyond_their_peaks() -> None:
    assert gain_of(-8.0, 0.5) == -6.0
    assert gain_of(-20.0, -10.0) == 6.0
    assert gain_of(-20.0, -3.0) == 2.0
    assert gain_of(-20.0, 0.0) == 0.0
    assert gain_of(None, None) == -5.0


def test_keys_as_the_console_takes_them() -> None:
    assert tonic_of("A minor") == {"tonic": 9, "minor": True}
    assert tonic_of("F# major") == {"tonic": 6, "minor": False}
    assert tonic_of("Bb minor") == {"tonic": 10, "minor": True}
    assert tonic_of(None) is None
