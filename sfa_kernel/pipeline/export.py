"""Job ``export``: songs, stems and analyses become a file to take away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel import exporting
from sfa_kernel.catalog import analyses, corrections, cues, exports, loops, stems, tracks
from sfa_kernel.catalog.exports import ExportRow
from sfa_kernel.errors import NotFoundError
from sfa_kernel.jobs import JobRequest, Kind, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.catalog.stems import SeparationRow
    from sfa_kernel.catalog.tracks import TrackRow
    from sfa_kernel.exporting import Item, Outline, Wish
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["EXPORT", "enqueue_export", "preview"]

Place = Callable[[str], Path]

MINUTE = 120.0  # s of work that a minute of music may take: a slow machine writes it ten times faster
CUE = ("time", "type", "label", "color", "confidence", "reason", "origin")
LOOP = ("source", "start", "end", "bars", "score", "reason")


def enqueue_export(
    connection: Connection,
    ledger: Ledger,
    track_ids: Sequence[UUID],
    *,
    what: str,
    stem: str | None = None,
    format: str = "",  # noqa: A002 - a person's word
    template: str = exporting.TEMPLATE,
    separation_id: UUID | None = None,
    batch_id: UUID | None = None,
) -> JobRow:
    """Write the job that exports tracks, inside the caller's transaction.

    Of one track it makes the file that is asked for, of several one archive. `sfa_kernel.catalog.exports.of_job`
    tells which it is once the job is completed. The same export, while it waits or runs, is one job.

    Parameters
    ----------
    what, stem, format, template
        See `sfa_kernel.exporting.wish`.
    separation_id
        The set of stems, of one track; the set in use when None.
    batch_id
        What else was asked for at the same time.

    Raises
    ------
    NotFoundError
        When there is no such track or set, or a track has not what is wanted.
    ParameterError
        When there is no such export, format or field.
    """
    wanted = exporting.wish(what, stem=stem, format=format, template=template)
    _outline(connection, track_ids, wanted, separation_id)  # what cannot be made is told now
    arguments = {
        "tracks": [str(track_id) for track_id in track_ids],
        "what": wanted.what,
        "stem": wanted.stem,
        "format": wanted.format,
        "template": wanted.template,
        "separation": None if separation_id is None else str(separation_id),
    }
    digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()
    request = JobRequest(
        kind=EXPORT.name,
        queue=EXPORT.queue,
        track_id=track_ids[0] if len(track_ids) == 1 else None,
        arguments=arguments,
        unique_key=f"{EXPORT.name}:{digest}",
        max_attempts=EXPORT.max_attempts,
        batch_id=batch_id,
    )
    return ledger.enqueue(connection, request)


def preview(
    connection: Connection,
    track_ids: Sequence[UUID],
    *,
    what: str,
    stem: str | None = None,
    format: str = "",  # noqa: A002 - a person's word
    template: str = exporting.TEMPLATE,
    separation_id: UUID | None = None,
) -> Outline:
    """What `enqueue_export` would make of the same arguments, and its errors."""
    wanted = exporting.wish(what, stem=stem, format=format, template=template)
    return _outline(connection, track_ids, wanted, separation_id)


def _outline(connection: Connection, track_ids: Sequence[UUID], wanted: Wish, separation_id: UUID | None) -> Outline:
    return exporting.outline(_items(connection, Path, track_ids, wanted, separation_id), wanted)


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    arguments = job.arguments
    wanted = exporting.wish(
        arguments["what"], stem=arguments["stem"], format=arguments["format"], template=arguments["template"]
    )
    separation_id = None if arguments["separation"] is None else UUID(arguments["separation"])
    items = _items(connection, ground.storage.path, _track_ids(job), wanted, separation_id)
    minutes = sum(max(1.0, item.song.duration / 60) for item in items)
    return Plan({"items": items, "wanted": wanted}, time_limit=MINUTE * minutes)


def work(*, items: Sequence[Item], wanted: Wish, scratch: Path, progress: Progress) -> dict[str, Any]:
    """Write the file, and fingerprint it."""
    from sfa_kernel import audio
    from sfa_kernel.progress import Steps

    steps = Steps(progress)
    made = exporting.export(items, wanted, scratch, at=lambda share: steps.at(0.99 * share))
    return {
        "name": made.name,
        "file": made.file,
        "bytes": made.file.stat().st_size,
        "content_hash": audio.content_hash(made.file),
    }


def _commit(connection: Connection, job: JobRow, result: dict[str, Any], files: FileChanges) -> str:
    exports.insert(
        connection,
        ExportRow(
            id=uuid4(),
            job_id=job.id,
            track_id=job.track_id,
            track_ids=_track_ids(job),
            kind=job.arguments["what"],
            name=result["name"],
            file=files.keep(result["file"], "exports"),
            bytes=result["bytes"],
            content_hash=result["content_hash"],
            created_at=datetime.now(UTC),
        ),
    )
    return f"Wrote {result['name']} ({result['bytes'] / 1e6:.1f} MB)."


def _track_ids(job: JobRow) -> list[UUID]:
    return [UUID(track_id) for track_id in job.arguments["tracks"]]


# -- what an export is made of ----------------------------------------------------------------------------------


def _items(
    connection: Connection, place: Place, track_ids: Sequence[UUID], wanted: Wish, separation_id: UUID | None
) -> list[Item]:
    """The songs with what is wanted of them, as far as it is there; ``place`` says where files of a name are."""
    return [_item(connection, place, tracks.get(connection, i), wanted, separation_id) for i in track_ids]


def _item(connection: Connection, place: Place, track: TrackRow, wanted: Wish, separation_id: UUID | None) -> Item:
    analysis = analyses.find(connection, track.id)
    song = exporting.Song(
        title=track.title,
        artist=track.artist,
        album=track.album,
        genre=track.genre,
        year=track.year,
        bpm=analysis.bpm if analysis else None,
        key=analysis.key if analysis else None,
        camelot=analysis.camelot if analysis else None,
        duration=track.duration,
        file=place(track.file),
        content_hash=track.content_hash,
        cover=place(track.cover) if track.cover else None,
    )
    findings = None
    if wanted.what == "analysis" and analysis is not None:
        findings = exporting.Findings(
            analysis=place(analysis.file),
            corrections=tuple(corrections.of_track(connection, track.id)),
            cues=tuple(_record(cue, CUE) for cue in cues.of_track(connection, track.id)),
            loops=tuple(_record(loop, LOOP) for loop in loops.of_track(connection, track.id)),
        )
    separation = _separation(connection, track, separation_id)
    stem_set = None if separation is None else _stem_set(connection, place, separation)
    return exporting.Item(song, stem_set, findings)


def _separation(connection: Connection, track: TrackRow, separation_id: UUID | None) -> SeparationRow | None:
    if separation_id is None:
        return stems.in_use(connection, track.id)
    row = stems.get(connection, separation_id)
    if row.track_id != track.id or row.removed_at is not None:
        raise NotFoundError(f"{track.title!r} has no such set of stems.", hint="Name one of its own sets.")
    return row


def _stem_set(connection: Connection, place: Place, row: SeparationRow) -> exporting.StemSet:
    found = stems.of_separation(connection, row.id)
    return exporting.StemSet(
        engine=row.engine,
        model=row.model,
        settings=row.settings,
        start=row.start,
        end=row.end,
        residual_db=row.residual_db,
        report=row.report,
        created_at=row.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        stems=tuple(exporting.Stem(stem.name, place(stem.file)) for stem in found),
    )


def _record(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


EXPORT = Kind(name="export", queue="export", prepare=_prepare, work=work, commit=_commit)
