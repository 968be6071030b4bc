"""`sfa playlists`: lists of songs at the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.cli import main
from sfa_kernel.sources.m3u import read_m3u
from sfa_kernel.studio import Studio
from tests.test_playlists import added

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def ids(home: Path) -> list[str]:
    with Studio.open(home, run_jobs=False) as studio:
        return [str(track.id) for track in added(studio, "House A", "Techno", "House B")]


@pytest.fixture
def sfa(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    def run(*arguments: str, status: int = 0) -> Any:
        assert main(["--home", str(home), "playlists", *arguments, "--json"]) == status
        out, err = capsys.readouterr()
        return json.loads(out) if status == 0 else err

    return run


def test_a_playlist_is_made_arranged_and_taken_away(sfa: Callable[..., Any], ids: list[str], tmp_path: Path) -> None:
    assert sfa("new", "Evening", ids[0][:8], ids[1])["count"] == 2
    sfa("add", "evening", ids[2], "--at", "1")
    shown = sfa("move", "evening", "1", "2", "--to", "2")
    assert [entry["title"] for entry in shown["entries"]] == ["Techno", "House B", "House A"]
    assert sfa("remove", "evening", "1")["here"] == 2
    assert "has 2 places, not 9" in sfa("remove", "evening", "9", status=1)
    assert sfa("rename", "evening", "Night")["name"] == "Night"
    file = tmp_path / "night.m3u8"
    assert sfa("export", "Night", str(file)) == {"file": str(file)}
    assert [song.title for song in read_m3u(file).songs] == ["House B", "House A"]
    sfa("delete", "Night")
    assert sfa("list") == sfa() == {"playlists": []}
    assert "no playlist 'Night'" in sfa("show", "Night", status=1)
    assert sfa("restore", "Night")["count"] == 2


def test_a_smart_playlist_is_asked_for_in_words(
    sfa: Callable[..., Any], ids: list[str], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--text", "house", "--duration", "10-61", "--no-stems", "--keys", "8a,9A", "--limit", "3"]
    made = sfa("smart", "All", *options)
    assert made["sentence"] == '"house", in 8A or 9A, 0:10-1:01 long, has no stems, the first 3'
    assert made["count"] == 0
    assert sfa("smart", "Houses", "--text", "house", "--sort", "title", "--descending")["count"] == 2
    assert "is no key" in sfa("smart", "No", "--keys", "H", status=1)
    assert main(["--home", str(home), "playlists", "show", "Houses"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "'Houses': \"house\", by title, Z to A; 2 tracks" in lines[0]
    assert [line.split()[-1] for line in lines[1:]] == ["B", "A"]
