"""The kind of job that reads a playlist file: its lists go into the catalogue, the files they name are imported."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import playlists, songs
from sfa_kernel.errors import InputError, UnsafePathError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline.intake import import_requests
from sfa_kernel.pipeline.stages import parse_stages
from sfa_kernel.pipeline.upload import upload_key, uploaded_file
from sfa_kernel.sources.locate import within
from sfa_kernel.sources.song import Song

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.sources.listed import Listed
    from sfa_kernel.storage import FileChanges

__all__ = ["PLAYLIST_FILE", "ReadPlaylist", "playlist_file_request"]

SERVICE = "file"  # who names the songs
TIME_LIMIT = 1800.0  # s: a slow disk with very many files


@dataclass(frozen=True)
class ReadPlaylist:
    """A playlist of a file, with what was found of it.

    Attributes
    ----------
    key, name
        What it is known by from one import to the next, and for people.
    songs
        In order. Each has for its key the file that was found, or else where it should be.
    files
        The keys of those songs whose file was found.
    moved
        By where it should be, the file that was found elsewhere.
    streams
        How many addresses on the net were left out.
    """

    key: str
    name: str
    songs: list[Song] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)
    streams: int = 0


def playlist_file_request(
    path: str | os.PathLike[str],
    *,
    reference: bool = False,
    stages: Sequence[str] = (),
    anywhere: bool = True,
    upload: str | None = None,
    name: str | None = None,
) -> JobRequest:
    """The job that reads a playlist file, and queues the import of the songs that it finds.

    It says which ``playlists`` came of it in its arguments.

    Parameters
    ----------
    path
        An M3U or M3U8 file, or an XML file of rekordbox.
    reference
        Whether the songs' files stay where they are.
    stages
        What is done with each song once it is here.
    anywhere
        Whether it may name files outside of the settings' ``import_folders``; not where a page asks.
    upload
        The name of its folder in ``uploads``, when a page has sent it.
    name
        What people call the file, when that is not its name.

    Raises
    ------
    ParameterError
        When a stage is unknown.
    InputError
        When its path is no text, which the catalogue could not keep.
    """
    file = os.path.abspath(os.path.expanduser(path))
    try:
        file.encode()
    except UnicodeEncodeError:
        called = clean_text(PurePath(file).name, 120)
        raise InputError(f"The path of {called} is in no known encoding.", hint="Give it another name.") from None
    arguments = {
        "path": file,
        "reference": reference,
        "stages": list(parse_stages(stages)) if stages else [],
        "anywhere": anywhere,
        "upload": upload,
        "title": name or clean_text(PurePath(file).name, 120),
    }
    return JobRequest(
        kind=PLAYLIST_FILE.name,
        queue=PLAYLIST_FILE.queue,
        track_id=None,
        arguments=arguments,
        unique_key=upload_key(upload) if upload else f"{PLAYLIST_FILE.name}:{file}",
        max_attempts=PLAYLIST_FILE.max_attempts,
    )


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    arguments = job.arguments
    upload = arguments["upload"]
    path = uploaded_file(ground.storage, upload) if upload else Path(arguments["path"])
    roots = None if arguments["anywhere"] else ground.settings.import_folders
    if roots is not None and not upload and not within(path, roots):
        raise UnsafePathError(f"{path.name} is in no folder that a page may read from.")
    return Plan(
        {"path": path, "name": arguments["title"], "uploaded": bool(upload), "roots": roots}, time_limit=TIME_LIMIT
    )


def work(
    *, path: Path, name: str, uploaded: bool, roots: Sequence[Path] | None, scratch: Path, progress: Progress
) -> list[ReadPlaylist]:
    """Read the file, and look for what it names.

    Parameters
    ----------
    path, name
        The file, and what people call it.
    uploaded
        Whether a page has sent it: the folder that it was in is not known, and it goes when it cannot be used.
    roots
        See `sfa_kernel.sources.locate.Places`.

    Raises
    ------
    InputError
        When it is no playlist, or holds none.
    """
    from sfa_kernel.progress import Steps
    from sfa_kernel.sources.listed import read_playlists
    from sfa_kernel.sources.locate import Places

    try:
        listed = read_playlists(path, name=name)
        if not any(one.songs for one in listed):
            raise InputError(f"{name} lists no songs that could be files.", hint="Choose another playlist.")
    except InputError:
        if uploaded:
            shutil.rmtree(path.parent.parent, ignore_errors=True)
        raise
    places = Places(None if uploaded else path.parent, roots, label=name)
    source = name if uploaded else str(path)
    steps = Steps(progress)
    steps.at(0.1)
    total = sum(len(one.songs) for one in listed)
    known: dict[Listed, tuple[Song, str]] = {}  # most songs of a collection are in several lists
    keys: set[str] = set()
    read: list[ReadPlaylist] = []
    count = 0
    for one in listed:
        parts = [*one.folders, one.name]
        key = source if len(listed) == 1 else f"{source}#{'/'.join(quote(part) for part in parts)}"
        while key in keys:  # nobody keeps people from giving two lists one name
            key += "+"
        keys.add(key)
        title = " / ".join(part for part in parts if part) or PurePath(name).stem
        playlist = ReadPlaylist(key, title, streams=one.streams)
        for entry in one.songs:
            if entry not in known:
                known[entry] = _found(entry, places)
            song, named = known[entry]
            playlist.songs.append(song)
            if named:
                playlist.files.add(song.key)
                if named != song.key:
                    playlist.moved[named] = song.key
            count += 1
            if count % 100 == 0:
                steps.at(0.1 + 0.9 * count / total)
        read.append(playlist)
    return read


def _found(listed: Listed, places: Any) -> tuple[Song, str]:
    """The song that is listed; and where its file should be, empty when it is not on this computer."""
    from sfa_kernel.audio.tags import name_tags
    from sfa_kernel.sources.locate import file_name

    file = places.find(listed.location)
    named = places.key(listed.location)
    guess = name_tags(file_name(listed.location))
    song = Song(
        service=SERVICE,
        key=named if file is None else str(file),
        title=listed.title or guess.title,
        artist=listed.artist or (guess.artist or "" if listed.title in ("", guess.title) else ""),
        album=listed.album,
        year=listed.year,
        track_number=listed.track_number,
        duration=listed.duration,
    )
    return song, "" if file is None else named


def _commit(connection: Connection, job: JobRow, result: list[ReadPlaylist], files: FileChanges) -> str:
    songs.rename(connection, SERVICE, {old: new for one in result for old, new in one.moved.items()})
    ids = songs.put(connection, [song for one in result for song in one.songs])
    here = songs.match(connection, list(dict.fromkeys(ids)))
    written: list[str] = []
    new = 0
    start = 0
    for one in result:
        part = ids[start : start + len(one.songs)]
        start += len(one.songs)
        if not part:
            continue
        playlist, added = playlists.imported(connection, service=SERVICE, key=one.key, name=one.name, song_ids=part)
        written.append(str(playlist.id))
        new += added
    job_table.note(connection, job.id, {"playlists": written})
    if job.arguments["upload"]:
        files.drop([f"uploads/{job.arguments['upload']}"])
    found = len({key for one in result for key in one.files})
    streams = sum(one.streams for one in result)
    return (
        f"Playlists: {len(written)}. Entries: {new} new of {len(ids)}. Songs: {len(set(ids))}, of them in the library"
        f" {len(here)}, files on this computer {found}."
        + (f" Addresses on the net that were left out: {streams}." if streams else "")
    )


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: list[ReadPlaylist]) -> None:
    files = list(dict.fromkeys(song.key for one in result for song in one.songs if song.key in one.files))
    rows = songs.by_keys(connection, SERVICE, files)
    here = songs.here(connection, [row.id for row in rows.values()])
    absent = [key for key in files if rows[key].id not in here]
    ledger.enqueue_all(
        connection,
        import_requests(
            absent,
            reference=job.arguments["reference"],
            stages=job.arguments["stages"],
            batch_id=job.batch_id,
        ),
    )
    written = [str(UUID(one)) for one in job_table.get(connection, job.id).arguments["playlists"]]
    ledger.catalog.after_commit(partial(ledger.bus.publish, "playlists", {"changed": written}))


PLAYLIST_FILE = Kind(name="playlist_file", queue="import", prepare=_prepare, work=work, commit=_commit, follow=_follow)
