"""Loudness and peaks as broadcasters measure them: EBU R 128.

Sources: ITU-R BS.1770-4 (K-weighting, gating, true peak), EBU Tech 3341 (integrated, momentary and short-term
loudness) and EBU Tech 3342 (loudness range).

Filtering and oversampling are written as products of small matrices. A recursive filter run sample by sample
waits for its own last result; over blocks of samples it is a matrix, and the same readings cost a quarter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Loudness", "LoudnessMeter", "k_weighting", "lufs"]

SEGMENT_RATE = 10  # segments per second: the 100 ms hop of gating blocks and of short-term loudness
MOMENTARY = 4  # segments in a gating block (400 ms)
SHORT_TERM = 30  # segments in short-term loudness (3 s)

_OFFSET = -0.691  # dB, BS.1770: makes a 997 Hz sine at 0 dBFS in one channel read -3.01 LKFS
_SILENCE = 1e-9  # amplitude
_BLOCK = 32  # samples that one row of the filter's product answers for
_GROUP = 16  # blocks, and groups of blocks, whose states one product carries on
_CHUNK = _BLOCK * _GROUP * _GROUP
_MOST_CHUNKS = 8  # at a time: 2**16 samples, half a megabyte for a stereo sound, stay in the cache
_FRAME = 16  # samples that one row of the oversampling product answers for
_STRETCH = 256  # samples that are oversampled together, or not at all
_AT_ONCE = 32  # stretches in one product: its result stays in the cache
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
    momentary_max, short_term_max
        The loudest 400 ms and 3 s, in LUFS; None when silent or shorter than that.
    true_peak
        In dBTP; None when silent.
    rms
        Root mean square of all samples of all channels, in dBFS: a square wave at full scale reads 0, a sine
        -3.01. None when silent.
    crest
        The largest sample over that, in dB; None when silent.
    momentary
        Power of each 400 ms block, centred on its segment, as mean squares after K-weighting; ``rate`` a second,
        the first at 0 s.
    short_term
        The same over 3 s.
    rate
        Segments per second: 10, but for rounding to whole samples.
    """

    integrated: float | None
    range: float | None
    momentary_max: float | None
    short_term_max: float | None
    true_peak: float | None
    rms: float | None
    crest: float | None
    momentary: NDArray[np.float64]
    short_term: NDArray[np.float64]
    rate: float


def lufs(power: NDArray[np.float64]) -> NDArray[np.float32]:
    """K-weighted power as loudness, not below -70 LUFS: BS.1770 counts what is softer as silence."""
    return np.maximum(_decibel(power), -70.0).astype(np.float32)


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
        self._filter = _KWeighting(sample_rate, channels)
        self._between = _Between(sample_rate)
        self._weights = _channel_weights(channels)
        segment = max(1, round(sample_rate / SEGMENT_RATE))
        # The loudest moment must not fall between two readings (Tech 3341, cases 10 and 13): 10 ms where the
        # segment divides so.
        self._parts = next(parts for parts in (10, 5, 2, 1) if segment % parts == 0)
        self._length = segment // self._parts
        self._rate = sample_rate / segment
        self._heard = 0
        self._squares = 0.0
        self._peak = 0.0
        self._sample_peak = 0.0
        # samples not measured yet, after as many as the interpolation looks back: silence before the first
        self._rest = np.zeros((channels, _TAPS), np.float32)
        self._unfinished = np.zeros((channels, 0), np.float32)
        self._powers: list[NDArray[np.float64]] = []

    def feed(self, block: NDArray[np.float32]) -> None:
        """Take the next samples [shape=(channels, n)]."""
        if not block.shape[1]:
            return
        self._heard += block.shape[1]
        self._sample_peak = max(self._sample_peak, float(block.max()), -float(block.min()))
        self._peak = max(self._peak, self._sample_peak)
        self._run(np.concatenate([self._rest, block], axis=1))

    def _run(self, stream: NDArray[np.float32]) -> None:
        """Measure all whole chunks of the stream, which begins with the samples to look back at."""
        whole = (stream.shape[1] - _TAPS) // _CHUNK * _CHUNK
        if whole:
            self._peak = self._between.peak(stream[:, : whole + _TAPS], self._peak)
        for at in range(0, whole, _MOST_CHUNKS * _CHUNK):
            samples = stream[:, at + _TAPS : min(whole, at + _MOST_CHUNKS * _CHUNK) + _TAPS]
            self._squares += float(_powers(samples, _CHUNK).sum())
            self._segments(self._filter(samples))
        self._rest = stream[:, whole:].copy()

    def _segments(self, weighted: NDArray[np.float32]) -> None:
        if self._unfinished.shape[1]:
            weighted = np.concatenate([self._unfinished, weighted], axis=1)
        whole = weighted.shape[1] // self._length * self._length
        self._powers.append(self._weights @ _powers(weighted[:, :whole], self._length) / self._length)
        self._unfinished = weighted[:, whole:].copy()

    def finish(self) -> Loudness:
        """The readings of all that was fed."""
        channels, waiting = self._rest.shape
        if waiting > _TAPS:
            self._run(np.pad(self._rest, ((0, 0), (0, _CHUNK + _TAPS - (waiting - _TAPS) % _CHUNK))))
        count = self._heard // (self._length * self._parts)
        fine = np.concatenate(self._powers)[: count * self._parts] if self._powers else np.zeros(0)
        powers = fine.reshape(count, self._parts).mean(axis=1)
        mean = self._squares / max(1, channels * self._heard)
        sounds = self._peak > _SILENCE and mean > 0
        return Loudness(
            integrated=_integrated(powers),
            range=_loudness_range(powers),
            momentary_max=_loudest(fine, MOMENTARY * self._parts),
            short_term_max=_loudest(fine, SHORT_TERM * self._parts),
            true_peak=20 * float(np.log10(self._peak)) if sounds else None,
            rms=10 * float(np.log10(mean)) if sounds else None,
            crest=10 * float(np.log10(self._sample_peak**2 / mean)) if sounds else None,
            momentary=_centred_mean(powers, MOMENTARY),
            short_term=_centred_mean(powers, SHORT_TERM),
            rate=self._rate,
        )


def _powers(samples: NDArray[np.float32], length: int) -> NDArray[np.float64]:
    """Sum of squares of each stretch of so many samples [shape=(channels, n // length)]."""
    whole = samples.reshape(len(samples), -1, length)
    powers: NDArray[np.float32] = np.einsum("cij,cij->ci", whole, whole)
    return powers.astype(np.float64)


def _decibel(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-20))


def _moving_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    if len(values) < width:
        return np.zeros(0)
    means: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(values, width).mean(axis=1)
    return means


def _loudest(powers: NDArray[np.float64], width: int) -> float | None:
    if len(powers) < width:
        return None
    total = np.concatenate([[0.0], np.cumsum(powers)])
    largest = float((total[width:] - total[:-width]).max()) / width
    return _OFFSET + 10 * float(np.log10(largest)) if largest > 1e-12 else None


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


class _KWeighting:
    """The K-weighting of a stream, chunk after chunk, as products of matrices.

    With the state ``z`` (two numbers of each section) before a block of samples ``x``, the filter's output is
    ``T x + O z`` and the state after it ``A z + R x``: the first is a product over all blocks at once, and the
    states themselves follow from those of groups of blocks, these from groups of groups.
    """

    def __init__(self, sample_rate: float, channels: int) -> None:
        step, entry, output, through = _state_space(k_weighting(sample_rate))
        order = len(step)
        response = np.zeros((_BLOCK, order))  # row k: what z before the block adds to its sample k
        carried = np.zeros((_BLOCK, order))  # row k: what sample k adds to the state after the block
        power = np.eye(order)
        for k in range(_BLOCK):
            response[k] = output @ power
            carried[_BLOCK - 1 - k] = power @ entry
            power = step @ power
        impulse = np.concatenate([[through], response[:-1] @ entry])
        direct = np.zeros((_BLOCK, _BLOCK))
        for k in range(_BLOCK):
            direct[k, k:] = impulse[: _BLOCK - k]
        self._output = np.vstack([direct, response.T]).astype(np.float32)
        self._carried = carried.astype(np.float32)
        self._levels = [_carry(power), _carry(np.linalg.matrix_power(power, _GROUP))]
        self._step = np.linalg.matrix_power(power, _GROUP * _GROUP)
        self._state = np.zeros((channels, order))
        # memory that is asked for anew each time costs as much as the products
        self._inputs = np.empty((channels, _MOST_CHUNKS, _CHUNK // _BLOCK, _BLOCK + order), np.float32)
        self._weighted = np.empty((channels, _MOST_CHUNKS, _CHUNK // _BLOCK, _BLOCK), np.float32)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Weighted samples, of samples [shape=(channels, chunks * _CHUNK)]; the next call overwrites them."""
        channels, length = samples.shape
        chunks = length // _CHUNK
        inputs, weighted = self._inputs[:, :chunks], self._weighted[:, :chunks]
        inputs[..., :_BLOCK] = samples.reshape(weighted.shape)
        added = (inputs[..., :_BLOCK] @ self._carried).astype(np.float64)
        states = self._states(0, added.reshape(channels, chunks, _GROUP, _GROUP, -1))
        inputs[..., _BLOCK:] = states.reshape(added.shape)
        np.matmul(inputs, self._output, out=weighted)
        return weighted.reshape(channels, length)

    def _states(self, level: int, added: NDArray[np.float64]) -> NDArray[np.float64]:
        """The state before each part, from what the parts add to it [shape=(channels, ..., parts, order)]."""
        order = self._state.shape[1]
        if level == len(self._levels):
            before = np.empty_like(added)
            for part in range(added.shape[1]):
                before[:, part] = self._state
                self._state = self._state @ self._step.T + added[:, part]
            return before
        within, onward = self._levels[level]
        found = added.reshape(*added.shape[:-2], -1) @ within
        starts = self._states(level + 1, found[..., _GROUP * order :])
        states: NDArray[np.float64] = found[..., : _GROUP * order] + starts @ onward
        return states.reshape(added.shape)


def _state_space(
    sections: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Step, entry and output of the state, and what passes at once, of second-order sections in a row."""
    step, entry, output, through = np.zeros((0, 0)), np.zeros(0), np.zeros(0), 1.0
    for b0, b1, b2, _, a1, a2 in sections:
        own = np.array([b1 - a1 * b0, b2 - a2 * b0])
        before = len(step)
        step = np.block([[step, np.zeros((before, 2))], [np.outer(own, output), np.array([[-a1, 1.0], [-a2, 0.0]])]])
        entry = np.concatenate([entry, own * through])
        output = np.concatenate([b0 * output, [1.0, 0.0]])
        through *= b0
    return step, entry, output, through


def _carry(step: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How states go on over a group of parts, each of which takes a state by ``step``.

    Returns
    -------
    within
        From what the parts add to the states before each and after all of them.
    onward
        From the state before the group to the state before each part.
    """
    order = len(step)
    powers = [np.eye(order)]
    for _ in range(_GROUP):
        powers.append(step @ powers[-1])
    within = np.zeros((_GROUP * order, (_GROUP + 1) * order))
    for source in range(_GROUP):
        for target in range(source + 1, _GROUP + 1):
            rows, columns = slice(source * order, (source + 1) * order), slice(target * order, (target + 1) * order)
            within[rows, columns] = powers[target - source - 1].T
    return within, np.hstack([power.T for power in powers[:-1]])


class _Between:
    """The band-limited signal between the samples: 4x oversampling (2x from 80 kHz, none from 160 kHz on).

    What lies between two samples is what a straight line puts there, plus a sum over the differences of
    neighbouring samples. That bounds it: few stretches of music can come near a peak found before, and only
    those are oversampled.
    """

    def __init__(self, sample_rate: float) -> None:
        factor = 4 if sample_rate < 80_000 else 2 if sample_rate < 160_000 else 1
        self._matrix, self._reach = _interpolator(factor)

    def peak(self, stream: NDArray[np.float32], known: float) -> float:
        """The larger of the known peak and that between the samples of a stream [shape=(channels, n)].

        All but the last ``_TAPS`` samples are looked at; their number is a multiple of ``_STRETCH``.
        """
        if not self._matrix.shape[1]:
            return known
        size = _STRETCH + _TAPS
        bound = _largest(np.abs(stream), size) + self._reach * _largest(np.abs(np.diff(stream)), size - 1)
        live = np.flatnonzero(bound > known)
        # the likeliest first: they raise the bar for the others
        live = live[np.argsort(-bound.flat[live])]
        frames = np.lib.stride_tricks.sliding_window_view(stream, _FRAME + _TAPS, axis=1)[:, ::_FRAME]
        stretches = frames.reshape(*bound.shape, _STRETCH // _FRAME, _FRAME + _TAPS)
        for start in range(0, len(live), _AT_ONCE):
            chosen = live[start : start + _AT_ONCE]
            chosen = chosen[bound.flat[chosen] > known]
            if len(chosen):
                values = stretches[np.unravel_index(chosen, bound.shape)] @ self._matrix
                known = max(known, float(values.max()), -float(values.min()))
        return known


def _largest(magnitudes: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """The largest of so many values from the start of each stretch on [shape=(channels, stretches)]."""
    starts = np.arange(0, magnitudes.shape[1] - length + 1, _STRETCH)
    # the very last value may be left out: no tap reaches it
    bounds = np.stack([starts, np.minimum(starts + length, magnitudes.shape[1] - 1)], axis=1).ravel()
    largest: NDArray[np.float32] = np.maximum.reduceat(magnitudes, bounds, axis=1)[:, ::2]
    return largest


def _interpolator(factor: int) -> tuple[NDArray[np.float32], float]:
    """How to find what lies between the samples.

    Returns
    -------
    matrix
        Of the phases between the samples [shape=(_FRAME + _TAPS, _FRAME * (factor - 1))].
    reach
        How far, in units of the largest difference of neighbouring samples, that can lie outside the samples.
    """
    columns = []
    reach = 0.0
    offsets = np.arange(_TAPS) - (_TAPS // 2 - 1)
    for phase in range(1, factor):
        distance = offsets - phase / factor
        window = np.i0(6.0 * np.sqrt(np.maximum(0.0, 1 - (distance / (_TAPS / 2)) ** 2))) / np.i0(6.0)
        taps = np.sinc(distance) * window
        taps /= taps.sum()
        # apart from a straight line's two taps, whose result lies within the samples, the taps sum up to nothing
        line = np.maximum(0.0, 1 - np.abs(distance))
        reach = max(reach, float(np.abs(np.cumsum(taps - line)).sum()))
        for start in range(_FRAME):
            column = np.zeros(_FRAME + _TAPS, np.float32)
            column[start : start + _TAPS] = taps
            columns.append(column)
    if not columns:
        return np.zeros((_FRAME + _TAPS, 0), np.float32), reach
    return np.stack(columns, axis=1), reach
