"""Downbeats: which beats begin a bar.

Without training, the most telling sign is that chords change there (Davies & Plumbley, "A Spectral
Difference Approach to Downbeat Extraction in Musical Audio", 2006; Papadopoulos & Peeters, "Joint Estimation
of Chords and Downbeats", 2011); accents of kick and bass, and changes of texture, add to it. A path through
the positions of the bar (Viterbi) keeps the count and lets it slip only on lasting evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.means import interval_means, means_around

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.metre import Reading
    from sfa_kernel.analysis.onsets import Onsets

__all__ = ["find_downbeats"]

_SLIP = 25.0  # cost of a bar with a beat too many or too few, in standard deviations of evidence
_READ = 1.0  # standard deviations of evidence that the reading of the whole song adds to its downbeats


def find_downbeats(
    beats: NDArray[np.float64],
    onsets: Onsets,
    chroma: Chroma,
    level: NDArray[np.float32],
    reading: Reading,
    first: int,
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """How much speaks for a downbeat on each beat, and the indices of the beats that begin a bar.

    Parameters
    ----------
    beats
        In seconds.
    onsets, chroma
        Of the song.
    level
        Compressed bands [shape=(frames, bands)] at the onsets' rate.
    reading
        How the whole song is best heard.
    first
        Index of the first beat in that reading, whose bars begin at multiples of their length.

    Returns
    -------
    evidence : ndarray
        In standard deviations [shape=(n,)].
    indices : ndarray
    """
    bar = reading.bar
    if len(beats) < 5:
        return np.zeros(len(beats)), np.arange((-first) % bar, len(beats), bar)
    evidence = _evidence(beats, onsets, chroma, level)
    read = (np.arange(len(beats)) + first) % bar == 0
    evidence += np.where(read, _READ, 0.0)
    return evidence, np.flatnonzero(_count(evidence, bar) == 0)


def _evidence(
    beats: NDArray[np.float64], onsets: Onsets, chroma: Chroma, level: NDArray[np.float32]
) -> NDArray[np.float64]:
    """For each beat, how much speaks for a downbeat, in standard deviations."""
    edges = np.append(beats, 2 * beats[-1] - beats[-2])
    harmony = interval_means(chroma.frames, chroma.rate, edges)
    texture = interval_means(level, onsets.rate, edges)
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


def _change(harmony: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """Cosine distance between the harmony after and before each beat."""
    ahead, behind = means_around(harmony, span)
    norms = np.linalg.norm(ahead, axis=1) * np.linalg.norm(behind, axis=1)
    products = np.einsum("ij,ij->i", ahead, behind)
    return np.where(norms > 1e-9, 1 - products / np.maximum(norms, 1e-9), 0.0)


def _difference(texture: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    ahead, behind = means_around(texture, span)
    distance: NDArray[np.float64] = np.linalg.norm(ahead - behind, axis=1)
    return distance


def _at(strength: NDArray[np.float64], rate: float, beats: NDArray[np.float64]) -> NDArray[np.float64]:
    index = np.clip(np.round(beats * rate).astype(int), 2, max(2, len(strength) - 3))
    result: NDArray[np.float64] = np.stack([strength[index + shift] for shift in (-2, -1, 0, 1)]).max(axis=0)
    return result


def _count(evidence: NDArray[np.float64], bar: int) -> NDArray[np.intp]:
    """Most likely position in the bar of each beat."""
    # plain lists: a numpy call for each beat would take ten times as long
    score = [0.0] * bar
    slips: list[dict[int, int]] = []
    for value in evidence.tolist():
        best = max(score)
        onward = [score[-1], *score[:-1]]
        slipped: dict[int, int] = {}
        if best - _SLIP > min(onward):
            source = score.index(best)
            for position, known in enumerate(onward):
                if best - _SLIP > known:
                    slipped[position] = source
                    onward[position] = best - _SLIP
        onward[0] += value
        score = onward
        slips.append(slipped)
    position = score.index(max(score))
    path = np.zeros(len(evidence), np.intp)
    for beat in range(len(evidence) - 1, -1, -1):
        path[beat] = position
        position = slips[beat].get(position, (position - 1) % bar)
    return path
