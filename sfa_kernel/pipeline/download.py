"""The kind of job that downloads a song which somebody else names, and brings it into the library."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import preferences, songs, tracks
from sfa_kernel.errors import SetupError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline.importing import Labels, examine, take
from sfa_kernel.pipeline.stages import enqueue, parse_stages
from sfa_kernel.progress import Steps
from sfa_kernel.sources.downloads.fetch import fetch
from sfa_kernel.sources.downloads.tools import programs, settings_commands
from sfa_kernel.sources.song import Song

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.settings import Settings
    from sfa_kernel.storage import FileChanges

__all__ = ["DOWNLOAD", "check_allowed", "key_of", "requests"]

SERVICE = "downloads"
FORMATS = ("mp3", "flac", "m4a", "opus")
TIME_LIMIT = 1800.0  # s: a long mix over a slow line


def key_of(song_id: UUID) -> str:
    """The unique key of the job that downloads a song: who looks for it finds how far it is."""
    return f"download:{song_id}"


def check_allowed(connection: Connection, settings: Settings) -> None:
    """See to it that songs may be downloaded here.

    Raises
    ------
    SetupError
        When this installation does not allow it, or nobody has switched it on.
    """
    if not settings.downloads_allowed:
        raise SetupError("Downloads are not allowed in this installation.", hint="Add files that you have.")
    _check_on(connection)


def _check_on(connection: Connection) -> None:
    if not preferences.get(connection, preferences.DOWNLOADS, False):
        raise SetupError(
            "Downloads are switched off.", hint="Switch them on in the settings, or with: sfa downloads on"
        )


def requests(
    connection: Connection, song_ids: Sequence[UUID], stages: Sequence[str] = (), batch_id: UUID | None = None
) -> list[JobRequest]:
    """The jobs that download songs, one for each that is not in the library yet.

    While one waits or runs there is no second for the same song.

    Parameters
    ----------
    song_ids
        Of the table ``songs``; unknown ones are left out.
    stages
        What is done with each song once it is here.
    batch_id
        What else was asked for at the same time.

    Raises
    ------
    SetupError
        When downloads are switched off.
    ParameterError
        When a stage is unknown.
    """
    _check_on(connection)
    names = list(parse_stages(stages)) if stages else []
    chosen = list(dict.fromkeys(song_ids))
    here = songs.here(connection, chosen)
    return [
        JobRequest(
            kind=DOWNLOAD.name,
            queue=DOWNLOAD.queue,
            track_id=None,
            arguments={"song": str(row.id), "stages": names, "title": _title(row.song)},
            unique_key=key_of(row.id),
            service=SERVICE,
            max_attempts=DOWNLOAD.max_attempts,
            batch_id=batch_id,
        )
        for row in songs.get_many(connection, chosen)
        if row.id not in here
    ]


def _title(song: Song) -> str:
    return f"{song.artist} - {song.title}" if song.artist else song.title


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    check_allowed(connection, ground.settings)
    row = songs.get(connection, UUID(job.arguments["song"]))
    if row.track_id is not None and tracks.get_many(connection, [row.track_id]):
        return Plan(None)  # it has come in some other way
    settings = ground.settings
    if settings.download_format not in FORMATS:
        raise SetupError(
            f"Nothing can be downloaded as {settings.download_format!r}.",
            hint=f"Set download_format to one of {', '.join(FORMATS)}.",
        )
    return Plan(
        {
            "song": row.song.to_dict(),
            "format": settings.download_format,
            "commands": settings_commands(settings),
            "tools": settings.tools_folder,
            "notes": ground.storage.path("runs/downloads"),
        },
        time_limit=TIME_LIMIT,
    )


def work(
    *,
    song: dict[str, Any],
    format: str,  # noqa: A002 - what everybody calls it
    commands: dict[str, str],
    tools: Path,
    notes: Path,
    scratch: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Download one song into the scratch folder, and look at it.

    Parameters
    ----------
    song
        See `sfa_kernel.sources.song.Song`.
    format, commands, tools
        As the settings say.
    notes
        Where all downloads of a library note whom to leave alone.
    """
    wanted = Song(**song)
    steps = Steps(progress)
    got = fetch(wanted, scratch, programs(commands, tools), format=format, notes=notes, progress=steps.between(0, 0.95))
    labels = Labels(
        title=wanted.title or None,
        artist=wanted.artist or None,
        album=wanted.album or None,
        year=wanted.year,
        isrc=wanted.isrc,
        cover=got.cover,
    )
    found = examine(got.path, scratch, name=wanted.title, source=wanted.url or got.source, tags=labels)
    steps.at(1)
    return {"found": found, "by": got.by, "remark": got.remark}


def _commit(connection: Connection, job: JobRow, result: Any, files: FileChanges) -> str:
    song_id = UUID(job.arguments["song"])
    taken = take(connection, files.storage, files, result["found"])
    songs.link(connection, song_id, taken.track.id)
    songs.recognise(connection, [taken.track.id])
    job_table.note(connection, job.id, {"new": int(taken.new), "known": int(not taken.new)})
    known = "" if taken.new else " It was in the library before."
    return f"Downloaded with {result['by']}.{known}{result['remark']}"


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Any) -> None:
    track_id = songs.get(connection, UUID(job.arguments["song"])).track_id
    if track_id is None:
        return
    if stages := job.arguments["stages"]:
        enqueue(connection, ledger, [track_id], stages=stages, batch_id=job.batch_id)
    ledger.catalog.after_commit(partial(ledger.bus.publish, "library", {"added": [str(track_id)]}))


DOWNLOAD = Kind(
    name="download",
    queue="download",
    prepare=_prepare,
    work=work,
    commit=_commit,
    begins="downloading",
    follow=_follow,
)
