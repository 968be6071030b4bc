"""yt-dlp: search for a recording, and download one."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import FatalJobError
from sfa_kernel.sources.downloads.choose import Result
from sfa_kernel.sources.downloads.failures import failure
from sfa_kernel.sources.downloads.judge import made
from sfa_kernel.sources.downloads.program import run_program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.progress import Steps
    from sfa_kernel.sources.downloads.tools import Program

__all__ = ["download", "results", "runtime", "search"]

_log = logging.getLogger(__name__)

COUNT = 5  # results of a search
SILENCE = 120.0  # s: it tells of each piece that comes
LONGEST_QUERY = 200  # characters
MARK = "SFA"
# A person's own settings may name other folders, formats and programs to run.
USUAL = ("--ignore-config", "--no-update", "--socket-timeout", "20", "--retries", "3")


def runtime(programs: Mapping[str, Program]) -> list[str]:
    """The options that name the JavaScript runtime."""
    engine = programs.get("deno")
    return ["--js-runtimes", f"{Path(engine.command[0]).stem}:{engine.command[0]}"] if engine else []


def search(text: str, programs: Mapping[str, Program]) -> list[Result]:
    """What YouTube finds for some words, at most `COUNT`; see `results`."""
    return results(f"ytsearch{COUNT}:{clean_text(text, LONGEST_QUERY)}", programs)


def results(address: str, programs: Mapping[str, Program]) -> list[Result]:
    """What is found at an address: of a list its items, without looking at each.

    Parameters
    ----------
    address
        A URL or one of yt-dlp's words for a search.
    programs
        With ``"yt-dlp"``.

    Raises
    ------
    SfaError
        As `sfa_kernel.sources.downloads.failures.failure` tells.
    """
    fields = "%(.{title,duration,channel,uploader,url,webpage_url,live_status})j"
    arguments = [*programs["yt-dlp"].command, *USUAL, *runtime(programs)]
    arguments += ["--flat-playlist", "--playlist-end", str(COUNT), "--print", fields, "--", address]
    ended = run_program(arguments, silence=SILENCE, name="yt-dlp")
    found = [result for line in ended.output if (result := _result(line)) is not None]
    if not found and ended.code:
        raise failure("yt-dlp", ended)
    return found


def _result(line: str) -> Result | None:
    try:
        told: dict[str, Any] = dict(json.loads(line))
        url = str(told.get("url") or told.get("webpage_url") or "")
        usable = urlsplit(url).scheme in ("http", "https") and told.get("live_status") not in ("is_live", "is_upcoming")
        duration = told.get("duration")
        return (
            Result(
                title=clean_text(str(told.get("title") or "")),
                channel=clean_text(str(told.get("channel") or told.get("uploader") or "")),
                duration=float(duration) if duration else None,
                url=url,
            )
            if usable
            else None
        )
    except (TypeError, ValueError):
        return None


def download(url: str, folder: Path, programs: Mapping[str, Program], *, format: str, steps: Steps) -> Path:  # noqa: A002
    """Download the sound of one page into an empty folder.

    Parameters
    ----------
    url
        ``http`` or ``https``.
    programs
        With ``"yt-dlp"`` and ``"ffmpeg"``.
    format
        ``"mp3"``, ``"flac"``, ``"m4a"`` or ``"opus"``.

    Returns
    -------
    Path
        The file, not judged yet.

    Raises
    ------
    SfaError
        As `sfa_kernel.sources.downloads.failures.failure` tells.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise FatalJobError("What was found has no address on the web.")
    template = (
        "%(progress.status)s %(progress.downloaded_bytes)s %(progress.total_bytes,progress.total_bytes_estimate)s"
    )
    arguments = [*programs["yt-dlp"].command, *USUAL, *runtime(programs)]
    arguments += ["-q", "--newline", "--progress", "--progress-template", f"download:{MARK} {template}"]
    arguments += ["--no-playlist", "--no-mtime", "--max-filesize", "2G", "-x", "--audio-format", format]
    arguments += ["--audio-quality", "0", "--ffmpeg-location", programs["ffmpeg"].command[0]]
    arguments += ["-o", "song.%(ext)s", "--", url]

    def hear(line: str) -> None:
        mark, _, told = line.partition(" ")
        if mark != MARK:
            _log.info("%s", line)
            return
        with suppress(ValueError, ZeroDivisionError):  # sizes that are not known are "NA"
            _, received, total = told.split()
            steps.at(0.8 * float(received) / float(total))  # then it is converted

    ended = run_program(arguments, folder=folder, hear=hear, silence=SILENCE, name="yt-dlp")
    file = made(folder)
    if file is None or ended.code:
        raise failure("yt-dlp", ended)
    return file
