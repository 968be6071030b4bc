"""One song, downloaded: by spotDL, and when that fails by yt-dlp; its cover beside it."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sfa_kernel.errors import (
    AudioError,
    FatalJobError,
    JobError,
    RateLimitedError,
    RetryableJobError,
    ServiceError,
    SetupError,
    SfaError,
)
from sfa_kernel.progress import Progress, Steps, silent
from sfa_kernel.sources.downloads import spotdl, ytdlp
from sfa_kernel.sources.downloads.choose import ranked
from sfa_kernel.sources.downloads.judge import judge
from sfa_kernel.sources.downloads.tools import TOOLS, Program
from sfa_kernel.sources.song import Song
from sfa_kernel.storage import write_private

__all__ = ["Fetched", "fetch"]

_log = logging.getLogger(__name__)

CANDIDATES = 2  # how many recordings are tried, when the best cannot be downloaded
COVER_LIMIT = 8 << 20  # bytes
COVER_SECONDS = 20.0
COVER_KINDS = {b"\xff\xd8\xff": ".jpg", b"\x89PNG\r\n\x1a\n": ".png"}
WAITS = "spotdl.json"  # until when spotDL is to be left alone

Programs = Mapping[str, Program]
Way = Callable[[Song, Path, Programs, str, Steps], tuple[Path, str]]


@dataclass(frozen=True)
class Fetched:
    """A song that was downloaded.

    Attributes
    ----------
    path
        The file: it can be decoded, and is as long as the song.
    source
        The address that it came from.
    by
        Which program did it.
    cover
        The picture that whoever names the song has of it; None where there is none.
    remark
        What failed before; empty when nothing did.
    """

    path: Path
    source: str
    by: str
    cover: Path | None = None
    remark: str = ""


def fetch(
    song: Song,
    folder: Path,
    programs: Programs,
    *,
    format: str,  # noqa: A002 - what everybody calls it
    notes: Path,
    progress: Progress = silent,
) -> Fetched:
    """Download a song. Nothing but the file that is returned, and its cover, is left in the folder.

    Parameters
    ----------
    song
        What is wanted.
    folder
        Where to.
    programs
        Those that are there; see `sfa_kernel.sources.downloads.tools.programs`.
    format
        ``"mp3"``, ``"flac"``, ``"m4a"`` or ``"opus"``.
    notes
        Folder of what all downloads of a library know: when spotDL may be asked again.

    Raises
    ------
    SetupError
        When a program is missing.
    RateLimitedError
        When every way has to wait.
    ServiceError
        When a service cannot be reached.
    FatalJobError
        When no recording is the song, or may be downloaded.
    RetryableJobError
        When a program failed, or what came was not the song.
    """
    steps = Steps(progress)
    ways = _ways(song, programs)
    failures: list[SfaError] = []
    for index, (name, way) in enumerate(ways):
        place = folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        share = Steps(steps.between(0.5 * index, 0.95))
        try:
            if name == "spotdl":
                _check_wait(notes)
            path, source = way(song, place, programs, format, share)
        except (JobError, SetupError, AudioError) as error:
            shutil.rmtree(place, ignore_errors=True)
            _log.warning("%s", error)
            failures.append(error)
            if name == "spotdl" and isinstance(error, RateLimitedError):
                _note_wait(notes, error)
            continue
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        remark = "".join(f" {error.message}" for error in failures)
        cover = _cover(song.cover_url, folder)
        steps.at(1)
        return Fetched(path, source, TOOLS[name].label, cover, remark)
    raise _verdict(failures)


def _ways(song: Song, programs: Programs) -> list[tuple[str, Way]]:
    """The ways to download a song here, the one to try first first."""
    if "ffmpeg" not in programs:
        raise SetupError("Downloads need FFmpeg, which is not installed.", hint=TOOLS["ffmpeg"].get)
    ways: dict[str, Way] = {"spotdl": _by_spotdl, "yt-dlp": _by_ytdlp}
    if not any(name in programs for name in ways):
        raise SetupError("Neither spotDL nor yt-dlp is installed.", hint="Run: sfa tools install spotdl yt-dlp")
    there = [(name, way) for name, way in ways.items() if name in programs]
    if not spotdl.can_name(song):
        there = [(name, way) for name, way in there if name != "spotdl"]
        if not there:
            raise SetupError(
                "Only yt-dlp can look for a song that is not of Spotify, and it is not installed.",
                hint="Run: sfa tools install yt-dlp",
            )
    return there


def _by_spotdl(song: Song, folder: Path, programs: Programs, format: str, steps: Steps) -> tuple[Path, str]:  # noqa: A002
    path = spotdl.download(song, folder, programs, format=format, steps=steps)
    judge(path, song.duration)
    return path, song.url or f"https://open.spotify.com/track/{song.key}"


def _by_ytdlp(song: Song, folder: Path, programs: Programs, format: str, steps: Steps) -> tuple[Path, str]:  # noqa: A002
    words = f"{song.artist} - {song.title}" if song.artist else song.title
    found = ytdlp.search(words, programs)
    fitting = ranked(found, song)[:CANDIDATES]
    if not found:
        raise FatalJobError("yt-dlp found no recording of the song.")
    if not fitting:
        raise FatalJobError(f"yt-dlp found {len(found)} recordings, none of which is the song.")
    steps.at(0.1)
    share = Steps(steps.between(0.1, 1))
    for left, result in zip(reversed(range(len(fitting))), fitting, strict=True):
        place = folder / str(left)
        place.mkdir()
        try:
            path = ytdlp.download(result.url, place, programs, format=format, steps=share)
            judge(path, song.duration)
        except (FatalJobError, RetryableJobError) as error:
            # Another recording may come where this one is refused, or is not what it says; the service is the same.
            if not left or isinstance(error, RateLimitedError | ServiceError):
                raise
            shutil.rmtree(place, ignore_errors=True)
        else:
            return path, result.url
    raise FatalJobError("No recording of the song can be downloaded.")


def _check_wait(notes: Path) -> None:
    """Leave spotDL alone while it would have to wait."""
    try:
        left = float(json.loads((notes / WAITS).read_text("ascii"))["until"]) - time.time()
    except (OSError, ValueError, KeyError, TypeError):
        return
    if left > 0:
        raise RateLimitedError(f"spotDL has been asked to wait {left:.0f} s more.", retry_after=left)


def _note_wait(notes: Path, error: RateLimitedError) -> None:
    if error.retry_after is not None:
        with suppress(OSError):
            notes.mkdir(parents=True, exist_ok=True)
            write_private(notes / WAITS, json.dumps({"until": time.time() + error.retry_after}))


def _verdict(failures: list[SfaError]) -> SfaError:
    """What several failures together mean: whatever may pass is tried again."""
    message = " ".join(error.message for error in failures)
    hint = next((error.hint for error in failures if error.hint), "")
    passing = [error for error in failures if isinstance(error, RetryableJobError)]
    if any(isinstance(error, RateLimitedError) for error in passing):
        waits = [error.retry_after for error in passing if isinstance(error, RateLimitedError)]
        known = [seconds for seconds in waits if seconds is not None]
        # What is in trouble, or did not say for how long, may be free sooner.
        return RateLimitedError(message, hint=hint, retry_after=min(known) if len(known) == len(passing) else None)
    for kind in (ServiceError, RetryableJobError, SetupError):
        if any(isinstance(error, kind) for error in failures):
            return kind(message, hint=hint)
    return FatalJobError(message, hint=hint or "Add a file that you have.")


def _cover(url: str | None, folder: Path) -> Path | None:
    """Fetch a picture; a song without one is a song too."""
    import httpx

    if not url or not url.startswith(("http://", "https://")):
        return None
    deadline = time.monotonic() + COVER_SECONDS
    data = b""
    try:
        with httpx.stream("GET", url, timeout=COVER_SECONDS) as response:
            if response.status_code != 200:
                return None
            for block in response.iter_bytes():
                data += block
                if len(data) > COVER_LIMIT or time.monotonic() > deadline:
                    return None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        _log.info("There is no cover: %s", error)
        return None
    suffix = next((suffix for magic, suffix in COVER_KINDS.items() if data.startswith(magic)), None)
    if suffix is None:
        return None
    picture = folder / f"cover{suffix}"
    picture.write_bytes(data)
    return picture
