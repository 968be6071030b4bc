"""Beats: where in time a pulse falls, on the attack of the notes.

Where the tempo is free, beats are the path that dynamic programming finds (Ellis, "Beat Tracking by Dynamic
Programming", 2007) around a local tempo, which is itself the best path through a tempogram (Grosche & Mueller,
"Extracting Predominant Local Pulse Information from Music Recordings", 2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = [
    "LATENCY",
    "LocalTempo",
    "attack_offset",
    "best_phase",
    "local_tempo",
    "sampled",
    "settle",
    "smooth",
    "track",
]

LATENCY = -0.006
"""Seconds by which the peak of onset strength follows the attack; it leads, for the window reaches ahead."""

_WINDOW, _HOP = 8.0, 2.0  # seconds of the tempogram
_REACH = 0.47  # octaves either way that the tempo may move: less than one in all, so that it cannot fold over
_STEP = 0.006  # of the tempogram's axis, as a share of the tempo
_SUBDIVISIONS = (1, 2, 4)
_WEIGHT = 12.0  # of the share of onsets that a tempo explains in a window
_MOVE, _JUMP = 25.0, 4.0  # cost of a tempo that moves, per octave, and the most that a move costs
_BATCH = 256  # windows at once


@dataclass(frozen=True)
class LocalTempo:
    """The tempo around each moment.

    Parameters
    ----------
    times
        Centres of the windows, in seconds [shape=(n,)].
    tempi
        Beats per minute [shape=(n,)].
    evidence
        Onset strength in each window that the tempo explains [shape=(n,)].
    """

    times: NDArray[np.float64]
    tempi: NDArray[np.float64]
    evidence: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Beats per minute, weighted by the evidence."""
        total = float(self.evidence.sum())
        return float(self.tempi @ self.evidence) / total if total > 0 else float(self.tempi.mean())

    def strays(self, tempo: float) -> float:
        """Share of the evidence, 0..1, that lies at another tempo."""
        total = float(self.evidence.sum())
        away = np.abs(self.tempi / tempo - 1) > 0.5 * _STEP
        return float(self.evidence[away].sum()) / total if total > 0 else 0.0


def local_tempo(strength: NDArray[np.float64], rate: float, tempo: float) -> LocalTempo:
    """The path of the tempo through a song.

    Parameters
    ----------
    strength
        Of the onsets [shape=(frames,)].
    rate
        Frames per second.
    tempo
        Beats per minute: where to look, half an octave up and down.
    """
    strength, rate = _halved(strength), rate / 2
    width = min(len(strength), int(_WINDOW * rate))
    hop = int(_HOP * rate)
    padded = np.concatenate([np.zeros(width // 2), strength, np.zeros(width)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)[: len(strength) : hop]
    steps = np.arange(-round(_REACH * np.log(2) / _STEP), round(_REACH * np.log(2) / _STEP) + 1)
    tempi = tempo * np.exp(_STEP * steps)
    time = np.arange(width) / rate
    window = np.hanning(width + 2)[1:-1]
    turns = np.outer(time, np.concatenate([tempi / 60 * multiple for multiple in _SUBDIVISIONS]))
    waves = np.exp(-2j * np.pi * turns).astype(np.complex64)
    waves *= window[:, None].astype(np.float32)
    explained = np.zeros((len(windows), len(tempi)), np.float32)
    for start in range(0, len(windows), _BATCH):
        part = windows[start : start + _BATCH].astype(np.float32)
        magnitude = np.abs(part @ waves.real.copy() + 1j * (part @ waves.imag.copy()))
        explained[start : start + _BATCH] = magnitude.reshape(len(part), len(_SUBDIVISIONS), -1).sum(axis=1)
    heard = windows @ window
    typical = float(np.percentile(heard, 75)) if len(heard) else 0.0
    floor = np.maximum(np.maximum(heard, 0.25 * typical), 1e-9).astype(np.float32)
    share: NDArray[np.float32] = (np.float32(_WEIGHT) * explained / floor[:, None]).astype(np.float32)
    path = _best_path(share)
    evidence = explained[np.arange(len(path)), path].astype(np.float64)
    return LocalTempo(np.arange(len(path)) * hop / rate, tempi[path], evidence)


def track(strength: NDArray[np.float64], rate: float, tempo: LocalTempo, tightness: float) -> NDArray[np.float64]:
    """Ellis's recursion around a moving period, a block of frames at a time.

    Within a block no beat depends on another, for none is less than three quarters of a period back.

    Parameters
    ----------
    strength
        Of the onsets [shape=(frames,)].
    rate
        Frames per second.
    tempo
        Around which to look for beats.
    tightness
        What a squared logarithmic deviation from it costs, in units of onset strength.

    Returns
    -------
    ndarray
        Times in seconds.
    """
    frames = len(strength)
    local = np.convolve(strength, [0.25, 0.5, 0.25], mode="same")
    local = local / max(float(local.std()), 1e-9)
    furthest = int(np.ceil(1.34 * rate * 60 / float(tempo.tempi.min()))) + 1
    score = np.zeros(frames + furthest)  # preceded by as much silence as the longest lag
    back = np.full(frames, -1)
    start, lag = 0, 0.0
    while start < frames:
        wanted = rate * 60 / float(np.interp(start / rate, tempo.times, tempo.tempi))
        if wanted != lag:
            lag = wanted
            lags = np.arange(max(1, int(0.75 * lag)), int(np.ceil(1.34 * lag)) + 1)
            penalty = tightness * np.log(lags / lag) ** 2
        here = np.arange(start, min(start + int(lags[0]), frames))
        before = here[:, None] - lags[None, :]
        options = score[before + furthest] - penalty
        if start < furthest:
            options[before < 0] = -np.inf
        best = options.argmax(axis=1)
        value = options[np.arange(len(here)), best]
        known = value > 0
        score[here + furthest] = local[here] + np.where(known, value, 0.0)
        back[here[known]] = here[known] - lags[best[known]]
        start += len(here)
    # the last beat is the best end within the final two periods
    tail = int(max(0, frames - 2 * lag))
    frame = tail + int(np.argmax(score[tail + furthest :]))
    path = []
    while frame >= 0:
        path.append(frame)
        frame = int(back[frame])
    return np.array(path[::-1]) / rate


def settle(
    strength: NDArray[np.float64], rate: float, times: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each time on the onset peak next to it, and how much that peak is to be trusted.

    Parameters
    ----------
    strength
        Attacks [shape=(frames,)].
    rate
        Frames per second.
    times
        In seconds [shape=(n,)].
    """
    steps = np.arange(-0.03, 0.0301, 0.002)
    around = sampled(strength, rate, (times[:, None] + steps).ravel()).reshape(len(times), len(steps))
    top = around.argmax(axis=1)
    peak = around[np.arange(len(times)), top]
    # a maximum at the edge is the flank of something else
    inner = (top > 0) & (top < len(steps) - 1)
    shift = np.where(inner, steps[top], 0.0)
    left, right = (around[np.arange(len(times)), np.clip(top + k, 0, len(steps) - 1)] for k in (-1, 1))
    bend = left - 2 * peak + right
    shift += np.where(inner & (bend < -1e-9), 0.5 * (left - right) / np.minimum(bend, -1e-9) * 0.002, 0.0)
    return times + shift, np.where(inner, np.sqrt(peak), 0.0) + 1e-3


def smooth(times: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each time on the line through its eight neighbours, the nearer and the surer the more they count."""
    if len(times) < 4:
        return times
    reach = 4
    x = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (x / 2.0) ** 2)
    pad = (reach, reach)
    w = np.lib.stride_tricks.sliding_window_view(np.pad(weight, pad), 2 * reach + 1) * bell
    y = np.lib.stride_tricks.sliding_window_view(np.pad(times, pad), 2 * reach + 1) - times[:, None]
    total = w.sum(axis=1)
    mean_x, mean_y = (w @ x) / total, (w * y).sum(axis=1) / total
    slope = ((w * y) @ x / total - mean_x * mean_y) / np.maximum((w @ x**2) / total - mean_x**2, 1e-12)
    result: NDArray[np.float64] = times + mean_y - slope * mean_x
    return result


def best_phase(strength: NDArray[np.float64], rate: float, period: float) -> float:
    """The phase, in seconds, at which most onsets of a constant pulse fall."""
    bins = max(16, round(period * rate * 2))
    position = np.arange(len(strength)) / (rate * period) % 1.0 * bins
    index = position.astype(int) % bins
    share = position - np.floor(position)
    following = (index + 1) % bins
    sums = np.bincount(index, strength * (1 - share), bins) + np.bincount(following, strength * share, bins)
    counts = np.bincount(index, 1 - share, bins) + np.bincount(following, share, bins)
    fold = sums / np.maximum(counts, 1e-9)
    soft = 0.25 * np.roll(fold, 1) + 0.5 * fold + 0.25 * np.roll(fold, -1)
    return float(np.argmax(soft)) / bins * period


def attack_offset(strength: NDArray[np.float64], rate: float, times: NDArray[np.float64], reach: float = 0.04) -> float:
    """Shift, in seconds, that puts the times on the peak of the onsets around them."""
    if not len(times):
        return 0.0
    steps = np.arange(-reach, reach + 1e-9, 0.001)
    profile = np.array([sampled(strength, rate, times + step).mean() for step in steps])
    top = int(np.argmax(profile))
    near = slice(max(0, top - 12), top + 13)
    weight = np.maximum(profile[near] - 0.5 * profile[top], 0.0)
    return float((steps[near] * weight).sum() / weight.sum()) if weight.sum() > 0 else 0.0


def sampled(strength: NDArray[np.float64], rate: float, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """A series at any times, 0 outside of it."""
    return np.interp(times * rate, np.arange(len(strength)), strength, left=0.0, right=0.0)


def _halved(strength: NDArray[np.float64]) -> NDArray[np.float64]:
    even = strength[: len(strength) // 2 * 2]
    return even[::2] + even[1::2]


def _best_path(score: NDArray[np.float32]) -> NDArray[np.intp]:
    """Through the columns of a table, row by row, at a cost for moving."""
    rows, columns = score.shape
    distance = np.abs(np.arange(columns)[:, None] - np.arange(columns)) * (_STEP / np.log(2))
    cost = np.minimum(_MOVE * distance, _JUMP).astype(np.float32)
    total = score[0].copy() if rows else np.zeros(columns, np.float32)
    back = np.zeros((rows, columns), np.int16)
    for row in range(1, rows):
        options = total[None, :] - cost
        back[row] = options.argmax(axis=1)
        total = options[np.arange(columns), back[row]] + score[row]
        total -= total.max()
    path = np.zeros(rows, np.intp)
    if rows:
        path[-1] = int(total.argmax())
    for row in range(rows - 1, 0, -1):
        path[row - 1] = back[row, path[row]]
    return path
