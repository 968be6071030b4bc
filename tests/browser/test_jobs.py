"""The job board in a real page, while another process runs the jobs."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.jobs import Ground, JobRequest, Kind, Plan, Runner
from sfa_kernel.studio import Studio
from tests.browser import work
from tests.browser.conftest import Watch
from tests.server.launch import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from sfa_kernel.catalog.jobs import JobRow
    from tests.server.launch import Server

KINDS = {
    function.__name__: Kind(
        function.__name__,
        queue,
        lambda connection, job, ground: Plan(dict(job.arguments)),
        function,
        lambda connection, job, result, files: None,
    )
    for function, queue in ((work.talk, "separation"), (work.stumble, "analysis"), (work.refuse, "export"))
}


class Desk:
    """A library whose jobs this process runs, and a page of another process that shows them."""

    def __init__(self, studio: Studio, watch: Watch, server: Server) -> None:
        self.studio = studio
        self.watch = watch
        self.server = server

    @property
    def page(self) -> Page:
        return self.watch.page

    def queue(self, kind: str, **arguments: Any) -> JobRow:
        with self.studio.catalog.write() as connection:
            request = JobRequest(kind, KINDS[kind].queue, None, arguments)
            return self.studio.ledger.enqueue(connection, request)

    def row(self, job: JobRow, status: str) -> Locator:
        return self.page.locator(f".sfa-job[data-job='{job.id}'][data-status={status}]")


@pytest.fixture(scope="module")
def desk(launch: Callable[..., Server], chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("jobs") / "library"
    with Studio.open(home, run_jobs=False) as studio:
        runner = Runner(studio.ledger, Ground(studio.storage, studio.settings), KINDS)
        runner.start()
        server = launch("dashboard", home)
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
        watch = Watch(context.new_page())
        watch.page.goto(f"{server.url}")
        watch.page.get_by_role("navigation", name="Views").get_by_role("button", name="Jobs").click()
        watch.page.get_by_text("Nothing has run yet.").wait_for()
        yield Desk(studio, watch, server)
        context.close()
        runner.stop()


def test_a_job_runs_before_ones_eyes_and_its_log_streams_in(desk: Desk, tmp_path: Path) -> None:
    job = desk.queue("talk", until=str(tmp_path / "end"))
    row = desk.row(job, "running")
    row.wait_for()
    queue = desk.page.get_by_role("group", name="Queues").get_by_role("button", name="Separation")
    desk.page.wait_for_function("(cell) => cell.textContent.includes('1/2')", arg=queue.element_handle())
    row.get_by_role("button", name="Talk", exact=True).click()
    log = row.get_by_role("log")
    lines = log.locator(".sfa-log-line")
    lines.nth(2).wait_for()
    shown = lines.count()
    lines.nth(shown + 3).wait_for()  # more came by themselves
    bar = row.get_by_role("progressbar")
    before = int(bar.get_attribute("aria-valuenow") or 0)
    wait_until(lambda: int(bar.get_attribute("aria-valuenow") or 0) > before, "the bar has moved")
    (tmp_path / "end").touch()
    done = desk.row(job, "completed")
    done.get_by_text("The last word").wait_for()
    text = done.get_by_role("log").inner_text()
    words = [int(number) for number in re.findall(r"Word (\d+)", text)]
    assert words == list(range(1, len(words) + 1))  # each once, in order
    assert str(job.id) in done.inner_text()
    done.get_by_role("button", name="Talk", exact=True).click()
    assert not done.get_by_role("log").is_visible()


def test_a_job_that_will_be_tried_again_says_why_and_counts_down(desk: Desk) -> None:
    job = desk.queue("stumble")
    row = desk.row(job, "retrying")
    row.get_by_text("The service was busy.").wait_for()
    say = row.locator(".sfa-job-say")

    def left() -> int:
        return int(re.sub(r"\D", "", say.inner_text()))

    first = left()
    assert 0 < first <= 22
    wait_until(lambda: left() <= first - 2, "two seconds are over")
    desk.studio.ledger.cancel([job.id])
    desk.row(job, "cancelled").wait_for()


def test_cancel_takes_effect_within_a_second(desk: Desk, tmp_path: Path) -> None:
    job = desk.queue("talk", until=str(tmp_path / "never"))
    row = desk.row(job, "running")
    row.wait_for()
    row.get_by_role("button", name="Cancel").click()
    began = time.monotonic()
    wait_until(lambda: desk.studio.ledger.get(job.id).status == "cancelled", "it is cancelled", deadline=1.0)
    desk.row(job, "cancelled").wait_for(timeout=1000)
    assert time.monotonic() - began < 1.5
    assert row.count() == 0


def test_a_failure_is_on_top_with_its_reason_and_can_be_tried_again(desk: Desk, tmp_path: Path) -> None:
    running = desk.queue("talk", until=str(tmp_path / "end"))
    job = desk.queue("refuse", until=str(tmp_path / "repaired"))
    desk.row(running, "running").wait_for()
    row = desk.row(job, "failed")
    row.get_by_text("This file holds no sound. Add another file.").wait_for()
    assert desk.page.locator(".sfa-job").first.inner_text() == row.inner_text()
    (tmp_path / "repaired").touch()
    row.get_by_role("button", name="Try again").click()
    desk.row(job, "completed").wait_for()
    assert row.count() == 0
    (tmp_path / "end").touch()
    desk.row(running, "completed").wait_for()


def test_all_is_cancelled_and_comes_back(desk: Desk, tmp_path: Path) -> None:
    jobs = [desk.queue("talk", until=str(tmp_path / "end")) for _ in range(4)]
    desk.row(jobs[0], "running").wait_for()
    desk.row(jobs[3], "queued").wait_for()
    desk.page.get_by_role("button", name="Cancel all").click()
    toast = desk.page.locator(".sfa-toast")
    toast.get_by_text("Cancelled 4 jobs.").wait_for()
    assert desk.studio.ledger.jobs(active=True) == []
    (tmp_path / "end").touch()
    toast.get_by_role("button", name="Queue again").click()
    for job in jobs:
        desk.row(job, "completed").wait_for()
        # It has moved from one part of the board to another, and looks like it.
        assert not desk.row(job, "completed").locator(".sfa-job-progress").is_visible()


def test_it_is_worked_by_keys(desk: Desk, tmp_path: Path) -> None:
    job = desk.queue("talk", until=str(tmp_path / "never"))
    desk.row(job, "running").get_by_role("button", name="Talk", exact=True).focus()
    desk.page.keyboard.press("Enter")
    desk.page.get_by_role("region", name="Details of Talk").wait_for()
    desk.page.keyboard.press("Escape")
    desk.page.get_by_role("region", name="Details of Talk").wait_for(state="detached")
    desk.page.keyboard.press("Delete")
    wait_until(lambda: desk.studio.ledger.get(job.id).status == "cancelled", "it is cancelled")


def test_the_end_of_long_work_is_told_and_leads_to_what_failed(desk: Desk, tmp_path: Path) -> None:
    job = desk.queue("refuse", until=str(tmp_path / "never"))
    desk.row(job, "failed").wait_for()
    ended = {"id": "batch", "jobs": 12, "completed": 11, "failed": 1, "cancelled": 0, "tracks": 4, "seconds": 250.0}
    desk.studio.bus.publish("batch:batch", ended)
    toast = desk.page.locator(".sfa-toast").filter(has_text="1 of 12 jobs failed. Took 4 min.")
    toast.get_by_role("button", name="Show them").click()
    desk.page.locator("[data-group=history]").wait_for(state="hidden")
    assert desk.row(job, "failed").is_visible()
    desk.page.get_by_role("group", name="Show").get_by_role("button", name="All").click()


def test_nothing_is_cut_off_from_a_phone_to_a_wide_screen(desk: Desk) -> None:
    for width in (480, 900, 1920):
        desk.page.set_viewport_size({"width": width, "height": 900})
        wide = desk.page.evaluate(
            """() => [...document.querySelectorAll(".sfa-jobs, .sfa-jobs-body, .sfa-jobs-head, .sfa-queues")]
              .filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.className)"""
        )
        assert wide == []
    desk.page.set_viewport_size({"width": 1280, "height": 900})


def test_nothing_complained(desk: Desk) -> None:
    assert desk.watch.refused == []
    assert desk.watch.complaints == []
