"""A folder is looked through."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.errors import InputError
from sfa_kernel.sources.walk import walk

if TYPE_CHECKING:
    from pathlib import Path


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(folder: Path, **how: Path) -> list[str]:
    return [os.path.relpath(file.path, folder) for file in walk(folder, **how).files]


def test_what_may_be_music_is_found_in_order_with_its_size_and_time(tmp_path: Path) -> None:
    for name in ("b.MP3", "a.wav", "notes.txt", "z/c.flac", "deep/er/d.ogg", ".hidden/e.wav", ".f.wav", "cover.jpg"):
        put(tmp_path / name, name)
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    assert names(tmp_path) == ["a.wav", "b.MP3", "deep/er/d.ogg", "z/c.flac"]
    first = walk(tmp_path).files[0]
    assert (first.bytes, first.modified) == (5, (tmp_path / "a.wav").stat().st_mtime_ns)


def test_links_are_followed_once_and_the_library_itself_is_left_out(tmp_path: Path) -> None:
    put(tmp_path / "music" / "a" / "one.wav")
    put(tmp_path / "elsewhere" / "two.wav")
    put(tmp_path / "music" / "library" / "downloads" / "three.wav")
    (tmp_path / "music" / "up").symlink_to(tmp_path / "music")
    (tmp_path / "music" / "x").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "y").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "gone.wav").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path / "music", leave_out=tmp_path / "music" / "library") == ["a/one.wav", "x/two.wav"]


def test_what_cannot_be_read_is_told_and_keeps_nothing_else_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "good" / "one.wav")
    put(tmp_path / "locked" / "two.wav")
    with open(os.fsencode(tmp_path) + b"/\xff.wav", "wb"):
        pass
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("locked"):  # whoever runs the tests may be allowed everything
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    walked = walk(tmp_path)
    assert [os.path.basename(file.path) for file in walked.files] == ["one.wav"]
    assert [line.rpartition(": ")[2] for line in walked.unreadable] == [
        "its name is in an unknown encoding",
        "Permission denied",
    ]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    put(tmp_path / "file")
    for wrong in ("nothing", "file", "a\0b"):
        with pytest.raises(InputError, match="cannot be read"):
            walk(tmp_path / wrong)
