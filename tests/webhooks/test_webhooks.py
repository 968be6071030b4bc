"""What a person relies on who registers a webhook, and who receives one."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.backup import backup, restore
from sfa_kernel.catalog import webhooks as table
from sfa_kernel.errors import NotFoundError, ParameterError, SetupError
from sfa_kernel.jobs import Ground, JobRequest, Kind, Plan, Runner
from sfa_kernel.jobs import runner as runner_module
from sfa_kernel.studio import Studio
from sfa_kernel.webhooks import EVENTS, WEBHOOK
from sfa_kernel.webhooks import kind as webhook_kind
from tests.sounds import write_song
from tests.webhooks import work
from tests.webhooks.receiver import TIMEOUT, Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.catalog.webhooks import DeliveryRow
    from sfa_kernel.events import Event


@pytest.fixture
def bench(private: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setattr(runner_module, "back_off", lambda attempt: 0.0)
    with Studio.open(home, run_jobs=False) as studio:
        bench = Bench(studio)
        bench.runner.start()
        yield bench
        bench.runner.stop()


class Bench:
    """A library whose songs are separated and analysed by work that takes no time."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        kinds = {
            name: Kind(name, "analysis", lambda connection, job, ground: Plan({}), function, lambda *_: None)
            for name, function in {
                "download": work.succeed,
                "separate": work.succeed,
                "analyze": work.succeed,
                "autocue": work.succeed,
                "broken": work.refuse,
            }.items()
        }
        self.runner = Runner(studio.ledger, Ground(studio.storage, studio.settings), {**kinds, "webhook": WEBHOOK})

    def run(self, kind: str, *, track: Any = None) -> JobRow:
        """Let a job of a kind happen."""
        with self.studio.catalog.write() as connection:
            request = JobRequest(kind, "analysis", track and track.id, {})
            job = self.studio.ledger.enqueue(connection, request)
        return self.ended(job.id)

    def ended(self, job_id: UUID) -> JobRow:
        (job,) = self.studio.ledger.wait([job_id], timeout=TIMEOUT)
        assert job.ended_at is not None, job
        return job

    def delivered(self) -> list[DeliveryRow]:
        """All deliveries, the first first, once none waits."""
        jobs = [delivery.job_id for delivery in self.studio.webhooks.deliveries()]
        self.studio.ledger.wait(jobs, timeout=TIMEOUT)
        return list(self.studio.webhooks.deliveries())[::-1]

    @contextmanager
    def told(self, condition: Callable[[Event], bool]) -> Iterator[None]:
        """Leave the block once the library has published such an event of a job."""
        seen = threading.Event()
        with self.studio.bus.subscribe("jobs:*", lambda event: condition(event) and seen.set()):
            yield
            assert seen.wait(TIMEOUT)


# -- what is told --------------------------------------------------------------------------------------------


def test_a_song_that_was_analysed_is_told_with_a_signature_that_holds(
    studio: Studio, receiver: Receiver, tmp_path: Path
) -> None:
    webhook = studio.webhooks.add(receiver.url)
    (song,) = studio.add(write_song(tmp_path / "Abel - One.wav", seconds=4))
    (job,) = studio.run(song, stages="analyze").wait(TIMEOUT).jobs
    (message,) = receiver.received(1)
    assert message.genuine(webhook.secret)
    assert message.headers["content-type"] == "application/json"
    told = message.json
    assert (told["type"], told["attempt"], told["id"]) == ("track.analyzed", 1, message.headers["webhook-id"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(told["timestamp"])).total_seconds()) < TIMEOUT
    assert told["data"]["track"] == {"id": str(song.id), "title": "One", "artist": "Abel"}
    assert (told["data"]["job"]["id"], told["data"]["job"]["status"]) == (str(job.id), "completed")
    (delivery,) = studio.webhooks.deliveries()
    assert str(delivery.id) == told["id"]


def test_each_event_has_its_name_and_other_work_is_not_told(bench: Bench, receiver: Receiver) -> None:
    bench.studio.webhooks.add(receiver.url)
    for kind in ("download", "separate", "autocue", "analyze", "broken"):
        bench.run(kind)
    bench.delivered()
    told = {message.json["type"]: message.json["data"]["job"] for message in receiver.messages}
    assert set(told) == set(EVENTS)
    assert len(receiver.messages) == len(EVENTS)
    assert told["job.failed"]["error"] == "This file holds no sound. Add another file."


def test_a_webhook_hears_only_of_what_it_asked_for(bench: Bench, receiver: Receiver) -> None:
    with Receiver() as other:
        bench.studio.webhooks.add(receiver.url, events="job.failed")
        bench.studio.webhooks.add(other.url, events=["track.analyzed", "track.processed"])
        for kind in ("analyze", "broken"):
            bench.run(kind)
        bench.delivered()
        assert [message.json["type"] for message in receiver.messages] == ["job.failed"]
        assert [message.json["type"] for message in other.messages] == ["track.analyzed"]


def test_nobody_is_told_of_a_job_that_was_cancelled(bench: Bench, receiver: Receiver) -> None:
    bench.studio.webhooks.add(receiver.url)
    with bench.studio.catalog.write() as connection:
        job = bench.studio.ledger.enqueue(connection, JobRequest("analyze", "analysis", None, {}, delay=3600))
    bench.studio.ledger.cancel([job.id])
    assert len(bench.studio.webhooks.deliveries()) == 0


# -- how often -----------------------------------------------------------------------------------------------


def test_a_failed_attempt_is_followed_by_another_with_the_same_id(bench: Bench) -> None:
    with Receiver(500, 200) as receiver:
        webhook = bench.studio.webhooks.add(receiver.url)
        bench.run("analyze")
        (delivery,) = bench.delivered()
        first, second = receiver.messages
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(delivery.id)
    assert [message.json["attempt"] for message in (first, second)] == [1, 2]
    assert second.genuine(webhook.secret)
    assert (delivery.status, delivery.delivered_at is not None) == ("delivered", True)
    assert [(a.number, a.response_status, a.error) for a in delivery.attempts] == [
        (1, 500, "The receiver answered 500 Internal Server Error."),
        (2, 200, None),
    ]
    assert all(0 < attempt.seconds < TIMEOUT for attempt in delivery.attempts)


def test_after_five_attempts_a_message_is_given_up_and_nobody_is_told_of_that(bench: Bench) -> None:
    with Receiver(503) as receiver:
        bench.studio.webhooks.add(receiver.url)
        bench.run("analyze")
        (delivery,) = bench.delivered()
        assert delivery.status == "failed"
        assert [attempt.response_status for attempt in delivery.attempts] == [503] * 5
        assert len({message.headers["webhook-id"] for message in receiver.messages}) == 1
        assert len(receiver.messages) == 5


def test_a_receiver_that_is_gone_is_told_nothing_more_until_it_is_added_again(bench: Bench) -> None:
    with Receiver(410, 204) as receiver:
        webhook = bench.studio.webhooks.add(receiver.url)
        bench.run("analyze")
        (delivery,) = bench.delivered()
        assert (delivery.status, [a.response_status for a in delivery.attempts]) == ("failed", [410])
        assert [w.active for w in bench.studio.webhooks] == [False]
        bench.run("analyze")
        assert len(bench.studio.webhooks.deliveries()) == 1
        again = bench.studio.webhooks.add(receiver.url)
        assert (again.id, again.secret, again.active) == (webhook.id, webhook.secret, True)
        bench.run("analyze")
        assert [delivery.status for delivery in bench.delivered()] == ["failed", "delivered"]


def test_a_receiver_that_asks_for_patience_gets_it(bench: Bench) -> None:
    with Receiver((429, {"retry-after": "600"})) as receiver:
        webhook = bench.studio.webhooks.add(receiver.url)
        with bench.told(
            lambda e: e.data["kind"] == "webhook" and e.data["status"] == "queued" and e.data["attempt"] == 1
        ):
            bench.run("analyze")
        (delivery,) = bench.studio.webhooks.deliveries()
        assert (delivery.status, [a.response_status for a in delivery.attempts]) == ("waiting", [429])
        assert delivery.next_at is not None
        assert (delivery.next_at - datetime.now(UTC)).total_seconds() == pytest.approx(600, abs=TIMEOUT)
        bench.studio.webhooks.remove(webhook.id)
        assert bench.ended(delivery.job_id).status == "cancelled"


def test_nobody_answers_in_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_kind, "TIMEOUT", 0.5)
    answer = threading.Event()
    with Receiver(before=answer) as receiver:
        webhook = bench.studio.webhooks.add(receiver.url)
        delivery = bench.studio.webhooks.test(webhook.id, timeout=TIMEOUT)
        answer.set()
    assert delivery.status == "failed"
    assert [(a.response_status, "did not answer within 0.5 s" in str(a.error)) for a in delivery.attempts] == [
        (None, True)
    ]


def test_a_ping_says_whether_the_receiver_answers(bench: Bench) -> None:
    with Receiver(204, 404) as receiver:
        webhook = bench.studio.webhooks.add(receiver.url, events="job.failed")
        assert bench.studio.webhooks.test(str(webhook.id)[:8], timeout=TIMEOUT).status == "delivered"
        refused = bench.studio.webhooks.test(webhook.id, timeout=TIMEOUT)
        assert (refused.status, refused.attempts[0].error) == ("failed", "The receiver answered 404 Not Found.")
        assert [message.json["type"] for message in receiver.messages] == ["ping", "ping"]


def test_a_message_can_be_sent_again_under_its_id(bench: Bench) -> None:
    with Receiver(204, 404, 200) as receiver:
        bench.studio.webhooks.add(receiver.url)
        bench.run("analyze")
        (delivery,) = bench.delivered()
        for _ in range(2):
            bench.studio.webhooks.redeliver(delivery.id)
            bench.delivered()
        assert [message.json["attempt"] for message in receiver.messages] == [1, 2, 3]
        assert {message.headers["webhook-id"] for message in receiver.messages} == {str(delivery.id)}
        (delivery,) = bench.delivered()
        assert [attempt.response_status for attempt in delivery.attempts] == [204, 404, 200]


def test_a_message_that_waits_is_not_queued_twice(private: None, home: Path, receiver: Receiver) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        webhook = studio.webhooks.add(receiver.url)
        delivery = studio.webhooks.test(webhook.id, timeout=0)
        assert studio.webhooks.redeliver(delivery.id).job_id == delivery.job_id
        assert len(studio.jobs) == 1


# -- safety --------------------------------------------------------------------------------------------------


def test_a_private_address_is_refused_when_it_is_registered(home: Path, receiver: Receiver) -> None:
    with Studio.open(home, run_jobs=False) as studio, pytest.raises(ParameterError, match="set webhooks_private"):
        studio.webhooks.add(receiver.url)


def test_a_private_address_is_refused_when_it_is_called(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("SFA_WEBHOOKS_PRIVATE", "1")
        with Studio.open(home, run_jobs=False) as studio:
            webhook = studio.webhooks.add(receiver.url)
        monkeypatch.setenv("SFA_WEBHOOKS_PRIVATE", "0")
        with Studio.open(home) as studio:
            delivery = studio.webhooks.test(webhook.id, timeout=TIMEOUT)
        assert delivery.status == "failed"
        assert "127.0.0.1 is no address of the public internet" in str(delivery.attempts[0].error)
        assert receiver.messages == []


def test_secrets_are_in_no_file_but_the_key(bench: Bench) -> None:
    with Receiver(500, 200) as receiver:
        webhook = bench.studio.webhooks.add(receiver.url)
        bench.run("analyze")
        bench.delivered()
    bench.runner.stop()
    key = (bench.studio.home / "webhooks.key").read_text().strip()
    secret = webhook.secret.removeprefix("whsec_")
    files = [path for path in bench.studio.home.rglob("*") if path.is_file() and path.name != "webhooks.key"]
    contents = {path: path.read_bytes() for path in files}
    assert [p for p, content in contents.items() if secret.encode() in content or key.encode() in content] == []
    tables = [row["name"] for row in bench.studio.sql("SHOW TABLES")]
    rows = repr([bench.studio.sql(f"SELECT * FROM {name}") for name in tables])  # noqa: S608 - our own names
    assert str(webhook.id) in rows
    assert secret not in rows
    assert key not in rows
    assert webhook.secret not in repr(webhook) + repr(bench.studio.webhooks) + bench.studio.webhooks._repr_html_()


def test_a_backup_holds_the_webhooks_but_not_what_signs_for_them(private: None, home: Path, tmp_path: Path) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        webhook = studio.webhooks.add("http://127.0.0.1:9/hooks")
        secret, key = webhook.secret, home / "webhooks.key"
    backup(home, tmp_path / "backup.zip")
    content = (tmp_path / "backup.zip").read_bytes()  # not compressed
    assert secret.removeprefix("whsec_").encode() not in content
    assert key.read_bytes().strip() not in content
    restore(tmp_path / "backup.zip", tmp_path / "restored")
    with Studio.open(tmp_path / "restored", run_jobs=False) as restored:
        (again,) = restored.webhooks
        assert (again.id, again.url) == (webhook.id, webhook.url)
        with pytest.raises(SetupError, match=r"Put webhooks\.key back"):
            _ = again.secret
        shutil.copy(key, tmp_path / "restored")
        assert again.secret == secret


def crash(home: Path, moment: str) -> None:
    crashed = subprocess.run([sys.executable, "-m", "tests.webhooks.crash", str(home), moment], check=False)
    assert crashed.returncode == -signal.SIGKILL


def test_a_crash_before_the_commit_leaves_neither_message_nor_job(
    private: None, home: Path, receiver: Receiver
) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        studio.webhooks.add(receiver.url)
        crash(home, "before")
        assert [(job.kind, job.status) for job in studio.ledger.jobs()] == [("analyze", "processing")]
        assert len(studio.webhooks.deliveries()) == 0


def test_a_crash_after_the_commit_loses_no_message_and_makes_none_twice(
    private: None, home: Path, receiver: Receiver
) -> None:
    with Studio.open(home, run_jobs=False) as studio:
        webhook = studio.webhooks.add(receiver.url)
        crash(home, "after")
        (delivery,) = studio.webhooks.deliveries()
        assert [job.id for job in studio.ledger.jobs(kind="webhook")] == [delivery.job_id]
        studio.work()
        (job,) = studio.ledger.wait([delivery.job_id], timeout=TIMEOUT)
        assert job.status == "completed"
        (message,) = receiver.messages
        assert message.genuine(webhook.secret)


# -- the list ------------------------------------------------------------------------------------------------


def test_webhooks_are_listed_changed_and_removed(bench: Bench, receiver: Receiver) -> None:
    webhooks = bench.studio.webhooks
    first = webhooks.add(receiver.url, events="job.failed")
    second = webhooks.add(f"{receiver.url}/other")
    changed = webhooks.add(receiver.url, events=["track.analyzed"])
    assert (changed.id, changed.events) == (first.id, ("track.analyzed",))
    assert [w.url for w in webhooks] == [receiver.url, f"{receiver.url}/other"]
    assert len(webhooks) == 2
    bench.run("analyze")
    bench.delivered()
    webhooks.remove(second.id)
    assert [w.id for w in webhooks.list()] == [first.id]
    assert [d.webhook_id for d in webhooks.deliveries()] == [first.id]
    assert [d.webhook_id for d in webhooks.deliveries(first.id)] == [first.id]
    for unknown in (second.id, "", "zzz"):
        with pytest.raises(NotFoundError, match=r"no webhook|more than one"):
            webhooks.remove(unknown)


def test_the_history_outlives_its_jobs_and_is_forgotten_in_the_end(bench: Bench, receiver: Receiver) -> None:
    bench.studio.webhooks.add(receiver.url)
    bench.run("analyze")
    bench.delivered()
    with bench.studio.catalog.write() as connection:
        assert table.prune(connection, 0) == 0, "a delivery was forgotten before its job"
    bench.studio.ledger.prune(0)
    (delivery,) = bench.studio.webhooks.deliveries()
    assert (delivery.status, len(delivery.attempts)) == ("delivered", 1)
    with bench.studio.catalog.write() as connection:
        assert table.prune(connection, 1) == 0
        assert table.prune(connection, 0) == 1
    assert len(bench.studio.webhooks.deliveries()) == 0
    assert bench.studio.sql("SELECT * FROM delivery_attempts") == []


def test_an_unknown_event_is_refused_with_those_there_are(bench: Bench, receiver: Receiver) -> None:
    with pytest.raises(ParameterError, match=r"no event 'track\.sold'\. Choose from track\.downloaded"):
        bench.studio.webhooks.add(receiver.url, events="track.sold")
    with pytest.raises(ParameterError, match="No event is named"):
        bench.studio.webhooks.add(receiver.url, events=[])


def test_the_history_is_a_table_in_which_urls_are_text(bench: Bench) -> None:
    with Receiver(404) as receiver:
        webhook = bench.studio.webhooks.add(f"{receiver.url}?a='<b>")
        bench.studio.webhooks.test(webhook.id, timeout=TIMEOUT)
    page = bench.studio.webhooks.deliveries()._repr_html_() + bench.studio.webhooks._repr_html_()
    assert "404 Not Found" in page
    assert "<b>" not in page
