"""Blocks of samples on their way: mixed, regrouped to one size, brought to a length, freed of what is no sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from numpy.typing import NDArray

__all__ = ["downmix", "mixed", "of_length", "regrouped", "silence_damage"]

# Float files may hold NaN, infinities, or garbage near the end of the float range whose square overflows. Sound
# stays far below this bound, even when scaled like 32-bit integers.
_SOUND_LIMIT = np.float32(1e10)

_SILENCE = 1 << 16  # frames of it at once

# Share of each channel in left and right (ITU-R BS.775; the low-frequency channel kept, so that nothing is lost).
_SIDES = {"L": (1.0, 0.0), "R": (0.0, 1.0), "C": (0.707, 0.707), "W": (0.5, 0.5), "l": (0.707, 0.0), "r": (0.0, 0.707)}
_LAYOUTS = {3: "LRC", 4: "LRlr", 5: "LRClr", 6: "LRCWlr", 7: "LRCWClr", 8: "LRCWlrlr"}


def silence_damage(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Set samples that are no sound (NaN, infinite, beyond 200 dBFS) to 0, in place."""
    # NaN makes both comparisons false, so one pass for each extreme finds every kind of damage.
    if samples.size and not (samples.max() < _SOUND_LIMIT and samples.min() > -_SOUND_LIMIT):
        with np.errstate(invalid="ignore"):
            samples[~(np.abs(samples) < _SOUND_LIMIT)] = 0
    return samples


def mixed(samples: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Mean over the channels, which lie along ``axis`` of a two-dimensional array."""
    channels = np.moveaxis(samples, axis, 0)
    total: NDArray[np.float32] = channels[0].astype(np.float32, copy=True)
    # numpy's mean over a short axis is eight times slower than adding the channels one by one.
    for channel in channels[1:]:
        total += channel
    total *= np.float32(1 / len(channels))
    return total


def downmix(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """One or two channels as they are; more become two, no louder than the loudest of them.

    Parameters
    ----------
    samples : [shape=(channels, n)]
        Channels in the order of WAV and FLAC files: left, right, centre, low frequencies, surround. Beyond
        eight they alternate between left and right.
    """
    count = len(samples)
    if count <= 2:
        return samples
    layout = _LAYOUTS.get(count, "LR" * -(-count // 2))[:count]
    gains = np.array([_SIDES[place] for place in layout], np.float32).T
    mixture: NDArray[np.float32] = (gains / gains.sum(axis=1, keepdims=True)) @ samples
    return mixture


def of_length(blocks: Iterable[NDArray[np.float32]], channels: int, frames: int) -> Generator[NDArray[np.float32]]:
    """Blocks [shape=(channels, n)] of so many frames in all: what is over is cut off, what is missing is silence."""
    left = frames
    for block in blocks:
        if not left:
            return
        piece = block[:, :left]
        left -= piece.shape[1]
        if piece.shape[1]:
            yield piece
    while left:
        silence = np.zeros((channels, min(left, _SILENCE)), np.float32)
        left -= silence.shape[1]
        yield silence


def regrouped(blocks: Iterable[NDArray[np.float32]], size: int) -> Generator[NDArray[np.float32]]:
    """Blocks of ``size`` frames, the last one shorter, from blocks of any size.

    Parameters
    ----------
    blocks
        Arrays [shape=(channels, n)].
    size
        Frames in each array that is given out.

    Yields
    ------
    np.ndarray [shape=(channels, size)]
        Fresh, contiguous arrays.
    """
    filling: NDArray[np.float32] | None = None
    filled = 0
    for block in blocks:
        taken = 0
        while taken < block.shape[1]:
            if filling is None:
                filling = np.empty((block.shape[0], size), np.float32)
                filled = 0
            count = min(size - filled, block.shape[1] - taken)
            filling[:, filled : filled + count] = block[:, taken : taken + count]
            filled += count
            taken += count
            if filled == size:
                yield filling
                filling = None
    if filling is not None:
        yield np.ascontiguousarray(filling[:, :filled])
