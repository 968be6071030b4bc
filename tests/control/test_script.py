"""Scripts: what is written into one is what a console can follow, and editing one loses nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sfa_kernel.control.script import Script, ScriptEvent
from sfa_kernel.errors import ParameterError

SONG = "6f1f9d3e-0000-4000-8000-000000000001"


def script() -> Script:
    return Script(
        [
            ScriptEvent(1.0, "deck.1.play", 1),
            ScriptEvent(4.0, "mixer.crossfader", 1, over=2.0),
            ScriptEvent(61.5, "deck.2.play", 1, deck=1),
            ScriptEvent(9.0, "deck.1.eq.low", -26),
        ],
        duration=20.0,
        sample_rate=44100,
        controls={"deck.1.track": SONG, "deck.2.track": "", "deck.1.assign": "left"},
        positions={1: 12.5},
    )


def test_a_script_is_the_same_after_json_and_after_its_table() -> None:
    made = script()
    assert Script.from_json(made.to_json()) == made
    assert made.edited(made.table()) == made
    assert made.tracks == (SONG,)


def test_values_are_brought_into_the_range_of_their_controls() -> None:
    made = Script([ScriptEvent(0, "deck.1.volume", 7), ScriptEvent(0, "deck.1.play", True)])
    assert [event.value for event in made.events] == [1, 1]
    assert made.duration == 2.0


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (ScriptEvent(0, "deck.1.plai", 1), "There is no control 'deck.1.plai'"),
        (ScriptEvent(0, "deck.1.volume", "loud"), "takes a number"),
        (ScriptEvent(-1, "deck.1.play", 1), "from 0 s to a day"),
        (ScriptEvent(0, "deck.1.play", 1, over=2), "changes at once"),
        (ScriptEvent(0, "deck.1.play", 1, deck=5), "There is no deck 5"),
        (ScriptEvent(0, "deck.1.position", 1), "can only be read"),
    ],
)
def test_what_no_console_can_follow_is_refused_with_its_place(event: ScriptEvent, says: str) -> None:
    with pytest.raises(ParameterError, match=f"Change 1 of a script: .*{says}"):
        Script([ScriptEvent(0, "deck.1.play", 1), event])


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"events": None},
        {"events": [7]},
        {"events": [{"time": "now", "control": "deck.1.play", "value": 1}]},
        {"duration": float("inf")},
        {"sample_rate": 3},
        {"controls": {"deck.1.seek": 3}},
        {"controls": [1]},
        {"positions": {"7": 3}},
    ],
)
def test_a_document_that_was_altered_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        Script.from_document(script().document() | change)


@pytest.mark.parametrize("text", ["", "[]", "null", '{"version": 1}', "[" * 100_000])
def test_what_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        Script.from_json(text)


def test_edits_keep_the_order_in_which_things_happen() -> None:
    made = script().add(5.0, "deck.1.kill.low", 1)
    # What waits for a place in a song stays behind what comes before it.
    assert [(event.time, event.deck) for event in made.events] == [
        (1, None),
        (4, None),
        (61.5, 1),
        (5, None),
        (9, None),
    ]
    later = made.shifted(10.0, start=5.0)
    assert [event.time for event in later.events] == [1, 4, 61.5, 15, 19]
    assert later.duration == 30.0
    assert [event.time for event in later.without(0, 2).events] == [4, 15, 19]
    with pytest.raises(ParameterError):
        made.shifted(-2.0)
    with pytest.raises(ParameterError):
        made.without(5)


def test_a_table_may_be_edited_freely_and_wrong_rows_change_nothing() -> None:
    made = script()
    rows = made.table()
    rows[1]["over"] = ""  # as data frames and forms say nothing
    rows[3]["time"] = 0.5
    assert made.edited(rows).events[0].control == "deck.1.eq.low"
    rows[0]["control"] = "nothing"
    with pytest.raises(ParameterError, match="There is no control 'nothing'"):
        made.edited(rows)
    assert made == script()
    assert json.loads(made.to_json())["positions"] == {"1": 12.5}


def test_a_script_shows_no_more_than_a_page_of_its_changes() -> None:
    script = Script(ScriptEvent(0.001 * n, "deck.1.volume", n % 2) for n in range(2000))
    html = script._repr_html_()
    assert html.count("<tr>") < 600
    assert "and 1500 more" in html
