"""A library with one song, a stem and a cover, and both servers on it."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.catalog import Catalog, stems, tracks
from sfa_kernel.storage import Storage
from tests.server.launch import Server, finish, start, write_notebook
from tests.stems import separation_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)


@dataclass(frozen=True)
class Library:
    """What the servers' library holds."""

    home: Path
    track: uuid.UUID
    stem: uuid.UUID
    audio: bytes
    stem_audio: bytes
    picture: bytes


def make_library(home: Path) -> Library:
    """A library whose files are any bytes: the servers send them and do not listen to them."""
    storage, catalog = Storage(home), Catalog.open(home)
    track, stem, separation = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    audio = bytes(range(256)) * 4096 + track.bytes  # more than one chunk, and no two libraries alike
    stem_audio = stem.bytes * 100
    files = {
        storage.new("downloads", track, ".flac"): audio,
        storage.new("downloads", track, ".png"): PNG,
        storage.new("stems", stem, ".flac"): stem_audio,
    }
    for path, content in files.items():
        path.write_bytes(content)
    now = datetime.now(UTC).replace(tzinfo=None)
    with catalog.write() as connection:
        tracks.insert(
            connection,
            tracks.TrackRow(
                id=track,
                content_hash=hashlib.sha256(audio).hexdigest(),
                title="Song",
                artist="Somebody",
                album="",
                genre="",
                year=None,
                source_path="song.flac",
                file=f"downloads/{track}.flac",
                cover=f"downloads/{track}.png",
                format="FLAC",
                codec="FLAC",
                sample_rate=44100,
                channels=2,
                duration=1.0,
                bytes=len(audio),
                added_at=now,
            ),
        )
        stems.put(
            connection,
            separation_row(track, id=separation, created_at=now),
            [
                stems.StemRow(
                    id=stem,
                    separation_id=separation,
                    track_id=track,
                    name="vocals",
                    file=f"stems/{stem}.flac",
                    waveform="",
                    content_hash=hashlib.sha256(stem_audio).hexdigest(),
                    bytes=len(stem_audio),
                )
            ],
        )
    return Library(home, track, stem, audio, stem_audio, PNG)


@pytest.fixture(scope="package")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return make_library(tmp_path_factory.mktemp("server") / "library")


@pytest.fixture(scope="package")
def dashboard(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard's server, with a notebook that needs no widgets."""
    folder = tmp_path_factory.mktemp("dashboard")
    notebook = write_notebook(folder / "dashboard.ipynb", "from IPython.display import HTML\nHTML('<b>here</b>')")
    server = start("dashboard", library.home, notebook=notebook, log=folder / "log")
    yield server
    finish(server)


@pytest.fixture(scope="package")
def jupyter(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab with our extension."""
    server = start("jupyter", library.home, log=tmp_path_factory.mktemp("jupyter") / "log")
    yield server
    finish(server)


@pytest.fixture(params=["dashboard", "jupyter"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two servers in turn."""
    return request.getfixturevalue(request.param)
