"""Loudness and true peak against the signals that ITU-R BS.1770 and EBU Tech 3341/3342 define."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.signal import resample_poly, sosfilt

from sfa_kernel.analysis import Analysis, analyze
from sfa_kernel.analysis.loudness import Loudness, LoudnessMeter, k_weighting, lufs
from tests.analysis.songs import make_song

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


@pytest.mark.parametrize("offset", range(0, 100, 20))
def test_the_loudest_400_ms_are_found_wherever_they_begin(offset: int) -> None:
    """EBU Tech 3341, case 13: a burst that does not begin on a tenth of a second."""
    before, after = np.zeros(48 * (1000 + offset), np.float32), np.zeros(48000, np.float32)
    burst = np.concatenate([before, sine(-23, 0.4, hertz=1000), after])

    assert measured(np.stack([burst, burst])).momentary_max == pytest.approx(-23.0, abs=0.1)


def test_the_loudest_3_s_are_found_wherever_they_begin() -> None:
    """EBU Tech 3341, case 10."""
    for offset in (0, 150, 310):
        before, after = np.zeros(48 * (1000 + offset), np.float32), np.zeros(48000, np.float32)
        burst = np.concatenate([before, sine(-23, 3.0, hertz=1000), after])

        assert measured(np.stack([burst, burst])).short_term_max == pytest.approx(-23.0, abs=0.1)


def test_what_is_too_short_has_no_short_term_loudness() -> None:
    reading = measured(np.stack([sine(-23, 2.0)] * 2))

    assert reading.momentary_max == pytest.approx(-23.0, abs=0.1)
    assert reading.short_term_max is None
    assert reading.range is None


@pytest.mark.parametrize("sample_rate", [8000, 44100, 192000])
def test_the_filter_is_that_of_the_standard(sample_rate: int) -> None:
    """Block by block or sample by sample is the same, also where low notes and a constant ride along."""
    rng = np.random.default_rng(0)
    t = np.arange(3 * sample_rate) / sample_rate
    sound = 0.05 * rng.standard_normal((2, len(t))) + [[0.0], [0.5]] + 0.2 * np.sin(2 * np.pi * 30 * t)
    weighted = sosfilt(k_weighting(sample_rate), sound, axis=-1)
    powers = (weighted.reshape(2, 30, -1) ** 2).mean(axis=2).sum(axis=0)
    expected = -0.691 + 10 * np.log10(np.convolve(powers, np.ones(4) / 4, mode="valid"))

    reading = lufs(measured(sound.astype(np.float32), sample_rate).momentary)
    np.testing.assert_allclose(reading[2:-1], expected, atol=0.002)


def test_true_peak_is_found_wherever_it_lies() -> None:
    """Stretches that cannot hold the peak are skipped; the answer is that of oversampling everything."""
    rng = np.random.default_rng(0)
    for channel in range(2):
        sound = 0.1 * rng.standard_normal((2, 60_000)).astype(np.float32)
        at = int(rng.integers(20, 59_000))
        sound[channel, at : at + 8] = np.array([0, 0.2, -0.5, 0.8, 0.8, -0.5, 0.2, 0], np.float32)
        everywhere = resample_poly(
            np.pad(sound.astype(float), ((0, 0), (64, 64))), 4, 1, axis=1, window=("kaiser", 6.0)
        )
        expected = 20 * np.log10(np.abs(everywhere).max())

        assert measured(sound, 44100, block=10_007).true_peak == pytest.approx(expected, abs=0.2)


def test_rms_and_crest() -> None:
    tone = sine(-6, 2.0)
    reading = measured(np.stack([tone, tone]))

    assert reading.rms == pytest.approx(-9.01, abs=0.01)
    assert reading.crest == pytest.approx(3.01, abs=0.01)


def test_an_analysis_carries_the_readings() -> None:
    tone = sine(-23, 5)
    analysis = analyze(np.stack([tone, tone]), 48000)

    assert analysis.lufs == pytest.approx(-23.0, abs=0.1)
    assert analysis.lra == pytest.approx(0.0, abs=0.1)
    assert analysis.true_peak == pytest.approx(-23.0, abs=0.1)
    assert (analysis.momentary_max, analysis.short_term_max) == pytest.approx((-23.0, -23.0), abs=0.1)
    for name in ("loudness.momentary", "loudness.short_term"):
        curve = analysis.curves[name]
        assert (curve.unit, curve.rate, len(curve)) == ("LUFS", 10, 50)
        np.testing.assert_allclose(curve.values, -23.0, atol=0.1)


def test_levels_can_be_explained() -> None:
    song = make_song(form=(("intro", 4), ("drop", 8)))
    analysis = analyze(song.samples, song.sample_rate)
    old = Analysis.from_dict(analysis.to_dict())
    silent = analyze(np.zeros((1, 44100), np.float32), 44100)
    for topic in ("loudness", "true_peak", "energy", "danceability", "timbre"):
        explanation = analysis.explain(topic)
        assert explanation.lines
        assert all(len(line.x) == len(line.y) for line in explanation.lines)
        assert all(isinstance(value, float) for value in explanation.numbers.values())
        assert old.explain(topic).title == explanation.title
        assert silent.explain(topic).text.endswith(".")
    assert f"{analysis.lufs:.1f} LUFS" in analysis.explain("loudness").text
    parts = [value for name, value in analysis.explain("energy").numbers.items() if name.startswith("from")]
    assert 5.2 + sum(float(part) for part in parts) == pytest.approx(analysis.energy, abs=0.6)
