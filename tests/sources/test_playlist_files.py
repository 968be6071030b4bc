"""Playlist files as programs and people write them, and finding the songs that they name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sfa_kernel.errors import InputError
from sfa_kernel.sources.listed import Listed, is_playlist_file, read_playlists
from sfa_kernel.sources.locate import Places, file_name, local_name
from sfa_kernel.sources.m3u import read_m3u
from sfa_kernel.sources.rekordbox import read_rekordbox

REKORDBOX = """<?xml version="1.0" encoding="UTF-8"?>
<DJ_PLAYLISTS Version="1.0.0">
  <PRODUCT Name="rekordbox" Version="6.8.5" Company="AlphaTheta"/>
  <COLLECTION Entries="3">
    <TRACK TrackID="11" Name="Dusk &amp; Dawn" Artist="Ana" Album="Hours" TotalTime="213" Year="2019" TrackNumber="4"
           Location="file://localhost/C:/Music/D%C3%A9j%C3%A0%20vu.mp3" AverageBpm="124.00">
      <TEMPO Inizio="0.025" Bpm="124.00" Metro="4/4" Battito="1"/>
      <POSITION_MARK Name="Drop" Type="0" Start="61.2" Num="0"/>
    </TRACK>
    <TRACK TrackID="12" Name="Noon" Artist="Bo" TotalTime="0" Year="0" Location="file://localhost/music/noon.flac"/>
    <TRACK TrackID="13" Name="From a shop" Artist="Cy" Location="file://localhosttidal:tracks:1"/>
  </COLLECTION>
  <PLAYLISTS>
    <NODE Type="0" Name="ROOT" Count="2">
      <NODE Type="0" Name="Clubs" Count="1">
        <NODE Name="Friday" Type="1" KeyType="0" Entries="3">
          <TRACK Key="12"/><TRACK Key="11"/><TRACK Key="99"/>
        </NODE>
      </NODE>
      <NODE Name="By file" Type="1" KeyType="1" Entries="1"><TRACK Key="file://localhost/music/noon.flac"/></NODE>
      <NODE Name="Empty" Type="1" KeyType="0" Entries="0"/>
    </NODE>
  </PLAYLISTS>
</DJ_PLAYLISTS>
"""


def written(path: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


# -- M3U -----------------------------------------------------------------------------------------------------


def test_an_extended_m3u_tells_names_and_lengths(tmp_path: Path) -> None:
    path = written(
        tmp_path / "set.m3u8",
        "#EXTM3U\r\n#PLAYLIST:Sunday\u202e night\r\n"
        "#EXTINF:213,Ana - Dusk - Dawn\r\nsongs/dusk.mp3\r\n\r\n"
        "# a remark\r\n#EXTINF:-1,Only a title\r\nC:\\Music\\noon.mp3\r\n"
        '#EXTINF:61.5 tvg-id="a,b" group="x",Bo – Noon\r\n#EXTALB:Hours\r\n/music/noon.flac\r\n'
        "#EXTART:Cy\r\n#EXTINF:10,Cy - Late\r\nfile:///music/late%20one.ogg\r\n"
        "#EXTINF:-1,A station\r\nhttps://radio.example/stream\r\n"
        "plain.mp3",
    )
    playlist = read_m3u(path)
    assert (playlist.name, playlist.streams) == ("Sunday night", 1)
    assert playlist.songs == [
        Listed("songs/dusk.mp3", "Dusk - Dawn", "Ana", duration=213.0),
        Listed("C:\\Music\\noon.mp3", "Only a title"),
        Listed("/music/noon.flac", "Noon", "Bo", "Hours", duration=61.5),
        Listed("file:///music/late%20one.ogg", "Late", "Cy", duration=10.0),
        Listed("plain.mp3"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_an_m3u_is_read_in_whatever_encoding_it_has(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.m3u", "#EXTM3U\n#EXTINF:5,Björk - Jóga\nJóga.mp3\n", encoding)
    assert read_playlists(path)[0].songs == [Listed("Jóga.mp3", "Jóga", "Björk", duration=5.0)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"RIFF\x10\0\0\0WAVEfmt \0\0\0", "is no text"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\npiece1.ts\n", "pieces of a stream"),
    ],
)
def test_what_is_no_playlist_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_playlists(written(tmp_path / "a.m3u", content))


def test_what_never_begins_or_never_ends_is_no_playlist(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.m3u")
    (tmp_path / "endless.m3u8").symlink_to("/dev/zero")
    for name in ("pipe.m3u", "endless.m3u8"):
        with pytest.raises(InputError, match="is not a file"):
            read_playlists(tmp_path / name)


# -- rekordbox -----------------------------------------------------------------------------------------------


def test_the_lists_of_rekordbox_come_with_their_folders_and_songs(tmp_path: Path) -> None:
    dusk = Listed("file://localhost/C:/Music/D%C3%A9j%C3%A0%20vu.mp3", "Dusk & Dawn", "Ana", "Hours", 213.0, 2019, 4)
    noon = Listed("file://localhost/music/noon.flac", "Noon", "Bo")
    lists = read_playlists(written(tmp_path / "rekordbox.xml", REKORDBOX))
    assert [(one.folders, one.name, one.songs) for one in lists] == [
        (("Clubs",), "Friday", [noon, dusk]),
        ((), "By file", [noon]),
        ((), "Empty", []),
    ]


def test_a_collection_without_lists_is_one_list(tmp_path: Path) -> None:
    before, _, rest = REKORDBOX.partition("<PLAYLISTS>")
    (whole,) = read_rekordbox(written(tmp_path / "a.xml", before + rest.partition("</PLAYLISTS>")[2]))
    assert [song.title for song in whole.songs] == ["Dusk & Dawn", "Noon", "From a shop"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (REKORDBOX[:900], "damaged"),
        ("<plist><dict/></plist>", "not of rekordbox"),
        (REKORDBOX.replace('encoding="UTF-8"', 'encoding="klingon"'), "damaged"),
        ('<!DOCTYPE a [<!ENTITY b "bbbb">]><DJ_PLAYLISTS>&b;</DJ_PLAYLISTS>', "defines entities"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><DJ_PLAYLISTS/>', "defines entities"),
        ("<DJ_PLAYLISTS>" + "<NODE>" * 5000, "damaged"),
        (f"<DJ_PLAYLISTS><COLLECTION><TRACK Name='{'x' * 5_000_000}'/></COLLECTION></DJ_PLAYLISTS>", "too long"),
    ],
)
def test_a_damaged_or_hostile_file_is_told_in_one_sentence(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read_playlists(written(tmp_path / "rekordbox.xml", text))
    assert "\n" not in str(caught.value)


# -- finding -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("file://localhost/C:/My%20Music/a.mp3", "C:/My Music/a.mp3"),
        ("file:///home/a%23b.mp3", "/home/a#b.mp3"),
        ("file:/home/a.mp3", "/home/a.mp3"),
        ("100%25.mp3", "100%25.mp3"),
        ("file://localhosttidal:tracks:1", ""),
        ("a\0b.mp3", "ab.mp3"),
    ],
)
def test_a_location_is_read_as_a_path(location: str, name: str) -> None:
    assert local_name(location) == name


def test_files_are_found_as_named_beside_the_list_or_by_their_name(tmp_path: Path) -> None:
    folder = tmp_path / "sets"
    for name in ("near.mp3", "sub/one.mp3", "deep/Ana/Hours/dusk.mp3", "deep/Bo/Nights/dusk.mp3", "Jo\u0301ga.mp3"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (tmp_path / "far.mp3").touch()
    places = Places(folder)
    expected = {
        "near.mp3": "near.mp3",
        "sub\\one.mp3": "sub/one.mp3",
        "../far.mp3": "../far.mp3",
        f"file://localhost{tmp_path}/far.mp3": "../far.mp3",
        "D:\\Music\\Ana\\Hours\\DUSK.mp3": "deep/Ana/Hours/dusk.mp3",
        "/Volumes/x/Bo/Nights/dusk.mp3": "deep/Bo/Nights/dusk.mp3",
        "J\u00f3ga.mp3": "Jo\u0301ga.mp3",
    }
    assert {location: places.find(location) for location in expected} == {
        location: (folder / name).resolve() for location, name in expected.items()
    }
    assert [places.find(nothing) for nothing in ("gone.mp3", "", "x" * 5000, "file://localhosttidal:tracks:1")] == [
        None
    ] * 4
    assert places.key("gone.mp3") == str(folder / "gone.mp3")
    assert places.key("C:\\gone.mp3") == "C:\\gone.mp3"


def test_a_list_of_a_page_finds_nothing_outside_of_what_it_may_see(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "inner"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.mp3").touch()
    (inside / "link.mp3").symlink_to(outside / "a.mp3")
    (inside / "linked").symlink_to(outside)
    places = Places(inside, [inside.resolve()])
    assert places.find("a.mp3") == inside / "a.mp3"
    for location in ("../inner/b.mp3", "link.mp3", "linked/b.mp3", f"{outside}/b.mp3", "/etc/passwd"):
        assert places.find(location) is None
    assert places.find(f"{outside}/a.mp3") == inside / "a.mp3"  # by its name


def test_names_tell_what_is_a_playlist() -> None:
    assert [is_playlist_file(Path(name)) for name in ("a.M3U", "b.m3u8", "c.xml", "d.mp3", "m3u")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert file_name("C:\\Music\\a.mp3") == file_name("file:///x/a.mp3") == "a.mp3"
