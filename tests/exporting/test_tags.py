"""Tags are read by others, and not a sample moves when they are written."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel import audio
from sfa_kernel.errors import AudioError
from sfa_kernel.exporting.mp4 import Mp4Writer, write_user_data
from sfa_kernel.exporting.tagging import Tags, write_tags
from tests.exporting.conftest import FRAMES, PNG, RATE, tone

if TYPE_CHECKING:
    from pathlib import Path

TAGS = Tags(
    title="Søng (vocals)",
    artist="Ärtist 音",
    album="Album",
    genre="House",
    year=2024,
    bpm=127.35,
    key="F#m",
    cover=PNG,
    cover_mime="image/png",
)
FORMATS = ("flac", "wav", "mp3", "ogg", "m4a")


def write(path: Path) -> Path:
    if path.suffix == ".m4a":
        with Mp4Writer(path, RATE, 1, codec="aac") as writer:
            writer.write([tone("vocals")])
    else:
        audio.encode(path, tone("vocals"), RATE)
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_tags_are_read_back_and_the_sound_stays(form: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"stem.{form}")
    before = audio.decode(path)[0]
    write_tags(path, TAGS)
    tags = audio.read_tags(path)
    assert (tags.title, tags.artist, tags.album, tags.genre, tags.year) == (
        "Søng (vocals)",
        "Ärtist 音",
        "Album",
        "House",
        2024,
    )
    assert tags.bpm == pytest.approx(127.35, abs=0.5 if form == "m4a" else 0.001)  # MP4 has whole ones
    assert tags.key == "F#m"
    assert (tags.cover, tags.cover_mime) == (PNG, "image/png")
    assert before.shape[1] == FRAMES
    assert np.array_equal(audio.decode(path)[0], before)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("form", FORMATS)
def test_tags_replace_those_before_and_need_not_be_many(form: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"stem.{form}")
    if form != "wav":  # to a WAV file they are written once, when it is made
        write_tags(path, TAGS)
    write_tags(path, Tags(title="Title"))
    tags = audio.read_tags(path)
    assert (tags.title, tags.artist, tags.year, tags.bpm, tags.key, tags.cover) == (
        "Title",
        None,
        None,
        None,
        None,
        None,
    )


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="FFmpeg's programs are not installed")
@pytest.mark.parametrize("form", FORMATS)
def test_ffmpeg_finds_nothing_wrong_with_the_files(form: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"stem.{form}")
    write_tags(path, Tags(title="Title", artist="Artist", year=2024))
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", path],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(told.stdout)
    tags = {
        name.lower(): value
        for part in (found["format"], found["streams"][0])
        for name, value in part.get("tags", {}).items()
    }
    assert (tags["title"], tags["artist"]) == ("Title", "Artist")
    assert told.stderr == ""


def test_a_cover_that_a_format_cannot_hold_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "stem.flac")
    write_tags(path, Tags(title="Title", cover=PNG + bytes(1 << 24), cover_mime="image/png"))
    tags = audio.read_tags(path)
    assert (tags.title, tags.cover) == ("Title", None)


def test_boxes_of_a_file_without_an_index_are_not_touched(tmp_path: Path) -> None:
    from sfa_kernel.errors import InternalError

    path = tmp_path / "stem.m4a"
    path.write_bytes(b"\0\0\0\x08free" * 3)
    with pytest.raises(InternalError, match="does not end with its index"):
        write_user_data(path, [])
    assert path.read_bytes() == b"\0\0\0\x08free" * 3


def test_a_file_that_was_cut_off_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "stem.flac")
    path.write_bytes(path.read_bytes()[:42])  # of its blocks, the first alone
    with pytest.raises(AudioError, match="cut off"):
        write_tags(path, TAGS)
    assert list(tmp_path.iterdir()) == [path]
