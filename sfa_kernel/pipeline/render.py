"""Job ``render``: a script becomes a sound file, as a song of the library or where a person wants it."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import songs, tracks
from sfa_kernel.control.given import shown
from sfa_kernel.control.script import Script
from sfa_kernel.errors import DiskFullError, InputError, NotFoundError, ParameterError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline.decksongs import sources, titles
from sfa_kernel.pipeline.importing import Found, Labels, examine, take
from sfa_kernel.storage import disk_is_full, write_private

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.catalog import Catalog, Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.pipeline.decksongs import Source
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges, Storage

__all__ = ["FOLDER", "FORMATS", "RENDER", "render_request"]

FOLDER = "runs/render"
FORMATS = ("flac", "wav")
SLOWEST = 4.0  # times its length that a script may take
LOADING = 600.0  # s that its songs may take besides
LONGEST_NAME = 200
ARTIST = "Sound Forge Alchemy"


@dataclass(frozen=True)
class Rendered:
    """What was rendered.

    Attributes
    ----------
    found
        The file, as the library takes it; None when it is where a person wants it.
    seconds
        How long it took, with all its songs.
    """

    found: Found | None
    seconds: float


def render_request(
    catalog: Catalog,
    storage: Storage,
    script: Script,
    *,
    name: str,
    format: str = "flac",  # noqa: A002 - what everybody calls it
    file: str | os.PathLike[str] | None = None,
) -> JobRequest:
    """The job that renders a script.

    Once it is completed its arguments say what came of it: ``track``, or ``file``.

    Parameters
    ----------
    script
        As it is now; what becomes of it later does not matter.
    name
        What the song is called.
    format
        Of the song in the library: ``"flac"`` (24 bits) or ``"wav"`` (floats).
    file
        Where to, instead of into the library; the suffix says how it is written. It must not be there yet.

    Raises
    ------
    NotFoundError
        When a song of the script is not in the library any more.
    ParameterError
        When there is nothing to render, or no such format; when the file is there already, or cannot be there.
    """
    if script.duration <= 0:
        raise ParameterError("A script of no length cannot be rendered.", hint="Give it a duration.")
    with catalog.read() as connection:
        titles(connection, script.tracks)
    target = None if file is None else _target(storage, file)
    suffix = format if target is None else target.suffix[1:].lower()
    if suffix not in FORMATS:
        raise ParameterError(f"A render is no {shown(suffix)} file.", hint=f"Choose one of {', '.join(FORMATS)}.")
    document = storage.path(f"{FOLDER}/{uuid4()}.json")
    document.parent.mkdir(parents=True, exist_ok=True)
    write_private(document, json.dumps(script.document()))
    return JobRequest(
        kind=RENDER.name,
        queue=RENDER.queue,
        track_id=None,
        arguments={
            "title": clean_text(name, LONGEST_NAME) or "Mix",
            "script": storage.name(document),
            "suffix": suffix,
            "target": None if target is None else str(target),
        },
        max_attempts=RENDER.max_attempts,
    )


def _target(storage: Storage, file: str | os.PathLike[str]) -> Path:
    """Where to, as far as can be said before it is rendered."""
    target = Path(os.path.abspath(os.path.expanduser(file)))
    try:
        os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        raise ParameterError(f"{shown(str(target))} is no name of a file.", hint="Choose another.") from error
    else:
        raise ParameterError(f"{str(target)!r} is there already.", hint="Choose another name, or remove it first.")
    if not target.parent.is_dir():
        raise ParameterError(f"There is no folder {str(target.parent)!r}.", hint="Make it first.")
    if not os.access(target.parent, os.W_OK):
        raise ParameterError(f"Nothing may be written to {str(target.parent)!r}.", hint="Choose another folder.")
    if target.resolve().is_relative_to(storage.home):
        raise ParameterError(
            f"{str(target)!r} is inside the library.", hint="Choose another place, or leave the file out."
        )
    return target


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    arguments = job.arguments
    try:
        text = ground.storage.path(arguments["script"]).read_text("utf-8")
    except FileNotFoundError:
        raise NotFoundError("The script of this job is not here any more.", hint="Render it again.") from None
    script = Script.from_json(text)
    return Plan(
        {
            "script": script,
            "wanted": sources(connection, ground.storage, script.tracks),
            "name": arguments["title"],
            "suffix": arguments["suffix"],
            "target": None if arguments["target"] is None else Path(arguments["target"]),
        },
        time_limit=LOADING + SLOWEST * script.duration,
    )


def work(
    *,
    script: Script,
    wanted: Sequence[Source],
    name: str,
    suffix: str,
    target: Path | None,
    scratch: Path,
    progress: Progress,
) -> Rendered:
    """Render the script.

    Parameters
    ----------
    script, name, suffix, target
        See `render_request`.
    wanted
        Its songs.
    """
    import time

    from sfa_kernel import audio
    from sfa_kernel.dj.console import render
    from sfa_kernel.exporting.tagging import Tags, write_tags
    from sfa_kernel.progress import Steps

    began = time.monotonic()
    made = scratch / f"render.{suffix}"
    found = {source.id: source.song() for source in wanted}
    steps = Steps(progress)
    with audio.AudioWriter(made, script.sample_rate, 2) as writer:
        started = render(script, found, writer.write, progress=steps.between(0.0, 0.97))
    listed = "\n".join(f"{_clock(at)} {found[track].title}" for at, track in started)
    write_tags(made, Tags(title=name, artist=ARTIST, comment=listed))
    seconds = time.monotonic() - began
    if target is None:
        labels = Labels(title=name, artist=ARTIST)
        return Rendered(examine(made, scratch, name=name, source=f"Rendered: {name}", tags=labels), seconds)
    _put(made, target)
    return Rendered(None, seconds)


def _clock(seconds: float) -> str:
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def _put(made: Path, target: Path) -> None:
    """Bring the file to where a person wants it, as a whole, and never over another one."""
    from sfa_kernel.audio.files import temporary_beside

    temporary = temporary_beside(target)
    try:
        shutil.copyfile(made, temporary)
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            with target.open("xb"):
                os.replace(temporary, target)
    except FileExistsError:
        raise InputError(
            f"{str(target)!r} has come to be there meanwhile.", hint="Render it again under another name."
        ) from None
    except OSError as error:
        if disk_is_full(error):
            raise DiskFullError(f"There is no room for {target.name}.", hint="Free some disk space.") from error
        raise InputError(f"{str(target)!r} cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _commit(connection: Connection, job: JobRow, result: Rendered, files: FileChanges) -> str:
    files.drop([job.arguments["script"]])
    took = f"Rendered in {result.seconds:.0f} s."
    if result.found is None:
        job_table.note(connection, job.id, {"file": job.arguments["target"]})
        return f"{took} It is in {job.arguments['target']}."
    taken = take(connection, files.storage, files, result.found)
    songs.recognise(connection, [taken.track.id])
    job_table.note(connection, job.id, {"track": str(taken.track.id), "new": taken.new})
    return f"{took} It is in the library{'' if taken.new else ' as it was already'}."


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Rendered) -> None:
    there = None if result.found is None else tracks.by_hash(connection, result.found.content_hash)
    if there is not None:
        ledger.catalog.after_commit(partial(ledger.bus.publish, "library", {"added": [str(there[0].id)]}))


RENDER = Kind(name="render", queue="export", prepare=_prepare, work=work, commit=_commit, follow=_follow)
