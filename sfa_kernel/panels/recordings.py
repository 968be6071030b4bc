"""Takes recordings of the master from a page, part by part."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.errors import ParameterError
from sfa_kernel.pipeline.recording import Recording, recording_request
from sfa_kernel.pipeline.upload import upload_key

if TYPE_CHECKING:
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["recording_handlers"]

LARGEST_PART = 8 << 20  # bytes of one side

# Requests are answered beside each other, those of two views of a page too; parts of a recording are not.
_appending = threading.Lock()


def recording_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of recordings."""

    def begin(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"recording": Recording.begin(studio.storage, params.get("sample_rate")).id}

    def append(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        part = params.get("part")
        if isinstance(part, bool) or not isinstance(part, int) or part < 0 or len(buffers) != 2:
            raise ParameterError("A part of the recording got lost on the way.", hint="What came before it is kept.")
        if max(side.nbytes for side in buffers) > LARGEST_PART:
            raise ParameterError("A part of the recording is too large.", hint="What came before it is kept.")
        with _appending:
            return {"frames": find(params).append(part, *buffers)}

    def finish(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        request = recording_request(
            find(params), name=str(params.get("name", "")), format=str(params.get("format", "flac"))
        )
        run = studio._start([request])
        return {"job": str(run.ids[0])}

    def discard(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        try:
            recording = find(params)
        except ParameterError:
            return {}  # it is gone
        with studio.catalog.read() as connection:
            wanted = job_table.active_with_key(connection, upload_key(recording.id))
        if wanted is None:
            studio.storage.discard(recording.folder)
        return {}

    def find(params: dict[str, Any]) -> Recording:
        return Recording.find(studio.storage, params.get("recording"))

    return {
        "recordings.begin": begin,
        "recordings.append": append,
        "recordings.finish": finish,
        "recordings.discard": discard,
    }
