"""Playlists as a person holds them in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.catalog import playlists, songs, tracks
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.sources.m3u import read_m3u
from sfa_kernel.sources.song import Song
from tests.catalog.test_tracks import row

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.playlists import Playlist
    from sfa_kernel.studio import Studio


def added(studio: Studio, *titles: str, **changes: Any) -> list[Any]:
    """Tracks of these names, without sound."""
    rows = [
        row(studio.sql("SELECT count(*) AS n FROM tracks")[0]["n"] + n, title=t, **changes)
        for n, t in enumerate(titles)
    ]
    with studio.catalog.write() as connection:
        for one in rows:
            tracks.insert(connection, one)
    return [studio.track(one.id) for one in rows]


def titles(playlist: Playlist) -> list[str]:
    return [track.title for track in playlist]


def test_a_playlist_of_one_s_own_is_made_and_changed(studio: Studio) -> None:
    a, b, c, d = added(studio, *"ABCD")
    evening = studio.playlists.new("Evening", [a, b])
    evening.add(c, str(d.id)[:8])
    evening.insert(1, [d, a])
    assert titles(evening) == ["A", "D", "A", "B", "C", "D"]
    before = evening.move([4, d], 0)
    assert titles(evening) == ["D", "C", "D", "A", "A", "B"]
    evening.order(before)
    assert titles(evening) == ["A", "D", "A", "B", "C", "D"]
    taken = evening.remove(a, -1)
    assert titles(evening) == ["D", "B", "C"]
    evening.put_back(*taken)
    assert titles(evening) == ["A", "D", "A", "B", "C", "D"]
    assert evening.rename("Night").name == "Night"
    assert [playlist.name for playlist in studio.playlists] == ["Night"]
    assert studio.run(evening.tracks, stages="analyze").ids


def test_a_playlist_is_found_by_name_or_id_and_comes_back_after_it_was_deleted(studio: Studio) -> None:
    first, second = studio.playlists.new("Déjà vu"), studio.playlists.new("Other")
    assert studio.playlists["déjà VU"] == first
    assert studio.playlists[str(second.id)[:8]] == second
    assert studio.playlists[1] == second
    first.delete()
    with pytest.raises(NotFoundError, match="no playlist 'Déjà vu'"):
        studio.playlists["Déjà vu"]
    with pytest.raises(NotFoundError):
        first.add(*added(studio, "A"))
    assert studio.playlists.deleted("Déjà vu").restore() == first
    studio.playlists.new("Other")
    with pytest.raises(NotFoundError, match="Several playlists"):
        studio.playlists["Other"]


def test_a_smart_playlist_is_what_its_filter_finds(studio: Studio) -> None:
    smart = studio.playlists.smart("House", text="house", sort="title")
    assert titles(smart) == []
    a, _, b = added(studio, "Bouse house", "Techno", "A House")
    assert titles(smart) == ["A House", "Bouse house"]
    assert len(smart) == 2
    assert repr(smart) == "<Playlist 'House': \"house\", by title; 2 tracks, 2:02>"
    with pytest.raises(ParameterError, match="smart playlist"):
        smart.add(a)
    with pytest.raises(ParameterError, match="smart playlist"):
        smart.move(b, 0)
    assert titles(smart.change(text="tech")) == ["Techno"]
    with pytest.raises(ParameterError, match="chosen by 'colour'"):
        studio.playlists.smart("Blue", colour="blue")


def test_nothing_is_made_of_what_is_not_there(studio: Studio) -> None:
    with pytest.raises(NotFoundError):
        studio.playlists.new("Half", ["00000000-0000-4000-8000-000000000000"])
    with pytest.raises(ParameterError, match="needs a name"):
        studio.playlists.new("\u202e \0")
    assert len(studio.playlists) == 0
    own = studio.playlists.new("Own", added(studio, "A"))
    for wrong in (7, studio.track(added(studio, "B")[0].id), own.id):
        with pytest.raises(NotFoundError, match="is not in 'Own'"):
            own.remove(wrong)
    assert titles(own) == ["A"]


def test_songs_that_are_not_here_are_told_and_come_in(studio: Studio) -> None:
    with studio.catalog.write() as connection:
        named = [Song("spotify", key, f"Song {key}", "Band", duration=61.0) for key in "123"]
        ids = songs.put(connection, named)
        _, new = playlists.imported(connection, service="spotify", key="x", name="Theirs", song_ids=ids)
    assert new == 3
    theirs = studio.playlists["Theirs"]
    assert [song.song.title for song in theirs.missing] == ["Song 1", "Song 2", "Song 3"]
    (track,) = added(studio, "Song 2", artist="Band")
    with studio.catalog.write() as connection:
        songs.recognise(connection, [track.id])
    assert list(theirs) == [track]
    assert "1 track, 1:00, 2 songs not here" in repr(theirs)
    studio.remove(track)
    assert len(theirs.missing) == 3
    studio.restore(track)
    assert [entry.track for entry in theirs.entries] == [None, track, None]
    assert "Song 3" in theirs._repr_html_()


def test_an_exported_playlist_names_each_file_on_a_line_of_its_own(studio: Studio, tmp_path: Path) -> None:
    strange = str(tmp_path / "#two\nlines \u202e.wav")
    first, second = added(studio, "One", artist="Band"), added(studio, "Two", original=strange, file=None)
    playlist = studio.playlists.new("Mix / ../x", [*first, *second])
    file = playlist.export(tmp_path / "mix.m3u8")
    read = read_m3u(file)
    assert read.name == "Mix / ../x"
    assert [(song.title, song.artist, song.duration) for song in read.songs] == [
        ("One", "Band", 60.0),
        ("Two", "", 61.0),
    ]
    assert read.songs[0].location == str(studio.home / "downloads/x.wav")
    assert read.songs[1].location.startswith("file:///")
    assert "\n".join(file.read_text().splitlines()).count("#EXTINF") == 2
    with pytest.raises(ParameterError, match=r"\.m3u8"):
        playlist.export(tmp_path / "mix.exe")
    assert [path.name for path in tmp_path.glob("*mix*")] == ["mix.m3u8"]


def test_a_playlist_shows_itself(studio: Studio) -> None:
    studio.playlists.new("<b>", added(studio, "<script>"))
    html = studio.playlists["<b>"]._repr_html_() + studio.playlists._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "<b>" not in html
