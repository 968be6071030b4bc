"""Choosing an engine, watching it and stopping it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sfa_kernel.errors import Cancelled, ParameterError
from sfa_kernel.separation import ENGINES, engine, separate


@pytest.fixture
def hiss(write):
    return write(0.1 * np.random.default_rng(0).standard_normal((2, 30 * 44100)))


def test_progress_is_rising_integers_up_to_100(hiss, tmp_path):
    seen = []
    separate(hiss, tmp_path / "stems", progress=seen.append)
    assert all(type(percent) is int for percent in seen)
    assert seen == sorted(set(seen))
    assert seen[-1] == 100
    assert len(seen) > 20


@pytest.mark.parametrize("asked", [1, 40])
def test_cancel_is_honoured_at_once_and_leaves_nothing(hiss, tmp_path, asked):
    out = tmp_path / "stems"
    out.mkdir()
    (out / "mine.txt").write_text("kept")
    calls = []
    times = [time.perf_counter()]

    def cancel():
        calls.append(None)
        times.append(time.perf_counter())
        return len(calls) >= asked

    with pytest.raises(Cancelled):
        separate(hiss, out, cancel=cancel)
    assert len(calls) == asked
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_cancel_is_asked_often(hiss, tmp_path):
    calls = []
    separate(hiss, tmp_path / "stems", cancel=lambda: bool(calls.append(None)))
    # Thirty seconds of music take about a second: a stop is seen within a small part of that.
    assert len(calls) > 50


def test_a_cancel_that_comes_after_the_end_takes_nothing_away(hiss, tmp_path):
    seen = []
    result = separate(hiss, tmp_path / "stems", progress=seen.append, cancel=lambda: 100 in seen)
    assert all(path.exists() for path in result.stems.values())


def test_an_unknown_engine_names_the_choices(tmp_path):
    with pytest.raises(ParameterError, match=r"no separation engine 'magic'.*draft"):
        separate(tmp_path / "song.wav", tmp_path, engine="magic")


def test_the_draft_engine_says_what_it_is():
    draft = engine("draft")
    assert draft is ENGINES["draft"]
    assert draft.label == "Draft (no AI)"
    assert draft.draft
    assert draft.badge("") == "Draft (no AI)"
    assert draft.model().stems == ("vocals", "drums", "bass", "other")


def test_the_registry_cannot_be_changed_by_accident():
    with pytest.raises(TypeError):
        ENGINES["mine"] = engine("draft")
