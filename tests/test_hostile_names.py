"""Names that come from outside - tags, files, uploads, playlists, services - lead nowhere and break nothing."""

from __future__ import annotations

import json
import os
import threading
import unicodedata
from typing import TYPE_CHECKING
from uuid import UUID

import soundfile

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import playlists, songs
from sfa_kernel.cli import main
from sfa_kernel.panels.library import library_handlers
from sfa_kernel.panels.playlists import playlist_handlers
from sfa_kernel.panels.uploads import upload_handlers
from sfa_kernel.sources.m3u import read_m3u
from sfa_kernel.sources.song import Song
from sfa_kernel.storage import FOLDERS
from sfa_kernel.studio import Studio
from tests.sounds import SAMPLE_RATE, four_on_the_floor, write_song
from tests.sources.programs import Standins
from tests.sources.spotify.server import CLIENT_ID, CLIENT_SECRET, Spotify

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TIMEOUT = 60
NAMES = [
    "../../../outside",
    "..\\..\\outside",
    "/etc/passwd",
    "C:\\Windows\\win.ini",
    "a\0b.wav/../../outside",
    "x" * 300,
    "\U0001f525" * 120,
    "\u202egnp.exe\u202c",
    "שלום עולם - مرحبا",
    "e\u0301" * 80,
    "CON",
    "NUL.wav",
    "com1.mp3",
    "trailing. . .",
    "  ",
    "-rf",
    "--output=/tmp/outside",
    "$(touch outside)",
    "`touch outside`; touch outside",
    "%2e%2e%2foutside",
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{title}{0.__class__}",
    "line\nbreak\r#EXTINF:1,injected\n/etc/passwd",
    "tab\tand\x1b[31mred\x07",
    "\ud800",
    "'; DROP TABLE tracks; --",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://127.0.0.1:1/x",
]


def beside(tmp_path: Path, home: Path) -> set[str]:
    return {str(path) for path in tmp_path.rglob("*") if not path.is_relative_to(home)}


def is_clean(text: str) -> bool:
    """One line of at most 300 ordinary characters."""
    hidden = {"\u200c", "\u200d"}
    return len(text) <= 300 and not any(
        unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} or (unicodedata.category(c) == "Cf" and c not in hidden)
        for c in text
    )


def is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def check(studio: Studio, home: Path) -> None:
    """What holds of a library, whatever came in."""
    assert {path.name for path in home.iterdir() if path.is_dir()} == set(FOLDERS)
    assert all(is_clean(text) for row in studio.tracks.summaries() for text in (row["title"], row["artist"]))
    rows = studio.sql("SELECT title, artist, album FROM songs UNION ALL SELECT name, owner, description FROM playlists")
    assert all(is_clean(text) for row in rows for text in row.values())
    for track in studio.tracks:
        assert track.path.is_relative_to(home / "downloads")
    # A page gets it as JSON.
    page = library_handlers(studio, on_open=lambda _: None)["tracks.page"]({"limit": 1000}, [])
    json.loads(json.dumps(page, allow_nan=False))
    lists = playlist_handlers(studio)
    for playlist in lists["playlists.list"]({}, [])["playlists"]:
        json.dumps(lists["playlists.page"]({"id": playlist["id"], "offset": 0, "limit": 1000}, []), allow_nan=False)


def write_tagged(path: Path, text: str, seed: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    samples = four_on_the_floor(1.0, seed=seed)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, samples.shape[1], format="FLAC") as file:
        file.title = file.artist = file.album = text
        file.write(samples)


def test_names_in_tags_and_of_files(studio: Studio, home: Path, tmp_path: Path) -> None:
    crate = tmp_path / "crate"
    crate.mkdir()
    for number, name in enumerate(NAMES):
        plain = name.replace("/", "_").replace("\0", "_").encode("utf-8", "surrogatepass")[:200]
        write_tagged(crate / "song", name, number)
        (crate / "song").rename(crate / f"{number}{os.fsdecode(plain)}.flac")
    before = beside(tmp_path, home)
    run = studio.import_folder(crate, stages=()).wait(TIMEOUT)
    assert not run.failures
    readable = [entry for entry in os.listdir(os.fsencode(crate)) if is_text(entry)]
    assert len(studio.tracks) == len(readable) < len(NAMES)
    assert "unknown encoding" in repr(studio.folders)
    assert beside(tmp_path, home) == before
    check(studio, home)


def test_names_of_uploads(studio: Studio, home: Path, tmp_path: Path) -> None:
    upload = upload_handlers(studio)
    data = [write_song(tmp_path / "song.wav", seconds=1, seed=n).read_bytes() for n in range(len(NAMES))]
    before = beside(tmp_path, home)
    jobs = []
    for number, name in enumerate(NAMES):
        begun = upload["upload.begin"]({"name": name, "size": len(data[number]), "fingerprint": f"{number}"}, [])
        place = {"upload": begun["upload"]}
        upload["upload.chunk"]({**place, "offset": 0}, [memoryview(data[number])])
        jobs += upload["upload.finish"]({**place, "stages": []}, [])["jobs"]
    studio.ledger.wait([UUID(job) for job in jobs], timeout=TIMEOUT)
    assert len(studio.tracks) == len(NAMES)
    assert beside(tmp_path, home) == before
    studio.close()  # what a job no longer needs goes once it is written that it has ended
    assert list((home / "uploads").iterdir()) == []
    check(studio, home)


def test_names_of_playlists_and_of_what_is_in_them(
    studio: Studio, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=1))
    listed = [name for name in NAMES if name.strip()]
    for number, name in enumerate(listed):
        studio.playlists.new(name, [track]).rename(f"{name} {number}")
    with studio.catalog.write() as connection:
        texts = enumerate(map(clean_text, NAMES))
        ids = songs.put(connection, [Song("file", f"{n} {text}", text, text, text) for n, text in texts])
        playlists.imported(connection, service="file", key=NAMES[0], name=NAMES[0], song_ids=ids)
    (tmp_path / "away").mkdir()
    for number, playlist in enumerate(studio.playlists):
        file = playlist.export(tmp_path / "away" / f"{number}.m3u8")
        again = read_m3u(file)
        assert len(again.songs) == len(playlist.tracks)  # what is not here has no file to name
    assert {path.name for path in (tmp_path / "away").iterdir()} == {f"{n}.m3u8" for n in range(len(studio.playlists))}
    check(studio, home)
    assert main(["--home", str(home), "--json", "playlists"]) == 0
    assert len(json.loads(capsys.readouterr().out)["playlists"]) == len(listed) + 1


def test_a_playlist_file_that_names_anything_at_all(studio: Studio, home: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", seconds=1)
    lines = [name.replace("\0", "").encode("utf-8", "replace").decode() for name in NAMES]
    playlist = tmp_path / "all.m3u8"
    playlist.write_text("#EXTM3U\n" + "\n".join([*lines, "../" * 30 + "etc/shadow", song.name]), "utf-8")
    before = beside(tmp_path, home)
    run = studio.add(playlist).wait(TIMEOUT)
    assert not run.failures
    assert [track.title for track in studio.tracks] == ["song"]
    assert beside(tmp_path, home) == before
    check(studio, home)


def test_names_that_a_service_tells(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = Standins(tmp_path / "programs")
    for name, command in {"SPOTDL": programs.commands["spotdl"], "YT_DLP": programs.commands["yt-dlp"]}.items():
        monkeypatch.setenv(f"SFA_{name}_COMMAND", command)
    monkeypatch.setenv("SFA_SPOTIFY_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", CLIENT_SECRET)
    with Spotify(page_size=50) as service:
        monkeypatch.setenv("SFA_SPOTIFY_URL", service.url)
        monkeypatch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        told = [service.song(name, name, seconds=2.0) for name in NAMES]
        link = f"spotify:playlist:{service.playlist(NAMES[0], told)}"
        with Studio.open(home) as studio:
            # spotDL finds none of the first six: yt-dlp is asked for them by name.
            programs.plan(spotdl={one["id"]: "nothing" for one in told[:6]})
            studio.downloads.switch_on(agreed=True)
            studio.add(link, download=False).wait(TIMEOUT)
            assert len(studio.playlists[0].missing) == sum(bool(clean_text(name)) for name in NAMES)
            before = {name for name in beside(tmp_path, home) if "programs" not in name}
            run = studio.downloads.get(studio.playlists[0].missing[4:8])
            seen = threading.Event()

            def listen(_: object) -> None:
                if all(job.attempt > 0 and job.status not in ("downloading", "processing") for job in run.jobs):
                    seen.set()

            with studio.bus.subscribe("jobs:*", listen):
                listen(None)
                assert seen.wait(TIMEOUT)
            assert {name for name in beside(tmp_path, home) if "programs" not in name} == before
            check(studio, home)
            # What was asked for by name came as one argument, and never as an option.
            searches = [one["arguments"][-1] for one in programs.asked("yt-dlp")]
            assert searches
            assert all(text.startswith("ytsearch5:") for text in searches)
            run.cancel()
