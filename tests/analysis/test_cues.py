"""Cues: the places a DJ jumps to, from the form of the song and from its stems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel.analysis import Analysis, find_cues
from sfa_kernel.analysis.model import Loop, Section
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from tests.analysis.songs import Song

RATE = 10.0  # Hz, of the stems' levels


def song_of(*parts: tuple[str, int], bar: float = 2.0) -> Analysis:
    """An analysis with these sections (label, bars) on an exact grid."""
    edges = np.cumsum([0, *(bars for _, bars in parts)]) * bar
    sections = [
        Section(float(start), float(end), label, 0.9)
        for (label, _), start, end in zip(parts, edges, edges[1:], strict=False)
    ]
    end = float(edges[-1])
    return Analysis(
        duration=end,
        tempo=240 / bar,
        beats=np.arange(0, end, bar / 4),
        downbeats=np.arange(0, end, bar),
        downbeat_confidence=1.0,
        sections=sections,
    )


def levels(duration: float, *spans: tuple[float, float], loud: float = 0.2) -> np.ndarray:
    """The level of a stem that plays in these spans only."""
    level = np.zeros(int(duration * RATE), np.float32)
    for start, end in spans:
        level[int(start * RATE) : int(end * RATE)] = loud
    return level


CLUB = (("intro", 16), ("build", 8), ("drop", 16), ("break", 8), ("build", 8), ("drop", 16), ("outro", 16))


def test_cues_lie_on_downbeats_and_say_why(club_song: Song, club_analysis: Analysis) -> None:
    cues = find_cues(club_analysis)

    assert 3 <= len(cues) <= 8
    assert [cue.time for cue in cues] == sorted(cue.time for cue in cues)
    for cue in cues:
        assert np.abs(club_song.downbeats - cue.time).min() < 0.01
        assert cue.reason.endswith(".")
        assert cue.color.startswith("#")
        assert 0 <= cue.confidence <= 1
    assert {"intro", "build", "drop", "break", "outro"} <= {cue.type for cue in cues}


def test_drops_are_numbered(club_song: Song, club_analysis: Analysis) -> None:
    drops = [cue for cue in find_cues(club_analysis) if cue.type == "drop"]

    assert [cue.label for cue in drops] == ["Drop 1", "Drop 2"]
    np.testing.assert_allclose([cue.time for cue in drops], club_song.drops, atol=0.01)
    assert "dB" in drops[0].reason


def test_at_most_eight_and_the_first_of_each_kind_stays() -> None:
    parts = [part for _ in range(5) for part in (("build", 8), ("drop", 8), ("break", 8))]
    cues = find_cues(song_of(("intro", 8), *parts, ("outro", 8)))

    assert len(cues) == 8
    assert [cue.label for cue in cues][:4] == ["Mix in", "Build", "Drop 1", "Break"]
    assert {"Drop 2", "Mix out"} <= {cue.label for cue in cues}


def test_one_mixes_in_where_the_drums_begin() -> None:
    analysis = song_of(*CLUB)
    stems = {"drums": levels(analysis.duration, (16.1, 100.0)), "other": levels(analysis.duration, (0, 170))}
    cue = find_cues(analysis, stem_levels=stems)[0]

    assert cue.type == "intro"
    assert cue.time == pytest.approx(16.0)
    assert "8 bars" in cue.reason


def test_drums_that_come_late_do_not_move_the_mix_in() -> None:
    analysis = song_of(*CLUB)
    stems = {"drums": levels(analysis.duration, (120.0, 170.0)), "other": levels(analysis.duration, (0, 170))}

    assert find_cues(analysis, stem_levels=stems)[0].time == 0.0


def test_the_voice_gets_a_cue_where_it_enters(club_song: Song, club_analysis: Analysis) -> None:
    entry = club_song.downbeats[20] + 0.3
    voice = levels(club_analysis.duration, (entry, entry + 10))
    drums = levels(club_analysis.duration, (0, club_analysis.duration), loud=0.1)

    cues = find_cues(club_analysis, stem_levels={"vocals": voice, "drums": drums})
    assert [cue.time for cue in cues if cue.type == "vocal"] == [pytest.approx(club_song.downbeats[20], abs=0.01)]


def test_a_bleeding_breath_is_no_voice() -> None:
    analysis = song_of(*CLUB)
    stems = {"vocals": levels(analysis.duration, (30.0, 30.5)), "drums": levels(analysis.duration, (0, 170))}

    assert not [cue for cue in find_cues(analysis, stem_levels=stems) if cue.type == "vocal"]


def test_one_mixes_out_after_the_last_word() -> None:
    analysis = song_of(*CLUB)  # its outro begins at 144 s
    stems = {"vocals": levels(analysis.duration, (40.0, 100.0), (150.0, 157.0))}
    cue = next(cue for cue in find_cues(analysis, stem_levels=stems) if cue.type == "outro")

    assert cue.time == pytest.approx(158.0)
    assert "voice" in cue.reason


def test_a_song_without_outro_can_be_left_too() -> None:
    cue = find_cues(song_of(("intro", 16), ("verse", 16), ("chorus", 32)))[-1]

    assert cue.type == "outro"
    assert cue.time == pytest.approx(2.0 * 48)
    assert cue.confidence < 0.5


def test_a_late_loop_is_offered_where_the_song_is_full() -> None:
    analysis = song_of(*CLUB)
    analysis.loops = [
        Loop(88.0, 96.0, 4, 0.95, "In the break."),
        Loop(128.0, 136.0, 4, 0.9, "In the last drop."),
    ]
    loop = next(cue for cue in find_cues(analysis) if cue.type == "loop")

    assert (loop.time, loop.reason) == (128.0, "In the last drop.")


def test_sections_set_by_hand_give_cues_too() -> None:
    analysis = song_of(("intro", 8), ("break", 8), ("drop", 8), ("outro", 8))
    assert [cue.type for cue in find_cues(analysis) if cue.type != "loop"] == ["intro", "break", "drop", "outro"]


def test_without_beats_there_are_no_cues() -> None:
    assert find_cues(Analysis(duration=10.0)) == []


def test_a_stem_rate_must_be_positive(club_analysis: Analysis) -> None:
    with pytest.raises(ParameterError):
        find_cues(club_analysis, stem_rate=0)
