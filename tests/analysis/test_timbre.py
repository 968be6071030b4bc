"""Timbre against librosa on the same spectra, and what a listener would say of plain sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import librosa
import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze
from sfa_kernel.analysis.spectrum import HOP, RATE, WINDOW, measure
from sfa_kernel.analysis.timbre import CONTRAST_BANDS, FRAMES, MFCCS, Timbre
from sfa_kernel.progress import Steps, never, silent
from tests.analysis.songs import make_song

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def song() -> NDArray[np.float32]:
    """Twelve seconds of music [shape=(n,)] at RATE, so that nothing is resampled."""
    made = make_song(tempo=126.0, form=(("verse", 2), ("drop", 2), ("break", 2)), sample_rate=RATE)
    return np.ascontiguousarray(made.samples[0])


def timbre_of(mono: NDArray[np.float32], block: int = 50_000) -> Timbre:
    blocks = (mono[None, start : start + block] for start in range(0, len(mono), block))
    return measure(blocks, RATE, Steps(silent, never)).timbre


def spectra(mono: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """librosa's power spectra [shape=(bins, count)], averaged as ours are."""
    power = np.abs(librosa.stft(mono, n_fft=WINDOW, hop_length=HOP, pad_mode="constant")) ** 2
    return power[:, : count * FRAMES].reshape(len(power), count, FRAMES).mean(axis=2)


def test_spectral_features_are_those_of_librosa(song: NDArray[np.float32]) -> None:
    ours = timbre_of(song)
    power = spectra(song, len(ours.centroid))
    magnitude = np.sqrt(power)
    theirs = {
        "centroid": librosa.feature.spectral_centroid(S=magnitude, sr=RATE)[0],
        "bandwidth": librosa.feature.spectral_bandwidth(S=magnitude, sr=RATE)[0],
        "flatness": librosa.feature.spectral_flatness(S=magnitude)[0],
    }
    for name, expected in theirs.items():
        np.testing.assert_allclose(getattr(ours, name), expected, rtol=1e-3, err_msg=name)
    rolloff = librosa.feature.spectral_rolloff(S=magnitude, sr=RATE, roll_percent=0.85)[0]
    np.testing.assert_allclose(ours.rolloff, rolloff, atol=RATE / WINDOW + 0.1)  # one bin
    contrast = librosa.feature.spectral_contrast(S=magnitude, sr=RATE)
    assert contrast.shape[0] == len(CONTRAST_BANDS)
    np.testing.assert_allclose(ours.contrast, contrast.T, atol=0.01)


def test_mfcc_are_those_of_librosa(song: NDArray[np.float32]) -> None:
    ours = timbre_of(song).mfcc
    mel = librosa.feature.melspectrogram(S=spectra(song, len(ours)), sr=RATE, n_mels=128)
    theirs = librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=MFCCS)

    np.testing.assert_allclose(ours, theirs.T, atol=0.05)


def test_rms_and_zero_crossings_are_those_of_librosa(song: NDArray[np.float32]) -> None:
    ours = timbre_of(song)
    frames = {"frame_length": FRAMES * HOP, "hop_length": FRAMES * HOP, "center": False}
    rms = librosa.feature.rms(y=song, **frames)[0][: len(ours.rms)]
    crossings = librosa.feature.zero_crossing_rate(song, **frames)[0][: len(ours.rms)]

    np.testing.assert_allclose(ours.rms, 20 * np.log10(np.maximum(rms, 1e-6)), atol=0.01)
    np.testing.assert_allclose(ours.zero_crossing_rate, crossings, atol=1e-6)


def test_the_size_of_the_blocks_does_not_matter(song: NDArray[np.float32]) -> None:
    whole, parts = timbre_of(song, block=len(song)), timbre_of(song, block=1777)
    for name in ("rms", "centroid", "bandwidth", "flatness", "zero_crossing_rate", "contrast", "mfcc"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-3, atol=1e-2, err_msg=name)


def tone(hertz: float, seconds: float = 3.0, sample_rate: int = 44100) -> NDArray[np.float32]:
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    return (0.5 * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def test_a_tone_is_narrow_and_noise_is_flat() -> None:
    rng = np.random.default_rng(0)
    sine = analyze(tone(2000.0), 44100).timbre
    noise = analyze((0.1 * rng.standard_normal(3 * 44100)).astype(np.float32), 44100).timbre

    assert sine["centroid"] == pytest.approx(2000, rel=0.02)
    assert sine["zero_crossing_rate"] == pytest.approx(2 * 2000 / RATE, rel=0.02)
    assert sine["bandwidth"] < 0.2 * noise["bandwidth"]
    assert sine["flatness"] < 0.01
    assert noise["flatness"] > 0.5
    assert noise["rolloff"] == pytest.approx(0.85 * RATE / 2, rel=0.05)


def test_means_leave_silence_out() -> None:
    sound = tone(1000.0)
    alone = analyze(sound, 44100).timbre
    padded = analyze(np.concatenate([np.zeros(5 * 44100, np.float32), sound, np.zeros(5 * 44100, np.float32)]), 44100)

    assert padded.timbre["centroid"] == pytest.approx(alone["centroid"], rel=0.05)
    assert padded.curves["rms"].values.min() == pytest.approx(-120)


def test_an_analysis_names_every_feature() -> None:
    song = make_song(form=(("drop", 4),))
    analysis = analyze(song.samples, song.sample_rate)
    scalars = {"centroid", "bandwidth", "rolloff", "flatness", "zero_crossing_rate"}
    columns = {f"contrast_{i}" for i in range(1, 8)} | {f"mfcc_{i}" for i in range(1, 21)}

    assert set(analysis.timbre) == scalars | columns
    assert analysis.to_dict()["timbre"] == pytest.approx(analysis.timbre, abs=1e-4)
    for name in (*scalars, "rms", "contrast", "mfcc"):
        curve = analysis.curves[name]
        assert curve.rate == pytest.approx(RATE / 1024)
        assert len(curve) == pytest.approx(analysis.duration * RATE / 1024, abs=1.5)


@pytest.mark.parametrize("seconds", [0.0, 0.00003, 0.02, 0.2, 3.0])
def test_silence_has_no_timbre(seconds: float) -> None:
    analysis = analyze(np.zeros((2, round(seconds * 44100)), np.float32), 44100)

    assert analysis.timbre == {}
    assert analysis.danceability is None
    assert (analysis.rms, analysis.crest, analysis.momentary_max) == (None, None, None)
    assert all(np.isfinite(curve.values).all() for curve in analysis.curves.values())


def test_a_beat_is_danced_to_more_than_a_chord() -> None:
    def made(**layers: float) -> Analysis:
        song = make_song(tempo=124.0, form=(("drop", 16),), layers={"drop": layers})
        return analyze(song.samples, song.sample_rate)

    house = made(kick=1.0, snare=0.8, hat=0.8, bass=0.8, chords=0.5)
    soft = made(chords=0.6, lead=0.3, hat=0.05)

    assert house.danceability is not None
    assert 0.7 < house.danceability <= 1
    assert soft.danceability is None or soft.danceability < house.danceability - 0.1
    assert house.energy > soft.energy
