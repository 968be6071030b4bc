"""Bringing songs in through a real page: an account at Spotify, its playlists, downloads, a folder.

Spotify is a service on this machine that keeps the real one's contract; the programs that download are stand-ins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.studio import Studio
from tests.browser.conftest import PATIENCE, Watch
from tests.server.launch import wait_until
from tests.sounds import write_song
from tests.sources.programs import SECONDS, Standins
from tests.sources.spotify.server import CLIENT_ID, Spotify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.server.launch import Server

SONGS = ("Dusk", "Midnight", "Dawn")


class Desk:
    """A page, the library behind it, and what it reaches."""

    def __init__(self, studio: Studio, watch: Watch, service: Spotify, programs: Standins, music: Path) -> None:
        self.studio = studio
        self.watch = watch
        self.service = service
        self.programs = programs
        self.music = music

    @property
    def page(self) -> Page:
        return self.watch.page

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog", name="Add music")

    def show(self, view: str) -> None:
        self.page.get_by_role("navigation", name="Views").get_by_role("button", name=view).click()

    def add(self, way: str) -> Locator:
        """The window that brings songs in, at one of its ways."""
        self.page.get_by_role("button", name="Add", exact=True).first.click()
        self.dialog.get_by_role("radio", name=way).check()
        return self.dialog

    def titles(self) -> set[str]:
        return {track.title for track in self.studio.tracks}


@pytest.fixture(scope="module")
def desk(launch: Callable[..., Server], chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("sources")
    music = root / "music"
    (music / "Sets").mkdir(parents=True)
    programs = Standins(root / "programs")
    with pytest.MonkeyPatch.context() as patch, Spotify() as service:
        for folder in ("config", "data", "state"):
            patch.setenv(f"XDG_{folder.upper()}_HOME", str(root / folder))
        for name in ("SFA_SPOTIFY_CLIENT_ID", "SFA_SPOTIFY_CLIENT_SECRET"):
            patch.delenv(name, raising=False)
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        patch.setenv("SFA_SPOTIFY_URL", service.url)
        patch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        patch.setenv("SFA_SPOTDL_COMMAND", programs.commands["spotdl"])
        patch.setenv("SFA_YT_DLP_COMMAND", programs.commands["yt-dlp"])
        patch.setenv("SFA_IMPORT_ROOTS", str(music))
        service.playlist("Night Drive", [service.song(name, seconds=SECONDS) for name in SONGS])
        with Studio.open(root / "library", run_jobs=False) as studio:
            server = launch("dashboard", root / "library")
            context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
            watch = Watch(context.new_page())
            watch.page.goto(server.url)
            watch.page.locator(".sfa-app").wait_for()
            yield Desk(studio, watch, service, programs, music)
            context.close()


def test_a_person_sets_spotify_up_logs_in_and_downloads_a_playlist(desk: Desk) -> None:
    dialog = desk.add("Spotify")
    dialog.get_by_placeholder("Paste the client id").fill(CLIENT_ID)
    dialog.get_by_role("button", name="Save the client id").click()
    # The tab that opens agrees, is sent back to this computer, and may be closed.
    with desk.page.context.expect_page() as opened:
        dialog.get_by_role("button", name="Log in to Spotify").click()
    opened.value.wait_for_url(re.compile(r"http://127\.0\.0\.1:\d+/callback"))
    dialog.get_by_text("Logged in").wait_for()
    opened.value.close()

    dialog.get_by_role("button", name="Preview Night Drive").click()
    dialog.get_by_text(f"{len(SONGS)} songs are not here yet").wait_for()
    dialog.get_by_role("button", name="Switch on…").click()
    dialog.get_by_label("I have read this and agree.").check()
    dialog.get_by_role("button", name="Switch downloads on").click()
    for stage in ("Separate stems", "Analyse"):
        dialog.get_by_label(stage).uncheck()
    dialog.get_by_role("button", name=f"Import and download {len(SONGS)} songs").click()
    dialog.get_by_role("button", name="Done").wait_for(timeout=2 * PATIENCE)
    assert dialog.get_by_text("Done.").is_visible()
    assert dialog.get_by_text(f"{len(SONGS)} of {len(SONGS)}").is_visible()
    dialog.get_by_role("button", name="Done").click()
    desk.page.get_by_role("row").filter(has_text="Midnight").wait_for()
    assert desk.titles() == set(SONGS)
    assert [[track.title for track in playlist.tracks] for playlist in desk.studio.playlists] == [list(SONGS)]


def test_a_link_that_is_pasted_anywhere_shows_what_is_here_of_it(desk: Desk) -> None:
    known = [song for song in desk.service.tracks.values() if song["name"] in SONGS]
    key = desk.service.playlist("Morning", [*known, desk.service.song("Noon")])
    desk.show("Library")
    desk.page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.setData("text/plain", text);
          document.activeElement.blur();
          const options = { clipboardData: data, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        f"https://open.spotify.com/intl-de/playlist/{key}?si=x",
    )
    desk.dialog.get_by_text("4 songs · 3 in the library").wait_for()
    desk.dialog.get_by_role("textbox").fill("https://example.org/playlist")
    desk.dialog.get_by_text("Spotify").first.wait_for()
    assert desk.dialog.get_by_role("button", name="Add", exact=True).is_disabled()
    desk.page.keyboard.press("Escape")
    assert desk.dialog.count() == 0


def test_a_folder_comes_in_where_it_lies_and_what_is_put_there_later_follows(desk: Desk) -> None:
    song = write_song(desk.music / "Sets" / "Somebody - Here.wav", seconds=2.0, bpm=100)
    dialog = desk.add("Folder")
    dialog.get_by_role("button", name=desk.music.name).click()
    dialog.get_by_role("button", name="Sets").click()
    dialog.get_by_text("1 song in it directly").wait_for()
    dialog.get_by_role("radio", name="Leave in place").check()
    dialog.get_by_label("Watch it").check()
    dialog.get_by_role("button", name="Add and watch the folder").click()
    dialog.get_by_text("Done.").wait_for()
    dialog.get_by_role("button", name="Done").click()
    wait_until(lambda: "Here" in desk.titles(), "the song of the folder is in the library")
    assert song.is_file()
    write_song(desk.music / "Sets" / "Somebody - Later.wav", seconds=2.0, bpm=90)
    wait_until(lambda: "Later" in desk.titles(), "what was put there later is in the library", deadline=60)


def test_the_settings_show_account_programs_and_folders(desk: Desk) -> None:
    desk.show("Settings")
    page = desk.page
    page.get_by_text("as Ada Łovelace").wait_for()
    page.get_by_text("Downloads are on").wait_for()
    page.get_by_role("button", name=re.compile("^Stop watching .*Sets$")).click()
    page.get_by_role("button", name=re.compile("^Watch .*Sets$")).wait_for()
    page.get_by_role("button", name=re.compile("^Forget .*Sets$")).click()
    page.get_by_role("button", name="Forget it").click()
    page.get_by_text("No folder has been added yet.").wait_for()
    assert "Here" in desk.titles()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("group", name="Log out of Spotify?").get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in to Spotify").wait_for()
    assert desk.watch.complaints == []
