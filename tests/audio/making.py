"""Sounds and sound files made on the fly, whole and broken."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import av
import numpy as np
import soundfile
from scipy.signal import lfilter

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SAMPLE_RATE = 44100


def music(seconds: float = 2.0, *, channels: int = 2, sample_rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    """Bursts of low-pass noise [shape=(channels, n)]: any shift in time shows, and lossy codecs like it."""
    n = round(seconds * sample_rate)
    rng = np.random.default_rng(channels)
    noise = lfilter([1.0], [1.0, -0.98], rng.standard_normal((channels, n)))
    t = np.arange(n) / sample_rate
    loud = np.clip(4 * np.sin(2 * np.pi * 3.1 * t), 0, 1)
    sound = 0.5 * loud * noise / np.abs(noise).max()
    return sound.astype(np.float32)


def write(path: Path, samples: NDArray[np.float32], sample_rate: int, **options: str) -> Path:
    """Write with libsndfile, by the suffix or by ``format`` and ``subtype``."""
    soundfile.write(path, samples.T, sample_rate, **options)
    return path


def write_av(
    path: Path, samples: NDArray[np.float32], sample_rate: int, *, codec: str, container: str, **options: str
) -> Path:
    """Write with FFmpeg's encoders; ``options`` are the container's."""
    layout = {1: "mono", 2: "stereo"}[len(samples)]
    with av.open(str(path), "w", format=container, options=options) as output:
        # Without noise substitution: its random numbers differ after a jump, and nobody can hear that.
        tools = {"aac_pns": "0"} if codec == "aac" else None
        stream = output.add_stream(codec, rate=sample_rate, layout=layout, options=tools)
        whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        whole.sample_rate = sample_rate
        whole.pts = 0
        size = stream.codec_context.frame_size or 1024
        split = av.AudioResampler(stream.codec_context.format, layout, sample_rate, frame_size=size)
        for frame in [*split.resample(whole), *split.resample(None)]:
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def write_float_wav(path: Path, samples: NDArray[np.float32], sample_rate: int) -> Path:
    """A float WAV byte by byte, so that it may hold what an encoder would refuse."""
    channels = len(samples)
    data = samples.T.astype("<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, channels, sample_rate, 4 * channels * sample_rate, 4 * channels, 32)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def lag(decoded: NDArray[np.float32], original: NDArray[np.float32]) -> int:
    """By how many frames ``decoded`` is late; both are [shape=(n,)]."""
    size = 1 << (len(decoded) + len(original) - 1).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(original, size)), size)
    shift = int(np.argmax(correlation))
    return shift - size if shift > size // 2 else shift


def signal_to_noise(decoded: NDArray[np.float32], original: NDArray[np.float32]) -> float:
    """In dB, over what both have."""
    n = min(decoded.shape[-1], original.shape[-1])
    error = np.sum((decoded[..., :n] - original[..., :n]).astype(np.float64) ** 2)
    return float(10 * np.log10(np.sum(original[..., :n].astype(np.float64) ** 2) / (error + 1e-30)))
