from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from sfa_kernel.audio import Waveform, WaveformBuilder
from sfa_kernel.errors import AudioError, ParameterError
from tests.audio.making import SAMPLE_RATE, music

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def brute_force(samples: NDArray[np.float32], sample_rate: int, size: int) -> NDArray[np.float64]:
    """One level in double precision, bin by bin, before rounding."""
    mono = samples.astype(np.float64).mean(axis=0)
    bands = [
        mono,
        sosfilt(butter(2, 200, "low", fs=sample_rate, output="sos"), mono),
        sosfilt(
            butter(2, 2000, "low", fs=sample_rate, output="sos"),
            sosfilt(butter(2, 200, "high", fs=sample_rate, output="sos"), mono),
        ),
        sosfilt(butter(2, 2000, "high", fs=sample_rate, output="sos"), mono),
    ]
    bins = [
        [
            [part.min(), part.max(), np.sqrt(np.mean(part**2))]
            for part in (band[at : at + size] for at in range(0, len(mono), size))
        ]
        for band in bands
    ]
    return 127 * np.array(bins).swapaxes(0, 1)


@pytest.mark.parametrize("sample_rate", [44100, 8000, 96000])
def test_the_picture_is_what_the_definition_says(sample_rate: int) -> None:
    # Longer than one chunk of the streaming pass, and no multiple of any bin.
    samples = 1.8 * music(70_000 / sample_rate, sample_rate=sample_rate)
    waveform = Waveform.from_samples(samples, sample_rate)
    assert waveform.frames == samples.shape[1]
    assert waveform.duration == pytest.approx(samples.shape[1] / sample_rate)
    for size, level in zip((256, 2048, 16384), waveform.levels, strict=True):
        expected = brute_force(samples, sample_rate, size)
        assert level.shape == expected.shape
        assert level.dtype == np.int8
        np.testing.assert_allclose(level, expected, atol=0.51)


def test_blocks_of_any_size_draw_the_same_picture() -> None:
    samples = music(3.0)
    whole = Waveform.from_samples(samples, SAMPLE_RATE)
    for size in (100, 65536, 70_001):
        blocks = (samples[:, at : at + size] for at in range(0, samples.shape[1], size))
        drawn = Waveform.from_blocks(blocks, SAMPLE_RATE)
        assert drawn.frames == whole.frames
        for one, other in zip(drawn.levels, whole.levels, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_picture_can_be_drawn_while_the_sound_is_decoded_for_something_else() -> None:
    samples = music(3.0)
    whole = Waveform.from_samples(samples, SAMPLE_RATE)
    builder = WaveformBuilder(SAMPLE_RATE)
    for at in range(0, samples.shape[1], 50_000):
        block = samples[:, at : at + 50_000].copy()
        builder.feed(block)
        block[:] = 0  # the caller may use it for what it likes
    drawn = builder.finish()
    assert drawn.frames == whole.frames
    for one, other in zip(drawn.levels, whole.levels, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_tone_shows_in_its_band() -> None:
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for band, hertz in [(1, 50), (2, 630), (3, 8000)]:
        tone = np.sin(2 * np.pi * hertz * t).astype(np.float32)
        rms = Waveform.from_samples(tone, SAMPLE_RATE).levels[2][1, :, 2]
        assert rms[0] == pytest.approx(127 / np.sqrt(2), abs=1)
        assert rms[band] > 0.85 * rms[0]
        assert all(rms[other] < 0.35 * rms[0] for other in {1, 2, 3} - {band})


def test_loud_sound_clips_and_silence_is_flat() -> None:
    loud = Waveform.from_samples(np.full((2, 1000), 4.0, np.float32) * [[1], [1]], SAMPLE_RATE)
    assert loud.levels[0][0, 0].tolist() == [127, 127, 127]
    low = Waveform.from_samples(np.full((2, 1000), -4.0, np.float32), SAMPLE_RATE)
    assert low.levels[0][0, 0].tolist() == [-127, -127, 127]
    silent = Waveform.from_samples(np.zeros((1, 100_000), np.float32), SAMPLE_RATE)
    assert not any(level.any() for level in silent.levels)


def test_a_band_above_the_sample_rate_stays_empty() -> None:
    waveform = Waveform.from_samples(music(1.0, sample_rate=4000), 4000)
    assert not waveform.levels[0][:, 3].any()
    assert waveform.levels[0][:, 2].any()


@pytest.mark.parametrize("frames", [1, 255, 256, 257, 65536])
def test_short_sounds(frames: int) -> None:
    waveform = Waveform.from_samples(np.full((1, frames), 0.5, np.float32), SAMPLE_RATE)
    assert [len(level) for level in waveform.levels] == [-(-frames // n) for n in (256, 2048, 16384)]
    assert waveform.levels[2][0, 0].tolist() == [64, 64, 64]


def test_no_sound_is_refused() -> None:
    with pytest.raises(ParameterError, match="no samples"):
        Waveform.from_samples(np.zeros((2, 0), np.float32), SAMPLE_RATE)
    with pytest.raises(ParameterError, match="out of range"):
        Waveform.from_samples(np.zeros((2, 10), np.float32), 0)


def test_a_saved_waveform_comes_back(tmp_path: Path) -> None:
    waveform = Waveform.from_samples(music(1.0), SAMPLE_RATE)
    waveform.save(tmp_path / "w.npz")
    loaded = Waveform.load(tmp_path / "w.npz")
    assert (loaded.sample_rate, loaded.frames) == (waveform.sample_rate, waveform.frames)
    for one, other in zip(loaded.levels, waveform.levels, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [path.name for path in tmp_path.iterdir()] == ["w.npz"]
    assert "1.0 s" in repr(loaded)


def test_the_message_describes_its_buffers() -> None:
    waveform = Waveform.from_samples(music(1.0), SAMPLE_RATE)
    description, buffers = waveform.to_message()
    assert description["sample_rate"] == SAMPLE_RATE
    assert description["frames"] == SAMPLE_RATE
    assert description["duration"] == 1.0
    assert [level["bin_frames"] for level in description["levels"]] == [256, 2048, 16384]
    for level, buffer, array in zip(description["levels"], buffers, waveform.levels, strict=True):
        np.testing.assert_array_equal(np.frombuffer(buffer, np.int8).reshape(level["bins"], 4, 3), array)


class Trap:
    """Runs code when unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("the file was unpickled",))


def test_a_broken_file_is_an_audio_error(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    waveform = Waveform.from_samples(music(0.5), SAMPLE_RATE)
    waveform.save(path)
    content = path.read_bytes()
    good = dict(np.load(path))
    broken: list[bytes] = [b"no archive", content[: len(content) // 2], content[:200] + bytes(300) + content[500:]]
    for changed in (
        {"level_256": np.array([Trap()], dtype=object)},
        {"level_256": good["level_256"].astype(np.float32)},
        {"level_2048": good["level_2048"][:, :2]},
        {"frames": np.int64(5)},
        {"frames": np.array([1, 2])},
        {"sample_rate": np.int64(0)},
        {"level_16384": None},
    ):
        arrays = {key: value for key, value in (good | changed).items() if value is not None}
        np.savez(path, **arrays)
        broken.append(path.read_bytes())
    for content in broken:
        path.write_bytes(content)
        with pytest.raises(AudioError, match="is not a waveform"):
            Waveform.load(path)
    with pytest.raises(AudioError, match="does not exist"):
        Waveform.load(tmp_path / "none.npz")


def test_a_waveform_that_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be written"):
        Waveform.from_samples(music(0.1), SAMPLE_RATE).save(tmp_path / "none" / "w.npz")
