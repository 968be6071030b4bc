"""Songs that others name: known again, and recognised among the tracks of the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sfa_kernel.catalog import Catalog, songs, tracks
from sfa_kernel.sources.song import Song
from sfa_kernel.storage import Storage
from tests.catalog.test_tracks import row

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID


@pytest.fixture
def catalog(home: Path) -> Catalog:
    return Catalog.open(Storage(home).home)


def put(catalog: Catalog, *named: Song) -> list[UUID]:
    with catalog.write() as connection:
        return songs.put(connection, named)


def add(catalog: Catalog, number: int = 0, **changes: Any) -> UUID:
    track = row(number, **changes)
    with catalog.write() as connection:
        tracks.insert(connection, track)
    return track.id


def match(catalog: Catalog, ids: list[UUID]) -> dict[UUID, UUID]:
    with catalog.write() as connection:
        return songs.match(connection, ids)


def test_a_song_that_is_told_of_again_stays_itself_and_keeps_what_is_not_told(catalog: Catalog) -> None:
    first, again = Song("spotify", "a", "Name", "Band", isrc="GBAAA0000001", duration=60.0), Song("spotify", "a", "New")
    one, other, same = put(catalog, first, Song("file", "a", "Other"), first)
    assert one == same != other
    track = add(catalog, title="Name")
    with catalog.write() as connection:
        songs.link(connection, one, track)
    assert put(catalog, again) == [one]
    with catalog.read() as connection:
        (known,) = songs.get_many(connection, [one])
        assert songs.by_keys(connection, "file", ["a", "b"])["a"].id == other
    assert (known.song.title, known.song.isrc, known.song.duration, known.track_id) == (
        "New",
        "GBAAA0000001",
        60.0,
        track,
    )


SAME = [
    (("Song", "Band"), ("Song", "Band")),
    (("Déjà Vu", "BEYONCÉ"), ("deja vu", "Beyoncé")),
    (("Song (feat. Guest)", "Band, Guest"), ("Song", "Band feat. Guest")),
    (("Song - 2011 Remaster", "Band"), ("Song (Remastered)", "The Band")),
    (("Song - Live - Remastered 2011", "Band & Co"), ("Song (Live) [Explicit]", "Band")),
    (("Don't Stop", "Band"), ("Don’t stop ()", "Band")),
    (("Song - Radio Edit", "Band"), ("Song (Radio Edit)", "Band")),
    (("夜に駆ける", "YOASOBI"), ("夜に駆ける", "Yoasobi")),
    (("Go (2011 Remaster)", "Band"), ("Go", "Band")),
    (("Up", "Band"), ("Up - Remastered", "Band")),
    (("Groß", "Band"), ("Gross", "Band")),
    (("P.Y.T. (Pretty Young Thing)", "MJ"), ("PYT (Pretty Young Thing)", "MJ")),
]
ANOTHER = [
    (("Song", "Band"), ("Song (Instrumental)", "Band")),
    (("Song", "Band"), ("Song - Live", "Band")),
    (("Song", "Band"), ("Song (Club Mix)", "Band")),
    (("Song", "Band"), ("Song", "Cover Band")),
    (("Song", "Band"), ("Song", "")),
    (("Song 2", "Band"), ("Song", "Band")),
]


def test_a_song_is_recognised_however_its_name_is_written_and_no_other_recording(catalog: Catalog) -> None:
    # Those of one pair have the same length, and no others.
    for number, ((title, artist), (our_title, our_artist)) in enumerate([*SAME, *ANOTHER]):
        put(catalog, Song("spotify", str(number), title, artist, duration=100.0 * number + 1.5))
        add(catalog, number, title=our_title, artist=our_artist, duration=100.0 * number)
    with catalog.read() as connection:
        ids = [row.id for row in songs.by_keys(connection, "spotify", [str(n) for n in range(number + 1)]).values()]
    found = match(catalog, ids)
    with catalog.read() as connection:
        pairs = [
            ((song.song.title, song.song.artist), (track.title, track.artist))
            for song, track in zip(
                songs.get_many(connection, list(found)), tracks.get_many(connection, list(found.values())), strict=True
            )
        ]
    assert sorted(pairs) == sorted(SAME)


def test_a_track_of_a_short_name_is_known_to_a_song_with_a_remark(catalog: Catalog) -> None:
    waiting, of_unknown_length = put(
        catalog,
        Song("spotify", "a", "Go (2011 Remaster)", "Band", duration=61.0),
        Song("file", "b", "Go", "Band"),
    )
    track = add(catalog, title="Go", artist="Band", duration=60.0)
    with catalog.write() as connection:
        assert set(songs.recognise(connection, [track])) == {waiting, of_unknown_length}


def test_the_length_tells_recordings_apart_and_the_isrc_is_enough(catalog: Catalog) -> None:
    long, short, known = put(
        catalog,
        Song("spotify", "long", "Song", "Band", duration=64.0),
        Song("spotify", "short", "Song", "Band", duration=60.4),
        Song("spotify", "known", "Kappale", "Yhtye", duration=200.0, isrc="FIAAA0000001"),
    )
    track, nearer = (
        add(catalog, 0, title="Song", artist="Band", duration=61.0),
        add(catalog, 1, title="Song", artist="Band", duration=60.5),
    )
    same = add(catalog, 2, title="Unknown", isrc="FIAAA0000001")
    assert match(catalog, [long, short, known]) == {short: nearer, known: same}
    with catalog.write() as connection:
        tracks.remove(connection, [nearer])
    assert match(catalog, [short]) == {short: track}


def test_tracks_that_come_in_are_known_to_whoever_waited_for_them(catalog: Catalog) -> None:
    named, waiting, other = put(
        catalog,
        Song("file", "/music/a.wav", "a"),
        Song("spotify", "a", "Song", "Band", duration=60.0),
        Song("spotify", "b", "Other", "Band", duration=60.0),
    )
    track = add(catalog, title="Song", artist="Band")
    with catalog.write() as connection:
        assert set(songs.link_files(connection, {"/music/a.wav": track})) == {named, waiting}
        assert songs.link_files(connection, {"/music/a.wav": track}) == []
        assert songs.match(connection, [named, waiting, other]) == {named: track, waiting: track}


def test_a_song_whose_track_was_removed_for_good_is_known_again(catalog: Catalog) -> None:
    (song,) = put(catalog, Song("spotify", "a", "Song", "Band", duration=60.0))
    with catalog.write() as connection:
        songs.link(connection, song, uuid4())
    assert match(catalog, [song]) == {}
    track = add(catalog, title="Song", artist="Band", duration=60.0)
    assert match(catalog, [song]) == {song: track}
