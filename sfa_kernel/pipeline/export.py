"""Job ``export``: songs, stems and analyses become a file to take away."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
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
from sfa_kernel.pipeline.originals import present

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.analyses import AnalysisRow
    from sfa_kernel.catalog.jobs import JobRow
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
    track_ids = list(dict.fromkeys(track_ids))  # each once
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
    return exporting.outline(_items(connection, Path, list(dict.fromkeys(track_ids)), wanted, separation_id), wanted)


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

    if wanted.what == "stem.mp4":  # which holds the song itself; all else goes without it
        for item in items:
            present(item.song.file)
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
    songs = {row.id: row for row in tracks.get_many(connection, track_ids)}
    missing = next((i for i in track_ids if i not in songs), None)
    if missing is not None:
        raise NotFoundError(f"There is no track {missing} in this library.")
    heard = {row.track_id: row for row in analyses.find_many(connection, track_ids)}
    stem_sets = _stem_sets(connection, place, list(songs.values()), separation_id)
    findings = _findings(connection, place, list(heard.values())) if wanted.what == "analysis" else {}
    return [exporting.Item(_song(songs[i], heard.get(i), place), stem_sets.get(i), findings.get(i)) for i in track_ids]


def _song(track: TrackRow, analysis: AnalysisRow | None, place: Place) -> exporting.Song:
    return exporting.Song(
        title=track.title,
        artist=track.artist,
        album=track.album,
        genre=track.genre,
        year=track.year,
        bpm=analysis.bpm if analysis else None,
        key=analysis.key if analysis else None,
        camelot=analysis.camelot if analysis else None,
        duration=track.duration,
        file=place(track.file) if track.file is not None else Path(track.original or ""),
        content_hash=track.content_hash,
        cover=place(track.cover) if track.cover else None,
    )


def _stem_sets(
    connection: Connection, place: Place, songs: Sequence[TrackRow], separation_id: UUID | None
) -> dict[UUID, exporting.StemSet]:
    """By track, the set that is named or else in use."""
    if separation_id is None:
        rows = stems.all_in_use(connection, [song.id for song in songs])
    else:
        rows = [stems.get(connection, separation_id)]
        for song in songs:
            if song.id != rows[0].track_id or rows[0].removed_at is not None:
                raise NotFoundError(f"{song.title!r} has no such set of stems.", hint="Name one of its own sets.")
    made: dict[UUID, list[exporting.Stem]] = defaultdict(list)
    for stem in stems.of_separations(connection, [row.id for row in rows]):
        made[stem.separation_id].append(exporting.Stem(stem.name, place(stem.file)))
    return {
        row.track_id: exporting.StemSet(
            engine=row.engine,
            model=row.model,
            settings=row.settings,
            start=row.start,
            end=row.end,
            residual_db=row.residual_db,
            report=row.report,
            created_at=row.created_at.astimezone(UTC).isoformat(timespec="seconds"),
            stems=tuple(made[row.id]),
        )
        for row in rows
    }


def _findings(connection: Connection, place: Place, heard: Sequence[AnalysisRow]) -> dict[UUID, exporting.Findings]:
    """By track, what was found out about it."""
    ids = [row.track_id for row in heard]
    corrected = _grouped(corrections.of_tracks(connection, ids))
    marked = _grouped(cues.of_tracks(connection, ids))
    looped = _grouped(loops.of_tracks(connection, ids))
    return {
        row.track_id: exporting.Findings(
            analysis=place(row.file),
            corrections=tuple(corrected[row.track_id]),
            cues=tuple(_record(cue, CUE) for cue in marked[row.track_id]),
            loops=tuple(_record(loop, LOOP) for loop in looped[row.track_id]),
        )
        for row in heard
    }


def _grouped(rows: Sequence[Any]) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.track_id].append(row)
    return groups


def _record(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


EXPORT = Kind(name="export", queue="export", prepare=_prepare, work=work, commit=_commit)
