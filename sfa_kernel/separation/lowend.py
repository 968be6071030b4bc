"""Kick and bass, which share the lowest octaves: learned from the song itself and told apart.

A frame of 93 ms cannot resolve a kick's 50 Hz from a bass's 55. But a drum sounds the same each time it is hit
while the notes under it change, and a bass is a row of partials over one moving pitch. Both patterns are
gathered from the song, as quantiles over many hits and notes, so that what happens to sound with them drops out.

References
----------
.. [1] K. Yoshii, M. Goto and H. G. Okuno, "Automatic drum sound description for real-world music using template
   adaptation and matching methods", ISMIR 2004.
.. [2] D. J. Hermes, "Measurement of pitch by subharmonic summation", J. Acoust. Soc. Am. 83(1), 1988.
.. [3] M. Goto, "A real-time music-scene-description system: predominant-F0 estimation for detecting melody and
   bass lines in real-world audio signals", Speech Communication 43(4), 2004.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sfa_kernel.separation.spectra import Grid

__all__ = ["bass_line", "drum_hits"]

Array = np.ndarray[Any, np.dtype[Any]]

_EPS = np.float32(1e-9)

_KINDS = 6  # families of hits looked at; few drums have a body in the bass's range: kick, snare, toms
_FEWEST = 4  # hits that show a pattern
_LEAD = 3  # frames of a hit before its steepest rise

_LOWEST, _HIGHEST = 30.0, 220.0  # Hz, range of the bass's pitch
_STEPS = 36  # pitches tried in an octave
_PARTIALS = 8  # that speak for a pitch
_FUNDAMENTALS = 260.0  # Hz; partials below tell how loud the bass is


def drum_hits(low: Array, grid: Grid) -> Array:
    """Magnitude of the drums in the bass's range.

    Hits that decay at once are grouped by likeness; a low quantile over a group is the drum itself [1]_. Then
    each hit, also one with a bass note under it, is given the drum that explains most of it.

    Parameters
    ----------
    low : [shape=(frames, bands)]
        Magnitude of the mix up to some 250 Hz.
    grid
        The grid it is on.

    Returns
    -------
    np.ndarray [shape=(frames, bands)]
        Magnitude of the drums, 0 between hits.
    """
    after = round(0.32 * grid.rate)
    out = np.zeros_like(low)
    onsets = _onsets(low)
    onsets = onsets[(onsets >= _LEAD) & (onsets < len(low) - after)]
    if len(onsets) < _FEWEST:
        return out
    hits = np.stack([low[t - _LEAD : t + after] for t in onsets])
    early = hits[:, _LEAD + 1 : _LEAD + 3].mean(axis=(1, 2)) + _EPS
    late = hits[:, _LEAD + 4 : _LEAD + 7].mean(axis=(1, 2))
    flat = hits.reshape(len(hits), -1)
    flat = flat / (np.linalg.norm(flat, axis=1, keepdims=True) + _EPS)
    alike = flat @ flat.T > 0.8
    unexplained = late < 0.75 * early
    explained = np.zeros(len(hits))
    drums = np.zeros_like(hits)
    attack = slice(_LEAD, _LEAD + 5)
    for _ in range(_KINDS):
        kin = (alike & unexplained).sum(axis=1) * unexplained
        centre = int(np.argmax(kin))
        if kin[centre] < _FEWEST:
            break
        family = alike[centre] & unexplained
        drum = np.quantile(hits[family] / early[family, None, None], 0.3, axis=0).astype(np.float32)
        heavy = drum[attack] > 0.3 * drum.max()
        sustain = drum[_LEAD + 4 : _LEAD + 7].mean() / (drum[_LEAD + 1 : _LEAD + 3].mean() + _EPS)
        # A plucked note fades like a long kick; but notes change, and a kick is most of what happens down here.
        longest = 0.75 if family.sum() > 0.35 * len(hits) else 0.5
        if sustain > longest or not heavy.any():
            unexplained &= ~family
            continue
        # What sounds besides a drum only adds to it, so its level is found where there is least besides.
        gain = np.quantile(hits[:, attack][:, heavy] / drum[attack][heavy], 0.4, axis=1)
        usual = np.median(gain[family])
        taken = gain > 0.35 * usual
        unexplained &= ~(taken | family)
        energy = np.where(taken, gain, 0) ** 2 * np.vdot(drum, drum)
        better = energy > explained
        explained[better] = energy[better]
        drums[better] = np.minimum(gain[better], 1.5 * usual)[:, None, None] * drum
    for t, drum in zip(onsets, drums, strict=True):
        span = out[t - _LEAD : t + after]
        np.maximum(span, drum, out=span)
    return out


def _onsets(low: Array) -> Array:
    """Frames in which the level rises most steeply."""
    if len(low) < 3:
        return np.zeros(0, np.intp)
    rise = np.pad(np.maximum(0, low[2:] - low[:-2]).sum(axis=1), 1)
    reach = 4
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(rise, reach), 2 * reach + 1).max(axis=1)
    return np.flatnonzero((rise >= highest) & (rise > 0.25 * np.percentile(low.sum(axis=1), 90)))


def bass_line(low: Array, grid: Grid) -> Array:
    """Magnitude of the bass with its upper partials.

    The pitch is where a row of partials holds most [2]_, followed over time by dynamic programming [3]_. How
    strong each partial is beside the fundamentals is a low quantile over the song.

    Parameters
    ----------
    low : [shape=(frames, bins)]
        Magnitude of what is no drum, in single bins from 0 Hz to some 1.5 kHz.
    grid
        The grid it is on.

    Returns
    -------
    np.ndarray [shape=(frames, bins)]
        Magnitude of the bass.
    """
    out = np.zeros_like(low)
    bins = low.shape[1]
    pitch = _pitch(low, grid)
    partials = np.arange(1, int(bins * grid.width / _LOWEST) + 1)
    places = pitch[:, None] * partials / grid.width  # [bins]
    nearest = np.minimum(np.rint(places).astype(np.intp), bins - 1)
    inside = places < bins - 3
    level = np.where(inside, np.take_along_axis(low, nearest, axis=1), 0)
    loudness = np.sqrt(np.sum(np.where(places * grid.width < _FUNDAMENTALS, level, 0) ** 2, axis=1))
    sounding = loudness > 0.3 * np.percentile(loudness, 90)
    for k in range(len(partials)):
        heard = sounding & inside[:, k]
        if heard.sum() < 8:
            continue
        share = np.quantile(level[heard, k] / loudness[heard], 0.25)
        frames = np.flatnonzero(inside[:, k])
        for offset in (-2, -1, 0, 1, 2):
            at = nearest[frames, k] + offset
            lobe = np.cos(np.pi / 2 * np.clip((at - places[frames, k]) / 2.2, -1, 1)) ** 2
            at = np.maximum(at, 0)
            out[frames, at] = np.maximum(out[frames, at], share * loudness[frames] * lobe)
    return out


def _pitch(low: Array, grid: Grid) -> Array:
    """Pitch of the bass in each frame [Hz]."""
    count, bins = low.shape
    octaves = np.log2(_HIGHEST / _LOWEST)
    candidates = _LOWEST * 2 ** (np.arange(int(_STEPS * octaves)) / _STEPS)
    places = candidates / grid.width
    at = np.arange(bins)[:, None]
    comb = np.zeros((bins, len(candidates)), np.float32)
    for k in range(1, _PARTIALS + 1):
        weight = 0.8 ** (k - 1)
        comb += weight * np.clip(1 - np.abs(at - k * places) / 1.6, 0, 1)
        # Energy halfway between the partials speaks for the octave below; too low a pitch has no room between.
        between = np.clip(1 - np.abs(at - (k - 0.5) * places) / 1.6, 0, 1)
        comb -= 0.5 * weight * between * (candidates > 45)
    comb /= np.linalg.norm(comb, axis=0) + _EPS
    salience = np.sqrt(low) @ comb
    salience /= salience.max(axis=1, keepdims=True) + 1e-3 * salience.max() + _EPS

    steps = np.abs(np.subtract.outer(np.arange(len(candidates)), np.arange(len(candidates))))
    cost = np.minimum(0.02 * steps, 0.5).astype(np.float32)
    best = salience[0]
    origin = np.zeros(salience.shape, np.int16)
    row = np.arange(len(candidates))
    for t in range(1, count):
        reached = best - cost
        origin[t] = reached.argmax(axis=1)
        best = reached[row, origin[t]] + salience[t]
    path = np.empty(count, np.intp)
    path[-1] = best.argmax()
    for t in range(count - 1, 0, -1):
        path[t - 1] = origin[t, path[t]]
    return candidates[path]
