"""Downloads, from the command line: never without a yes, and each program says how it is."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tests.sources.programs import Standins

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.conftest import Sfa


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def test_downloads_are_switched_on_by_who_agrees(sfa: Sfa, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sfa.json("downloads")["on"] is False
    refused = sfa("downloads", "on")
    assert refused.status == 1
    assert "your own responsibility" in refused.err
    assert "With --yes you agree" in refused.err
    monkeypatch.setattr("sys.stdin", Person("n\n"))
    assert sfa("downloads", "on").status == 1
    monkeypatch.setattr("sys.stdin", Person("y\n"))
    assert sfa("downloads", "on").out == "Downloads are on.\n"
    assert sfa.json("downloads", "off")["on"] is False
    assert sfa.json("downloads", "on", "--yes")["on"] is True
    monkeypatch.setenv("SFA_DOWNLOADS_ALLOWED", "false")
    assert sfa("downloads").out == "Downloads are not allowed in this installation.\n"
    assert "not allowed" in sfa("downloads", "on", "--yes").err


def test_each_program_says_how_it_is_and_how_to_get_it(
    sfa: Sfa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_SPOTDL_COMMAND", Standins(tmp_path / "standins").commands["spotdl"])
    monkeypatch.setenv("SFA_TOOLS_DIR", str(tmp_path / "tools"))
    found = {row["tool"]: row for row in sfa.json("tools")["tools"]}
    assert found["spotdl"]["ready"]
    assert "4.6.0" in found["spotdl"]["detail"]
    assert list(found) == ["spotdl", "yt-dlp", "ffmpeg", "deno"]
    monkeypatch.setenv("PATH", str(tmp_path))
    told = sfa("tools").out
    assert "ffmpeg   not installed" in told
    assert "sudo apt install ffmpeg" in told
    assert "Run: sfa tools install yt-dlp" in told
    assert "not installed" in sfa("doctor").out
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    failed = sfa("tools", "install", "yt-dlp")
    assert failed.status == 1
    assert "yt-dlp[default] could not be installed" in failed.err
    assert "no tool 'winamp'" in sfa("tools", "install", "winamp").err
