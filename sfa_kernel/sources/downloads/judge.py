"""Whether a download is what was wanted: it is there, it can be decoded to its end, and it is as long as the song."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfa_kernel import audio
from sfa_kernel.audio import AUDIO_SUFFIXES
from sfa_kernel.errors import AudioError, RetryableJobError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TOLERANCE", "judge", "made"]

TOLERANCE = 0.05  # of the song's length
BLOCK = 1 << 18  # frames


def made(folder: Path) -> Path | None:
    """The sound file that a program left in a folder; None where there is none, or only an unfinished one."""
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file()]
    sizes = {path: path.stat().st_size for path in files if not path.is_symlink()}
    return max(sizes, key=lambda path: sizes[path]) if any(sizes.values()) else None


def judge(path: Path, duration: float | None) -> float:
    """Decode a download to its end.

    Parameters
    ----------
    duration
        How long the song is [s]; None where that is unknown.

    Returns
    -------
    float
        How long the file is [s].

    Raises
    ------
    RetryableJobError
        When it cannot be decoded, or is too short or too long.
    """
    try:
        with audio.AudioReader(path) as reader:
            frames: int = sum(block.shape[1] for block in reader.blocks(BLOCK))
            length = frames / reader.sample_rate
    except AudioError as error:
        raise RetryableJobError("What was downloaded is damaged.") from error
    if duration and abs(length - duration) > TOLERANCE * duration:
        raise RetryableJobError(f"What was downloaded lasts {length:.1f} s, and the song {duration:.1f} s.")
    if not length:
        raise RetryableJobError("What was downloaded holds no sound.")
    return length
