"""A playlist of Spotify becomes songs: one job for each, in several processes, of which one dies."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING

import psutil
import pytest

from sfa_kernel.studio import Studio
from tests.sources.programs import Standins
from tests.sources.spotify.server import CLIENT_ID, CLIENT_SECRET, Spotify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from sfa_kernel.events import Event

SONGS = 500
NEW = 4
TIMEOUT = 600
AT_ONCE = 3


@pytest.fixture
def standins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standins:
    standins = Standins(tmp_path / "standins")
    monkeypatch.setenv("SFA_SPOTDL_COMMAND", standins.commands["spotdl"])
    monkeypatch.setenv("SFA_YT_DLP_COMMAND", standins.commands["yt-dlp"])
    return standins


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spotify]:
    with Spotify() as service:
        monkeypatch.setenv("SFA_SPOTIFY_URL", service.url)
        monkeypatch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", CLIENT_SECRET)
        yield service


class Workers:
    """Processes that run the jobs of a library."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "sfa_kernel", "--home", str(self.home), "worker"]
        self.processes.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self.processes[-1]

    def close(self) -> None:
        for process in self.processes:
            below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.terminate()
            process.wait(60)
            psutil.wait_procs(below, timeout=60)


@pytest.fixture
def workers(home: Path) -> Iterator[Workers]:
    workers = Workers(home)
    yield workers
    workers.close()


class Watch:
    """Sees which downloads run, and how many have ended."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.most = 0
        self.progress: set[int] = set()
        self._ended: set[str] = set()
        self._changed = threading.Condition()

    def __call__(self, event: Event) -> None:
        data = event.data
        if data.get("kind") != "download":
            return
        with self._changed:
            if data["status"] == "downloading":
                self.running.add(data["id"])
                self.progress.add(data["progress"])
            else:
                self.running.discard(data["id"])
            if data["status"] == "completed":
                self._ended.add(data["id"])
            self.most = max(self.most, len(self.running))
            self._changed.notify_all()

    def until(self, condition: Callable[[int], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(len(self._ended)), TIMEOUT), len(self._ended)


@pytest.mark.slow
@pytest.mark.timeout(2 * TIMEOUT)
def test_a_playlist_comes_in_song_by_song_and_once_each_though_a_process_dies(
    service: Spotify, standins: Standins, home: Path, workers: Workers
) -> None:
    songs: list[Any] = [service.song(f"Song {n:04}", f"Artist {n % 40}", seconds=2.0) for n in range(SONGS)]
    link = "spotify:playlist:" + service.playlist("All night", songs)
    watch = Watch()
    with Studio.open(home, run_jobs=False) as studio, studio.bus.subscribe("jobs:*", watch):
        studio.downloads.switch_on(agreed=True)
        run = studio.add(link)  # downloads them, since that is switched on
        first, _ = workers.start(), workers.start()
        watch.until(lambda ended: ended >= SONGS // 4)
        first.kill()  # whatever it has at hand
        workers.start()
        run.wait(TIMEOUT)
        jobs = run.jobs
        assert Counter((job.kind, job.status) for job in jobs) == {
            ("lookup", "completed"): 1,
            ("download", "completed"): SONGS,
        }
        assert watch.most == AT_ONCE
        assert len(watch.progress) > 2
        playlist = studio.playlists["All night"]
        assert [track.title for track in playlist.tracks] == [song["name"] for song in songs]
        assert len(studio.tracks) == SONGS
        assert (playlist.missing, list(studio.storage.path("scratch").iterdir())) == ([], [])
        # None was downloaded twice but those that the dead process had at hand.
        asked = standins.asked("spotdl")
        assert len(asked) <= SONGS + AT_ONCE

        # The same again brings what is new, and nothing that a person took out of the library.
        studio.remove(playlist.tracks[0])
        there = service.playlists[link.rpartition(":")[2]]
        there.items += [service.song(f"New {n}", "Artist", seconds=2.0) for n in range(NEW)]
        there.version += 1
        again = studio.add(link).wait(TIMEOUT)
        assert Counter((job.kind, job.status) for job in again.jobs) == {
            ("lookup", "completed"): 1,
            ("download", "completed"): NEW,
        }
        assert len(standins.asked("spotdl")) == len(asked) + NEW
        assert len(studio.tracks) == SONGS - 1 + NEW
