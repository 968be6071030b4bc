"""Jobs: ``sfa jobs list|show|retry|cancel|pause|resume|prune``."""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import Commands, fail, name_of, open_studio, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.events import Event
    from sfa_kernel.studio import Studio

__all__ = ["brief", "define", "follow"]

LOOK_SECONDS = 1.0  # countdowns move though no event comes
REDRAW_SECONDS = 0.1


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    jobs = commands.add("jobs", _list, "list the jobs, or do something with them")
    _list_options(jobs, given=True)
    actions = Commands(jobs, "action", required=False)
    _list_options(actions.add("list", _list, "list the jobs, the newest first, below how each queue stands"))

    show = actions.add("show", _show, "everything about one job, and its log")
    show.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    show.add_argument("--follow", action="store_true", help="print its log until it ends")

    retry = actions.add("retry", _retry, "queue failed and cancelled jobs again")
    retry.add_argument("ids", nargs="*", metavar="ID")
    retry.add_argument("--failed", action="store_true", help="all that failed")

    cancel = actions.add("cancel", _cancel, "stop jobs that wait or run, and those that need them")
    cancel.add_argument("ids", nargs="*", metavar="ID")
    which = cancel.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="every one")
    which.add_argument("--queue", metavar="QUEUE", help="all of a queue")

    pause = actions.add("pause", _pause, "begin no more jobs of a batch; what is at hand is finished")
    resume = actions.add("resume", _resume, "let a paused batch go on")
    for parser in (pause, resume):
        parser.add_argument("batch", metavar="BATCH", help="its id or the beginning of it, or a job of it")

    prune = actions.add("prune", _prune, "forget jobs that ended long ago")
    prune.add_argument("--older-than", type=_days, metavar="DAYS", help="default: the setting job_retention")


def _list_options(parser: argparse.ArgumentParser, *, given: bool = False) -> None:
    def default(value: object) -> Any:
        # `sfa jobs --active list` means the same as `sfa jobs list --active`.
        return value if given else argparse.SUPPRESS

    status = parser.add_mutually_exclusive_group()
    flag = {"action": "store_true", "default": default(False)}
    status.add_argument("--active", help="only those that wait or run", **flag)
    status.add_argument("--failed", help="only those that failed", **flag)
    status.add_argument("--status", default=default(None), help="queued, downloading, processing, completed, ...")
    parser.add_argument("--queue", default=default(None), help="only those of this queue")
    parser.add_argument("--kind", default=default(None), help="only those of this kind")
    parser.add_argument("--track", default=default(None), metavar="ID", help="only those of this track")
    parser.add_argument("--limit", type=_count, default=default(100), metavar="N", help="default: 100")
    parser.add_argument("--watch", help="go on showing them until Ctrl-C", **flag)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of jobs")
    return number


def _days(text: str) -> float:
    number = float(text)
    if not 0 <= number < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days")
    return number


# -- list ----------------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from sfa_kernel.errors import ParameterError

    if options.watch and options.json:
        raise ParameterError("--watch never ends, and --json is one document.", hint="Leave out one of them.")
    with open_studio(options) as studio:
        filters = _filters(studio, options)
        if options.watch:
            _watch(studio, filters)
        elif options.json:
            jobs = studio.ledger.jobs(**filters)
            services = [{**s, "trial_at": s["trial_at"].isoformat()} for s in studio.ledger.services()]
            paused = [{**row, "paused_at": row["paused_at"].isoformat()} for row in studio.ledger.paused()]
            document = {"queues": studio.ledger.queues(), "services": services, "paused": paused}
            print_json({**document, "jobs": [_detailed(job) for job in jobs]})
        else:
            print("\n".join(_board(studio, filters)))
    return 0


def _filters(studio: Studio, options: argparse.Namespace) -> dict[str, Any]:
    from sfa_kernel.catalog.jobs import TRANSITIONS
    from sfa_kernel.errors import ParameterError

    if options.status is not None and options.status not in TRANSITIONS:
        raise ParameterError(f"There is no status {options.status!r}.", hint=f"Choose from {', '.join(TRANSITIONS)}.")
    _check_queue(studio, options.queue)
    status = "failed" if options.failed else options.status
    return {
        "active": options.active,
        "statuses": None if status is None else [status],
        "queue": options.queue,
        "kind": options.kind,
        "track_id": None if options.track is None else studio.track(options.track).id,
        "limit": options.limit,
    }


def _check_queue(studio: Studio, name: str | None) -> None:
    from sfa_kernel.errors import ParameterError

    queues = [queue["queue"] for queue in studio.ledger.queues()]
    if name is not None and name not in queues:
        raise ParameterError(f"There is no queue {name!r}.", hint=f"Choose from {', '.join(queues)}.")


def _board(studio: Studio, filters: dict[str, Any], live: Mapping[str, Event] = MappingProxyType({})) -> Iterator[str]:
    jobs = [_as_told(job, live.get(f"jobs:{job.id}")) for job in studio.ledger.jobs(**filters)]
    titles = _titles(studio, jobs)
    for queue in studio.ledger.queues():
        counts = [f"{queue[name]} {name}" for name in ("waiting", "retrying", "failed") if queue[name]]
        yield f"{queue['queue']:11} {queue['running']} of {queue['limit']} running  {', '.join(counts)}".rstrip()
    for service in studio.ledger.services():
        left = (service["trial_at"] - datetime.now(UTC)).total_seconds()
        when = f"in {_duration(left)}" if left > 0 else "now"
        yield f"{service['service']} failed {service['failures']} times and is left alone; one job tries it {when}"
    paused = studio.ledger.paused()
    for batch in paused:
        wait = "1 job waits" if batch["waiting"] == 1 else f"{batch['waiting']} jobs wait"
        yield f"batch {str(batch['batch_id'])[:8]} is paused, {wait}; `sfa jobs resume {str(batch['batch_id'])[:8]}`"
    waiting = {batch["batch_id"] for batch in paused}
    yield ""
    if not jobs:
        yield "no jobs"
    for job in jobs:
        title = titles.get(job.track_id, "") if job.track_id else ""
        remark = "paused" if job.status == "queued" and job.batch_id in waiting else _remark(job)
        yield f"{str(job.id)[:8]}  {job.kind:9} {job.status:11} {job.progress:3d} %  {title}  {remark}".rstrip()


def _as_told(job: JobRow, event: Event | None) -> JobRow:
    """The job with the progress that its worker reported last; the catalogue hears of it every few seconds."""
    if event is None or (event.data.get("status"), event.data.get("attempt")) != (job.status, job.attempt):
        return job
    return replace(job, progress=max(job.progress, int(event.data.get("progress", 0))))


def _titles(studio: Studio, jobs: Sequence[JobRow]) -> dict[UUID, str]:
    from sfa_kernel.catalog import tracks

    wanted = list({job.track_id for job in jobs if job.track_id is not None})
    with studio.catalog.read() as connection:
        return {row.id: name_of(row.title, row.artist) for row in tracks.get_many(connection, wanted)}


def _remark(job: JobRow) -> str:
    """What a list says of a job besides: when it is tried again, and why it did not work."""
    parts = [job.error or ""]
    left = (job.scheduled_at - datetime.now(UTC)).total_seconds()
    if job.status == "queued" and left > 0:
        again = f"try {job.attempt + 1}/{job.max_attempts} in " if job.attempt else "starts in "
        parts.insert(0, again + _duration(left))
    elif job.status == "queued" and job.blockers:
        parts.insert(0, f"waits for {job.blockers} {'job' if job.blockers == 1 else 'jobs'}")
    elif job.attempt > 1:
        parts.insert(0, f"try {job.attempt}/{job.max_attempts}")
    return ": ".join(part for part in parts if part)


def _duration(seconds: float) -> str:
    whole = int(seconds) + 1
    return f"{whole} s" if whole < 120 else f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"


def _watch(studio: Studio, filters: dict[str, Any]) -> None:
    live = sys.stdout.isatty()
    shown = ""
    last: dict[str, Event] = {}
    try:
        with _woken_by(studio, "jobs:*", last=last) as changed:
            while True:
                changed.clear()
                lines = list(_board(studio, filters, last))
                if live:
                    size = shutil.get_terminal_size()
                    lines = [line[: size.columns - 1] for line in lines[: size.lines - 1]]
                text = "\n".join(lines)
                if text != shown:
                    # Home, and clear what is below: without the flicker of an empty screen in between.
                    print(f"\x1b[H{text.replace(chr(10), chr(27) + '[K' + chr(10))}\x1b[J" if live else f"{text}\n")
                    sys.stdout.flush()
                    shown = text
                changed.wait(LOOK_SECONDS)
                time.sleep(REDRAW_SECONDS)
    except KeyboardInterrupt:
        return


@contextmanager
def _woken_by(studio: Studio, *topics: str, last: dict[str, Event] | None = None) -> Iterator[threading.Event]:
    """Something to wait on that is set by events; the last one of each topic goes to ``last``."""
    changed = threading.Event()

    def on_event(event: Event) -> None:
        if last is not None:
            last[event.topic] = event
        changed.set()

    subscriptions = [studio.bus.subscribe(topic, on_event) for topic in topics]
    try:
        yield changed
    finally:
        for subscription in subscriptions:
            subscription.close()


# -- show ----------------------------------------------------------------------------------------------------


def _show(options: argparse.Namespace) -> int:
    from sfa_kernel.catalog.jobs import ACTIVE
    from sfa_kernel.jobs.log import read_log

    with open_studio(options) as studio:
        job = studio.ledger.get(_resolve(studio, options.id))
        if not options.json:
            print("\n".join(_details(studio, job)))
        try:
            if options.follow:
                job = follow(studio, job.id, quiet=options.json)
        except KeyboardInterrupt:
            return 0
        if options.json or not options.follow:
            log, _ = read_log(studio.storage.path("logs"), job.id)
            if options.json:
                print_json({**_detailed(job), "log": log})
            else:
                print("\n".join(map(_log_line, log)) or "  nothing was logged")
    if options.follow and job.status not in ("completed", *ACTIVE):
        return fail(f"The job {job.status}: {job.error}")
    return 0


def follow(studio: Studio, job_id: UUID, *, quiet: bool = False) -> JobRow:
    """Print what a job logs until it has ended; returns it as it stands then."""
    from sfa_kernel.catalog.jobs import ACTIVE
    from sfa_kernel.jobs.log import read_log

    offset = 0
    with _woken_by(studio, f"jobs:{job_id}", f"log:{job_id}") as changed:
        while True:
            changed.clear()
            job = studio.ledger.get(job_id)  # before its log: what an ended job said is all there
            records, offset = read_log(studio.storage.path("logs"), job_id, offset)
            if not quiet:
                for record in records:
                    print(_log_line(record), flush=True)
            if job.status not in ACTIVE:
                return job
            changed.wait(LOOK_SECONDS)


def _details(studio: Studio, job: JobRow) -> Iterator[str]:
    title = _titles(studio, [job]).get(job.track_id, "a removed track") if job.track_id else ""
    yield f"{job.kind} of {title}" if title else job.kind
    times = {name: getattr(job, f"{name}_at") for name in ("created", "scheduled", "started", "ended")}
    for label, value in {
        "id": job.id,
        "status": f"{job.status}, {job.progress} %",
        "queue": f"{job.queue}, priority {job.priority}",
        "attempt": f"{job.attempt} of {job.max_attempts}",
        "track": job.track_id,
        "batch": job.batch_id,
        "service": job.service,
        "runs in": job.holder,
        "remark": _remark(job),
        "arguments": ", ".join(f"{name}={value!r}" for name, value in job.arguments.items()),
        "needs": ", ".join(str(need)[:8] for need in job.needs),
        **{label: at and f"{at:%Y-%m-%d %H:%M:%S} UTC" for label, at in times.items()},
    }.items():
        if value:
            yield f"  {label:9} {value}"


def _log_line(record: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(record["time"], UTC)
    return f"  {at:%H:%M:%S}  try {record['attempt']}  {record['level']:7} {record['text']}"


# -- change --------------------------------------------------------------------------------------------------


def _retry(options: argparse.Namespace) -> int:
    from sfa_kernel.errors import ParameterError, TransitionError

    if bool(options.ids) == options.failed:
        raise ParameterError("Say which jobs to try again.", hint="Name some, or write --failed.")
    with open_studio(options) as studio:
        if options.failed:
            ids = [job.id for job in studio.ledger.jobs(statuses=["failed"], limit=1_000_000)]
        else:
            ids = [_resolve(studio, text) for text in options.ids]
        try:
            changed = studio.ledger.retry(ids)
        except TransitionError:
            if not options.failed:
                raise
            changed = []  # whatever failed has been done since
    return _changed(options, changed, [] if options.failed else ids, "it has not failed, or another job does its work")


def _cancel(options: argparse.Namespace) -> int:
    from sfa_kernel.errors import ParameterError

    several = options.all or options.queue is not None
    if bool(options.ids) == several:
        raise ParameterError("Say which jobs to cancel.", hint="Name some, or write --all or --queue QUEUE.")
    with open_studio(options) as studio:
        _check_queue(studio, options.queue)
        ids = [_resolve(studio, text) for text in options.ids]
        changed = studio.ledger.cancel_all(options.queue) if several else studio.ledger.cancel(ids)
    return _changed(options, changed, ids, "it neither waits nor runs")


def _changed(options: argparse.Namespace, changed: Sequence[JobRow], named: Sequence[UUID], why: str) -> int:
    """Report the jobs that changed; one that was named and did not is an error."""
    if options.json:
        print_json({"jobs": [_detailed(job) for job in changed]})
    else:
        for job in changed:
            print(f"{str(job.id)[:8]}  {job.kind:9} {job.status}")
        if not changed and not named:
            print("no jobs")
    left = [job_id for job_id in named if job_id not in {job.id for job in changed}]
    for job_id in left:
        fail(f"Job {str(job_id)[:8]} stays as it is: {why}.")
    return 1 if left else 0


def _pause(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        batch_id = _resolve_batch(studio, options.batch)
        studio.ledger.pause(batch_id)
        return _told_pause(options, studio, batch_id)


def _resume(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        batch_id = _resolve_batch(studio, options.batch)
        studio.ledger.resume(batch_id)
        return _told_pause(options, studio, batch_id)


def _told_pause(options: argparse.Namespace, studio: Studio, batch_id: UUID) -> int:
    waiting = {row["batch_id"]: row["waiting"] for row in studio.ledger.paused()}
    if options.json:
        print_json({"batch": batch_id, "paused": batch_id in waiting, "waiting": waiting.get(batch_id)})
    elif batch_id in waiting:
        print(f"batch {str(batch_id)[:8]} is paused; jobs that wait: {waiting[batch_id]}")
    else:
        print(f"batch {str(batch_id)[:8]} goes on")
    return 0


def _resolve_batch(studio: Studio, text: str) -> UUID:
    """A batch's id from the unambiguous beginning of it, or of one of its jobs."""
    from sfa_kernel.errors import NotFoundError

    found = studio.sql(
        "SELECT DISTINCT batch_id FROM jobs WHERE batch_id IS NOT NULL "
        "AND (starts_with(batch_id::VARCHAR, $1) OR starts_with(id::VARCHAR, $1)) LIMIT 2",
        [text.lower()],
    )
    if len(found) != 1 or not text:
        many = "Several batches have" if found else "No batch has"
        hint = "`sfa jobs show JOB` says which batch a job belongs to."
        raise NotFoundError(f"{many} an id, or a job with an id, that begins with {text!r}.", hint=hint)
    batch_id: UUID = found[0]["batch_id"]
    return batch_id


def _prune(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        days = studio.settings.job_retention if options.older_than is None else options.older_than
        pruned = studio.ledger.prune(days)
    if options.json:
        print_json({"pruned": pruned, "older_than_days": days})
    else:
        print(f"{pruned} jobs that ended more than {days:g} days ago were forgotten")
    return 0


# -- shapes --------------------------------------------------------------------------------------------------


def brief(job: JobRow) -> dict[str, Any]:
    """What a command that runs jobs says of each."""
    return {
        "id": job.id,
        "kind": job.kind,
        "track_id": job.track_id,
        "status": job.status,
        "progress": job.progress,
        "attempt": job.attempt,
        "error": job.error,
    }


def _detailed(job: JobRow) -> dict[str, Any]:
    times = {name: getattr(job, name) for name in ("created_at", "scheduled_at", "started_at", "ended_at")}
    return {
        **brief(job),
        "queue": job.queue,
        "max_attempts": job.max_attempts,
        "priority": job.priority,
        "batch_id": job.batch_id,
        "service": job.service,
        "needs": job.needs,
        "arguments": job.arguments,
        "holder": job.holder,
        **{name: at and at.isoformat() for name, at in times.items()},
    }


def _resolve(studio: Studio, text: str) -> UUID:
    """A job's id from the unambiguous beginning of it."""
    from sfa_kernel.errors import NotFoundError

    found = studio.sql("SELECT id FROM jobs WHERE starts_with(id::VARCHAR, ?) LIMIT 2", [text.lower()])
    if len(found) != 1 or not text:
        many = "Several jobs have" if found else "No job has"
        raise NotFoundError(f"{many} an id that begins with {text!r}.", hint="`sfa jobs` lists them.")
    job_id: UUID = found[0]["id"]
    return job_id
