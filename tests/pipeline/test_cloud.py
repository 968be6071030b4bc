"""The account at lalal.ai: what it has, what it offers, and how to stop everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from sfa_kernel.errors import ParameterError
from sfa_kernel.jobs import JobRequest
from sfa_kernel.pipeline.cloud import SERVICE, cloud_request
from sfa_kernel.separation.lalal.client import Client
from tests.separation.lalal.server import KEY, OWN_PACK, Service
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sfa_kernel.events import Event, Subscription
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

TIMEOUT = 60


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    with Service(minutes=1234.5) as service:
        monkeypatch.setenv("SFA_LALAL_URL", service.url)
        monkeypatch.setenv("SFA_LALAL_KEY", KEY)
        yield service


@pytest.fixture
def home(service: Service, home: Path) -> Path:
    """The library is opened once the service is there: its settings name it."""
    return home


def said(studio: Studio, run: Run) -> str:
    """What the one job of a run said at its end."""
    (job,) = run.wait(timeout=TIMEOUT).jobs
    assert job.status == "completed", job.error
    return str(studio.jobs.log(job.id)[-1]["text"])


def problem(run: Run) -> str:
    (job,) = run.wait(timeout=TIMEOUT).jobs
    assert job.status == "failed"
    return str(job.error)


def test_minutes_are_known_once_somebody_asked(studio: Studio) -> None:
    assert (studio.lalal.minutes_left, studio.lalal.checked_at) == (None, None)
    assert repr(studio.lalal) == "<lalal.ai: not asked yet>"
    assert said(studio, studio.lalal.refresh()) == "Minutes that are left: 1,234.5."
    assert studio.lalal.minutes_left == 1234.5
    assert repr(studio.lalal).startswith("<lalal.ai: 1,234.5 minutes left on 20")


def test_minutes_are_asked_anew_each_time(studio: Studio, service: Service) -> None:
    studio.lalal.refresh().wait(timeout=TIMEOUT)
    service.minutes = 2.0
    studio.lalal.refresh().wait(timeout=TIMEOUT)
    assert studio.lalal.minutes_left == 2.0


def test_voices_are_those_of_the_service_and_of_the_account(studio: Studio) -> None:
    assert studio.lalal.voice_packs == []
    studio.lalal.refresh_voices().wait(timeout=TIMEOUT)
    voices = {pack["id"]: pack["name"] for pack in studio.lalal.voice_packs}
    assert voices["ALEX_KAYE"] == "Alex Kaye"
    assert voices[OWN_PACK["pack_id"]] == OWN_PACK["name"]
    assert studio.lalal.minutes_left is None


def test_all_tasks_are_stopped_and_our_own_jobs_before_they_order_again(
    studio: Studio, service: Service, tmp_path: Path
) -> None:
    song = write_song(tmp_path / "song.wav")
    with Client(service.url, KEY) as client:
        task = client.submit("stem_separator", client.upload(song).id, {"stem": "vocals"})
    (track,) = studio.add(song)
    with studio.catalog.write() as connection:
        ordering = JobRequest("separate", "cloud", track.id, {}, service=SERVICE)
        local = JobRequest("separate", "separation", track.id, {}, delay=3600)
        ours, other = studio.ledger.enqueue_all(connection, [ordering, local])
    assert said(studio, studio.lalal.cancel_all()) == "Tasks that were stopped: 1."
    assert service.tasks[task].cancelled
    assert [job.status for job in studio.ledger.jobs([ours.id, other.id])] == ["cancelled", "queued"]


def test_without_a_key_it_is_said_where_to_put_one(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SFA_LALAL_KEY")
    assert "There is no license key for lalal.ai. Put it into" in problem(studio.lalal.refresh())
    assert studio.lalal.minutes_left is None


def test_a_key_that_is_refused_is_said_and_written_nowhere(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    planted = "planted-key-f00d"
    monkeypatch.setenv("SFA_LALAL_KEY", planted)
    assert "license key" in problem(studio.lalal.refresh())
    studio.close()
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"lalal" in written
    assert planted.encode() not in written


def test_what_was_last_heard_stays_when_the_service_is_in_trouble(studio: Studio, service: Service) -> None:
    studio.lalal.refresh().wait(timeout=TIMEOUT)
    service.fail("limits/minutes_left/", "429", 9)
    assert problem(studio.lalal.refresh())
    assert studio.lalal.minutes_left == 1234.5


def test_the_same_question_waits_once_and_before_the_separations(studio: Studio) -> None:
    with studio.catalog.write() as connection:
        separation = studio.ledger.enqueue(connection, JobRequest("separate", "cloud", None, {}, service=SERVICE))
        first, second = studio.ledger.enqueue_all(connection, [cloud_request("quota"), cloud_request("quota")])
    assert first.id == second.id
    with studio.catalog.write() as connection:
        kinds = {"separate": "processing", "cloud": "processing"}
        claimed = studio.ledger.claim(connection, kinds, holder="host:1:1")
    assert [job.id for job in claimed] == [first.id, separation.id]
    with pytest.raises(ParameterError, match="no action 'dance'"):
        cloud_request("dance")


# -- separations -------------------------------------------------------------------------------------------------


def when_it_works(studio: Studio, act: Callable[[], None]) -> Subscription:
    """Call once, when a task at the service is under way."""
    begun: list[int] = []

    def on_progress(event: Event) -> None:
        if not begun and event.data["progress"] >= 30:
            begun.append(event.data["progress"])
            act()

    return studio.bus.subscribe("jobs:*", on_progress)


def test_a_song_goes_up_and_its_stems_come_back(studio: Studio, service: Service, tmp_path: Path) -> None:
    service.steps = (100,)
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=70))
    (job,) = studio.separate(track, engine="lalal", model="phoenix", stems="vocals").wait(TIMEOUT).jobs
    assert (job.status, job.error, job.queue, job.service) == ("completed", None, "cloud", SERVICE)
    made = track.separation
    assert made is not None
    assert (made.badge, list(made.stems), made.minutes) == ("lalal.ai · Phoenix", ["vocals", "rest"], 2.0)
    assert studio.lalal.minutes_left == 1232.5


def test_a_killed_process_finds_what_it_had_ordered_and_pays_once(
    studio: Studio, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfa_kernel.jobs.runner.back_off", lambda attempt: 0.1)
    service.steps = (60,) * 1000

    def kill() -> None:
        service.steps = (100,)
        for process in psutil.Process().children():
            if "tracker" not in " ".join(process.cmdline()):
                process.kill()

    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=8))
    subscription = when_it_works(studio, kill)
    (job,) = studio.separate(track, engine="lalal", stems="vocals").wait(TIMEOUT).jobs
    subscription.close()
    assert (job.status, job.attempt, job.error) == ("completed", 2, None)
    assert (len(service.orders), service.minutes) == (1, 1233.5)
    assert list(track.stems) == ["vocals", "rest"]


def test_a_cancelled_job_stops_its_task_at_the_service(studio: Studio, service: Service, tmp_path: Path) -> None:
    service.steps = (60,) * 1000
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=8))
    subscription = when_it_works(studio, lambda: run.cancel())
    run = studio.separate(track, engine="lalal", stems="vocals")
    assert [job.status for job in run.wait(TIMEOUT).jobs] == ["cancelled"]
    subscription.close()
    (stop,) = [job for job in studio.ledger.jobs() if job.kind == "cloud"]
    studio.ledger.wait([stop.id], timeout=TIMEOUT)
    assert [task.cancelled for task in service.tasks.values()] == [True]


def test_too_few_minutes_are_told_before_anything_is_sent(studio: Studio, service: Service, tmp_path: Path) -> None:
    service.minutes = 1.0
    (track,) = studio.add(write_song(tmp_path / "song.wav", seconds=8))
    (job,) = studio.separate(track, engine="lalal", stems="vocals,drums").wait(TIMEOUT).jobs
    assert (job.status, job.attempt) == ("failed", 1)
    assert "minutes" in str(job.error)
    assert not service.sources
