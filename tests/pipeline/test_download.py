"""Songs are downloaded by jobs: one for each, once somebody agrees, and each becomes a track with the song's names."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sfa_kernel.catalog import playlists, songs, tracks
from sfa_kernel.errors import ParameterError, SetupError
from sfa_kernel.pipeline.download import key_of, requests
from sfa_kernel.sources.song import Song
from sfa_kernel.studio import Studio
from tests.sources.programs import Standins, result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sfa_kernel.events import Event

TIMEOUT = 60
KEYS = [f"4uLU6hMCjMI75M1A2tKUQ{letter}" for letter in "ABCDEFGH"]


@pytest.fixture
def standins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standins:
    standins = Standins(tmp_path / "standins")
    monkeypatch.setenv("SFA_SPOTDL_COMMAND", standins.commands["spotdl"])
    monkeypatch.setenv("SFA_YT_DLP_COMMAND", standins.commands["yt-dlp"])
    return standins


@pytest.fixture
def studio(standins: Standins, home: Path) -> Iterator[Studio]:
    with Studio.open(home) as studio:
        studio.downloads.switch_on(agreed=True)
        yield studio


def song(key: str, **about: Any) -> Song:
    return Song("spotify", key, **{"title": f"Song {key[-1]}", "artist": "Somebody", "duration": 2.0, **about})


def put(studio: Studio, *wanted: Song) -> list[UUID]:
    with studio.catalog.write() as connection:
        return songs.put(connection, wanted)


def children() -> set[int]:
    """The stand-ins that run, and what they have started."""
    processes = psutil.Process().children(recursive=True)
    return {
        process.pid for process in processes if {"download", "import time; time.sleep(600)"} & set(process.cmdline())
    }


def test_downloads_are_off_until_somebody_agrees(standins: Standins, home: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        ids = put(studio, song(KEYS[0]))
        before = studio.downloads.on
        assert not before
        with pytest.raises(SetupError, match="switched off"):
            studio.downloads.get(ids)
        with pytest.raises(ParameterError, match="Download only what you may"):
            studio.downloads.switch_on()
        studio.downloads.switch_on(agreed=True)
        assert studio.downloads.on
        run = studio.downloads.get(ids)
        studio.downloads.switch_off()
        assert [job.status for job in run.jobs] == ["cancelled"]
    with Studio.open(home) as studio:
        assert repr(studio.downloads).startswith("<downloads: off")


def test_an_installation_can_rule_them_out_for_what_waits_as_well(
    standins: Standins, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        studio.downloads.switch_on(agreed=True)
        run = studio.downloads.get(put(studio, song(KEYS[0])))
    monkeypatch.setenv("SFA_DOWNLOADS_ALLOWED", "false")
    with Studio.open(home) as studio:
        studio.work()
        studio.ledger.wait(run.ids, timeout=TIMEOUT)
        (job,) = studio.ledger.jobs(run.ids)
        assert (job.status, "not allowed in this installation" in str(job.error)) == ("failed", True)
        assert not studio.downloads.on
        with pytest.raises(SetupError, match="not allowed"):
            studio.downloads.switch_on(agreed=True)
    assert standins.asked() == []


def test_a_song_becomes_a_track_with_the_names_it_was_asked_by_and_its_stages_follow(
    studio: Studio, standins: Standins
) -> None:
    asked = song(KEYS[0], title="Ünder the ../../Sea 🦑", artist="A, B", album="Deep", year=2019, isrc="GBAAA0000001")
    (song_id,) = put(studio, asked)
    run = studio.downloads.get([song_id], stages="separate").wait(TIMEOUT)
    assert [(job.kind, job.status, job.error) for job in run.jobs] == [
        ("download", "completed", None),
        ("separate", "completed", None),
    ]
    (track,) = studio.tracks
    assert (track.title, track.artist) == (asked.title, "A, B")
    with studio.catalog.read() as connection:
        (row,) = tracks.get_many(connection, [track.id])
        assert (row.album, row.year, row.isrc) == ("Deep", 2019, "GBAAA0000001")
        assert songs.get(connection, song_id).track_id == track.id
    assert Path(row.path(studio.storage)).is_relative_to(studio.storage.path("downloads"))
    said = [line["text"] for line in studio.jobs.log(run.jobs[0].id)]
    assert said[-1] == "Downloaded with spotDL."
    assert f"Processing query: https://open.spotify.com/track/{KEYS[0]}" in said
    assert not list(studio.storage.path("scratch").iterdir())
    with pytest.raises(ParameterError, match="nothing to download"):
        studio.downloads.get([song_id])


def test_a_playlist_shows_what_has_come_and_is_asked_only_for_what_is_missing(
    studio: Studio, standins: Standins
) -> None:
    wanted = [song(key) for key in KEYS[:3]]
    ids = put(studio, *wanted)
    with studio.catalog.write() as connection:
        playlists.imported(connection, service="spotify", key="p", name="Friday", song_ids=ids)
    standins.plan(spotdl={KEYS[1]: "nothing"})
    run = studio.downloads.get(studio.playlists["Friday"]).wait(TIMEOUT)
    assert sorted(job.status for job in run.jobs) == ["completed", "completed", "failed"]
    assert run.failures[0]["title"] == "Somebody - Song B"
    assert [track.title for track in studio.playlists["Friday"]] == ["Song A", "Song C"]
    standins.plan(spotdl="nothing", found=[result("Somebody - Song B", 2.0, "https://x/b")])
    run = studio.downloads.get(studio.playlists["Friday"]).wait(TIMEOUT)
    assert [job.arguments["title"] for job in run.jobs] == ["Somebody - Song B"]
    assert [track.title for track in studio.playlists["Friday"]] == ["Song A", "Song B", "Song C"]
    assert studio.jobs.log(run.ids[0])[-1]["text"].startswith("Downloaded with yt-dlp. spotDL found no recording")


def test_what_is_here_already_is_not_downloaded_and_two_who_ask_wait_for_one(
    standins: Standins, home: Path, tmp_path: Path
) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        studio.downloads.switch_on(agreed=True)
        ids = put(studio, song(KEYS[0]), song(KEYS[1]))
        (track,) = studio.add(standins.folder / "sound.mp3")
        with studio.catalog.write() as connection:
            songs.link(connection, ids[0], track.id)
            assert [one.unique_key for one in requests(connection, ids)] == [key_of(ids[1])]
        first, second = studio.downloads.get(ids), studio.downloads.get(ids)
        assert first.ids == second.ids


def test_a_rate_limit_puts_the_job_off_and_keeps_no_worker(studio: Studio, standins: Standins) -> None:
    standins.plan(spotdl="limited", found="hour")
    put_off: list[Event] = []
    heard = threading.Event()

    def on_event(event: Event) -> None:
        if event.data["status"] == "queued" and event.data["error"]:
            put_off.append(event)
            heard.set()

    subscription = studio.bus.subscribe("jobs:*", on_event)
    run = studio.downloads.get(put(studio, song(KEYS[0])))
    assert heard.wait(TIMEOUT)
    subscription.close()
    (job,) = run.jobs
    assert job.status == "queued"
    assert (job.scheduled_at - job.created_at).total_seconds() > 3000
    assert "Spotify asks spotDL to wait 86400 s. YouTube has limited this computer" in str(job.error)
    assert not children()


def test_a_cancelled_download_ends_at_once_with_all_its_programs(studio: Studio, standins: Standins) -> None:
    standins.plan(spotdl="hang")
    heard = threading.Event()
    subscription = studio.bus.subscribe("jobs:*", lambda event: heard.set() if event.data["progress"] >= 20 else None)
    run = studio.downloads.get(put(studio, song(KEYS[0])))
    assert heard.wait(TIMEOUT)
    subscription.close()
    assert children()
    run.cancel()
    assert [job.status for job in run.wait(TIMEOUT).jobs] == ["cancelled"]
    studio.close()
    assert not children()
    assert not [path for path in studio.storage.path("scratch").rglob("*") if path.is_file()]


def test_a_webhook_is_told_which_track_has_come(
    standins: Standins, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_WEBHOOKS_PRIVATE", "1")
    with Studio.open(home) as studio:
        studio.downloads.switch_on(agreed=True)
        studio.webhooks.add("http://127.0.0.1:9/nobody", events=["track.downloaded"])
        studio.downloads.get(put(studio, song(KEYS[0]))).wait(TIMEOUT)
        (track,) = studio.tracks
        (told,) = studio.sql("SELECT event, data FROM deliveries")
    assert told["event"] == "track.downloaded"
    assert json.loads(told["data"])["track"] == {"id": str(track.id), "title": track.title, "artist": track.artist}


def test_no_more_than_three_download_at_once_in_all_processes(standins: Standins, home: Path) -> None:
    with Studio.open(home, run_jobs=False) as one, Studio.open(home, run_jobs=False) as two:
        one.downloads.switch_on(agreed=True)
        run = one.downloads.get(put(one, *[song(key) for key in KEYS]))
        downloading: set[str] = set()
        most = 0

        def on_event(event: Event) -> None:
            nonlocal most
            change = downloading.add if event.data["status"] == "downloading" else downloading.discard
            change(event.data["id"])
            most = max(most, len(downloading))

        subscription = one.bus.subscribe("jobs:*", on_event)
        one.work()
        two.work()
        assert {job.status for job in run.wait(TIMEOUT).jobs} == {"completed"}
        subscription.close()
        assert most == 3
        assert len(one.tracks) == len(KEYS)
        assert len({job.holder for job in run.jobs}) <= 2


def test_a_download_whose_process_is_killed_is_done_again(
    studio: Studio, standins: Standins, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfa_kernel.jobs.runner.back_off", lambda attempt: 0.1)
    standins.plan(spotdl="hang")
    killed = threading.Event()

    def on_event(event: Event) -> None:
        if not killed.is_set() and event.data["progress"] >= 20:
            standins.plan(spotdl="ok")
            for process in psutil.Process().children():
                if "tracker" not in " ".join(process.cmdline()):
                    process.kill()
            killed.set()

    subscription = studio.bus.subscribe("jobs:*", on_event)
    (job,) = studio.downloads.get(put(studio, song(KEYS[0]))).wait(TIMEOUT).jobs
    subscription.close()
    assert (job.status, job.attempt) == ("completed", 2)
    assert len(studio.tracks) == 1
    assert not children()


def test_a_program_is_set_up_by_a_job(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    run = studio.downloads.install("deno").wait(TIMEOUT)
    (job,) = run.jobs
    assert job.status == "failed"
    assert "deno could not be installed: Could not find a version" in str(job.error)
    with pytest.raises(SetupError, match="apt install ffmpeg"):
        studio.downloads.install("ffmpeg")
    assert {row["tool"] for row in studio.downloads.tools} == {"spotdl", "yt-dlp", "ffmpeg", "deno"}
