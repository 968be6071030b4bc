"""Takes files that are dropped on the page, in chunks over the widget's own connection."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.errors import InputError, ParameterError
from sfa_kernel.panels.rows import track_rows
from sfa_kernel.pipeline.importing import import_file

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["upload_handlers"]

LARGEST = 4 << 30  # bytes
KEPT_SECONDS = 24 * 3600  # an upload that was never finished


@dataclass
class _Upload:
    name: str
    size: int
    path: Path
    received: int = 0


def upload_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of uploads."""
    uploads: dict[str, _Upload] = {}

    def find(params: dict[str, Any]) -> _Upload:
        upload = uploads.get(str(params.get("upload")))
        if upload is None:
            raise ParameterError("This upload is not known any more.", hint="Drop the file again.")
        return upload

    def begin(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        name = PurePath(str(params["name"]).replace("\\", "/").replace("\0", "")).name.lstrip(". ") or "upload"
        size = int(params["size"])
        if size <= 0:
            raise InputError(f"{name} is empty.", hint="Choose another file.")
        if size > LARGEST or size * 2 > shutil.disk_usage(studio.home).free:
            raise InputError(f"There is no room for {name} ({size / 1e6:.0f} MB).", hint="Free some disk space.")
        _forget_old(studio)
        identifier = str(uuid4())
        folder = studio.storage.path(f"uploads/{identifier}")
        folder.mkdir()
        # Under its own name, which titles and messages fall back on; the folder's name makes it ours.
        upload = uploads[identifier] = _Upload(name, size, studio.storage.path(f"uploads/{identifier}/{_short(name)}"))
        upload.path.touch()
        return {"upload": identifier}

    def chunk(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        upload = find(params)
        data = bytes(buffers[0]) if buffers else b""
        if int(params["offset"]) != upload.received or upload.received + len(data) > upload.size:
            raise ParameterError(f"A piece of {upload.name} got lost on the way.", hint="Drop the file again.")
        with upload.path.open("ab") as file:
            file.write(data)
        upload.received += len(data)
        return {"received": upload.received}

    def finish(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        upload = find(params)
        try:
            if upload.received != upload.size:
                raise InputError(f"{upload.name} arrived incomplete.", hint="Drop the file again.")
            imported = import_file(studio.catalog, studio.storage, upload.path, source=upload.name)
        finally:
            abort(params, [])
        studio.bus.publish("library", {"added": [str(imported.track.id)]})
        if params.get("stages"):
            studio.run(imported.track.id, stages=params["stages"])
        return {"track": track_rows(studio, [imported.track.id])[0], "new": imported.new}

    def abort(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        upload = uploads.pop(str(params.get("upload")), None)
        if upload is not None:
            studio.storage.discard(upload.path.parent)
        return {}

    return {"upload.begin": begin, "upload.chunk": chunk, "upload.finish": finish, "upload.abort": abort}


def _short(name: str) -> str:
    """A name that every file system takes, with its suffix."""
    suffix = PurePath(name).suffix[:10]
    stem = PurePath(name).stem.encode()[:150].decode(errors="ignore")
    return f"{stem or 'upload'}{suffix}"


def _forget_old(studio: Studio) -> None:
    for folder in studio.storage.path("uploads").iterdir():
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            studio.storage.discard(folder)
