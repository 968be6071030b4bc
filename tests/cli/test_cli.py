"""The command line is a contract: names, shapes, exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from tests.cli.conftest import TIMEOUT
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "Artist - Song.wav", seconds=10)


def test_add_run_and_show_a_track(cli: Cli, song: Path) -> None:
    added = cli.json("add", song)
    assert added["errors"] == []
    (track,) = added["tracks"]
    assert set(track) == {"id", "title", "artist", "path", "duration_s", "new"}
    assert (track["title"], track["artist"], track["path"], track["new"]) == ("Song", "Artist", str(song), True)
    assert track["duration_s"] == pytest.approx(10)
    assert cli.json("add", song)["tracks"][0]["new"] is False

    jobs = cli.json("run", track["id"], "--stages", "separate,analyze,autocue", "--engine", "draft", "--wait")["jobs"]
    assert [(j["kind"], j["status"], j["progress"], j["attempt"], j["error"]) for j in jobs] == [
        (kind, "completed", 100, 1, None) for kind in ("separate", "analyze", "autocue")
    ]
    assert set(jobs[0]) == {"id", "kind", "track_id", "status", "progress", "attempt", "error"}

    shown = cli.json("track", track["id"])
    assert set(shown["stems"]) == {"vocals", "drums", "bass", "other"}
    assert all(os.path.exists(path) for path in shown["stems"].values())
    assert shown["analysis"]["bpm"] == pytest.approx(120, abs=0.1)
    assert {"time", "type", "label", "confidence"} <= set(shown["cues"][0])
    (listed,) = cli.json("tracks", "ARTIST")["tracks"]
    assert (listed["id"], listed["camelot"]) == (track["id"], "8A")
    assert cli.json("tracks", "nothing like it")["tracks"] == []
    assert len(cli.json("jobs")["jobs"]) == 3


def test_without_wait_jobs_are_only_queued(cli: Cli, song: Path) -> None:
    cli.json("add", song)
    jobs = cli.json("run", "--stages", "analyze")["jobs"]
    assert [(job["kind"], job["status"]) for job in jobs] == [("analyze", "queued")]


def test_bad_files_are_reported_beside_the_good_ones(cli: Cli, song: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp3").write_text("no music")
    done = cli.run("add", song, tmp_path / "text.mp3", tmp_path / "nothing.wav", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert [t["title"] for t in document["tracks"]] == ["Song"]
    assert [os.path.basename(e["path"]) for e in document["errors"]] == ["text.mp3", "nothing.wav"]
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


def test_a_failed_job_is_the_exit_status(cli: Cli, song: Path) -> None:
    cli.json("add", song)
    done = cli.run("run", "--stages", "autocue", "--wait", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["jobs"][0]["status"] == "failed"
    assert "Cues need an analysis" in done.stderr


def test_analyze_needs_no_library(cli: Cli, song: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    results = cli.json("analyze", song, tmp_path / "empty.wav", status=1)
    good, bad = results
    names = "file duration_s bpm beats downbeats key camelot lufs lra true_peak sections drops cues seconds"
    assert set(names.split()) <= set(good)
    assert {"bpm_alternative", "grid_kind", "open_key", "short_term_max", "crest", "loops"} <= set(good)
    assert good["file"] == str(song)
    assert {"start", "end", "label", "confidence", "reason"} <= set(good["sections"][0])
    assert {"time", "type", "label", "confidence", "reason"} <= set(good["cues"][0])
    assert set(bad) == {"file", "error"}
    assert not cli.home.exists()


def test_analyze_tells_people_what_it_heard(cli: Cli, song: Path, tmp_path: Path) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros((22050, 2)), 22050)
    done = cli.run("analyze", song, silence)
    heard, nothing = done.stdout.split(str(silence))
    assert heard.startswith(f"{song}  (0:10.00, analysed in ")
    for said in (" BPM (or ", "4 beats a bar", "A minor (8A", " LUFS", "true peak", "energy", "Mix in"):
        assert said in heard
    assert [line.split() for line in nothing.splitlines()[1:4]] == [
        ["tempo", "none"],
        ["key", "none"],
        ["loudness", "silent"],
    ]


def test_a_damaged_song_is_analysed_without_noise_on_standard_error(cli: Cli, tmp_path: Path) -> None:
    path = write_song(tmp_path / "song.mp3")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    path.write_bytes(data)
    done = cli.run("analyze", path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["bpm"] == pytest.approx(120, abs=1)


def test_separate_needs_no_library(cli: Cli, song: Path, tmp_path: Path) -> None:
    done = cli.json("separate", song, "--engine", "draft", "--out", tmp_path / "stems")
    assert {"stems", "report", "seconds"} < set(done)
    assert all(os.path.exists(path) for path in done["stems"].values())
    assert not cli.home.exists()


@pytest.mark.parametrize(
    "arguments",
    [("track", "no-such-id"), ("run", "no-such-id"), ("run", "--engine", "magic"), ("tracks", "--sort", "x")],
)
def test_an_error_is_one_line_on_standard_error(cli: Cli, song: Path, arguments: tuple[str, ...]) -> None:
    cli.json("add", song)
    done = cli.run(*arguments, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.strip().splitlines()) == 1


def test_doctor_says_what_is_there_and_how_to_get_the_rest(cli: Cli) -> None:
    report = cli.json("doctor")
    checks = {check["name"]: check for check in report["checks"]}
    assert report["ok"] is True
    assert checks["duckdb"]["ok"]
    assert all(check["hint"] for check in checks.values() if not check["ok"])


def test_a_worker_runs_what_others_queue_and_ends_when_told(cli: Cli, song: Path) -> None:
    cli.json("add", song)
    cli.json("run", "--stages", "analyze")
    worker = subprocess.Popen([sys.executable, "-m", "sfa_kernel", "--home", str(cli.home), "worker"])
    try:
        jobs = cli.json("run", "--stages", "analyze", "--wait")["jobs"]
        assert jobs[0]["status"] == "completed"
    finally:
        worker.terminate()
        assert worker.wait(30) == 0


def test_a_worker_and_two_runs_share_one_library(cli: Cli, tmp_path: Path) -> None:
    for seed in range(3):
        write_song(tmp_path / f"song{seed}.wav", seed=seed)
    added = cli.json("add", *tmp_path.glob("*.wav"))["tracks"]
    command = [sys.executable, "-m", "sfa_kernel", "--home", str(cli.home)]
    worker = subprocess.Popen([*command, "worker"], stderr=subprocess.PIPE, text=True)
    runs = [
        subprocess.Popen([*command, "run", track["id"], "--wait", "--json"], stdout=subprocess.PIPE, text=True)
        for track in added[:2]
    ]
    queued = cli.json("run", added[2]["id"], "--wait")["jobs"]
    finished = [json.loads(run.communicate(timeout=TIMEOUT)[0])["jobs"] for run in runs]
    worker.terminate()
    said = worker.communicate(timeout=30)[1]
    for jobs in [queued, *finished]:
        assert [(job["status"], job["attempt"]) for job in jobs] == [("completed", 1)] * 3
    assert [run.returncode for run in runs] == [0, 0]
    assert (worker.returncode, said) == (0, "")


def test_a_worker_ends_with_the_program_that_started_it(cli: Cli, home: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "sfa_kernel", "--home", str(home), "worker"],
        stdin=subprocess.PIPE,
        env={**os.environ, "SFA_PARENT_PID": str(os.getpid())},
    )
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(30) == 0
