"""Hot cues of a track: set, overwritten, cleared, brought back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sfa_kernel.catalog import cues, loops
from sfa_kernel.catalog.cues import CueRow
from sfa_kernel.catalog.loops import LoopRow
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.hotcues import COLORS
from tests.test_playlists import added

if TYPE_CHECKING:
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio


@pytest.fixture
def track(studio: Studio) -> Track:
    return added(studio, "Song", duration=200.0)[0]


def found(track: Track, time: float, kind: str, **more: Any) -> CueRow:
    cue = CueRow(uuid4(), track.id, time, kind, kind.capitalize(), "#123456", 0.8, "heard", "auto", **more)
    with track.library.catalog.write() as connection:
        cues.insert(connection, cue)
    return cue


def test_a_hot_cue_is_set_moved_named_and_brought_back(track: Track) -> None:
    hot = track.hot_cues
    hot.set(3, 30.0)
    assert (hot[3].time, hot[3].end, hot[3].label, hot[3].color) == (30.0, None, "", COLORS[2])
    hot.set(3, 30.0, label="Drop", color="#ABCDEF")
    hot.set(3, 45.5, end=53.5)
    assert (hot[3].time, hot[3].end, hot[3].label, hot[3].color) == (45.5, 53.5, "Drop", "#abcdef")
    assert [cue.time for cue in track.cues] == [45.5]
    assert hot.restore(3).time == 30.0
    assert hot.restore(3).time == 45.5
    assert hot.clear(3).end == 53.5
    assert (dict(hot), track.cues) == ({}, [])
    assert hot.restore(3).label == "Drop"
    assert list(hot) == [3]


def test_the_cues_that_were_found_fill_the_free_slots(track: Track) -> None:
    drop, loop, intro = found(track, 60.0, "drop"), found(track, 120.0, "loop"), found(track, 2.0, "intro")
    row = LoopRow(uuid4(), track.id, "mix", 120.0, 136.0, 8, 0.9, "repeats")
    with track.library.catalog.write() as connection:
        loops.replace(connection, track.id, [row])
    track.hot_cues.set(1, 60.02)
    assert [(cue.slot, cue.id, cue.end) for cue in track.hot_cues.fill()] == [(2, intro.id, None), (3, loop.id, 136.0)]
    assert track.hot_cues.fill() == []
    assert drop.id in [cue.id for cue in track.cues]
    # Analysed anew it keeps them, and no second ones come.
    with track.library.catalog.write() as connection:
        again = [CueRow(uuid4(), track.id, 2.0, "intro", "", "#123456", 0.8, "", "auto")]
        cues.replace_automatic(connection, track.id, again)
    assert [cue.time for cue in track.cues] == [2.0, 60.02, 120.0]
    # Cleared, it is a cue of the track as before.
    track.hot_cues.clear(2)
    assert intro.id in [cue.id for cue in track.cues]
    assert track.hot_cues.restore(2).id == intro.id
    assert len(track.cues) == 3


@pytest.mark.parametrize(
    ("slot", "time", "more"),
    [
        (0, 1.0, {}),
        (9, 1.0, {}),
        (True, 1.0, {}),
        (1, -1.0, {}),
        (1, 200.1, {}),
        (1, float("nan"), {}),
        (1, "1", {}),
        (1, 10.0, {"end": 10.0}),
        (1, 10.0, {"end": 300.0}),
        (1, 10.0, {"color": "red"}),
    ],
)
def test_what_cannot_be_set_leaves_the_slot_as_it_was(track: Track, slot: Any, time: Any, more: dict[str, Any]) -> None:
    track.hot_cues.set(1, 5.0)
    with pytest.raises(ParameterError):
        track.hot_cues.set(slot, time, **more)
    assert track.hot_cues[1].time == 5.0


def test_a_loop_goes_along_when_its_cue_is_moved(track: Track) -> None:
    cue = track.hot_cues.set(1, 10.0, end=18.0, label="a\0b\ud800")
    track.change_cue(cue, time=12.5)
    assert (track.hot_cues[1].time, track.hot_cues[1].end, track.hot_cues[1].label) == (12.5, 20.5, "a b\ufffd")
    with pytest.raises(ParameterError, match="outside of the song"):
        track.change_cue(cue, time=199.0)
    assert track.hot_cues[1].time == 12.5


def test_a_free_slot_cannot_be_cleared_or_brought_back(track: Track) -> None:
    with pytest.raises(NotFoundError, match="not set"):
        track.hot_cues.clear(1)
    with pytest.raises(NotFoundError, match="never"):
        track.hot_cues.restore(1)
