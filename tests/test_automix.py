"""Mixes that play by themselves, as cells and pages hold them; what a mix does is told in tests/dj/test_automix.py."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sfa_kernel.automix import MOST_PLANS, MOST_SONGS
from sfa_kernel.errors import InputError, NotFoundError, ParameterError, SetupError
from sfa_kernel.library import clock
from sfa_kernel.panels.automix import automix_handlers
from sfa_kernel.studio import Studio
from tests.test_decks import Page
from tests.test_playlists import added

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sfa_kernel.library import Track


@pytest.fixture
def studio(home: Path) -> Iterator[Studio]:
    with Studio.open(home, run_jobs=False) as studio:
        yield studio


@pytest.fixture
def songs(studio: Studio) -> list[Track]:
    return added(studio, "One", "Two", "Three", duration=180.0)


@pytest.fixture
def ask(studio: Studio) -> Callable[..., Any]:
    handlers = automix_handlers(studio)
    return lambda method, **params: handlers[f"automix.{method}"](params, [])


def ids(*songs: Track) -> list[str]:
    return [str(song.id) for song in songs]


def test_songs_become_a_mix_that_can_be_changed_saved_and_played(studio: Studio, songs: list[Track]) -> None:
    mix = studio.automix([songs[0], str(songs[1].id), songs[2].id])
    assert (mix.songs, [row["from"] for row in mix.transitions]) == (songs, ["One", "Two"])
    assert mix.change(0, kind="cut", bars=2, out_at=90) is mix
    assert (mix.transitions[0]["kind"], mix.transitions[0]["starts"]) == ("cut", "1:34")
    assert studio.scripts.save("Night", mix.script()).script.tracks == tuple(ids(*songs))
    assert repr(mix) == f"AutoMix(3 songs, {clock(mix.duration)})"
    assert "<td" in mix._repr_html_()

    with pytest.raises(SetupError, match="No page plays the decks"):
        mix.play()
    page = Page(studio)
    mix.play()
    assert page.told == [("automix.plan", {"page": "page", "plan": str(mix.id), "play": True})]
    mix.change(1, bars=4)
    assert page.told[1:] == [("automix.plan", {"plan": str(mix.id), "play": False})]


def test_a_playlist_is_mixed_in_its_order(studio: Studio, songs: list[Track], ask: Callable[..., Any]) -> None:
    playlist = studio.playlists.new("Friday", songs[::-1])
    assert studio.automix(playlist).songs == songs[::-1]
    plan = ask("plan", playlist=str(playlist.id))["plan"]
    assert [row["id"] for row in plan["tracks"]] == ids(*songs[::-1])


def test_who_follows_each_other_as_before_meets_as_before(studio: Studio, songs: list[Track]) -> None:
    one, two, three = songs
    mix = studio.automix(songs)
    mix.change(1, kind="cut", bars=1)
    mix.songs = [two, three, one]
    assert [(row["from"], row["kind"]) for row in mix.transitions] == [("Two", "cut"), ("Three", "blend")]
    for wrong in ([], [one] * (MOST_SONGS + 1)):
        with pytest.raises(ParameterError):
            mix.songs = wrong
    assert mix.songs == [two, three, one]


def test_what_a_mix_cannot_do_leaves_it_as_it_was(studio: Studio, songs: list[Track]) -> None:
    mix = studio.automix(songs)
    before = mix.mix
    for number, change in (
        (2, {"kind": "cut"}),
        (-1, {"kind": "cut"}),
        (0.5, {"kind": "cut"}),
        ("0", {"kind": "cut"}),
        (0, {"out_at": None}),
        (0, {"in_at": float("nan")}),
        (0, {"in_at": 10**400}),
        (0, {"transition": 1}),
        (0, {"kind": ["cut"]}),
    ):
        with pytest.raises(ParameterError):
            mix.change(number, **change)  # type: ignore[arg-type]
    assert mix.mix is before
    with pytest.raises(NotFoundError):
        studio.automix([songs[0], uuid4()])
    with pytest.raises(ParameterError):
        studio.automix([])


def test_a_page_plans_looks_changes_and_renders(studio: Studio, songs: list[Track], ask: Callable[..., Any]) -> None:
    plan = ask("plan", ids=ids(*songs))["plan"]
    assert ([row["title"] for row in plan["tracks"]], len(plan["transitions"])) == (["One", "Two", "Three"], 2)
    assert len(plan["parts"]) == len(plan["songs"]) == len(plan["starts"]) == 3
    changed = ask("change", plan=plan["id"], transition=1, change={"kind": "cut", "bars": 2})["plan"]
    assert changed["transitions"][1]["kind"] == "cut"
    fewer = ask("songs", plan=plan["id"], ids=ids(songs[0], songs[2]))["plan"]
    assert [row["title"] for row in fewer["tracks"]] == ["One", "Three"]
    assert ask("get", plan=plan["id"]) == {"plan": fewer}
    assert studio.automixes.get(plan["id"]).songs == [songs[0], songs[2]]  # a cell goes on with it
    job = ask("render", plan=plan["id"], name="Night")["job"]
    assert [(str(one.id), one.kind, one.arguments["title"]) for one in studio.ledger.jobs()] == [
        (job, "render", "Night")
    ]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("plan", {}),
        ("plan", {"ids": []}),
        ("plan", {"ids": ["x"]}),
        ("plan", {"playlist": 3}),
        ("plan", {"playlist": "00000000-0000-0000-0000-000000000000"}),
        ("get", {}),
        ("get", {"plan": "../plan"}),
        ("change", {"change": {"kind": "cut"}}),
        ("change", {"transition": 0}),
        ("change", {"transition": None, "change": {"kind": "cut"}}),
        ("change", {"transition": 0, "change": [1]}),
        ("change", {"transition": 0, "change": {"self": 1}}),
        ("songs", {"ids": []}),
        ("songs", {"ids": ["00000000-0000-0000-0000-000000000000"]}),
    ],
)
def test_a_page_that_asks_for_what_cannot_be_gets_a_sentence(
    songs: list[Track], ask: Callable[..., Any], method: str, params: dict[str, Any]
) -> None:
    plan = ask("plan", ids=ids(*songs))["plan"]
    with pytest.raises(InputError):
        ask(method, **({"plan": plan["id"]} if method in ("change", "songs") else {}), **params)
    assert ask("get", plan=plan["id"]) == {"plan": plan}


def test_the_plan_that_nobody_looked_at_for_longest_is_forgotten(
    studio: Studio, songs: list[Track], ask: Callable[..., Any]
) -> None:
    first, second, *_ = [studio.automix(songs[:2]) for _ in range(MOST_PLANS)]
    ask("get", plan=str(first.id))
    studio.automix(songs[:2])
    assert studio.automixes.get(str(first.id)) is first
    with pytest.raises(NotFoundError, match="not there any more"):
        ask("change", plan=str(second.id), transition=0, change={"kind": "cut"})


def test_cells_and_pages_change_one_mix_at_once(studio: Studio, songs: list[Track], ask: Callable[..., Any]) -> None:
    mix = studio.automix(songs)
    failed: list[BaseException] = []

    def turn(*orders: list[Track]) -> None:
        try:
            for _ in range(4):
                for order in orders:
                    ask("songs", plan=str(mix.id), ids=ids(*order))
                    assert len(mix.transitions) in (1, 2)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=turn, args=(songs, songs[:2])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
