"""Stage ``autocue``: cue points and loops from the analysis, and from the stems when there are any."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.catalog import analyses, corrections, cues, loops, stems, tracks
from sfa_kernel.catalog.cues import CueRow
from sfa_kernel.catalog.loops import LoopRow
from sfa_kernel.errors import FatalJobError
from sfa_kernel.jobs import Kind, Plan
from sfa_kernel.pipeline.originals import present

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sfa_kernel.analysis.model import Analysis, Loop
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.corrections import CorrectionRow
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["AUTOCUE"]

LOOP_RATE = 22050  # Hz
LONGEST = 1800.0  # s: of a longer stem the samples would not fit beside other work; a mix of hours has its loops


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    track = tracks.get(connection, job.subject)
    analysis = analyses.find(connection, track.id)
    if analysis is None:
        raise FatalJobError("Cues need an analysis, and this track has none.", hint="Run the stage analyze first.")
    separation = stems.in_use(connection, track.id)
    rows = stems.of_separation(connection, separation.id) if separation else []
    return Plan(
        {
            "source": track.path(ground.storage),
            "analysis": ground.storage.path(analysis.file),
            "curves": ground.storage.path(analysis.curves) if analysis.curves else None,
            "corrections": corrections.of_track(connection, track.id),
            "levels": ground.storage.path(separation.levels) if separation else None,
            "stems": {row.name: ground.storage.path(row.file) for row in rows},
        },
        time_limit=ground.settings.analysis_time_limit,
    )


def work(
    *,
    source: Path,
    analysis: Path,
    curves: Path | None,
    corrections: list[CorrectionRow],
    levels: Path | None,
    stems: Mapping[str, Path],
    scratch: Path,
    progress: Progress,
) -> dict[str, list[dict[str, Any]]]:
    """Find cues and loops.

    Parameters
    ----------
    source
        The track's audio.
    analysis, curves
        The files of its analysis.
    corrections
        What a person has put right.
    levels
        File of the stems' levels.
    stems
        The stems' audio by name.
    """
    import numpy as np

    from sfa_kernel.analysis import Analysis, find_cues
    from sfa_kernel.analysis.corrections import apply

    found = apply(Analysis.load(analysis, curves), corrections)
    stem_levels = None
    if levels is not None:
        with np.load(levels, allow_pickle=False) as archive:
            stem_levels = {name: archive[name] for name in archive.files}
    progress(5)
    # The loops of the analysis lie on the bars that the machine found.
    sounding = {"mix": present(source), **stems} if "grid" in found.corrected else stems
    of_song = [] if "grid" in found.corrected else found.loops
    return {
        "cues": [asdict(cue) for cue in find_cues(found, stem_levels=stem_levels)],
        "loops": [asdict(loop) for loop in [*of_song, *_loops(found, sounding, progress)]],
    }


def _loops(analysis: Analysis, files: Mapping[str, Path], progress: Progress) -> Iterator[Loop]:
    """Loops of each file, by the name of what it holds."""
    from sfa_kernel import audio
    from sfa_kernel.analysis.loops import find_stem_loops

    if not len(analysis.downbeats) or analysis.duration > LONGEST:
        return
    for number, (name, path) in enumerate(files.items(), 1):
        samples, rate = audio.decode(path, sample_rate=LOOP_RATE, mono=True)
        yield from find_stem_loops(name, samples[0], rate, analysis)
        progress(5 + 94 * number // len(files))


def _commit(connection: Connection, job: JobRow, result: dict[str, list[dict[str, Any]]], files: FileChanges) -> None:
    found = [CueRow(id=uuid4(), track_id=job.subject, origin="auto", **cue) for cue in result["cues"]]
    cues.replace_automatic(connection, job.subject, found, all_again=bool(job.arguments.get("force")))
    loops.replace(
        connection, job.subject, [LoopRow(id=uuid4(), track_id=job.subject, **loop) for loop in result["loops"]]
    )


AUTOCUE = Kind(name="autocue", queue="analysis", prepare=_prepare, work=work, commit=_commit)
