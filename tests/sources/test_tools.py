"""Programs that download are found, judged, and set up by pip in environments of their own."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.errors import ParameterError, SetupError
from sfa_kernel.sources.downloads import tools

if TYPE_CHECKING:
    from collections.abc import Callable

SAYS = "import sys; print({text!r}); sys.exit({code})"


def put(place: Path, text: str, code: int = 0) -> Path:
    """A program that says something and ends."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!{sys.executable} -S\n{SAYS.format(text=text, code=code)}\n")
    place.chmod(0o755)
    return place


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system has: nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tools"


def wheel(folder: Path, name: str, version: str, code: str) -> None:
    """A package that pip can install: one module that runs."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    files = {
        f"{module}/__init__.py": "",
        f"{module}/__main__.py": code,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: default\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(file, text)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Packages of ours that pip takes instead of those of the network."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "shelf"))
    (tmp_path / "shelf").mkdir()
    return lambda name, version, code: wheel(tmp_path / "shelf", name, version, code)


def test_a_program_is_what_the_settings_name_else_what_was_installed_else_what_the_system_has(
    folder: Path, system: Path, shelf: Callable[[str, str, str], None], tmp_path: Path
) -> None:
    assert tools.find("yt-dlp", folder=folder) is None
    put(system / "yt-dlp", "2026.01.01")
    found = tools.find("yt-dlp", folder=folder)
    assert found is not None
    assert (found.place, found.command) == ("system", (str(system / "yt-dlp"),))

    shelf("yt-dlp", "2026.10.26", SAYS.format(text="2026.10.26", code=0))
    progress: list[int] = []
    assert tools.install("yt-dlp", folder, progress.append) == "2026.10.26"
    assert progress == sorted(progress)
    assert progress[-1] == 100
    found = tools.find("yt-dlp", folder=folder)
    assert found is not None
    assert (found.place, found.version) == ("installed", "2026.10.26")

    own = put(tmp_path / "my tools" / "yt dlp", "2026.02.02")
    for command in (str(own), f"'{own}' --flag"):
        found = tools.find("yt-dlp", command=command, folder=folder)
        assert found is not None
        assert (found.place, found.command[0]) == ("settings", str(own))


def test_what_the_settings_name_and_is_not_there_is_told(folder: Path) -> None:
    for command in ("/nowhere/spotdl", "'unclosed", " "):
        with pytest.raises(SetupError, match="for spotdl"):
            tools.find("spotdl", command=command, folder=folder)
    health = tools.check("spotdl", command="/nowhere/spotdl", folder=folder)
    assert not health.ok
    assert "Correct it" in health.hint


def test_a_renewed_program_takes_the_place_of_the_old_one_and_a_failed_attempt_changes_nothing(
    folder: Path, shelf: Callable[[str, str, str], None], tmp_path: Path
) -> None:
    shelf("spotdl", "4.6.0", SAYS.format(text="4.6.0", code=0))
    tools.install("spotdl", folder)
    first = tools.find("spotdl", folder=folder)
    assert first is not None

    half = folder / "spotdl" / "half"  # what a crash leaves
    half.mkdir()
    os.utime(half, (0, 0))
    shelf("spotdl", "4.6.0", SAYS.format(text="broken", code=3))
    with pytest.raises(SetupError, match="does not run: broken"):
        tools.install("spotdl", folder)
    assert tools.find("spotdl", folder=folder) == first

    shelf("spotdl", "4.6.0", SAYS.format(text="4.6.0 again", code=0))
    tools.install("spotdl", folder)
    second = tools.find("spotdl", folder=folder)
    assert second is not None
    assert second.command != first.command
    assert Path(first.command[0]).exists()  # something may be running from it
    assert not half.exists()
    assert len(list((folder / "spotdl").iterdir())) == 2


def test_what_pip_says_is_told(folder: Path, shelf: Callable[[str, str, str], None]) -> None:
    with pytest.raises(SetupError, match=r"spotdl==4\.6\.0 could not be installed: Could not find a version"):
        tools.install("spotdl", folder)
    assert list((folder / "spotdl").iterdir()) == []


def test_what_cannot_be_set_up_from_here_is_told_how_to_get(folder: Path) -> None:
    with pytest.raises(SetupError, match="apt install ffmpeg"):
        tools.install("ffmpeg", folder)
    with pytest.raises(ParameterError, match="no tool 'winamp'"):
        tools.install("winamp", folder)


def test_the_health_of_each_says_what_there_is_and_what_to_do(folder: Path, system: Path) -> None:
    missing = tools.check("spotdl", folder=folder)
    assert (missing.ok, missing.installable, missing.hint) == (False, True, "Run: sfa tools install spotdl")
    assert missing.detail.startswith("not installed")

    put(system / "ffmpeg", "ffmpeg version 7.1-3 Copyright (c) 2000-2026")
    good = tools.check("ffmpeg", folder=folder)
    assert (good.ok, good.detail, good.hint) == (True, f"ffmpeg 7.1, {system / 'ffmpeg'}", "")

    put(system / "yt-dlp", "2020.01.01")
    old = tools.check("yt-dlp", folder=folder)
    assert old.ok
    assert "days old" in old.detail
    assert old.hint == "Run: sfa tools install yt-dlp"

    put(system / "node", "v18.2.0")
    runtime = tools.check("deno", folder=folder)
    assert not runtime.ok
    assert "node 18.2.0" in runtime.detail
    assert "version 22 is needed" in runtime.detail
    put(system / "deno", "deno 2.9.8 (stable, release)")
    assert tools.check("deno", folder=folder).ok

    put(system / "spotdl", "ModuleNotFoundError: No module named 'spotdl'", 1)
    broken = tools.check("spotdl", folder=folder)
    assert not broken.ok
    assert "No module named" in broken.detail
