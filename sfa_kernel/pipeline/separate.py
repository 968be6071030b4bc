"""Stage ``separate``: a song becomes its stems, or a region of it a preview of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.catalog import quotas, stems, tracks
from sfa_kernel.catalog.stems import SeparationRow, StemRow
from sfa_kernel.jobs import Kind, Plan
from sfa_kernel.offers import board_folder, cloud_access
from sfa_kernel.pipeline.originals import present
from sfa_kernel.separation.engines import engine
from sfa_kernel.separation.request import Request, request

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["SEPARATE"]

CLOUD_TIME_LIMIT = 7200.0  # s: a service has a queue of its own


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    track = tracks.get(connection, job.subject)
    asked = _asked(job)
    before = stems.find(connection, track.id, asked.key)
    if before is not None and not job.arguments.get("force"):
        return Plan(None)
    cloud: dict[str, Any] = {}
    if engine(asked.engine).service:
        # The key goes from here to the process that works, and nowhere else.
        cloud = cloud_access(ground.settings, board_folder(ground.storage))
        cloud["owner"] = str(job.id)  # by it a job that is tried again finds what it had ordered
    seconds = track.duration if asked.region is None else asked.region[1] - asked.region[0]
    minutes = max(1.0, seconds / 60)  # a short song has to start the engine, too
    return Plan(
        {
            "source": track.path(ground.storage),
            "asked": asked.to_dict(),
            "device": ground.settings.separation_device,
            "weights": ground.settings.weights_folder,
            "cloud": cloud,
        },
        time_limit=CLOUD_TIME_LIMIT if cloud else ground.settings.separation_time_limit * minutes,
    )


def _asked(job: JobRow) -> Request:
    names = ("engine", "model", "stems", "region", "settings")
    return request(**{name: job.arguments[name] for name in names if name in job.arguments})


def work(
    *,
    source: Path,
    asked: dict[str, Any],
    device: str,
    weights: Path,
    cloud: dict[str, Any],
    scratch: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Separate, then draw each stem's waveform and fingerprint it.

    Parameters
    ----------
    source
        The track's audio.
    asked
        What to do; see `sfa_kernel.separation.request`.
    device, weights, cloud
        See `sfa_kernel.separation.separate`.
    """
    import numpy as np

    from sfa_kernel import audio, separation
    from sfa_kernel.progress import Steps

    steps = Steps(progress)
    done = separation.separate(
        present(source),
        scratch / "stems",
        **asked,
        device=device,
        weights=weights,
        cloud=cloud,
        format="flac" if asked["region"] is None else "ogg",
        progress=steps.between(0.0, 0.94),
    )
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
    region = asked["region"] and (done.start, done.start + done.frames / done.sample_rate)
    return {
        "start": region and region[0],
        "end": region and region[1],
        "device": done.device,
        "seconds": done.seconds,
        "minutes": done.minutes,
        "minutes_left": done.minutes_left,
        "residual_db": float(done.residual_db),
        "report": done.report.to_dict(),
        "levels": levels,
        "stems": made,
    }


def _commit(connection: Connection, job: JobRow, result: dict[str, Any], files: FileChanges) -> str | None:
    asked = _asked(job)
    before = stems.find(connection, job.subject, asked.key)
    row = SeparationRow(
        id=uuid4(),
        track_id=job.subject,
        request=asked.key,
        engine=asked.engine,
        model=asked.model,
        settings=asked.settings,
        start=result["start"],
        end=result["end"],
        device=result["device"],
        seconds=result["seconds"],
        minutes=result["minutes"],
        residual_db=result["residual_db"],
        report=result["report"],
        levels=files.keep(result["levels"], "stems"),
        chosen=before is not None and before.chosen,
        created_at=datetime.now(UTC),
        removed_at=None,
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
    if result["minutes_left"] is not None:
        quotas.put(connection, asked.engine, result["minutes_left"])
    warnings = result["report"]["warnings"]
    return " ".join(warnings) if warnings else None


SEPARATE = Kind(name="separate", queue="separation", prepare=_prepare, work=work, commit=_commit)
