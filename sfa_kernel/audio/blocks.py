"""Blocks of samples on their way: mixed to mono, regrouped to one size, freed of what is no sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from numpy.typing import NDArray

__all__ = ["mixed", "regrouped", "silence_damage"]

# Float files may hold NaN, infinities, or garbage near the end of the float range whose square overflows. Sound
# stays far below this bound, even when scaled like 32-bit integers.
_SOUND_LIMIT = np.float32(1e10)


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
