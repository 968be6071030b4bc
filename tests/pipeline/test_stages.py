"""A song becomes stems, numbers and cues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel import audio
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.studio import Studio
from tests.sounds import SAMPLE_RATE, write_song

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 120


def test_the_whole_pipeline_on_a_song(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=16))
    run = studio.run(track)
    assert [job.kind for job in run.jobs] == ["separate", "analyze", "autocue"]
    assert [job.status for job in run.wait(TIMEOUT).jobs] == ["completed"] * 3
    analysis = track.analysis
    assert analysis is not None
    assert analysis.tempo == pytest.approx(120, abs=0.1)
    assert (analysis.key, analysis.camelot) == ("A minor", "8A")
    assert list(track.stems) == ["vocals", "drums", "bass", "other"]
    mix = track.samples()[0]
    total = sum(audio.decode(path)[0] for path in track.stems.values())
    assert 10 * np.log10(np.mean((mix - total) ** 2) / np.mean(mix**2)) < -80
    assert track.cues
    assert all(0 <= cue.time <= 16 for cue in track.cues)
    assert not any((studio.home / "scratch").iterdir())

    again = studio.run(track).wait(TIMEOUT)
    assert [job.status for job in again.jobs] == ["completed"] * 3
    before = {path: path.stat().st_ino for path in track.stems.values()}
    assert {path: path.stat().st_ino for path in track.stems.values()} == before


def test_doing_it_again_replaces_the_files(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav"))
    studio.run(track, stages="analyze").wait(TIMEOUT)
    first = sorted((studio.home / "analysis").iterdir())
    studio.run(track, stages=["analyze"], force=True).wait(TIMEOUT)
    second = sorted((studio.home / "analysis").iterdir())
    assert len(first) == len(second) == 3
    assert not set(first) & set(second)


def test_an_analysis_whose_file_is_gone_is_made_again(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav"))
    studio.run(track, stages="analyze").wait(TIMEOUT)
    next((studio.home / "analysis").glob("*.json")).unlink()
    studio.run(track, stages="analyze").wait(TIMEOUT)
    assert track.analysis is not None


def test_the_analysis_comes_with_its_curves(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=16))
    studio.run(track, stages="analyze").wait(TIMEOUT)
    analysis = track.analysis
    assert analysis is not None
    curves = list(analysis.curves)
    assert curves
    assert all(len(analysis.curves[name]) for name in curves)
    assert [path.suffix for path in sorted((studio.home / "analysis").iterdir(), key=lambda p: p.suffix)] == [
        ".json",
        ".npz",
        ".npz",
    ]
    assert track.explain("tempo").topic == "tempo"
    with pytest.raises(ParameterError, match="nothing to explain"):
        track.explain("weather")


def test_an_analysis_that_was_made_before_there_were_curves_is_read(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=16))
    studio.run(track, stages="analyze").wait(TIMEOUT)
    with studio.catalog.write() as connection:
        connection.execute("UPDATE analyses SET curves = NULL, version = 1")
    assert track.analysis is not None
    assert list(track.analysis.curves) == []
    studio.run(track, stages="autocue").wait(TIMEOUT)
    assert track.cues


def test_a_missing_analysis_file_is_said(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav"))
    with pytest.raises(NotFoundError, match="no analysis yet"):
        track.explain("tempo")
    studio.run(track, stages="analyze").wait(TIMEOUT)
    for path in (studio.home / "analysis").glob("*.json"):
        path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        _ = track.analysis


def test_corrections_outlive_a_new_analysis(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=16))
    studio.run(track, stages="analyze").wait(TIMEOUT)
    corrected = track.correct("grid", tempo=np.float64(60), first_beat=1.0)
    assert corrected.tempo == 60
    track.correct("key", key="E minor")
    track.correct("sections", sections=[{"start": 0, "end": 16, "label": "drop"}])
    studio.run(track, stages="analyze,autocue", force=True).wait(TIMEOUT)
    analysis, automatic = track.analysis, track.automatic_analysis
    assert analysis is not None
    assert automatic is not None
    assert (analysis.tempo, analysis.key, [s.label for s in analysis.sections]) == (60, "E minor", ["drop"])
    assert analysis.corrected == ["grid", "key", "sections"]
    assert (automatic.tempo, automatic.key) == (pytest.approx(120, abs=0.1), "A minor")
    (columns,) = studio.sql("SELECT bpm, camelot, open_key, grid_kind FROM analyses")
    assert columns == {"bpm": 60.0, "camelot": "9A", "open_key": "2m", "grid_kind": "constant"}
    assert {cue.time % 1 for cue in track.cues} == {0.0}, "cues lie on the corrected grid"
    for _ in range(3):
        analysis = track.undo_correction()
    assert analysis.to_dict() == automatic.to_dict()
    assert studio.sql("SELECT camelot FROM analyses") == [{"camelot": "8A"}]


def test_a_cut_off_file_gets_its_true_length(studio: Studio, tmp_path: Path) -> None:
    path = write_song(tmp_path / "song.mp3")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (track,) = studio.add(path)
    assert track.duration == pytest.approx(8, abs=0.1)
    studio.run(track, stages="analyze").wait(TIMEOUT)
    assert studio.track(track.id).duration == pytest.approx(4, abs=0.5)


def test_cues_alone_say_what_is_missing(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav"))
    (job,) = studio.run(track, stages="autocue").wait(TIMEOUT).jobs
    assert job.status == "failed"
    assert job.error == "Cues need an analysis, and this track has none. Run the stage analyze first."


def test_a_persons_own_cues_are_kept(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav"))
    with studio.catalog.write() as connection:
        connection.execute(
            "INSERT INTO cues VALUES (uuid(), ?, 1.5, 'hot', 'mine', '#ffffff', 1, '', 'person', NULL, NULL)",
            [track.id],
        )
    studio.run(track, stages="analyze,autocue").wait(TIMEOUT)
    studio.run(track, stages="autocue").wait(TIMEOUT)
    assert [cue.label for cue in track.cues].count("mine") == 1


def test_a_changed_or_removed_automatic_cue_stays_so_until_it_is_forced(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=16))
    studio.run(track, stages="analyze,autocue").wait(TIMEOUT)
    found = track.cues
    changed = track.change_cue(found[0], time=found[0].time + 0.2, label="My start")
    assert (changed.origin, changed.label) == ("person", "My start")
    for cue in found[1:]:
        track.remove_cue(cue)
    studio.run(track, stages="autocue").wait(TIMEOUT)
    assert track.cues == [changed]
    studio.run(track, stages="autocue", force=True).wait(TIMEOUT)
    assert {(cue.time, cue.type) for cue in found} <= {(cue.time, cue.type) for cue in track.cues}
    assert changed in track.cues


def test_loops_of_song_and_stems_lie_on_the_bars_in_force(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=40))
    assert track.loops == []
    studio.run(track).wait(TIMEOUT)
    sources = {loop.source for loop in track.loops}
    assert "mix" in sources
    assert sources <= {"mix", *track.stems}
    assert len(sources) > 1
    track.correct("grid", tempo=120, first_beat=0.75)
    studio.run(track, stages="autocue").wait(TIMEOUT)
    found = track.loops
    assert {"mix"} < {loop.source for loop in found}
    for loop in found:
        assert (loop.start - 0.75) % 2 == pytest.approx(0, abs=1e-3), "a bar of 120 BPM lasts two seconds"
        assert loop.end - loop.start == pytest.approx(2 * loop.bars)


def test_what_is_unknown_is_refused_before_anything_is_queued(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "song.wav"))
    with pytest.raises(ParameterError, match="no stage 'mixdown'"):
        studio.run(track, stages="analyze,mixdown")
    with pytest.raises(ParameterError, match="draft"):
        studio.run(track, engine="magic")
    with pytest.raises(NotFoundError):
        studio.run("00000000-0000-0000-0000-000000000000")
    assert len(studio.jobs) == 0


def test_silence_and_a_blink_go_through(studio: Studio, tmp_path: Path) -> None:
    audio.encode(tmp_path / "silence.wav", np.zeros((2, SAMPLE_RATE * 2), np.float32), SAMPLE_RATE)
    audio.encode(tmp_path / "blink.wav", np.full((1, 40), 0.1, np.float32), SAMPLE_RATE)
    added = studio.add(tmp_path / "silence.wav", tmp_path / "blink.wav")
    run = studio.run(list(added)).wait(TIMEOUT)
    assert [(job.status, job.error) for job in run.jobs] == [("completed", None)] * 6
    assert [track.analysis and track.analysis.tempo for track in added] == [None, None]


def test_two_studios_share_the_work_of_one_library(home: Path, tmp_path: Path) -> None:
    with Studio.open(home) as one, Studio.open(home) as other:
        first = one.add(write_song(tmp_path / "a.wav", seed=1))[0]
        second = other.add(write_song(tmp_path / "b.wav", seed=2))[0]
        runs = [one.run(first), other.run(second), other.run(first)]
        for run in runs:
            assert {job.status for job in run.wait(TIMEOUT).jobs} == {"completed"}
        assert runs[0].ids == runs[2].ids
        with one.catalog.read() as connection:
            attempts = connection.execute("SELECT max(attempt) FROM jobs").fetchone()
        assert attempts == (1,)
