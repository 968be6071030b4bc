"""The best way through a table: one state for each step, where changing state has its price (Viterbi)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_path"]


def best_path(score: NDArray[np.float64], price: NDArray[np.float64]) -> NDArray[np.intp]:
    """The state of each step, so that the scores less the prices of all changes are most.

    Any state may follow any other at the same price, so a step costs no more than its states, not their square.

    Parameters
    ----------
    score
        Of each state in each step [shape=(n, states)].
    price
        Of a change to another state at each step, in units of the score [shape=(n,)].

    Returns
    -------
    ndarray
        [shape=(n,)]; where to stay and to change are worth the same, it stays.
    """
    count, states = score.shape
    stay = np.arange(states)
    back = np.zeros((count, states), np.intp)
    total = score[0].copy()
    for step in range(1, count):
        best = int(total.argmax())
        moved = total[best] - price[step]
        keep = total >= moved
        back[step] = np.where(keep, stay, best)
        total = np.where(keep, total, moved) + score[step]
    path = np.zeros(count, np.intp)
    path[-1] = int(total.argmax())
    for step in range(count - 1, 0, -1):
        path[step - 1] = back[step, path[step]]
    return path
