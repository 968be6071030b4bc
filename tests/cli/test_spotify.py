"""Links and the account at Spotify on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.sources.spotify.server import CLIENT_ID, CLIENT_SECRET, Spotify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Cli, Sfa


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spotify]:
    with Spotify() as service:
        monkeypatch.setenv("SFA_SPOTIFY_URL", service.url)
        monkeypatch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", CLIENT_SECRET)
        yield service


def test_a_link_is_looked_at_and_added(sfa: Sfa, service: Spotify) -> None:
    key = service.playlist("All night", service.songs(3))
    looked = sfa("spotify", "look", f"spotify:playlist:{key}")
    assert looked.out.splitlines()[:2] == [
        "All night by Ada Łovelace: 3 songs, 0 of them here",
        "      Artist 1 - Song 0001",
    ]
    added = sfa("add", f"https://open.spotify.com/playlist/{key}")
    assert (added.status, added.out) == (0, "All night: 3 songs, 0 of them here, 3 new in the playlist.\n")
    assert "`sfa downloads on` allows it" in added.err
    document = sfa.json("spotify", "import", f"spotify:playlist:{key}", f"spotify:track:{next(iter(service.tracks))}")
    assert [job["status"] for job in document["jobs"]] == ["completed"] * 2
    assert len(document["playlists"]) == 2


def test_what_fails_is_told_and_is_the_exit_status(sfa: Sfa, service: Spotify) -> None:
    assert "leads to an artist" in sfa.refuses("add", "https://open.spotify.com/artist/0TnOYISbd1XYRBk9myaseg")
    assert "Downloads are switched off" in sfa.refuses("add", "spotify:track:0TnOYISbd1XYRBk9myaseg", "--download")
    assert "is gone, or private" in sfa.refuses("spotify", "look", "spotify:album:0TnOYISbd1XYRBk9myaseg")
    assert "is gone, or private" in sfa.refuses("add", "spotify:album:0TnOYISbd1XYRBk9myaseg")
    assert "by itself" in sfa.refuses("add", "spotify:album:0TnOYISbd1XYRBk9myaseg", "song.mp3")
    assert "of links" in sfa("add", "song.mp3", "--stages", "analyze").err


def test_login_by_the_browser_of_this_computer(cli: Cli, service: Spotify) -> None:
    login = cli.start("spotify", "login", "--json")
    assert login.stderr is not None
    address = next(line.strip() for line in login.stderr if line.strip().startswith("http"))
    assert "close this page" in httpx.get(address, follow_redirects=True).text
    out, _ = login.communicate(timeout=60)
    assert login.returncode == 0
    assert '"name": "Ada Łovelace"' in out


def test_login_by_pasting_lists_and_logout(
    sfa: Sfa, service: Spotify, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Person:
        """Reads what is shown, agrees, and pastes where the browser ended."""

        def readline(self) -> str:
            shown = capsys.readouterr().err
            (address,) = re.findall(r"http\S+authorize\S+", shown)
            return str(httpx.get(address).headers["location"]) + "\n"

    service.playlist("All night", service.songs(3))
    monkeypatch.setattr("sys.stdin", Person())
    assert "logged in  Ada Łovelace" in sfa("spotify", "login", "--paste").out
    assert sfa.json("spotify", "status")["login"] == "done"
    listed = sfa("spotify", "playlists").out.splitlines()
    assert [line.split()[1:] for line in listed] == [["0", "Liked", "songs"], ["3", "All", "night"]]
    assert [row["name"] for row in sfa.json("spotify", "playlists")["playlists"]] == ["Liked songs", "All night"]
    assert "logged in  nobody" in sfa("spotify", "logout").out
    assert "Log in to Spotify" in sfa.refuses("spotify", "playlists")
