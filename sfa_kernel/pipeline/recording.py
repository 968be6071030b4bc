"""Recordings of the master: parts come from a page into a file, and a job makes a song of it.

A recording is a folder among the uploads: what is known of it, the samples as 32 bit floats, and how many frames came
with each part. So nothing is lost when a page or a kernel is gone: a cleanup makes the song then.
"""

from __future__ import annotations

import json
import shutil
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.catalog import songs, tracks
from sfa_kernel.control.given import number, shown
from sfa_kernel.errors import DiskFullError, InputError, ParameterError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.pipeline.importing import Found, Labels, examine, take
from sfa_kernel.pipeline.upload import upload_key
from sfa_kernel.storage import disk_is_full, write_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges, Storage

__all__ = ["FORMATS", "RECORDING", "Recording", "left_behind", "recording_request"]

FORMATS = ("wav", "flac")
ABOUT, SAMPLES, PARTS = "recording.json", "samples.f32", "parts"
FRAME = 8  # bytes: left and right
COUNT = struct.Struct("<Q")
LONGEST = 24 * 3600.0  # s
LARGEST_WAV = (1 << 32) - (1 << 20)  # bytes; WAV holds no more
SAMPLE_RATES = (8000, 192000)  # Hz
BLOCK = 1 << 18  # frames
TIME_LIMIT = 3600.0  # s
LONGEST_NAME = 200


@dataclass(frozen=True)
class Recording:
    """What was recorded so far. One thread at a time may append.

    Attributes
    ----------
    id
        Names it.
    folder
        Where it is.
    sample_rate
        In Hz.
    began
        When.
    """

    id: str
    folder: Path
    sample_rate: int
    began: datetime

    @classmethod
    def begin(cls, storage: Storage, sample_rate: Any) -> Recording:
        """Begin one.

        Raises
        ------
        ParameterError
            When nobody records at such a sample rate.
        """
        rate = number(sample_rate)
        if rate is None or not SAMPLE_RATES[0] <= rate <= SAMPLE_RATES[1]:
            raise ParameterError(f"A recording cannot have {shown(sample_rate)} Hz.", hint="Reload the page.")
        identifier = str(uuid4())
        made = cls(identifier, storage.path(f"uploads/{identifier}"), round(rate), datetime.now(UTC))
        made.folder.mkdir(parents=True)
        (made.folder / SAMPLES).touch()
        (made.folder / PARTS).touch()
        about = {"sample_rate": made.sample_rate, "began": made.began.isoformat()}
        write_private(made.folder / ABOUT, json.dumps(about))
        return made

    @classmethod
    def find(cls, storage: Storage, identifier: Any) -> Recording:
        """The recording of an id.

        Raises
        ------
        ParameterError
            When there is none.
        """
        try:
            name = str(UUID(str(identifier)))
            folder = storage.path(f"uploads/{name}")
            about = json.loads((folder / ABOUT).read_text("ascii"))
            return cls(name, folder, about["sample_rate"], datetime.fromisoformat(about["began"]))
        except (ValueError, TypeError, KeyError, OSError):
            raise ParameterError("This recording is not known any more.", hint="Record again.") from None

    @property
    def frames(self) -> int:
        """How many frames have come; of a computer that went out, those that reached the disk."""
        return min(sum(self._counts()), (self.folder / SAMPLES).stat().st_size // FRAME)

    @property
    def name(self) -> str:
        """What it is called when nobody says so."""
        return f"Recording {self.began:%Y-%m-%d %H:%M}"

    def _counts(self) -> list[int]:
        data = (self.folder / PARTS).read_bytes()
        return [count for (count,) in COUNT.iter_unpack(data[: len(data) // COUNT.size * COUNT.size])]

    def append(self, part: int, left: memoryview | bytes, right: memoryview | bytes) -> int:
        """Take a part in. One that came before is passed over: its answer was lost. Returns the frames so far.

        Parameters
        ----------
        part
            Its number, from 0.
        left, right
            Samples as 32 bit floats.

        Raises
        ------
        ParameterError
            When a part before it is missing, or it is none.
        DiskFullError
            When there is no room; what came before stays.
        """
        import numpy as np

        counts = self._counts()
        so_far = sum(counts)
        if part < len(counts):
            return so_far
        sides = [bytes(side) for side in (left, right)]
        if part != len(counts) or len(sides[0]) != len(sides[1]) or len(sides[0]) % 4:
            raise ParameterError("A part of the recording got lost on the way.", hint="What came before it is kept.")
        frames = len(sides[0]) // 4
        if so_far + frames > LONGEST * self.sample_rate:
            raise InputError("A recording lasts a day at most.", hint="Finish it, and begin another one.")
        samples = np.stack([np.frombuffer(side, "<f4") for side in sides], axis=1)
        try:
            with (self.folder / SAMPLES).open("r+b") as file:
                file.truncate(so_far * FRAME)  # of a part that was cut off there is a beginning
                file.seek(so_far * FRAME)
                file.write(samples.tobytes())
            with (self.folder / PARTS).open("r+b") as file:
                file.seek(len(counts) * COUNT.size)
                file.write(COUNT.pack(frames))
        except OSError as error:
            if disk_is_full(error):
                raise DiskFullError(
                    "There is no room for more of the recording.", hint="Free some disk space; what came is kept."
                ) from error
            raise
        return so_far + frames


def recording_request(recording: Recording, *, name: str = "", format: str = "flac") -> JobRequest:  # noqa: A002
    """The job that makes a song of a recording; once it is completed its arguments name the ``track``.

    Parameters
    ----------
    name
        What the song is called; without one, the time at which it began.
    format
        ``"wav"`` keeps the floats, ``"flac"`` 24 bits. What WAV cannot hold becomes FLAC.

    Raises
    ------
    ParameterError
        When there is no such format.
    """
    if format not in FORMATS:
        raise ParameterError(f"A recording is no {shown(format)} file.", hint=f"Choose one of {', '.join(FORMATS)}.")
    return JobRequest(
        kind=RECORDING.name,
        queue=RECORDING.queue,
        track_id=None,
        arguments={
            "title": clean_text(name, LONGEST_NAME) or recording.name,
            "upload": recording.id,  # by this name a cleanup knows that the folder is somebody's
            "format": format,
        },
        unique_key=upload_key(recording.id),
        max_attempts=RECORDING.max_attempts,
    )


def left_behind(storage: Storage, *, before: float) -> list[Recording]:
    """The recordings to which nothing was added since a time [s since the epoch]."""
    found = []
    for about in storage.path("uploads").glob(f"*/{ABOUT}"):
        try:
            recording = Recording.find(storage, about.parent.name)
            if recording.frames and (recording.folder / PARTS).stat().st_mtime < before:
                found.append(recording)
        except (ParameterError, OSError):
            continue  # damaged: it goes with the other remains
    return found


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    recording = Recording.find(ground.storage, job.arguments["upload"])
    return Plan(
        {"recording": recording, "name": job.arguments["title"], "suffix": job.arguments["format"]},
        time_limit=TIME_LIMIT,
    )


def work(*, recording: Recording, name: str, suffix: str, scratch: Path, progress: Progress) -> Found:
    """Write the file. A recording without sound does not stay.

    Parameters
    ----------
    recording, name
        What was recorded, and what it is called.
    suffix
        See `recording_request`.
    """
    from sfa_kernel import audio
    from sfa_kernel.exporting.tagging import Tags, write_tags
    from sfa_kernel.progress import Steps

    frames = recording.frames
    if frames == 0:
        shutil.rmtree(recording.folder, ignore_errors=True)
        raise InputError("The recording holds no sound.", hint="Record again.")
    if frames * FRAME > LARGEST_WAV:
        suffix = "flac"
    made = scratch / f"recording.{suffix}"
    steps = Steps(progress)
    with audio.AudioWriter(made, recording.sample_rate, 2) as writer:
        for block in _blocks(recording, frames):
            writer.write(block.T)
            steps.at(0.9 * writer.frames / frames)
    write_tags(made, Tags(title=name))
    return examine(made, scratch, name=name, source=name, tags=Labels(title=name))


def _blocks(recording: Recording, frames: int) -> Iterator[NDArray[np.float32]]:
    import numpy as np

    with (recording.folder / SAMPLES).open("rb") as file:
        left = frames
        while left:
            data = file.read(min(left, BLOCK) * FRAME)
            block: NDArray[np.float32] = np.frombuffer(data, "<f4").reshape(-1, 2)
            left -= len(block)
            yield block


def _commit(connection: Connection, job: JobRow, result: Found, files: FileChanges) -> str:
    taken = take(connection, files.storage, files, result)
    files.drop([f"uploads/{job.arguments['upload']}"])
    songs.recognise(connection, [taken.track.id])
    job_table.note(connection, job.id, {"track": str(taken.track.id), "new": taken.new})
    return "It is in the library."


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Found) -> None:
    there = tracks.by_hash(connection, result.content_hash)
    if there is not None:
        ledger.catalog.after_commit(partial(ledger.bus.publish, "library", {"added": [str(there[0].id)]}))


RECORDING = Kind(name="recording", queue="import", prepare=_prepare, work=work, commit=_commit, follow=_follow)
