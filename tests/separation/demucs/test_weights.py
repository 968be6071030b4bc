"""Weights get onto a machine only as what their makers published, and nothing in them is ever run."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import pickle
import zipfile
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.errors import (
    Cancelled,
    DiskFullError,
    FatalJobError,
    InputError,
    NotFoundError,
    ParameterError,
    RateLimitedError,
    ServiceError,
    SetupError,
)
from sfa_kernel.separation.demucs import models, weights
from sfa_kernel.separation.demucs.networks import read_pickle, read_safetensors, to_safetensors

pytest.importorskip("demucs")

import numpy as np

from tests.separation.demucs.making import make_weights, published, saved, tiny
from tests.separation.demucs.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Publish = Callable[[bytes], models.WeightFile]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "weights"


@pytest.fixture(scope="module")
def contents() -> bytes:
    """What the makers publish of a tiny network."""
    return published(tiny())


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Let htdemucs be a file with these contents: the table names its checksum, as if its makers had published it."""

    def publish(data: bytes) -> models.WeightFile:
        model = models.MODELS["htdemucs"]
        file = replace(model.files[0], sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
        monkeypatch.setattr(models, "MODELS", {**models.MODELS, "htdemucs": replace(model, files=(file,))})
        return file

    return publish


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with Shelf() as shelf:
        yield shelf


@pytest.fixture
def file(publish: Publish, shelf: Shelf, contents: bytes) -> models.WeightFile:
    """The one file of htdemucs, published and on the shelf."""
    file = publish(contents)
    shelf.files[f"/{file.folder}/{file.name}"] = contents
    return file


def state(folder: Path, model: str = "htdemucs") -> str:
    return next(status.state for status in weights.status(folder) if status.model == model)


def hold(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def test_a_model_is_ready_when_all_of_its_files_are_there(folder: Path) -> None:
    assert {status.state for status in weights.status(folder)} == {"missing"}
    make_weights(folder, "htdemucs_ft")
    assert state(folder, "htdemucs_ft") == "ready"
    assert state(folder, "htdemucs") == "missing"
    (folder / "d12395a8.safetensors").unlink()
    assert state(folder, "htdemucs_ft") == "missing"


def test_a_file_that_has_changed_is_found(folder: Path) -> None:
    make_weights(folder)
    path = folder / "955717e8.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert [found.state for found in weights.verify(folder) if found.model == "htdemucs"] == ["damaged"]
    with pytest.raises(InputError, match="not as it was kept"):
        weights.read(folder, "955717e8")
    path.write_bytes(data[:-1])
    assert state(folder) == "damaged"


def test_a_file_that_is_not_in_the_list_is_not_trusted(folder: Path) -> None:
    make_weights(folder)
    (folder / "weights.json").unlink()
    assert state(folder) == "damaged"
    with pytest.raises(InputError):
        weights.read(folder, "955717e8")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"files": 3}', '{"files": {"955717e8": {}}}', '{"files": {"955717e8": 1}}']
)
def test_a_list_that_is_no_list_makes_nothing_ready(folder: Path, text: str) -> None:
    make_weights(folder)
    (folder / "weights.json").write_text(text)
    assert state(folder) == "damaged"


def test_published_files_give_the_numbers_they_hold(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "network.th"
    path.write_bytes(contents)
    network = read_pickle(path)
    true = saved(tiny())
    assert (network.class_name, list(network.args), network.kwargs) == (
        true.class_name,
        [["drums", "bass", "other", "vocals"]],
        true.kwargs,
    )
    assert network.state.keys() == true.state.keys()
    assert all(np.array_equal(network.state[name], tensor) for name, tensor in true.state.items())


def test_what_is_kept_comes_back_the_same(contents: bytes) -> None:
    network = saved(tiny())
    again = read_safetensors(to_safetensors(network), "network")
    assert again.kwargs == network.kwargs
    assert all(np.array_equal(again.state[name], tensor) for name, tensor in network.state.items())


def test_demucs_reads_what_is_kept(folder: Path) -> None:
    """The form is the makers' own, so a folder of ours is of use to Demucs too."""
    from demucs.hf import load_safetensors_model

    make_weights(folder)
    theirs = load_safetensors_model(folder / "955717e8.safetensors")
    kept = weights.read(folder, "955717e8").state
    assert all(np.array_equal(tensor.half().numpy(), kept[name]) for name, tensor in theirs.state_dict().items())


class _Command:
    """Pickled, it asks whoever reads it to run a program."""

    def __init__(self, line: str) -> None:
        self.line = line

    def __reduce__(self) -> Any:
        return os.system, (self.line,)


class _Evaluated(_Command):
    def __reduce__(self) -> Any:
        return eval, (f"__import__('os').system({self.line!r})",)


def hostile(command: Any) -> bytes:
    """A file like those of PyTorch that asks to run something, among what a network needs."""
    package = {"klass": command, "args": [], "kwargs": {"samplerate": command}, "state": {"weight": command}}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(package, protocol=2))
    return file.getvalue()


@pytest.mark.parametrize("kind", [_Command, _Evaluated])
def test_a_hostile_file_runs_nothing_even_when_its_checksum_is_the_published_one(
    folder: Path, tmp_path: Path, publish: Publish, shelf: Shelf, kind: type[_Command]
) -> None:
    trace = tmp_path / "trace"
    data = hostile(kind(f"touch {trace}"))
    pickle.loads(pickle.dumps(kind(f"touch {trace}")))  # noqa: S301 - so that this would show what a usual reader does
    assert trace.exists()
    trace.unlink()

    file = publish(data)  # eight digits of a checksum can be forged; here all of them are
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / file.name).write_bytes(data)
    (found,) = weights.import_folder(folder, stick)
    assert found.outcome == "refused"
    assert "holds no network of Demucs" in found.note
    shelf.files[f"/{file.folder}/{file.name}"] = data
    with pytest.raises(InputError, match="holds no network of Demucs"):
        weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert not trace.exists()
    assert state(folder) == "missing"


def test_a_hostile_file_under_a_known_name_is_not_even_opened(folder: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "955717e8-8726e21a.th").write_bytes(hostile(_Command(f"touch {trace}")))
    (found,) = weights.import_folder(folder, tmp_path / "stick")
    assert (found.outcome, found.note) == ("refused", "It is not the file that was published under this name.")
    assert not trace.exists()


def opcodes(structure: bytes, **files: bytes) -> bytes:
    """A file like those of PyTorch, of a pickle written by hand."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", structure)
        for name, data in files.items():
            archive.writestr(f"archive/data/{name}", data)
    return file.getvalue()


NETWORK = (
    b"}(X\x05\x00\x00\x00klasscdemucs.htdemucs\nHTDemucs\n"
    b"X\x04\x00\x00\x00args]X\x06\x00\x00\x00kwargs}X\x05\x00\x00\x00state}"
)
TENSOR = (
    b"X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n("
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ%stRs"
)


@pytest.mark.parametrize(
    "shape",
    [
        b"K\x00(K\x08t(K\x01t",  # more than there is
        b"K\x02(K\x03t(K\x01t",  # beyond its end
        b"K\x00(K\x02t(J\xff\xff\xff\xfft",  # backwards
        b"K\x00(J\x00\x00\x00\x7ft(K\x00t",  # the same number for ever
        b"J\xff\xff\xff\xff(K\x01t(K\x01t",  # before its beginning
        b"K\x00(K\x02K\x02t(K\x01t",  # of two minds about its dimensions
    ],
)
def test_a_tensor_stays_within_its_numbers(tmp_path: Path, shape: bytes) -> None:
    path = tmp_path / "network.th"
    path.write_bytes(opcodes(b"\x80\x02" + NETWORK + TENSOR % shape + b"u.", **{"0": bytes(16)}))
    with pytest.raises(InputError):
        read_pickle(path)


def test_a_tensor_that_lies_within_is_read(tmp_path: Path) -> None:
    path = tmp_path / "network.th"
    numbers = np.arange(4, dtype=np.float32)
    structure = b"\x80\x02" + NETWORK + TENSOR % b"K\x01(K\x03t(K\x01t" + b"u."
    path.write_bytes(opcodes(structure, **{"0": numbers.tobytes()}))
    assert read_pickle(path).state["w"].tolist() == [1, 2, 3]


def test_a_file_cannot_change_what_the_next_is_read_with(tmp_path: Path, contents: bytes) -> None:
    """A pickle may set attributes; those of what is shared would outlive its reading."""
    good, bad = tmp_path / "good.th", tmp_path / "bad.th"
    good.write_bytes(contents)
    for name in (b"torch._utils\n_rebuild_tensor_v2", b"collections\nOrderedDict", b"demucs.htdemucs\nHTDemucs"):
        for state in (b"}X\x0c\x00\x00\x00__defaults__)s", b"N}X\x0c\x00\x00\x00__defaults__)s\x86"):
            bad.write_bytes(opcodes(b"\x80\x02c" + name + b"\n" + state + b"b."))
            with pytest.raises(InputError):
                read_pickle(bad)
    assert read_pickle(good).state.keys() == saved(tiny()).state.keys()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        opcodes(b""),
        opcodes(b"N."),
        opcodes(b"\x80\x02cfractions\nFraction\nX\x04\x00\x00\x001e99\x85R."),
    ],
)
def test_what_is_no_network_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "network.th"
    path.write_bytes(data)
    with pytest.raises(InputError, match="network"):
        read_pickle(path)


@pytest.mark.parametrize("notes", [None, {}, {"klass": "os.system", "args": '["true"]', "kwargs": "{}"}])
def test_safetensors_name_no_other_class(notes: dict[str, str] | None) -> None:
    from safetensors.numpy import save

    with pytest.raises(InputError, match="network"):
        read_safetensors(save({"weight": np.zeros(3)}, metadata=notes), "network.safetensors")


def test_import_takes_what_it_knows_and_says_what_became_of_each(
    folder: Path, tmp_path: Path, file: models.WeightFile, contents: bytes
) -> None:
    stick = tmp_path / "stick"
    make_weights(stick / "other library", "htdemucs_6s")
    makers = stick / "cache" / "snapshots"
    makers.mkdir(parents=True)
    (makers / "f7e0c4bc.safetensors").write_bytes(to_safetensors(saved(tiny("htdemucs_ft"))))
    (makers / "htdemucs_ft.yaml").write_text("models: ['f7e0c4bc']")
    (stick / file.name).write_bytes(contents)
    (stick / "d12395a8-e57c48e6.th").write_bytes(contents)
    (stick / "song.th").write_bytes(b"")
    (stick / "04573f0d-f3cf25b2.th").mkdir()
    with (stick / "92cfc3b6.safetensors").open("wb") as large:
        large.truncate(1 << 33)
    found = {one.file.name: one for one in weights.import_folder(folder, stick)}
    assert {name: one.outcome for name, one in found.items()} == {
        "5c90dfd2.safetensors": "taken",
        "f7e0c4bc.safetensors": "taken",
        file.name: "taken",
        "d12395a8-e57c48e6.th": "refused",
        "song.th": "unknown",
        "92cfc3b6.safetensors": "refused",
    }
    assert found["f7e0c4bc.safetensors"].note == "There is no published checksum to compare it with."
    assert {status.model: status.state for status in weights.verify(folder)} == {
        "htdemucs": "ready",
        "htdemucs_ft": "missing",
        "htdemucs_6s": "ready",
        "mdx_extra": "missing",
    }
    again = [one.outcome for one in weights.import_folder(folder, stick)]
    assert (again.count("there"), again.count("taken")) == (3, 0)


def test_import_does_not_take_what_was_damaged_on_the_way(folder: Path, tmp_path: Path) -> None:
    make_weights(tmp_path / "stick")
    path = tmp_path / "stick" / "955717e8.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (found,) = weights.import_folder(folder, tmp_path / "stick")
    assert (found.outcome, found.note) == ("refused", "It is not as it was kept there.")
    with pytest.raises(NotFoundError):
        weights.import_folder(folder, tmp_path / "nowhere")


def test_fetch_brings_what_was_published(folder: Path, shelf: Shelf, file: models.WeightFile) -> None:
    heard: list[int] = []
    weights.fetch(folder, "htdemucs", base_url=shelf.url, progress=heard.append)
    assert heard == sorted(set(heard))
    assert heard[-1] == 100
    assert [found.state for found in weights.verify(folder) if found.model == "htdemucs"] == ["ready"]
    assert set(hold(folder)) == {"955717e8.safetensors", "weights.json"}
    record = json.loads((folder / "weights.json").read_text())["files"]["955717e8"]
    assert record["source"] == f"{shelf.url}/{file.folder}/{file.name}"
    weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert len(shelf.asked) == 1  # what is there is not fetched again


def test_fetch_brings_again_what_is_damaged(folder: Path, shelf: Shelf, file: models.WeightFile) -> None:
    weights.fetch(folder, "htdemucs", base_url=shelf.url)
    (folder / "955717e8.safetensors").write_bytes(b"")
    weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert state(folder) == "ready"


def test_a_connection_that_breaks_is_taken_up_where_it_broke(
    folder: Path, shelf: Shelf, file: models.WeightFile, contents: bytes
) -> None:
    shelf.cuts = [1000, 50_000]
    weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert state(folder) == "ready"
    assert shelf.asked == ["", "bytes=1000-", "bytes=51000-"]


def test_a_server_that_gives_no_parts_gives_all_of_it_again(
    folder: Path, shelf: Shelf, file: models.WeightFile
) -> None:
    shelf.cuts, shelf.ranges = [1000], False
    weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert state(folder) == "ready"


@pytest.mark.parametrize(
    ("statuses", "cuts", "error"),
    [
        ([404], [], FatalJobError),
        ([403], [], FatalJobError),
        ([503], [], ServiceError),
        ([], [10] * 99, ServiceError),
    ],
)
def test_a_fetch_that_fails_leaves_nothing(
    folder: Path, shelf: Shelf, file: models.WeightFile, statuses: list[int], cuts: list[int], error: type[Exception]
) -> None:
    make_weights(folder, "htdemucs_6s")
    before = hold(folder)
    shelf.statuses, shelf.cuts = statuses, cuts
    with pytest.raises(error):
        weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert hold(folder) == before


def test_a_server_that_asks_to_wait_is_heard(folder: Path, shelf: Shelf, file: models.WeightFile) -> None:
    shelf.statuses = [429]
    with pytest.raises(RateLimitedError) as told:
        weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert told.value.retry_after == 7


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"!", lambda data: data + b"!", lambda data: b"<html>"])
def test_other_bytes_than_the_published_are_refused(
    folder: Path, shelf: Shelf, file: models.WeightFile, change: Callable[[bytes], bytes]
) -> None:
    path = f"/{file.folder}/{file.name}"
    shelf.files[path] = change(shelf.files[path])
    with pytest.raises(ServiceError):
        weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert state(folder) == "missing"
    assert hold(folder) == {}


def test_the_account_at_a_server_is_told_to_nobody_else(
    folder: Path, shelf: Shelf, file: models.WeightFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = shelf.url.replace("//", "//me:s%65cret@")
    shelf.statuses = [404]
    with pytest.raises(FatalJobError) as told:
        weights.fetch(folder, "htdemucs", base_url=url)
    weights.fetch(folder, "htdemucs", base_url=url)
    assert shelf.accounts == ["me:secret"] * 2
    said = str(told.value) + caplog.text + (folder / weights.INDEX).read_text()
    assert shelf.url in said
    assert "cret" not in said


def test_nobody_there(folder: Path, file: models.WeightFile) -> None:
    with Shelf() as shelf:
        url = shelf.url
    with pytest.raises(ServiceError, match="cannot be reached"):
        weights.fetch(folder, "htdemucs", base_url=url)


def test_a_fetch_can_be_stopped(folder: Path, shelf: Shelf, file: models.WeightFile) -> None:
    with pytest.raises(Cancelled):
        weights.fetch(folder, "htdemucs", base_url=shelf.url, cancel=lambda: True)
    assert hold(folder) == {}


def test_incomplete_files_are_where_the_job_wants_them(
    folder: Path, tmp_path: Path, shelf: Shelf, file: models.WeightFile
) -> None:
    seen: list[set[str]] = []
    weights.fetch(
        folder, "htdemucs", base_url=shelf.url, scratch=tmp_path, progress=lambda _: seen.append(set(hold(folder)))
    )
    assert seen[0] == set()
    assert not list(tmp_path.glob(".fetch-*"))


def test_what_a_killed_fetch_left_goes_after_a_day(folder: Path, shelf: Shelf, file: models.WeightFile) -> None:
    for name, age in (("old", 2 * 86400), ("new", 60)):
        left = folder / f".fetch-{name}"
        left.mkdir(parents=True)
        (left / "part.th").write_bytes(b"x")
        moment = left.stat().st_mtime - age
        os.utime(left, (moment, moment))
    half = folder / ".955717e8.safetensors.new"
    half.write_bytes(b"x")
    os.utime(half, (moment - 2 * 86400,) * 2)
    shelf.statuses = [404]
    with pytest.raises(FatalJobError):
        weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert [path.name for path in folder.iterdir()] == [".fetch-new"]


def test_a_disk_without_room_is_told_before_anything_is_asked_for(
    folder: Path, shelf: Shelf, file: models.WeightFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(DiskFullError):
        weights.fetch(folder, "htdemucs", base_url=shelf.url)
    assert shelf.asked == []


def test_mistakes_of_people_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no model 'demucs9'"):
        weights.fetch(folder, "demucs9")
    with pytest.raises(SetupError, match="no web address"):
        weights.fetch(folder, "htdemucs", base_url="shelf")
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        weights.fetch(taken, "htdemucs")
