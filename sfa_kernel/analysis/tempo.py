"""Tempo: which pulse repeats, and exactly how fast.

Two views of the same onsets are multiplied (Peeters, "Template-Based Estimation of Time-Varying Tempo",
2007): the autocorrelation peaks at the pulse and its multiples (Klapuri et al., "Analysis of the Meter of
Acoustic Musical Signals", 2006), the Fourier transform at the pulse and its subdivisions; what peaks in both
is the beat. The exact value comes from the Fourier transform of the whole song's onsets: over minutes its
peak is narrower than a hundredth of a beat per minute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.fft

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.onsets import Onsets

__all__ = [
    "FASTEST",
    "SLOWEST",
    "Pulse",
    "exact_tempo",
    "find_pulses",
    "octave_apart",
    "tempo_prior",
    "tempo_scores",
    "usual_alternative",
]

SLOWEST, FASTEST = 55.0, 215.0  # beats per minute

_CENTRE = 124.0  # beats per minute: where listeners and DJs most often feel the beat
_ALTERNATIVE_CENTRE = 100.0  # beats per minute: below it, rather twice as fast; from it on, rather half as fast
_SPREAD = 0.5  # octaves, one standard deviation
_SUBDIVISIONS = (1, 2, 4)  # beats, eighths, sixteenths
_FULL_BACKBEAT = 0.78  # ratio of autocorrelations that counts as no decline
_LOOSE = 0.06  # autocorrelation of a tempo that breathes; noise has a fifth of it at most
_WINDOW = 8.0  # seconds within which the tempo may be taken as constant
_REPEATS = 26.0  # seconds over which onsets are compared with themselves: twice twelve beats of the slowest tempo
_ANSWERS = 10.0  # seconds over which snare and hats are: twice four beats of the slowest tempo
_LEAST = 1.5  # seconds of sound in which a pulse can be found


@dataclass(frozen=True)
class Pulse:
    """A candidate for the beat.

    Parameters
    ----------
    tempo
        Beats per minute: the song's mean.
    salience
        Mean autocorrelation over its multiples, -1..1.
    clarity
        Share of the onsets that its subdivisions explain, 0..3.
    steadiness
        Phase coherence of the song with one constant tempo, 0..1.
    backbeat
        0..1: whether snare or chords repeat after two of its beats as well as after four. They do not at
        twice the tempo, where the snare stands on the third beat only.
    """

    tempo: float
    salience: float
    clarity: float
    steadiness: float
    backbeat: float

    @property
    def loose(self) -> bool:
        """Whether it repeats only nearly: its tempo breathes."""
        return self.steadiness == 0.0

    @property
    def plain(self) -> float:
        """How likely this pulse or an octave of it is the beat, relative to the others."""
        return self.salience * self.clarity * float(tempo_prior(self.tempo))

    @property
    def score(self) -> float:
        """How likely this pulse is the beat, relative to its octaves."""
        return self.plain * self.backbeat**5


def tempo_prior(tempo: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely a tempo is felt as the beat, 1 at the most common (log-normal)."""
    prior: NDArray[np.float64] = np.exp(-0.5 * (np.log2(np.asarray(tempo) / _CENTRE) / _SPREAD) ** 2)
    return prior


def find_pulses(onsets: Onsets, count: int = 7) -> list[Pulse]:
    """Candidates for the beat, best first, none where nothing repeats.

    Parameters
    ----------
    onsets
        Of the song.
    count
        At most how many.
    """
    strength = onsets.total
    frames = len(strength)
    if frames < _LEAST * onsets.rate:
        return []
    correlation = _autocorrelation(strength, int(_REPEATS * onsets.rate))
    if len(correlation) < 3:
        return []
    tempi, salience = _salience(correlation, onsets.rate)
    score = salience * np.sqrt(tempo_prior(tempi))
    threshold = 0.1 + 1.6 / np.sqrt(frames)
    inner = (score[1:-1] >= score[:-2]) & (score[1:-1] > score[2:]) & (salience[1:-1] > threshold)
    tops = np.flatnonzero(inner) + 1
    tops = tops[np.argsort(-score[tops], kind="stable")][:count]
    accents = [_autocorrelation(series, int(_ANSWERS * onsets.rate)) for series in onsets.accents[1:]]
    pulses = []
    for top in tops:
        tempo, clarity, steadiness = _heard(strength, onsets.rate, float(tempi[top]))
        backbeat = _backbeat(accents, onsets.rate * 60 / tempo)
        pulses.append(Pulse(tempo, float(salience[top]), clarity, steadiness, backbeat))
    if pulses:
        best, *others = _ranked(pulses)
        return [replace(best, tempo=exact_tempo(strength, onsets.rate, best.tempo)), *others]
    return _loose_pulse(correlation, onsets.rate)


def _heard(strength: NDArray[np.float64], rate: float, tempo: float) -> tuple[float, float, float]:
    """The mean tempo of a pulse, its clarity and its steadiness: within windows of eight seconds, and between them."""
    zooms = [_Zoom(strength, rate, tempo / 60 * multiple) for multiple in _SUBDIVISIONS]
    tempo, _ = _near(zooms, tempo, len(strength) / rate)
    clarity = steadiness = 0.0
    whole = float(strength.sum())
    for zoom, multiple in zip(zooms, _SUBDIVISIONS, strict=True):
        local = zoom.within(tempo / 60 * multiple)
        explained = float(np.abs(local).sum())
        clarity += explained / whole
        # the beat itself changes sides where a section has off-beats only; its subdivisions do not
        if multiple > 1 and explained > 0:
            steadiness = max(steadiness, float(np.abs(local.sum())) / explained)
    return tempo, clarity, steadiness


def tempo_scores(onsets: Onsets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far onsets repeat at each tempo: beats per minute, and 1 where they repeat exactly.

    Parameters
    ----------
    onsets
        Of the song.
    """
    correlation = _autocorrelation(onsets.total, int(_REPEATS * onsets.rate))
    if len(correlation) < 3:
        return np.zeros(0), np.zeros(0)
    return _salience(correlation, onsets.rate)


def usual_alternative(tempo: float) -> float:
    """Half or double a tempo, in beats per minute: slower songs may be felt twice as fast, faster ones half as fast."""
    return 2 * tempo if tempo < _ALTERNATIVE_CENTRE else tempo / 2


def octave_apart(one: Pulse, other: Pulse) -> bool:
    """Whether two pulses are the same, or one is two or four times as fast as the other."""
    return any(abs(one.tempo / (other.tempo * ratio) - 1) < 0.03 for ratio in (0.25, 0.5, 1, 2, 4))


def _salience(correlation: NDArray[np.float64], rate: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    tempi = np.exp(np.arange(np.log(SLOWEST), np.log(FASTEST), 0.004))
    lags = rate * 60 / tempi
    # a beat repeats after 1, 2, 4 and 8 beats in common time, after 1, 3, 6 and 12 in triple time
    common = _mean_at(correlation, lags, (1, 2, 4, 8))
    triple = _mean_at(correlation, lags, (1, 3, 6, 12))
    return tempi, np.maximum(common, 0.9 * triple)


def _ranked(pulses: list[Pulse]) -> list[Pulse]:
    """Best first. The backbeat decides among the octaves of the clearest pulse, not which pulse that is."""
    if not pulses:
        return []
    clearest = max(pulses, key=lambda pulse: pulse.plain)
    octaves = [pulse for pulse in pulses if octave_apart(pulse, clearest)]
    rest = [pulse for pulse in pulses if pulse not in octaves]
    return sorted(octaves, key=lambda p: -p.score) + sorted(rest, key=lambda p: -p.score)


def _loose_pulse(correlation: NDArray[np.float64], rate: float) -> list[Pulse]:
    """A pulse whose tempo breathes: it repeats after one beat and after two, each time not quite."""
    lags = np.exp(np.arange(np.log(60 / FASTEST), np.log(2.05 * 60 / SLOWEST), 0.01))
    values = np.interp(lags * rate, np.arange(len(correlation)), correlation)
    kernel = np.hanning(15)
    values = np.convolve(values, kernel / kernel.sum(), mode="same")
    score = 0.6 * values + 0.4 * np.interp(np.log(2 * lags), np.log(lags), values)
    tempi = 60 / lags
    score = np.where((tempi > SLOWEST) & (tempi < FASTEST), score * np.sqrt(tempo_prior(tempi)), -1.0)
    top = int(score.argmax())
    if values[top] < _LOOSE or score[top] <= 0:
        return []
    return [Pulse(float(tempi[top]), float(values[top]), 1.0, 0.0, 1.0)]


def _backbeat(accents: list[NDArray[np.float64]], lag: float) -> float:
    """How far the middle or the high register repeats after two beats as after four, 0.3..1.

    The high register has a say only where it alternates: steady hats repeat after every beat at any level.
    """
    ratios = []
    for register, correlation in enumerate(accents):
        if len(correlation) > 4 * lag + 2:
            one, two, four = (float(_mean_at(correlation, np.array([lag]), (n,))[0]) for n in (1, 2, 4))
            if four > 0.1 and (register == 0 or two > one + 0.15):
                ratios.append(two / four)
    return float(np.clip(max(ratios) / _FULL_BACKBEAT, 0.3, 1.0)) if ratios else 1.0


def exact_tempo(strength: NDArray[np.float64], rate: float, tempo: float) -> float:
    """The exact mean tempo of a pulse, in beats per minute, near one that is known to a hundredth.

    Parameters
    ----------
    strength
        Of the onsets [shape=(frames,)].
    rate
        Frames per second.
    tempo
        Beats per minute.
    """
    zooms = [_Zoom(strength, rate, tempo / 60 * multiple) for multiple in _SUBDIVISIONS]
    tempo, span = _near(zooms, tempo, len(strength) / rate)
    for _ in range(2):
        tempi = tempo * (1 + np.linspace(-span, span, 31))
        response = sum(zoom.exact(tempi / 60 * multiple) for zoom, multiple in zip(zooms, _SUBDIVISIONS, strict=True))
        tempo = float(tempi[int(np.argmax(response))])
        span *= 3 / 31
    return tempo


def _near(zooms: list[_Zoom], tempo: float, duration: float) -> tuple[float, float]:
    """The tempo to a quarter of the width of the transform's peak, and within what share of it it then lies."""
    span = 0.015
    # a quarter of that width at the fastest subdivision
    count = int(np.clip(2 * span * tempo / 60 * _SUBDIVISIONS[-1] * duration * 4, 61, 2000))
    tempi = tempo * (1 + np.linspace(-span, span, count))
    response = sum(zoom.coarse(tempi / 60 * multiple) for zoom, multiple in zip(zooms, _SUBDIVISIONS, strict=True))
    return float(tempi[int(np.argmax(response))]), 3 * span / count


class _Zoom:
    """The Fourier transform near one frequency: demodulate, average by quarters of a second, transform."""

    def __init__(self, strength: NDArray[np.float64], rate: float, frequency: float) -> None:
        self._frequency = frequency
        width = max(1, int(rate / 4))
        self._rate = rate / width
        time = np.arange(len(strength)) / rate
        moved = strength * np.exp(-2j * np.pi * frequency * time)
        self._values = np.add.reduceat(moved, np.arange(0, len(moved), width))
        self._time = np.arange(len(self._values)) / self._rate

    def coarse(self, frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Magnitudes, interpolated in a transform that is eight times as fine as need be."""
        size = scipy.fft.next_fast_len(8 * len(self._values))
        spectrum = np.fft.fftshift(np.abs(scipy.fft.fft(self._values, size)))
        axis = np.fft.fftshift(np.fft.fftfreq(size, 1 / self._rate))
        result: NDArray[np.float64] = np.interp(frequencies - self._frequency, axis, spectrum)
        return result

    def within(self, frequency: float) -> NDArray[np.complex128]:
        """The transform of each window of eight seconds at one frequency."""
        moved = self._values * np.exp(-2j * np.pi * (frequency - self._frequency) * self._time)
        starts = np.arange(0, len(moved), max(1, int(_WINDOW * self._rate)))
        result: NDArray[np.complex128] = np.add.reduceat(moved, starts)
        return result

    def exact(self, frequencies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Magnitudes of a few frequencies."""
        turns = np.outer(frequencies - self._frequency, self._time)
        sums = (np.exp(-2j * np.pi * turns) * self._values).sum(axis=1)
        result: NDArray[np.float64] = np.abs(sums)
        return result


def _autocorrelation(strength: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    frames = len(strength)
    centred = strength - strength.mean()
    if not np.any(centred):
        return np.zeros(0)
    size = scipy.fft.next_fast_len(2 * frames, real=True)
    power = np.abs(scipy.fft.rfft(centred, size)) ** 2
    longest = min(longest, int(0.7 * frames))
    result: NDArray[np.float64] = scipy.fft.irfft(power, size)[:longest] / (frames - np.arange(longest))
    normal: NDArray[np.float64] = result / result[0]
    return normal


def _mean_at(
    correlation: NDArray[np.float64], lags: NDArray[np.float64], multiples: tuple[int, ...]
) -> NDArray[np.float64]:
    """Mean of the autocorrelation around multiples of lags, as far as it reaches."""
    peaks = np.maximum(correlation[1:-1], np.maximum(correlation[:-2], correlation[2:]))
    total, weight = np.zeros(len(lags)), np.zeros(len(lags))
    for multiple in multiples:
        index = np.round(lags * multiple).astype(int) - 1
        inside = index < len(peaks)
        total[inside] += peaks[index[inside]]
        weight += inside
    return np.where(weight > 0, total / np.maximum(weight, 1), -1.0)
