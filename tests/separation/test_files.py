"""What is written: every stem as long as the source, in step with it, and together the source again."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import soundfile

from sfa_kernel.audio import decode
from sfa_kernel.errors import AudioError
from sfa_kernel.separation import separate
from tests.separation.songs import STEMS, song


def left_over(mix, stems):
    """Mix minus stems, relative to the mix [dB]."""
    rest = mix.astype(np.float64) - sum(stem.astype(np.float64) for stem in stems)
    return 10 * np.log10((np.sum(rest**2) + 1e-30) / np.sum(mix.astype(np.float64) ** 2))


def read_all(result):
    return [decode(result.stems[name])[0] for name in STEMS]


def noise(n, channels=2, level=0.1):
    return level * np.random.default_rng(1).standard_normal((channels, n))


def test_the_written_stems_add_up_to_the_mix(separated):
    truth, result, read = separated
    assert list(result.stems) == list(STEMS)
    assert left_over(truth.mix, read.values()) < -80
    assert result.residual_db < -80


@pytest.mark.parametrize("rate", [8000, 11025, 22051, 48000, 96001])
@pytest.mark.parametrize("channels", [1, 2])
def test_rate_length_and_channels_are_the_sources(write, tmp_path, rate, channels):
    n = rate + 7
    path = write(noise(n, channels), rate)
    result = separate(path, tmp_path / "stems")
    assert (result.sample_rate, result.channels, result.frames) == (rate, channels, n)
    for name in STEMS:
        info = soundfile.info(result.stems[name])
        assert (info.samplerate, info.channels, info.frames) == (rate, channels, n)
    assert left_over(decode(path)[0], read_all(result)) < -80


@pytest.mark.parametrize("n", [1, 2, 2205])
def test_very_short_files(write, tmp_path, n):
    path = write(noise(n))
    result = separate(path, tmp_path / "stems")
    assert all(soundfile.info(stem).frames == n for stem in result.stems.values())
    assert left_over(decode(path)[0], read_all(result)) < -80


def test_silence_gives_silent_stems(write, tmp_path):
    result = separate(write(np.zeros((2, 44100))), tmp_path / "stems")
    assert not any(np.any(stem) for stem in read_all(result))
    assert not any(np.any(level) for level in result.levels.values())
    assert result.residual_db == -200


def test_no_stem_is_shifted_in_time(separated):
    truth, _, read = separated
    for name in STEMS:
        true, found = np.diff(truth.stems[name][0]), np.diff(read[name][0])
        n = len(true)
        correlation = np.fft.irfft(np.fft.rfft(true, 2 * n) * np.conj(np.fft.rfft(found, 2 * n)), 2 * n)
        lag = (np.argmax(correlation) + n) % (2 * n) - n
        # What leaks in from other parts moves the top of a bass's broad peak by a few samples.
        assert abs(lag) <= 16, name


def test_a_stem_beyond_full_scale_is_kept_as_float(write, tmp_path):
    loud = song("pop", seed=2, seconds=4).mix * 3
    path = write(loud, subtype="FLOAT")
    result = separate(path, tmp_path / "stems")
    suffixes = {stem.suffix for stem in result.stems.values()}
    assert ".wav" in suffixes
    assert all(np.abs(decode(s)[0]).max() > 1 for s in result.stems.values() if s.suffix == ".wav")
    assert left_over(loud, read_all(result)) < -80


def test_a_mix_too_quiet_for_24_bits_adds_up_too(write, tmp_path):
    quiet = noise(44100, level=1e-6).astype(np.float32)
    result = separate(write(quiet, subtype="FLOAT"), tmp_path / "stems")
    assert left_over(quiet, read_all(result)) < -80
    assert result.residual_db < -80


def test_more_than_two_channels_are_mixed_down(write, tmp_path):
    parts = noise(22050, channels=6)
    result = separate(write(parts), tmp_path / "stems")
    together = sum(read_all(result))
    left, right, centre, low, side_left, side_right = parts
    expected = np.stack(
        [
            (left + 0.707 * centre + 0.5 * low + 0.707 * side_left) / 2.914,
            (right + 0.707 * centre + 0.5 * low + 0.707 * side_right) / 2.914,
        ]
    )
    assert result.channels == 2
    assert left_over(expected, [together]) < -60


def test_stems_of_an_earlier_run_are_replaced(write, tmp_path):
    out = tmp_path / "stems"
    mix = song("pop", seed=2, seconds=2).mix
    separate(write(mix * 4, subtype="FLOAT"), out)
    result = separate(write(mix * 0.2), out)
    assert sorted(p.name for p in out.iterdir()) == sorted(p.name for p in result.stems.values())


def test_a_file_that_is_no_audio_leaves_nothing(tmp_path):
    path = tmp_path / "notes.mp3"
    path.write_text("no sound here")
    with pytest.raises(AudioError):
        separate(path, tmp_path / "stems")
    assert not (tmp_path / "stems").exists()


def test_a_folder_that_cannot_be_made_is_told_in_one_line(write, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(AudioError, match="cannot be written"):
        separate(write(noise(100)), tmp_path / "taken" / "stems")


@pytest.mark.parametrize("rate", [11025, 44100])
def test_levels_are_the_stems_root_mean_square_ten_times_a_second(write, tmp_path, rate):
    result = separate(write(song("pop", seed=1, seconds=3.14, sample_rate=rate).mix, rate), tmp_path / "stems")
    for name, stem in zip(STEMS, read_all(result), strict=True):
        edges = np.ceil(np.arange(33) * rate / 10).astype(int)
        expected = [np.sqrt(np.mean(stem[:, a:b] ** 2)) for a, b in itertools.pairwise(edges) if a < stem.shape[1]]
        np.testing.assert_allclose(result.levels[name], expected, rtol=1e-3, atol=1e-6)
