"""Weights, from the command line: never without a yes, and every file is accounted for."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("demucs")

from sfa_kernel.separation.demucs import models
from tests.separation.demucs.making import make_weights, published, tiny
from tests.separation.demucs.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Sfa


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SFA_WEIGHTS_DIR", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A place that has htdemucs: a tiny one, published under the real one's name."""
    data = published(tiny())
    model = models.MODELS["htdemucs"]
    file = replace(model.files[0], sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, "htdemucs": replace(model, files=(file,))})
    with Shelf(files={f"/{file.folder}/{file.name}": data}) as shelf:
        monkeypatch.setenv("SFA_WEIGHTS_URL", shelf.url)
        yield shelf


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def states(document: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {row["model"]: row["state"] for row in document["models"]}


def test_the_status_says_which_models_are_ready(sfa: Sfa, folder: Path) -> None:
    make_weights(folder, "htdemucs_6s")
    document = sfa.json("weights")
    assert document["folder"] == str(folder)
    assert states(document) == {
        "htdemucs": "missing",
        "htdemucs_ft": "missing",
        "htdemucs_6s": "ready",
        "mdx_extra": "missing",
    }
    shown = sfa("weights", "status").out
    assert "htdemucs_ft  missing  337 MB to fetch" in shown
    assert document["models"][2]["sha256"]["5c90dfd2"] in shown


def test_nothing_is_fetched_without_a_yes(sfa: Sfa, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # a pipe is nobody
    said = sfa("weights", "fetch", "htdemucs")
    assert said.status == 1
    assert "only for scientific purposes" in " ".join(said.err.split())
    monkeypatch.setattr("sys.stdin", Person("\n"))
    assert sfa("weights", "fetch", "htdemucs").status == 1
    assert shelf.asked == []


@pytest.mark.parametrize("answer", ["y\n", None])
def test_with_a_yes_the_weights_are_fetched(
    sfa: Sfa, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, answer: str | None
) -> None:
    monkeypatch.setattr("sys.stdin", Person(answer or ""))
    document = sfa.json("weights", "fetch", "htdemucs", *(["--yes"] if answer is None else []))
    assert states(document) == {"htdemucs": "ready"}
    assert sfa("weights", "verify").status == 0


def test_verify_fails_on_a_file_that_has_changed(sfa: Sfa, folder: Path) -> None:
    make_weights(folder)
    path = folder / "955717e8.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert sfa("weights").status == 0
    said = sfa("weights", "verify")
    assert (said.status, said.err) == (1, "sfa: Damaged: htdemucs. Fetch them again: sfa weights fetch MODEL\n")


def test_import_says_what_became_of_each_file(sfa: Sfa, tmp_path: Path) -> None:
    make_weights(tmp_path / "stick", "htdemucs_6s")
    (tmp_path / "stick" / "955717e8-8726e21a.th").write_bytes(b"cut off")
    document = sfa.json("weights", "import", tmp_path / "stick", status=1)
    assert [one["outcome"] for one in document["files"]] == ["taken", "refused"]
    (tmp_path / "stick" / "955717e8-8726e21a.th").unlink()
    assert sfa("weights", "import", tmp_path / "stick").status == 0


def test_what_cannot_be_done_is_one_line(sfa: Sfa, shelf: Shelf, tmp_path: Path) -> None:
    assert "no model 'htdemucs9'" in sfa.refuses("weights", "fetch", "htdemucs9", "--yes")
    assert "There is no folder" in sfa.refuses("weights", "import", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "There are no weights of Demucs" in sfa.refuses("weights", "import", tmp_path / "empty")
    shelf.statuses = [503]
    assert "answered 503" in sfa.refuses("weights", "fetch", "htdemucs", "--yes")


def test_the_doctor_names_the_models_that_are_ready(sfa: Sfa, folder: Path) -> None:
    def line() -> str:
        return next(check["detail"] for check in sfa.json("doctor")["checks"] if check["name"] == "demucs")

    sfa("tracks")  # makes the library
    assert line().endswith("the weights of no model")
    make_weights(folder, "htdemucs_6s")
    assert line().endswith("the weights of htdemucs_6s")
