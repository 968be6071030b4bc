"""Encoding: float samples become WAV, FLAC, MP3 or Ogg Vorbis, whole or in blocks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.audio.blocks import silence_damage
from sfa_kernel.audio.files import shown, temporary_beside, unwritable
from sfa_kernel.audio.info import MAX_CHANNELS
from sfa_kernel.errors import AudioError, ParameterError

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import ArrayLike, NDArray

__all__ = ["AudioWriter", "encode", "holds_rate"]

# Suffix -> libsndfile's container and the subtype used when none is asked for.
_FORMATS = {
    ".wav": ("WAV", "FLOAT"),
    ".flac": ("FLAC", "PCM_24"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".ogg": ("OGG", "VORBIS"),
}
_MOST_CHANNELS = {".mp3": 2}
_MP3_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
# Beyond it libvorbis crashes the process.
_MOST_VORBIS_RATE = 200_000
# libsndfile's Vorbis encoder keeps a whole call's samples on the stack: large calls crash the process.
_BLOCK = 16384
# WAV states its size in 32 bits.
_MOST_WAV_BYTES = (1 << 32) - 4096


def holds_rate(suffix: str, sample_rate: int) -> bool:
    """Whether a file of that suffix can be written at a sample rate [Hz]."""
    if suffix == ".flac":
        # Above this rate FLAC can be streamed only at whole tens of hertz, and libsndfile writes no other kind.
        return sample_rate <= 65535 or sample_rate % 10 == 0
    if suffix == ".mp3":
        return sample_rate in _MP3_RATES
    return suffix != ".ogg" or sample_rate <= _MOST_VORBIS_RATE


class AudioWriter:
    """A sound file written in blocks, under a temporary name until it is complete.

    Leaving the ``with`` statement normally puts the file in place; leaving it by an exception removes it, and
    what was there before stays.

    Parameters
    ----------
    path
        Where to. The suffix chooses the format: ``.wav``, ``.flac``, ``.mp3`` or ``.ogg`` (Vorbis).
    sample_rate
        In Hz.
    channels
        1 to 8; MP3 holds 2 at most.
    subtype
        How samples are stored: for WAV ``"PCM_16"``, ``"PCM_24"``, ``"PCM_32"`` or ``"FLOAT"`` (the default),
        for FLAC ``"PCM_16"`` or ``"PCM_24"`` (the default). Integer subtypes clip at full scale.

    Raises
    ------
    ParameterError
        When the format cannot hold what is asked for.
    AudioError
        When the file cannot be created.

    Examples
    --------
    >>> with AudioWriter("mix.flac", 44100, channels=2) as writer:  # doctest: +SKIP
    ...     for block in reader.blocks():
    ...         writer.write(block)
    """

    def __init__(
        self, path: str | os.PathLike[str], sample_rate: int, channels: int, *, subtype: str | None = None
    ) -> None:
        import soundfile

        self.path = Path(path)
        self.sample_rate = int(sample_rate)
        self.channels = int(channels)
        self.frames = 0
        suffix = self.path.suffix.lower()
        if suffix not in _FORMATS:
            raise ParameterError(
                f"{shown(self.path)} cannot be written: {suffix or 'no suffix'} is not a format we write.",
                hint=f"Use one of {', '.join(_FORMATS)}.",
            )
        container, default = _FORMATS[suffix]
        if not 1 <= self.channels <= _MOST_CHANNELS.get(suffix, MAX_CHANNELS):
            raise ParameterError(
                f"{container} cannot hold {channels} channels here.",
                hint=f"Use 1 to {_MOST_CHANNELS.get(suffix, MAX_CHANNELS)}, or another format.",
            )
        if not holds_rate(suffix, self.sample_rate):
            raise ParameterError(
                f"{container} cannot hold {self.channels} channels at {self.sample_rate} Hz.",
                hint="Choose a usual one such as 44100 Hz, or WAV.",
            )
        subtype = (subtype or default).upper()
        if not soundfile.check_format(container, subtype):
            raise ParameterError(
                f"{container} has no subtype {subtype}.",
                hint=f"Use one of {', '.join(soundfile.available_subtypes(container))}.",
            )
        self._bytes_limit = _MOST_WAV_BYTES if container == "WAV" else None
        self._temporary = temporary_beside(self.path)
        self._file: Any = None
        try:
            # Python creates the file, so that a refusal of the system has its reason.
            self._temporary.touch()
            self._file = soundfile.SoundFile(
                os.fsencode(self._temporary),
                "w",
                samplerate=self.sample_rate,
                channels=self.channels,
                format=container,
                subtype=subtype,
            )
        except (OSError, ValueError) as error:
            told = unwritable(self.path, error)
            self.discard()
            raise told from error
        except soundfile.SoundFileError as error:
            self.discard()
            raise ParameterError(
                f"{container} {subtype} cannot hold {self.channels} channels at {self.sample_rate} Hz.",
                hint="Choose a usual sample rate such as 44100 Hz, or another format such as WAV.",
            ) from error
        except BaseException:
            self.discard()
            raise

    def __repr__(self) -> str:
        return (
            f"AudioWriter({self.path.name!r}, {self.sample_rate} Hz, {self.channels} channels, "
            f"{self.frames / self.sample_rate:.1f} s written)"
        )

    def __enter__(self) -> AudioWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write(self, block: ArrayLike) -> None:
        """Append samples.

        Parameters
        ----------
        block
            Array [shape=(channels, n)], or [shape=(n,)] for one channel. What is not finite is written as 0.

        Raises
        ------
        ParameterError
            When the shape does not fit.
        AudioError, DiskFullError
            When the disk fails or is full; nothing is left behind.
        """
        import soundfile

        if self._file is None:
            raise ParameterError(f"{shown(self.path)} is closed.", hint="Open a new writer.")
        samples = np.atleast_2d(np.asarray(block))
        if samples.ndim != 2 or samples.shape[0] != self.channels:
            raise ParameterError(
                f"Samples of shape {np.shape(block)} do not fit {self.channels} channels.",
                hint="Use an array of shape (channels, n).",
            )
        try:
            for begin in range(0, samples.shape[1], _BLOCK):
                piece = samples[:, begin : begin + _BLOCK].T.astype(np.float32, order="C")
                self._file.write(silence_damage(piece))
                self.frames += len(piece)
            self._check_size()
        except (soundfile.SoundFileError, AssertionError, OSError) as error:
            # soundfile asserts that as many frames were written as given: false on a full disk.
            told = unwritable(self.path, error)
            self.discard()
            raise told from error

    def close(self) -> None:
        """Complete the file and put it in place.

        Raises
        ------
        ParameterError
            When nothing was written: a file without sound is of no use to anybody.
        AudioError, DiskFullError
            When the disk fails or is full; nothing is left behind.
        """
        import soundfile

        if self._file is None:
            return
        if self.frames == 0:
            self.discard()
            raise ParameterError(f"There are no samples to write to {shown(self.path)}.")
        try:
            file, self._file = self._file, None
            file.close()
            os.replace(self._temporary, self.path)
        except (soundfile.SoundFileError, OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise unwritable(self.path, error) from error
        finally:
            self._temporary.unlink(missing_ok=True)

    def discard(self) -> None:
        """Drop what was written; what ``path`` held before stays."""
        file, self._file = self._file, None
        try:
            if file is not None:
                file.close()
        finally:
            self._temporary.unlink(missing_ok=True)

    def _check_size(self) -> None:
        if self._bytes_limit is not None and self._temporary.stat().st_size > self._bytes_limit:
            self.discard()
            raise AudioError(
                f"{shown(self.path)} would grow beyond 4 GB, which WAV cannot hold.", hint="Write FLAC instead."
            )


def encode(
    path: str | os.PathLike[str],
    samples: NDArray[np.floating[Any]],
    sample_rate: int,
    *,
    subtype: str | None = None,
) -> None:
    """Write samples to a file, which appears whole or not at all.

    Parameters
    ----------
    path
        Where to. The suffix chooses the format: ``.wav``, ``.flac``, ``.mp3`` or ``.ogg`` (Vorbis).
    samples
        Array [shape=(channels, n)], or [shape=(n,)] for one channel, full scale 1.0.
    sample_rate
        In Hz.
    subtype
        See `AudioWriter`.

    Raises
    ------
    ParameterError
        When there are no samples, or the format cannot hold them.
    AudioError
        When the file cannot be written.
    """
    block = np.atleast_2d(np.asarray(samples))
    if block.ndim != 2:
        raise ParameterError(
            f"Samples of shape {np.shape(samples)} are no sound.", hint="Use an array of shape (channels, n)."
        )
    with AudioWriter(path, sample_rate, block.shape[0], subtype=subtype) as writer:
        writer.write(block)
