"""Choosing how to separate, setting up what separates, pausing a batch and taking files away, in a real page.

The draft is the real one, Demucs has tiny networks under the real models' names, lalal.ai is a service on this
machine.
"""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.jobs import Ground, JobRequest, Runner
from sfa_kernel.studio import Studio
from tests.browser.conftest import Watch
from tests.browser.test_dashboard import write_song
from tests.browser.test_jobs import KINDS
from tests.separation.demucs.making import make_weights
from tests.separation.lalal.server import KEY, Service
from tests.server.launch import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.server.launch import Server

SONGS = {"First Song": 65.4, "Second Song": 98.0}  # Hz of the bass: two songs, not one twice


class Desk:
    """A library, a page that shows it, and the service on the net."""

    def __init__(self, studio: Studio, watch: Watch, service: Service) -> None:
        self.studio = studio
        self.watch = watch
        self.service = service

    @property
    def page(self) -> Page:
        return self.watch.page

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def show(self, view: str) -> None:
        self.page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()

    def row(self, title: str) -> Locator:
        return self.page.get_by_role("row").filter(has_text=title)

    def separate(self, title: str) -> Locator:
        """The dialog for one song of the library."""
        self.show("Library")
        self.row(title).click()
        self.page.get_by_role("complementary", name="Details").get_by_role("button", name="Separate…").click()
        self.dialog.get_by_role("radiogroup", name="Engine").wait_for()
        return self.dialog

    def choose(self, group: str, name: str) -> None:
        self.dialog.get_by_role("radiogroup", name=group).get_by_role("radio", name=name).first.check()

    def finish(self) -> None:
        """Wait until no job waits or runs."""
        jobs = self.studio.ledger.jobs(active=True)
        self.studio.ledger.wait([job.id for job in jobs], timeout=180)
        assert [(job.kind, job.status, job.error) for job in self.studio.ledger.jobs(active=True)] == []
        assert [job.error for job in self.studio.ledger.jobs(statuses=["failed"]) if job.kind == "separate"] == []


@pytest.fixture(scope="module")
def desk(launch: Callable[..., Server], chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("separate")
    with pytest.MonkeyPatch.context() as patch, Service() as service:
        for folder in ("config", "data", "state"):
            patch.setenv(f"XDG_{folder.upper()}_HOME", str(root / folder))
        patch.delenv("SFA_LALAL_KEY", raising=False)
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        patch.setenv("SFA_LALAL_URL", service.url)
        patch.setenv("SFA_WEIGHTS_DIR", str(root / "weights"))
        make_weights(root / "weights", "htdemucs")
        with Studio.open(root / "library", run_jobs=False) as studio:
            for name, bass in SONGS.items():
                studio.add(write_song(root / f"Somebody - {name}.wav", 8.0, bass=bass))
            server = launch("dashboard", root / "library")
            context = chromium.new_context(viewport={"width": 1400, "height": 900}, color_scheme="dark")
            watch = Watch(context.new_page())
            watch.page.goto(server.url)
            watch.page.get_by_role("row").filter(has_text="First Song").wait_for()
            yield Desk(studio, watch, service)
            context.close()


@pytest.fixture
def busy(desk: Desk, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Something else has all places for separations, until the function is called."""
    runner = Runner(desk.studio.ledger, Ground(desk.studio.storage, desk.studio.settings), KINDS)
    with desk.studio.catalog.write() as connection:
        requests = [
            JobRequest("talk", "separation", None, {"until": str(tmp_path / "end")})
            for _ in range(desk.studio.settings.separation_limit)
        ]
        jobs = [desk.studio.ledger.enqueue(connection, request) for request in requests]
    runner.start()
    wait_until(lambda: all(job.status == "processing" for job in desk.studio.ledger.jobs([j.id for j in jobs])), "busy")
    yield (tmp_path / "end").touch
    (tmp_path / "end").touch()
    desk.studio.ledger.wait([job.id for job in jobs], timeout=30)
    runner.stop()


def test_several_songs_are_separated_together_paused_and_let_go(desk: Desk, busy: Callable[[], None]) -> None:
    desk.row("First Song").click()
    desk.page.keyboard.press("Control+a")
    desk.page.get_by_role("toolbar", name="Selected tracks").get_by_role("button", name="Separate stems…").click()
    dialog = desk.dialog
    dialog.get_by_text("2 songs", exact=True).wait_for()
    desk.choose("Engine", "Draft (no AI)")
    dialog.get_by_text("for 2 songs").wait_for()
    dialog.get_by_role("button", name="Separate 2 songs").click()
    desk.page.get_by_text("2 separations under way.").wait_for()
    desk.show("Jobs")
    batches = desk.page.get_by_role("list", name="Work that was asked for together")
    batches.get_by_role("button", name="Pause").click()
    batches.get_by_text("Paused: 2 jobs wait").wait_for()
    (paused,) = desk.studio.ledger.paused()
    assert paused["waiting"] == 2
    batches.get_by_role("button", name="Resume").click()
    batches.get_by_role("button", name="Pause").wait_for()
    assert desk.studio.ledger.paused() == []
    busy()
    desk.finish()
    batches.wait_for(state="hidden")
    assert all(list(track.stems) == ["vocals", "drums", "bass", "other"] for track in desk.studio.tracks)


def test_the_same_again_is_there_already(desk: Desk) -> None:
    dialog = desk.separate("First Song")
    dialog.get_by_text("These stems are there already.").wait_for()
    dialog.get_by_role("button", name="Separate", exact=True).click()
    desk.page.locator(".sfa-toast").filter(has_text="These stems are there already.").wait_for()
    assert desk.studio.ledger.jobs(active=True) == []


def test_a_preview_of_a_learned_model_lies_beside_the_stems_in_use(desk: Desk) -> None:
    dialog = desk.separate("First Song")
    desk.choose("Engine", "Demucs")
    desk.choose("Model", "htdemucs_ft")
    dialog.get_by_text("scientific purposes").wait_for()
    assert dialog.get_by_role("button", name="Separate", exact=True).is_disabled()
    desk.choose("Model", "Hybrid Transformer")
    for stem in ("Drums", "Bass", "Other"):
        dialog.get_by_role("group", name="Stems").get_by_role("button", name=stem).click()
    dialog.get_by_text("Makes 2 files: Vocals and the rest of the song.").wait_for()
    desk.choose("Part", "Preview")
    dialog.get_by_label("from", exact=True).fill("0:02")
    dialog.get_by_label("to", exact=True).fill("0:05")
    dialog.get_by_role("button", name="Make the preview").click()
    desk.page.get_by_text("The separation is under way.").wait_for()
    desk.finish()
    track = next(track for track in desk.studio.tracks if track.title == "First Song")
    preview = track.separations[0]
    assert (preview.engine, preview.model, preview.region) == ("demucs", "htdemucs", (2.0, 5.0))
    assert track.separation is not None
    assert track.separation.engine == "draft"


def test_a_key_is_entered_and_what_the_cloud_bills_is_told_before(desk: Desk) -> None:
    dialog = desk.separate("Second Song")
    desk.choose("Engine", "lalal.ai")
    field = dialog.get_by_label("Key of lalal.ai")
    field.fill("a-key-that-is-wrong")
    dialog.get_by_role("button", name="Save the key").click()
    dialog.locator(".sfa-quota.is-danger").wait_for()  # the service has refused it
    dialog.get_by_role("button", name="Key…").click()
    dialog.get_by_role("button", name="Replace…").click()
    field.fill(KEY)
    dialog.get_by_role("button", name="Save the key").click()
    dialog.get_by_text("100 minutes left").wait_for()
    for stem in ("Drums", "Bass"):
        dialog.get_by_role("group", name="Stems").get_by_role("button", name=stem).click()
    dialog.get_by_text("bills 1 minute").wait_for()
    assert KEY not in desk.page.content()
    dialog.get_by_role("button", name="Separate", exact=True).click()
    desk.page.get_by_text("The separation is under way.").wait_for()
    desk.finish()
    track = next(track for track in desk.studio.tracks if track.title == "Second Song")
    assert track.separation is not None
    assert (track.separation.engine, list(track.stems)) == ("lalal", ["vocals", "rest"])


def test_the_settings_show_models_and_keys(desk: Desk) -> None:
    desk.show("Settings")
    services = desk.page.locator(".sfa-services")
    services.locator("li[data-state=ready]").filter(has_text="htdemucs").wait_for()
    assert services.locator("li[data-state=missing]").count() == 3
    services.get_by_role("button", name="Verify").click()
    services.get_by_role("button", name="Verified").wait_for()
    services.get_by_text("Key set").wait_for()
    services.get_by_role("button", name="Remove").click()
    services.get_by_label("Key of lalal.ai").wait_for()
    assert KEY not in desk.page.content()


def test_stems_are_taken_away_as_an_archive(desk: Desk, tmp_path: Path) -> None:
    desk.show("Library")
    desk.row("First Song").click()
    desk.page.get_by_role("complementary", name="Details").get_by_role("button", name="Export…").click()
    dialog = desk.dialog
    dialog.get_by_text("Somebody - First Song (vocals).flac").wait_for()
    name = dialog.get_by_label("Name", exact=True)
    name.fill("{title} {nonsense}")
    dialog.get_by_text("no field 'nonsense'").wait_for()
    assert dialog.get_by_role("button", name="Export").is_disabled()
    name.fill("{title} [{stem}]")
    dialog.get_by_text("First Song [drums].flac").wait_for()
    dialog.get_by_role("button", name="Export", exact=True).click()
    with desk.page.expect_download() as download:
        dialog.get_by_role("button", name="Download First Song").first.click()
    download.value.save_as(tmp_path / "stems.zip")
    with zipfile.ZipFile(tmp_path / "stems.zip") as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
    assert {f"First Song [{stem}].flac" for stem in ("vocals", "drums", "bass", "other")} <= set(names)
    assert "draft" in json.dumps(manifest)
    assert dialog.get_by_role("heading", name="Exports of this song").is_visible()
    dialog.get_by_role("button", name="Close", exact=True).last.click()


def test_the_empty_stem_strip_leads_to_the_same_choices(desk: Desk, tmp_path: Path) -> None:
    desk.studio.add(write_song(tmp_path / "Somebody - Third Song.wav", 8.0, bass=55.0))
    desk.row("Third Song").dblclick()
    desk.page.get_by_role("button", name="Options…").click()
    desk.dialog.get_by_text("Third Song · Somebody").wait_for()
    desk.page.keyboard.press("Escape")
    desk.dialog.wait_for(state="detached")


@pytest.mark.parametrize("width", [480, 900, 1400])
def test_nothing_is_cut_off_from_a_phone_to_a_wide_screen(desk: Desk, width: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": 900})
    desk.page.get_by_role("button", name="Options…").click()
    desk.dialog.get_by_role("radiogroup", name="Engine").wait_for()
    for engine in ("Draft (no AI)", "Demucs", "lalal.ai"):
        desk.choose("Engine", engine)
        wide = desk.page.evaluate(
            """() => [...document.querySelectorAll("dialog, dialog .sfa-work-body, dialog footer")]
              .filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.className)"""
        )
        assert wide == []
        assert desk.dialog.get_by_role("button", name="Cancel").last.is_visible()
    desk.page.keyboard.press("Escape")


def test_nothing_complained(desk: Desk) -> None:
    assert desk.watch.refused == []
    assert desk.watch.complaints == []
