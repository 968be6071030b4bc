"""A song goes in."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from sfa_kernel import audio
from sfa_kernel.catalog import trash
from sfa_kernel.errors import InputError
from sfa_kernel.pipeline.media import audio_file
from tests.sounds import write_song

if TYPE_CHECKING:
    from sfa_kernel.studio import Studio


TIMEOUT = 120


def library_files(studio: Studio) -> list[str]:
    return sorted(
        str(p.relative_to(studio.home)) for f in ("downloads", "scratch") for p in (studio.home / f).rglob("*")
    )


def test_a_song_is_copied_and_the_original_stays_as_it_was(studio: Studio, tmp_path: Path) -> None:
    path = write_song(tmp_path / "Some Artist - Some Title.wav")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    (track,) = studio.add(path)
    assert (track.title, track.artist) == ("Some Title", "Some Artist")
    assert track.duration == pytest.approx(8.0)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert track.path.read_bytes() == before[0]
    assert track.path.is_relative_to(studio.home)


def test_the_same_bytes_are_one_track_whatever_the_file_is_called(studio: Studio, tmp_path: Path) -> None:
    path = write_song(tmp_path / "one.wav")
    copy = tmp_path / "two.mp3"
    copy.write_bytes(path.read_bytes())
    first, second = studio.add(path), studio.add(copy)
    assert (first.new, second.new) == ([True], [False])
    assert first[0] == second[0]
    assert len(studio.tracks) == 1
    assert len(library_files(studio)) == 1


def test_a_folder_comes_in_with_its_good_files_and_reports_the_others(studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    write_song(folder / "a.wav", seed=1)
    write_song(folder / "deep" / "er" / "b.flac", seed=2)
    write_song(folder / ".hidden" / "c.wav", seed=3)
    (folder / "notes.txt").write_text("no music")
    (folder / "broken.mp3").write_text("no music either")
    imported = studio.add(folder)
    assert [t.title for t in imported] == ["a", "b"]
    assert [path.name for path, _ in imported.errors] == ["broken.mp3"]


def test_what_no_browser_plays_is_kept_as_the_same_samples_in_a_format_that_all_play(
    studio: Studio, tmp_path: Path
) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.aiff"))
    assert (track.row.format, track.path.suffix) == ("AIFF", ".flac")
    original, _ = audio.decode(tmp_path / "song.aiff")
    np.testing.assert_array_equal(track.samples()[0], original)


@pytest.mark.parametrize("content", [b"", b"just text, no sound " * 50, b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_a_file_that_is_no_song_is_refused_and_leaves_nothing(studio: Studio, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "song.wav"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        studio.add(path)
    assert "\n" not in str(caught.value)
    assert len(studio.tracks) == 0
    assert library_files(studio) == []


def test_what_is_not_there_or_no_file_is_named(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        studio.add(tmp_path / "nothing.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(InputError, match="not a file"):
        studio.add(tmp_path / "pipe.wav")
    for name in ("~nobody-of-this-name/a.wav", "a" * 5000):
        with pytest.raises(InputError):
            studio.add(name)


def test_a_removed_track_comes_back_with_undo_or_when_it_is_added_again(studio: Studio, tmp_path: Path) -> None:
    path = write_song(tmp_path / "one.wav")
    (track,) = studio.add(path)
    studio.remove(track)
    assert len(studio.tracks) == 0
    studio.restore(track)
    assert list(studio.tracks) == [track]
    studio.remove(track)
    again = studio.add(path)
    assert (again[0], again.new) == (track, [True])


@pytest.mark.parametrize("suffix", [".wav", ".aiff"])
def test_a_song_whose_file_is_gone_is_whole_again_when_it_is_added_again(
    studio: Studio, tmp_path: Path, suffix: str
) -> None:
    path = write_song(tmp_path / f"one{suffix}")
    (track,) = studio.add(path)
    before = track.path.read_bytes()
    track.path.unlink()
    again = studio.add(path)
    assert (again[0], again.new) == (track, [False])
    np.testing.assert_array_equal(track.samples()[0], audio.decode(path)[0])
    assert len(track.path.read_bytes()) == len(before)
    assert library_files(studio) == [f"downloads/{track.path.name}"]


def test_an_id_may_be_shortened_as_long_as_it_is_clear(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "one.wav"))
    assert studio.track(str(track.id)[:6]) == track
    for wrong in ("", "zzzz"):
        with pytest.raises(InputError):
            studio.track(wrong)


# -- songs that stay where they are ------------------------------------------------------------------------------


def test_a_song_may_stay_where_it_is(studio: Studio, tmp_path: Path) -> None:
    path = write_song(tmp_path / "one.wav")
    (track,) = studio.add(path, reference=True)
    assert (track.path, library_files(studio)) == (path, [])
    run = studio.run(track, stages="analyze").wait(TIMEOUT)
    assert (run.failures, track.analysis is not None) == ([], True)
    media = audio_file(studio.home, track.id)
    assert (media.path, media.mime) == (path, "audio/wav")
    studio.remove(track)
    with studio.catalog.write() as connection:
        trash.purge(connection, datetime.now(UTC) + timedelta(days=1))
    assert path.is_file()


def test_what_no_browser_plays_is_copied_even_then(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.aiff"), reference=True)
    assert track.path.is_relative_to(studio.home)


def test_a_song_that_has_gone_is_told_in_one_sentence_and_found_again_elsewhere(studio: Studio, tmp_path: Path) -> None:
    path = write_song(tmp_path / "one.wav")
    (track,) = studio.add(path, reference=True)
    moved = path.rename(tmp_path / "moved.wav")
    for gone in (
        lambda: audio_file(studio.home, track.id),
        lambda: track.samples(),
        lambda: studio.run(track, stages="analyze").wait(TIMEOUT).failures[0]["error"],
    ):
        try:
            said = str(gone())
        except InputError as error:
            said = str(error)
        assert "not there any more" in said
        assert path.name in said
    again = studio.add(moved, reference=True)
    assert (again[0], again.new, track.path) == (track, [False], moved)
    moved.unlink()
    copied = studio.add(write_song(tmp_path / "another.wav"))
    assert (copied[0], track.path.is_relative_to(studio.home), track.path.is_file()) == (track, True, True)


def retag(path: Path, title: str) -> None:
    """What a person's tagger does: other tags, the same sound."""
    with soundfile.SoundFile(path) as file:
        samples, rate = file.read(dtype="int16"), file.samplerate
    with soundfile.SoundFile(path, "w", rate, 2, "PCM_16") as file:
        file.title = title
        file.write(samples)


@pytest.mark.parametrize("reference", [False, True])
def test_a_song_whose_tags_were_edited_is_the_same_song_under_its_new_name(
    studio: Studio, tmp_path: Path, reference: bool
) -> None:
    path = write_song(tmp_path / "one.flac")
    (track,) = studio.add(path, reference=reference)
    retag(path, "A better name")
    again = studio.add(path, reference=reference)
    assert (again[0], again.new, [one.title for one in studio.tracks]) == (track, [False], ["A better name"])
    assert [one.title for one in studio.tracks.search("better")] == ["A better name"]
    assert len(library_files(studio)) == (0 if reference else 1)


@pytest.mark.parametrize("reference", [False, True])
def test_another_song_in_the_place_of_one_is_another_song(studio: Studio, tmp_path: Path, reference: bool) -> None:
    path = write_song(tmp_path / "one.wav", seconds=4)
    (first,) = studio.add(path, reference=reference)
    write_song(path, seconds=5)
    (second,) = studio.add(path, reference=reference)
    assert len(studio.tracks) == 2
    assert second.path.is_file()
    # Of a copied one the library still has the sound; of one that stayed, its place is taken.
    assert studio.track(first.id).path.is_file() is not reference


@pytest.mark.parametrize(
    "name",
    ["../../x", "CON", "a" * 250, "\u202egnp.exe", "🎛️ Ünïcode \u200b", "-rf", "%s%n", "<script>alert(1)</script>"],
)
def test_a_hostile_name_is_only_a_name(studio: Studio, tmp_path: Path, name: str) -> None:
    path = write_song(tmp_path / "music.flac")
    retag(path, name)
    folder = tmp_path / "songs"
    folder.mkdir()
    named = path.rename(folder / f"{name.replace('/', '_')}.flac")
    (track,) = studio.add(named)
    assert library_files(studio) == [f"downloads/{track.path.name}"]
    assert not {"\u202e", "\u200b", "\0"} & set(track.title)


def test_a_file_whose_name_is_no_text_comes_in(studio: Studio, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    write_song(tmp_path / "one.wav").rename(path)
    (track,) = studio.add(path)
    assert track.title == "caf\ufffd"
