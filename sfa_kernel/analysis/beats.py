"""Beats: the pulse's times, on the attack of the notes.

Where one tempo explains the whole song the beats are an exact grid. Elsewhere they are the path that
dynamic programming finds (Ellis, "Beat Tracking by Dynamic Programming", 2007), smoothed over neighbouring
beats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.onsets import Onsets
    from sfa_kernel.analysis.tempo import Pulse

__all__ = ["BeatGrid", "track_beats"]

LATENCY = -0.006
"""Seconds by which the peak of onset strength follows the attack; it leads, for the window reaches ahead."""

_STEADY = 0.9  # phase coherence from which on the tempo counts as constant
_TIGHTNESS = 250.0  # cost of a squared log-deviation from the period, in units of onset strength


@dataclass(frozen=True)
class BeatGrid:
    """The beats of a song.

    Parameters
    ----------
    times
        In seconds, rising.
    tempo
        Beats per minute.
    """

    times: NDArray[np.float64]
    tempo: float


def track_beats(onsets: Onsets, pulse: Pulse, start: float, end: float) -> BeatGrid:
    """Beats of a song.

    Parameters
    ----------
    onsets
        Of the song.
    pulse
        The beat's tempo.
    start, end
        Where the song sounds, in seconds: beats lie between.

    Returns
    -------
    BeatGrid
    """
    period = 60 / pulse.tempo
    if pulse.steadiness >= _STEADY:
        phase = _best_phase(onsets.accent, onsets.rate, period)
        count = int(len(onsets.attack) / onsets.rate / period)
        times = phase + period * np.arange(-2.0, count + 3.0)
        times = times + (_offset(onsets.attack, onsets.rate, times) - LATENCY)
        tempo = pulse.tempo
    else:
        times = _dynamic_programming(onsets.total / 3 + onsets.accent / 3, onsets.rate, period)
        times = _smooth(onsets.attack, onsets.rate, times) - LATENCY
        times = _extend(times, start, end, period)
        # over eight beats, so that the jitter of single beats does not matter
        span = min(8, max(1, len(times) - 1))
        tempo = 60 * span / float(np.median(times[span:] - times[:-span])) if len(times) > 1 else pulse.tempo
    inside = (times > start - 0.03) & (times < end)
    return BeatGrid(np.maximum(times[inside], 0.0), tempo)


def _extend(times: NDArray[np.float64], start: float, end: float, period: float) -> NDArray[np.float64]:
    """Continue the beats to both ends of the song at the neighbouring beats' own pace."""
    if not len(times):
        return np.arange(start, end, period)
    first = (times[min(4, len(times) - 1)] - times[0]) / min(4, len(times) - 1) if len(times) > 1 else period
    last = (times[-1] - times[-min(5, len(times))]) / (min(5, len(times)) - 1) if len(times) > 1 else period
    before = times[0] - first * np.arange(int(max(0.0, times[0] - start + 0.03) / first), 0, -1)
    after = times[-1] + last * np.arange(1, int(max(0.0, end - times[-1]) / last) + 1)
    return np.concatenate([before, times, after])


def _sample(strength: NDArray[np.float64], rate: float, times: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(times * rate, np.arange(len(strength)), strength, left=0.0, right=0.0)


def _best_phase(strength: NDArray[np.float64], rate: float, period: float) -> float:
    """The phase, in seconds, at which most onsets of a constant pulse fall."""
    bins = max(16, round(period * rate * 2))
    position = np.arange(len(strength)) / (rate * period) % 1.0 * bins
    index = position.astype(int) % bins
    share = position - np.floor(position)
    following = (index + 1) % bins
    sums = np.bincount(index, strength * (1 - share), bins) + np.bincount(following, strength * share, bins)
    counts = np.bincount(index, 1 - share, bins) + np.bincount(following, share, bins)
    fold = sums / np.maximum(counts, 1e-9)
    smooth = 0.25 * np.roll(fold, 1) + 0.5 * fold + 0.25 * np.roll(fold, -1)
    return float(np.argmax(smooth)) / bins * period


def _offset(strength: NDArray[np.float64], rate: float, times: NDArray[np.float64], reach: float = 0.04) -> float:
    """Shift, in seconds, that puts the times on the peak of the onsets around them."""
    steps = np.arange(-reach, reach + 1e-9, 0.001)
    if not len(times):
        return 0.0
    profile = np.array([_sample(strength, rate, times + step).mean() for step in steps])
    top = int(np.argmax(profile))
    near = slice(max(0, top - 12), top + 13)
    weight = np.maximum(profile[near] - 0.5 * profile[top], 0.0)
    return float((steps[near] * weight).sum() / weight.sum()) if weight.sum() > 0 else 0.0


def _dynamic_programming(strength: NDArray[np.float64], rate: float, period: float) -> NDArray[np.float64]:
    """Ellis's recursion, a block of frames at a time: no beat depends on one less than 0.75 periods back."""
    lag = period * rate
    shortest, longest = max(1, int(0.75 * lag)), int(np.ceil(1.34 * lag))
    lags = np.arange(shortest, longest + 1)
    penalty = _TIGHTNESS * np.log(lags / lag) ** 2
    frames = len(strength)
    local = np.convolve(strength, [0.25, 0.5, 0.25], mode="same")
    local = local / max(float(local.std()), 1e-9)
    score = np.zeros(frames + longest)  # preceded by as much silence as the longest lag
    back = np.full(frames, -1)
    for start in range(0, frames, shortest):
        here = np.arange(start, min(start + shortest, frames))
        before = here[:, None] - lags[None, :]
        options = score[before + longest] - penalty
        options[before < 0] = -np.inf
        best = options.argmax(axis=1)
        value = options[np.arange(len(here)), best]
        known = value > 0
        score[here + longest] = local[here] + np.where(known, value, 0.0)
        back[here[known]] = here[known] - lags[best[known]]
    # the last beat is the best end within the final two periods
    tail = int(max(0, frames - 2 * lag))
    frame = tail + int(np.argmax(score[tail + longest :]))
    path = []
    while frame >= 0:
        path.append(frame)
        frame = int(back[frame])
    return np.array(path[::-1]) / rate


def _smooth(strength: NDArray[np.float64], rate: float, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each beat on a line through its neighbours' onset peaks, weighted by their strength."""
    count = len(times)
    if count < 4:
        return times
    steps = np.arange(-0.03, 0.0301, 0.001)
    around = _sample(strength, rate, (times[:, None] + steps).ravel()).reshape(count, len(steps))
    top = around.argmax(axis=1)
    peak = around[np.arange(count), top]
    times = times + steps[top]
    weight = np.sqrt(peak) + 1e-3
    reach = 4
    result = times.copy()
    for index in range(count):
        window = slice(max(0, index - reach), index + reach + 1)
        x = np.arange(window.start, min(window.stop, count)) - index
        w = weight[window] * np.exp(-0.5 * (x / 2.0) ** 2)
        y = times[window]
        mean_x, mean_y = (w * x).sum() / w.sum(), (w * y).sum() / w.sum()
        slope = (w * (x - mean_x) * (y - mean_y)).sum() / max((w * (x - mean_x) ** 2).sum(), 1e-12)
        result[index] = mean_y - slope * mean_x
    return result
