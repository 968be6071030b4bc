"""Takes files that are dropped on the page, in chunks over the widget's own connection.

An upload is a folder: what is known of it, and the file as far as it has arrived. So it goes on where it was when the
page was reloaded or the kernel started again. `sfa_kernel.pipeline.cleanup` removes what nobody went on with.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.errors import DiskFullError, InputError, ParameterError
from sfa_kernel.exporting.names import file_name
from sfa_kernel.pipeline.playlist_file import playlist_file_request
from sfa_kernel.pipeline.upload import upload_key, upload_request
from sfa_kernel.sources.listed import is_playlist_file
from sfa_kernel.storage import disk_is_full, write_private

if TYPE_CHECKING:
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["upload_handlers"]

LARGEST = 4 << 30  # bytes
LARGEST_CHUNK = 4 << 20  # bytes
ABOUT = "about.json"
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")
_UPLOADS = UUID("5f1d3c0e-6a52-4b5e-9d0b-5d0c9a1f7e42")  # what the ids of uploads are made from


@dataclass(frozen=True)
class _Upload:
    id: str
    folder: Path
    name: str
    size: int

    @property
    def path(self) -> Path:
        # Under its own name, which messages fall back on; the folder's name makes it ours.
        return self.folder / "file" / _short(self.name)

    @property
    def received(self) -> int:
        return min(self.size, self.path.stat().st_size)


def upload_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of uploads."""

    def find(params: dict[str, Any]) -> _Upload:
        lost = ParameterError("This upload is not known any more.", hint="Add the file again.")
        try:
            identifier = str(UUID(str(params.get("upload"))))
            folder = studio.storage.path(f"uploads/{identifier}")
            about = json.loads((folder / ABOUT).read_text("ascii"))
        except (ValueError, OSError):
            raise lost from None
        upload = _Upload(identifier, folder, about["name"], about["size"])
        if not upload.path.is_file():
            raise lost
        return upload

    def begin(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        name = (
            clean_text(PurePath(str(params["name"]).replace("\\", "/").replace("\0", "")).name).lstrip(". ") or "upload"
        )
        size = int(params["size"])
        if size <= 0:
            raise InputError(f"{name} is empty.", hint="Choose another file.")
        # The same file is the same upload, whichever page sends it.
        identifier = str(uuid5(_UPLOADS, json.dumps([str(params["fingerprint"]), size, name])))
        upload = _Upload(identifier, studio.storage.path(f"uploads/{identifier}"), name, size)
        there = upload.received if upload.path.is_file() else 0
        # It is copied into the library before it goes.
        if size > LARGEST:
            raise InputError(
                f"{name} is too large to be sent by a page ({size / 1e9:.1f} GB).",
                hint="Add it where the library is, with studio.add(path) or: sfa add PATH",
            )
        if 2 * size - there > shutil.disk_usage(studio.home).free:
            raise InputError(f"There is no room for {name} ({size / 1e6:.0f} MB).", hint="Free some disk space.")
        upload.path.parent.mkdir(parents=True, exist_ok=True)
        upload.path.touch()
        write_private(upload.folder / ABOUT, json.dumps({"name": name, "size": size}))
        return {"upload": identifier, "received": there}

    def chunk(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        upload = find(params)
        data = bytes(buffers[0]) if buffers else b""
        offset = int(params["offset"])
        # Where two pages send one file, each writes what the other has written.
        if not 0 <= offset <= upload.received or offset + len(data) > upload.size or len(data) > LARGEST_CHUNK:
            raise ParameterError(f"A piece of {upload.name} got lost on the way.", hint="Add the file again.")
        try:
            with upload.path.open("r+b") as file:
                file.seek(offset)
                file.write(data)
        except OSError as error:
            if disk_is_full(error):
                raise DiskFullError(f"There is no room for {upload.name}.", hint="Free some disk space.") from error
            raise
        return {"received": upload.received}

    def finish(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        upload = find(params)
        if upload.received != upload.size:
            raise InputError(f"{upload.name} has not arrived as a whole.", hint="Add the file again.")
        stages = list(params.get("stages") or [])
        if is_playlist_file(PurePath(upload.name)):
            request = playlist_file_request(
                upload.path, upload=upload.id, name=upload.name, stages=stages, anywhere=False
            )
        else:
            request = upload_request(upload.id, name=upload.name, stages=stages)
        run = studio._start([request], grows=True)
        return {"jobs": [str(job_id) for job_id in run.ids], "batch": str(run.batch_id)}

    def abort(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        try:
            upload = find(params)
        except ParameterError:
            return {}
        with studio.catalog.read() as connection:
            wanted = job_table.active_with_key(connection, upload_key(upload.id))
        if wanted is None:
            studio.storage.discard(upload.folder)
        return {}

    return {"upload.begin": begin, "upload.chunk": chunk, "upload.finish": finish, "upload.abort": abort}


def _short(name: str) -> str:
    """A name that every file system takes, with its suffix."""
    suffix = PurePath(name).suffix
    return file_name("{title}", {"title": PurePath(name).stem}, suffix if _SUFFIX.fullmatch(suffix) else "")
