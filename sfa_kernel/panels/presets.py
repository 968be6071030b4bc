"""Answers the page about presets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["preset_handlers"]


def preset_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of presets."""

    def rows() -> list[dict[str, Any]]:
        return [{"kind": kind, "name": name, "value": value} for (kind, name), value in studio.presets.items()]

    def listing(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"presets": rows()}

    def save(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        studio.presets.save(str(params.get("kind")), str(params.get("name", "")), params.get("value") or {})
        return {"presets": rows()}

    def remove(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        studio.presets.remove(str(params.get("kind")), str(params.get("name", "")))
        return {"presets": rows()}

    def export(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"name": "presets.json", "text": studio.presets.to_json()}

    def take(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        taken = studio.presets.from_json(str(params.get("text", "")))
        return {"presets": rows(), "taken": taken}

    return {
        "presets.list": listing,
        "presets.save": save,
        "presets.remove": remove,
        "presets.export": export,
        "presets.import": take,
    }
