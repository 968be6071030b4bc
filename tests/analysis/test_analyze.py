"""Whatever comes in, a valid analysis comes out, the same each time."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

import sfa_kernel.analysis
from sfa_kernel.analysis import Analysis, analyze, analyze_blocks, find_cues
from sfa_kernel.analysis.curves import Curves
from sfa_kernel.errors import Cancelled, InputError, ParameterError
from tests.analysis.songs import Song, make_song

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def noise(channels: int, count: int) -> NDArray[np.float32]:
    return (0.2 * np.random.default_rng(0).standard_normal((channels, count))).astype(np.float32)


ODD = {
    "nothing": (np.zeros((2, 0), np.float32), 44100),
    "one sample": (np.full((2, 1), 0.5, np.float32), 44100),
    "50 ms": (noise(2, 2205), 44100),
    "a second": (noise(1, 8000), 8000),
    "direct current": (np.full((2, 44100), 0.5, np.float32), 44100),
    "not finite": (np.where(noise(2, 44100) > 0.3, np.nan, np.inf).astype(np.float32), 44100),
    "huge": (1e30 * noise(2, 44100), 44100),
    "six channels": (noise(6, 48000), 48000),
    "fast": (noise(2, 192_000), 192_000),
    "odd rate": (noise(1, 44_056), 44_056),
    "slow": (noise(1, 4000), 1000),
    "clicks": ((np.arange(20 * 22050) % 11025 == 0).astype(np.float32)[None], 22050),  # bars without any difference
}


@pytest.mark.parametrize("name", ODD)
def test_odd_sounds_give_finite_values(name: str) -> None:
    samples, sample_rate = ODD[name]
    analysis = analyze(samples, sample_rate)

    json.dumps(analysis.to_dict(), allow_nan=False)
    assert analysis.duration == pytest.approx(samples.shape[-1] / sample_rate)
    assert 1 <= analysis.energy <= 10
    find_cues(analysis)


def test_silence_has_no_tempo_no_key_and_no_loudness() -> None:
    analysis = analyze(np.zeros((2, 10 * 44100), np.float32), 44100)

    assert analysis.tempo is None
    assert len(analysis.beats) == len(analysis.downbeats) == 0
    assert analysis.key is None
    assert analysis.camelot is None
    assert analysis.lufs is analysis.lra is analysis.true_peak is None
    assert analysis.drops == []


def test_noise_has_no_beat() -> None:
    analysis = analyze(noise(1, 10 * 22050), 22050)

    assert analysis.tempo is None
    assert analysis.lufs is not None


def test_channels_that_cancel_are_still_heard() -> None:
    song = make_song(form=(("drop", 12),))
    inverted = np.stack([song.samples[0], -song.samples[0]])

    assert analyze(inverted, song.sample_rate).tempo == pytest.approx(126.0, rel=5e-4)


@pytest.mark.parametrize("sample_rate", [8000, 44100, 96000])
def test_the_sample_rate_does_not_matter(sample_rate: int) -> None:
    song = make_song(form=(("drop", 10),), sample_rate=sample_rate)
    analysis = analyze(song.samples, sample_rate)

    assert analysis.tempo == pytest.approx(126.0, rel=5e-4)
    assert analysis.beats[0] == pytest.approx(song.beats[0], abs=0.01)


def test_one_channel_may_come_flat() -> None:
    song = make_song(form=(("drop", 8),))

    assert analyze(song.samples[0], song.sample_rate).tempo == pytest.approx(126.0, rel=5e-4)


@pytest.mark.parametrize(
    ("samples", "sample_rate"),
    [
        (np.zeros((2, 2, 2), np.float32), 44100),
        (np.zeros((2, 100), np.int16), 44100),
        (np.zeros((44100, 2), np.float32), 44100),
        (np.zeros((0, 100), np.float32), 44100),
        (np.zeros((2, 100), np.float32), 0),
    ],
)
def test_wrong_arrays_are_refused(samples: NDArray[np.float32], sample_rate: int) -> None:
    with pytest.raises(ParameterError):
        analyze(samples, sample_rate)


def test_the_same_song_gives_the_same_analysis(club_song: Song, club_analysis: Analysis) -> None:
    again = analyze(club_song.samples, club_song.sample_rate)

    assert again.to_dict() == club_analysis.to_dict()


def test_a_song_may_come_in_blocks(club_song: Song, club_analysis: Analysis) -> None:
    samples = club_song.samples
    blocks = (samples[:, start : start + 30_011] for start in range(0, samples.shape[1], 30_011))
    streamed = analyze_blocks(blocks, club_song.sample_rate)

    np.testing.assert_allclose(streamed.beats, club_analysis.beats, atol=1e-4)
    assert streamed.key == club_analysis.key
    assert streamed.lufs == pytest.approx(club_analysis.lufs, abs=1e-3)
    assert [section.label for section in streamed.sections] == [section.label for section in club_analysis.sections]


def test_blocks_must_agree_on_their_channels() -> None:
    with pytest.raises(ParameterError, match="follows"):
        analyze_blocks([noise(2, 1000), noise(1, 1000)], 44100)
    with pytest.raises(ParameterError, match="floating point array"):
        analyze_blocks([[0.0, 0.5]], 44100)  # type: ignore[list-item]


def test_a_rate_must_be_a_number() -> None:
    with pytest.raises(ParameterError, match="out of range"):
        analyze(noise(1, 1000), None)  # type: ignore[arg-type]


def test_an_analysis_survives_json(club_analysis: Analysis) -> None:
    written = json.loads(json.dumps(club_analysis.to_dict(), allow_nan=False))
    read = Analysis.from_dict(written)

    assert read.to_dict() == written
    assert read.tempo == pytest.approx(club_analysis.tempo, abs=1e-4)
    np.testing.assert_allclose(read.beats, club_analysis.beats, atol=1e-5)


@pytest.mark.parametrize("text", ["", "[1]", '{"sections": [{"wrong": 1}]}', None])
def test_a_damaged_analysis_is_told(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "analysis.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        Analysis.load(file)


def test_curves_cut_off_are_told(club_analysis: Analysis, tmp_path: Path) -> None:
    file = tmp_path / "curves.npz"
    club_analysis.curves.save(file)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(InputError, match="cannot be read"):
        Curves.load(file)["onsets"]


def test_progress_rises_to_a_hundred() -> None:
    seen: list[int] = []
    analyze(noise(2, 30 * 22050), 22050, progress=seen.append)

    assert seen == sorted(set(seen))
    assert seen[0] == 0
    assert seen[-1] == 100


def test_it_stops_when_asked() -> None:
    with pytest.raises(Cancelled):
        analyze(noise(2, 22050), 22050, cancel=lambda: True)


def test_names_are_exported() -> None:
    assert all(hasattr(sfa_kernel.analysis, name) for name in sfa_kernel.analysis.__all__)


def test_the_package_is_light_to_import() -> None:
    code = "import sys, sfa_kernel.analysis; print('scipy' in sys.modules, 'numpy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["False", "False"]
