"""A mix that plans itself: where songs meet, and what the decks are told."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from sfa_kernel.dj.automix import plan
from sfa_kernel.dj.mixpoints import MixSong, mix_out
from sfa_kernel.errors import ParameterError


def song(number, *, tempo=120.0, bars=96, first=0.5, **facts):
    """A steady song: intro of 16 bars, outro of the last 16."""
    bar = 240.0 / tempo
    downbeats = first + bar * np.arange(bars)
    made = MixSong(
        id=UUID(int=number),
        duration=first + bars * bar,
        tempo=tempo,
        steady=True,
        downbeats=downbeats,
        camelot="8A",
        energy=7,
        intro_end=first + 16 * bar,
        outro_start=first + (bars - 16) * bar,
        sections=(0.0, first + 16 * bar, first + (bars - 16) * bar),
    )
    return replace(made, **facts)


def bar_of(one, time):
    return (time - one.downbeats[0]) / (240.0 / one.tempo)


def events_of(mix, control):
    return [event for event in mix.script().script.events if event.control == control]


def test_songs_meet_at_the_outro_of_one_and_the_first_bar_of_the_other():
    one, two = song(1), song(2, tempo=126.0)
    (transition,) = plan([one, two]).transitions
    assert bar_of(one, transition.out_at) == pytest.approx(80)
    assert transition.in_at == pytest.approx(two.downbeats[0])
    assert transition.bars == 16
    assert transition.kind == "bass swap"


def test_a_song_without_an_outro_goes_at_the_last_phrase_that_leaves_room():
    one = song(1, outro_start=None)
    bar, left = mix_out(one, 0.0)
    assert bar % 8 == one.phrase_phase
    assert left >= 16
    assert left < 24


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ({"tempo": 150.0}, "echo out"),
        ({"tempo": 60.5}, "bass swap"),
        ({"steady": False}, "echo out"),
        ({"tempo": None, "downbeats": None, "steady": False, "intro_end": None, "outro_start": None}, "blend"),
        ({"camelot": "3B", "stems": ("vocals", "drums", "bass", "other")}, "stem swap"),
        ({"camelot": "3B"}, "bass swap"),
    ],
)
def test_each_pair_gets_the_transition_that_suits_it(other, kind):
    one = song(1, stems=("vocals", "drums", "bass", "other"))
    made = song(2, tempo=other.pop("tempo", 120.0) or 120.0)
    two = replace(made, **other, **({"tempo": None} if kind == "blend" else {}))
    (transition,) = plan([one, two]).transitions
    assert transition.kind == kind
    assert transition.reason


def test_the_song_that_comes_starts_on_a_beat_of_the_one_that_goes_and_that_one_stops_after_it():
    mix = plan([song(1), song(2, tempo=126.0)])
    (start,) = events_of(mix, "deck.2.play")
    assert (start.deck, start.time) == (1, pytest.approx(mix.transitions[0].out_at))
    stop = events_of(mix, "deck.1.play")[-1]
    assert stop.value == 0
    assert bar_of(mix.songs[0], stop.time) == pytest.approx(96, abs=0.1)
    assert stop.time < mix.songs[0].duration  # a deck that has come to its end waits for nothing
    assert [event.value for event in events_of(mix, "deck.2.sync")] == [0, 1, 0]


def test_times_follow_from_the_tempo_that_a_song_is_held_to():
    one, two = song(1), song(2, tempo=126.0)
    mix = plan([one, two])
    written = mix.script()
    (transition,) = mix.transitions
    assert written.starts == pytest.approx([0.0, transition.out_at])
    # The second is held to 120 BPM for 16 bars (32 s), goes back to its own 126 within 20 s, and then runs free.
    slow = 120.0 / 126.0
    held, gliding = 32.0 * slow, 20.0 * (slow + 1) / 2
    left = two.duration - transition.in_at - held - gliding
    assert written.script.duration == pytest.approx(transition.out_at + 52.0 + left, abs=0.01)


def test_the_free_deck_takes_the_next_song_only_after_it_has_stopped():
    mix = plan([song(1), song(2), song(3), song(4)])
    names = [event.control for event in mix.script().script.events]
    for deck, number in (("1", 3), ("2", 4)):
        loads = [
            at
            for at, event in enumerate(mix.script().script.events)
            if event.control == f"deck.{deck}.track" and event.value == str(UUID(int=number))
        ]
        stops = [
            at
            for at, event in enumerate(mix.script().script.events)
            if event.control == f"deck.{deck}.play" and event.value == 0
        ]
        assert len(loads) == 1
        assert stops[0] < loads[0]
    assert names.index("deck.2.track") < names.index("deck.2.play")


def test_parts_begin_where_transitions_begin():
    written = plan([song(1), song(2), song(3)]).script()
    assert len(written.parts) == 3
    first_of_each = [written.script.events[part] for part in written.parts[1:]]
    assert [event.control.split(".")[1] for event in first_of_each] == ["2", "1"]
    assert written.parts == sorted(written.parts)


def test_every_kind_of_transition_makes_steps_that_the_controls_take():
    songs = [
        song(1, stems=("vocals", "drums", "bass", "other")),
        song(2, camelot="3B", stems=("vocals", "drums", "bass", "other")),
        song(3, tempo=150.0),
        song(4, tempo=150.0, energy=2),
        song(5, tempo=150.0, energy=2),
    ]
    mix = plan(songs).changed(3, kind="cut", bars=1)
    assert len({transition.kind for transition in mix.transitions}) == 4
    # A script refuses what a control does not take.
    assert mix.script().script.document()["events"]


def test_a_transition_can_be_changed_and_what_it_makes_impossible_moves_along():
    mix = plan([song(1), song(2), song(3)])
    late = mix.songs[1].duration - 20.0
    changed = mix.changed(0, kind="blend", bars=8, in_at=late)
    assert (changed.transitions[0].kind, changed.transitions[0].bars) == ("blend", 8)
    assert changed.transitions[1].out_at > late
    assert mix.transitions[0].kind == "bass swap"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "magic"},
        {"bars": 0},
        {"bars": 1.5},
        {"out_at": 1e4},
        {"out_at": -1.0},
        {"in_at": 1e4},
        {"colour": "red"},
    ],
)
def test_a_change_that_the_songs_do_not_allow_is_refused_in_one_sentence(change):
    mix = plan([song(1), song(2)])
    with pytest.raises(ParameterError) as caught:
        mix.changed(0, **change)
    assert caught.value.hint


def test_short_songs_and_one_song_are_mixed_too():
    short = replace(song(1, bars=6), intro_end=None, outro_start=None, sections=())
    mix = plan([short, replace(short, id=UUID(int=2)), replace(short, id=UUID(int=3))])
    assert all(0 <= transition.out_at < short.duration for transition in mix.transitions)
    assert plan([short]).script().script.duration == pytest.approx(short.duration)
    with pytest.raises(ParameterError):
        plan([])


@pytest.mark.parametrize("cut_off", [0.1, 0.4, 0.9])
def test_all_that_waits_for_a_place_comes_before_the_song_has_ended(cut_off):
    # Of the last bar only a part is there.
    whole = song(1)
    one = replace(whole, duration=whole.duration - cut_off * 2.0)
    songs = [one, replace(one, id=UUID(int=2)), replace(one, id=UUID(int=3))]
    for kind in ("cut", "blend", "bass swap", "echo out", "stem swap"):
        mix = plan(songs).changed(0, kind=kind).changed(1, kind=kind)
        assert all(event.time < one.duration for event in mix.script().script.events if event.deck is not None)


def test_a_transition_begins_only_when_the_one_before_it_is_over():
    mix = plan([song(1), song(2), song(3)])
    # The second may go no sooner than it is alone on the decks, and the free deck has its next song.
    with pytest.raises(ParameterError):
        mix.changed(1, out_at=mix.transitions[0].in_at + 10.0)
    written = mix.changed(1, out_at=45.0).script()
    before = [event.time for event in written.script.events[: written.parts[2]] if event.deck == 2]
    after = [event.time for event in written.script.events[written.parts[2] :] if event.deck == 2]
    assert max(before) < min(after)


def test_a_longer_transition_begins_earlier():
    mix = plan([song(1), song(2)]).changed(0, bars=32)
    assert bar_of(mix.songs[0], mix.transitions[0].out_at) == pytest.approx(64)
    with pytest.raises(ParameterError):
        mix.changed(0, out_at=mix.songs[0].duration - 20.0)


def test_songs_lie_in_the_mix_where_they_are_heard():
    mix = plan([song(1), song(2, tempo=126.0)])
    one, two = mix.script().spans
    (transition,) = mix.transitions
    assert (one.start, one.source, two.source) == (0.0, 0.0, transition.in_at)
    assert one.end - two.start == pytest.approx(16 * 2.0, abs=0.15)
    assert one.target == pytest.approx(mix.songs[0].duration, abs=0.15)
    assert two.end == pytest.approx(mix.script().script.duration)


def test_nothing_waits_for_a_place_in_a_song_that_has_been_stopped():
    mix = plan([song(1), song(2, tempo=126.0), song(3)])
    stopped = set()
    for event in mix.script().script.events:
        assert event.deck is None or event.deck not in stopped
        if event.control.endswith(".play"):
            deck = int(event.control.split(".")[1])
            (stopped.discard if event.value else stopped.add)(deck)
