"""Answers the page about scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import scripts as table
from sfa_kernel.control.script import Script
from sfa_kernel.panels.library import identifiers
from sfa_kernel.scripts import SavedScript, tell

if TYPE_CHECKING:
    from sfa_kernel.catalog.scripts import ScriptRow
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["script_handlers"]


def script_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of scripts."""

    def listing(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with studio.catalog.read() as connection:
            return {"scripts": [_row(row) for row in table.listing(connection)]}

    def get(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        row = found(params)
        return {"script": _row(row), "document": row.document}

    def save(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        script, name = Script.from_document(params.get("document")), str(params.get("name", ""))
        if params.get("id") is None:
            return {"script": _row(studio.scripts.save(name, script).row)}
        with studio.catalog.write() as connection:
            row = table.change(connection, identifiers(params)[0], name=name, document=script.document())
            tell(studio)
        return {"script": _row(row)}

    def remove(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        SavedScript(studio, found(params)).delete()
        return {}

    def restore(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with studio.catalog.write() as connection:
            table.restore(connection, identifiers(params)[0])
            tell(studio)
        return {}

    def render(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        run = studio.render(SavedScript(studio, found(params)))
        return {"job": str(run.ids[0])}

    def found(params: dict[str, Any]) -> ScriptRow:
        with studio.catalog.read() as connection:
            return table.get(connection, identifiers(params)[0])

    return {
        "scripts.list": listing,
        "scripts.get": get,
        "scripts.save": save,
        "scripts.remove": remove,
        "scripts.restore": restore,
        "scripts.render": render,
    }


def _row(row: ScriptRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "duration": row.duration,
        "events": row.events,
        "created_at": row.created_at.isoformat(),
        "changed_at": row.changed_at.isoformat(),
    }
