"""Answers the mixer: a track's sets of stems, what to play of each and what to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel import separation
from sfa_kernel.catalog import stems
from sfa_kernel.errors import ParameterError
from sfa_kernel.exporting import spoken
from sfa_kernel.panels.sounds import Waveforms, source
from sfa_kernel.stemset import StemSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["set_rows", "stem_handlers", "stem_sounds"]


def stem_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of a mixer."""

    def load(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[Any]]:
        made = _named(studio, params)
        waveforms = Waveforms()
        row = next(row for row in set_rows(studio, made.row.track_id, made.id) if row["id"] == str(made.id))
        answer = {"set": row, "sources": stem_sounds(studio, made, waveforms), "waveforms": waveforms.headers}
        return answer, waveforms.binary

    def choose(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        made = _named(studio, params)
        made.use()
        return {"sets": set_rows(studio, made.row.track_id)}

    def remove(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        made = _named(studio, params)
        made.remove()
        return {"sets": set_rows(studio, made.row.track_id)}

    def restore(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        made = _named(studio, params)
        made.restore()
        return {"sets": set_rows(studio, made.row.track_id)}

    return {"stems.load": load, "stems.choose": choose, "stems.remove": remove, "stems.restore": restore}


def set_rows(studio: Studio, track_id: UUID, also: UUID | None = None) -> list[dict[str, Any]]:
    """What a page shows of a track's sets, the newest first; of one that was removed, too, when it is asked for."""
    with studio.catalog.read() as connection:
        rows = stems.of_track(connection, track_id)
        if also is not None and all(row.id != also for row in rows):
            rows.append(stems.get(connection, also))
        used = stems.in_use(connection, track_id)
        names = {row.id: [stem.name for stem in stems.of_separation(connection, row.id)] for row in rows}
    return [_row(row, names[row.id], used is not None and row.id == used.id) for row in rows]


def stem_sounds(studio: Studio, made: StemSet, waveforms: Waveforms) -> list[dict[str, Any]]:
    """Where a set's stems are heard; their pictures go into ``waveforms``."""
    sources = []
    for stem in made.rows:
        waveforms.add(stem.name, studio.storage.path(stem.waveform))
        label = spoken(stem.name).capitalize()
        sources.append({**source(studio, stem.id, stem.name, label), "engine": made.badge, "set": str(made.id)})
    return sources


def _named(studio: Studio, params: Mapping[str, Any]) -> StemSet:
    try:
        identifier = UUID(str(params.get("set")))
    except ValueError:
        raise ParameterError("A request of the page named no set of stems.", hint="Reload the page.") from None
    with studio.catalog.read() as connection:
        return StemSet(studio, stems.get(connection, identifier))


def _row(row: stems.SeparationRow, names: list[str], in_use: bool) -> dict[str, Any]:
    engine = separation.engine(row.engine)
    return {
        "id": str(row.id),
        "engine": row.engine,
        "engine_label": engine.label,
        "model": row.model,
        "model_label": engine.model(row.model).label,
        "badge": engine.badge(row.model),
        "draft": engine.draft,
        "stems": [name for name in names if name != "mix"],
        "start": row.start,
        "end": row.end,
        "settings": row.settings,
        "device": row.device,
        "seconds": row.seconds,
        "minutes": row.minutes,
        "report": row.report,
        "in_use": in_use,
        "created_at": row.created_at.isoformat(),
    }
