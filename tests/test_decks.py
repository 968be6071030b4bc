"""Decks as a person in a notebook holds them; a page stands by that takes what it is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.catalog import analyses
from sfa_kernel.errors import BusyError, NotFoundError, ParameterError, SetupError
from tests.catalog.test_tracks import analysis
from tests.sounds import write_song
from tests.test_playlists import added

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.control import Change
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio


class Page:
    """A page that plays the decks; it has ``told``, what it was sent."""

    def __init__(self, studio: Studio) -> None:
        self.comm: object | None = object()
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.decks = studio.decks()
        self.decks.show_on(self)
        self.decks.link._later = lambda seconds, call: call()  # nothing is held back
        self.decks.link.attach("page", take=False, values=None)

    def push(self, event: str, data: dict[str, Any]) -> None:
        self.told.append((event, data))

    @property
    def changes(self) -> list[list[Any]]:
        return [change for event, data in self.told if event == "control.set" for change in data["changes"]]

    def stands(self, **how: Any) -> None:
        seen = max((data["n"] for event, data in self.told if event == "control.set"), default=0)
        deck = {"deck": 1, "playing": True, "position": 10.0, "rate": 1.0, "duration": 8.0, "tempo": None, **how}
        self.decks.link.receive("page", [], seen=seen, stands=[deck])


@pytest.fixture
def track(studio: Studio, tmp_path: Path) -> Track:
    track: Track = studio.add(write_song(tmp_path / "Artist - Song.wav"))[0]
    with studio.catalog.write() as connection:
        analyses.put(connection, analysis(track.id, bpm=120.0, camelot="8A"))
    return track


def test_the_first_lines_of_a_notebook(studio: Studio, track: Track) -> None:
    deck, page = studio.deck(1), Page(studio)
    deck.load(track)
    deck.play()
    deck.tempo = 126
    deck.hotcue(1)
    assert page.changes == [
        ["deck.1.track", str(track.id)],
        ["deck.1.play", 1],
        ["deck.1.pitch", pytest.approx(5.0)],
        ["deck.1.hotcue.1.press", 1],
        ["deck.1.hotcue.1.press", 0],
    ]
    assert (deck.track, deck.playing, deck.tempo) == (track, True, pytest.approx(126))
    assert repr(deck) == "<Deck 1: 'Song', playing at 0:00 of 0:08, 126.00 BPM>"


def test_a_deck_tells_what_the_page_told(studio: Studio, track: Track) -> None:
    deck, page = studio.deck(1), Page(studio)
    assert (deck.ready, deck.position, deck.selection) == (False, 0.0, None)
    deck.load(str(track.id)[:8])
    assert not deck.ready
    page.stands(track=str(track.id), playing=False, position=3.5, tempo=121.5, selection=[2.0, 4.0])
    assert deck.ready
    assert (deck.position, deck.duration, deck.selection, deck.tempo) == (3.5, 8.0, (2.0, 4.0), 121.5)
    deck.seek(6)
    assert deck.position == 6.0
    deck.load(added(studio, "Other", file=track.row.file)[0])
    assert (deck.ready, deck.position, deck.selection) == (False, 0.0, None)


def test_without_a_page_it_is_kept_what_is_wanted(studio: Studio, track: Track) -> None:
    deck = studio.deck(2)
    deck.load(track)
    deck.seek(4)
    deck.play()
    studio.decks().mixer.crossfade(8, unit="beats")
    assert (deck.position, deck.playing, studio.decks().mixer.crossfader) == (4.0, True, 1.0)
    assert "no page plays them" in repr(studio.decks())
    with pytest.raises(SetupError, match="No page"):
        studio.decks().stop()


def test_a_crossfade_takes_beats_of_the_deck_that_plays(studio: Studio, track: Track) -> None:
    page, mixer = Page(studio), studio.decks().mixer
    with pytest.raises(ParameterError, match="No deck has a tempo"):
        mixer.crossfade(8, unit="beats")
    studio.deck(1).load(track)
    mixer.crossfade(8, unit="beats")
    mixer.crossfade(2, to="left")
    first, second = (data for event, data in page.told if event == "decks.play")
    (ramp,) = first["script"]["events"]
    assert (ramp["control"], ramp["value"], ramp["over"], first["opening"]) == ("mixer.crossfader", 1.0, 4.0, False)
    assert (second["script"]["events"][0]["value"], second["script"]["events"][0]["over"]) == (-1.0, 2.0)
    mixer.crossfader = -0.5
    for wrong in ({"unit": "miles"}, {"to": "up"}, {"to": float("nan")}):
        with pytest.raises(ParameterError):
            mixer.crossfade(1, **wrong)
    with pytest.raises(ParameterError):
        mixer.crossfade(-1)


def test_every_part_of_a_deck_is_a_control(studio: Studio) -> None:
    deck, controls = studio.deck(1), studio.decks().controls
    deck.stems["vocals"].volume = 0.5
    deck.eq.low, deck.kill.high = -6, True
    deck.effects[2].kind, deck.effects[2].on = "gate", True
    deck.sync, deck.assign, deck.filter = True, "through", -0.4
    assert controls.changed() == {
        "deck.1.stem.vocals.volume": 0.5,
        "deck.1.eq.low": -6.0,
        "deck.1.kill.high": 1,
        "deck.1.fx.2.kind": "gate",
        "deck.1.fx.2.on": 1,
        "deck.1.sync": 1,
        "deck.1.assign": "through",
        "deck.1.filter": -0.4,
    }
    assert (deck.eq.low, deck.kill.high, deck.sync, deck.effects[2].kind) == (-6.0, True, True, "gate")
    with pytest.raises(AttributeError):
        deck.tempoo = 3  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match="no stem"):
        deck.stems["voice over"].mute = True


def test_what_a_deck_cannot_do_is_told(studio: Studio, track: Track) -> None:
    deck = studio.deck(1)
    with pytest.raises(ParameterError, match="not known"):
        deck.tempo = 126
    with pytest.raises(ParameterError, match="no song"):
        deck.set_hotcue(1)
    with pytest.raises(NotFoundError):
        deck.load("00000000-0000-0000-0000-000000000000")
    with pytest.raises(NotFoundError):
        deck.load(added(studio, "Gone")[0])
    with pytest.raises(ParameterError, match="hotcue"):
        deck.hotcue(9)
    deck.load(track)
    with pytest.raises(ParameterError, match="from 60"):
        deck.tempo = 200
    assert deck.track == track
    for number in (0, 5, True, "1"):
        with pytest.raises(ParameterError):
            studio.deck(number)  # type: ignore[arg-type]


def test_hot_cues_of_the_song_in_the_deck(studio: Studio, track: Track) -> None:
    deck = studio.deck(1)
    deck.load(track)
    deck.seek(2.5)
    deck.set_hotcue(1, label="Here")
    assert (deck.hot_cues[1].time, track.hot_cues[1].label) == (2.5, "Here")
    deck.clear_hotcue(1)
    assert deck.hot_cues == {}


def test_observers_hear_pages_and_cells(studio: Studio, track: Track) -> None:
    page, deck = Page(studio), studio.deck(1)
    heard: list[Change] = []
    studio.decks().observe("deck.*.play", heard.append)
    seen = deck.observe("position", heard.append)
    deck.play()
    studio.decks().link.receive("page", [["deck.2.play", 1]], seen=1)
    page.stands(track=str(track.id), position=7.0)
    seen.close()
    page.stands(track=str(track.id), position=7.5)
    assert [(change.id, change.value, change.source) for change in heard] == [
        ("deck.1.play", 1, "python"),
        ("deck.2.play", 1, "page"),
        ("deck.1.position", 7.0, "page"),
    ]
    with pytest.raises(ParameterError):
        deck.observe("plays", heard.append)


def test_a_place_can_be_waited_for(studio: Studio, track: Track) -> None:
    page, deck = Page(studio), studio.deck(1)
    deck.load(track)
    with pytest.raises(BusyError, match="does not play"):
        asyncio.run(deck.until(1))
    deck.play()
    page.stands(track=str(track.id), position=0.0)
    assert asyncio.run(deck.until(0.2)) >= 0.2


def test_a_page_that_is_closed_is_told_no_more(studio: Studio) -> None:
    page = Page(studio)
    page.comm = None
    studio.deck(1).play()
    assert page.told == []
