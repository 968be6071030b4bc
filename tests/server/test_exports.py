"""Exports are downloaded under their names, from both servers, by who is signed in; pages start and list them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from sfa_kernel.catalog import Catalog, exports
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.panels import exports as panel
from sfa_kernel.panels.exports import export_handlers
from sfa_kernel.storage import Storage
from tests.sounds import write_song
from tests.stems import give_stems

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.studio import Studio
    from tests.server.conftest import Library
    from tests.server.launch import Server

CONTENT = bytes(range(256)) * 3000


def add_export(home: Path, track: uuid.UUID, name: str) -> uuid.UUID:
    """An export of any bytes: the server sends them and does not look into them."""
    identifier = uuid.uuid4()
    path = Storage(home).new("exports", identifier, ".zip")
    path.write_bytes(CONTENT)
    row = exports.ExportRow(
        id=identifier,
        job_id=uuid.uuid4(),
        track_id=track,
        track_ids=[track],
        kind="stems",
        name=name,
        file=f"exports/{path.name}",
        bytes=len(CONTENT),
        content_hash=identifier.hex,
        created_at=datetime.now(UTC),
    )
    with Catalog.open(home).write() as connection:
        exports.insert(connection, row)
    return identifier


def test_an_export_is_a_download_with_its_name(server: Server, library: Library) -> None:
    export = add_export(library.home, library.track, 'Ärtist "X" - 音 (stems).zip')
    with server.client() as client:
        answer = client.get(f"/sfa/exports/{export}")
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["Content-Type"] == "application/zip"
        disposition = answer.headers["Content-Disposition"]
        kind, plain, full = disposition.split("; ")
        assert (kind, plain) == ("attachment", "filename=\"_rtist 'X' - _ (stems).zip\"")
        assert unquote(full.removeprefix("filename*=UTF-8''")) == 'Ärtist "X" - 音 (stems).zip'

        head = client.head(f"/sfa/exports/{export}")
        assert (head.headers["Content-Length"], head.content) == (str(len(CONTENT)), b"")
        rest = client.get(f"/sfa/exports/{export}", headers={"Range": f"bytes={len(CONTENT) - 10}-"})
        assert (rest.status_code, rest.content) == (206, CONTENT[-10:])
        assert "Content-Disposition" not in client.get(f"/sfa/audio/{library.track}").headers


def test_strangers_get_no_export_and_nobody_gets_one_that_is_gone(server: Server, library: Library) -> None:
    export = add_export(library.home, library.track, "song.zip")
    with server.client(token=False) as client:
        assert client.get(f"/sfa/exports/{export}").status_code == 403
    with server.client() as client:
        for identifier in (uuid.uuid4(), library.track, "x", "../library.duckdb"):
            assert client.get(f"/sfa/exports/{identifier}").status_code in (404, 405)
        Storage(library.home).path(f"exports/{export}.zip").unlink()
        answer = client.get(f"/sfa/exports/{export}")
        assert answer.status_code == 404
        assert "Export it again" in answer.json()["detail"]


def test_a_page_previews_starts_lists_and_fetches(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (track,) = studio.add(write_song(tmp_path / "Artist - Song.wav", seconds=3))
    give_stems(studio, track)
    handle = export_handlers(studio)
    assert track.separation is not None
    wanted = {
        "ids": [str(track.id)],
        "what": "stems",
        "format": "ogg",
        "template": "{title} {stem}",
        "separation": str(track.separation.id),
    }
    names = handle["export.preview"](wanted, [])["names"]
    assert names == ["Song stems.zip", "Song vocals.ogg", "Song drums.ogg", "Song bass.ogg", "Song other.ogg"]
    one = {**wanted, "what": "stem", "stem": "bass", "separation": None}
    assert handle["export.preview"](one, [])["names"] == ["Song bass.ogg"]

    jobs = handle["export.start"](one, [])["jobs"]
    studio.ledger.wait([uuid.UUID(job) for job in jobs], timeout=60)
    (row,) = handle["export.list"]({"id": str(track.id)}, [])["exports"]
    assert (row["name"], row["kind"], row["job"], row["url"]) == (
        "Song bass.ogg",
        "stem",
        jobs[0],
        f"sfa/exports/{row['id']}",
    )
    result, (content,) = handle["export.bytes"]({"id": row["id"]}, [])
    assert result == {"mime": "audio/ogg", "name": "Song bass.ogg"}
    assert len(content) == row["bytes"]
    monkeypatch.setattr(panel, "LARGEST", row["bytes"] - 1)
    with pytest.raises(InputError, match="too large") as told:
        handle["export.bytes"]({"id": row["id"]}, [])
    assert str(studio.storage.path("exports")) in told.value.hint

    with pytest.raises(ParameterError, match="no field"):
        handle["export.preview"]({**wanted, "template": "{x}"}, [])
    with pytest.raises(ParameterError, match="no valid set"):
        handle["export.preview"]({**wanted, "separation": "x"}, [])
    with pytest.raises(NotFoundError, match="no guitar"):
        handle["export.start"]({**one, "stem": "guitar"}, [])
