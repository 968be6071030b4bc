"""A song is downloaded by programs that fail in every way they know, and what comes is the song or an error."""

from __future__ import annotations

import re
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sfa_kernel import audio
from sfa_kernel.errors import (
    DiskFullError,
    FatalJobError,
    RateLimitedError,
    RetryableJobError,
    ServiceError,
    SetupError,
    SfaError,
)
from sfa_kernel.progress import Steps
from sfa_kernel.sources.downloads import spotdl, tools, ytdlp
from sfa_kernel.sources.downloads.fetch import Fetched, fetch
from sfa_kernel.sources.song import Song
from tests.sounds import write_song
from tests.sources.programs import Standins, result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "4uLU6hMCjMI75M1A2tKUQC"
SONG = Song("spotify", KEY, "Never Far", artist="The Who Else", album="Near", duration=2.0)
PAGE = "https://www.youtube.com/watch?v=one"
OTHER = "https://www.youtube.com/watch?v=two"
FITTING = result("The Who Else - Never Far (Official Audio)", 2.0, PAGE)
ALSO = result("The Who Else - Never Far", 2.4, OTHER)


@pytest.fixture
def standins(tmp_path: Path) -> Standins:
    standins = Standins(tmp_path / "standins")
    standins.plan(found=[result("The Who Else - Never Far (Live)", 2.0, "https://x/live"), FITTING])
    return standins


@pytest.fixture
def programs(standins: Standins, tmp_path: Path) -> dict[str, tools.Program]:
    return tools.programs(standins.commands, tmp_path / "tools")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "scratch"
    place.mkdir()
    return place


def get(programs: dict[str, tools.Program], place: Path, song: Song = SONG, **options: Any) -> Fetched:
    return fetch(song, place, programs, format="mp3", notes=place.parent / "notes", **options)


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.rglob("*") if path.is_file())


def test_spotdl_downloads_and_says_how_far_it_is(
    programs: dict[str, tools.Program], standins: Standins, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", "planted")
    seen: list[int] = []
    got = get(programs, place, progress=seen.append)
    assert (got.by, got.path.suffix, got.remark) == ("spotDL", ".mp3", "")
    assert seen == sorted(seen)
    assert len(seen) > 4
    assert seen[-1] == 100
    (asked,) = standins.asked()
    assert asked["arguments"][:2] == ["download", f"https://open.spotify.com/track/{KEY}"]
    assert not [name for name in asked["environment"] if name.startswith("SFA_")]


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("nothing", "found no recording"),
        ("provider", "spotDL ended without a file"),
        ("partial", r"lasts 0\.\d s, and the song 2\.0 s"),
        ("empty", "spotDL ended without a file"),
        ("text", "damaged"),
        ("crash", "KeyError: 'videoDetails'"),
        ("killed", "was ended by signal 9"),
        ("limited", "wait 86400 s"),
        ("youtube", "asked too often"),
        ("offline", "cannot reach its service"),
    ],
)
def test_when_spotdl_fails_ytdlp_does_it_and_nothing_of_the_first_is_left(
    does: str, said: str, programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    standins.plan(spotdl=does)
    got = get(programs, place)
    assert got.by == "yt-dlp"
    assert got.source == PAGE
    assert re.search(said, got.remark)
    assert left(place) == ["song.mp3"]


def test_a_program_that_says_nothing_any_more_is_ended_with_what_it_started(
    programs: dict[str, tools.Program], standins: Standins, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spotdl, "SILENCE", 1.0)
    standins.plan(spotdl="hang")
    got = get(programs, place)
    assert "spotDL was stuck" in got.remark
    assert left(place) == ["song.mp3"]
    assert not [
        process
        for process in psutil.Process().children(recursive=True)
        if "time.sleep(600)" in " ".join(process.cmdline())
    ]


def test_who_has_to_wait_is_left_alone_until_then(
    programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    standins.plan(spotdl="limited")
    get(programs, place)
    get(programs, place)
    assert len(standins.asked("spotdl")) == 1


@pytest.mark.parametrize(
    ("page", "kind", "said"),
    [
        ("429", RateLimitedError, "asked too often"),
        ("robot", RateLimitedError, "limited this computer"),
        ("hour", RateLimitedError, "limited this computer"),
        ("503", ServiceError, "in trouble"),
        ("offline", ServiceError, "cannot reach"),
        ("403", RetryableJobError, "refused"),
        ("partial", ServiceError, "in trouble"),
        ("short", RetryableJobError, r"lasts [01]\.\d s"),
        ("full", DiskFullError, "no room"),
        ("unavailable", FatalJobError, "may not be downloaded"),
    ],
)
def test_when_both_fail_it_is_said_what_each_did_and_what_may_pass_is_tried_again(
    page: str, kind: type[SfaError], said: str, programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    standins.plan(spotdl="nothing", pages={PAGE: page})
    with pytest.raises(SfaError, match=said) as raised:
        get(programs, place)
    assert type(raised.value) is kind
    assert kind is DiskFullError or "spotDL found no recording" in raised.value.message
    assert left(place) == []


def test_the_sooner_of_two_waits_is_waited_for(
    programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    standins.plan(spotdl="limited", pages={PAGE: "hour"})
    with pytest.raises(RateLimitedError) as raised:
        get(programs, place)
    assert raised.value.retry_after == 3600


def test_a_way_that_may_soon_work_again_does_not_wait_for_the_other(
    programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    standins.plan(spotdl="limited", pages={PAGE: "503"})  # spotDL has to wait for a day
    with pytest.raises(RateLimitedError) as raised:
        get(programs, place)
    assert raised.value.retry_after is None


def test_another_recording_is_taken_where_the_best_is_refused(
    programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    standins.plan(spotdl="nothing", found=[ALSO, FITTING], pages={PAGE: "unavailable"})
    assert get(programs, place).source == OTHER


def test_where_nothing_fits_nothing_is_downloaded(
    programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    standins.plan(spotdl="nothing", found=[result("The Who Else - Never Far (Karaoke)", 2.0, PAGE)])
    with pytest.raises(FatalJobError, match="1 recordings, none of which is the song"):
        get(programs, place)
    assert len(standins.asked("yt-dlp")) == 1


def test_a_song_of_a_playlist_file_is_searched_and_its_words_are_no_options(
    programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    title = "--exec=touch x $(id) ../../y"
    standins.plan(found=[result(f"Somebody {title}", 2.0, PAGE)])
    got = get(programs, place, Song("file", "/music/x.mp3", title, duration=2.0))
    assert got.by == "yt-dlp"
    assert standins.asked()[0]["arguments"][-2:] == ["--", f"ytsearch5:{title}"]
    assert not standins.asked("spotdl")


@pytest.mark.parametrize("key", ["../../x", "--help", "a b", "4uLU6hMCjMI75M1A2tKUQC; id", ""])
def test_an_id_that_is_none_goes_to_no_program(
    key: str, programs: dict[str, tools.Program], standins: Standins, place: Path
) -> None:
    get(programs, place, Song("spotify", key, "Never Far", artist="The Who Else", duration=2.0))
    assert not standins.asked("spotdl")


def test_what_is_missing_is_told_with_the_way_to_get_it(programs: dict[str, tools.Program], place: Path) -> None:
    without = {name: program for name, program in programs.items() if name != "ffmpeg"}
    with pytest.raises(SetupError, match=r"FFmpeg.*apt install ffmpeg"):
        get(without, place)
    with pytest.raises(SetupError, match="sfa tools install spotdl yt-dlp"):
        get({"ffmpeg": programs["ffmpeg"]}, place)
    with pytest.raises(SetupError, match="sfa tools install yt-dlp"):
        get({name: programs[name] for name in ("ffmpeg", "spotdl")}, place, Song("file", "x", "Never Far"))


# -- yt-dlp itself ------------------------------------------------------------------------------------------------


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A folder with a song and a list of songs, on the web."""
    folder = tmp_path / "web"
    folder.mkdir()
    write_song(folder / "song.mp3", seconds=3)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        items = "".join(
            f'<item><title>{title}</title><enclosure url="{url}/song.mp3" type="audio/mpeg"/>'
            "<itunes:duration>3</itunes:duration></item>"
            for title in ("Somebody - A Song (Live)", "Somebody - A Song")
        )
        (folder / "list.rss").write_text(
            '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">'
            f"<channel><title>Songs</title>{items}</channel></rss>"
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield url
        server.shutdown()
        thread.join()


@pytest.fixture
def real(tmp_path: Path) -> dict[str, tools.Program]:
    pytest.importorskip("yt_dlp")
    return tools.programs({}, tmp_path / "tools")


@pytest.mark.parametrize("format", ["mp3", "flac", "m4a", "opus"])
def test_ytdlp_itself_downloads_and_converts(
    format: str,  # noqa: A002 - what everybody calls it
    real: dict[str, tools.Program],
    web: str,
    place: Path,
) -> None:
    seen: list[int] = []
    path = ytdlp.download(f"{web}/song.mp3", place, real, format=format, steps=Steps(seen.append))
    info = audio.probe(path)
    assert info.format.lower() == format
    assert abs(info.duration - 3) < 0.1
    assert seen == sorted(seen)
    assert seen[-1] == 80


def test_ytdlp_itself_lists_without_downloading_and_says_why_not(
    real: dict[str, tools.Program], web: str, place: Path
) -> None:
    found = ytdlp.results(f"{web}/list.rss", real)
    assert [(one.title, one.duration) for one in found] == [
        ("Somebody - A Song (Live)", 3.0),
        ("Somebody - A Song", 3.0),
    ]
    with pytest.raises(FatalJobError, match="may not be downloaded"):
        ytdlp.download(f"{web}/none.mp3", place, real, format="mp3", steps=Steps())
    with pytest.raises(ServiceError, match="cannot reach"):
        ytdlp.download("http://127.0.0.1:1/song.mp3", place, real, format="mp3", steps=Steps())


# -- covers -------------------------------------------------------------------------------------------------------


class _Pictures(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        try:
            if self.path == "/good":
                self.wfile.write(b"\xff\xd8\xff\xe0 a picture")
            elif self.path == "/endless":
                while True:
                    self.wfile.write(b"\xff\xd8\xff" * 100_000)
            else:
                self.wfile.write(b"<svg onload='x'/>")
        except OSError:
            pass

    def log_message(self, *_: Any) -> None:
        pass


def test_the_cover_is_a_picture_of_a_sane_size_or_there_is_none(
    programs: dict[str, tools.Program], place: Path
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pictures) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_address[1]}"
        covers = {}
        for path in ("/good", "/none", "/svg", "/endless"):
            song = Song("spotify", KEY, "Never Far", duration=2.0, cover_url=base + path)
            covers[path] = get(programs, place, song).cover
        server.shutdown()
        thread.join()
    good = covers.pop("/good")
    assert good is not None
    assert good.name == "cover.jpg"
    assert set(covers.values()) == {None}
    assert get(programs, place, Song("spotify", KEY, "Never Far", cover_url="file:///etc/passwd")).cover is None
