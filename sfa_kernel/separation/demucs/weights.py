"""The folder of weights: what is in it, whether it is whole, and how files get there.

Nothing is fetched unless a person asks for it. Published files are pickles; they are known by their checksums, read
by a reader that runs nothing (see `networks`), and kept as safetensors. The list ``weights.json`` has a checksum of
each file that was kept, and only what agrees with it is ever loaded.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import DiskFullError, InputError, NotFoundError, ServiceError, SetupError
from sfa_kernel.progress import Cancel, Progress, Steps, never, silent
from sfa_kernel.separation.demucs import models
from sfa_kernel.separation.demucs.downloads import download, without_account
from sfa_kernel.separation.demucs.networks import Network, read_pickle, read_safetensors, to_safetensors
from sfa_kernel.storage import disk_is_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sfa_kernel.separation.demucs.models import WeightFile

__all__ = [
    "LICENCE_NOTE",
    "UPSTREAM",
    "ImportedFile",
    "Status",
    "fetch",
    "import_folder",
    "keep",
    "read",
    "status",
    "verify",
]

UPSTREAM = "https://dl.fbaipublicfiles.com/demucs"
"""Where the makers of Demucs publish the weights."""

LICENCE_NOTE = (
    "The weights of Demucs are not covered by its MIT licence: its makers say that they are provided only for "
    "scientific purposes. They are fetched from its makers to this machine, and are not part of this program."
)
"""What a person is shown, and agrees to, before weights are fetched."""

INDEX = "weights.json"
_DAY = 86400.0  # s
_SUFFIXES = (".th", ".safetensors")
_MOST = 4  # times the size as published, in half precision, that numbers and their names may take


@dataclass(frozen=True)
class Status:
    """How it stands with one model.

    Attributes
    ----------
    model
        Its name.
    state
        ``"ready"``; ``"missing"`` when a file is not there; ``"damaged"`` when one is not as it was kept.
    bytes
        What its files take on the disk.
    sha256
        The checksums of the files that were kept, by the networks' signatures.
    """

    model: str
    state: str
    bytes: int
    sha256: dict[str, str]


@dataclass(frozen=True)
class ImportedFile:
    """What became of one file.

    Attributes
    ----------
    file
        The file.
    outcome
        ``"taken"``; ``"there"`` when it was in the folder already; ``"refused"``; ``"unknown"`` when it belongs to no
        model.
    note
        Why, or what is to be known of it.
    """

    file: Path
    outcome: str
    note: str


def status(folder: Path) -> list[Status]:
    """How it stands with each model, by the files' names and sizes; that is quick."""
    return _statuses(folder, lambda path, record: path.stat().st_size == record["bytes"])


def verify(folder: Path) -> list[Status]:
    """How it stands with each model, every file read and compared with its checksum."""
    return _statuses(folder, _is_exact)


def _statuses(folder: Path, agrees: Callable[[Path, dict[str, Any]], bool]) -> list[Status]:
    records = _records(folder)
    states = {
        file.signature: _state(folder, file, records, agrees)
        for model in models.MODELS.values()
        for file in model.files
    }
    found = []
    for model in models.MODELS.values():
        of_files = {states[file.signature] for file in model.files}
        found.append(
            Status(
                model=model.name,
                state=next(state for state in ("damaged", "missing", "ready") if state in of_files),
                bytes=sum(_size(_path(folder, file.signature)) for file in model.files),
                sha256={
                    file.signature: records[file.signature]["sha256"]
                    for file in model.files
                    if file.signature in records
                },
            )
        )
    return found


def _state(
    folder: Path, file: WeightFile, records: dict[str, Any], agrees: Callable[[Path, dict[str, Any]], bool]
) -> str:
    path = _path(folder, file.signature)
    if not path.is_file():
        return "missing"
    try:
        whole = file.signature in records and agrees(path, records[file.signature])
    except OSError:
        whole = False
    return "ready" if whole else "damaged"


def read(folder: Path, signature: str) -> Network:
    """One network, read only if it is exactly what was kept.

    Raises
    ------
    NotFoundError
        When it is not there.
    InputError
        When it is not what was kept.
    """
    path = _path(folder, signature)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"There is no {path.name} in {folder}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    # The very bytes that were compared are used: a file could change between two readings.
    if hashlib.sha256(data).hexdigest() != _records(folder).get(signature, {}).get("sha256"):
        raise InputError(f"{path} is not as it was kept.")
    return read_safetensors(data, path.name)


def keep(folder: Path, signature: str, network: Network, *, source: str) -> None:
    """Put a network into the folder of weights, in the place of one of the same signature.

    Parameters
    ----------
    folder
        The folder of weights; made when missing.
    signature
        What the network is called.
    network
        The network.
    source
        Where it comes from, for the list.

    Raises
    ------
    SetupError
        When the folder cannot be written.
    DiskFullError
        When there is no room.
    """
    data = to_safetensors(network)
    with _writing(folder):
        _replace(_path(folder, signature), data)
        records = _records(folder)
        records[signature] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "source": source,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        _replace(folder / INDEX, json.dumps({"files": records}, indent=2).encode())


def import_folder(folder: Path, source: Path) -> list[ImportedFile]:
    """Take over the weights that lie below another folder, such as a stick's or a cache's of PyTorch.

    Known are the files as their makers publish them (``955717e8-8726e21a.th``), by name and checksum; the makers'
    safetensors (``955717e8.safetensors``), for which there is no published checksum; and folders of weights like
    ours, by the checksums in their lists.

    Parameters
    ----------
    folder
        The folder of weights.
    source
        Where to look.

    Returns
    -------
    list of ImportedFile
        What became of each file of weights. One that cannot be used does not keep the others from being taken.

    Raises
    ------
    NotFoundError
        When there is no folder to look in.
    SetupError
        When the folder of weights cannot be written, or what they are kept with is not installed.
    DiskFullError
        When there is no room.
    """
    if not source.is_dir():
        raise NotFoundError(f"There is no folder {source}.")
    _expect_safetensors()
    known = {file.signature: file for model in models.MODELS.values() for file in model.files}
    found = []
    for path in sorted(path for path in source.rglob("*") if path.suffix in _SUFFIXES and path.is_file()):
        file = known.get(path.stem.split("-")[0])
        if file is None:
            outcome, note = "unknown", "It belongs to no model that is known here."
        elif _whole(folder, file):
            outcome, note = "there", "It was there already."
        else:
            outcome, note = _taken(folder, path, file)
        found.append(ImportedFile(path, outcome, note))
    return found


def _taken(folder: Path, path: Path, file: WeightFile) -> tuple[str, str]:
    try:
        return "taken", _take(folder, path, file)
    except InputError as error:
        return "refused", str(error)
    except OSError as error:
        return "refused", f"It cannot be read: {error.strerror}."


def _take(folder: Path, path: Path, file: WeightFile) -> str:
    """Put one file into the folder of weights, and return what is to be known of it."""
    if path.suffix == ".th":
        if _checksum(path) != file.sha256:
            raise InputError("It is not the file that was published under this name.")
        keep(folder, file.signature, read_pickle(path), source=path.name)
        return "It is the file that was published."
    if path.stat().st_size > _MOST * file.bytes:
        raise InputError("It is larger than this network can be.")
    data = path.read_bytes()
    record = _records(path.parent).get(file.signature)
    if record is not None and record["sha256"] != hashlib.sha256(data).hexdigest():
        raise InputError("It is not as it was kept there.")
    keep(folder, file.signature, read_safetensors(data, path.name), source=record["source"] if record else path.name)
    return "It is as it was kept there." if record else "There is no published checksum to compare it with."


def fetch(
    folder: Path,
    model: str,
    *,
    base_url: str = "",
    scratch: Path | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> None:
    """Fetch the weights of a model, those that are there already left out.

    The caller has shown `LICENCE_NOTE`, and a person has agreed.

    Parameters
    ----------
    folder
        The folder of weights; made when missing.
    model
        Name of a model.
    base_url
        Where the files are; `UPSTREAM` when empty. What they must be is the same everywhere. The user and password
        of a server that wants them are told to that server only.
    scratch
        Where to put files while they are incomplete; in the folder of weights when None.
    progress, cancel
        See `sfa_kernel.progress`.

    Raises
    ------
    ParameterError
        When there is no such model.
    SetupError
        When the folder cannot be written, the address is none, or what weights are kept with is not installed.
    DiskFullError
        When there is no room.
    RateLimitedError, ServiceError, FatalJobError
        When the server does not give the files, or gives others.
    Cancelled
        When asked to stop. Whenever it fails, files of the model that are complete stay, and nothing else does.
    """
    chosen = models.model(model)
    address = (base_url or UPSTREAM).rstrip("/")
    if not address.startswith(("https://", "http://")):
        raise SetupError(f"{address!r} is no web address.", hint="Correct the setting weights_url.")
    address, account = without_account(address)
    _expect_safetensors()
    steps = Steps(progress, cancel)
    due = [file for file in chosen.files if not _whole(folder, file)]
    total, done = sum(file.bytes for file in due), 0
    with _workplace(folder, scratch) as place:
        _expect_room(folder, total)
        _expect_room(place, max((file.bytes for file in due), default=0))
        for file in due:
            url, path = f"{address}/{file.folder}/{file.name}", place / file.name
            before = done
            download(
                url,
                path,
                account=account,
                limit=file.bytes,
                at=lambda count: steps.at((before + count) / total),  # noqa: B023 - called in this turn only
            )
            if _checksum(path) != file.sha256:
                raise ServiceError(f"What came from {url} is not the file that was published under this name.")
            keep(folder, file.signature, read_pickle(path), source=url)
            path.unlink()
            done += file.bytes
    steps.at(1.0)


def _whole(folder: Path, file: WeightFile) -> bool:
    return _state(folder, file, _records(folder), _is_exact) == "ready"


def _is_exact(path: Path, record: dict[str, Any]) -> bool:
    return bool(_checksum(path) == record["sha256"])


@contextmanager
def _workplace(folder: Path, scratch: Path | None) -> Iterator[Path]:
    """A folder for incomplete files; what a program that was killed left incomplete goes after a day."""
    with _tellable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for left in (*folder.glob(".fetch-*"), *folder.glob(".*.new")):
            with suppress(OSError):  # it is gone by now, or another user's
                if time.time() - left.stat().st_mtime > _DAY:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
        place = tempfile.mkdtemp(prefix=".fetch-", dir=scratch or folder)
    try:
        with _tellable(Path(place)):
            yield Path(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _expect_safetensors() -> None:
    if find_spec("safetensors") is None:
        raise SetupError(
            "Weights cannot be kept: safetensors, which comes with Demucs, is not installed.",
            hint='Run: pip install "demucs>=4.1"',
        )


def _expect_room(place: Path, wanted: int) -> None:
    if shutil.disk_usage(place).free < wanted:
        raise DiskFullError(f"There is no room in {place} for another {wanted / 1e6:.0f} MB.", hint="Free some space.")


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Hold the folder: several programs may put files into it, and each has to know of the others'."""
    import portalocker

    with _tellable(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("a") as lock:
            portalocker.lock(lock, portalocker.LockFlags.EXCLUSIVE)
            try:
                yield
            finally:
                portalocker.unlock(lock)


@contextmanager
def _tellable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if disk_is_full(error):
            raise DiskFullError(f"There is no room in {folder}.", hint="Free some space.") from error
        raise SetupError(
            f"The folder of weights {folder} cannot be written: {error.strerror}.",
            hint="Choose another with the setting weights_dir.",
        ) from error


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that it is there with all of this, or as it was. Whoever calls holds the folder."""
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _records(folder: Path) -> dict[str, Any]:
    """What the folder's list says; nothing when there is none that can be read."""
    try:
        records = json.loads((folder / INDEX).read_text("utf-8"))["files"]
        return {
            signature: record
            for signature, record in records.items()
            if {"sha256", "bytes", "source"} <= record.keys() and isinstance(record["sha256"], str)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _path(folder: Path, signature: str) -> Path:
    return folder / f"{signature}.safetensors"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
