"""Loudness and peaks as broadcasters measure them: EBU R 128.

Sources: ITU-R BS.1770-4 (K-weighting, gating, true peak), EBU Tech 3341 (integrated loudness) and
EBU Tech 3342 (loudness range).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import sosfilt

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Loudness", "LoudnessMeter", "k_weighting"]

SEGMENT_RATE = 10  # segments per second: the 100 ms hop of gating blocks and of short-term loudness
MOMENTARY = 4  # segments in a gating block (400 ms)
SHORT_TERM = 30  # segments in short-term loudness (3 s)

_OFFSET = -0.691  # dB, BS.1770: makes a 997 Hz sine at 0 dBFS in one channel read -3.01 LKFS
_FRAME = 16  # samples that one row of the oversampling product answers for
_BATCH = 160  # rows: small enough that BLAS keeps the product in one thread; more threads only wait
_TAPS = 16  # taps of each interpolation phase; BS.1770's own example has 12


@dataclass(frozen=True)
class Loudness:
    """The readings of a programme.

    Parameters
    ----------
    integrated
        In LUFS; None when nothing passes the gates.
    range
        In LU; None when nothing passes the gates or the programme is shorter than 3 s.
    true_peak
        In dBTP; None when silent.
    momentary
        Power of each 400 ms block at 10 Hz, centred on its segment, as mean squares after K-weighting.
    """

    integrated: float | None
    range: float | None
    true_peak: float | None
    momentary: NDArray[np.float64]


def k_weighting(sample_rate: float) -> NDArray[np.float64]:
    """Second-order sections [shape=(2, 6)] of the K-weighting at any rate.

    BS.1770 tabulates 48 kHz only. Its two filters are bilinear transforms of an analogue high shelf
    (+4 dB above 1.68 kHz) and a high-pass at 38 Hz; from those prototypes they follow for every rate.
    """
    gain, shelf_q, shelf_hz = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    pass_q, pass_hz = 0.5003270373238773, 38.13547087602444
    # at a rate whose Nyquist frequency lies below the shelf the shelf is simply absent from the signal
    k = np.tan(np.pi * min(shelf_hz / sample_rate, 0.49))
    high = 10 ** (gain / 20)
    middle = high**0.4996667741545416
    norm = 1 + k / shelf_q + k * k
    shelf = [
        (high + middle * k / shelf_q + k * k) / norm,
        2 * (k * k - high) / norm,
        (high - middle * k / shelf_q + k * k) / norm,
        1.0,
        2 * (k * k - 1) / norm,
        (1 - k / shelf_q + k * k) / norm,
    ]
    k = np.tan(np.pi * pass_hz / sample_rate)
    norm = 1 + k / pass_q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / norm, (1 - k / pass_q + k * k) / norm]
    return np.array([shelf, high_pass])


def _channel_weights(channels: int) -> NDArray[np.float64]:
    """BS.1770's weights: surround +1.5 dB, LFE not at all; channels in WAVE order (L R C LFE Ls Rs)."""
    weights = np.ones(channels)
    if channels == 4:  # quad: L R Ls Rs
        weights[2:] = 1.41
    elif channels == 5:
        weights[3:] = 1.41
    elif channels >= 6:
        weights[3] = 0.0
        weights[4:] = 1.41
    return weights


class LoudnessMeter:
    """Measures a programme block by block, in bounded memory.

    Parameters
    ----------
    sample_rate
        In Hz.
    channels
        How many, in WAVE order.
    """

    def __init__(self, sample_rate: float, channels: int) -> None:
        # float32 holds the filters' error below -100 dB up to 192 kHz and halves the time
        self._sos = k_weighting(sample_rate).astype(np.float32)
        self._state = np.zeros((2, channels, 2), np.float32)
        self._weights = _channel_weights(channels)
        self._segment = max(1, round(sample_rate / SEGMENT_RATE))
        self._rest = np.zeros((channels, 0), np.float32)
        self._powers: list[NDArray[np.float64]] = []
        self._peak = _TruePeak(sample_rate, channels)

    def feed(self, block: NDArray[np.float32]) -> None:
        """Take the next samples [shape=(channels, n)]."""
        if not block.shape[1]:
            return
        self._peak.feed(block)
        weighted, self._state = sosfilt(self._sos, block, axis=-1, zi=self._state)
        if self._rest.shape[1]:
            weighted = np.concatenate([self._rest, weighted], axis=1)
        count = weighted.shape[1] // self._segment
        whole = weighted[:, : count * self._segment].reshape(len(weighted), count, self._segment)
        power = np.einsum("cij,cij->ci", whole, whole).astype(np.float64) / self._segment
        self._powers.append(self._weights @ power)
        self._rest = weighted[:, count * self._segment :].copy()

    def finish(self) -> Loudness:
        """The readings of all that was fed."""
        powers = np.concatenate(self._powers) if self._powers else np.zeros(0)
        return Loudness(
            integrated=_integrated(powers),
            range=_loudness_range(powers),
            true_peak=self._peak.finish(),
            momentary=_centred_mean(powers, MOMENTARY),
        )


def _decibel(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-20))


def _moving_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    if len(values) < width:
        return np.zeros(0)
    means: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=1)
    return means


def _centred_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    if not len(values):
        return values
    before = width // 2
    return _moving_mean(np.pad(values, (before, width - 1 - before), mode="edge"), width)


def _integrated(powers: NDArray[np.float64]) -> float | None:
    blocks = _moving_mean(powers, MOMENTARY)
    blocks = blocks[_decibel(blocks) > -70.0]
    if not len(blocks):
        return None
    gate = _decibel(blocks.mean(keepdims=True))[0] - 10.0
    return float(_decibel(blocks[_decibel(blocks) > gate].mean(keepdims=True))[0])


def _loudness_range(powers: NDArray[np.float64]) -> float | None:
    blocks = _moving_mean(powers, SHORT_TERM)
    blocks = blocks[_decibel(blocks) > -70.0]
    if not len(blocks):
        return None
    levels = _decibel(blocks)
    levels = levels[levels > _decibel(blocks.mean(keepdims=True))[0] - 20.0]
    low, high = np.percentile(levels, [10, 95])
    return float(high - low)


class _TruePeak:
    """Peak of the band-limited signal between the samples: 4x oversampling (2x from 96 kHz on).

    The interpolation is one matrix product over short frames. A frame can only matter when its largest
    sample times the filter's worst-case gain exceeds the peak found so far, so most frames are skipped.
    """

    def __init__(self, sample_rate: float, channels: int) -> None:
        factor = 4 if sample_rate < 80_000 else 2 if sample_rate < 160_000 else 1
        self._matrix, self._gain = _interpolator(factor)
        # silence before the first sample, so that the filter has somewhere to begin
        self._rest = [np.zeros(_TAPS, np.float32) for _ in range(channels)]
        self._peak = 0.0

    def feed(self, block: NDArray[np.float32]) -> None:
        self._peak = max(self._peak, float(block.max()), -float(block.min()))
        if self._matrix.shape[1]:
            pairs = zip(self._rest, block, strict=True)
            self._rest = [self._between(np.concatenate([rest, channel])) for rest, channel in pairs]

    def _between(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Look between the samples of all complete frames; return the samples still to be looked at."""
        count = (len(samples) - _TAPS) // _FRAME
        if count < 1:
            return samples
        largest = np.abs(samples[: count * _FRAME].reshape(count, _FRAME)).max(axis=1)
        ahead = np.append(largest[1:], np.abs(samples[count * _FRAME : count * _FRAME + _TAPS]).max())
        bound = np.maximum(largest, ahead) * self._gain
        frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME + _TAPS)[::_FRAME]
        candidates = np.flatnonzero(bound > self._peak)
        # the loudest first, in a small batch: it raises the bar for all others
        order = candidates[np.argsort(-bound[candidates], kind="stable")]
        for chosen in (order[:64], order[64:]):
            live = chosen[bound[chosen] > self._peak]
            for start in range(0, len(live), _BATCH):
                values = frames[live[start : start + _BATCH]] @ self._matrix
                self._peak = max(self._peak, float(values.max()), -float(values.min()))
        return samples[count * _FRAME :].copy()

    def finish(self) -> float | None:
        if self._matrix.shape[1]:
            for rest in self._rest:
                self._between(np.concatenate([rest, np.zeros(_TAPS + _FRAME, np.float32)]))
        return 20 * float(np.log10(self._peak)) if self._peak > 1e-9 else None


def _interpolator(factor: int) -> tuple[NDArray[np.float32], float]:
    """Matrix [shape=(_FRAME + _TAPS, _FRAME * (factor - 1))] of the phases between the samples."""
    columns = []
    gain = 1.0
    offsets = np.arange(_TAPS) - (_TAPS // 2 - 1)
    for phase in range(1, factor):
        distance = offsets - phase / factor
        window = np.i0(6.0 * np.sqrt(np.maximum(0.0, 1 - (distance / (_TAPS / 2)) ** 2))) / np.i0(6.0)
        taps = np.sinc(distance) * window
        taps /= taps.sum()
        gain = max(gain, float(np.abs(taps).sum()))
        for start in range(_FRAME):
            column = np.zeros(_FRAME + _TAPS, np.float32)
            column[start : start + _TAPS] = taps
            columns.append(column)
    if not columns:
        return np.zeros((_FRAME + _TAPS, 0), np.float32), gain
    return np.stack(columns, axis=1), gain
