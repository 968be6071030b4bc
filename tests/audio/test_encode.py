from __future__ import annotations

import errno
import resource
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel.audio import AudioWriter, decode, encode, holds_rate, probe
from sfa_kernel.errors import AudioError, ParameterError
from tests.audio.making import SAMPLE_RATE, lag, music, signal_to_noise
from tests.disks import run_on_small_disk

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("name", "subtype", "codec", "step"),
    [
        ("a.wav", None, "float", 0.0),
        ("a.wav", "PCM_16", "pcm_16", 2**-15),
        ("a.WAV", "pcm_24", "pcm_24", 2**-23),
        ("a.flac", None, "pcm_24", 2**-23),
        ("a.flac", "PCM_16", "pcm_16", 2**-15),
    ],
)
def test_lossless_formats_keep_every_sample(
    name: str, subtype: str | None, codec: str, step: float, tmp_path: Path
) -> None:
    sound = music(0.5)
    encode(tmp_path / name, sound, SAMPLE_RATE, subtype=subtype)
    samples, sample_rate = decode(tmp_path / name)
    assert sample_rate == SAMPLE_RATE
    assert probe(tmp_path / name).codec == codec
    np.testing.assert_allclose(samples, sound, atol=step, rtol=0)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg"])
def test_lossy_formats_keep_length_and_time(name: str, tmp_path: Path) -> None:
    sound = music(2.0)
    encode(tmp_path / name, sound, SAMPLE_RATE)
    samples, _ = decode(tmp_path / name)
    assert samples.shape == sound.shape
    assert lag(samples[0], sound[0]) == 0
    assert signal_to_noise(samples, sound) > 12


def test_one_channel_needs_no_axis(tmp_path: Path) -> None:
    sound = music(0.1, channels=1)
    encode(tmp_path / "a.flac", sound[0].astype(np.float64), SAMPLE_RATE)
    np.testing.assert_allclose(decode(tmp_path / "a.flac")[0], sound, atol=2**-23)


def test_integers_clip_and_never_wrap(tmp_path: Path) -> None:
    loud = np.array([[1.5, -1.5, 1.0, -1.0, np.nan, np.inf]], np.float32)
    encode(tmp_path / "a.wav", loud, SAMPLE_RATE, subtype="PCM_16")
    np.testing.assert_allclose(decode(tmp_path / "a.wav")[0], [[1, -1, 1, -1, 0, 0]], atol=2**-14)


def test_blocks_make_the_same_file_as_the_whole(tmp_path: Path) -> None:
    sound = music(1.0)
    encode(tmp_path / "whole.flac", sound, SAMPLE_RATE)
    with AudioWriter(tmp_path / "blocks.flac", SAMPLE_RATE, 2) as writer:
        for at in range(0, sound.shape[1], 777):
            writer.write(sound[:, at : at + 777])
        assert names(tmp_path) >= {"whole.flac"}
        assert "blocks.flac" not in names(tmp_path)  # not before it is complete
        assert writer.frames == sound.shape[1]
    assert names(tmp_path) == {"whole.flac", "blocks.flac"}
    np.testing.assert_array_equal(decode(tmp_path / "blocks.flac")[0], decode(tmp_path / "whole.flac")[0])


def test_a_long_vorbis_block_does_not_crash(tmp_path: Path) -> None:
    sound = np.tile(music(2.0), 15)
    encode(tmp_path / "a.ogg", sound, SAMPLE_RATE)
    assert probe(tmp_path / "a.ogg").frames == sound.shape[1]


def test_a_failure_leaves_nothing_and_keeps_what_was(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt), AudioWriter(path, SAMPLE_RATE, 2) as writer:  # noqa: PT012 - both
        writer.write(music(0.1))
        raise KeyboardInterrupt
    with pytest.raises(OSError, match="other"), AudioWriter(path, SAMPLE_RATE, 2) as writer:  # noqa: PT012
        writer.write(music(0.1))
        raise OSError(errno.EIO, "other")  # somebody else's error stays as it is
    with pytest.raises(ParameterError, match="no samples"):
        encode(path, np.zeros((2, 0), np.float32), SAMPLE_RATE)
    with pytest.raises(ParameterError, match="do not fit"), AudioWriter(path, SAMPLE_RATE, 2) as writer:
        writer.write(music(0.1, channels=6))
    assert names(tmp_path) == {"a.wav"}
    assert path.read_bytes() == b"before"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # the nearest thing to a full disk
    try:
        for name in ("a.wav", "a.flac"):
            with pytest.raises(AudioError, match="cannot be written"):
                encode(tmp_path / name, music(3.0), SAMPLE_RATE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("suffix", "rate"), [(".ogg", 200_001), (".ogg", 384_000), (".flac", 100_001), (".mp3", 96_000), (".mp3", 44_099)]
)
def test_a_rate_that_a_format_cannot_have_is_refused_at_once(tmp_path: Path, suffix: str, rate: int) -> None:
    assert not holds_rate(suffix, rate)
    with pytest.raises(ParameterError, match=f"{rate} Hz"):
        encode(tmp_path / f"a{suffix}", music(0.1), rate)
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("suffix", "rate"), [(".ogg", 200_000), (".ogg", 4000), (".flac", 384_000), (".flac", 65_535), (".wav", 100_001)]
)
def test_any_other_rate_is_kept(tmp_path: Path, suffix: str, rate: int) -> None:
    assert holds_rate(suffix, rate)
    encode(tmp_path / f"a{suffix}", music(0.1), rate)
    assert probe(tmp_path / f"a{suffix}").sample_rate == rate


def test_a_disk_without_room_is_told_from_other_trouble(tmp_path: Path) -> None:
    """Work that waits for room goes on by itself; work that failed does not."""
    script = """
import numpy as np
from sfa_kernel.audio import encode
from sfa_kernel.errors import DiskFullError

for name in ("a.wav", "a.flac", "a.ogg"):
    try:
        encode(home / name, np.random.default_rng(0).uniform(-1, 1, (2, 3_000_000)), 44100)
    except DiskFullError as error:
        print(error)
print([path.name for path in home.iterdir()])
"""
    told = run_on_small_disk(script, tmp_path, megabytes=1)
    assert told.stdout.count("the disk is full") == 3, told
    assert told.stdout.endswith("[]\n")


def test_a_wav_beyond_four_gigabytes_is_refused_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By its full name: the package has a function of the same name.
    monkeypatch.setattr(import_module("sfa_kernel.audio.encode"), "_MOST_WAV_BYTES", 50_000)
    with pytest.raises(AudioError, match="4 GB"):
        encode(tmp_path / "a.wav", music(0.5), SAMPLE_RATE)
    assert names(tmp_path) == set()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    for path in (tmp_path / "none" / "a.wav", tmp_path / "folder.wav", tmp_path / "a\0.wav"):
        with pytest.raises(AudioError, match="cannot be written"):
            encode(path, music(0.1), SAMPLE_RATE)
    assert names(tmp_path) == {"folder.wav"}


@pytest.mark.parametrize(
    ("name", "sample_rate", "channels", "subtype", "reason"),
    [
        ("a.xyz", 44100, 2, None, "not a format we write"),
        ("noname", 44100, 2, None, "no suffix"),
        ("a.mp3", 44100, 6, None, "cannot hold 6 channels"),
        ("a.mp3", 96000, 2, None, "cannot hold 2 channels at 96000 Hz"),
        ("a.flac", 44100, 2, "FLOAT", "has no subtype FLOAT"),
        ("a.flac", 44100, 12, None, "cannot hold 12 channels"),
    ],
)
def test_what_a_format_cannot_hold_is_said(
    name: str, sample_rate: int, channels: int, subtype: str | None, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ParameterError, match=reason):
        encode(tmp_path / name, np.zeros((channels, 100), np.float32), sample_rate, subtype=subtype)
    assert names(tmp_path) == set()


def test_a_closed_writer_says_so(tmp_path: Path) -> None:
    writer = AudioWriter(tmp_path / "a.wav", SAMPLE_RATE, 1)
    writer.write(music(0.1, channels=1))
    writer.close()
    writer.close()
    writer.discard()
    with pytest.raises(ParameterError, match="is closed"):
        writer.write(music(0.1, channels=1))
    assert names(tmp_path) == {"a.wav"}


def test_files_are_as_readable_as_others(tmp_path: Path) -> None:
    encode(tmp_path / "a.wav", music(0.1), SAMPLE_RATE)
    (tmp_path / "b").touch()
    assert (tmp_path / "a.wav").stat().st_mode == (tmp_path / "b").stat().st_mode
