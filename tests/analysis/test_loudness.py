"""Loudness and true peak against the signals that ITU-R BS.1770 and EBU Tech 3341/3342 define."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel.analysis import analyze
from sfa_kernel.analysis.loudness import Loudness, LoudnessMeter

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sine(
    decibel: float, seconds: float, *, sample_rate: int = 48000, hertz: float = 997.0, phase: float = 0.0
) -> NDArray[np.float32]:
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return (10 ** (decibel / 20) * np.sin(2 * np.pi * hertz * t + phase)).astype(np.float32)


def measured(samples: NDArray[np.float32], sample_rate: int = 48000, block: int = 10_007) -> Loudness:
    meter = LoudnessMeter(sample_rate, len(samples))
    for start in range(0, samples.shape[1], block):
        meter.feed(samples[:, start : start + block])
    return meter.finish()


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_stereo_sine_reads_its_level(level: float, sample_rate: int) -> None:
    tone = sine(level, 5.0, sample_rate=sample_rate)

    assert measured(np.stack([tone, tone]), sample_rate).integrated == pytest.approx(level, abs=0.1)


def test_quiet_passages_are_gated_out() -> None:
    tone = np.concatenate([sine(-72, 10), sine(-36, 10), sine(-23, 60), sine(-36, 10), sine(-72, 10)])

    assert measured(np.stack([tone, tone])).integrated == pytest.approx(-23.0, abs=0.1)


def test_surround_channels_weigh_more_and_the_lfe_nothing() -> None:
    front, centre, rear = sine(-28, 5), sine(-24, 5), sine(-30, 5)
    loud = sine(-3, 5, hertz=60)

    assert measured(np.stack([front, front, centre, loud, rear, rear])).integrated == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(("loud", "soft", "lra"), [(-20, -30, 10), (-20, -15, 5), (-40, -20, 20)])
def test_loudness_range(loud: float, soft: float, lra: float) -> None:
    tone = np.concatenate([sine(loud, 20, hertz=1000), sine(soft, 20, hertz=1000)])

    assert measured(np.stack([tone, tone])).range == pytest.approx(lra, abs=0.5)


@pytest.mark.parametrize(
    ("divisor", "degrees", "sample_rate"), [(4, 0, 48000), (4, 45, 48000), (6, 60, 44100), (8, 67.5, 96000)]
)
def test_true_peak_finds_what_lies_between_the_samples(divisor: int, degrees: float, sample_rate: int) -> None:
    tone = sine(-6, 1, sample_rate=sample_rate, hertz=sample_rate / divisor, phase=np.deg2rad(degrees))
    ramp = np.minimum(1, np.minimum(np.arange(len(tone)), np.arange(len(tone))[::-1]) / 2000).astype(np.float32)

    reading = measured((tone * ramp)[None], sample_rate).true_peak
    assert reading is not None
    assert -0.4 <= reading + 6 <= 0.2


def test_the_reading_does_not_depend_on_the_block_size() -> None:
    rng = np.random.default_rng(0)
    noise = (0.1 * rng.standard_normal((2, 4 * 44100))).astype(np.float32)
    whole, parts = measured(noise, 44100, block=noise.shape[1]), measured(noise, 44100, block=977)

    assert parts.integrated == pytest.approx(whole.integrated, abs=1e-3)
    assert parts.true_peak == pytest.approx(whole.true_peak, abs=1e-3)


def test_an_analysis_carries_the_readings() -> None:
    tone = sine(-23, 5)
    analysis = analyze(np.stack([tone, tone]), 48000)

    assert analysis.lufs == pytest.approx(-23.0, abs=0.1)
    assert analysis.lra == pytest.approx(0.0, abs=0.1)
    assert analysis.true_peak == pytest.approx(-23.0, abs=0.1)
