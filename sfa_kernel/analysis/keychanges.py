"""Where a song changes its key for good.

Bar by bar, how much sounds outside each of the twelve scales; the cheapest path through them, where a change
has its price (a Viterbi path after Chai & Vercoe, "Detection of Key Change in Classical Piano Music", 2005). A
borrowed chord or a phrase in another key is cheaper borne than left and come back to. Relative keys share a
scale, so going from verse to chorus between them is no change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.paths import best_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.chords import Steps

__all__ = ["scale_stretches"]

_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
_STEPS_OF_A_BAR = 4  # where no bar is known
_PRICE, _PRICE_AT_PHRASE = 1.0, 0.9  # bars that would have to lie wholly outside the old scale


def scale_stretches(steps: Steps, tonal: NDArray[np.bool_], phrase: int) -> list[tuple[int, int, int]]:
    """Stretches of the song that stay within one scale.

    Parameters
    ----------
    steps
        Of the song.
    tonal
        Whether a chord sounds in each step: the others say nothing about the key [shape=(n,)].
    phrase
        The first bar of a phrase of four: where nothing else decides, keys change there.

    Returns
    -------
    list of tuple
        First and last step (exclusive), and the pitch class on which the major scale stands.
    """
    count = len(steps.chroma)
    edges = steps.bars
    if len(edges) < count / 16:
        edges = np.arange(0, count, _STEPS_OF_A_BAR)
    edges = np.unique(np.concatenate([[0], edges, [count]]))
    price = np.where(np.isin(edges[:-1], steps.bars[phrase::4]), _PRICE_AT_PHRASE, _PRICE)
    path = best_path(-_outside(steps, tonal, edges), price)
    firsts = np.flatnonzero(np.diff(path, prepend=-1))
    return [
        (int(edges[first]), int(edges[last]), int(path[first]))
        for first, last in zip(firsts, [*firsts[1:], len(path)], strict=True)
    ]


def _outside(steps: Steps, tonal: NDArray[np.bool_], edges: NDArray[np.intp]) -> NDArray[np.float64]:
    """Share of each bar's sound that lies outside each scale, less what always does [shape=(bars, 12)]."""
    loudness = steps.chroma.sum(axis=1)
    loud = float(np.percentile(loudness, 90)) if len(loudness) else 0.0
    weight = np.minimum(1.0, loudness / max(1e-12, 0.5 * loud)) * np.diff(steps.edges) * tonal
    share = steps.chroma / np.maximum(loudness, 1e-12)[:, None] * weight[:, None]
    bars = np.add.reduceat(share, edges[:-1], axis=0) / np.median(np.add.reduceat(np.diff(steps.edges), edges[:-1]))
    outside = bars @ _OUTSIDE.T
    result: NDArray[np.float64] = outside - outside.min(axis=1, keepdims=True)
    return result


_OUTSIDE = np.array([[(pitch - tonic) % 12 not in _MAJOR_SCALE for pitch in range(12)] for tonic in range(12)], float)
