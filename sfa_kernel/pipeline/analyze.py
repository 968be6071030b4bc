"""Stage ``analyze``: tempo, beat grid, key, loudness, energy, sections, and the waveform's picture."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import analyses, tracks
from sfa_kernel.catalog.analyses import AnalysisRow
from sfa_kernel.jobs import Kind, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["ANALYZE"]

BLOCK = 1 << 18  # frames


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    from sfa_kernel.analysis import ANALYSIS_VERSION

    track = tracks.get(connection, job.subject)
    before = analyses.find(connection, track.id)
    if before is not None and before.version == ANALYSIS_VERSION and not job.arguments.get("force"):
        return Plan(None)
    return Plan({"source": ground.storage.path(track.file)}, time_limit=ground.settings.analysis_time_limit)


def work(*, source: Path, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Draw the waveform, then analyse: two passes over the file, so that an hour-long mix needs no more memory."""
    from sfa_kernel import analysis, audio
    from sfa_kernel.progress import Steps

    steps = Steps(progress)
    waveform = scratch / "waveform.npz"
    with audio.AudioReader(source) as reader:
        audio.Waveform.from_blocks(reader.blocks(BLOCK), reader.sample_rate).save(waveform)
    steps.at(0.3)
    with audio.AudioReader(source) as reader:
        found = analysis.analyze_blocks(
            reader.blocks(BLOCK), reader.sample_rate, frames=reader.frames, progress=steps.between(0.3, 0.99)
        )
    document = found.to_dict()
    path = scratch / "analysis.json"
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
    return {"document": document, "file": path, "waveform": waveform}


def _commit(connection: Connection, job: JobRow, result: dict[str, Any], files: FileChanges) -> None:
    document = result["document"]
    before = analyses.put(
        connection,
        AnalysisRow(
            track_id=job.subject,
            version=document["version"],
            bpm=document["bpm"],
            bpm_confidence=document["bpm_confidence"],
            key=document["key"],
            key_confidence=document["key_confidence"],
            camelot=document["camelot"],
            lufs=document["lufs"],
            lra=document["lra"],
            true_peak=document["true_peak"],
            energy=document["energy"],
            file=files.keep(result["file"], "analysis"),
            waveform=files.keep(result["waveform"], "analysis"),
            created_at=datetime.now(UTC),
        ),
    )
    tracks.set_duration(connection, job.subject, document["duration_s"])
    if before is not None:
        files.drop([before.file, before.waveform])


ANALYZE = Kind(name="analyze", queue="analysis", prepare=_prepare, work=work, commit=_commit)
