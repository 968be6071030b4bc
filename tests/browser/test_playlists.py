"""Playlists as a person uses them in the dashboard, while the catalogue of another process says what became of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from sfa_kernel.studio import Studio
from tests.browser.conftest import Watch
from tests.server.launch import Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

SAMPLE_RATE = 8000
TITLES = ("Amber", "Basalt", "Cinder", "Dune", "Ember")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A library of five short songs, open in the process of the tests."""
    root = tmp_path_factory.mktemp("playlists")
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    for place, title in enumerate(TITLES):
        sound = 0.2 * np.sin(2 * np.pi * (200 + 40 * place) * time_s)
        soundfile.write(root / f"Somebody - {title}.wav", sound.astype(np.float32), SAMPLE_RATE)
    with Studio.open(root / "library") as studio:
        studio.add(*sorted(root.glob("*.wav")))
        yield studio


@pytest.fixture(scope="module")
def surface(launch: Callable[..., Server], studio: Studio, chromium: Browser) -> Iterator[tuple[Server, Watch]]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    watch = Watch(context.new_page())
    server = launch("dashboard", studio.home)
    watch.page.goto(server.url)
    watch.page.locator(".sfa-app").wait_for()
    yield server, watch
    context.close()


@pytest.fixture
def page(surface: tuple[Server, Watch]) -> Page:
    return surface[1].page


def show(page: Page, view: str) -> None:
    page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()


def entries(page: Page) -> Locator:
    return page.get_by_role("grid", name="Songs of the playlist").locator(".sfa-grid-space [role=row]:visible")


def see(page: Page, *titles: str) -> None:
    """Wait until the playlist shows these, in this order."""

    def shown() -> list[str]:
        # Recycled rows lie in any order; their numbers say where they are.
        rows = page.evaluate(
            """() => [...document.querySelectorAll(".sfa-entries .sfa-grid-space [role=row]")]
              .filter((row) => !row.hidden)
              .map((row) => [Number(row.getAttribute("aria-rowindex")), row.querySelector(".c-title").textContent])"""
        )
        return [title for _, title in sorted(rows)]

    wait_until(lambda: shown() == list(titles), f"the playlist shows {titles}")


def titles(studio: Studio, name: str) -> list[str]:
    return [track.title for track in studio.playlists[name]]


def say(page: Page, text: str) -> Locator:
    toast = page.locator(".sfa-toast").filter(has_text=text).last
    toast.wait_for()
    return toast


def test_tracks_go_from_the_library_into_a_new_playlist(page: Page, studio: Studio) -> None:
    library = page.get_by_role("grid", name="Tracks")
    for title in ("Amber", "Basalt", "Cinder"):
        library.get_by_role("row").filter(has_text=title).click(modifiers=[] if title == "Amber" else ["Control"])
    library.get_by_role("row").filter(has_text="Basalt").click(button="right")
    page.get_by_role("menuitem", name="Add to playlist…").click()
    page.get_by_role("textbox", name="Name of the playlist").fill("Friday")
    page.keyboard.press("Enter")
    say(page, "Made “Friday” with 3 tracks.")
    assert sorted(titles(studio, "Friday")) == ["Amber", "Basalt", "Cinder"]


def test_hands_and_keys_change_the_order_and_take_it_back(page: Page, studio: Studio) -> None:
    playlist = studio.playlists["Friday"]
    playlist.order(sorted(playlist.entries, key=lambda entry: entry.track.title if entry.track else ""))
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("p")
    see(page, "Amber", "Basalt", "Cinder")
    row = entries(page).filter(has_text="Amber")
    row.click()
    page.keyboard.press("Alt+ArrowDown")
    see(page, "Basalt", "Amber", "Cinder")
    page.keyboard.press("Alt+End")
    see(page, "Basalt", "Cinder", "Amber")
    wait_until(lambda: titles(studio, "Friday") == ["Basalt", "Cinder", "Amber"], "the order is kept")
    page.keyboard.press("Control+z")
    see(page, "Basalt", "Amber", "Cinder")

    source, target = (entries(page).filter(has_text=title).bounding_box() for title in ("Cinder", "Basalt"))
    assert source is not None
    assert target is not None
    page.mouse.move(source["x"] + 200, source["y"] + 10)
    page.mouse.down()
    page.mouse.move(source["x"] + 210, source["y"] - 10)
    page.mouse.move(target["x"] + 210, target["y"] + 2)
    page.mouse.up()
    see(page, "Cinder", "Basalt", "Amber")
    say(page, "Moved 1 song.").get_by_role("button", name="Undo").click()
    see(page, "Basalt", "Amber", "Cinder")
    wait_until(lambda: titles(studio, "Friday") == ["Basalt", "Amber", "Cinder"], "the order is back")


def test_songs_come_out_and_back_at_their_places(page: Page, studio: Studio) -> None:
    entries(page).filter(has_text="Amber").click()
    page.keyboard.press("Delete")
    see(page, "Basalt", "Cinder")
    wait_until(lambda: titles(studio, "Friday") == ["Basalt", "Cinder"], "it is out")
    say(page, "Took 1 song out").get_by_role("button", name="Undo").click()
    see(page, "Basalt", "Amber", "Cinder")


def test_a_playlist_is_renamed_in_its_place_and_removed_with_a_way_back(page: Page, studio: Studio) -> None:
    listed = page.get_by_role("listbox", name="Playlists")
    listed.get_by_role("option", name=re.compile("^Friday")).click()
    page.keyboard.press("F2")
    page.get_by_role("textbox", name="Name of the playlist").fill("ليلة الجمعة 🌙 ../../etc")
    page.keyboard.press("Enter")
    option = listed.get_by_role("option", name=re.compile("ليلة الجمعة"))
    option.wait_for()
    wait_until(lambda: any("ليلة الجمعة" in each.name for each in studio.playlists), "it is renamed")
    option.focus()
    page.keyboard.press("Delete")
    toast = say(page, "Removed “ليلة")
    option.wait_for(state="detached")
    assert len(studio.playlists) == 0
    toast.get_by_role("button", name="Undo").click()
    option.wait_for()
    see(page, "Basalt", "Amber", "Cinder")


def test_it_is_saved_as_a_file(page: Page) -> None:
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export", exact=True).click()
    name = saved.value.suggested_filename
    assert name.endswith(".m3u8")
    assert "/" not in name
    text = Path(saved.value.path()).read_text("utf-8")
    assert text.startswith("#EXTM3U")
    assert re.findall(r"#EXTINF:\d+,Somebody - (\w+)", text) == ["Basalt", "Amber", "Cinder"]


def test_a_smart_one_counts_before_it_is_made_and_fills_by_itself(page: Page, studio: Studio) -> None:
    page.get_by_role("button", name="New", exact=True).click()
    page.get_by_role("menuitem", name="Smart playlist…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Without: Tempo").click()
    dialog.get_by_role("heading", name="5 tracks fit").wait_for()
    dialog.get_by_role("button", name="Words").click()
    dialog.get_by_role("textbox", name="Words of title").fill("ember")
    dialog.get_by_role("heading", name="1 track fits").wait_for()
    dialog.get_by_role("textbox", name="Name").first.fill("Embers")
    dialog.get_by_role("button", name="Create").click()
    see(page, "Ember")
    assert titles(studio, "Embers") == ["Ember"]
    studio.playlists["Embers"].change(text="ember", analyzed=True)
    page.get_by_text("No track fits yet.").wait_for()


def test_what_another_process_does_is_seen_and_ten_thousand_are_no_trouble(page: Page, studio: Studio) -> None:
    tracks = list(studio.tracks)
    long = studio.playlists.new("Everything", tracks * 2000)
    page.get_by_role("option", name="Everything, 10,000 songs").click()
    grid = page.get_by_role("grid", name="Songs of the playlist")
    entries(page).filter(has_text="Amber").first.wait_for()
    grid.focus()
    page.keyboard.press("End")
    last = entries(page).filter(has_text="10,000")
    last.wait_for()
    wait_until(lambda: last.get_attribute("aria-selected") == "true", "the last is chosen")
    page.keyboard.press("Control+a")
    page.get_by_text("10,000 selected").wait_for()
    last.click()
    moved = long.entries[-1].id
    page.keyboard.press("Alt+Home")
    wait_until(lambda: studio.playlists["Everything"].entries[0].id == moved, "the last is the first")
    studio.playlists["Everything"].delete()
    page.get_by_role("option", name=re.compile("Everything")).wait_for(state="detached")


def test_a_narrow_page_shows_the_list_or_one_of_them(page: Page) -> None:
    page.set_viewport_size({"width": 600, "height": 800})
    listed = page.get_by_role("listbox", name="Playlists")
    listed.wait_for()
    listed.get_by_role("option", name=re.compile("ليلة")).click()
    listed.wait_for(state="hidden")
    see(page, "Basalt", "Amber", "Cinder")
    page.get_by_role("button", name="All playlists").click()
    listed.wait_for()
    page.set_viewport_size({"width": 1440, "height": 900})


def test_nothing_left_the_machine_and_nothing_complained(surface: tuple[Server, Watch]) -> None:
    server, watch = surface
    assert watch.hosts() == {server.base.removeprefix("http://")}
    assert watch.refused == []
    assert watch.complaints == []
