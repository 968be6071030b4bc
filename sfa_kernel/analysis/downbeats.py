"""Downbeats: which beats begin a bar.

Without training, the most telling sign is that chords change there (Davies & Plumbley, "A Spectral
Difference Approach to Downbeat Extraction in Musical Audio", 2006; Papadopoulos & Peeters, "Joint Estimation
of Chords and Downbeats", 2011); accents of kick and bass, and changes of texture, add to it. A path through
the positions of the bar (Viterbi) keeps the count and lets it slip only on lasting evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.onsets import Onsets

__all__ = ["beat_means", "find_downbeats"]

_SLIP = 25.0  # cost of a bar with a beat too many or too few, in standard deviations of evidence
_WALTZ = 1.3  # how much clearer triple time must be than common time


def beat_means(
    frames: NDArray[np.float32] | NDArray[np.float64], rate: float, times: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean of each interval between times.

    Parameters
    ----------
    frames
        [shape=(frames, features)], frame ``i`` centred on ``i / rate``.
    rate
        Frames per second.
    times
        [shape=(n + 1,)] in seconds.

    Returns
    -------
    ndarray
        [shape=(n, features)].
    """
    total = np.zeros((len(frames) + 1, frames.shape[1]))
    np.cumsum(frames, axis=0, out=total[1:])
    index = np.clip(np.round(times * rate).astype(int), 0, len(frames))
    # an interval shorter than a frame takes the frame it lies in
    first = np.minimum(index[:-1], len(frames) - 1)
    last = np.maximum(index[1:], first + 1)
    means: NDArray[np.float64] = (total[last] - total[first]) / (last - first)[:, None]
    return means


def find_downbeats(
    beats: NDArray[np.float64], onsets: Onsets, chroma: Chroma, level: NDArray[np.float32]
) -> tuple[NDArray[np.intp], int]:
    """Indices of the beats that begin a bar, and the number of beats in a bar.

    Parameters
    ----------
    beats
        In seconds.
    onsets, chroma
        Of the song.
    level
        Compressed bands [shape=(frames, bands)] at the onsets' rate.

    Returns
    -------
    indices : ndarray
    beats_per_bar : int
        4 or 3.
    """
    if len(beats) < 5:
        return np.arange(0, len(beats), 4), 4
    evidence = _evidence(beats, onsets, chroma, level)
    strength = {bar: _periodicity(evidence, bar) for bar in (3, 4)}
    bar = 3 if strength[3] > _WALTZ * strength[4] and len(beats) >= 24 else 4
    return np.flatnonzero(_count(evidence, bar) == 0), bar


def _evidence(
    beats: NDArray[np.float64], onsets: Onsets, chroma: Chroma, level: NDArray[np.float32]
) -> NDArray[np.float64]:
    """For each beat, how much speaks for a downbeat, in standard deviations."""
    edges = np.append(beats, 2 * beats[-1] - beats[-2])
    harmony = beat_means(chroma.frames, chroma.rate, edges)
    texture = beat_means(level, onsets.rate, edges)
    parts = (
        (1.0, _change(harmony, 1)),
        (1.0, _change(harmony, 2)),
        (0.5, _change(harmony, 4)),
        (0.4, _at(onsets.low, onsets.rate, beats)),
        (0.4, _at(onsets.middle, onsets.rate, beats)),
        (0.3, _difference(texture, 1)),
        (0.3, _difference(texture, 4)),
    )
    total = np.zeros(len(beats))
    for weight, values in parts:
        # beside the song's edges there is nothing to compare with
        values[:2] = values[-2:] = values[2:-2].mean() if len(values) > 4 else 0.0
        spread = values.std()
        if spread > 1e-9:
            total += weight * np.clip((values - values.mean()) / spread, -3, 3)
    return total


def _around(values: NDArray[np.float64], span: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means of the ``span`` rows from each row on, and before it."""
    count = len(values)
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    here = np.arange(count)
    after, before = np.minimum(here + span, count), np.maximum(here - span, 0)
    ahead = (total[after] - total[here]) / (after - here)[:, None]
    behind = (total[here] - total[before]) / np.maximum(here - before, 1)[:, None]
    return ahead, behind


def _change(harmony: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """Cosine distance between the harmony after and before each beat."""
    ahead, behind = _around(harmony, span)
    norms = np.linalg.norm(ahead, axis=1) * np.linalg.norm(behind, axis=1)
    products = np.einsum("ij,ij->i", ahead, behind)
    return np.where(norms > 1e-9, 1 - products / np.maximum(norms, 1e-9), 0.0)


def _difference(texture: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    ahead, behind = _around(texture, span)
    distance: NDArray[np.float64] = np.linalg.norm(ahead - behind, axis=1)
    return distance


def _at(strength: NDArray[np.float64], rate: float, beats: NDArray[np.float64]) -> NDArray[np.float64]:
    index = np.clip(np.round(beats * rate).astype(int), 2, max(2, len(strength) - 3))
    result: NDArray[np.float64] = np.stack([strength[index + shift] for shift in (-2, -1, 0, 1)]).max(axis=0)
    return result


def _periodicity(evidence: NDArray[np.float64], bar: int) -> float:
    """How far the best position of the bar stands out: its mean in standard errors."""
    position = np.arange(len(evidence)) % bar
    means = np.bincount(position, evidence, bar) / np.bincount(position, minlength=bar)
    return float(means.max() * np.sqrt(len(evidence) / bar))


def _count(evidence: NDArray[np.float64], bar: int) -> NDArray[np.intp]:
    """Most likely position in the bar of each beat."""
    count = len(evidence)
    score = np.zeros(bar)
    back = np.zeros((count, bar), np.intp)
    for beat in range(count):
        if beat:
            onward = np.roll(score, 1)
            slipped = int(score.argmax())
            slip = score[slipped] - _SLIP > onward
            back[beat] = np.where(slip, slipped, (np.arange(bar) - 1) % bar)
            score = np.where(slip, score[slipped] - _SLIP, onward)
        score[0] += evidence[beat]
    path = np.zeros(count, np.intp)
    path[-1] = int(score.argmax())
    for beat in range(count - 1, 0, -1):
        path[beat - 1] = back[beat, path[beat]]
    return path
