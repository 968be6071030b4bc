"""Matrix products that stay in one thread.

BLAS starts a thread on every core from a few hundred thousand multiplications on. For the products of an
analysis, each a fraction of a millisecond, the threads mostly wait for each other, in loops that burn the
processor other analyses could use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["product"]

_MOST = 1 << 18  # multiplications in one call: OpenBLAS's limit for a single thread


def product(rows: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """``rows @ matrix``, a few rows at a time.

    Parameters
    ----------
    rows
        [shape=(n, k)].
    matrix
        [shape=(k, m)].

    Returns
    -------
    ndarray
        [shape=(n, m)].
    """
    step = max(2, _MOST // max(1, matrix.size))
    whole = len(rows) // step * step
    result = np.empty((len(rows), matrix.shape[1]), np.float32)
    batches = rows[:whole].reshape(-1, step, rows.shape[1])
    np.matmul(batches, matrix, out=result[:whole].reshape(-1, step, matrix.shape[1]))
    np.matmul(rows[whole:], matrix, out=result[whole:])
    return result
