"""A page and Python turn the same controls: both end equal, whatever happens on the line between them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfa_kernel.control import Controls, control, controls
from sfa_kernel.control.link import MOST_KEPT, Link
from sfa_kernel.errors import InputError
from tests.control.pages import linked, page_code

# Of every kind that holds a state, and few enough that both sides meet on one.
SHARED = (
    "deck.1.play",
    "deck.1.pitch",
    "deck.1.track",
    "deck.2.loop.beats",
    "deck.2.key_shift",
    "deck.1.hotcue.3.press",
    "deck.1.stem.vocals.volume",
    "deck.2.fx.1.kind",
    "mixer.crossfader",
    "mixer.master",
)


def a_value(identifier: str, chance: random.Random) -> Any:
    one = control(identifier)
    if one.kind in ("toggle", "momentary"):
        return chance.randint(0, 1)
    if one.kind == "enum":
        return chance.choice(one.values)
    if one.kind == "text":
        return chance.choice(["", "song a", "song b"])
    return chance.uniform(one.minimum, one.maximum)


@pytest.fixture(scope="module")
def context() -> Any:
    from py_mini_racer import MiniRacer

    made = MiniRacer()
    made.eval(page_code())
    return made


def test_ten_thousand_changes_from_both_sides_leave_both_equal(context: Any) -> None:
    chance = random.Random(7)  # noqa: S311 - the same each time
    mine, page = linked(context, chance)
    page.settle()
    heard: list[str] = []
    mine.observe("*", lambda change: heard.append(change.source))
    for _ in range(10_000):
        identifier = chance.choice(SHARED)
        if chance.random() < 0.5:
            mine[identifier] = a_value(identifier, chance)
        else:
            page.call("set", identifier, a_value(identifier, chance))
        for _ in range(chance.choice((0, 0, 0, 1, 2, 8))):
            page.step(loses=0.05)
    page.settle()
    assert page.settings() == mine.changed()
    assert {"python", "page"} == set(heard)


@settings(max_examples=40, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_both_end_equal_however_the_line_behaves(context: Any, chance: random.Random) -> None:
    mine, page = linked(context, chance)
    for _ in range(chance.randint(1, 60)):
        identifier = chance.choice(SHARED)
        side = chance.random()
        if side < 0.4:
            mine[identifier] = a_value(identifier, chance)
        elif side < 0.8:
            page.call("set", identifier, a_value(identifier, chance))
        elif side < 0.83:
            page.call("join")  # its view was made anew
        for _ in range(chance.randint(0, 4)):
            page.step(loses=0.1)
    page.settle()
    assert page.settings() == mine.changed()


class Line:
    """Keeps what a link tells its pages."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.now = 1000.0
        self.controls = Controls()
        self.due: list[Any] = []
        self.link = Link(
            self.controls,
            lambda event, data: self.told.append((event, data)),
            lambda: self.now,
            lambda seconds, call: self.due.append(call),
        )

    def attach(self, page: str = "one", **given: Any) -> dict[str, Any]:
        return self.link.attach(page, **{"take": False, "values": None, **given})

    def stand(self, *, seen: int, position: float, playing: bool = True, **more: Any) -> bool:
        deck = {"deck": 1, "track": "t", "playing": playing, "position": position, "rate": float(playing)}
        told = {**deck, "duration": 200.0, "tempo": 120.0, "selection": None, **more}
        return self.link.receive("one", [], seen=seen, stands=[told])


def test_what_is_set_before_there_is_a_page_waits_for_it() -> None:
    line = Line()
    line.controls["deck.1.track"] = "t"
    line.controls.set("deck.1.seek", 30)
    line.controls["deck.1.play"] = True
    line.controls.update([("deck.1.hotcue.1.press", 1), ("deck.1.hotcue.1.press", 0)])
    assert line.told == []
    answer = line.attach()
    assert answer["values"] == {"deck.1.track": "t", "deck.1.play": 1, "deck.1.seek": 30.0}
    (event, data) = line.told[0]
    assert (event, data["page"], data["n"]) == ("control.set", "one", answer["n"] + 1)
    assert data["changes"] == [
        ["deck.1.seek", 30.0],
        ["deck.1.hotcue.1.press", 1],
        ["deck.1.hotcue.1.press", 0],
    ]


def test_triggers_for_a_song_that_was_replaced_are_not_kept_and_never_too_many() -> None:
    line = Line()
    line.controls["deck.1.track"] = "t"
    for _ in range(2 * MOST_KEPT):
        line.controls.set("deck.1.beatjump", 4)
    line.controls.set("deck.2.beatjump", 1)
    line.controls["deck.1.track"] = "u"
    line.attach()
    assert line.told[0][1]["changes"] == [["deck.2.beatjump", 1.0]]


def test_a_page_that_played_before_this_process_began_tells_how_it_stands() -> None:
    line = Line()
    line.controls["mixer.master"] = -6
    answer = line.attach(values={"mixer.master": 0.0, "mixer.crossfader": 0.5, "deck.1.play": 1})
    assert answer["values"] == {"mixer.master": -6.0, "mixer.crossfader": 0.5, "deck.1.play": 1}
    assert line.controls["mixer.crossfader"] == 0.5


def test_a_second_page_gets_the_decks_only_when_it_takes_them_or_the_first_is_gone() -> None:
    class Answering(Line):
        def __init__(self) -> None:
            super().__init__()
            tell = self.link._tell

            def answer(event: str, data: dict[str, Any]) -> None:
                tell(event, data)
                if event == "decks.ask":
                    self.link.receive(data["page"], [], seen=0)

            self.link._tell = answer

    line = Answering()
    line.attach("one")
    line.controls["deck.1.play"] = True
    assert line.attach("two") == {"held": False, "values": {}, "n": 0}
    assert line.attach("two", take=True)["held"]
    assert ("decks.lost", {"page": "one"}) in line.told
    assert line.controls["deck.1.play"] == 0
    assert not line.link.receive("one", [["deck.1.play", 1]], seen=99)
    assert line.controls["deck.1.play"] == 0
    line.link.detach("two")
    assert line.attach("three")["held"]


def test_a_page_that_does_not_answer_is_gone() -> None:
    line = Line()
    line.attach("one")
    assert line.attach("two")["held"]


def test_the_position_goes_on_between_what_the_page_tells() -> None:
    line = Line()
    line.controls["deck.1.track"] = "t"
    n = line.attach()["n"]
    assert line.stand(seen=n, position=10.0)
    line.now += 5
    assert line.link.position(1) == pytest.approx(15.0)
    assert line.controls["deck.1.position"] == pytest.approx(15.0)
    line.now += 1000
    assert line.link.position(1) == 200.0
    line.stand(seen=n, position=18.0, selection=[16.0, 20.0])
    line.controls["deck.1.loop.active"] = True
    line.now += 5
    assert line.link.position(1) == pytest.approx(19.0)


def test_a_message_that_lay_there_while_a_cell_ran_is_known_to_be_old() -> None:
    line = Line()
    n = line.attach(clock=line.now - 0.5)["n"]  # the page's clock is half a second behind
    deck = {"deck": 1, "track": "t", "playing": True, "position": 10.0, "rate": 1.0, "duration": 200.0}
    sent = line.now - 0.5
    line.now += 30
    line.link.receive("one", [], seen=n, stands=[deck], clock=sent)
    assert line.link.position(1) == pytest.approx(40.0)


def test_a_deck_that_was_just_told_to_go_elsewhere_is_there_at_once() -> None:
    line = Line()
    n = line.attach()["n"]
    line.stand(seen=n, position=10.0, playing=False)
    line.controls.set("deck.1.seek", 60)
    line.stand(seen=n, position=10.0, playing=False)  # told before it had gone
    assert line.link.position(1) == 60.0
    line.stand(seen=n + 1, position=60.1, playing=False)
    assert line.link.position(1) == 60.1


def test_what_cannot_be_takes_nothing_with_it() -> None:
    line = Line()
    line.attach()
    changes = [["deck.1.plya", 1], ["deck.1.volume", "loud"], ["deck.1.volume"], ["mixer.crossfader", 0.5]]
    with pytest.raises(InputError, match="plya"):
        line.link.receive("one", changes, seen=0)
    assert line.controls["mixer.crossfader"] == 0.5


def test_a_flood_of_changes_is_few_messages_and_loses_no_trigger() -> None:
    line = Line()
    line.attach()
    for step in range(100):
        line.controls["mixer.crossfader"] = step / 100
        line.controls["deck.1.volume"] = step / 100
    line.controls["deck.1.quantize"] = 0
    line.controls.set("deck.1.beatjump", 4)
    line.controls["deck.1.quantize"] = 1
    assert len(line.told) == 1
    line.due.pop()()
    assert [data["changes"] for _, data in line.told] == [
        [["deck.1.volume", 0.0]],
        [
            ["mixer.crossfader", 0.99],
            ["deck.1.volume", 0.99],
            ["deck.1.quantize", 0],
            ["deck.1.beatjump", 4.0],
            ["deck.1.quantize", 1],
        ],
    ]
    assert [data["n"] for _, data in line.told] == [1, 2]
    line.due.pop()()
    line.controls["deck.1.volume"] = 0.5
    assert line.told[-1][1]["n"] == 3


def test_a_change_that_is_told_twice_is_made_once() -> None:
    line = Line()
    line.attach()
    heard: list[float] = []
    line.controls.observe("deck.1.beatjump", lambda change: heard.append(change.value))
    line.link.receive("one", [["deck.1.beatjump", 4]], seen=0, first=1)
    line.link.receive("one", [["deck.1.beatjump", 4], ["deck.1.beatjump", 8]], seen=0, first=1)
    assert heard == [4, 8]


def test_the_table_is_the_one_that_pages_read(context: Any) -> None:
    page = linked(context, random.Random(1))[1]  # noqa: S311
    page.settle()
    for one in controls().values():
        if one.holds_state and one.kind != "text":
            for knob in (0.0, 0.3, 1.0):
                page.call("set", one.id, one.at(knob))
    ends = {one.id: one.at(1.0) for one in controls().values() if one.holds_state and one.kind != "text"}
    assert page.settings() == {i: value for i, value in ends.items() if value != control(i).default}
