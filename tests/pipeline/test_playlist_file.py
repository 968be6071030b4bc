"""Playlist files come in: their lists, and the songs in them that are on this computer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import UUID
from xml.sax.saxutils import quoteattr

import pytest

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import playlists, songs
from sfa_kernel.errors import InputError
from sfa_kernel.panels.uploads import upload_handlers
from sfa_kernel.pipeline.playlist_file import playlist_file_request, work
from sfa_kernel.progress import silent
from tests import sounds

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

TIMEOUT = 120


def write_song(path: Path, *, seed: int = 0) -> Path:
    """A song that was complete long ago."""
    sounds.write_song(path, seconds=4, seed=seed)
    os.utime(path, (1e9, 1e9))
    return path


def take_in(studio: Studio, path: Path, *, stages: tuple[str, ...] = (), anywhere: bool = True) -> Run:
    run = studio._start([playlist_file_request(path, stages=stages, anywhere=anywhere)], grows=True)
    return run.wait(TIMEOUT)


def lists(studio: Studio) -> dict[str, list[str]]:
    """What is in the playlists by their names: titles, in brackets those that are not here."""

    titles = {track.id: track.title for track in studio.tracks}
    shown: dict[str, list[str]] = {}
    with studio.catalog.read() as connection:
        for row in playlists.listing(connection):
            entries = playlists.page(connection, row)
            absent = {s.id: f"({s.song.title})" for s in songs.get_many(connection, playlists.missing(connection, row))}
            shown[row.name] = [titles[e.track_id] if e.track_id else absent[e.song_id] for e in entries]
    return shown


def test_a_playlist_comes_in_with_the_songs_that_are_here(studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    (folder / "moved").mkdir(parents=True)
    studio.add(write_song(tmp_path / "Ana - Dusk.wav", seed=1))
    write_song(folder / "noon.wav", seed=2)
    write_song(folder / "moved" / "late.wav", seed=3)
    (folder / "notes.wav").write_text("no sound")
    os.utime(folder / "notes.wav", (1e9, 1e9))
    path = folder / "set.m3u8"
    path.write_text(
        "#EXTM3U\n#EXTINF:4,Ana - Dusk\nC:\\Music\\dusk.mp3\nnoon.wav\nD:\\x\\late.wav\n"
        "#EXTINF:200,Bo - Gone\ngone.mp3\nnotes.wav\nnoon.wav\n",
        encoding="utf-8",
    )
    run = take_in(studio, path)
    whole = {"set": ["Dusk", "noon", "late", "(Gone)", "(notes)", "noon"]}
    assert lists(studio) == whole
    assert [job.kind for job in run.jobs] == ["playlist_file", "import"]
    assert [job.status for job in run.jobs] == ["completed"] * 2

    # A second time only what is new comes; a file that moved is the same song.
    (folder / "noon.wav").rename(folder / "moved" / "noon.wav")
    write_song(folder / "gone.mp3", seed=4)
    with path.open("a", encoding="utf-8") as file:
        file.write("#EXTINF:9,Cy - More\nmore.mp3\n")
    assert [job.kind for job in take_in(studio, path).jobs] == ["playlist_file", "import"]
    whole["set"][3] = "gone"
    assert lists(studio) == {"set": [*whole["set"], "(More)"]}
    assert len(studio.tracks) == 4
    # The tags of the list are not those of the file: what it is called is in the file.
    assert {track.artist for track in studio.tracks} == {"Ana", ""}


def test_the_lists_of_rekordbox_come_in_by_their_folders(studio: Studio, tmp_path: Path) -> None:
    song = write_song(tmp_path / "Déjà vu.wav")
    path = tmp_path / "rekordbox.xml"
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?><DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="2">
        <TRACK TrackID="1" Name="D&#233;j&#224; vu" Location="file://localhost{song.as_uri()[7:]}"/>
        <TRACK TrackID="2" Name="Noon" Artist="Bo" TotalTime="99" Location="file://localhost/C:/noon.mp3"/></COLLECTION>
        <PLAYLISTS><NODE Type="0" Name="ROOT"><NODE Type="0" Name="Clubs">
        <NODE Type="1" Name="Friday" KeyType="0"><TRACK Key="2"/><TRACK Key="1"/></NODE>
        <NODE Type="1" Name="Friday" KeyType="0"><TRACK Key="1"/></NODE></NODE></NODE></PLAYLISTS></DJ_PLAYLISTS>""",
        encoding="utf-8",
    )
    take_in(studio, path, stages=("analyze",))
    with studio.catalog.read() as connection:
        rows = playlists.listing(connection)
        assert sorted(row.count for row in playlists.totals(connection, rows).values()) == [1, 2]
        assert {row.name for row in rows} == {"Clubs / Friday"}
    (track,) = studio.tracks
    assert (track.title, track.analysis is not None) == ("Déjà vu", True)
    assert len({row.key for row in rows}) == 2


def test_a_file_that_is_no_playlist_says_so(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "a.m3u").write_text("#EXTM3U\nhttps://radio.example/stream\n")
    (tmp_path / "b.xml").write_text("<html/>")
    for name, reason in (("a.m3u", "lists no songs"), ("b.xml", "not of rekordbox"), ("c.m3u8", "cannot be read")):
        (failure,) = take_in(studio, tmp_path / name).failures
        assert (failure["title"], reason in failure["error"]) == (name, True)


def test_hostile_names_break_nothing_and_lead_nowhere(studio: Studio, tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "secret.wav").write_text("not for a page")
    object.__setattr__(studio.settings, "import_roots", str(inside))
    hostile = [
        "../secret.wav", "file://localhost/../../etc/passwd", "%2e%2e/secret.wav", "x" * 300 + ".mp3", "y" * 5000,
        "\u202egnos.mp3", "\U0001f600.mp3", "CON.mp3", "\\\\?\\C:\\nul", "~/.ssh/id_rsa", "$(touch x).mp3", "-rf",
        "\ufeff", "<img src=x onerror=alert(1)>.mp3", "file:///%00%ff.mp3", "\x1b[31mred.mp3",
    ]  # fmt: skip
    lines = [f"#EXTINF:1e99,{line}\n{line}" for line in hostile]
    (inside / "a.m3u8").write_text("\n".join(["#EXTM3U", "#PLAYLIST:../../\u202e" + "z" * 900, *lines]), "utf-8")
    tracks = "".join(
        f"<TRACK TrackID='{n}' Name={quoteattr(line)} TotalTime='-1' Year='x' Location={quoteattr(line)}/>"
        for n, line in enumerate(hostile[:-1])  # XML knows no escape
    )
    lists = (
        f"<NODE Type='1' Name='../../x' KeyType='0'>{''.join(f'<TRACK Key={chr(34)}{n}{chr(34)}/>' for n in range(15))}"
    )
    (inside / "b.xml").write_text(
        f"<DJ_PLAYLISTS><COLLECTION>{tracks}</COLLECTION><PLAYLISTS><NODE Type='0'>{lists}</NODE></NODE></PLAYLISTS>"
        "</DJ_PLAYLISTS>",
        "utf-8",
    )
    for name in ("a.m3u8", "b.xml"):
        run = take_in(studio, inside / name, anywhere=False)
        assert [(job.kind, job.status) for job in run.jobs] == [("playlist_file", "completed")]
    with studio.catalog.read() as connection:
        rows = playlists.listing(connection)
        assert sorted(row.name[:7] for row in rows) == ["../../x", "../../z"]
        texts = [row.name for row in rows]
        for row in rows:
            absent = songs.get_many(connection, playlists.missing(connection, row))
            texts += [text for song in absent for text in (song.song.title, song.song.artist)]
            assert len(absent) >= 13
    assert all(clean_text(text) == text for text in texts)
    assert [path.name for path in (studio.home / "downloads").iterdir()] == []


def test_the_name_of_a_file_tells_the_artist_of_the_title_that_a_list_tells(tmp_path: Path) -> None:
    path = tmp_path / "set.m3u"
    path.write_text("#EXTINF:200,Gone\n03 - Bo - Gone.mp3\n#EXTINF:200,Away\nCy - Gone.mp3\nDi - Far.mp3\n")
    (read,) = work(path=path, name="set", uploaded=False, roots=None, scratch=tmp_path, progress=silent)
    assert [(song.artist, song.title) for song in read.songs] == [("Bo", "Gone"), ("", "Away"), ("Di", "Far")]


def test_a_path_that_is_no_text_is_refused(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no known encoding"):
        studio.add(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.m3u"))


def test_a_playlist_of_a_page_reads_only_what_a_page_may_see(studio: Studio, tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside, inside / ".in"):
        folder.mkdir()
        write_song(folder / f"{folder.name}.wav", seed=ord(folder.name[0]))
    object.__setattr__(studio.settings, "import_roots", str(inside))
    write_song(inside / ".in" / "hidden.wav", seed=1)
    text = f"in.wav\n{outside}/out.wav\n../out/out.wav\n{inside}/.in/hidden.wav\n"
    for folder in (inside, outside):
        (folder / "set.m3u").write_text(text)
    (failure,) = take_in(studio, outside / "set.m3u", anywhere=False).failures
    assert "no folder that a page may read" in failure["error"]
    take_in(studio, inside / "set.m3u", anywhere=False)
    assert lists(studio) == {"set": ["in", "(out)", "(out)", "(hidden)"]}

    # Uploaded, its own folder is not known, and no more than that may be seen.
    page = upload_handlers(studio)
    data = f"in.wav\n{inside}/in.wav\n{outside}/out.wav\n".encode()
    upload = page["upload.begin"]({"name": "../mine.m3u8", "size": len(data), "fingerprint": "1"}, [])["upload"]
    page["upload.chunk"]({"upload": upload, "offset": 0}, [memoryview(data)])
    answer = page["upload.finish"]({"upload": upload, "stages": []}, [])
    (job_id,) = (UUID(job) for job in answer["jobs"])
    studio.ledger.wait([job_id], timeout=TIMEOUT)
    assert lists(studio)["mine"] == ["(in)", "in", "(out)"]
    with studio.catalog.read() as connection:
        (mine,) = (row for row in playlists.listing(connection) if row.name == "mine")
    assert studio.ledger.get(job_id).arguments["playlists"] == [str(mine.id)]
    assert list((studio.home / "uploads").iterdir()) == []
