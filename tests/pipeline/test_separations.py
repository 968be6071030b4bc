"""Stems in the library: any engine, one set for each request, nothing half done."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from sfa_kernel import audio
from sfa_kernel.errors import ParameterError
from sfa_kernel.studio import Studio
from tests.separation.demucs.making import make_weights
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.library import Track
    from sfa_kernel.runs import Run

TIMEOUT = 120


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    make_weights(folder, "htdemucs")
    make_weights(folder, "htdemucs_ft")
    return folder


@pytest.fixture
def studio(home: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SFA_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("SFA_SEPARATION_DEVICE", "cpu")
    with Studio.open(home) as studio:
        yield studio


@pytest.fixture
def track(studio: Studio, tmp_path: Path) -> Track:
    return studio.add(write_song(tmp_path / "song.wav", seconds=12))[0]


def finish(run: Run) -> None:
    assert [(job.status, job.error) for job in run.wait(TIMEOUT).jobs] == [("completed", None)] * len(run.ids)


def files(studio: Studio) -> set[str]:
    return {path.name for path in (studio.home / "stems").iterdir()}


def test_the_same_request_twice_is_one_set_and_is_done_once(studio: Studio, track: Track) -> None:
    finish(studio.separate(track, stems="vocals"))
    before = files(studio)
    finish(studio.separate(track, stems=["vocals"]))
    assert files(studio) == before
    finish(studio.separate(track, stems="vocals", force=True))
    assert len(track.separations) == 1
    assert not files(studio) & before


def test_a_second_engine_is_a_second_set_and_a_person_may_choose(studio: Studio, track: Track) -> None:
    finish(studio.separate(track))
    finish(studio.separate(track, engine="demucs", stems="vocals"))
    demucs, draft = track.separations
    assert (demucs.engine, demucs.model, list(demucs.stems)) == ("demucs", "htdemucs", ["vocals", "rest"])
    assert demucs.in_use
    assert track.separation is not None
    assert track.separation.id == demucs.id
    draft.use()
    assert list(track.stems) == ["vocals", "drums", "bass", "other"]
    draft.remove()
    assert list(track.stems) == ["vocals", "rest"]
    draft.restore()
    assert len(track.separations) == 2


def test_a_set_says_how_it_was_made_and_how_good_it_is(studio: Studio, track: Track) -> None:
    finish(studio.separate(track, engine="demucs", model="htdemucs_ft", stems="drums", settings={"overlap": 0.1}))
    made = track.separation
    assert made is not None
    assert (made.model, made.settings["overlap"], made.device) == ("htdemucs_ft", 0.1, "cpu")
    assert made.seconds > 0
    report = made.report
    assert report is not None
    assert report.residual_db == pytest.approx(made.residual_db)
    assert set(report.stems) == {"drums", "rest"}
    mix = track.samples()[0]
    total = sum(audio.decode(path)[0] for path in made.stems.values())
    np.testing.assert_allclose(total, mix, atol=1e-6)


def test_a_preview_is_a_region_with_its_mix_and_never_in_use(studio: Studio, track: Track) -> None:
    finish(studio.separate(track, region=(4, 7)))
    (preview,) = track.separations
    assert preview.region == (4.0, 7.0)
    assert set(preview.stems) == {"mix", "vocals", "drums", "bass", "other"}
    assert {path.suffix for path in preview.stems.values()} == {".ogg"}
    assert track.separation is None
    assert track.stems == {}


def test_a_region_behind_the_end_fails_once_with_one_sentence(studio: Studio, track: Track) -> None:
    (job,) = studio.separate(track, region=(40, 50)).wait(TIMEOUT).jobs
    assert (job.status, job.attempt) == ("failed", 1)
    assert "it lasts 12.0 s" in (job.error or "")


def test_what_cannot_be_had_is_refused_before_anything_is_queued(studio: Studio, track: Track) -> None:
    for wrong in ({"engine": "magic"}, {"engine": "demucs", "model": "huge"}, {"stems": "kazoo"}):
        with pytest.raises(ParameterError):
            studio.separate(track, **wrong)  # type: ignore[arg-type]
    assert not track.jobs


def test_without_weights_it_says_so_and_what_to_do(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFA_WEIGHTS_DIR", str(tmp_path / "empty"))
    with Studio.open(home) as studio:
        (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=4))
        (job,) = studio.separate(track, engine="demucs").wait(TIMEOUT).jobs
    assert (job.status, job.attempt) == ("failed", 1)
    assert "weights" in (job.error or "")
    assert "draft" in (job.error or "")


# -- killed in the middle ----------------------------------------------------------------------------------------


def _worker(job_id: object) -> psutil.Process:
    """The process that does the work of this studio's only job."""
    children = [p for p in psutil.Process().children() if "resource_tracker" not in " ".join(p.cmdline())]
    assert len(children) == 1, children
    return children[0]


def kill_worker(studio: Studio, run: Run) -> None:
    os.kill(_worker(run.ids[0]).pid, signal.SIGKILL)


def kill_child(studio: Studio, run: Run) -> None:
    """Only the engine's own process dies; whoever waits for it lives."""
    children = [
        p for p in psutil.Process().children(recursive=True) if "sfa_kernel.separation.child" in " ".join(p.cmdline())
    ]
    assert len(children) == 1, children
    children[0].kill()


PATHS = {
    "draft": ({"engine": "draft"}, kill_worker),
    "demucs": ({"engine": "demucs"}, kill_worker),
    "demucs child": ({"engine": "demucs"}, kill_child),
    "one stem of a bag": ({"engine": "demucs", "model": "htdemucs_ft", "stems": "bass"}, kill_child),
}


@pytest.mark.parametrize("path", PATHS)
def test_killed_in_the_middle_it_is_retried_and_leaves_nothing_behind(
    studio: Studio, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, kill = PATHS[path]
    monkeypatch.setattr("sfa_kernel.jobs.runner.back_off", lambda attempt: 0.1)
    (track,) = studio.add(write_song(tmp_path / "long.wav", seconds=40))
    killed: list[int] = []

    def on_progress(event: Any) -> None:
        if not killed and event.data.get("progress", 0) >= 20:
            killed.append(event.data["progress"])
            kill(studio, run)

    subscription = studio.bus.subscribe("jobs:*", on_progress)
    run = studio.separate(track, **asked)  # type: ignore[arg-type]
    finish(run)
    subscription.close()
    assert killed
    assert run.jobs[0].attempt == 2
    made = track.separation
    assert made is not None
    owned = {made.row.levels.split("/")[1]} | {
        name.split("/")[1] for row in made.rows for name in (row.file, row.waveform)
    }
    assert files(studio) == owned
    assert not any((studio.home / "scratch").iterdir())


def test_cancelled_in_the_middle_it_leaves_nothing_behind(studio: Studio, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "long.wav", seconds=40))

    def on_progress(event: Any) -> None:
        if event.data.get("progress", 0) >= 20:
            run.cancel()

    subscription = studio.bus.subscribe("jobs:*", on_progress)
    run = studio.separate(track, engine="demucs")
    (job,) = run.wait(TIMEOUT).jobs
    subscription.close()
    assert job.status == "cancelled"
    studio.close()  # waits for the job's own thread
    assert not files(studio)
    assert not any((studio.home / "scratch").iterdir())
