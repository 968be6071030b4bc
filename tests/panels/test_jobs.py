"""What the job board gets when it asks, and what it is told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sfa_kernel import Studio as NotebookStudio
from sfa_kernel.catalog import breakers, playlists, songs
from sfa_kernel.catalog import jobs as job_table
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.jobs import JobRequest
from sfa_kernel.jobs.log import JobLog
from sfa_kernel.panels import rows
from sfa_kernel.panels.jobs import job_handlers
from sfa_kernel.panels.live import MOST_ROWS, Live
from sfa_kernel.panels.news import batch_notice
from sfa_kernel.runs import Run
from sfa_kernel.sources.song import Song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.studio import Studio

TIMEOUT = 30


class Board:
    """Asks as a board does; nothing runs the jobs but the test."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.handlers = job_handlers(studio)

    def __call__(self, method: str, **params: Any) -> Any:
        return self.handlers[f"jobs.{method}"](params, [])

    def ids(self, status: str, **params: Any) -> list[UUID]:
        return [UUID(job["id"]) for job in self("list", status=status, **params)["jobs"]]

    def queue(self, queue: str = "analysis", **given: Any) -> JobRow:
        request = JobRequest(given.pop("kind", "kind"), queue, None, given.pop("arguments", {}), **given)
        with self.studio.catalog.write() as connection:
            return self.studio.ledger.enqueue(connection, request)

    def claim(self) -> list[JobRow]:
        with self.studio.catalog.write() as connection:
            return self.studio.ledger.claim(connection, {"kind": "processing"}, holder="host:1:2")

    def fail(self, job: JobRow, reason: str = "No.", *, delay: float | None = None) -> None:
        job = self.studio.ledger.get(job.id)
        with self.studio.catalog.write() as connection:
            if delay is None:
                self.studio.ledger.end(connection, job, "failed", reason)
            else:
                self.studio.ledger.requeue(connection, job, reason, delay=delay)

    def complete(self, *jobs: JobRow) -> None:
        running = self.studio.ledger.jobs([job.id for job in jobs])
        with self.studio.catalog.write() as connection:
            self.studio.ledger.complete(connection, running)


@pytest.fixture
def studio(home: Path) -> Iterator[NotebookStudio]:
    with NotebookStudio.open(home, run_jobs=False) as studio:
        yield studio


@pytest.fixture
def board(studio: NotebookStudio) -> Board:
    return Board(studio)


def test_each_part_comes_in_the_order_in_which_it_is_read(board: Board) -> None:
    first, second = board.queue(), board.queue()
    board.claim()
    board.fail(first)
    board.fail(second)
    again = board.queue()
    board.claim()
    board.fail(again, "The service was busy.", delay=40.0)
    running, done = board.queue("separation"), board.queue("separation")
    board.claim()
    board.complete(done)
    late, soon, urgent = board.queue(delay=9.0), board.queue(), board.queue(priority=0)
    blocked = board.queue(needs=[soon.id], priority=0)
    assert board.ids("failed") == [second.id, first.id]
    assert board.ids("running") == [running.id]
    assert board.ids("waiting") == [again.id, urgent.id, soon.id, blocked.id, late.id]
    assert board.ids("history") == [done.id]
    assert board.ids("waiting", offset=1, limit=2) == [urgent.id, soon.id]
    assert board.ids("failed", queue="separation") == []
    retry = board("list", status="waiting")["jobs"][0]
    assert (retry["attempt"], retry["error"]) == (1, "The service was busy.")
    assert 30 < retry["due_s"] <= 40
    assert board("list", status="running")["jobs"][0]["holder"] == "host:1:2"


def test_a_row_says_its_batch_and_whether_it_is_paused(board: Board) -> None:
    first, second = uuid4(), uuid4()
    jobs = [board.queue(batch_id=batch) for batch in (first, second, None)]
    board.studio.ledger.pause(first)
    listed = board("list", status="waiting")
    told = {job["id"]: (job["batch"], job["paused"]) for job in listed["jobs"]}
    assert [told[str(job.id)] for job in jobs] == [(str(first), True), (str(second), False), (None, False)]
    assert listed["paused"] == [{"batch": str(first), "waiting": 1}]
    own = job_handlers(board.studio, only=Run(board.studio, [jobs[1].id]))["jobs.list"]({}, [])
    assert own["paused"] == []


def test_a_list_tells_how_it_all_stands(board: Board) -> None:
    for _ in range(3):
        board.queue()
    board.claim()
    with board.studio.catalog.write() as connection:
        for _ in range(breakers.FAILURES):
            breakers.failed(connection, "hooks.example.com")
    listed = board("list", status="running", limit=0)
    assert (listed["jobs"], listed["counts"]["processing"], listed["counts"]["queued"]) == ([], 2, 1)
    analysis = next(queue for queue in listed["queues"] if queue["queue"] == "analysis")
    assert analysis == {"queue": "analysis", "limit": 2, "running": 2, "waiting": 1, "retrying": 0, "failed": 0}
    assert len(listed["queues"]) == len(board.studio.ledger.limits)
    (service,) = listed["services"]
    assert service["service"] == "hooks.example.com"
    assert 20 < service["trial_s"] <= 30


@pytest.mark.parametrize("status", ["everything", None, ["failed"]])
def test_a_list_that_there_is_not_is_refused(board: Board, status: object) -> None:
    with pytest.raises(ParameterError):
        board("list", status=status)


def test_one_job_shows_what_it_was_given_and_what_it_needs(board: Board) -> None:
    need = board.queue()
    job = board.queue(arguments={"engine": "draft"}, needs=[need.id])
    shown = board("show", id=str(job.id))
    assert (shown["job"]["id"], shown["job"]["blockers"]) == (str(job.id), 1)
    assert shown["arguments"] == {"engine": "draft"}
    assert shown["needs"] == [{"id": str(need.id), "kind": "kind", "status": "queued"}]
    with pytest.raises(NotFoundError):
        board("show", id=str(uuid4()))
    with pytest.raises(ParameterError):
        board("log", id="../../secrets")


def test_a_log_is_read_on_from_where_it_was_left(board: Board) -> None:
    job = board.queue()
    assert board("log", id=str(job.id), offset=0) == {"lines": [], "offset": 0, "next": 0, "skipped": 0}
    log = board.studio.storage.path("logs")
    writer = JobLog(log, board.studio.bus.journal, job.id)
    for number in range(rows.LOG_LINES + 7):
        writer.write("info", f"line {number}", 1)
    part = board("log", id=str(job.id), offset=0)
    assert (len(part["lines"]), part["skipped"]) == (rows.LOG_LINES, 7)
    writer.write("error", "the last", 2)
    (line,) = board("log", id=str(job.id), offset=part["next"])["lines"]
    assert (line["level"], line["text"], line["attempt"]) == ("error", "the last", 2)


def test_all_is_cancelled_and_queued_again(board: Board) -> None:
    analysis, separation = board.queue(), board.queue("separation")
    assert board("cancel_all", queue="separation") == {"cancelled": [str(separation.id)]}
    assert board("cancel_all", queue=None) == {"cancelled": [str(analysis.id)]}
    assert sorted(board("retry", ids=[str(analysis.id), str(separation.id)])["queued"]) == sorted(
        [str(analysis.id), str(separation.id)]
    )
    assert len(board.ids("waiting")) == 2


def test_what_failed_is_tried_again_by_queue_or_at_once(board: Board) -> None:
    analysis, separation = board.queue(), board.queue("separation")
    board.claim()
    board.fail(analysis)
    board.fail(separation)
    assert board("retry_failed", queue="analysis") == {"queued": [str(analysis.id)]}
    assert board("retry_failed", queue=None) == {"queued": [str(separation.id)]}
    assert board("retry_failed", queue=None) == {"queued": []}


def test_the_history_is_cleared_of_what_has_ended(board: Board) -> None:
    board.queue()
    board.complete(*board.claim())
    waits = board.queue()
    assert board("prune") == {"removed": 1}
    assert board.ids("all") == [waits.id]


# -- what it is told -----------------------------------------------------------------------------------------


class Page:
    """Stands for a widget on a page: keeps what was pushed."""

    def __init__(self) -> None:
        self.comm: object | None = object()
        self.pushed: list[tuple[str, Any]] = []
        self.handlers: dict[str, Callable[..., Any]] = {}
        self._news = threading.Condition()

    def handle(self, method: str, fn: Callable[..., Any]) -> None:
        self.handlers[method] = fn

    def push(self, event: str, data: Any) -> None:
        with self._news:
            self.pushed.append((event, data))
            self._news.notify_all()

    def all(self, event: str) -> list[Any]:
        return [data for name, data in self.pushed if name == event]

    def wait_for(self, event: str, count: int = 1) -> list[Any]:
        """What came by this name, as soon as there are so many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.all(event)) >= count, TIMEOUT), (event, self.pushed)
        return self.all(event)

    def watch(self, view: str, job: JobRow | None) -> None:
        self.handlers["jobs.watch"]({"view": view, "id": None if job is None else str(job.id)}, [])


@pytest.fixture
def page(studio: NotebookStudio) -> Iterator[Page]:
    page = Page()
    live = Live(studio, page, news=True)
    yield page
    live.close()


def test_a_page_hears_of_the_log_that_it_shows_and_of_no_other(board: Board, page: Page) -> None:
    shown, other = board.queue(), board.queue()
    logs, journal = board.studio.storage.path("logs"), board.studio.bus.journal
    JobLog(logs, journal, shown.id).write("info", "before", 1)
    page.watch("a", shown)
    JobLog(logs, journal, other.id).write("info", "elsewhere", 1)
    JobLog(logs, journal, shown.id).write("warning", "now", 1)
    (part,) = page.wait_for("jobs.log")
    assert (part["id"], [line["text"] for line in part["lines"]]) == (str(shown.id), ["now"])
    assert part["offset"] == board("log", id=str(shown.id))["next"] - (part["next"] - part["offset"])
    page.watch("a", None)
    JobLog(logs, journal, shown.id).write("info", "unheard", 1)
    page.watch("a", other)
    JobLog(logs, journal, other.id).write("info", "heard", 1)
    parts = page.wait_for("jobs.log", 2)
    assert [line["text"] for part in parts for line in part["lines"]] == ["now", "heard"]


def test_a_page_hears_how_a_job_and_its_queue_stand(board: Board, page: Page) -> None:
    job = board.queue()
    (claimed,) = board.claim()
    board.fail(claimed, "The service was busy.", delay=30.0)
    page.wait_for("jobs.rows")
    while (told := page.all("jobs.rows")[-1])["jobs"][0]["attempt"] == 0 or told["jobs"][0]["status"] != "queued":
        page.wait_for("jobs.rows", len(page.all("jobs.rows")) + 1)
    (row,) = told["jobs"]
    assert (row["id"], row["error"]) == (str(job.id), "The service was busy.")
    assert next(queue for queue in told["queues"] if queue["queue"] == "analysis")["retrying"] == 1


def test_the_word_of_an_attempt_that_is_over_is_not_believed(board: Board, page: Page) -> None:
    board.queue()
    (first,) = board.claim()
    board.fail(first, delay=0.0)
    (second,) = board.claim()
    bus = board.studio.bus
    report = {"id": str(second.id), "track_id": None, "status": "processing"}
    bus.publish(f"jobs:{second.id}", {**report, "attempt": 2, "progress": 30})
    bus.publish(f"jobs:{second.id}", {**report, "attempt": 1, "progress": 90})
    bus.publish(f"jobs:{second.id}", {**report, "attempt": 2, "progress": 40})
    page.wait_for("jobs.rows")
    while (row := page.all("jobs.rows")[-1]["jobs"][0])["progress"] != 40:
        page.wait_for("jobs.rows", len(page.all("jobs.rows")) + 1)
    assert row["attempt"] == 2
    assert all(told["jobs"][0]["progress"] <= 40 for told in page.all("jobs.rows"))


def test_a_page_asks_for_itself_when_very_much_changes(board: Board, page: Page) -> None:
    requests = [JobRequest("kind", "analysis", None, {}) for _ in range(MOST_ROWS + 1)]
    with board.studio.catalog.write() as connection:
        board.studio.ledger.enqueue_all(connection, requests)
    told = page.wait_for("jobs.changed")[-1]
    assert told["counts"]["queued"] == MOST_ROWS + 1
    assert sum(len(rows["jobs"]) for rows in page.all("jobs.rows")) <= MOST_ROWS


def test_a_page_asks_for_itself_when_the_history_was_cleared(board: Board, page: Page) -> None:
    board.queue()
    board.complete(*board.claim())
    board("prune")
    assert page.wait_for("jobs.changed")[-1]["counts"]["completed"] == 0


def test_a_page_asks_for_itself_when_a_batch_is_paused_and_resumed(board: Board, page: Page) -> None:
    batch = uuid4()
    board.queue(batch_id=batch)
    board.studio.ledger.pause(batch)
    assert page.wait_for("jobs.changed")[-1]["paused"] == [{"batch": str(batch), "waiting": 1}]
    board.studio.ledger.resume(batch)
    assert page.wait_for("jobs.changed", 2)[-1]["paused"] == []
    assert page.all("notice") == []


def test_a_page_does_not_load_a_song_again_because_of_an_export(board: Board, page: Page) -> None:
    exported, analysed = uuid4(), uuid4()
    for kind, queue, track_id in (("export", "export", exported), ("analyze", "analysis", analysed)):
        with board.studio.catalog.write() as connection:
            board.studio.ledger.enqueue(connection, JobRequest(kind, queue, track_id, {}))
        with board.studio.catalog.write() as connection:
            jobs = board.studio.ledger.claim(connection, {kind: "processing"}, holder="host:1:2")
        board.complete(*jobs)
    assert page.wait_for("player.refresh") == [{"id": str(analysed)}]


def test_a_page_is_told_when_long_work_ends(studio: NotebookStudio, page: Page) -> None:
    ended = {"jobs": 3, "completed": 3, "failed": 0, "cancelled": 0, "tracks": 1, "seconds": 5.0}
    for seconds in (5.0, 250.0):
        studio.bus.publish("batch:b", {**ended, "id": f"b{seconds}", "seconds": seconds})
    (notice,) = page.wait_for("notice")
    assert notice == {"id": "b250.0", "level": "ok", "text": "1 song is ready. Took 4 min."}


@pytest.mark.parametrize(
    ("ended", "level", "text"),
    [
        ({"completed": 36, "tracks": 12}, "ok", "12 songs are ready. Took 40 s."),
        ({"completed": 34, "failed": 2, "tracks": 12}, "warn", "2 of 36 jobs failed. Took 40 s."),
        ({"completed": 30, "cancelled": 6, "tracks": 12}, "info", "30 jobs done, 6 cancelled. Took 40 s."),
        ({"completed": 36}, "ok", "36 jobs done. Took 40 s."),
        ({"completed": 36, "seconds": 5400.0}, "ok", "36 jobs done. Took 1.5 h."),
        ({"cancelled": 36}, None, None),
        ({"completed": 36, "seconds": 19.0}, None, None),
    ],
)
def test_the_news_say_how_it_ended(ended: dict[str, Any], level: str | None, text: str | None) -> None:
    nothing = {"id": "b", "jobs": 36, "completed": 0, "failed": 0, "cancelled": 0, "tracks": 0, "seconds": 40.0}
    notice = batch_notice({**nothing, **ended})
    assert (notice and (notice["level"], notice["text"])) == (text and (level, text))


def test_the_jobs_show_themselves_as_one_board(board: Board, studio: NotebookStudio) -> None:
    board.queue()
    views = [studio.jobs._repr_mimebundle_()[0] for _ in range(2)]
    models = {view["application/vnd.jupyter.widget-view+json"]["model_id"] for view in views}
    assert len(models) == 1
    assert "kind" in views[0]["text/plain"]
    assert "1 queued" in views[0]["text/html"]


def test_work_that_was_asked_for_together_is_counted_by_kind_and_stopped_as_a_whole(board: Board) -> None:
    batch_id = uuid4()
    for _ in range(3):
        board.queue(batch_id=batch_id)
    other = board.queue()
    first, second = [job for job in board.claim() if job.batch_id == batch_id][:2]
    board.fail(first, "It is torn.")
    show = board.handlers["batch.show"]
    told = show({"batch": str(batch_id)}, [])
    counts = {(row["kind"], row["status"]): row["jobs"] for row in told["kinds"]}
    assert sum(counts.values()) == 3
    assert counts["kind", "failed"] == 1
    assert [row["error"] for row in told["failed"]] == ["It is torn."]
    assert str(second.id) in [row["id"] for row in told["running"]]
    stopped = board.handlers["batch.cancel"]({"batch": str(batch_id)}, [])["cancelled"]
    assert len(stopped) == 2
    assert board.studio.ledger.get(other.id).status != "cancelled"
    assert show({"batch": str(batch_id)}, [])["running"] == []


def test_what_work_brought_in_is_told_once_all_of_it_has_ended(board: Board) -> None:
    batch_id = uuid4()
    with board.studio.catalog.write() as connection:
        song_ids = songs.put(connection, [Song(service="spotify", key="one", title="One", artist="Ada")])
        playlist, _ = playlists.imported(connection, service="spotify", key="p", name="Friday", song_ids=song_ids)
    noted = [
        ("lookup", {"playlists": [str(playlist.id)], "new": 9}),  # entries
        ("import", {"new": 3, "known": 2, "refused": [["torn.mp3", "It is torn."]]}),
        ("upload", {"new": True, "known": False}),
        ("download", {"new": 0, "known": 1}),
    ]
    show = board.handlers["batch.show"]
    for kind, facts in noted:
        board.queue(batch_id=batch_id, kind=kind)
        assert show({"batch": str(batch_id)}, [])["brought"] is None
        with board.studio.catalog.write() as connection:
            (job,) = board.studio.ledger.claim(connection, {kind: "processing"}, holder="host:1:2")
            job_table.note(connection, job.id, facts)
        board.complete(job)
    assert show({"batch": str(batch_id)}, [])["brought"] == {
        "new": 4,
        "known": 3,
        "refused": [["torn.mp3", "It is torn."]],
        "playlists": [{"id": str(playlist.id), "name": "Friday"}],
    }
