"""What is known of a sound file before it is decoded, and what this workstation accepts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_CHANNELS", "MAX_SAMPLE_RATE", "MIN_SAMPLE_RATE", "AudioInfo", "checked", "plausible"]

MAX_CHANNELS = 8
MIN_SAMPLE_RATE = 4_000
MAX_SAMPLE_RATE = 384_000

# Digital silence in FLAC or speech pauses in Opus take some 400 bit/s; below half of that a header lies.
_LEAST_BITS_PER_SECOND = 200


@dataclass(frozen=True)
class AudioInfo:
    """What a sound file says of itself.

    Attributes
    ----------
    path
        The file.
    format
        The container, found by its content: ``"WAV"``, ``"AIFF"``, ``"FLAC"``, ``"MP3"``, ``"OGG"``,
        ``"OPUS"``, ``"M4A"``, ``"AAC"``, or the decoder's name for a rarer one.
    codec
        How the samples are stored, in lower case: ``"pcm_16"``, ``"float"``, ``"vorbis"``, ``"aac"``, ...
    sample_rate
        In Hz.
    channels
        1 to 8.
    frames
        Length in frames as declared. A damaged file may hold fewer; only decoding tells.
    duration
        ``frames / sample_rate``, in seconds.
    """

    path: Path
    format: str
    codec: str
    sample_rate: int
    channels: int
    frames: int
    duration: float


def plausible(path: Path, seconds: float) -> bool:
    """Whether a file of that many bytes can hold so long a sound."""
    return 0 < seconds <= 60 + 8 * path.stat().st_size / _LEAST_BITS_PER_SECOND


def checked(info: AudioInfo, name: str) -> AudioInfo:
    """Return ``info`` when it is within what is accepted here.

    Raises
    ------
    AudioError
        When there are too many channels or the sample rate is no rate of recorded sound.
    """
    if not 1 <= info.channels <= MAX_CHANNELS:
        raise AudioError(
            f"{name} has {info.channels} channels; one to {MAX_CHANNELS} can be used.",
            hint="Mix it down to stereo first.",
        )
    if not MIN_SAMPLE_RATE <= info.sample_rate <= MAX_SAMPLE_RATE:
        raise AudioError(
            f"{name} has a sample rate of {info.sample_rate} Hz; "
            f"{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz can be used.",
            hint="Resample it first, or download it again if the header is damaged.",
        )
    return info
