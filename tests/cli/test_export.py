"""`sfa export` puts a file into a person's folder, and never over another one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from sfa_kernel import exporting
from sfa_kernel.audio import content_hash, read_tags
from sfa_kernel.cli import export, main
from sfa_kernel.studio import Studio
from tests.sounds import write_song
from tests.stems import give_stems

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def separated(home: Path, tmp_path: Path) -> str:
    """A library with one song and its stems; the song's id."""
    with Studio.open(home) as studio:
        (track,) = studio.add(write_song(tmp_path / "Artist - Song.wav", seconds=3))
        give_stems(studio, track)
        return str(track.id)


def test_a_stem_is_put_beside_what_is_there(
    home: Path, separated: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "deep"
    command = ["--home", str(home), "export", separated[:8], "--what", "stem", "--stem", "bass", "--out", str(out)]
    assert main(command) == 0
    assert capsys.readouterr().out.strip() == str(out / "Artist - Song (bass).flac")
    assert main([*command, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    second = out / "Artist - Song (bass) (2).flac"
    assert told == {"file": str(second), "bytes": second.stat().st_size, "sha256": content_hash(second)}
    assert sorted(path.name for path in out.iterdir()) == ["Artist - Song (bass) (2).flac", "Artist - Song (bass).flac"]
    assert read_tags(second).title == "Song (bass)"


def test_two_that_export_at_once_take_nothing_from_each_other(
    home: Path, separated: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "Artist - Song (bass).flac"
    copy = shutil.copyfile

    def copied(source: Path, target: Path) -> None:
        first.write_bytes(b"the other's")  # after our look at the folder
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", copied)
    command = ["--home", str(home), "export", separated, "--what", "stem", "--stem", "bass", "--out", str(tmp_path)]
    assert main(command) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "Artist - Song (bass) (2).flac")
    assert first.read_bytes() == b"the other's"
    assert not list(tmp_path.glob(".*"))


def test_the_help_knows_what_can_be_exported() -> None:
    assert ", ".join(exporting.FORMATS) == export.KINDS
    assert ", ".join(exporting.FIELDS) == export.FIELDS
    assert exporting.TEMPLATE == export.TEMPLATE


def test_what_is_wrong_is_one_line(
    home: Path, separated: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = ["--home", str(home), "export", "--out", str(tmp_path / "out")]
    for arguments, problem in (
        (["--what", "stem", "--stem", "guitar"], "have no guitar"),
        (["--what", "analysis"], "has no analysis yet"),
        (["--template", "{title!r}"], "cannot say how title is written"),
        (["--format", "aiff"], "no format for stems"),
    ):
        assert main([*export, *arguments]) == 1
        assert problem in capsys.readouterr().err
    blocked = tmp_path / "file"
    blocked.touch()
    assert main(["--home", str(home), "export", separated, "--out", str(blocked)]) == 1
    assert "cannot be a folder" in capsys.readouterr().err
