"""The ledger beside a model of it in plain Python: whatever happens, in whatever order, the two agree.

Hypothesis makes up what happens. `make test` sees the same few hundred steps each time; a soak makes up new ones:

    HYPOTHESIS_PROFILE=soak pytest tests/jobs/test_model.py
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from sfa_kernel.catalog import Catalog, breakers
from sfa_kernel.catalog import jobs as table
from sfa_kernel.errors import TransitionError
from sfa_kernel.events import EventBus
from sfa_kernel.jobs import JobRequest, Ledger
from sfa_kernel.jobs.ledger import CANCELLED, NEEDED_FAILED
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow

ALWAYS = settings(deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile(
    "quick", ALWAYS, max_examples=25, stateful_step_count=25, derandomize=True, database=None, print_blob=False
)
EXAMPLES = int(os.environ.get("SFA_MODEL_EXAMPLES", "500"))
settings.register_profile("soak", ALWAYS, max_examples=EXAMPLES, stateful_step_count=60)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")

LIMITS = {"download": 2, "analysis": 1}
KINDS = {"fetch": "downloading", "work": "processing"}  # "other" is nobody's
TRACKS = [uuid4(), uuid4()]
BATCHES = [uuid4(), uuid4()]
HOLDERS = ["one:1:1", "two:2:2"]
PAUSE = 100  # all times of the model are multiples of this [s]; what an example takes is less


@dataclass
class Job:
    """What the model knows of a job; times by the model's own clock [s]."""

    id: UUID
    number: int  # in the order of their making
    request: JobRequest
    needs: list[UUID]
    created: int
    ready: int
    status: str = "queued"
    attempt: int = 0
    max_attempts: int = 3
    progress: int = 0
    holder: str | None = None
    error: str | None = None
    heard: int = 0
    ended: int | None = None

    @property
    def key(self) -> str | None:
        return self.request.unique_key

    @property
    def order(self) -> tuple[int, int]:
        return self.request.priority, self.number

    def event(self) -> dict[str, Any]:
        shown = ("status", "progress", "attempt", "max_attempts", "error")
        return {"id": str(self.id), **{name: getattr(self, name) for name in shown}}


@dataclass
class Model:
    """The ledger's rules, told once more."""

    jobs: dict[UUID, Job] = field(default_factory=dict)
    breakers: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    paused: set[UUID] = field(default_factory=set)  # batches
    events: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    clock: int = 0
    numbers: Iterable[int] = field(default_factory=count)

    # -- asking ----------------------------------------------------------------------------------------------

    def active(self, **same: Any) -> list[Job]:
        return [
            job
            for job in self.jobs.values()
            if job.status in table.ACTIVE and all(getattr(job.request, name) == value for name, value in same.items())
        ]

    def blockers(self, job: Job) -> int:
        return sum(self.jobs[need].status != "completed" for need in set(job.needs) if need in self.jobs)

    def current(self, row: JobRow) -> Job | None:
        """The job, if it still is what the writer of ``row`` believes."""
        job = self.jobs.get(row.id)
        return job if job is not None and (job.status, job.attempt) == (row.status, row.attempt) else None

    def same_work(self, request: JobRequest) -> Job | None:
        if request.unique_key is None:
            return None
        found = self.active(unique_key=request.unique_key) or [
            job
            for job in sorted(self.jobs.values(), key=lambda job: -job.number)
            if job.key == request.unique_key
            and job.status == "completed"
            and self.clock - job.created < request.unique_for
        ]
        return found[0] if found else None

    # -- changing --------------------------------------------------------------------------------------------

    def enqueue(self, job_id: UUID, request: JobRequest) -> Job:
        same = self.same_work(request)
        if same is not None:
            return same
        job = Job(
            job_id,
            next(iter(self.numbers)),
            request,
            list(request.needs),
            created=self.clock,
            ready=self.clock + int(request.delay),
            max_attempts=request.max_attempts,
        )
        self.jobs[job_id] = job
        self.tell([job])
        return job

    def claim(self, kinds: Iterable[str], holder: str, only: Sequence[UUID] | None) -> list[Job]:
        claimed: list[Job] = []
        tried: set[str] = set()
        for queue, limit in LIMITS.items():
            free = limit - sum(job.status != "queued" for job in self.active(queue=queue))
            ready = [
                job
                for job in sorted(self.active(queue=queue), key=lambda job: job.order)
                if job.status == "queued" and job.ready <= self.clock and not self.blockers(job)
                if job.request.kind in kinds and (only is None or job.id in only)
                if job.request.batch_id not in self.paused
            ]
            for job in ready:
                if free <= 0:
                    break
                service = job.request.service
                if service is not None and self.is_open(service):
                    if service in tried or not self.may_be_tried(service):
                        continue
                    tried.add(service)
                claimed.append(job)
                free -= 1
        claimed.sort(key=lambda job: table.RUNNING.index(KINDS[job.request.kind]))
        for job in claimed:
            job.status, job.attempt, job.progress = KINDS[job.request.kind], job.attempt + 1, 0
            job.holder, job.error, job.heard = holder, None, self.clock
        self.tell(claimed)
        return claimed

    def is_open(self, service: str) -> bool:
        return self.breakers.get(service, (0, None))[1] is not None

    def may_be_tried(self, service: str) -> bool:
        opened = self.breakers[service][1]
        return (
            opened is not None
            and self.clock - opened >= breakers.PAUSE_SECONDS
            and not any(job.status in table.RUNNING for job in self.active(service=service))
        )

    def fail_service(self, service: str) -> None:
        failures = self.breakers.get(service, (0, None))[0] + 1
        self.breakers[service] = failures, self.clock if failures >= breakers.FAILURES else None

    def end(self, jobs: list[Job], status: str, error: str | None) -> list[Job]:
        """End jobs, and with them those that wait for them and now do so in vain."""
        for job in jobs:
            job.status, job.holder, job.error, job.ended = status, None, error, self.clock
            if status == "completed":
                job.progress = 100
                self.breakers.pop(job.request.service or "", None)
        changed, ended = list(jobs), jobs
        while ended and status != "completed":
            ids = {job.id for job in ended}
            ended = [job for job in self.jobs.values() if job.status == "queued" and ids.intersection(job.needs)]
            for job in ended:
                job.status, job.error, job.ended = "cancelled", NEEDED_FAILED, self.clock
            changed += ended
        self.tell(changed)
        for topic, jobs_of in (("pipeline", "track_id"), ("batch", "batch_id")):
            for one in {getattr(job.request, jobs_of) for job in changed} - {None}:
                if not self.active(**{jobs_of: one}):
                    self.paused.discard(one)
                    self.events[f"{topic}:{one}"].append({})
        return changed

    def requeue(self, job: Job, error: str | None, delay: int, more_attempts: int) -> None:
        job.status, job.holder, job.error, job.progress = "queued", None, error, 0
        job.ready, job.max_attempts = self.clock + delay, job.max_attempts + more_attempts
        self.tell([job])

    def retry(self, ids: Sequence[UUID]) -> list[Job]:
        found: dict[UUID, Job] = {}

        def take(job: Job | None) -> None:
            if job is None or job.id in found or job.status not in ("failed", "cancelled"):
                return
            found[job.id] = job
            for need in job.needs:
                take(self.jobs.get(need))
            for other in self.jobs.values():
                if job.id in other.needs and other.status == "cancelled" and other.error == NEEDED_FAILED:
                    take(other)

        for job_id in ids:
            take(self.jobs.get(job_id))
        does: dict[UUID, UUID] = {}
        for job in found.values():
            same = [other for other in found.values() if other is job or (job.key and other.key == job.key)]
            active = self.active(unique_key=job.key) if job.key else []
            does[job.id] = active[0].id if active else max(same, key=lambda other: other.number).id
        again = [job for job in found.values() if does[job.id] == job.id]
        for job in again:
            job.status, job.error, job.progress, job.ended = "queued", None, 0, None
            job.ready, job.max_attempts = self.clock, job.attempt + 3
            job.needs = list(dict.fromkeys(does.get(need, need) for need in job.needs))
        self.tell(again)
        return again

    def prune(self, seconds: float) -> list[UUID]:
        needed = {need for job in self.active() for need in job.needs}
        old = [
            job.id
            for job in self.jobs.values()
            if job.ended is not None and self.clock - job.ended >= seconds and job.id not in needed
        ]
        for job_id in old:
            del self.jobs[job_id]
        if old:
            self.events["jobs"].append({"forgotten": len(old)})
        return old

    def tell(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            self.events[f"jobs:{job.id}"].append(job.event())


class Abandoned(Exception):  # noqa: N818 - what a test does, no error
    """A transaction that is not committed."""


REQUESTS = st.builds(
    JobRequest,
    kind=st.sampled_from(["fetch", "work", "work", "other"]),
    queue=st.sampled_from(list(LIMITS)),
    track_id=st.sampled_from([None, *TRACKS]),
    arguments=st.just({"text": "ü"}),
    unique_key=st.sampled_from([None, None, "a", "b"]),
    unique_for=st.sampled_from([0.0, 300.0]),
    priority=st.sampled_from([1, 5]),
    service=st.sampled_from([None, None, "tube"]),
    delay=st.sampled_from([0.0, 0.0, float(PAUSE)]),
    batch_id=st.sampled_from([None, *BATCHES]),
)


class LedgerMachine(RuleBasedStateMachine):
    """Does the same to the ledgers of several processes, as far as one can tell, and to the model."""

    def __init__(self, catalogs: Sequence[Catalog], folder: Path) -> None:
        super().__init__()
        self.folder = folder / uuid4().hex
        self.folder.mkdir()
        self.ledgers = [Ledger(catalog, EventBus(self.folder), limits=LIMITS) for catalog in catalogs]
        self.model = Model()
        self.attempts: list[JobRow] = []  # all that ever began, alive or dead
        with catalogs[0].write() as connection:
            for name in ("jobs", "breakers", "paused_batches"):
                connection.execute(f"DELETE FROM {name}")  # noqa: S608 - our own names

    def ledger(self, data: st.DataObject) -> Ledger:
        return self.ledgers[data.draw(st.sampled_from([0, 0, 0, 1]), label="ledger")]

    def some_jobs(self, data: st.DataObject, *, most: int = 3) -> list[UUID]:
        """Some jobs, which need not be there any more."""
        known = sorted(self.model.jobs.values(), key=lambda job: job.number)
        ids = [job.id for job in known[-12:]]
        return data.draw(st.lists(st.sampled_from(ids), max_size=most), label="jobs") if ids else []

    def some_attempts(self, data: st.DataObject, *, least: int = 1, most: int = 1) -> list[JobRow]:
        """Attempts that began at some time, as their holders know them; mostly the newest."""
        places = st.integers(1, min(8, len(self.attempts)))
        chosen = data.draw(st.lists(places, min_size=least, max_size=most, unique=True), label="attempts")
        return [self.attempts[-place] for place in chosen]

    # -- what may happen -------------------------------------------------------------------------------------

    @rule(data=st.data(), requests=st.lists(REQUESTS, min_size=1, max_size=3))
    def enqueue(self, data: st.DataObject, requests: list[JobRequest]) -> None:
        requests = [replace(request, needs=self.some_jobs(data, most=2)) for request in requests]
        ledger = self.ledger(data)
        with ledger.catalog.write() as connection:
            self._enqueue(ledger, connection, requests)

    def _enqueue(self, ledger: Ledger, connection: Connection, requests: Sequence[JobRequest]) -> None:
        for request, row in zip(requests, ledger.enqueue_all(connection, requests), strict=True):
            assert self.model.enqueue(row.id, request).id == row.id

    @rule(
        data=st.data(),
        holder=st.sampled_from(HOLDERS),
        kinds=st.sampled_from([("fetch", "work"), ("work", "fetch"), ("work",)]),
        choosy=st.sampled_from([False, False, False, True]),
    )
    def claim(self, data: st.DataObject, holder: str, kinds: Sequence[str], choosy: bool) -> None:
        ledger = self.ledger(data)
        only = self.some_jobs(data) if choosy else None
        with ledger.catalog.write() as connection:
            self._claim(ledger, connection, kinds, holder, only)

    def _claim(
        self, ledger: Ledger, connection: Connection, kinds: Iterable[str], holder: str, only: Sequence[UUID] | None
    ) -> None:
        claimed = ledger.claim(connection, {kind: KINDS[kind] for kind in kinds}, holder=holder, only=only)
        assert [row.id for row in claimed] == [job.id for job in self.model.claim(kinds, holder, only)]
        self.attempts += claimed

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), progress=st.integers(-5, 120))
    def beat(self, data: st.DataObject, progress: int) -> None:
        rows = self.some_attempts(data, most=3)
        with self.ledger(data).catalog.write() as connection:
            alive = table.beat(connection, rows, [progress] * len(rows))
        expected = [job for row in rows if (job := self.model.current(row)) is not None]
        assert sorted(alive) == sorted((job.id, job.attempt) for job in expected)
        for job in expected:
            job.progress, job.heard = min(100, max(job.progress, progress)), self.model.clock

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), holder=st.sampled_from(HOLDERS), follow_ups=st.lists(REQUESTS, max_size=1))
    def settle_and_claim(self, data: st.DataObject, holder: str, follow_ups: list[JobRequest]) -> None:
        """As a runner does: complete a group, keep its results, take the next, all in one transaction."""
        rows = self.some_attempts(data, most=3)
        ledger = self.ledger(data)
        with ledger.catalog.write() as connection:
            done = ledger.complete(connection, rows)
            expected = [job for row in rows if (job := self.model.current(row)) is not None]
            assert [row.id for row in done] == [job.id for job in expected]
            self.model.end(expected, "completed", None)
            self._enqueue(ledger, connection, follow_ups)
            # What is queued here is ready a moment later, in the next transaction.
            for request in follow_ups:
                same = self.model.same_work(request)
                assert request.unique_key is None or same is not None
            fresh = [job.id for job in self.model.jobs.values() if job.attempt == 0 and job.created == self.model.clock]
            only = [job_id for job_id in self.model.jobs if job_id not in fresh]
            self._claim(ledger, connection, KINDS, holder, only)

    @precondition(lambda self: self.attempts)
    @rule(data=st.data(), service_failed=st.booleans())
    def fail(self, data: st.DataObject, service_failed: bool) -> None:
        (row,) = self.some_attempts(data)
        ledger = self.ledger(data)
        with ledger.catalog.write() as connection:
            ended = ledger.end(connection, row, "failed", "no")
            if ended and service_failed and row.service is not None:
                breakers.failed(connection, row.service)
        job = self.model.current(row)
        assert {row.id for row in ended} == (
            {job.id for job in self.model.end([job], "failed", "no")} if job else set()
        )
        if job and service_failed and row.service is not None:
            self.model.fail_service(row.service)

    @precondition(lambda self: self.attempts)
    @rule(
        data=st.data(),
        delay=st.sampled_from([0, 0, PAUSE]),
        more_attempts=st.integers(0, 1),
        service_failed=st.booleans(),
    )
    def requeue(self, data: st.DataObject, delay: int, more_attempts: int, service_failed: bool) -> None:
        (row,) = self.some_attempts(data)
        ledger = self.ledger(data)
        with ledger.catalog.write() as connection:
            changed = ledger.requeue(connection, row, "later", delay=delay, more_attempts=more_attempts)
            if changed and service_failed and row.service is not None:
                breakers.failed(connection, row.service)
        job = self.model.current(row)
        assert len(changed) == (job is not None)
        if job is not None:
            self.model.requeue(job, "later", delay, more_attempts)
            if service_failed and row.service is not None:
                self.model.fail_service(row.service)

    @rule(data=st.data(), batch=st.sampled_from(BATCHES))
    def pause(self, data: st.DataObject, batch: UUID) -> None:
        try:
            self.ledger(data).pause(batch)
        except TransitionError:
            assert not self.model.active(batch_id=batch)
        else:
            assert self.model.active(batch_id=batch)
            if batch in self.model.paused:
                return
            self.model.paused.add(batch)
            self.model.events[f"batch:{batch}"].append({"paused": True})
            self.model.events["jobs"].append({"paused": str(batch)})

    @rule(data=st.data(), batch=st.sampled_from(BATCHES))
    def resume(self, data: st.DataObject, batch: UUID) -> None:
        self.ledger(data).resume(batch)
        if batch in self.model.paused:
            self.model.paused.discard(batch)
            self.model.events[f"batch:{batch}"].append({"paused": False})
            self.model.events["jobs"].append({"resumed": str(batch)})

    @rule(data=st.data())
    def a_service_fails_often(self, data: st.DataObject) -> None:
        with self.ledger(data).catalog.write() as connection:
            for _ in range(4):
                breakers.failed(connection, "tube")
                self.model.fail_service("tube")

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        ids = self.some_jobs(data)
        self._cancelled(self.ledger(data).cancel(ids), [job for job in self.model.active() if job.id in ids])

    @rule(data=st.data(), queue=st.sampled_from([None, *LIMITS]))
    def cancel_all(self, data: st.DataObject, queue: str | None) -> None:
        jobs = self.model.active() if queue is None else self.model.active(queue=queue)
        self._cancelled(self.ledger(data).cancel_all(queue), jobs)

    def _cancelled(self, rows: Sequence[JobRow], jobs: list[Job]) -> None:
        assert {row.id for row in rows} == {job.id for job in self.model.end(jobs, "cancelled", CANCELLED)}

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        ids = self.some_jobs(data)
        again = {job.id for job in self.model.retry(ids)}
        try:
            rows = self.ledger(data).retry(ids)
        except TransitionError:
            rows = []
            assert ids
        else:
            assert rows or not ids
        assert {row.id for row in rows} == again

    @rule(data=st.data(), seconds=st.sampled_from([0, 3 * PAUSE]))
    def prune(self, data: st.DataObject, seconds: int) -> None:
        assert self.ledger(data).prune(seconds / 86400) == len(self.model.prune(seconds))

    @rule(pauses=st.sampled_from([1, 3]))
    def time_passes(self, pauses: int) -> None:
        """Everything that has happened was so much earlier."""
        self.model.clock += pauses * PAUSE
        moments = ("created_at", "scheduled_at", "started_at", "heartbeat_at", "ended_at")
        earlier = ", ".join(f"{name} = {name} - to_seconds({pauses * PAUSE})" for name in moments)
        with self.ledgers[0].catalog.write() as connection:
            connection.execute(f"UPDATE jobs SET {earlier}")  # noqa: S608 - our own names
            connection.execute(f"UPDATE breakers SET opened_at = opened_at - to_seconds({pauses * PAUSE})")  # noqa: S608

    @rule(data=st.data())
    def rescue(self, data: st.DataObject) -> None:
        """Silent holders are found, and their jobs given back."""
        ledger = self.ledger(data)
        silent = [
            job
            for job in self.model.active()
            if job.status in table.RUNNING and self.model.clock - job.heard >= PAUSE / 2
        ]
        with ledger.catalog.write() as connection:
            rows = table.silent_since(connection, PAUSE / 2)
            assert {row.id for row in rows} == {job.id for job in silent}
            for row in rows:
                ledger.requeue(connection, row, "gone", delay=0.0)
        for row in rows:
            self.model.requeue(self.model.jobs[row.id], "gone", 0, 0)

    @rule(data=st.data(), request=REQUESTS)
    def nothing_happens(self, data: st.DataObject, request: JobRequest) -> None:
        """A transaction that is not committed leaves no trace, in the catalogue or in the journal."""
        ledger = self.ledger(data)
        rows = self.some_attempts(data, least=0, most=2) if self.attempts else []
        try:
            with ledger.catalog.write() as connection:
                ledger.enqueue(connection, request)
                ledger.complete(connection, rows)
                ledger.claim(connection, KINDS, holder="nobody:0:0")
                raise Abandoned
        except Abandoned:
            pass

    # -- what always holds -----------------------------------------------------------------------------------

    @invariant()
    def the_ledger_is_as_the_model_says(self) -> None:
        with self.ledgers[0].catalog.read() as connection:
            rows = {row.id: row for row in table.listing(connection, limit=100_000)}
        assert rows.keys() == self.model.jobs.keys()
        for job_id, job in self.model.jobs.items():
            row = rows[job_id]
            shown = ("status", "attempt", "max_attempts", "progress", "holder", "error", "needs")
            assert {name: getattr(row, name) for name in shown} == {name: getattr(job, name) for name in shown}
            if row.status in table.ACTIVE:  # of others it is counted when they are tried again
                assert row.blockers == self.model.blockers(job)
            assert (row.ended_at is not None) == (row.status not in table.ACTIVE)
            assert (row.holder is not None) == (row.status in table.RUNNING)
            assert row.status not in table.RUNNING or row.blockers == 0
            assert row.active_key == (row.unique_key if row.status in table.ACTIVE else None)
            assert isinstance(row.progress, int)
            assert 0 <= row.progress <= 100
        active = [row for row in rows.values() if row.status in table.ACTIVE]
        keys = [row.unique_key for row in active if row.unique_key is not None]
        assert len(keys) == len(set(keys))
        assert {row["batch_id"] for row in self.ledgers[0].paused()} == self.model.paused
        for queue, limit in LIMITS.items():
            assert sum(row.queue == queue and row.status in table.RUNNING for row in active) <= limit

    @invariant()
    def the_journal_tells_what_happened(self) -> None:
        told: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for path in sorted(self.folder.iterdir()):
            for line in path.read_bytes().splitlines():
                if line:
                    record = json.loads(line)
                    told[record["topic"]].append(record["data"])
        expected = {topic: events for topic, events in self.model.events.items() if events}
        assert told.keys() == expected.keys()
        for topic, events in expected.items():
            shown = [{name: data[name] for name in event} for event, data in zip(events, told[topic], strict=True)]
            assert shown == events

    def teardown(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()


def test_the_ledger_keeps_to_its_model(tmp_path: Path) -> None:
    home = Storage(tmp_path / "library").home
    catalogs = [Catalog(home), Catalog(home)]  # as two processes have them
    events = tmp_path / "events"
    events.mkdir()
    run_state_machine_as_test(partial(LedgerMachine, catalogs, events), settings=settings.get_profile(PROFILE))
    for catalog in catalogs:
        catalog.give_back()
