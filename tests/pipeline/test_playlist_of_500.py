"""A playlist of 500 songs comes in through two processes, one of which is killed; then three songs more."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from sfa_kernel.studio import Studio
from tests.sources.programs import Standins
from tests.sources.spotify.server import CLIENT_ID, CLIENT_SECRET, Spotify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.events import Event

COUNT = 500
TIMEOUT = 240
ROOT = Path(__file__).parents[2]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spotify]:
    with Spotify() as service:
        monkeypatch.setenv("SFA_SPOTIFY_URL", service.url)
        monkeypatch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", CLIENT_SECRET)
        yield service


@pytest.fixture
def standins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standins:
    standins = Standins(tmp_path / "standins", seconds=1.0)
    monkeypatch.setenv("SFA_SPOTDL_COMMAND", standins.commands["spotdl"])
    monkeypatch.setenv("SFA_YT_DLP_COMMAND", standins.commands["yt-dlp"])
    return standins


def test_a_long_playlist_comes_in_song_by_song(service: Spotify, standins: Standins, home: Path) -> None:
    songs = [service.song(f"Song {n:03}", f"Artist {n % 40}", seconds=1.0) for n in range(COUNT)]
    for song in songs:
        song["album"]["images"] = []  # covers are tried elsewhere
    key = service.playlist("All night", songs)
    link = f"https://open.spotify.com/playlist/{key}"
    downloading: set[str] = set()
    most = 0
    shown: set[int] = set()
    hundred = threading.Event()
    ended: Counter[str] = Counter()

    def on_event(event: Event) -> None:
        nonlocal most
        data = event.data
        if data["kind"] != "download":
            return
        if data["status"] == "downloading":
            downloading.add(data["id"])
            shown.add(data["progress"])
        else:
            downloading.discard(data["id"])
            ended[data["status"]] += 1
        most = max(most, len(downloading))
        if ended["completed"] >= 100:
            hundred.set()

    with Studio.open(home, run_jobs=False) as studio:
        studio.downloads.switch_on(agreed=True)
        subscription = studio.bus.subscribe("jobs:*", on_event)
        run = studio.add(link)
        other = subprocess.Popen([sys.executable, "-m", "sfa_kernel", "--home", str(home), "worker"], cwd=ROOT)
        try:
            studio.work()
            assert hundred.wait(TIMEOUT)
            family = psutil.Process(other.pid).children(recursive=True)
            other.kill()
            other.wait()
            run.wait(TIMEOUT)
        finally:
            other.kill()
            other.wait()
        jobs = [job for job in run.jobs if job.kind == "download"]
        assert Counter(job.status for job in jobs) == {"completed": COUNT}
        assert len({job.unique_key for job in jobs}) == COUNT
        assert most == 3
        assert len(shown) > 3  # of each song it is told how far it is
        assert len(studio.tracks) == COUNT
        assert [track.title for track in studio.playlists["All night"]] == [song["name"] for song in songs]
        psutil.wait_procs(family, timeout=10)
        assert not [process for process in family if process.is_running()]

        before = len(standins.asked("spotdl"))
        added = [service.song(f"Encore {n}", seconds=1.0) for n in range(3)]
        service.playlists[key].items[250:250] = added
        service.playlists[key].version += 1
        again = studio.add(link).wait(TIMEOUT)
        assert Counter((job.kind, job.status) for job in again.jobs) == {
            ("lookup", "completed"): 1,
            ("download", "completed"): 3,
        }
        assert len(standins.asked("spotdl")) == before + 3
        titles = [track.title for track in studio.playlists["All night"]]
        assert titles[249:254] == ["Song 249", "Encore 0", "Encore 1", "Encore 2", "Song 250"]
        subscription.close()
