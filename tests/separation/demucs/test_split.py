from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from sfa_kernel.errors import Cancelled, SetupError
from sfa_kernel.separation.demucs import load, split
from sfa_kernel.separation.interface import Place, Song, Task
from tests.separation.demucs.making import make_weights
from tests.separation.demucs.networks import SOURCES, Echo, bag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEFAULTS = {name: setting.default for name, setting in split.SETTINGS.items()}


def song(samples: Any, sample_rate: int = 44100, *, declared: int | None = None, size: int = 8191) -> Song:
    def blocks() -> Iterator[Any]:
        for start in range(0, samples.shape[1], size):
            yield samples[:, start : start + size]

    return Song(sample_rate, len(samples), samples.shape[1] if declared is None else declared, blocks)


def noise(frames: int, channels: int = 2, seed: int = 0, highest: float = 1.0) -> Any:
    """Noise up to a share of the band, with a little of a constant in it."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal((channels, frames)))
    spectrum[:, int(highest * spectrum.shape[1]) :] = 0
    return (0.1 * np.fft.irfft(spectrum, frames) + 0.003).astype(np.float32)


def decibels(result: Any, truth: Any) -> float:
    """Level of the truth over the error [dB]."""
    error = float(np.sum((result.astype(np.float64) - truth) ** 2))
    return 10 * np.log10(float(np.sum(truth.astype(np.float64) ** 2)) / max(error, 1e-300))


@pytest.fixture
def separated(tmp_path: Path) -> Callable[..., Any]:
    """Run the engine on a song [shape=(stems, channels, frames)]."""

    def separated(
        song: Song, stems: tuple[str, ...] = SOURCES, model: str = "htdemucs", at: Any = lambda _: None, **settings: Any
    ) -> Any:
        place = Place(tmp_path / "scratch", "cpu", tmp_path / "weights")
        parts = split.split(song, Task(model, stems, {**DEFAULTS, **settings}, place), at)
        assert parts.names == stems
        return np.concatenate(list(parts.pieces), axis=2)

    return separated


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Echo:
    """A model that answers with what it hears, in every stem."""
    network = Echo()
    monkeypatch.setattr(load, "load", lambda *_, **__: bag(network))
    return network


@pytest.mark.parametrize("channels", [1, 2])
def test_the_stems_are_those_of_upstreams_separator(separated, tmp_path, channels):
    make_weights(tmp_path / "weights")
    samples = noise(100001, channels)
    found = separated(song(samples))

    from demucs.apply import BagOfModels, apply_model

    wav = torch.from_numpy(np.repeat(samples, 3 - channels, axis=0))
    reference = wav.mean(0)
    mean, deviation = reference.mean(), reference.std() + 1e-8
    networks = [member.network for member in load.load(tmp_path / "weights", "htdemucs").members]
    out = apply_model(BagOfModels(networks), ((wav - mean) / deviation)[None], shifts=0)[0] * deviation + mean
    expected = out.numpy() if channels == 2 else out.numpy().mean(axis=1, keepdims=True)
    assert decibels(found, expected) > 100


def test_one_stem_of_the_fine_tuned_model_is_the_one_of_all_four(separated, tmp_path):
    make_weights(tmp_path / "weights", "htdemucs_ft")
    samples = noise(70000)
    every = separated(song(samples), model="htdemucs_ft")
    alone = separated(song(samples), ("bass",), model="htdemucs_ft")
    np.testing.assert_array_equal(alone[0], every[1])


def test_a_bag_of_older_networks_runs(separated, tmp_path):
    make_weights(tmp_path / "weights", "mdx_extra", channels=4, dconv_comp=2, norm_groups=2)
    found = separated(song(noise(30000)), ("vocals",), model="mdx_extra")
    assert found.shape == (1, 2, 30000)
    assert np.isfinite(found).all()
    assert found.std() > 1e-4


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
def test_at_any_rate_the_stems_are_in_step_with_the_song_to_the_sample_and_flat(separated, echo, rate, channels):
    samples = noise(3 * rate + 17, channels, highest=min(1.0, 44100 / rate) * 0.9)
    found = separated(song(samples, rate))
    assert found.shape == (4, *samples.shape)
    # A thousandth of a sample in time would leave 56 dB, and 0.01 dB in level 59.
    inside = slice(rate // 10, -rate // 10)  # a resampler does not know what was before a song and comes after it
    for stem in found:
        assert decibels(stem[:, inside], samples[:, inside]) > 65


@pytest.mark.parametrize("rate", [22050, 48000])
@pytest.mark.parametrize("frames", [1, 2, 100, 44099])
def test_a_song_of_any_length_gives_stems_of_that_length(separated, echo, rate, frames):
    found = separated(song(noise(frames), rate))
    assert found.shape == (4, 2, frames)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("declared", [29000, 31000])
def test_what_counts_is_how_long_the_song_is_not_how_long_it_says(separated, echo, declared):
    samples = noise(30000)
    assert separated(song(samples, declared=declared)).shape == (4, 2, 30000)


def test_silence_gives_silence(separated, echo):
    assert not separated(song(np.zeros((2, 100000), np.float32), 48000)).any()
    assert echo.given == []


def test_a_long_silence_in_a_song_is_silent_in_its_stems_without_any_work(separated, echo):
    samples = noise(44100 * 8)
    samples[:, 44100 : 44100 * 7] = 0
    found = separated(song(samples))
    assert np.abs(found[:, :, 44100 * 2 : 44100 * 6]).max() < 2**-25  # less than a file of 24 bits can hold
    assert len(echo.given) < 7


def test_progress_rises_to_the_end_and_counts_segments(separated, echo):
    told: list[float] = []
    separated(song(noise(44100 * 5)), at=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    steps = -(-44100 * 5 // 33075)
    np.testing.assert_allclose([share for share in told if share > 0.02], 0.02 + 0.98 * np.arange(1, steps + 1) / steps)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_it_stops_when_told_to(separated, echo, share):
    def at(done: float) -> None:
        if done >= share:
            raise Cancelled("Stopped.")

    with pytest.raises(Cancelled):
        separated(song(noise(44100 * 5)), at=at)
    assert len(echo.given) == (4 if share == 0.5 else 0)


def test_the_device_is_noted_and_one_that_is_not_there_is_an_error(echo, tmp_path):
    place = Place(tmp_path, "cpu")
    next(split.split(song(noise(1000)), Task("htdemucs", ("bass",), DEFAULTS, place), lambda _: None).pieces)
    assert place.notes == {"device": "cpu"}
    away = Place(tmp_path, "cuda:7")
    parts = split.split(song(noise(1000)), Task("htdemucs", ("bass",), DEFAULTS, away), lambda _: None)
    with pytest.raises(SetupError, match="cuda:7"):
        next(parts.pieces)


def test_settings_reach_the_networks(separated, echo):
    samples = noise(44100 * 4)
    separated(song(samples), overlap=0.5, batch=2)
    assert [shape[0] for shape in echo.given] == [2, 2, 2, 1, 1]  # the last is shorter than the others
    echo.given.clear()
    separated(song(samples), overlap=0.5, exact=False)
    assert len(echo.given) == 7


@pytest.mark.slow
def test_a_compiled_model_gives_the_same(separated, tmp_path, monkeypatch):
    # Everything but the translation into the machine's own code, which takes PyTorch minutes.
    make_weights(tmp_path / "weights", t_layers=1, dconv_mode=0)
    compiled = torch.compile
    ran = []

    def quickly(function: Any, **options: Any) -> Any:
        ran.append(options)
        return compiled(function, **{**options, "backend": "aot_eager"})

    samples = noise(100000)
    expected = separated(song(samples))
    monkeypatch.setattr(torch, "compile", quickly)
    found = separated(song(samples), compile=True, batch=2)
    torch.compiler.reset()
    assert len(ran) == 1
    assert decibels(found, expected) > 100


def test_without_a_compiler_it_says_what_to_install(separated, tmp_path, monkeypatch):
    make_weights(tmp_path / "weights")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SetupError, match=r"Install a C\+\+ compiler"):
        separated(song(noise(1000)), compile=True)


def test_a_model_is_ready_when_its_weights_are_there(tmp_path):
    place = Place(tmp_path / "scratch", "cpu", tmp_path / "weights")
    able, reason = split.ready("htdemucs", place)
    assert not able
    assert "sfa weights fetch htdemucs" in reason
    assert "draft" in reason
    make_weights(tmp_path / "weights")
    assert split.ready("htdemucs", place) == (True, "")
    assert not split.ready("htdemucs_ft", place)[0]
    for file in (tmp_path / "weights").glob("*.safetensors"):
        file.write_bytes(b"")
    assert "damaged" in split.ready("htdemucs", place)[1]


def test_it_is_not_ready_without_the_packages(tmp_path, monkeypatch):
    from importlib import util

    there = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "demucs" else there(name))
    able, reason = split.ready("htdemucs", Place(tmp_path))
    assert not able
    assert "demucs is not installed" in reason
    assert "pip install" in reason
