"""Swing: where the notes between the beats fall.

The onsets are folded by the beat (for eighths) and by half the beat (for sixteenths). Straight notes stand in the
middle of the fold, swung ones later; where they stand is read from the peak there, with its height as evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.beats import LATENCY, sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.onsets import Onsets

__all__ = ["SWING_PLACES", "find_swing"]

SWING_PLACES = np.arange(0.42, 0.7201, 0.005)
"""Where an off-beat note may fall, as a share of the way from one note on the beat to the next.

Three quarters of the way is a note of half the length, no swing.
"""

_HEARD = 0.12  # height of the off-beat's peak over that on the beat from which on it counts
_STRAIGHT = 0.015  # eighths that swing less leave the question to the sixteenths
_PLAIN = 0.5


def find_swing(
    onsets: Onsets, beats: NDArray[np.float64], bar: int
) -> tuple[float | None, float, dict[str, NDArray[np.float64]]]:
    """Where off-beat notes fall between their neighbours.

    Parameters
    ----------
    onsets
        Of the song.
    beats
        In seconds.
    bar
        Beats in a bar.

    Returns
    -------
    swing : float or None
        0.5 is straight, 0.667 triplets; None where nothing plays there.
    confidence : float
        0..1.
    profiles : dict
        ``"eighths"`` and ``"sixteenths"``: mean onset strength at `SWING_PLACES`, that on the beat = 1.
    """
    if len(beats) < 9:
        return None, 0.0, {}
    strength = np.minimum(onsets.attack, 8.0) + np.minimum(onsets.total, 12.0) / 3
    halves = 0.5 * (beats[:-1] + beats[1:])
    eighths = _Profile(strength, onsets.rate, beats, bar)
    found = eighths.swing if eighths.height > _HEARD else None
    sixteenths = _Profile(strength, onsets.rate, np.sort(np.concatenate([beats, halves])), 2 * bar)
    profiles = {"eighths": eighths.values, "sixteenths": sixteenths.values}
    if found is not None and abs(found - _PLAIN) > _STRAIGHT:
        return found, eighths.confidence, profiles
    if sixteenths.height > _HEARD and (found is None or abs(sixteenths.swing - _PLAIN) > _STRAIGHT):
        return sixteenths.swing, sixteenths.confidence, profiles
    return found, eighths.confidence if found is not None else 0.0, profiles


class _Profile:
    """Mean onset strength between neighbouring notes on the beat."""

    def __init__(self, strength: NDArray[np.float64], rate: float, notes: NDArray[np.float64], places: int) -> None:
        start, span = notes[:-1, None] + LATENCY, np.diff(notes)[:, None]
        times = start + span * SWING_PLACES
        around = sampled(strength, rate, times.ravel()).reshape(times.shape)
        on = sampled(strength, rate, (start + np.array([-0.01, 0.0, 0.01])).ravel()).reshape(-1, 3).max(axis=1)
        around /= max(float(on.mean()), 1e-9)
        # many rhythms play after some beats of the bar only: each place by itself, and then those that are heard
        table = np.stack([around[place::places].mean(axis=0) for place in range(places)])
        table -= np.percentile(table, 20, axis=1, keepdims=True)
        heard = table.max(axis=1)
        loud = heard > max(_HEARD, 0.4 * float(heard.max()))
        self.values: NDArray[np.float64] = table[loud].mean(axis=0) if loud.any() else table.mean(axis=0)
        self.swing, self.height, self.confidence = _PLAIN, 0.0, 0.0
        # a peak at the edge belongs to a neighbour
        inner = (self.values[1:-1] >= self.values[:-2]) & (self.values[1:-1] > self.values[2:])
        tops = np.flatnonzero(inner) + 1
        if not loud.any() or not len(tops):
            return
        top = int(tops[self.values[tops].argmax()])
        near = slice(max(0, top - 5), top + 6)
        weight = np.maximum(self.values[near] - 0.5 * self.values[top], 0.0)
        self.swing = float((SWING_PLACES[near] * weight).sum() / weight.sum())
        self.height = float(self.values[top])
        others = [float(self.values[other]) for other in tops if abs(SWING_PLACES[other] - self.swing) > 0.05]
        lead = 1 - max(others, default=0.0) / self.height
        # the same place in every quarter of the song
        kept = around[loud[np.arange(len(around)) % places]]
        quarters = [part.mean(axis=0) for part in np.array_split(kept, min(4, len(kept)))]
        found = [float(SWING_PLACES[int(part.argmax())]) for part in quarters if np.ptp(part) > 0.5 * _HEARD]
        agree = float(np.mean(np.abs(np.array(found) - self.swing) < 0.03)) if found else 0.0
        self.confidence = float(np.clip(lead, 0, 1) * agree * np.clip(self.height / 0.5, 0, 1) ** 0.5)
