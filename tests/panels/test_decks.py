"""What a page of decks gets when it asks, and what it is told."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel import Studio as NotebookStudio
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.panels.decks import deck_handlers
from sfa_kernel.panels.live import Live
from tests.sounds import write_song
from tests.test_decks import Page as Told

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

TIMEOUT = 120
STAND = {"deck": 1, "track": None, "playing": False, "position": 1.0, "rate": 0.0, "duration": 8.0, "tempo": None}


class Page:
    """Asks as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.handlers = deck_handlers(studio)

    def __call__(self, method: str, **params: Any) -> Any:
        return self.handlers[method](params, [])


@pytest.fixture
def page(studio: Studio) -> Page:
    return Page(studio)


@pytest.fixture
def track(studio: Studio, tmp_path: Path) -> Track:
    return studio.add(write_song(tmp_path / "Artist - Song.wav"))[0]


def test_a_song_comes_with_what_brings_it_to_the_loudness_of_the_decks(
    page: Page, studio: Studio, track: Track
) -> None:
    bare, nothing = page("decks.load", id=str(track.id))
    assert (bare["gain"], bare["key"], nothing) == (-5.0, None, [])
    studio.run(track, stages="analyze").wait(TIMEOUT)
    loaded, pictures = page("decks.load", id=str(track.id))
    assert loaded["gain"] == pytest.approx(-14 - track.analysis.lufs)
    assert (loaded["key"], loaded["analysis"]["key"]) == ({"tonic": 9, "minor": True}, "A minor")
    assert [source["role"] for source in loaded["sources"]] == ["mix"]
    assert pictures


def test_a_page_and_python_turn_the_same_controls(page: Page, studio: Studio) -> None:
    studio.deck(1).volume = 0.25
    first = page("decks.attach", page="p", take=False, values=None, seen=0, clock=1.0)
    assert (first["held"], first["values"]) == (True, {"deck.1.volume": 0.25})
    told = {"page": "p", "first": 1, "seen": first["n"], "decks": [], "clock": 2.0}
    assert page("decks.changes", changes=[["deck.1.volume", 0.75]], **told) == {"held": True}
    assert studio.deck(1).volume == 0.75
    assert page("decks.kernel") == {"kernel": studio.decks().session}
    page("decks.detach", page="p")
    assert page("decks.changes", changes=[["deck.1.volume", 0]], **told) == {"held": False}
    assert studio.deck(1).volume == 0.75


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("decks.attach", {"page": ""}),
        ("decks.attach", {"page": "p", "values": [1]}),
        ("decks.attach", {"page": "p", "values": None, "seen": "x"}),
        ("decks.changes", {"page": "p", "changes": None, "decks": []}),
        ("decks.changes", {"page": "p", "changes": [["deck.1.nothing", 1]], "decks": []}),
        ("decks.changes", {"page": "p", "changes": [3], "decks": []}),
        ("decks.changes", {"page": "p", "changes": [], "decks": [{"deck": 9}]}),
        ("decks.changes", {"page": "p", "changes": [], "decks": [3]}),
        ("decks.changes", {"page": "p", "changes": [], "decks": [STAND | {"deck": [1]}]}),
        ("decks.changes", {"page": "p", "changes": [], "decks": [STAND | {"position": math.nan}]}),
        ("decks.changes", {"page": "p", "changes": [], "decks": [STAND | {"rate": 10**400}]}),
        ("decks.changes", {"page": "p", "changes": [], "decks": [STAND | {"selection": [1]}]}),
        ("decks.changes", {"page": "p", "changes": [[["deck.1.play"], 1]], "decks": []}),
        ("decks.changes", {"page": "p", "changes": [["deck.1.volume", 10**400]], "decks": []}),
        ("decks.changes", {"page": "p", "changes": [["deck.1.track", "\ud800"]], "decks": []}),
        ("decks.changes", {"page": "p", "changes": [], "decks": [], "seen": math.inf}),
        ("decks.load", {"id": "x"}),
        ("decks.cue.set", {"id": "00000000-0000-0000-0000-000000000000", "slot": 1, "time": 1}),
        ("decks.cue.clear", {"slot": None}),
        ("decks.cue.clear", {"id": "00000000-0000-0000-0000-000000000000", "slot": math.nan}),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(page: Page, method: str, params: dict[str, Any]) -> None:
    page("decks.attach", page="p", take=True, values=None, clock=math.inf)
    with pytest.raises((ParameterError, InputError, NotFoundError)) as refused:
        page(method, **params)
    assert len(str(refused.value)) < 300
    assert page("decks.state")["decks"][0]["position"] == 0.0


def test_hot_cues_are_set_changed_and_brought_back(page: Page, track: Track) -> None:
    song = {"id": str(track.id)}
    (cue,) = page("decks.cue.set", **song, slot=2, time=3.0, end=5.0)["cues"]
    assert (cue["slot"], cue["time"], cue["end"], cue["origin"]) == (2, 3.0, 5.0, "person")
    (cue,) = page("decks.cue.set", **song, slot=2, time=3.0, end=5.0, label="Hook", color="#112233")["cues"]
    assert (cue["label"], cue["color"]) == ("Hook", "#112233")
    assert page("decks.cue.clear", **song, slot=2)["cues"] == []
    assert page("decks.cue.restore", **song, slot=2)["cues"] == [cue]
    assert page("decks.cue.fill", **song)["cues"] == [cue]


def test_pages_with_decks_hear_of_the_hot_cues_of_their_songs(studio: Studio, track: Track, tmp_path: Path) -> None:
    other = studio.add(write_song(tmp_path / "other.wav", seed=1))[0]
    page = Told(studio)
    came = threading.Event()
    push = page.push

    def note(event: str, data: dict[str, Any]) -> None:
        push(event, data)
        if {(str(other.id), "analysis.changed"), (str(track.id), "decks.cues")} <= {
            (data.get("id"), event) for event, data in page.told
        }:
            came.set()

    page.push = note  # type: ignore[method-assign]
    studio.deck(1).load(track)
    live = Live(studio, page, decks=True)
    try:
        track.hot_cues.set(1, 2.0)
        other.hot_cues.set(1, 2.0)
        assert came.wait(TIMEOUT)
    finally:
        live.close()
    (told,) = [data for event, data in page.told if event == "decks.cues"]
    assert (told["id"], [cue["slot"] for cue in told["cues"]]) == (str(track.id), [1])


def test_the_decks_show_themselves_once(home: Path, tmp_path: Path) -> None:
    with NotebookStudio.open(home) as studio:
        song = studio.add(write_song(tmp_path / "Artist - Song.wav"))[0]
        studio.deck(1).load(song)
        shown = [studio.decks()._repr_mimebundle_()[0] for _ in range(2)]
        assert "Song · Artist" in shown[0]["text/html"]
        assert shown[0]["text/plain"].startswith("<Decks: <Deck 1: 'Song', paused")
        key = "application/vnd.jupyter.widget-view+json"
        assert shown[0][key]["model_id"] == shown[1][key]["model_id"]
        dashboard = studio.dashboard()
        assert dashboard._ask("decks.state", {})[0]["decks"][0]["title"] == "Song"
