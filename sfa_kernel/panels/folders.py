"""Answers what a page asks about folders of the computer that the kernel runs on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.audio.files import AUDIO_SUFFIXES
from sfa_kernel.audio.text import clean_text, is_text
from sfa_kernel.catalog import jobs
from sfa_kernel.errors import InputError, ParameterError
from sfa_kernel.panels.library import Handler, identifiers
from sfa_kernel.pipeline.intake import import_requests
from sfa_kernel.pipeline.playlist_file import playlist_file_request
from sfa_kernel.pipeline.scan import key_of
from sfa_kernel.pipeline.stages import parse_stages
from sfa_kernel.sources.listed import is_playlist_file
from sfa_kernel.sources.locate import within

if TYPE_CHECKING:
    from sfa_kernel.folders import Folder
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

__all__ = ["folder_handlers"]

MOST = 2000  # folders that are listed of one


def folder_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of folders. A page may name only what lies in the settings' ``import_folders``, links resolved."""

    def inside(text: Any) -> Path:
        """The path that a page names, when it may."""
        try:
            path = Path(str(text)).resolve()
            path.stat()
        except (OSError, RuntimeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no path"
            raise InputError(f"{clean_text(str(text))} cannot be read: {reason}.", hint="Check the path.") from error
        if within(path, studio.settings.import_folders):
            return path
        raise ParameterError(
            f"{clean_text(str(path))} is outside of the folders that a page may look into.",
            hint="Import it in Python or with `sfa add`, or name its folder in the setting import_roots.",
        )

    def row(folder: Folder) -> dict[str, Any]:
        with studio.catalog.read() as connection:
            keys = [key_of(folder.id, asked=asked) for asked in (True, False)]
            scan = next(filter(None, (jobs.active_with_key(connection, key) for key in keys)), None)
        return {
            "id": str(folder.id),
            "path": str(folder.path),
            "watched": folder.watched,
            "reference": folder.reference,
            "stages": list(folder.stages),
            "scanned_at": folder.scanned_at and folder.scanned_at.isoformat(),
            "problem": folder.problem,
            "tracks": folder.tracks,
            "refused": folder.refused,
            "job": str(scan.id) if scan else None,
        }

    def listing(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        roots = [str(root) for root in studio.settings.import_folders]
        return {"folders": [row(folder) for folder in studio.folders], "roots": roots}

    def browse(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        if params.get("path") is None:
            roots = [{"name": str(root), "path": str(root)} for root in studio.settings.import_folders if root.is_dir()]
            return {"path": None, "parent": None, "folders": roots, "songs": 0}
        path = inside(params["path"])
        folders, songs = _contents(path)
        parent = None if path in studio.settings.import_folders else str(path.parent)
        return {"path": str(path), "parent": parent, "folders": folders, "songs": songs}

    def bring(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        path = inside(params["path"])
        stages = parse_stages(params["stages"]) if params.get("stages") else ()
        reference = bool(params.get("reference"))
        if path.is_dir():
            run = studio.folders.add(
                path, watch=bool(params.get("watch")), reference=reference, stages=stages, confined=True
            )
        elif is_playlist_file(path):
            request = playlist_file_request(path, reference=reference, stages=stages, anywhere=False)
            run = studio._start([request], grows=True)
        else:
            run = studio._start(import_requests([path], reference=reference, stages=stages), grows=True)
        return _started(run)

    def watch(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"folder": row(studio.folders.watch(identifiers(params)[0], bool(params["watch"])))}

    def scan(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return _started(studio.folders.scan(identifiers(params)[0]))

    def forget(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        studio.folders.forget(identifiers(params)[0])
        return {}

    return {
        "folders.list": listing,
        "folders.browse": browse,
        "folders.import": bring,
        "folders.watch": watch,
        "folders.scan": scan,
        "folders.forget": forget,
    }


def _started(run: Run) -> dict[str, Any]:
    return {"jobs": [str(job_id) for job_id in run.ids], "batch": str(run.batch_id) if run.batch_id else None}


def _contents(path: Path) -> tuple[list[dict[str, str]], int]:
    """The folders in a folder, and how many files of it promise audio."""
    folders: list[dict[str, str]] = []
    songs = 0
    try:
        with os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name.casefold())
    except OSError as error:
        raise InputError(f"{clean_text(str(path))} cannot be read: {error.strerror or error}.") from error
    for entry in entries:
        if entry.name.startswith(".") or not is_text(entry.name):
            continue
        if os.path.splitext(entry.name)[1].lower() in AUDIO_SUFFIXES:
            songs += 1
        elif len(folders) < MOST and _is_folder(entry):
            folders.append({"name": clean_text(entry.name), "path": entry.path})
    return folders, songs


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
