"""Putting what a service sends back in step with the song it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.audio.blocks import mixed, of_length, regrouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["fitted", "lag"]

Array = np.ndarray[Any, np.dtype[Any]]

LONGEST = 0.2
"""How far tracks may be off [s]: encoders and decoders of compressed files differ by a few hundredths."""

_WINDOW = 10.0  # s of music that are compared
_LIKENESS = 0.5  # correlation from which two signals count as the same music


def lag(blocks: Iterator[Array], tracks: Sequence[Path], sample_rate: int, *, at: Callable[[], None]) -> int:
    """How much later tracks are than the song they add up to.

    Parameters
    ----------
    blocks
        The song, float32 [shape=(channels, n)].
    tracks
        Sound files whose sum is the song, all of them equally late.
    sample_rate
        Of the song [Hz].
    at
        Called now and then; may raise to stop.

    Returns
    -------
    int
        Frames of the song's rate, at most `LONGEST` either way; 0 when the sum is not like the song.
    """
    from scipy.signal import correlate

    margin = round(LONGEST * sample_rate)
    window, first = _loudest(blocks, round(_WINDOW * sample_rate), at)
    around = max(0, first - margin)
    heard = sum(_heard(path, around, first + len(window) + margin - around, sample_rate) for path in tracks)
    heard = np.concatenate([np.zeros(around - (first - margin), np.float32), heard])
    likeness = correlate(heard, window, mode="valid", method="fft")
    # Its energy below the window, wherever that is laid.
    energies = np.concatenate([[0.0], np.cumsum(np.square(heard, dtype=np.float64))])
    energy = energies[len(window) :] - energies[: -len(window)]
    best = int(np.argmax(likeness))
    bound = _LIKENESS * np.sqrt(max(energy[best], 0.0) * float(np.square(window, dtype=np.float64).sum()))
    return best - margin if bound > 0 and likeness[best] >= bound else 0


def _loudest(blocks: Iterator[Array], size: int, at: Callable[[], None]) -> tuple[Array, int]:
    """The window with the most energy of the song in mono, and where it begins."""
    loudest, first, most, position = np.zeros(1, np.float32), 0, -1.0, 0
    for block in regrouped((mixed(block, axis=0)[np.newaxis] for block in blocks), size):
        at()
        energy = float(np.square(block[0], dtype=np.float64).sum())
        if energy > most:
            loudest, first, most = block[0], position, energy
        position += block.shape[1]
    return loudest, first


def _heard(path: Path, first: int, frames: int, sample_rate: int) -> Array:
    """A window of a track in mono, with silence where the track has ended."""
    from sfa_kernel.audio import AudioReader

    found = np.zeros(frames, np.float32)
    with AudioReader(path, sample_rate=sample_rate, mono=True) as reader:
        if first < reader.frames:
            pieces = [block[0] for block in reader.blocks(start=first / sample_rate, duration=frames / sample_rate)]
            heard = np.concatenate(pieces)[:frames]
            found[: len(heard)] = heard
    return found


def fitted(path: Path, sample_rate: int, channels: int, frames: int, late: int, size: int) -> Iterator[Array]:
    """A track at a song's rate, channels and length, in step with it.

    Parameters
    ----------
    path
        The track.
    sample_rate, channels, frames
        Of the song [Hz], 1 or 2, and its length.
    late
        How much later the track is than the song; negative when it is earlier.
    size
        Frames in each block; the last is shorter.

    Yields
    ------
    np.ndarray, float32 [shape=(channels, size)]
        As long as the song together; what the track lacks is silence.
    """
    return regrouped(of_length(_shifted(path, sample_rate, channels, late), channels, frames), size)


def _shifted(path: Path, sample_rate: int, channels: int, late: int) -> Iterator[Array]:
    from sfa_kernel.audio import AudioReader

    with AudioReader(path, sample_rate=sample_rate) as reader:
        if late < 0:
            yield np.zeros((channels, -late), np.float32)
        skip = max(0, late)
        for block in reader.blocks():
            piece = block[:, skip:]
            skip -= block.shape[1] - piece.shape[1]
            if len(piece) > channels:
                piece = mixed(piece, axis=0)[np.newaxis]
            yield np.broadcast_to(piece, (channels, piece.shape[1]))
