"""A song becomes stems, numbers and cues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from sfa_kernel import audio
from sfa_kernel.errors import NotFoundError, ParameterError
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
            "INSERT INTO cues VALUES (uuid(), ?, 1.5, 'hot', 'mine', '#ffffff', 1, '', 'person')", [track.id]
        )
    studio.run(track, stages="analyze,autocue").wait(TIMEOUT)
    studio.run(track, stages="autocue").wait(TIMEOUT)
    assert [cue.label for cue in track.cues].count("mine") == 1


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
