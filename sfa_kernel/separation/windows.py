"""Long files in bounded memory: overlapping windows whose results are cross-faded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["split_long"]

Array = np.ndarray[Any, np.dtype[Any]]

_STRIDE = 60.0  # s from one window to the next
_LAP = 4.0  # s that two windows share
_MARGIN = 1.0  # s at each end of the lap where the window at its edge is not listened to
_FRAMES = 48000 * 60  # a window's stride in frames is kept below this, whatever the sample rate


class SplitWindow(Protocol):
    """Splits one window, as `sfa_kernel.separation.draft.split` does."""

    def __call__(self, samples: Array, sample_rate: int, *, at: Callable[[float], None]) -> Iterator[Array]:
        """Pieces of the stems [shape=(stems, channels, m)] that join without a gap."""


def split_long(
    blocks: Iterator[Array], sample_rate: int, split: SplitWindow, *, at: Callable[[float], None]
) -> Iterator[Array]:
    """Split a song of any length.

    A song of up to 94 seconds is one window. Of a longer one, windows of 64 seconds (the last up to 94) overlap
    by four, and each is faded into the next with weights that add up to one: no seam, and the sum of the stems
    stays what it was.

    Parameters
    ----------
    blocks : float32 [shape=(channels, n)] each
        The song in order.
    sample_rate
        [Hz]
    split
        What splits one window.
    at
        Called with the number of frames that are done.

    Yields
    ------
    np.ndarray, float32 [shape=(stems, channels, m)]
        The stems, piece after piece.
    """
    stride = min(round(_STRIDE * sample_rate), _FRAMES)
    lap = round(_LAP * sample_rate)
    margin = round(_MARGIN * sample_rate)
    fade = np.clip((np.arange(lap) + 0.5 - margin) / (lap - 2 * margin), 0, 1).astype(np.float32)

    waiting: list[Array] = []
    have = 0
    first = 0
    leaving: Array | None = None
    while True:
        # A look ahead of half a window tells whether the rest of the song fits into this one.
        while have <= stride * 3 // 2 + lap and (block := next(blocks, None)) is not None:
            waiting.append(block)
            have += block.shape[1]
        if have == 0:
            return
        held = np.concatenate(waiting, axis=1)
        last = have <= stride * 3 // 2 + lap
        window = held if last else held[:, : stride + lap]
        kept = have if last else stride

        entering, leaving = leaving, None
        position = 0
        for piece in split(window, sample_rate, at=partial(_reached, at, first, kept)):
            end = position + piece.shape[2]
            if entering is not None and position < lap:
                count = min(lap, end) - position
                weight = fade[position : position + count]
                piece[:, :, :count] *= weight
                piece[:, :, :count] += (1 - weight) * entering[:, :, position : position + count]
            if end > kept:
                if leaving is None:
                    leaving = np.zeros((*piece.shape[:2], lap), np.float32)
                cut = max(0, kept - position)
                leaving[:, :, position + cut - kept : end - kept] = piece[:, :, cut:]
                piece = piece[:, :, :cut]
            if piece.shape[2]:
                yield piece
            position = end
        if last:
            return
        waiting = [held[:, stride:].copy()]  # a view would keep all of it
        have -= stride
        first += stride


def _reached(at: Callable[[float], None], first: int, frames: int, share: float) -> None:
    at(first + share * frames)
