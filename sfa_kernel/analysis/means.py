"""Means of what is measured over time: of beats, bars and eighths, and of what surrounds each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["interval_means", "means_around"]


def interval_means(
    frames: NDArray[np.float32] | NDArray[np.float64], rate: float, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of each interval between times, without a copy of all frames: a song may last for hours.

    Parameters
    ----------
    frames
        [shape=(frames, features)], frame ``i`` centred on ``i / rate``; at least one.
    rate
        Frames per second.
    times
        In seconds, rising [shape=(n + 1,)].

    Returns
    -------
    ndarray
        [shape=(n, features)]; an interval shorter than a frame takes the frame it lies in.
    """
    index = np.clip(np.round(times * rate).astype(np.intp), 0, len(frames))
    means: NDArray[np.float64] = np.repeat(frames[-1:].astype(np.float64), len(index) - 1, axis=0)
    # what begins after the last frame takes that one; so it does not cut the interval before it short
    inside = int(np.searchsorted(index[:-1], len(frames)))
    if inside:
        first = index[:inside]
        stop = max(int(index[inside]), int(first[-1]) + 1)
        counts = np.maximum(np.diff(np.append(first, stop)), 1)
        means[:inside] = np.add.reduceat(frames[:stop], first, axis=0).astype(np.float64) / counts[:, None]
    return means


def means_around(values: NDArray[np.float64], span: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means of the ``span`` rows from each row on, and of those before it, as far as there are any.

    Parameters
    ----------
    values
        [shape=(n, features)].
    span
        How many rows.

    Returns
    -------
    ahead, behind : ndarray
        [shape=(n, features)]; zero before the first row.
    """
    count = len(values)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    here = np.arange(count)
    after, before = np.minimum(here + span, count), np.maximum(here - span, 0)
    ahead = (total[after] - total[here]) / (after - here)[:, None]
    behind = (total[here] - total[before]) / np.maximum(here - before, 1)[:, None]
    return ahead, behind
