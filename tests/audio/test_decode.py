from __future__ import annotations

import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from sfa_kernel.audio import AudioReader, decode, probe
from sfa_kernel.errors import AudioError, Cancelled, ParameterError
from tests.audio.making import SAMPLE_RATE, lag, music, signal_to_noise, write, write_float_wav

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = {
    # kind: format, codec, sample rate, least signal to noise in dB (None: exact)
    "wav": ("WAV", "float", 44100, None),
    "wav24": ("WAV", "pcm_24", 44100, 100),
    "wav8": ("WAV", "pcm_u8", 44100, 15),
    "rf64": ("WAV", "float", 44100, None),
    "aiff": ("AIFF", "pcm_16", 44100, 60),
    "flac": ("FLAC", "pcm_24", 44100, 100),
    "mp3": ("MP3", "mp3", 44100, 15),
    "vorbis": ("OGG", "vorbis", 44100, 12),
    "opus": ("OPUS", "opus", 48000, 12),
    "m4a": ("M4A", "aac", 44100, 15),
    "alac": ("M4A", "alac", 44100, 80),
    "dash": ("M4A", "aac", 44100, 15),
    "mka": ("MATROSKA", "aac", 44100, 15),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_decodes_on_time(kind: str, files: dict[str, Path], sound: NDArray[np.float32]) -> None:
    container, codec, rate, quality = KINDS[kind]
    info = probe(files[kind])
    assert (info.format, info.codec, info.sample_rate, info.channels) == (container, codec, rate, 2)
    assert info.duration == pytest.approx(sound.shape[1] / SAMPLE_RATE, abs=0.03)

    samples, sample_rate = decode(files[kind])
    assert sample_rate == rate
    assert samples.dtype == np.float32
    assert samples.flags.c_contiguous

    samples, _ = decode(files[kind], sample_rate=SAMPLE_RATE)
    assert lag(samples[0], sound[0]) == 0
    if quality is None:
        np.testing.assert_array_equal(samples, sound)
    else:
        assert signal_to_noise(samples, sound) > quality


@pytest.mark.parametrize("kind", ["wav", "aiff", "flac", "mp3", "vorbis", "alac"])
def test_the_length_is_exact_where_the_format_tells_it(
    kind: str, files: dict[str, Path], sound: NDArray[np.float32]
) -> None:
    assert decode(files[kind])[0].shape == sound.shape
    assert probe(files[kind]).frames == sound.shape[1]


def test_m4a_ends_where_the_music_ends(files: dict[str, Path], sound: NDArray[np.float32]) -> None:
    samples, _ = decode(files["m4a"])
    # The container counts in milliseconds; without the cut there would be up to 1,023 frames more.
    assert 0 <= samples.shape[1] - sound.shape[1] <= SAMPLE_RATE // 1000
    assert probe(files["m4a"]).frames == samples.shape[1]


def test_bare_aac_is_counted_not_guessed(files: dict[str, Path]) -> None:
    assert probe(files["aac"]).frames == decode(files["aac"])[0].shape[1]


@pytest.mark.parametrize("sample_rate", [None, 22050, 48000])
@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "vorbis", "opus", "m4a", "dash", "aac"])
def test_a_window_is_a_slice_of_the_whole(kind: str, sample_rate: int | None, files: dict[str, Path]) -> None:
    whole, rate = decode(files[kind], sample_rate=sample_rate)
    for start, duration in [(0.0, 0.3), (0.4321, 0.25), (1.9, 0.5)]:
        window, _ = decode(files[kind], sample_rate=sample_rate, start=start, duration=duration)
        first = round(start * rate)
        np.testing.assert_allclose(window, whole[:, first : first + round(duration * rate)], atol=1e-6)
    rest, _ = decode(files[kind], sample_rate=sample_rate, start=2.4)
    np.testing.assert_allclose(rest, whole[:, round(2.4 * rate) :], atol=1e-6)


@pytest.mark.parametrize("size", [1, 1000, 10007, 1 << 20])
def test_streaming_equals_decoding(size: int, files: dict[str, Path]) -> None:
    for kind in ("wav", "mp3", "vorbis", "m4a") if size > 1 else ("wav",):
        whole, _ = decode(files[kind], duration=0.01 if size == 1 else None)
        with AudioReader(files[kind]) as reader:
            blocks = list(reader.blocks(size, duration=0.01 if size == 1 else None))
        assert {block.shape[1] for block in blocks[:-1]} <= {size}
        assert all(block.flags.c_contiguous and block.dtype == np.float32 for block in blocks)
        np.testing.assert_allclose(np.concatenate(blocks, axis=1), whole, atol=1e-6)


def test_mp3_has_no_clicks_between_blocks(files: dict[str, Path]) -> None:
    # Its packets lend bits to each other; reading in blocks must not lose them. FFmpeg reads in one go.
    with av.open(str(files["mp3"])) as container:
        reference = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    with AudioReader(files["mp3"]) as reader:
        blocks = np.concatenate(list(reader.blocks(1111)), axis=1)
    np.testing.assert_allclose(blocks, reference, atol=1e-4)


def test_threads_do_not_disturb_each_other(files: dict[str, Path]) -> None:
    kinds = ["wav", "mp3", "vorbis", "m4a"] * 3
    alone = {kind: decode(files[kind])[0] for kind in set(kinds)}
    with ThreadPoolExecutor(4) as pool:
        for kind, (samples, _) in zip(kinds, pool.map(lambda kind: decode(files[kind]), kinds), strict=True):
            np.testing.assert_array_equal(samples, alone[kind])


def test_a_reader_says_what_it_is_going_to_give(files: dict[str, Path]) -> None:
    with AudioReader(files["m4a"], sample_rate=16000, mono=True) as reader:
        blocks = list(reader.blocks(4096))
        assert reader.channels == 1 == blocks[0].shape[0]
        assert reader.sample_rate == 16000
        assert reader.frames == sum(block.shape[1] for block in blocks)
        assert reader.info.sample_rate == SAMPLE_RATE
        assert "16000 Hz" in repr(reader)


def test_a_reader_can_be_read_again_and_left_early(files: dict[str, Path]) -> None:
    with AudioReader(files["flac"]) as reader:
        first = next(iter(reader.blocks(1000)))
        again = next(iter(reader.blocks(1000)))
        np.testing.assert_array_equal(first, again)
        half_way = reader.blocks(1000)
        kept = next(half_way)
        before = kept.copy()
        next(half_way)
        np.testing.assert_array_equal(kept, before)  # blocks are the caller's own
    assert list(half_way) == []


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    write(path, np.tile(music(5.0), 36), SAMPLE_RATE)  # three minutes: 63 MB when decoded
    # In a process of its own, since the peak of this one is behind it.
    script = (
        "import sys, resource\n"
        "from sfa_kernel.audio import AudioReader\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "with AudioReader(sys.argv[1], sample_rate=22050) as reader:\n"
        "    next(iter(reader.blocks()))\n"
        "    before = peak()\n"
        "    frames = sum(block.shape[1] for block in reader.blocks())\n"
        "print(frames, peak() - before)\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    frames, grown = map(int, run.stdout.split())
    assert frames == 180 * 22050
    assert grown < 20  # MB


def test_the_content_decides_not_the_name(files: dict[str, Path], tmp_path: Path, sound: NDArray[np.float32]) -> None:
    for kind, name in [("mp3", "really.wav"), ("m4a", "really.mp3"), ("flac", "none"), ("wav", "näme ♫ '\n.m4a")]:
        path = tmp_path / name
        path.write_bytes(files[kind].read_bytes())
        assert probe(path).format == KINDS[kind][0]
        assert lag(decode(path)[0][0], sound[0]) == 0


def test_a_name_is_never_an_address(files: dict[str, Path], tmp_path: Path) -> None:
    for name in ("http:a", "concat:a|b", "pipe:0"):
        path = tmp_path / name
        path.write_bytes(files["m4a"].read_bytes())
        assert probe(path).format == "M4A"


@pytest.mark.parametrize("channels", [1, 2, 6, 8])
@pytest.mark.parametrize("sample_rate", [8000, 96000, 192000])
def test_mono_is_the_mean_of_the_channels(channels: int, sample_rate: int, tmp_path: Path) -> None:
    sound = music(0.2, channels=channels, sample_rate=sample_rate)
    path = write(tmp_path / "a.wav", sound, sample_rate, subtype="FLOAT")
    np.testing.assert_array_equal(decode(path)[0], sound)
    samples, rate = decode(path, mono=True)
    assert rate == sample_rate
    np.testing.assert_allclose(samples, sound.mean(axis=0, keepdims=True), atol=1e-6)
    resampled, _ = decode(path, mono=True, sample_rate=22050)
    assert resampled.shape == (1, round(0.2 * 22050))


def test_resampling_keeps_a_tone_and_its_place(tmp_path: Path) -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    path = write(tmp_path / "a.wav", np.sin(2 * np.pi * 440 * t)[np.newaxis].astype(np.float32), SAMPLE_RATE)
    samples, rate = decode(path, sample_rate=32000)
    expected = np.sin(2 * np.pi * 440 * np.arange(32000) / rate)
    np.testing.assert_allclose(samples[0, 100:-100], expected[100:-100], atol=1e-3)


def test_what_is_no_sound_becomes_silence(tmp_path: Path) -> None:
    sound = music(0.1)
    sound[0, 10] = np.nan
    sound[1, 20:30] = np.inf
    sound[0, 40] = -np.inf
    sound[1, 50] = 3e38
    sound[0, 60] = -7.5  # loud, but a number
    samples, _ = decode(write_float_wav(tmp_path / "a.wav", sound, SAMPLE_RATE))
    bad = np.zeros_like(sound, bool)
    bad[0, [10, 40]] = bad[1, 20:30] = bad[1, 50] = True
    np.testing.assert_array_equal(samples, np.where(bad, 0, sound))


def test_double_precision_beyond_single_becomes_silence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.array([[0.5, 1e300, -0.5]]), SAMPLE_RATE, subtype="DOUBLE")
    np.testing.assert_array_equal(decode(path)[0], [[0.5, 0.0, -0.5]])


def test_one_frame_is_a_sound(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.full((2, 1), 0.5, np.float32), 96000)
    assert decode(path)[0].shape == (2, 1)
    assert decode(path, sample_rate=8000, mono=True)[0].shape == (1, 1)


def test_progress_rises_to_the_end(files: dict[str, Path]) -> None:
    seen: list[int] = []
    decode(files["mp3"], progress=seen.append)
    assert seen == sorted(set(seen))
    assert seen[0] == 0
    assert seen[-1] == 100


def test_decoding_stops_when_asked(files: dict[str, Path]) -> None:
    answers = iter([False, True])
    with pytest.raises(Cancelled):
        decode(files["flac"], cancel=lambda: next(answers))


@pytest.mark.parametrize(
    "window",
    [{"start": -1.0}, {"start": 60.0}, {"start": np.nan}, {"duration": 0.0}, {"duration": -1.0}, {"duration": np.inf}],
)
def test_a_window_outside_the_file_is_refused(window: dict[str, float], files: dict[str, Path]) -> None:
    with pytest.raises(ParameterError):
        decode(files["wav"], **window)
    with AudioReader(files["wav"]) as reader, pytest.raises(ParameterError):
        reader.blocks(**window)


def test_odd_arguments_are_refused(files: dict[str, Path]) -> None:
    with pytest.raises(ParameterError, match="sample rate of 5 Hz"):
        decode(files["wav"], sample_rate=5)
    with AudioReader(files["wav"]) as reader, pytest.raises(ParameterError, match="block of 0"):
        reader.blocks(0)


def test_no_file_stays_open(files: dict[str, Path], tmp_path: Path) -> None:
    # An unclosed file is a ResourceWarning, which the collector reports through this hook.
    unraisable: list[object] = []
    hook, sys.unraisablehook = sys.unraisablehook, unraisable.append
    try:
        for kind in ("wav", "m4a"):
            decode(files[kind], duration=0.1)
            reader = AudioReader(files[kind])
            next(iter(reader.blocks(100)))
            reader.close()
        (tmp_path / "text").write_text("no sound")
        with pytest.raises(AudioError):
            decode(tmp_path / "text")
        gc.collect()
    finally:
        sys.unraisablehook = hook
    assert unraisable == []
