"""Answers the settings of downloads, and whoever wants a song that is not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import playlists
from sfa_kernel.errors import ParameterError
from sfa_kernel.panels.library import identifiers
from sfa_kernel.pipeline.tools import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.panels.library import Handler
    from sfa_kernel.sources.downloads.tools import Health
    from sfa_kernel.studio import Studio

__all__ = ["download_handlers"]


def download_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of downloads and of the programs that do them."""

    def state(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        downloads = studio.downloads
        working = _working(studio)
        return {
            "allowed": downloads.allowed,
            "on": downloads.on,
            "notice": downloads.notice,
            "format": studio.settings.download_format,
            "tools": [_tool(health, working) for health in downloads.health],
        }

    def switch(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        if params.get("on") is True:
            studio.downloads.switch_on(agreed=params.get("agreed") is True)
        else:
            studio.downloads.switch_off()
        return {}

    def install(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        run = studio.downloads.install(str(params.get("tool", "")))
        return {"jobs": [str(i) for i in run.ids]}

    def download(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        entries = params.get("entries")
        chosen = None if entries is None else identifiers({"ids": entries})
        songs = _missing(studio, identifiers(params), chosen)
        if not songs:
            return {"jobs": [], "batch": None}
        run = studio.downloads.get(songs, stages=_stages(params))
        return {"jobs": [str(i) for i in run.ids], "batch": str(run.batch_id) if run.batch_id else None}

    return {
        "downloads.state": state,
        "downloads.switch": switch,
        "tools.install": install,
        "playlists.download": download,
    }


def _missing(studio: Studio, named: Sequence[UUID], entries: Sequence[UUID] | None) -> list[UUID]:
    with studio.catalog.read() as connection:
        (playlist_id,) = named
        return playlists.missing(connection, playlists.get(connection, playlist_id), entries)


def _stages(params: Mapping[str, Any]) -> list[str]:
    stages = params.get("stages") or []
    if not isinstance(stages, list):
        raise ParameterError("A request of the page named stages that are none.", hint="Reload the page.")
    return [str(stage) for stage in stages]


def _working(studio: Studio) -> dict[str, str]:
    """The job that sets up a program, by the job's key."""
    active = studio.ledger.jobs(statuses=("queued", "downloading", "processing"), kind="tools")
    return {str(job.unique_key): str(job.id) for job in active}


def _tool(health: Health, working: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": health.name,
        "label": health.label,
        "ok": health.ok,
        "detail": health.detail,
        # What the button there does need not be typed at a terminal.
        "hint": None if health.installable and health.hint.startswith("Run: ") else health.hint or None,
        "installable": health.installable,
        "job": working.get(key_of(health.name)),
    }
