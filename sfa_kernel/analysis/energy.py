"""Energy and danceability: how hard the music drives, and how well it carries a dance.

Energy as DJs use it ranks songs from 1 (calm) to 10 (peak time). There is no standard for it; the number here is
a sum of what listeners hear as energy in dance music, each part rising: loudness, how many onsets a second stand
out, how bright the sound is, how much of it is bass, and tempo. The energy curve is momentary loudness against
the song's own loudest moments.

Danceability (0..1) is a weighted mean of four properties of the beat that listeners agree on:

- pulse clarity: how much the onsets repeat after one beat, as the normalised autocorrelation of the onset
  strength (Lartillot, Eerola, Toiviainen and Fornari, "Multi-feature modeling of pulse clarity", 2008);
- low beats: how much more of the onsets below 160 Hz falls on beats than chance would have it (after Tzanetakis,
  Essl and Cook, "Human perception and computer extraction of musical beat strength", 2002);
- tempo: how near it is to where people prefer to move (Moelants, "Preferred tempo reconsidered", 2002);
- regularity: how little the beats' distances vary.

It was not fitted to dancers' judgements, and the weights are our own: use it to sort a crate, not to judge a song.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.onsets import HIGH_BANDS, LOW_BANDS, Onsets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.spectrum import Features

__all__ = ["DANCEABILITY_WEIGHTS", "danceability_parts", "energy_curve", "energy_parts"]

DANCEABILITY_WEIGHTS = {"pulse clarity": 0.35, "low beats": 0.30, "tempo": 0.20, "regularity": 0.15}

_RANGE = 30.0  # dB from no energy to full energy
_MIDDLE = 5.2  # energy of a song whose parts are all zero: -12 LUFS, 3.5 onsets a second, 115 BPM
_CLEAR = 0.75  # autocorrelation from which a pulse counts as fully clear
_NEAR = 0.035  # s: an onset so near a beat is on it
_UNSTEADY = 0.05  # deviation of the beats' distances at which nothing is left of their regularity
_TEMPI = ((50.0, 95.0, 135.0, 190.0), (0.0, 1.0, 1.0, 0.0))  # BPM, and how well they suit


def energy_curve(features: Features) -> NDArray[np.float32]:
    """Energy over time, 0..1, at the rate of the loudness: 1 is the song's loudest, 0 lies 30 dB below.

    Parameters
    ----------
    features
        Of the song.
    """
    power = features.loudness.momentary
    if not len(power):
        return np.zeros(0, np.float32)
    level = 10 * np.log10(power + 1e-12)
    top = float(np.percentile(level, 98))
    if top < -70:
        return np.zeros(len(power), np.float32)
    return np.clip(1 + (level - top) / _RANGE, 0, 1).astype(np.float32)


def energy_parts(features: Features, onsets: Onsets, tempo: float | None) -> dict[str, float]:
    """What makes the energy; their sum, rounded and held within 1 to 10, is the energy.

    Parameters
    ----------
    features, onsets
        Of the song.
    tempo
        In beats per minute; counted as 90 where nothing pulses.

    Returns
    -------
    dict
        ``"middle"``, the energy of an ordinary song, and what loudness, onsets, brightness, bass and tempo add or
        take away. Each rises with what it is named after. Empty for silence.
    """
    loudness = features.loudness.integrated
    if loudness is None or not len(onsets.total):
        return {}
    power = np.square(features.bands).sum(axis=0, dtype=np.float64)
    whole = float(power.sum())
    if whole <= 0:
        return {}
    # onsets a second that stand out of their surroundings
    total = onsets.total
    peaks = (total[1:-1] > 1.5) & (total[1:-1] >= total[:-2]) & (total[1:-1] > total[2:])
    density = float(peaks.sum()) / max(features.duration, 1.0)
    brightness = 10 * np.log10(float(power[HIGH_BANDS].sum()) / whole + 1e-6)
    bass = 10 * np.log10(float(power[LOW_BANDS].sum()) / whole + 1e-6)
    parts = {
        "middle": _MIDDLE,
        "loudness": 0.22 * np.clip(loudness + 12, -15, 8),
        "onsets": 0.35 * np.clip(density - 3.5, -3.5, 4),
        "brightness": 0.08 * np.clip(brightness + 18, -15, 12),
        "bass": 0.06 * np.clip(bass + 4, -15, 4),
        "tempo": 0.02 * np.clip((tempo or 90.0) - 115, -45, 60),
    }
    return {name: float(value) for name, value in parts.items()}


def danceability_parts(onsets: Onsets, beats: NDArray[np.float64], tempo: float | None) -> dict[str, float]:
    """The four properties of `DANCEABILITY_WEIGHTS`, each 0..1; empty where there is no beat.

    Parameters
    ----------
    onsets
        Of the song.
    beats
        In seconds.
    tempo
        In beats per minute.
    """
    if tempo is None or len(beats) < 8:
        return {}
    gaps = np.diff(beats)
    deviation = float(gaps.std() / gaps.mean())
    return {
        "pulse clarity": min(1.0, max(0.0, _repetition(onsets.total, 60 / tempo * onsets.rate)) / _CLEAR),
        "low beats": _on_beats(onsets.low, onsets.rate, beats),
        "tempo": float(np.interp(tempo, *_TEMPI)),
        "regularity": max(0.0, 1 - deviation / _UNSTEADY),
    }


def _repetition(strength: NDArray[np.float64], lag: float) -> float:
    """Normalised autocorrelation at a lag in frames, at best within one frame of it."""
    varying = strength - strength.mean()
    power = float(varying @ varying)
    if power <= 0:
        return 0.0
    lags = [round(lag) + step for step in (-1, 0, 1) if 0 < round(lag) + step < len(varying)]
    return max((float(varying[at:] @ varying[:-at]) / power for at in lags), default=0.0)


def _on_beats(strength: NDArray[np.float64], rate: float, beats: NDArray[np.float64]) -> float:
    """The part of an onset curve that lies on beats: 0 as much as by chance, 1 all of it."""
    reach = round(_NEAR * rate)
    frames = np.round(beats * rate).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    near = np.zeros(len(strength), bool)
    near[np.unique(np.clip(frames, 0, len(strength) - 1))] = True
    inside = slice(max(0, int(frames[0, 0])), int(frames[-1, -1]) + 1)
    whole, chance = float(strength[inside].sum()), float(near[inside].mean())
    if whole <= 0 or chance >= 1:
        return 0.0
    share = float(strength[inside][near[inside]].sum()) / whole
    return max(0.0, (share - chance) / (1 - chance))
