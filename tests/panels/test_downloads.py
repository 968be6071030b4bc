"""What the settings of downloads get when they ask, and how a page gets what a playlist has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.catalog import playlists, songs
from sfa_kernel.errors import ParameterError, SetupError
from sfa_kernel.panels.downloads import download_handlers
from sfa_kernel.sources.song import Song
from sfa_kernel.studio import Studio
from tests.sources.programs import Standins

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def studio(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    standins = Standins(tmp_path / "standins")
    monkeypatch.setenv("SFA_SPOTDL_COMMAND", standins.commands["spotdl"])
    monkeypatch.setenv("SFA_YT_DLP_COMMAND", "/nowhere/yt-dlp")
    monkeypatch.setenv("SFA_TOOLS_DIR", str(tmp_path / "tools"))
    with Studio.open(home, run_jobs=False) as studio:
        yield studio


def ask(studio: Studio, method: str, **params: Any) -> Any:
    return download_handlers(studio)[method](params, [])


def test_the_state_says_what_is_on_and_how_each_program_is(studio: Studio) -> None:
    state = ask(studio, "downloads.state")
    assert (state["allowed"], state["on"], state["format"]) == (True, False, "mp3")
    assert state["notice"] == studio.downloads.notice
    tools = {tool["name"]: tool for tool in state["tools"]}
    assert (tools["spotdl"]["ok"], tools["spotdl"]["hint"], tools["spotdl"]["job"]) == (True, None, None)
    assert (tools["yt-dlp"]["ok"], tools["yt-dlp"]["installable"]) == (False, False)
    assert tools["deno"]["installable"] is True
    assert "cannot be run" in tools["yt-dlp"]["detail"]
    assert tools["ffmpeg"]["installable"] is False


def test_a_page_switches_them_on_with_a_yes_and_off(studio: Studio) -> None:
    with pytest.raises(ParameterError, match="your own responsibility"):
        ask(studio, "downloads.switch", on=True, agreed=False)
    ask(studio, "downloads.switch", on=True, agreed=True)
    assert ask(studio, "downloads.state")["on"] is True
    ask(studio, "downloads.switch", on=False, agreed=False)
    assert ask(studio, "downloads.state")["on"] is False


def test_a_program_that_is_being_set_up_shows_its_job(studio: Studio) -> None:
    (job,) = ask(studio, "tools.install", tool="deno")["jobs"]
    assert ask(studio, "tools.install", tool="deno")["jobs"] == [job]
    shown = {tool["name"]: tool["job"] for tool in ask(studio, "downloads.state")["tools"]}
    assert shown == {"spotdl": None, "yt-dlp": None, "ffmpeg": None, "deno": job}
    with pytest.raises(ParameterError, match="no tool"):
        ask(studio, "tools.install")


def test_a_page_gets_what_a_playlist_has_not_all_or_some(studio: Studio) -> None:
    wanted = [Song("spotify", f"4uLU6hMCjMI75M1A2tKUQ{letter}", f"Song {letter}", duration=2.0) for letter in "ABC"]
    with studio.catalog.write() as connection:
        ids = songs.put(connection, wanted)
        row, _ = playlists.imported(connection, service="spotify", key="p", name="Friday", song_ids=ids)
        entries = [str(i) for i in playlists.entry_ids(connection, row.id)]
    whole: dict[str, Any] = {"id": str(row.id), "entries": None, "stages": ["analyze"]}
    with pytest.raises(SetupError, match="switched off"):
        ask(studio, "playlists.download", **whole)
    studio.downloads.switch_on(agreed=True)
    some = ask(studio, "playlists.download", **{**whole, "entries": entries[:1]})
    assert len(some["jobs"]) == 1
    every = ask(studio, "playlists.download", **whole)
    assert set(some["jobs"]) < set(every["jobs"])
    assert len(every["jobs"]) == 3
    titles = {str(job.id): (job.arguments["title"], job.arguments["stages"]) for job in studio.jobs}
    assert sorted(titles.values()) == [(f"Song {letter}", ["analyze"]) for letter in "ABC"]
    assert ask(studio, "playlists.download", **{**whole, "entries": []}) == {"jobs": [], "batch": None}
    for wrong in ({"entries": ["x"]}, {"stages": ["dance"]}, {"stages": "analyze"}):
        with pytest.raises(ParameterError):
            ask(studio, "playlists.download", **{**whole, **wrong})
