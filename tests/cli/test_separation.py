"""Stems on the command line: of a file, and of the tracks of a library."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sfa_kernel import audio, offers
from sfa_kernel.catalog import quotas
from sfa_kernel.separation import ENGINES, engines
from sfa_kernel.separation.interface import Engine, Model, Parts
from sfa_kernel.separation.settings import Setting
from sfa_kernel.studio import Studio
from tests.separation.lalal.server import KEY, Service
from tests.sounds import SAMPLE_RATE, write_song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sfa_kernel.separation.interface import Song, Task
    from tests.cli.conftest import Cli, Sfa

SECONDS = 3.0


def _halves(song: Song, task: Task, at: Callable[[float], None]) -> Parts:
    share = task.settings["share"]
    return Parts(task.stems, (np.stack([share * block] * len(task.stems)) for block in song.blocks()))


def _stopped(song: Song, task: Task, at: Callable[[float], None]) -> Parts:
    """Somebody presses Ctrl-C while the second piece is made."""

    def pieces() -> Iterator[Any]:
        yield np.zeros((len(task.stems), song.channels, 1000), np.float32)
        raise KeyboardInterrupt

    return Parts(task.stems, pieces())


def _never(model: str, place: object) -> tuple[bool, str]:
    return False, "It has no strings. Buy some."


QUICK = Engine(
    name="quick",
    label="Quick",
    description="Halves.",
    models=(
        Model("pair", "Pair", "Two of them.", ("vocals", "drums"), speed=1.0),
        Model("solo", "Solo", "", ("bass",)),
    ),
    split=_halves,
    settings={"share": Setting(0.5, "Share", "How much", minimum=0.0, maximum=1.0)},
)
OTHERS = {
    "stopped": replace(QUICK, name="stopped", split=_stopped),
    "broken": replace(QUICK, name="broken", label="Broken", ready=_never),
    "cloud": replace(
        QUICK,
        name="cloud",
        label="Cloud",
        service="cloud.example",
        minutes=lambda model, stems, seconds: 1.0 * len(stems),
    ),
}


@pytest.fixture(autouse=True)
def _engines(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**ENGINES, "quick": QUICK, **OTHERS}
    for module in (engines, offers):
        monkeypatch.setattr(module, "ENGINES", known)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "song.wav", seconds=SECONDS)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "stems"


@pytest.fixture
def track(sfa: Sfa, song: Path) -> str:
    (added,) = sfa.json("add", song)["tracks"]
    return str(added["id"])


def arguments(sfa: Sfa, kind: str = "separate") -> list[dict[str, Any]]:
    return [job["arguments"] for job in sfa.json("jobs", "--kind", kind)["jobs"]]


# -- a file ------------------------------------------------------------------------------------------------------


def test_a_file_is_separated_with_any_engine_model_stems_and_settings(sfa: Sfa, song: Path, out: Path) -> None:
    options = ("--engine", "quick", "--model", "pair", "--stems", "drums", "--set", "share=0.25")
    done = sfa.json("separate", song, "--out", out, *options)
    assert (done["engine"], done["model"], done["settings"]) == ("quick", "pair", {"share": 0.25})
    assert {path.name for path in out.iterdir()} == {"drums.flac", "rest.flac"}
    assert set(done["stems"]) == {"drums", "rest"}
    assert done["report"]["residual_db"] <= -80
    mix, _ = audio.decode(song)
    drums, _ = audio.decode(out / "drums.flac")
    assert np.allclose(drums, 0.25 * mix, atol=1e-6)


def test_a_region_of_a_file_comes_with_its_mix_in_the_format_that_was_asked_for(
    sfa: Sfa, song: Path, out: Path
) -> None:
    options = ("--engine", "quick", "--region", "0:01-0:02.5", "--format", "wav")
    done = sfa.json("separate", song, "--out", out, *options)
    assert {path.name for path in out.iterdir()} == {"vocals.wav", "drums.wav", "mix.wav"}
    assert (done["start"], done["frames"]) == (1.0, round(1.5 * SAMPLE_RATE))


def test_people_read_how_good_it_is(sfa: Sfa, song: Path, out: Path) -> None:
    said = sfa("separate", song, "--out", out, "--engine", "quick", "--stems", "vocals", "--format", "wav")
    assert said.status == 0
    assert "Quick · Pair on cpu" in said.out
    assert "The stems add up to the mix" in said.out
    rows = [line.split() for line in said.out.splitlines()]
    assert {row[0] for row in rows if "dBFS" in row} == {"vocals", "rest"}


def test_without_an_engine_it_is_the_one_of_the_settings(
    sfa: Sfa, song: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_SEPARATION_ENGINE", "quick")
    monkeypatch.setenv("SFA_SEPARATION_MODEL", "solo")
    assert sfa.json("separate", song, "--out", out)["model"] == "solo"
    assert sfa.json("separate", song, "--out", out, "--engine", "draft")["model"] == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--engine", "magic"), "no separation engine 'magic'"),
        (("--engine", "quick", "--model", "trio"), "no model 'trio'"),
        (("--engine", "quick", "--stems", "flute"), "no stem 'flute'"),
        (("--engine", "quick", "--set", "share=2"), "from 0 to 1"),
        (("--engine", "quick", "--set", "colour=red"), "no setting 'colour'"),
        (("--format", "aiff"), "cannot be written as 'aiff'"),
        (("--engine", "broken"), "It has no strings. Buy some."),
    ],
)
def test_what_cannot_be_had_is_said_in_a_line_and_nothing_is_left(
    sfa: Sfa, song: Path, out: Path, options: tuple[str, ...], said: str
) -> None:
    assert said in sfa.refuses("separate", song, "--out", out, *options)
    assert not out.exists()


@pytest.mark.parametrize("options", [("--region", "start-end"), ("--region", "5"), ("--set", "share")])
def test_what_is_no_region_and_no_setting_is_said_with_the_usage(
    sfa: Sfa, song: Path, out: Path, options: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        sfa("separate", song, "--out", out, *options)
    assert stopped.value.code == 2
    assert f"{options[1]!r} is no " in capsys.readouterr().err


def test_ctrl_c_leaves_nothing_behind(sfa: Sfa, song: Path, out: Path) -> None:
    said = sfa("separate", song, "--out", out, "--engine", "stopped")
    assert (said.status, said.err) == (130, "sfa: Stopped.\n")
    assert not out.exists()


# -- tracks ------------------------------------------------------------------------------------------------------


def test_run_takes_what_separate_takes(sfa: Sfa, track: str) -> None:
    options = ("--engine", "quick", "--model", "pair", "--stems", "drums,vocals", "--set", "share=0.1")
    done = sfa.json("run", track, *options)
    assert {job["kind"] for job in done["jobs"]} == {"separate", "analyze", "autocue"}
    (asked,) = arguments(sfa)
    assert (asked["engine"], asked["model"], asked["region"]) == ("quick", "pair", None)
    assert (asked["stems"], asked["settings"]) == (["vocals", "drums"], {"share": 0.1})
    # What was asked for together can be paused by its name.
    assert sfa.json("jobs", "pause", done["batch"])["waiting"] == 3


def test_a_preview_is_of_the_region_and_of_stems_alone(sfa: Sfa, track: str) -> None:
    done = sfa.json("run", track, "--engine", "quick", "--preview", "0:00.5-0:01.5")
    assert [job["kind"] for job in done["jobs"]] == ["separate"]
    assert arguments(sfa)[0]["region"] == [0.5, 1.5]


def test_an_estimate_says_what_it_takes(sfa: Sfa, track: str, home: Path) -> None:
    assert "About 3 s for 1 song" in sfa("estimate", "--engine", "quick").out
    assert "About 1 s for 1 song" in sfa("estimate", track, "--engine", "quick", "--preview", "0-1").out
    with Studio.open(home, run_jobs=False) as studio, studio.catalog.write() as connection:
        quotas.put(connection, "cloud", 1.0)
    told = sfa.json("estimate", track[:8], "--engine", "cloud")
    assert (told["tracks"], told["minutes"], told["minutes_left"], told["enough"]) == (1, 2.0, 1.0, False)
    assert "cloud.example bills 2 minutes, but only 1 were left" in told["text"]
    assert told["checked_at"].startswith("20")


def test_the_engines_are_listed_with_the_reason_why_one_cannot_run(sfa: Sfa) -> None:
    rows = {(row["engine"], row["model"]): row for row in sfa.json("engines")["engines"]}
    assert rows["draft", ""]["ready"]
    assert not rows["broken", "pair"]["ready"]
    said = sfa("engines").out
    assert "It has no strings. Buy some." in said
    assert "vocals, drums, bass, other" in said


def test_sets_of_stems_are_listed_chosen_removed_and_restored(cli: Cli, sfa: Sfa, track: str) -> None:
    for options in (("--stages", "separate"), ("--stages", "separate", "--stems", "vocals"), ("--preview", "1-2")):
        assert cli.run("run", track, "--engine", "draft", "--wait", *options).returncode == 0
    preview, vocals, whole = sfa.json("stems", track)["sets"]  # the newest first
    assert (preview["start"], preview["end"], set(preview["stems"])) == (
        *(1.0, 2.0),
        {"mix", "vocals", "drums", "bass", "other"},
    )
    assert (set(vocals["stems"]), vocals["in_use"], whole["in_use"]) == ({"vocals", "rest"}, True, False)
    assert whole["report"]["residual_db"] <= -80
    assert whole["badge"] == "Draft (no AI)"

    (_, vocals, whole) = sfa.json("stems", track, "--use", whole["id"][:8])["sets"]
    assert (vocals["in_use"], whole["in_use"]) == (False, True)
    assert len(sfa.json("stems", track, "--remove", whole["id"])["sets"]) == 2
    assert len(sfa.json("stems", track, "--restore", whole["id"])["sets"]) == 3

    said = sfa("stems", track[:8]).out
    assert "preview of 1-2 s" in said
    assert said.count("in use") == 1
    assert said.count("The stems add up to the mix") >= 2
    assert "No set of stems has an id that begins with 'zz'" in sfa.refuses("stems", track, "--use", "zz")
    assert "Only stems of the whole song" in sfa.refuses("stems", track, "--use", preview["id"])


def test_a_track_without_stems_says_so(sfa: Sfa, track: str) -> None:
    assert "no stems" in sfa("stems", track).out
    assert sfa.json("stems", track)["sets"] == []


# -- the cloud ---------------------------------------------------------------------------------------------------


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service(minutes=1234.5) as service:
        monkeypatch.setenv("SFA_LALAL_URL", service.url)
        monkeypatch.setenv("SFA_LALAL_KEY", KEY)
        yield service


def test_the_account_is_asked_for_minutes_and_voices(sfa: Sfa, service: Service) -> None:
    assert sfa("lalal").out == "1,234.5 minutes are left\n"
    assert sfa.json("lalal", "minutes")["minutes_left"] == 1234.5
    assert "ALEX_KAYE" in {pack["id"] for pack in sfa.json("lalal", "packs")["voice_packs"]}
    assert re.search(r"--model voice:ALEX_KAYE +Alex Kaye$", sfa("lalal", "packs").out, re.MULTILINE)
    assert sfa.json("lalal", "cancel-all") == {"said": "Tasks that were stopped: 0."}


def test_a_file_is_separated_by_the_service_which_keeps_nothing_when_it_shall_not(
    sfa: Sfa, service: Service, song: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SFA_LALAL_DELETE_SOURCE", "1")
    service.steps = (100,)
    done = sfa.json("separate", song, "--out", out, "--engine", "lalal", "--stems", "vocals")
    assert (done["minutes"], set(done["stems"])) == (1.0, {"vocals", "rest"})
    assert [source.deleted for source in service.sources.values()] == [True]


def test_an_account_without_a_key_says_what_is_missing(
    sfa: Sfa, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SFA_LALAL_KEY")
    assert "There is no license key for lalal.ai." in sfa.refuses("lalal", "minutes")
