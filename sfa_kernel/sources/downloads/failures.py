"""What it means when a program that downloads has failed, from what it said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sfa_kernel.errors import (
    DiskFullError,
    FatalJobError,
    RateLimitedError,
    RetryableJobError,
    ServiceError,
    SetupError,
    SfaError,
)
from sfa_kernel.sources.downloads.tools import OFFLINE, TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.sources.downloads.program import Ended

__all__ = ["PATIENCE", "failure", "seconds_to_wait"]

PATIENCE = 10.0  # how long a program may itself wait for a rate limit [s]
HOUR = 3600.0

_SPOTIFY_LIMIT = re.compile(r"rate/request limit\.?\s+Retry will occur after:?\s+(\d+)", re.IGNORECASE)
_FULL = re.compile(r"No space left on device|Disk quota exceeded|Errno 28", re.IGNORECASE)
_NO_FFMPEG = re.compile(
    r"ffmpeg is not installed|not a valid ffmpeg|ffprobe and ffmpeg not found|ffmpeg not found", re.IGNORECASE
)
_HOUR_LIMIT = re.compile(r"rate-limited by YouTube|confirm you.{0,3}re not a bot", re.IGNORECASE)
_LIMIT = re.compile(
    r"HTTP Error 429|Too Many Requests|many 429 error|status: 429|blocked by YouTube Music", re.IGNORECASE
)
_TROUBLE = re.compile(r"HTTP Error 5\d\d|timed out|Connection broken|IncompleteRead|Remote end closed", re.IGNORECASE)
_REFUSED = re.compile(
    r"Video unavailable|Private video|This video is (?:not|private|no longer)|has been removed|"
    r"available in your country|confirm your age|age.restricted|members-only|copyright|HTTP Error 4(?:04|10)|"
    r"Unsupported URL",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"No results found|LookupError", re.IGNORECASE)
_STALE = re.compile(r"HTTP Error 403|Requested format is not available|nsig extraction failed", re.IGNORECASE)
_OPTIONS = re.compile(r"no such option|unrecognized arguments|invalid choice", re.IGNORECASE)


def seconds_to_wait(line: str) -> float | None:
    """How long Spotify tells spotDL to wait, when a line says so [s]."""
    found = _SPOTIFY_LIMIT.search(line)
    return float(found[1]) if found else None


def failure(name: str, ended: Ended) -> SfaError:
    """The error for a program that ended without what it was to make.

    Parameters
    ----------
    name
        Which of `TOOLS`.

    Returns
    -------
    SfaError
        `RateLimitedError`, `ServiceError`, `FatalJobError` (another song has to be chosen), `SetupError`,
        `DiskFullError`, or `RetryableJobError` when it is none of what is known.
    """
    label = TOOLS[name].label
    said = _text(ended.lines)
    if _FULL.search(said):
        return DiskFullError("There is no room for the download.", hint="Free some space.")
    if _NO_FFMPEG.search(said):
        return SetupError(f"{label} found no FFmpeg.", hint=TOOLS["ffmpeg"].get)
    if (wait := seconds_to_wait(said)) is not None:
        return RateLimitedError(f"Spotify asks {label} to wait {wait:.0f} s.", retry_after=wait)
    if _HOUR_LIMIT.search(said):
        return RateLimitedError("YouTube has limited this computer for a while.", retry_after=HOUR)
    if _LIMIT.search(said):
        return RateLimitedError(f"{label} asked too often, and has to wait.")
    if OFFLINE.search(said):
        return ServiceError(f"{label} cannot reach its service.", hint="Check the network.")
    if _REFUSED.search(said):
        return FatalJobError(f"{label} found a recording that may not be downloaded.")
    if _NOTHING.search(said):
        return FatalJobError(f"{label} found no recording of the song.")
    if _TROUBLE.search(said):
        return ServiceError(f"The service that {label} asked is in trouble.")
    if _STALE.search(said):
        return RetryableJobError(f"{label} was refused; services change.", hint=f"Renew it: sfa tools install {name}")
    if _OPTIONS.search(said):
        return SetupError(f"{label} is too old for this.", hint=f"Run: sfa tools install {name}")
    return RetryableJobError(f"{label} {_end(ended)}.")


def _text(lines: Sequence[str]) -> str:
    """All that was said in one line: a program may break a message anywhere."""
    return " ".join(" ".join(lines).split())


def _end(ended: Ended) -> str:
    last = f": {ended.last.rstrip('.')}" if ended.last else ""
    if ended.code < 0:
        return f"was ended by signal {-ended.code}{last}"
    if ended.code:
        return f"ended with exit status {ended.code}{last}"
    return f"ended without a file{last}"
