"""Stage ``autocue``: cue points from the analysis, and from the stems when there are any."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.catalog import analyses, cues, stems, tracks
from sfa_kernel.catalog.cues import CueRow
from sfa_kernel.errors import FatalJobError
from sfa_kernel.jobs import Kind, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["AUTOCUE"]


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    track = tracks.get(connection, job.subject)
    analysis = analyses.find(connection, track.id)
    if analysis is None:
        raise FatalJobError("Cues need an analysis, and this track has none.", hint="Run the stage analyze first.")
    separation = stems.latest(connection, track.id)
    return Plan(
        {
            "analysis": ground.storage.path(analysis.file),
            "levels": ground.storage.path(separation.levels) if separation else None,
        },
        time_limit=ground.settings.analysis_time_limit,
    )


def work(*, analysis: Path, levels: Path | None, scratch: Path, progress: Progress) -> list[dict[str, Any]]:
    """Find cues."""
    import numpy as np

    from sfa_kernel.analysis import Analysis, find_cues

    found = Analysis.from_dict(json.loads(analysis.read_text("utf-8")))
    stem_levels = None
    if levels is not None:
        with np.load(levels, allow_pickle=False) as archive:
            stem_levels = {name: archive[name] for name in archive.files}
    progress(50)
    return [
        {
            "time": float(cue.time),
            "type": cue.type,
            "label": cue.label,
            "color": cue.color,
            "confidence": float(cue.confidence),
            "reason": cue.reason,
        }
        for cue in find_cues(found, stem_levels=stem_levels)
    ]


def _commit(connection: Connection, job: JobRow, result: list[dict[str, Any]], files: FileChanges) -> None:
    rows = [CueRow(id=uuid4(), track_id=job.subject, origin="auto", **cue) for cue in result]
    cues.replace_automatic(connection, job.subject, rows)


AUTOCUE = Kind(name="autocue", queue="analysis", prepare=_prepare, work=work, commit=_commit)
