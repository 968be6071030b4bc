"""Timbre: what a sound is like apart from its pitch, level and rhythm.

Every feature is the one that librosa gives under that name with its default settings, taken at 22.05 kHz from
power spectra of a 1024-sample Hann window that are averaged over four hops of 256 samples:

- spectral centroid and bandwidth: mean frequency, weighted by magnitude, and the spread around it;
- rolloff: the frequency below which 85 % of the magnitude lies;
- flatness: geometric over arithmetic mean of the power, 0 for a tone and 1 for white noise;
- contrast: peaks over valleys in octave bands (Jiang et al., "Music type classification by spectral contrast
  feature", 2002);
- MFCC: cosine transform of 128 mel bands in decibels (Davis and Mermelstein, "Comparison of parametric
  representations for monosyllabic word recognition", 1980; mel scale and filters of Slaney's Auditory Toolbox),
  of which the first is level and the others the shape of the spectrum, from coarse to fine;
- zero-crossing rate and RMS: from the samples, 1024 at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.curves import Curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CONTRAST_BANDS", "FRAMES", "MFCCS", "Timbre", "TimbreMeter"]

FRAMES = 4  # short frames that one row of features stands for
MELS = 128
MFCCS = 20
CONTRAST_BANDS = ("0-200 Hz", "200-400 Hz", "400-800 Hz", "0.8-1.6 kHz", "1.6-3.2 kHz", "3.2-6.4 kHz", "6.4-11 kHz")

_ROLLOFF = 0.85
_CONTRAST_QUANTILE = 0.02
_MEL_RANGE = 80.0  # dB below the loudest mel band, to which MFCC look down
_LEAST = 1e-10  # power, and its floor in decibels; magnitudes of an unscaled transform
_SOUNDING = 40.0  # dB below the loud parts (their 95th percentile), above which a frame counts as sounding
_QUIETEST = -70.0  # dBFS, below which none does

_CURVES = {
    "rms": "dBFS",
    "centroid": "Hz",
    "bandwidth": "Hz",
    "rolloff": "Hz",
    "flatness": "",
    "zero_crossing_rate": "",
    "contrast": "dB",
    "mfcc": "",
}


@dataclass(frozen=True)
class Timbre:
    """Timbre over time, ``rate`` rows a second.

    Parameters
    ----------
    rate
        Rows per second.
    start
        Time that the first row of spectral features is centred on, in s.
    rms
        Of the mono signal, in dBFS, not below -120 [shape=(n,)].
    centroid, bandwidth, rolloff
        In Hz [shape=(n,)].
    flatness, zero_crossing_rate
        0..1 [shape=(n,)].
    contrast
        In dB, of `CONTRAST_BANDS` [shape=(n, 7)].
    mfcc
        [shape=(n, 20)].
    """

    rate: float
    start: float
    rms: NDArray[np.float32]
    centroid: NDArray[np.float32]
    bandwidth: NDArray[np.float32]
    rolloff: NDArray[np.float32]
    flatness: NDArray[np.float32]
    zero_crossing_rate: NDArray[np.float32]
    contrast: NDArray[np.float32]
    mfcc: NDArray[np.float32]

    @property
    def sounding(self) -> NDArray[np.bool_]:
        """Which rows hold sound: within 40 dB of the loud parts and above -70 dBFS [shape=(n,)]."""
        if not len(self.rms):
            return np.zeros(0, bool)
        sounding: NDArray[np.bool_] = self.rms > max(float(np.percentile(self.rms, 95)) - _SOUNDING, _QUIETEST)
        return sounding

    def means(self) -> dict[str, float]:
        """The mean of each feature over the sounding rows, by name; empty when nothing sounds."""
        sounding = self.sounding
        if not sounding.any():
            return {}
        means: dict[str, float] = {}
        for name in _CURVES:
            if name != "rms":
                mean = getattr(self, name)[sounding].mean(axis=0, dtype=np.float64)
                columns = {name: mean} if not mean.ndim else {f"{name}_{i}": m for i, m in enumerate(mean, 1)}
                means.update((column, float(value)) for column, value in columns.items())
        return means

    def curves(self) -> dict[str, Curve]:
        """The features as curves, by name."""
        names = {"contrast": CONTRAST_BANDS, "mfcc": tuple(f"MFCC {i}" for i in range(1, MFCCS + 1))}
        return {
            name: Curve(getattr(self, name), rate=self.rate, start=self.start, unit=unit, names=names.get(name, ()))
            for name, unit in _CURVES.items()
        }


class TimbreMeter:
    """Measures timbre as the spectra pass.

    Parameters
    ----------
    sample_rate
        Of the samples, in Hz.
    window, hop
        Of the frames, in samples.
    """

    def __init__(self, sample_rate: float, window: int, hop: int) -> None:
        self._sample_rate = sample_rate
        self._length = FRAMES * hop
        # the middle of frames 0 to 3, frame 0 being centred on 0 s
        self._start = (FRAMES - 1) / 2 * hop / sample_rate
        self._hertz = np.fft.rfftfreq(window, 1 / sample_rate).astype(np.float32)
        self._mel = _mel_filters(self._hertz)
        self._bands = _contrast_bands(self._hertz)
        self._spectral: list[dict[str, NDArray[np.float32]]] = []
        self._samples = np.zeros(0, np.float32)
        self._temporal: list[NDArray[np.float32]] = []

    def feed_samples(self, mono: NDArray[np.float32]) -> None:
        """Take the next samples."""
        samples = np.concatenate([self._samples, mono])
        whole = len(samples) // self._length * self._length
        rows = samples[:whole].reshape(-1, self._length)
        negative = rows < -_LEAST
        changes = np.count_nonzero(negative[:, 1:] != negative[:, :-1], axis=1)
        found: NDArray[np.float32] = np.stack([np.einsum("ij,ij->i", rows, rows), changes.astype(np.float32)])
        found /= self._length
        self._temporal.append(found)
        self._samples = samples[whole:].copy()

    def feed_spectra(self, power: NDArray[np.float32]) -> None:
        """Take the mean power spectra of the next frames [shape=(n, window // 2 + 1)]."""
        self._spectral.append(self._features(power))

    def _features(self, power: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        magnitude = np.sqrt(power)
        total = np.maximum(np.einsum("ij->i", magnitude), np.finfo(np.float32).tiny)
        centroid = np.einsum("ij,j->i", magnitude, self._hertz) / total
        away = self._hertz - centroid[:, None]
        away *= away
        return {
            "centroid": centroid,
            "bandwidth": np.sqrt(np.einsum("ij,ij->i", away, magnitude) / total),
            "rolloff": self._rolloff(magnitude),
            "flatness": _flatness(power),
            "contrast": self._contrast(magnitude),
            "mel": _decibel(power @ self._mel),
        }

    def _rolloff(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        below = np.cumsum(magnitude, axis=1)
        rolloff: NDArray[np.float32] = self._hertz[np.argmax(below >= _ROLLOFF * below[:, -1:], axis=1)]
        return rolloff

    def _contrast(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        extremes = np.empty((2, len(magnitude), len(self._bands)), np.float32)
        for column, (first, last, extreme) in enumerate(self._bands):
            ordered = np.sort(magnitude[:, first:last], axis=1)
            extremes[0, :, column] = np.add.reduce(ordered[:, :extreme], axis=1) / extreme
            extremes[1, :, column] = np.add.reduce(ordered[:, -extreme:], axis=1) / extreme
        valley, peak = _decibel(extremes)
        return np.asarray(peak - valley, np.float32)

    def finish(self) -> Timbre:
        """The timbre of all that was fed."""
        power, changes = np.concatenate(self._temporal, axis=1) if self._temporal else np.zeros((2, 0), np.float32)
        spectral = self._spectral or [self._features(np.zeros((0, len(self._hertz)), np.float32))]
        found = {name: np.concatenate([part[name] for part in spectral]) for name in spectral[0]}
        count = min(len(power), len(found["mel"]))
        mel = found.pop("mel")[:count]
        if count:
            mel = np.maximum(mel, mel.max() - _MEL_RANGE)
        return Timbre(
            rate=self._sample_rate / self._length,
            start=self._start,
            rms=10 * np.log10(np.maximum(power[:count], np.float32(1e-12))),
            zero_crossing_rate=changes[:count],
            mfcc=mel @ _cosines(),
            **{name: values[:count] for name, values in found.items()},
        )


def _decibel(power: NDArray[np.float32]) -> NDArray[np.float32]:
    # the natural logarithm is vectorised, that to base 10 is not
    decibel: NDArray[np.float32] = np.log(np.maximum(power, np.float32(_LEAST))) * np.float32(10 / np.log(10))
    return decibel


def _flatness(power: NDArray[np.float32]) -> NDArray[np.float32]:
    floored = np.maximum(power, np.float32(_LEAST))
    flatness: NDArray[np.float32] = np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1)
    return flatness


def _contrast_bands(hertz: NDArray[np.float32]) -> list[tuple[int, int, int]]:
    """First bin, last bin + 1, and how many bins make a peak or valley, of each band.

    As in librosa a band begins one bin below its edge, and leaves its own last bin to the next.
    """
    edges = [0.0, *(200.0 * 2**octave for octave in range(len(CONTRAST_BANDS)))]
    bands = []
    for band, (low, high) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((hertz >= low) & (hertz <= high))
        first, last = int(inside[0]) - (band > 0), int(inside[-1]) + 1
        if band == len(CONTRAST_BANDS) - 1:
            last = len(hertz)
        extreme = max(1, round(_CONTRAST_QUANTILE * (last - first)))
        bands.append((first, last - (band < len(CONTRAST_BANDS) - 1), extreme))
    return bands


def _mel_filters(hertz: NDArray[np.float32]) -> NDArray[np.float32]:
    """Triangles of unit area on Slaney's mel scale [shape=(bins, MELS)]."""
    edges = _hertz_of_mel(np.linspace(0.0, _mel_of_hertz(float(hertz[-1])), MELS + 2))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (hertz[:, None] - low) / (centre - low)
    falling = (high - hertz[:, None]) / (high - centre)
    triangles: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling)) * (2.0 / (high - low))
    return triangles.astype(np.float32)


# Slaney's scale: linear up to 1 kHz, then 27 mels to a factor of 6.4
_LINEAR = 200.0 / 3
_KNEE = 1000.0
_LOG_STEP = np.log(6.4) / 27.0


def _mel_of_hertz(hertz: float) -> float:
    return hertz / _LINEAR if hertz < _KNEE else _KNEE / _LINEAR + float(np.log(hertz / _KNEE)) / _LOG_STEP


def _hertz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE / _LINEAR
    hertz: NDArray[np.float64] = np.where(mel < knee, mel * _LINEAR, _KNEE * np.exp(_LOG_STEP * (mel - knee)))
    return hertz


def _cosines() -> NDArray[np.float32]:
    """The first rows of the orthonormal cosine transform (type II) [shape=(MELS, MFCCS)]."""
    row = np.arange(MFCCS)
    cosines = np.cos(np.pi * row * (2 * np.arange(MELS)[:, None] + 1) / (2 * MELS)) * np.sqrt(2 / MELS)
    cosines[:, 0] /= np.sqrt(2)
    return np.asarray(cosines, np.float32)
