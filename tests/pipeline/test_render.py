"""Renders and recordings as jobs: sound becomes a song of the library, or a file where a person wants it."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest
import soundfile

from sfa_kernel.cli import main
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.recordings import recording_handlers
from sfa_kernel.pipeline import cleanup
from tests.dj.decksongs import RATE, mix, two_songs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sfa_kernel.control.script import Script
    from sfa_kernel.library import Track
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

TIMEOUT = 120


@pytest.fixture
def songs(studio: Studio, tmp_path: Path) -> list[Track]:
    return list(studio.add(*(song.mix for song in two_songs(tmp_path).values())))


@pytest.fixture
def script(songs: list[Track]) -> Script:
    return mix(*(str(song.id) for song in songs))


def done(run: Run) -> Run:
    run.wait(TIMEOUT)
    assert [(job.status, job.error) for job in run.jobs] == [("completed", None)]
    return run


# -- renders --------------------------------------------------------------------------------------------------------


def test_a_script_becomes_a_song_that_tells_what_is_in_it(studio: Studio, script: Script) -> None:
    saved = studio.scripts.save("Two of them", script)
    (track,) = done(studio.render(saved)).tracks
    assert (track.title, track.row.codec, track.row.sample_rate) == ("Two of them", "pcm_24", RATE)
    assert track.duration == 8.0
    with soundfile.SoundFile(track.path) as file:
        assert file.copy_metadata()["comment"] == "0:00 one\n0:02 two"
        sound = file.read()
    assert 0.1 < np.abs(sound).max() <= 1.0
    assert not list(studio.storage.path("runs/render").iterdir())
    # The same once more is the same song.
    assert done(studio.render("Two of them")).tracks == [track]


def test_a_file_goes_where_a_person_wants_it_and_never_over_another(
    studio: Studio, script: Script, tmp_path: Path
) -> None:
    target = tmp_path / "mix.wav"
    run = done(studio.render(script, target))
    sound, rate = soundfile.read(target, dtype="float32")
    assert (rate, sound.shape, run.tracks) == (RATE, (8 * RATE, 2), [])
    with pytest.raises(ParameterError, match="is there already"):
        studio.render(script, target)
    for wrong in ("mix.mp3", "mix"):
        with pytest.raises(ParameterError, match="Choose one of flac, wav"):
            studio.render(script, tmp_path / wrong)
    with pytest.raises(ParameterError, match="There is no folder"):
        studio.render(script, tmp_path / "nowhere" / "mix.wav")
    with pytest.raises(ParameterError, match="is inside the library"):
        studio.render(script, studio.home / "downloads" / "mix.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "nowhere.wav")
    for wrong in ("link.wav", "m" * 300 + ".wav", "mix\0.wav"):
        with pytest.raises(ParameterError):
            studio.render(script, tmp_path / wrong)


def test_a_file_that_came_to_be_there_meanwhile_is_left_alone(studio: Studio, script: Script, tmp_path: Path) -> None:
    studio.close()  # it only queues
    target = tmp_path / "mix.flac"
    with type(studio).open(studio.home, run_jobs=False) as quiet:
        run = quiet.render(script, target)
        target.write_text("mine")
        quiet.work(run)
        run.wait(TIMEOUT)
        assert "has come to be there meanwhile" in (run.jobs[0].error or "")
    assert target.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in {".wav", ""}) == ["mix.flac"]


def test_a_script_whose_songs_are_gone_says_which(studio: Studio, script: Script, songs: list[Track]) -> None:
    saved = studio.scripts.save("Gone", script)
    studio.remove(songs[1])
    with pytest.raises(NotFoundError, match="not in the library any more: 'two'"):
        studio.render(saved)
    with pytest.raises(NotFoundError, match="not in the library any more: the song with the id 'nobody'"):
        studio.render(mix(str(songs[0].id), "nobody"))


def test_ids_may_be_written_in_any_way(studio: Studio, songs: list[Track], tmp_path: Path) -> None:
    script = replace(mix(str(songs[0].id).upper(), songs[1].id.hex), duration=3.0)
    done(studio.render(script, tmp_path / "mix.wav"))
    assert np.abs(soundfile.read(tmp_path / "mix.wav")[0]).max() > 0.1


def test_the_command_line_renders_a_script_and_a_file_of_one(
    studio: Studio, script: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "night.json"
    file.write_text(script.to_json())
    studio.close()
    home = str(studio.home)
    assert main(["--home", home, "render", str(file), "--out", str(tmp_path / "night.flac")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "night.flac")
    assert soundfile.info(tmp_path / "night.flac").frames == 8 * RATE
    assert main(["--home", home, "render", "no such script"]) == 1
    assert "There is no script 'no such script'" in capsys.readouterr().err
    assert main(["--home", home, "--json", "scripts"]) == 0
    assert capsys.readouterr().out.strip() == "[]"


# -- recordings -----------------------------------------------------------------------------------------------------


class Page:
    """Records as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.handlers = recording_handlers(studio)

    def __call__(self, method: str, *sides: NDArray[np.float32], **params: Any) -> Any:
        return self.handlers[f"recordings.{method}"](params, [memoryview(side.tobytes()) for side in sides])


@pytest.fixture
def master() -> NDArray[np.float32]:
    """Some seconds of it, with what only floats hold."""
    sound = np.random.default_rng(0).uniform(-1, 1, (2, 3 * RATE)).astype(np.float32)
    sound[0, :3] = [1.5, -2.0, 1e-20]
    return sound


def send(page: Page, master: NDArray[np.float32]) -> str:
    recording: str = page("begin", sample_rate=RATE)["recording"]
    for part, start in enumerate(range(0, master.shape[1], 16384)):
        page("append", *master[:, start : start + 16384], recording=recording, part=part)
    return recording


def test_a_recording_is_the_master_to_the_sample(studio: Studio, master: NDArray[np.float32]) -> None:
    page = Page(studio)
    recording = send(page, master)
    # The answer to a part was lost: it comes again, perhaps to another kernel.
    again = Page(studio)("append", *master[:, :16384], recording=recording, part=0)
    assert again == {"frames": master.shape[1]}
    job = page("finish", recording=recording, name="Friday", format="wav")["job"]
    studio.ledger.wait([UUID(job)], timeout=TIMEOUT)
    (track,) = studio.tracks
    assert (track.title, track.row.codec) == ("Friday", "float")
    assert np.array_equal(soundfile.read(track.path, dtype="float32")[0].T, master)
    assert not list(studio.storage.path("uploads").iterdir())


def test_a_part_that_is_missing_or_damaged_spoils_nothing(studio: Studio, master: NDArray[np.float32]) -> None:
    page = Page(studio)
    recording = page("begin", sample_rate=RATE)["recording"]
    page("append", *master[:, :1000], recording=recording, part=0)
    for part, sides in ((2, master[:, :5]), (1, (master[0, :5], master[1, :4])), (1, (master[0, :5],))):
        with pytest.raises(ParameterError):
            page("append", *sides, recording=recording, part=part)
    # The kernel died while it wrote a part.
    with (studio.storage.path(f"uploads/{recording}") / "samples.f32").open("ab") as file:
        file.write(b"half a p")
    assert page("append", *master[:, 1000:1500], recording=recording, part=1) == {"frames": 1500}
    with pytest.raises(ParameterError):
        page("append", *master[:, :5], recording="../../library", part=0)
    page("discard", recording=recording)
    page("discard", recording=recording)
    assert not list(studio.storage.path("uploads").iterdir())


def test_views_of_a_page_may_send_beside_each_other(studio: Studio, master: NDArray[np.float32]) -> None:
    recording = Page(studio)("begin", sample_rate=RATE)["recording"]
    parts = [master[:, start : start + 4096] for start in range(0, master.shape[1], 4096)]

    def send_all(page: Page) -> list[Any]:
        return [page("append", *sides, recording=recording, part=part) for part, sides in enumerate(parts)]

    with ThreadPoolExecutor(3) as pool:
        assert len(list(pool.map(send_all, [Page(studio) for _ in range(3)]))) == 3
    samples = (studio.storage.path(f"uploads/{recording}") / "samples.f32").read_bytes()
    assert samples == np.ascontiguousarray(master.T).tobytes()


def test_of_a_recording_that_a_power_cut_tore_what_is_there_is_kept(
    studio: Studio, master: NDArray[np.float32]
) -> None:
    page = Page(studio)
    recording = send(page, master)
    folder = studio.storage.path(f"uploads/{recording}")
    with (folder / "parts").open("ab") as file:
        file.write(b"\1\2\3")  # of a count
    with (folder / "samples.f32").open("r+b") as file:
        file.truncate(1000 * 8 + 3)
    job = page("finish", recording=recording, format="wav")["job"]
    studio.ledger.wait([UUID(job)], timeout=TIMEOUT)
    (track,) = studio.tracks
    assert np.array_equal(soundfile.read(track.path, dtype="float32")[0].T, master[:, :1000])


def test_what_a_page_recorded_before_it_was_gone_becomes_a_song(
    studio: Studio, master: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(studio)
    recording = send(page, np.clip(master, -0.9, 0.9))
    empty, damaged = (page("begin", sample_rate=RATE)["recording"] for _ in range(2))
    (studio.storage.path(f"uploads/{damaged}") / "recording.json").write_text('{"sample_rate": 1}')
    done(studio.cleanup())
    assert {path.name for path in studio.storage.path("uploads").iterdir()} == {recording, empty, damaged}

    later = time.time() + cleanup.DAY + 60
    monkeypatch.setattr(cleanup, "clock", lambda: later)
    done(studio.cleanup())
    made = [job for job in studio.ledger.jobs() if job.kind == "recording"]
    studio.ledger.wait([job.id for job in made], timeout=TIMEOUT)
    (track,) = studio.tracks
    assert track.title.startswith("Recording 20")
    assert track.duration == pytest.approx(3.0)
    assert not os.listdir(studio.storage.path("uploads"))
