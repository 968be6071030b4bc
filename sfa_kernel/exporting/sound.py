"""The sound of one stem, from the library's file to a file of another format, block by block."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.audio.blocks import downmix
from sfa_kernel.audio.files import readable_file
from sfa_kernel.exporting.mp4 import Mp4Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["BLOCK", "INTEGER", "common_gain", "rate_for", "stereo", "write_sound"]

BLOCK = 1 << 16  # frames

INTEGER = ("flac", "alac")
"""Formats that hold nothing beyond full scale; the others keep what exceeds it."""

# The sample rates that a format of FFmpeg's can have [Hz], or had better have.
_MPEG = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_RATES = {"m4a": (*_MPEG, 64000, 88200, 96000), "aac": (44100, 48000), "alac": (44100, 48000)}


def rate_for(form: str, sample_rate: int) -> int:
    """The sample rate of a file of that format [Hz]: that of the source, or the usual one nearest in kind."""
    from sfa_kernel.audio import holds_rate

    if sample_rate in _RATES[form] if form in _RATES else holds_rate(f".{form}", sample_rate):
        return sample_rate
    return 44100 if sample_rate % 11025 == 0 else 48000


def common_gain(files: Iterable[Path]) -> float:
    """The factor at which all these files fit below full scale, 1.0 where they do already.

    Stems of a set add up to the song only when all have the same.
    """
    from sfa_kernel.audio import AudioReader

    peak = 1.0
    for file in files:
        with AudioReader(file) as reader:
            if reader.info.codec.startswith("pcm"):
                continue  # integers
            for block in reader.blocks(BLOCK):
                peak = max(peak, float(np.abs(block).max()))
    return 1.0 / peak


def stereo(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same sound [shape=(2, n)] of one channel, two, or more."""
    mixed = downmix(block)
    return np.repeat(mixed, 2, axis=0) if len(mixed) == 1 else mixed


def write_sound(source: Path, target: Path, *, gain: float = 1.0, at: Callable[[float], None]) -> None:
    """Write a sound file in another format; the suffix of the target chooses it.

    Parameters
    ----------
    source
        A sound file.
    target
        Ends in ``.flac`` (24 bits), ``.wav`` (float), ``.mp3``, ``.ogg`` (Vorbis) or ``.m4a`` (AAC).
    gain
        A factor.
    at
        Told the share that is done, 0..1; may raise.

    Raises
    ------
    AudioError
        When the source cannot be read or the target not be written.
    """
    from sfa_kernel.audio import AudioReader, AudioWriter

    if source.suffix == target.suffix and source.suffix in (".flac", ".wav") and gain == 1.0:
        shutil.copyfile(readable_file(source), target)  # as it was written: 24 bits, or float
        at(1.0)
        return
    form = target.suffix[1:]
    with ExitStack() as stack:
        reader = stack.enter_context(AudioReader(source))
        rate = rate_for(form, reader.sample_rate)
        if rate != reader.sample_rate:
            reader = stack.enter_context(AudioReader(source, sample_rate=rate))
        if form == "m4a":
            tracks = stack.enter_context(Mp4Writer(target, rate, 1, codec="aac"))
        else:
            writer = stack.enter_context(AudioWriter(target, rate, reader.channels))
        done = 0
        for block in reader.blocks(BLOCK):
            scaled = block * np.float32(gain)
            if form == "m4a":
                tracks.write([stereo(scaled)])
            else:
                writer.write(scaled)
            done += block.shape[1]
            at(min(1.0, done / max(1, reader.frames)))
