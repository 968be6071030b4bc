"""Answers the dialog that makes files to take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import exports, stems
from sfa_kernel.errors import InputError, ParameterError
from sfa_kernel.exporting import TEMPLATE
from sfa_kernel.panels.library import identifiers
from sfa_kernel.pipeline.export import preview as preview_export
from sfa_kernel.pipeline.media import export_file
from sfa_kernel.stemset import StemSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.catalog.exports import ExportRow
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["export_handlers"]

PREVIEWED = 100  # of the files in an archive, how many are named in advance
LARGEST = 500_000_000  # bytes of a file in one message; kernel and page hold it several times over


def export_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of exports."""

    def start(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        separation_id = _separation_id(params)
        separation = None
        if separation_id is not None:
            with studio.catalog.read() as connection:
                separation = StemSet(studio, stems.get(connection, separation_id))
        run = studio.export(identifiers(params), separation=separation, **_wish(params))
        return {"jobs": [str(job_id) for job_id in run.ids]}

    def preview(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        """The name of the file; of an archive, then those in it."""
        with studio.catalog.read() as connection:
            plan = preview_export(
                connection, identifiers(params), separation_id=_separation_id(params), **_wish(params)
            )
        inside = [piece.name for piece in plan.pieces[:PREVIEWED]] if plan.archive else []
        return {"names": [plan.name, *inside]}

    def listed(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        with studio.catalog.read() as connection:
            rows = exports.of_track(connection, identifiers(params)[0])
        return {"exports": [_row(row) for row in rows]}

    def export_bytes(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
        file = export_file(studio.home, identifiers(params)[0])
        size = file.path.stat().st_size
        if size > LARGEST:
            raise InputError(
                f"{file.name} is too large to be sent through the notebook ({size / 1e6:,.0f} MB).",
                hint=f"Copy it from {file.path}.",
            )
        return {"mime": file.mime, "name": file.name}, [file.path.read_bytes()]

    return {
        "export.start": start,
        "export.preview": preview,
        "export.list": listed,
        "export.bytes": export_bytes,
    }


def _wish(params: Mapping[str, Any]) -> dict[str, str]:
    return {
        "what": str(params.get("what")),
        "stem": str(params.get("stem") or ""),
        "format": str(params.get("format") or ""),
        "template": str(params.get("template") or TEMPLATE),
    }


def _separation_id(params: Mapping[str, Any]) -> UUID | None:
    given = params.get("separation")
    try:
        return UUID(str(given)) if given else None
    except ValueError:
        raise ParameterError("A request of the page named no valid set of stems.", hint="Reload the page.") from None


def _row(row: ExportRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "job": str(row.job_id),
        "kind": row.kind,
        "name": row.name,
        "bytes": row.bytes,
        "url": f"sfa/exports/{row.id}",
        "created_at": row.created_at.isoformat(),
    }
