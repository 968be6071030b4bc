"""Stage ``analyze``: tempo, beat grid, key, loudness, energy, sections, and the waveform's picture."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import analyses, corrections, embeddings, tracks
from sfa_kernel.catalog.analyses import AnalysisRow
from sfa_kernel.jobs import Kind, Plan
from sfa_kernel.pipeline.likeness import embedding_row
from sfa_kernel.pipeline.originals import present

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sfa_kernel.audio import WaveformBuilder
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["ANALYZE"]

BLOCK = 1 << 18  # frames


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    from sfa_kernel.analysis import ANALYSIS_VERSION
    from sfa_kernel.analysis.embedding import EMBEDDING_VERSION

    track = tracks.get(connection, job.subject)
    before, sound = analyses.find(connection, track.id), embeddings.find(connection, track.id)
    versions = before and before.version, sound and sound.version
    # A file that somebody removed comes back by an analysis only.
    whole = before is not None and all(ground.storage.path(file).exists() for file in before.files)
    if whole and versions == (ANALYSIS_VERSION, EMBEDDING_VERSION) and not job.arguments.get("force"):
        return Plan(None)
    return Plan({"source": track.path(ground.storage)}, time_limit=ground.settings.analysis_time_limit)


def work(*, source: Path, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Analyse and draw the waveform in one pass over the file, so that an hour-long mix needs no more memory."""
    from sfa_kernel import analysis, audio
    from sfa_kernel.analysis.embedding import embed
    from sfa_kernel.progress import Steps

    steps = Steps(progress)
    with audio.AudioReader(present(source)) as reader:
        waveform = audio.WaveformBuilder(reader.sample_rate)
        found = analysis.analyze_blocks(
            _drawn(reader.blocks(BLOCK), waveform),
            reader.sample_rate,
            frames=reader.frames,
            progress=steps.between(0.0, 0.97),
        )
    document = found.to_dict()
    files = {"file": scratch / "analysis.json", "waveform": scratch / "waveform.npz", "curves": scratch / "curves.npz"}
    files["file"].write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
    waveform.finish().save(files["waveform"])
    found.curves.save(files["curves"])
    return {
        "version": document["version"],
        "duration": document["duration_s"],
        "summary": analyses.summary(document),
        "vector": embed(found).tolist(),
        **files,
    }


def _drawn(blocks: Iterable[NDArray[np.float32]], waveform: WaveformBuilder) -> Iterator[NDArray[np.float32]]:
    """The same blocks, each shown to the waveform on its way."""
    for block in blocks:
        waveform.feed(block)
        yield block


def _commit(connection: Connection, job: JobRow, result: dict[str, Any], files: FileChanges) -> None:
    summary, vector = _corrected(connection, job, result)
    before = analyses.put(
        connection,
        AnalysisRow(
            track_id=job.subject,
            version=result["version"],
            file=files.keep(result["file"], "analysis"),
            waveform=files.keep(result["waveform"], "analysis"),
            curves=files.keep(result["curves"], "analysis"),
            created_at=datetime.now(UTC),
            **summary,
        ),
    )
    embeddings.put(connection, embedding_row(job.subject, summary, vector))
    tracks.set_duration(connection, job.subject, result["duration"])
    if before is not None:
        files.drop(before.files)


def _corrected(connection: Connection, job: JobRow, result: dict[str, Any]) -> tuple[dict[str, Any], list[float]]:
    """Columns and embedding, with what a person has put right; that may have happened while the analysis ran."""
    made = corrections.of_track(connection, job.subject)
    if not made:
        return result["summary"], result["vector"]
    from sfa_kernel.analysis import Analysis
    from sfa_kernel.analysis.corrections import apply
    from sfa_kernel.analysis.embedding import embed

    analysis = apply(Analysis.load(result["file"], result["curves"]), made)
    return analyses.summary(analysis.to_dict()), embed(analysis).tolist()


ANALYZE = Kind(name="analyze", queue="analysis", prepare=_prepare, work=work, commit=_commit)
