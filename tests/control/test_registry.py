"""Controls: what they take, and who is told."""

from __future__ import annotations

import json
import threading
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from sfa_kernel.control import Change, Controls, control, controls
from sfa_kernel.errors import ParameterError


def test_the_table_is_written_out() -> None:
    table = controls()
    assert table["deck.3.stem.lead_vocals.mute"].label == "Mute lead vocals"
    assert (table["deck.2.assign"].default, table["deck.1.assign"].default) == ("right", "left")
    assert (table["mixer.vu"].deck, table["deck.4.vu"].deck) == (None, 4)
    lines = json.loads(resources.files("sfa_kernel.control").joinpath("controls.json").read_text("utf-8"))["controls"]
    assert {one.line for one in table.values()} == {line["id"] for line in lines}


@pytest.mark.parametrize(
    ("identifier", "given", "taken"),
    [
        ("deck.1.pitch", 80, 50.0),
        ("deck.1.pitch", np.float32(-0.5), -0.5),
        ("deck.1.key_shift", 2.6, 3.0),
        ("deck.1.play", True, 1),
        ("deck.1.fx.2.kind", "gate", "gate"),
        ("deck.1.track", "x", "x"),
        ("mixer.master", -90, -60.0),
    ],
)
def test_a_value_is_brought_into_its_range(identifier: str, given: Any, taken: Any) -> None:
    mine = Controls()
    mine[identifier] = given
    assert mine[identifier] == taken


@pytest.mark.parametrize(
    ("identifier", "given"),
    [
        ("deck.1.pitch", "fast"),
        ("deck.1.pitch", float("nan")),
        ("deck.1.pitch", True),
        ("deck.1.pitch", None),
        ("deck.1.fx.1.kind", "phaser"),
        ("deck.1.track", 3),
        ("deck.1.position", 3.0),
        ("deck.5.play", 1),
    ],
)
def test_what_cannot_be_changes_nothing_and_is_told_why(identifier: str, given: Any) -> None:
    mine = Controls()
    with pytest.raises(ParameterError) as failure:
        mine.update([("mixer.crossfader", 1.0), (identifier, given)])
    assert identifier in str(failure.value)
    assert mine["mixer.crossfader"] == 0


@pytest.mark.parametrize("identifier", [i for i, one in controls().items() if one.kind in ("absolute", "enum")])
def test_a_knob_goes_all_the_way_and_back(identifier: str) -> None:
    one = control(identifier)
    ends = (one.values[0], one.values[-1]) if one.values else (one.minimum, one.maximum)
    assert (one.at(0.0), one.at(1.0)) == ends
    if not one.values and not one.step:
        assert [one.knob(one.at(place)) for place in (0.25, 0.5, 0.8)] == pytest.approx([0.25, 0.5, 0.8])


def test_a_surface_hears_what_others_do_and_never_itself() -> None:
    mine = Controls()
    page: list[Change] = []
    everybody: list[Change] = []
    mine.observe("deck.*.play", page.append, source="page")
    mine.observe("*", everybody.append)
    mine["deck.1.play"] = True
    mine.set("deck.2.play", 1, source="page")
    mine.set("deck.2.play", 1, source="midi")  # which it was
    mine.set("deck.1.beatjump", 4)
    mine.set("deck.1.beatjump", 4)
    assert [(change.id, change.source) for change in page] == [("deck.1.play", "python")]
    assert [(change.id, change.value) for change in everybody] == [
        ("deck.1.play", 1),
        ("deck.2.play", 1),
        ("deck.1.beatjump", 4.0),
        ("deck.1.beatjump", 4.0),
    ]


def test_what_an_observer_changes_is_told_after_and_a_broken_one_is_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mine = Controls()
    heard: list[str] = []

    def dim(change: Change) -> None:
        mine["mixer.master"] = -12
        heard.append(change.id)

    def broken(change: Change) -> None:
        raise ValueError("no")

    mine.observe("deck.1.play", broken)
    with mine.observe("deck.1.play", dim):
        mine.observe("*", lambda change: heard.append(f"then {change.id}"))
        mine["deck.1.play"] = 1
    mine["deck.1.play"] = 0
    assert heard == ["deck.1.play", "then deck.1.play", "then mixer.master", "then deck.1.play"]
    assert "deck.1.play" in caplog.text


def test_changes_of_several_threads_are_told_in_the_order_in_which_they_were_made() -> None:
    mine = Controls()
    heard: list[float] = []
    mine.observe("mixer.crossfader", lambda change: heard.append(change.value))

    def turn(side: int) -> None:
        for step in range(200):
            mine["mixer.crossfader"] = side * step / 200

    hands = [threading.Thread(target=turn, args=(side,)) for side in (-1, 1)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert heard[-1] == mine["mixer.crossfader"]
    assert all(one != other for one, other in pairwise(heard))
