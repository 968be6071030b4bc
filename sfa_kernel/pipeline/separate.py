"""Stage ``separate``: a song becomes its stems."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.catalog import stems, tracks
from sfa_kernel.catalog.stems import SeparationRow, StemRow
from sfa_kernel.jobs import Kind, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["SEPARATE"]


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    track = tracks.get(connection, job.subject)
    engine = job.arguments["engine"]
    before = stems.latest(connection, track.id)
    if before is not None and before.engine == engine and not job.arguments.get("force"):
        return Plan(None)
    minutes = max(1.0, track.duration / 60)  # a short song has to start the engine, too
    return Plan(
        {"source": ground.storage.path(track.file), "engine": engine},
        time_limit=ground.settings.separation_time_limit * minutes,
    )


def work(*, source: Path, engine: str, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Separate, then draw each stem's waveform and fingerprint it."""
    import numpy as np

    from sfa_kernel import audio, separation
    from sfa_kernel.progress import Steps

    steps = Steps(progress)
    done = separation.separate(source, scratch / "stems", engine=engine, progress=steps.between(0.0, 0.94))
    made = []
    for index, (name, path) in enumerate(done.stems.items()):
        waveform = scratch / f"{name}.npz"
        with audio.AudioReader(path) as reader:
            audio.Waveform.from_blocks(reader.blocks(1 << 18), reader.sample_rate).save(waveform)
        made.append(
            {
                "name": name,
                "file": path,
                "waveform": waveform,
                "content_hash": audio.content_hash(path),
                "bytes": path.stat().st_size,
            }
        )
        steps.at(0.94 + 0.05 * (index + 1) / len(done.stems))
    levels = scratch / "levels.npz"
    arrays: dict[str, Any] = dict(done.levels)
    np.savez_compressed(levels, **arrays)
    return {
        "engine": done.engine,
        "model": done.model,
        "residual_db": float(done.residual_db),
        "levels": levels,
        "stems": made,
    }


def _commit(connection: Connection, job: JobRow, result: dict[str, Any], files: FileChanges) -> None:
    row = SeparationRow(
        id=uuid4(),
        track_id=job.subject,
        engine=result["engine"],
        model=result["model"],
        residual_db=result["residual_db"],
        levels=files.keep(result["levels"], "stems"),
        created_at=datetime.now(UTC),
    )
    rows = [
        StemRow(
            id=uuid4(),
            separation_id=row.id,
            track_id=job.subject,
            name=stem["name"],
            file=files.keep(stem["file"], "stems"),
            waveform=files.keep(stem["waveform"], "stems"),
            content_hash=stem["content_hash"],
            bytes=stem["bytes"],
        )
        for stem in result["stems"]
    ]
    files.drop(stems.put(connection, row, rows))


SEPARATE = Kind(name="separate", queue="separation", prepare=_prepare, work=work, commit=_commit)
