"""spotDL: one song of Spotify, by its link.

It uses a client of its own: nothing of this person's account is handed to it. Its exit status tells little (it is 0
when the song failed too), so what counts is the file.
"""

from __future__ import annotations

import logging
import re
import shlex
from typing import TYPE_CHECKING

from sfa_kernel.errors import ParameterError, RateLimitedError
from sfa_kernel.sources.downloads.failures import PATIENCE, failure, seconds_to_wait
from sfa_kernel.sources.downloads.judge import made
from sfa_kernel.sources.downloads.program import run_program
from sfa_kernel.sources.downloads.ytdlp import runtime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sfa_kernel.progress import Steps
    from sfa_kernel.sources.downloads.tools import Program
    from sfa_kernel.sources.song import Song

__all__ = ["can_name", "download"]

_log = logging.getLogger(__name__)

SILENCE = 300.0  # s: it says nothing while it downloads
_KEY = re.compile(r"[A-Za-z0-9]{22}")
# What it says, and how far it is then: it tells no percentages.
_STAGES = {
    "processing query": 0.05,
    ": downloading": 0.3,
    ": converting": 0.7,
    ": embedding": 0.9,
    'downloaded "': 0.97,
}


def can_name(song: Song) -> bool:
    """Whether spotDL can be told which song it is."""
    return song.service == "spotify" and _KEY.fullmatch(song.key) is not None


def download(song: Song, folder: Path, programs: Mapping[str, Program], *, format: str, steps: Steps) -> Path:  # noqa: A002
    """Download a song into an empty folder.

    Parameters
    ----------
    programs
        With ``"spotdl"`` and ``"ffmpeg"``.
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
    if not can_name(song):
        raise ParameterError(f"{song.key!r} is no song of Spotify.")
    arguments = [*programs["spotdl"].command, "download", f"https://open.spotify.com/track/{song.key}"]
    # Names of files are relative to the folder: in a path of a person's there may be braces, which mean fields here.
    arguments += ["--output", "{track-id}.{output-ext}", "--format", format, "--bitrate", "auto"]
    arguments += ["--simple-tui", "--log-level", "INFO", "--print-errors", "--overwrite", "skip", "--threads", "1"]
    arguments += ["--ffmpeg", programs["ffmpeg"].command[0]]
    if engine := runtime(programs):
        arguments += ["--yt-dlp-args", shlex.join(engine)]

    def hear(line: str) -> None:
        _log.info("%s", line)
        wait = seconds_to_wait(line)
        if wait is not None and wait > PATIENCE:
            # It would sleep for that long; others can download meanwhile.
            raise RateLimitedError(f"Spotify asks spotDL to wait {wait:.0f} s.", retry_after=wait)
        lower = line.lower()
        steps.at(max((share for sign, share in _STAGES.items() if sign in lower), default=0.0))

    ended = run_program(arguments, folder=folder, hear=hear, silence=SILENCE, name="spotDL")
    file = made(folder)
    if file is None:
        raise failure("spotdl", ended)
    return file
