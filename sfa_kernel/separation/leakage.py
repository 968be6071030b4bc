"""How much of each stem is heard in the others, estimated without knowing the true ones."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Leakage"]

Array = np.ndarray[Any, np.dtype[Any]]

FLOOR = -40.0  # dB, under which nothing can be told


class Leakage:
    """Estimate, a second at a time, of what the stems hold of each other.

    Parameters
    ----------
    count
        Of stems.
    sample_rate
        [Hz]
    """

    def __init__(self, count: int, sample_rate: int) -> None:
        self._count = count
        self._size = 1 << max(6, round(np.log2(0.0465 * sample_rate)))
        width = sample_rate / self._size
        edges = np.unique(np.round(np.geomspace(100, min(16000.0, 0.45 * sample_rate), 25) / width).astype(int))
        self._edges = np.concatenate([[1], edges[edges > 4]])
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._leaked = np.zeros((count, count))
        self._own = np.zeros(count)
        self._before: Array | None = None  # gains and powers of the second before

    def add(self, stems: Array) -> None:
        """Take in a second of the stems [shape=(stems, channels, n)]."""
        from scipy.fft import rfft

        channels, n = stems.shape[1:]
        frames = n // self._size
        if frames < 4 or self._count < 2:
            return
        # One channel a frame, in turn: all are heard, and the work is that of one.
        cut = stems[:, :, : frames * self._size].reshape(self._count, channels, frames, self._size)
        cut = np.stack([cut[:, frame % channels, frame] for frame in range(frames)], axis=1)
        spectra = rfft(cut * self._window, axis=2)
        gains = np.zeros((len(self._edges) - 1, self._count, self._count), np.complex128)
        powers = np.zeros((len(gains), self._count))
        for band, (low, high) in enumerate(zip(self._edges[:-1], self._edges[1:], strict=True)):
            cells = spectra[:, :, low:high].reshape(self._count, -1)
            powers[band] = np.mean(cells.real**2 + cells.imag**2, axis=1)
            gains[band] = _gains(cells)
        self._own += powers.sum(axis=0)
        if self._before is not None:
            shared = np.real(gains * np.conj(self._before))
            self._leaked += np.einsum("bij,bj->ij", shared, powers)
        self._before = gains

    def result(self, heard: Array) -> list[tuple[float | None, int | None]]:
        """Leakage into each stem [dB] and the stem that most of it is from.

        Parameters
        ----------
        heard : bool [shape=(stems,)]
            Which stems are more than silence.
        """
        out: list[tuple[float | None, int | None]] = []
        for row, leaked in enumerate(self._leaked):
            if not heard[row] or self._own[row] <= 0:
                out.append((None, None))
                continue
            share = np.maximum(leaked, 0) / self._own[row]
            total = float(share.sum())
            if total <= 10 ** (FLOOR / 10):
                out.append((FLOOR, None))
            else:
                out.append((min(0.0, 10 * float(np.log10(total))), int(np.argmax(share))))
        return out


def _gains(cells: Array) -> Array:
    """Gain of each stem in each other [shape=(count, count)] from the cells of a band [shape=(count, cells)]."""
    count = len(cells)
    out = np.zeros((count, count), np.complex128)
    power = cells.real**2 + cells.imag**2
    for row in range(count):
        others = [j for j in range(count) if j != row and power[j].any()]
        if not others or not power[row].any():
            continue
        left = cells[row]
        for _ in range(2):
            weight = 1 / np.sqrt(left.real**2 + left.imag**2 + 1e-3 * power[row].mean())
            weighted = cells[others].conj() * weight
            gram = weighted @ cells[others].T
            gram[np.diag_indices(len(others))] *= 1 + 1e-3
            gain = np.linalg.solve(gram, weighted @ cells[row])
            left = cells[row] - gain @ cells[others]
        out[row, others] = gain
    return out
