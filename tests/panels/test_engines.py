"""What the dialog that separates, and the settings of engines and services, get when they ask."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from sfa_kernel.catalog import quotas
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.engines import engine_handlers
from sfa_kernel.panels.jobs import job_handlers
from sfa_kernel.separation import engines
from sfa_kernel.separation.demucs import models, weights
from sfa_kernel.separation.interface import Engine
from sfa_kernel.separation.lalal import services
from sfa_kernel.separation.lalal.client import VoicePack
from sfa_kernel.studio import Studio
from tests.separation.demucs.making import make_weights
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 120
DRAFT: dict[str, Any] = {"engine": "draft", "model": "", "stems": None, "region": None, "settings": {}}


class Page:
    """Asks as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.handlers = engine_handlers(studio) | job_handlers(studio)

    def __call__(self, method: str, **params: Any) -> Any:
        return self.handlers[method](params, [])

    def engine(self, name: str) -> Any:
        return next(engine for engine in self("separation.engines")["engines"] if engine["name"] == name)


@pytest.fixture
def page(studio: Studio) -> Page:
    return Page(studio)


@pytest.fixture
def tracks(studio: Studio, tmp_path: Path) -> list[str]:
    return [str(studio.add(write_song(tmp_path / f"Song {seed}.wav", seed=seed))[0].id) for seed in (1, 2)]


def test_the_draft_is_always_ready_and_says_that_it_is_a_draft(page: Page) -> None:
    draft = page.engine("draft")
    assert draft["draft"]
    assert draft["where"] == "here"
    assert "no AI" in draft["label"]
    (model,) = draft["models"]
    assert model["ready"]
    assert model["usual"] == model["stems"] == ["vocals", "drums", "bass", "other"]


def test_a_model_without_weights_says_what_there_is_to_fetch_and_its_terms(page: Page, studio: Studio) -> None:
    pytest.importorskip("demucs")
    make_weights(studio.settings.weights_folder, "htdemucs")
    found = {model["name"]: model for model in page.engine("demucs")["models"]}
    assert found["htdemucs"]["ready"]
    assert found["htdemucs"]["fetch_bytes"] is None
    missing = found["htdemucs_ft"]
    assert not missing["ready"]
    assert missing["reason"]
    assert (missing["fetch_bytes"], missing["notice"]) == (models.model("htdemucs_ft").bytes, weights.LICENCE_NOTE)


def test_what_it_will_take_is_told_and_what_was_asked_for_is_done(
    page: Page, studio: Studio, tracks: list[str]
) -> None:
    asked = {**DRAFT, "ids": tracks, "stems": ["vocals"]}
    told = page("separation.estimate", **asked)
    assert told["seconds"] > 0
    assert told["minutes"] is None
    assert "2 songs" in told["text"]
    started = page("separation.start", **asked)
    assert len(started["jobs"]) == 2
    assert started["batch"]
    _wait(studio, started)
    assert list(studio.track(tracks[0]).stems) == ["vocals", "rest"]


def test_what_is_there_is_made_again_only_when_it_is_asked_for(page: Page, studio: Studio, tracks: list[str]) -> None:
    asked = {**DRAFT, "ids": tracks[:1]}
    _wait(studio, page("separation.start", **asked))
    assert page("separation.start", **asked) == {"jobs": [], "batch": None}
    assert len(page("separation.start", **{**asked, "ids": tracks})["jobs"]) == 1
    assert len(page("separation.start", **asked, force=True)["jobs"]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"engine": "none"},
        {"engine": ""},
        {"model": "none"},
        {"stems": ["kazoo"]},
        {"stems": 3},
        {"region": [9, 3]},
        {"region": "all"},
        {"settings": {"warmth": 11}},
        {"settings": "loud"},
    ],
)
def test_a_choice_that_is_none_is_refused_in_a_sentence(page: Page, tracks: list[str], wrong: dict[str, Any]) -> None:
    for method in ("separation.estimate", "separation.start"):
        with pytest.raises(ParameterError):
            page(method, **{**DRAFT, "ids": tracks, **wrong})


def test_a_song_that_is_none_is_not_found(page: Page) -> None:
    with pytest.raises(NotFoundError):
        page("separation.start", **DRAFT, ids=["00000000-0000-0000-0000-000000000000"])


def test_weights_are_fetched_only_after_a_yes(page: Page, studio: Studio) -> None:
    for given in ({}, {"agreed": False}, {"agreed": "yes"}):
        with pytest.raises(ParameterError, match="scientific purposes"):
            page("weights.fetch", model="htdemucs", **given)
    with pytest.raises(ParameterError, match="no model"):
        page("weights.fetch", model="none", agreed=True)
    assert studio.ledger.jobs(kind="weights") == []


def test_damaged_weights_are_found_when_every_byte_is_read(page: Page, studio: Studio) -> None:
    folder = studio.settings.weights_folder
    make_weights(folder, "htdemucs")
    (file,) = folder.glob("*.safetensors")
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)

    def state(method: str) -> str:
        return str(next(row for row in page(method)["models"] if row["model"] == "htdemucs")["state"])

    assert (state("weights.status"), state("weights.verify")) == ("ready", "damaged")
    status = page("weights.status")
    assert status["folder"] == str(folder)
    assert status["notice"] == weights.LICENCE_NOTE
    missing = next(row for row in status["models"] if row["model"] == "htdemucs_ft")
    assert (missing["state"], missing["bytes"]) == ("missing", models.model("htdemucs_ft").bytes)


def test_a_key_is_kept_and_never_told(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SFA_LALAL_KEY", raising=False)

    def source() -> Any:
        listed = page("credentials.list")
        assert listed["protection"]
        assert "secret-4711" not in str(listed)
        return next(known for known in listed["credentials"] if known["name"] == "lalal")["source"]

    assert source() is None
    page("credentials.put", name="lalal", value="secret-4711")
    assert source() == "store"
    page("credentials.remove", name="lalal")
    assert source() is None
    monkeypatch.setenv("SFA_LALAL_KEY", "secret-4711")
    assert source() == "environment"


def test_minutes_are_as_the_service_last_said(page: Page, studio: Studio) -> None:
    assert page("cloud.quota", refresh=False) == {"minutes_left": None, "checked_at": None, "jobs": []}
    with studio.catalog.write() as connection:
        quotas.put(connection, "lalal", 12.5)
    told = page("cloud.quota", refresh=False)
    assert told["minutes_left"] == 12.5
    assert told["checked_at"].endswith("+00:00")


def test_voices_that_the_service_has_told_of_can_be_chosen(
    page: Page, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Engine(
        name="lalal",
        label="Cloud",
        description="",
        models=services.MODELS,
        split=lambda song, task, at: pytest.fail("nobody asked for it"),
        service="cloud.example",
        other=services.other,
    )
    monkeypatch.setattr("sfa_kernel.panels.engines.ENGINES", {"lalal": cloud})
    monkeypatch.setattr(engines, "ENGINES", {"lalal": cloud})
    own = VoicePack("f5dc9452-9374-4418-9288-02825bbd0016", "My own voice", 1672531199)
    before = [model["name"] for model in page.engine("lalal")["models"]]
    with studio.catalog.write() as connection:
        quotas.put_voice_packs(connection, "lalal", [asdict(VoicePack("ALEX_KAYE", "Alex Kaye")), asdict(own)])
    told = page.engine("lalal")
    assert told["service"] == "cloud.example"
    assert [model["name"] for model in told["models"]] == [*before, f"voice:{own.id}"]
    assert told["models"][-1]["label"] == "My own voice"


def test_a_batch_pauses_and_goes_on(home: Path, tmp_path: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        page = Page(studio)
        songs = [studio.add(write_song(tmp_path / f"{seed}.wav", seed=seed))[0] for seed in (1, 2)]
        batch = page("separation.start", **DRAFT, ids=[str(song.id) for song in songs])["batch"]
        page("batch.pause", batch=batch)
        listed = page("jobs.list", status="waiting")
        assert listed["paused"] == [{"batch": batch, "waiting": 2}]
        assert all(job["paused"] and job["batch"] == batch for job in listed["jobs"])
        page("batch.resume", batch=batch)
        assert page("jobs.list", status="waiting")["paused"] == []
        with pytest.raises(ParameterError):
            page("batch.pause", batch="none")


def _wait(studio: Studio, started: dict[str, Any]) -> None:
    studio.ledger.wait([UUID(job) for job in started["jobs"]], timeout=TIMEOUT)
