"""What a page gets when it asks for links and for the account at Spotify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from sfa_kernel.errors import ParameterError, SetupError
from sfa_kernel.panels.spotify import spotify_handlers
from tests.sources.spotify.server import CLIENT_ID, Spotify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sfa_kernel.studio import Studio

TIMEOUT = 60


class Page:
    """Asks as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.handlers = spotify_handlers(studio)

    def __call__(self, method: str, **params: Any) -> Any:
        return self.handlers[method](params, [])

    def follow(self, answer: Any) -> None:
        """See the jobs of an answer end well."""
        jobs = self.studio.ledger.wait([UUID(i) for i in answer["jobs"]], timeout=TIMEOUT)
        assert [job.error for job in jobs if job.status != "completed"] == []


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spotify]:
    with Spotify() as service:
        monkeypatch.setenv("SFA_SPOTIFY_URL", service.url)
        monkeypatch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_ID", CLIENT_ID)
        yield service


@pytest.fixture
def home(service: Spotify, home: Path) -> Path:
    """The library is opened once the service is there: its settings name it."""
    return home


@pytest.fixture
def page(studio: Studio) -> Page:
    return Page(studio)


def test_a_login_a_preview_and_an_import(page: Page, service: Spotify) -> None:
    assert page("spotify.state") == {
        "client": True,
        "secret": False,
        "login": "none",
        "name": None,
        "error": None,
        "redirect": "http://127.0.0.1/callback",
    }
    key = service.playlist("All night", [*service.songs(520), None])
    address = httpx.get(page("spotify.login")["url"]).headers["location"]
    assert page("spotify.state")["login"] == "waiting"
    with pytest.raises(ParameterError):
        page("spotify.paste", url="https://example.org/?code=x")
    page("spotify.paste", url=address)
    (job,) = page.studio.ledger.jobs(kind="lookup")
    page.follow({"jobs": [str(job.id)]})
    state = page("spotify.state")
    assert (state["login"], state["name"], state["error"]) == ("done", "Ada Łovelace", None)

    page.follow(page("spotify.playlists", refresh=True))
    told = page("spotify.playlists", refresh=False)
    assert (told["jobs"], told["fetched_at"] is None) == ([], False)
    liked, mine = told["playlists"]
    assert liked["link"] == "spotify:collection:tracks"
    link = f"spotify:playlist:{key}"
    expected = {"link": link, "name": "All night", "owner": "Ada Łovelace", "total": 521, "playlist": None}
    assert mine == expected

    pasted = page("links.parse", text=f" https://open.spotify.com/intl-de/playlist/{key}?si=1 ")
    assert pasted == {"link": link, "kind": "playlist"}
    assert page("links.preview", link=link) == {"preview": None}
    page.follow(page("links.look", link=link))
    shown = page("links.preview", link=link)["preview"]
    assert {name: shown[name] for name in ("kind", "name", "total", "skipped", "note", "here")} == {
        "kind": "playlist",
        "name": "All night",
        "total": 521,
        "skipped": 1,
        "note": None,
        "here": 0,
    }
    assert len(shown["songs"]) == 500
    assert set(shown["songs"][0]) == {"title", "artist", "album", "duration", "here"}

    # The page remembers stages also where nothing is downloaded.
    answer = page("links.import", link=link, download=False, stages=["analyze"])
    page.follow(answer)
    assert UUID(answer["batch"])
    (_, mine) = page("spotify.playlists", refresh=False)["playlists"]
    assert mine["playlist"] == str(page.studio.playlists["All night"].id)
    page("spotify.logout")
    assert page("spotify.playlists", refresh=False) == {"playlists": [], "fetched_at": None, "jobs": []}


def test_what_cannot_be_done_is_said_at_once(page: Page, service: Spotify) -> None:
    for text in ("", "hello", "https://example.org/", "https://open.spotify.com/artist/0TnOYISbd1XYRBk9myaseg", 7):
        with pytest.raises(ParameterError):
            page("links.parse", text=text)
        with pytest.raises(ParameterError):
            page("links.look", link=text)
    with pytest.raises(SetupError, match="switched off"):
        page("links.import", link="spotify:track:0TnOYISbd1XYRBk9myaseg", download=True, stages=[])
    assert (service.asked, page.studio.ledger.jobs()) == ([], [])
