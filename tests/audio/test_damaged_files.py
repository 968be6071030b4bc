"""Whatever a person drops in: it decodes as far as it goes, or one sentence says why not."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from sfa_kernel.audio import AudioReader, content_hash, decode, probe, read_tags
from sfa_kernel.errors import AudioError
from tests.audio.making import SAMPLE_RATE, lag, music, signal_to_noise, write, write_av


def refused(path: Path | str) -> str:
    """The sentence with which the file is refused, by each way to open it alike."""
    with pytest.raises(AudioError) as probed:
        probe(path)
    with pytest.raises(AudioError) as decoded:
        decode(path)
    with pytest.raises(AudioError):
        AudioReader(path)
    assert str(probed.value) == str(decoded.value)
    assert probed.value.hint
    assert "\n" not in str(probed.value)
    return str(probed.value)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.mp3", b"", "is empty"),
        ("a.mp3", b"This is a text, not a song.\n" * 300, "is text"),
        ("a.mp3", "<html>é</html>".encode() * 900, "is text"),
        ("a.flac", b"\x89PNG\r\n\x1a\n" + bytes(3000), "is a PNG image"),
        ("a.wav", b"%PDF-1.7\n" + bytes(3000), "is a PDF document"),
        ("a.mp3", b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk", "is a MIDI file"),
        ("a.wav", bytes(range(256)) * 400, "in no audio format"),
        ("a.m4a", b"\0\0\0\x18ftypM4A \0\0\2\0isomiso2" + bytes(2000), "begins like M4A"),
        ("a.ogg", b"OggS" + bytes(5000), "begins like Ogg"),
        ("a.mp3", b"ID3\4\0\0\0\0\0\0" + bytes(5000), "begins like MP3"),
        # FFmpeg would follow these to other files and to the network.
        ("a.mp3", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n", "is text"),
        ("a.wav", b"ffconcat version 1.0\nfile a.flac\n", "is text"),
    ],
)
def test_what_is_no_audio_is_named(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert reason in refused(path)


def test_a_header_without_sound_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros((2, 0), np.float32), SAMPLE_RATE)
    assert "holds no sound" in refused(path)


def test_noise_bytes_are_not_taken_for_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    for seed in range(10):
        path.write_bytes(np.random.default_rng(seed).bytes(60_000))
        assert "in no audio format" in refused(path)


def test_places_that_are_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)  # opening it would wait forever
    for path, reason in [
        (tmp_path, "is a folder"),
        (pipe, "is a pipe"),
        (Path("/dev/zero"), "is a pipe or a device"),
        (tmp_path / "none.wav", "does not exist"),
        (tmp_path / ("x" * 300), "cannot be read"),
        (Path("a\0b"), "cannot be read"),
    ]:
        assert reason in refused(path)
        for reader in (read_tags, content_hash):
            with pytest.raises(AudioError, match=reason):
                reader(path)


def test_a_forbidden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", music(0.1), SAMPLE_RATE)

    def forbidden(self: Path, *args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)  # chmod does not stop the administrator
    assert "may not be read" in refused(path)


def test_a_message_shows_no_trick_of_the_name(tmp_path: Path) -> None:
    path = tmp_path / "a\n\u202egnp.mp3"
    path.write_bytes(b"text")
    assert refused(path).startswith("a gnp.mp3 is text")


@pytest.mark.parametrize("channels", [9, 16])
def test_too_many_channels(channels: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros((channels, 10), np.float32), SAMPLE_RATE)
    assert f"has {channels} channels" in refused(path)


def test_an_impossible_sample_rate(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.zeros((1, 10), np.float32), 100)
    assert "sample rate of 100 Hz" in refused(path)


@pytest.mark.parametrize("kind", ["wav", "aiff", "flac", "mp3", "vorbis", "aac", "dash", "mka"])
def test_a_cut_file_gives_what_is_there(kind: str, files: dict[str, Path], sound: np.ndarray, tmp_path: Path) -> None:
    whole, _ = decode(files[kind])
    content = files[kind].read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(0.6 * len(content))])
    samples, _ = decode(path)
    assert 0.3 * whole.shape[1] < samples.shape[1] < 0.8 * whole.shape[1]
    # The last packet may be cut in two.
    good = samples[:, : samples.shape[1] - 4096]
    assert signal_to_noise(good, whole) > 60
    with AudioReader(path) as reader:
        np.testing.assert_allclose(np.concatenate(list(reader.blocks()), axis=1), samples, atol=1e-6)


def test_a_cut_m4a_without_its_index_is_refused(tmp_path: Path) -> None:
    path = write_av(tmp_path / "a.m4a", music(2.0), SAMPLE_RATE, codec="aac", container="ipod")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])  # the index stands at the end
    assert "begins like M4A" in refused(path)


@pytest.mark.parametrize("kind", ["mp3", "flac", "vorbis", "aac", "m4a", "alac"])
def test_a_damaged_middle_costs_only_the_middle(kind: str, files: dict[str, Path], tmp_path: Path) -> None:
    whole, rate = decode(files[kind])
    content = bytearray(files[kind].read_bytes())
    middle = len(content) // 2
    content[middle : middle + 600] = np.random.default_rng(0).bytes(600)
    path = tmp_path / "damaged"
    path.write_bytes(content)
    samples, _ = decode(path)
    assert np.isfinite(samples).all()
    head = round(0.7 * rate)
    assert signal_to_noise(samples[:, :head], whole[:, :head]) > 60
    assert 0 <= whole.shape[1] - samples.shape[1] < 0.5 * rate
    if kind in {"vorbis", "mp3", "aac"}:
        return  # these lose what was damaged without a trace of how long it was
    # What comes after is where it was.
    tail = round(0.7 * rate)
    first = whole.shape[1] - tail
    assert lag(samples[0, first:], whole[0, first:]) == 0


def test_a_wav_whose_recorder_died(tmp_path: Path) -> None:
    sound = music(0.5)
    path = write(tmp_path / "a.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    content = path.read_bytes()
    at = content.index(b"data") + 4
    for size in (0, 0xFFFFFFFF, 10_000_000):
        path.write_bytes(content[:at] + struct.pack("<I", size) + content[at + 4 :])
        assert decode(path)[0].shape == sound.shape


@pytest.mark.parametrize("bits", [0, (1 << 36) - 1])
def test_a_flac_that_lies_about_its_length(bits: int, tmp_path: Path) -> None:
    sound = music(0.5)
    path = write(tmp_path / "a.flac", sound, SAMPLE_RATE)
    content = bytearray(path.read_bytes())
    content[21] = content[21] & 0xF0 | bits >> 32
    content[22:26] = struct.pack(">I", bits & 0xFFFFFFFF)
    path.write_bytes(content)
    assert decode(path)[0].shape == sound.shape
    assert probe(path).frames == sound.shape[1]


def test_broken_bytes_never_raise_anything_else(files: dict[str, Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    path = tmp_path / "broken"
    for kind in ("wav", "aiff", "flac", "mp3", "vorbis", "opus", "m4a", "alac", "dash", "mka"):
        original = files[kind].read_bytes()
        for turn in range(6):
            content = bytearray(original)
            reach = 300 if turn % 2 else len(content)
            for at in rng.integers(0, reach, 12):
                content[at] = rng.integers(256)
            path.write_bytes(content[: rng.integers(1, len(content))] if turn == 4 else content)
            try:
                samples, _ = decode(path)
            except AudioError:
                continue
            assert samples.shape[1] > 0
            assert np.isfinite(samples).all()
            read_tags(path)
