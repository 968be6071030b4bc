"""Long songs are worked on in windows; nobody hears where they meet."""

from __future__ import annotations

import numpy as np
import pytest

from sfa_kernel.separation import draft, windows
from tests.separation.songs import song

RATE = 8000


@pytest.fixture
def short_windows(monkeypatch):
    monkeypatch.setattr(windows, "_STRIDE", 10.0)


def blocks(samples, size=4096):
    return (samples[:, i : i + size] for i in range(0, samples.shape[1], size))


def split(samples, rate, splitter):
    done = []
    pieces = list(windows.split_long(blocks(samples), rate, splitter, at=done.append))
    assert done == sorted(done)
    return np.concatenate(pieces, axis=2)


@pytest.mark.parametrize("seconds", [0.001, 9.9, 14.0, 19.0, 19.1, 24.0, 61.7])
def test_windows_cover_the_song_exactly(short_windows, seconds):
    samples = np.random.default_rng(0).standard_normal((2, round(seconds * RATE))).astype(np.float32)

    def halves(window, rate, *, at):
        for i in range(0, window.shape[1], 5000):
            piece = window[:, i : i + 5000]
            at(i / window.shape[1])
            yield np.stack([0.25 * piece, 0.75 * piece])

    out = split(samples, RATE, halves)
    np.testing.assert_allclose(out[0], 0.25 * samples, atol=1e-6)
    np.testing.assert_allclose(out[1], 0.75 * samples, atol=1e-6)


def test_windows_that_disagree_are_faded_into_each_other(short_windows):
    samples = np.ones((1, 60 * RATE), np.float32)
    count = iter(range(100))

    def numbered(window, rate, *, at):
        yield np.full((1, *window.shape), next(count), np.float32)

    out = split(samples, RATE, numbered)[0, 0]
    assert out[-1] >= 3
    assert np.abs(np.diff(out)).max() < 1 / RATE


def test_no_more_than_a_window_is_held(short_windows):
    longest = []
    taken = 0

    def source():
        nonlocal taken
        for _ in range(200):
            taken += RATE
            yield np.zeros((1, RATE), np.float32)

    def watching(window, rate, *, at):
        longest.append(window.shape[1])
        yield np.zeros((1, *window.shape), np.float32)

    given = 0
    for piece in windows.split_long(source(), RATE, watching, at=lambda _: None):
        given += piece.shape[2]
        assert taken - given <= 40 * RATE
    assert given == 200 * RATE
    assert max(longest) <= 19 * RATE


def test_a_song_in_windows_is_the_song_in_one(short_windows):
    mix = song("pop", seed=4, seconds=34, sample_rate=RATE).mix
    whole = np.concatenate(list(draft.split(mix, RATE)), axis=2)
    out = split(mix, RATE, draft.split)
    assert out.shape == whole.shape
    for stem, expected in zip(out, whole, strict=True):
        difference = np.sum((stem - expected) ** 2) / np.sum(expected**2)
        assert 10 * np.log10(difference) < -8
    # A click would be a step that the song itself does not have.
    assert np.abs(np.diff(out, axis=2)).max() < 1.5 * np.abs(np.diff(mix, axis=1)).max()
    for stem in out:
        for seam in (10, 12, 14, 20, 24):
            around = np.abs(np.diff(stem[0, (seam - 1) * RATE : (seam + 1) * RATE]))
            middle = len(around) // 2
            assert around[middle - 20 : middle + 20].max() <= around.max()
