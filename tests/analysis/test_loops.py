"""Loops: what a user relies on is that a loop, repeated, goes on as the song itself does."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, analyze
from sfa_kernel.analysis.loops import find_stem_loops
from tests.analysis.songs import make_song

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.model import Loop
    from tests.analysis.songs import Song


def spectrum(samples: NDArray[np.float32], rate: int, start: float) -> NDArray[np.float64]:
    """Compressed spectrum of the quarter of a second from a time on, in bands of 100 Hz."""
    first = round(start * rate)
    part = samples[first : first + rate // 4]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    width = max(1, len(power) * 200 // rate)
    return np.log10(np.add.reduceat(power, np.arange(0, len(power), width)) + 1e-3)


def seam(samples: NDArray[np.float32], rate: int, loop: Loop) -> float:
    """How differently a loop goes on at its end from how the song does."""
    return float(np.abs(spectrum(samples, rate, loop.start) - spectrum(samples, rate, loop.end)).mean())


def test_loops_are_whole_bars_on_downbeats(club_analysis: Analysis) -> None:
    loops = club_analysis.loops

    assert 3 <= len(loops) <= 12
    assert {loop.bars for loop in loops} == {4, 8, 16}
    assert [loop.score for loop in loops] == sorted((loop.score for loop in loops), reverse=True)
    for loop in loops:
        first, last = (int(np.abs(club_analysis.downbeats - time).argmin()) for time in (loop.start, loop.end))
        assert last - first == loop.bars
        assert np.abs(club_analysis.downbeats - loop.start).min() < 1e-6
        assert 0 <= loop.score <= 1
        assert loop.source == "mix"
        assert loop.reason.endswith(".")


def test_loops_of_a_length_do_not_overlap(club_analysis: Analysis) -> None:
    for bars in (4, 8, 16):
        loops = sorted((loop for loop in club_analysis.loops if loop.bars == bars), key=lambda loop: loop.start)
        assert all(a.end <= b.start + 0.01 for a, b in itertools.pairwise(loops))


def test_the_best_seams_are_better_than_bars_that_follow_each_other(club_song: Song, club_analysis: Analysis) -> None:
    mono = club_song.samples.mean(axis=0)
    rate = club_song.sample_rate
    bars = club_analysis.downbeats[4:-4]
    usual = np.median(
        [np.abs(spectrum(mono, rate, a) - spectrum(mono, rate, b)).mean() for a, b in itertools.pairwise(bars)]
    )

    # a loop that ends with its section goes on as an earlier phrase does, not as the bar after it
    edges = [section.end for section in club_analysis.sections]
    inner = [loop for loop in club_analysis.loops if min(abs(loop.end - edge) for edge in edges) > 0.1]
    best = [loop for loop in inner if loop.score > 0.9]
    assert best
    assert max(seam(mono, rate, loop) for loop in best) < 0.5 * usual


def test_a_build_or_a_change_of_section_is_no_loop() -> None:
    song = make_song(tempo=128.0, form=(("drop", 16), ("build", 8), ("drop", 16)), seed=5)
    analysis = analyze(song.samples, song.sample_rate)
    start, end, _ = song.sections[1]

    assert analysis.loops
    assert all(loop.end <= start + 0.1 or loop.start >= end - 0.1 for loop in analysis.loops if loop.score > 0.5)


def test_loops_come_from_different_parts_of_the_song(club_analysis: Analysis) -> None:
    fours = [loop for loop in club_analysis.loops if loop.bars == 4]
    parts = {
        section.group
        for loop in fours
        for section in club_analysis.sections
        if section.start <= loop.start < section.end
    }
    assert len(parts) >= 2


@pytest.fixture(scope="module")
def bass_stem(club_song: Song) -> NDArray[np.float32]:
    """The bass of the club song alone: what lies below 150 Hz."""
    mono = club_song.samples.mean(axis=0)
    spectrum_ = np.fft.rfft(mono)
    spectrum_[int(150 * len(mono) / club_song.sample_rate) :] = 0
    return np.fft.irfft(spectrum_, len(mono)).astype(np.float32)


def test_loops_of_a_stem(club_song: Song, club_analysis: Analysis, bass_stem: NDArray[np.float32]) -> None:
    loops = find_stem_loops("bass", bass_stem, club_song.sample_rate, club_analysis)

    assert 1 <= len(loops) <= 4
    assert {loop.source for loop in loops} == {"bass"}
    ordered = sorted(loops, key=lambda loop: loop.start)
    assert all(a.end <= b.start + 0.01 for a, b in itertools.pairwise(ordered))
    silent = [section for section in club_analysis.sections if section.label == "break"]
    assert not any(section.start <= loop.start < section.end for section in silent for loop in loops)


def test_a_silent_stem_has_no_loops(club_song: Song, club_analysis: Analysis) -> None:
    silence = np.zeros(club_song.samples.shape[1], np.float32)
    assert find_stem_loops("vocals", silence, club_song.sample_rate, club_analysis) == []


def test_without_bars_there_are_no_loops() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 22050 * 12).astype(np.float32)

    assert find_stem_loops("other", noise, 22050, Analysis(duration=12.0)) == []
    assert analyze(noise, 22050).loops == []
