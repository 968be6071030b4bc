"""``sfa folders``, and ``sfa add`` of what stays where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.folders import put_song

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Sfa


@pytest.fixture
def music(tmp_path: Path) -> Path:
    put_song(tmp_path / "music" / "one.wav", 1)
    put_song(tmp_path / "music" / "-rf.wav", 2)
    return tmp_path / "music"


def test_a_folder_comes_in_and_is_looked_through_again(sfa: Sfa, music: Path) -> None:
    assert sfa("folders").out == "no folders\n"
    (music / "broken.mp3").write_text("no music" * 1000)
    put_song(music / "three.wav", 3)
    done = sfa.json("folders", "add", music, "--no-watch", "--reference", "--wait")
    assert {job["status"] for job in done["jobs"]} == {"completed"}
    (folder,) = sfa.json("folders")["folders"]
    assert (folder["path"], folder["watched"], folder["reference"], folder["tracks"]) == (str(music), False, True, 3)
    put_song(music / "four.wav", 4)
    assert sfa("folders", "scan", music, "--wait").status == 0
    assert len(sfa.json("tracks")["tracks"]) == 4
    assert "broken.mp3 is text" in sfa("folders", "list").out
    assert sfa("folders", "watch", music).out == f"{music}: watched\n"
    assert sfa.json("folders", "unwatch", music)["watched"] is False
    assert sfa("folders", "forget", music).status == 0
    assert (sfa.json("folders")["folders"], len(sfa.json("tracks")["tracks"])) == ([], 4)


def test_what_is_no_folder_of_the_library_is_refused(sfa: Sfa, music: Path) -> None:
    assert "There is no folder" in sfa.refuses("folders", "add", music / "nothing")
    assert "Songs are not imported from" in sfa.refuses("folders", "watch", music)
    assert "No folder" in sfa.refuses("folders", "scan")


def test_a_song_may_stay_where_it_is(sfa: Sfa, music: Path) -> None:
    (track,) = sfa.json("add", "--reference", music / "one.wav")["tracks"]
    assert sfa.json("track", track["id"])["path"] == str(music / "one.wav")
    doctor = {check["name"]: check for check in sfa.json("doctor")["checks"]}
    assert (doctor["originals"]["ok"], doctor["files"]["ok"]) == (True, True)
    (music / "one.wav").unlink()
    doctor = {check["name"]: check for check in sfa.json("doctor")["checks"]}
    assert (doctor["originals"]["ok"], doctor["files"]["ok"]) == (False, True)


def test_a_backup_says_what_is_not_in_it(sfa: Sfa, music: Path, tmp_path: Path) -> None:
    sfa.json("add", "--reference", music / "one.wav")
    sfa.json("add", music / "-rf.wav")
    made = sfa.json("backup", tmp_path / "library.sfa")
    assert (made["tracks"], made["outside"], made["missing"]) == (2, 1, [])
    assert "the sound of 1 tracks" in sfa("backup", tmp_path / "library.sfa").out
