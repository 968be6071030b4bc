"""Bring files into the library: look at one, far from the catalogue; then write its row.

The original is never changed. The same bytes added twice are one track.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import starmap, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sfa_kernel import audio
from sfa_kernel.audio.text import is_text
from sfa_kernel.catalog import origins, songs, tracks
from sfa_kernel.catalog.origins import OriginRow
from sfa_kernel.catalog.tracks import TrackRow
from sfa_kernel.errors import AudioError, InputError, RetryableJobError
from sfa_kernel.sources.walk import walk
from sfa_kernel.storage import FileChanges, disk_is_full

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog import Catalog, Connection
    from sfa_kernel.storage import Storage

__all__ = [
    "Found",
    "ImportedFile",
    "Labels",
    "audio_files",
    "copies",
    "examine",
    "import_file",
    "note",
    "take",
    "take_all",
]

BROWSERS_PLAY = {
    "WAV": ".wav",
    "FLAC": ".flac",
    "MP3": ".mp3",
    "OGG": ".ogg",
    "OPUS": ".opus",
    "M4A": ".m4a",
}
BLOCK = 1 << 18  # frames
SAME_LENGTH = 0.05  # s by which a file's length may differ once its tags were edited
COVER_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif"}


@dataclass(frozen=True)
class Labels:
    """What somebody knows of a song better than its file does; None where the file's tags have the word.

    Attributes
    ----------
    title, artist, album, genre, year, isrc
        Texts are clean, as `sfa_kernel.audio.text.clean_text` makes them.
    cover
        A picture that is in the scratch folder.
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: int | None = None
    isrc: str | None = None
    cover: Path | None = None


@dataclass(frozen=True)
class Found:
    """A sound file that was looked at, as `take` wants it; worker processes hand it over.

    Attributes
    ----------
    path
        The file.
    source
        Where it came from, as a person knows it.
    content_hash, bytes, modified
        Its SHA-256, its size, and when it was changed [ns since 1970].
    labels
        What it is called.
    info
        What it is; None where its content is known.
    copy
        What goes into the library, in the scratch folder; None where the content is known or stays where it is.
    retagged
        Whether it has the very sound of the library's copy of what it was: only what it is called is new.
    """

    path: Path
    source: str
    content_hash: str
    bytes: int
    modified: int
    labels: Labels = Labels()
    info: audio.AudioInfo | None = None
    copy: Path | None = None
    retagged: bool = False


@dataclass(frozen=True)
class ImportedFile:
    """What became of one file: a track, new or known already."""

    track: TrackRow
    new: bool


def audio_files(paths: Iterable[str | os.PathLike[str]], *, leave_out: Path | None = None) -> Iterator[Path]:
    """The files to import: each file named, and in each folder whatever looks like audio, in order.

    Parameters
    ----------
    leave_out
        A folder that is none of it: the library's own.
    """
    for given in paths:
        path = Path(os.path.abspath(os.path.expanduser(given)))
        if os.path.isdir(path):  # which takes a name that is too long for no folder
            yield from (Path(file.path) for file in walk(path, leave_out=leave_out).files)
        else:
            yield path


def examine(
    path: Path,
    scratch: Path,
    *,
    name: str | None = None,
    source: str | None = None,
    reference: bool = False,
    known: Mapping[str, str] | None = None,
    copied: Path | None = None,
    tags: Labels | None = None,
) -> Found:
    """Look at a file, and make the library's copy of it. Needs no catalogue: it runs where work runs.

    Parameters
    ----------
    path
        The file; it stays as it is.
    scratch
        Where the copy and the cover are made, until `take` keeps them.
    name
        What a person knows the file by, for the title where it has no tags; the path's name when None.
    source
        Where it came from, when that is not the path (an upload, a download).
    reference
        Whether it stays where it is. A format that browsers do not play is copied even then.
    known
        Content of which no copy is needed where its sound is still there; see `sfa_kernel.catalog.tracks.hashes`.
    copied
        The library's copy of what the file was before; see `copies`.
    tags
        What is known better than by the file's tags.

    Raises
    ------
    AudioError
        When it is no audio or cannot be decoded.
    InputError
        When it cannot be read, or not copied.
    RetryableJobError
        When somebody is writing it.
    """
    _check(path)
    before = _state(path)
    content_hash = audio.content_hash(path)
    source = source or str(path).encode(errors="replace").decode()
    reference = reference and is_text(str(path))
    place = (known or {}).get(content_hash)
    if place is not None and Path(place).is_file():
        return Found(path, source, content_hash, *before)
    info = audio.probe(path)
    _hear_some(path)
    made = scratch / str(uuid4())  # what is made of it begins so
    try:
        labels = _labels(path, made, name, tags or Labels())
        retagged = copied is not None and _sounds_as(path, copied)
        stays = retagged or (reference and _plays(info))
        copy = None if stays else _copy(path, info, made)
    except OSError as error:
        if disk_is_full(error):
            raise
        raise InputError(f"{path.name} cannot be copied into the library: {error.strerror or error}.") from error
    if _state(path) != before:
        raise RetryableJobError(f"{path.name} is being written by another program.", hint="Wait until it is complete.")
    return Found(path, source, content_hash, *before, labels, info, copy, retagged)


def copies(connection: Connection, storage: Storage, paths: Sequence[str]) -> dict[str, Path]:
    """By path, the library's copies of what files were when they were last looked at."""
    before = _before(connection, paths).items()
    return {path: storage.path(track.file) for path, (track, _) in before if track.file is not None}


def take(
    connection: Connection, storage: Storage, files: FileChanges, found: Found, *, restore: bool = True
) -> ImportedFile:
    """Write the row of a file that `examine` has looked at, inside the caller's transaction.

    Content that is known is the track that it is: its sound is put back where it was lost, and it comes back when it
    was removed. A file whose tags somebody has edited is the track that it was, under what it is called now.

    Parameters
    ----------
    files
        What the transaction adds to the library's folder.
    restore
        Whether a track that was removed comes back.

    Raises
    ------
    RetryableJobError
        When the content was known and is not any more: the file has to be looked at again.
    """
    return take_all(connection, storage, files, [found], restore=restore)[0]


def take_all(
    connection: Connection, storage: Storage, files: FileChanges, found: Sequence[Found], *, restore: bool = True
) -> list[ImportedFile]:
    """`take` of several files: all are known or new by a few questions to the catalogue."""
    there = tracks.by_hashes(connection, [one.content_hash for one in found])
    others = [one for one in found if one.content_hash not in there and is_text(str(one.path))]
    before = _before(connection, [str(one.path) for one in others])
    left = tracks.left_at(connection, [str(one.path) for one in others])
    new: list[TrackRow] = []
    back: list[UUID] = []
    taken: list[ImportedFile] = []
    for one in found:
        here = there.get(one.content_hash) or _retagged(connection, one, before.get(str(one.path)))
        if here is None:
            track, removed = _row(files, one), False
            new.append(track)
            for track_id in [track_id for track_id, path in left if path == str(one.path)]:
                # Another song is where this one was, which stays where it is: its sound is gone.
                tracks.set_sound(connection, track_id, file=None, original=f"{one.path} (now another song)")
        else:
            track, removed = here
            if not track.path(storage).is_file():
                track = _put_back(connection, storage, files, one, track)
            if removed and restore:
                back.append(track.id)
        there[one.content_hash] = track, removed and not restore
        taken.append(ImportedFile(track, new=here is None or (removed and restore)))
    tracks.insert_all(connection, new)
    tracks.restore(connection, back)
    return taken


def _before(connection: Connection, paths: Sequence[str]) -> dict[str, tuple[TrackRow, bool]]:
    """By path, the tracks that files were when they were last looked at, and whether they were removed."""
    seen = origins.get_many(connection, paths)
    found = tracks.find_many(connection, [row.track_id for row in seen.values() if row.track_id is not None])
    return {path: found[row.track_id] for path, row in seen.items() if row.track_id in found}


def note(connection: Connection, pairs: Sequence[tuple[Found, ImportedFile]]) -> None:
    """Remember which tracks files became, for folders that are looked through and for playlists that name them."""
    now = datetime.now(UTC)
    stored = {str(found.path): (found, taken.track.id) for found, taken in pairs if is_text(str(found.path))}
    rows = [OriginRow(path, found.bytes, found.modified, i, None, now) for path, (found, i) in stored.items()]
    origins.put(connection, rows)
    songs.link_files(connection, {path: track_id for path, (_, track_id) in stored.items()})


def import_file(
    catalog: Catalog, storage: Storage, path: Path, *, source: str | None = None, reference: bool = False
) -> ImportedFile:
    """Bring one file into the library: `examine` and `take`, here and now.

    Parameters
    ----------
    path
        The file; it stays as it is.
    source
        Where it came from, when that is not the path.
    reference
        Whether it stays where it is.

    Raises
    ------
    AudioError
        When it is no audio or cannot be decoded.
    InputError
        When it cannot be read, or not copied.
    """
    _check(path)
    with catalog.read() as connection:
        known = tracks.hashes(connection, storage, [_state(path)[0]])
        before = copies(connection, storage, [str(path)]) if is_text(str(path)) else {}
    try:
        return _import(
            catalog, storage, path, source=source, reference=reference, known=known, copied=before.get(str(path))
        )
    except RetryableJobError:
        # The cleanup has purged it since we looked, or somebody has just written to it.
        try:
            return _import(catalog, storage, path, source=source, reference=reference)
        except RetryableJobError as error:
            raise InputError(error.message, hint=error.hint) from error


def _import(
    catalog: Catalog,
    storage: Storage,
    path: Path,
    *,
    source: str | None,
    reference: bool,
    known: Mapping[str, str] | None = None,
    copied: Path | None = None,
) -> ImportedFile:
    scratch = storage.scratch(uuid4(), 0)
    files = FileChanges(storage, scratch)
    try:
        found = examine(path, scratch, source=source, reference=reference, known=known, copied=copied)
        with catalog.write() as connection:
            taken = take(connection, storage, files, found)
            if source is None:
                note(connection, [(found, taken)])
    except OSError as error:
        files.rollback()
        raise InputError(f"{path.name} cannot be copied into the library: {error.strerror or error}.") from error
    except BaseException:
        files.rollback()
        raise
    else:
        files.commit()
        return taken
    finally:
        storage.discard(scratch)


def _check(path: Path) -> None:
    try:
        if not path.exists():
            raise InputError(f"{path} does not exist.", hint="Check the path.")
        if not path.is_file():
            raise InputError(f"{path.name} is not a file.", hint="Name an audio file or a folder.")
    except (OSError, ValueError) as error:
        raise InputError(f"{str(path)!r} cannot be read: {error}.", hint="Check the path.") from error


def _state(path: Path) -> tuple[int, int]:
    """Size and time of change: what tells that somebody writes to a file."""
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}.", hint="Check the path.") from error
    return status.st_size, status.st_mtime_ns


def _hear_some(path: Path) -> None:
    """Decode the beginning: a header alone promises nothing."""
    samples, _ = audio.decode(path, duration=1.0)
    if samples.shape[1] == 0:
        raise AudioError(f"{path.name} holds no sound.", hint="Add another file.")


def _labels(path: Path, made: Path, name: str | None, better: Labels) -> Labels:
    """What the file is called, but for what is known better."""
    tags = audio.read_tags(path, name=name)
    cover = better.cover
    if cover is None and tags.cover is not None and tags.cover_mime in COVER_SUFFIXES:
        cover = made.with_name(f"{made.name}-cover{COVER_SUFFIXES[tags.cover_mime]}")
        cover.write_bytes(tags.cover)
    return Labels(
        title=better.title or tags.title,
        artist=better.artist or tags.artist,
        album=better.album or tags.album,
        genre=better.genre or tags.genre,
        year=better.year or tags.year,
        isrc=better.isrc or tags.isrc,
        cover=cover,
    )


def _plays(info: audio.AudioInfo) -> bool:
    """Whether a browser plays such a file."""
    return info.format in BROWSERS_PLAY and info.codec != "alac"


def _copy(path: Path, info: audio.AudioInfo, made: Path) -> Path:
    """The library's copy: the same bytes where a browser plays them, else the same samples.

    It is named for what it is, not for what it was called.
    """
    if _plays(info):
        copy = made.with_suffix(BROWSERS_PLAY[info.format])
        shutil.copyfile(path, copy)
        return copy
    exact = info.codec in ("pcm_16", "pcm_24", "alac")  # FLAC holds these without loss
    copy = made.with_suffix(".flac" if exact else ".wav")
    with audio.AudioReader(path) as reader:
        subtype = "PCM_16" if info.codec == "pcm_16" else "PCM_24" if exact else "FLOAT"
        with audio.AudioWriter(copy, reader.sample_rate, reader.channels, subtype=subtype) as writer:
            for block in reader.blocks(BLOCK):
                writer.write(block)
    return copy


def _sounds_as(path: Path, copy: Path) -> bool:
    """Whether two files have the same samples."""
    import numpy as np

    try:
        with audio.AudioReader(path) as one, audio.AudioReader(copy) as other:
            if (one.sample_rate, one.channels, one.frames) != (other.sample_rate, other.channels, other.frames):
                return False
            return all(starmap(np.array_equal, zip_longest(one.blocks(BLOCK), other.blocks(BLOCK), fillvalue=())))
    except AudioError:
        return False


def _row(files: FileChanges, found: Found) -> TrackRow:
    labels, info = found.labels, found.info
    if info is None or found.retagged:
        raise _lost(found)
    return TrackRow(
        id=uuid4(),
        content_hash=found.content_hash,
        title=labels.title or "Untitled",
        artist=labels.artist or "",
        album=labels.album or "",
        genre=labels.genre or "",
        year=labels.year,
        source_path=found.source,
        file=None if found.copy is None else files.keep(found.copy, "downloads"),
        cover=None if labels.cover is None else files.keep(labels.cover, "downloads"),
        format=info.format,
        codec=info.codec,
        sample_rate=info.sample_rate,
        channels=info.channels,
        duration=info.duration,
        bytes=found.bytes,
        added_at=datetime.now(UTC),
        original=str(found.path) if found.copy is None else None,
        isrc=labels.isrc,
    )


def _retagged(
    connection: Connection, found: Found, before: tuple[TrackRow, bool] | None
) -> tuple[TrackRow, bool] | None:
    """The track that the file at this place was, if it sounds as before: then its tags have been edited."""
    info, labels = found.info, found.labels
    if before is None or info is None:
        return None
    track, removed = before
    if not found.retagged and not _is_left_alike(track, found, info):
        return None
    changed = replace(
        track,
        title=labels.title or "Untitled",
        artist=labels.artist or "",
        album=labels.album or "",
        genre=labels.genre or "",
        year=labels.year,
        isrc=labels.isrc,
    )
    if track.original == str(found.path):  # else the library's own copy has the old tags, and stays as it is
        changed = replace(changed, content_hash=found.content_hash, bytes=found.bytes)
    tracks.change(connection, changed)
    return changed, removed


def _is_left_alike(track: TrackRow, found: Found, info: audio.AudioInfo) -> bool:
    """Whether a song stays in this file, of which there is no copy to compare it with, and is as long as it was."""
    return (
        track.original == str(found.path)
        and (info.format, info.codec, info.sample_rate, info.channels)
        == (track.format, track.codec, track.sample_rate, track.channels)
        and abs(info.duration - track.duration) <= SAME_LENGTH
    )


def _put_back(connection: Connection, storage: Storage, files: FileChanges, found: Found, track: TrackRow) -> TrackRow:
    """A known song whose sound is gone from where it was: it is here again."""
    if found.info is None or found.retagged:
        raise _lost(found)
    file = None if found.copy is None else files.keep(found.copy, "downloads")
    original = str(found.path) if found.copy is None else None
    tracks.set_sound(connection, track.id, file=file, original=original)
    return replace(track, file=file, original=original)


def _lost(found: Found) -> RetryableJobError:
    return RetryableJobError(f"{found.path.name} was known, and has just been removed.", hint="It is looked at again.")
