"""The order of playlists, whoever changes them, and what an import adds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from sfa_kernel.catalog import Catalog, playlists, songs, tracks
from sfa_kernel.errors import NotFoundError
from sfa_kernel.sources.song import Song
from sfa_kernel.storage import Storage
from tests.catalog.test_tracks import row

if TYPE_CHECKING:
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.playlists import PlaylistRow

ROOT = Path(__file__).parents[2]
TIMEOUT = 60


@pytest.fixture
def catalog(home: Path) -> Catalog:
    return Catalog.open(Storage(home).home)


def songs_of(connection: Connection, *keys: str) -> list[UUID]:
    return songs.put(connection, [Song("spotify", key, key) for key in keys])


def imported(connection: Connection, *keys: str) -> tuple[PlaylistRow, int]:
    return playlists.imported(
        connection, service="spotify", key="list", name="Theirs", song_ids=songs_of(connection, *keys)
    )


def shown(connection: Connection, playlist: PlaylistRow) -> str:
    ids = [entry.song_id for entry in playlists.page(connection, playlist) if entry.song_id]
    return "".join(row.song.title for row in songs.get_many(connection, ids))


def test_a_second_import_adds_only_what_is_new_where_it_belongs(catalog: Catalog) -> None:
    with catalog.write() as connection:
        playlist, new = imported(connection, *"ABCA")
        assert (shown(connection, playlist), new) == ("ABCA", 4)
        assert imported(connection, *"ABCA") == (playlist, 0)
        first = playlists.entry_ids(connection, playlist.id)
        playlists.move(connection, playlist.id, first[:1], 3)  # a person likes another order,
        playlists.take_out(connection, playlist.id, [first[2]])  # another name, and C not at all
        playlists.rename(connection, playlist.id, "Mine")
        assert shown(connection, playlist) == "BAA"
        playlist, new = imported(connection, *"XABYCAZ")
        assert (shown(connection, playlist), new, playlist.name) == ("XBYAAZ", 3, "Mine")
        playlists.put_back(connection, playlist.id, [first[2]])
        assert shown(connection, playlist) == "XBYCAAZ"
        playlists.remove(connection, playlist.id)
        assert playlists.listing(connection) == []
        assert imported(connection, *"X")[1] == 0
        assert len(playlists.listing(connection)) == 1


def test_what_is_hidden_keeps_its_place_while_others_move(catalog: Catalog) -> None:
    rows = [row(number, title=title) for number, title in enumerate("ABCDE")]
    with catalog.write() as connection:
        for track in rows:
            tracks.insert(connection, track)
        playlist = playlists.create(connection, "Own")
        a, b, c, d, e = playlists.add(connection, playlist.id, [track.id for track in rows])

        def order() -> list[UUID]:
            return playlists.entry_ids(connection, playlist.id)

        playlists.take_out(connection, playlist.id, [b])
        tracks.remove(connection, [rows[3].id])
        assert order() == [a, c, e]
        assert playlists.move(connection, playlist.id, [e], 1) == [a, c, e]
        assert order() == [a, e, c]
        tracks.restore(connection, [rows[3].id])
        playlists.put_back(connection, playlist.id, [b])
        assert order() == [a, b, e, c, d]
        (new,) = playlists.add(connection, playlist.id, [rows[0].id], at=2)
        assert order() == [a, b, new, e, c, d]
        playlists.order(connection, playlist.id, [d, c, a])  # what came in since stays where it is
        assert order() == [d, b, new, e, c, a]
        totals = playlists.totals(connection, [playlist])[playlist.id]
        assert (totals.count, totals.here, totals.duration) == (6, 6, 60 + 60 + 61 + 62 + 63 + 64)


def test_a_transaction_that_fails_leaves_a_playlist_as_it_was(catalog: Catalog) -> None:
    with catalog.write() as connection:
        playlist, _ = imported(connection, *"ABC")
    with pytest.raises(NotFoundError), catalog.write() as connection:  # noqa: PT012 - what is before it is undone
        playlists.order(connection, playlist.id, playlists.entry_ids(connection, playlist.id)[::-1])
        playlists.move(connection, UUID(int=1), [], 2)
    with catalog.read() as connection:
        assert shown(connection, playlist) == "ABC"


HAND = """
import sys
from uuid import UUID
from sfa_kernel.studio import Studio

home, playlist, track, seed = sys.argv[1:]
with Studio.open(home, run_jobs=False) as studio:
    mine = studio.playlists[playlist]
    sys.stdin.readline()
    for step in range(12):
        (entry,) = mine.insert(step % 3, UUID(track))
        mine.move([entry], (step * int(seed)) % 7)
        if step % 4 == 0:
            mine.put_back(*mine.remove(entry))
"""


def test_two_programs_that_edit_one_playlist_lose_nothing(home: Path, catalog: Catalog) -> None:
    rows = [row(number) for number in range(3)]
    with catalog.write() as connection:
        for track in rows:
            tracks.insert(connection, track)
        playlist = playlists.create(connection, "Own")
        playlists.add(connection, playlist.id, [rows[0].id] * 5)
    catalog.give_back()
    hands = [
        subprocess.Popen(
            [sys.executable, "-c", HAND, str(home), str(playlist.id), str(rows[number].id), str(number + 2)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            text=True,
        )
        for number in (1, 2)
    ]
    for hand in hands:
        assert hand.stdin is not None
        hand.stdin.write("go\n")
        hand.stdin.flush()
    for hand in hands:
        hand.communicate(timeout=TIMEOUT)
        assert hand.returncode == 0
    with catalog.read() as connection:
        there = [entry.track_id for entry in playlists.page(connection, playlist)]
        places = connection.execute("SELECT position FROM playlist_entries").fetchall()
    assert [there.count(track.id) for track in rows] == [5, 12, 12]
    assert len(set(places)) == 29


def test_a_playlist_of_ten_thousand_is_arranged_as_a_small_one(catalog: Catalog) -> None:
    with catalog.write() as connection:
        playlist, new = imported(connection, *map(str, range(10_000)))
        assert new == 10_000
        ids = playlists.entry_ids(connection, playlist.id)
        playlists.move(connection, playlist.id, ids[9_990:], 5)
        expected = [*ids[:5], *ids[9_990:], *ids[5:9_990]]
        assert playlists.entry_ids(connection, playlist.id) == expected
        page = playlists.page(connection, playlist, offset=9_900, limit=100)
        assert [entry.id for entry in page] == expected[9_900:]
        playlists.order(connection, playlist.id, ids)
        assert playlists.entry_ids(connection, playlist.id) == ids
        assert imported(connection, *map(str, range(9_000, 10_010)))[1] == 10
