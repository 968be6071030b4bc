"""Links of Spotify, through real HTTP and real jobs: previews, imports, logins, and what can go wrong with each."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import httpx
import psutil
import pytest

from sfa_kernel.catalog import playlists as playlist_table
from sfa_kernel.errors import InputError, ParameterError, SetupError
from sfa_kernel.pipeline import lookup
from sfa_kernel.sources.spotify.links import parse
from sfa_kernel.studio import Studio
from tests.sounds import write_song
from tests.sources.spotify.server import CLIENT_ID, CLIENT_SECRET, Spotify, identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.events import Event
    from sfa_kernel.runs import Run

TIMEOUT = 60


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spotify]:
    with Spotify(page_size=50) as service:
        monkeypatch.setenv("SFA_SPOTIFY_URL", service.url)
        monkeypatch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", CLIENT_SECRET)
        yield service


@pytest.fixture
def home(service: Spotify, home: Path) -> Path:
    """The library is opened once the service is there: its settings name it."""
    return home


def said(studio: Studio, run: Run) -> str:
    """What the one job of a run said at its end."""
    (job,) = run.wait(timeout=TIMEOUT).jobs
    assert job.status == "completed", job.error
    return str(studio.jobs.log(job.id)[-1]["text"])


def problem(run: Run) -> str:
    (job,) = run.wait(timeout=TIMEOUT).jobs
    assert job.status == "failed"
    return str(job.error)


def log_in(studio: Studio) -> None:
    login = studio.spotify.login()
    assert httpx.get(login.url, follow_redirects=True).status_code == 200
    assert said(studio, login.wait(TIMEOUT)) == "Ada Łovelace is logged in to Spotify."


def titles(studio: Studio, name: str) -> list[str]:
    """The songs of a playlist, here or not."""
    with studio.catalog.read() as connection:
        (row,) = [row for row in playlist_table.listing(connection) if row.name == name]
        entries = playlist_table.page(connection, row)
    songs = studio.sql("SELECT id, title FROM songs")
    known = {song["id"]: song["title"] for song in songs}
    return [known[entry.song_id] for entry in entries]


def playlist_link(service: Spotify, name: str, songs: list[Any], **more: Any) -> str:
    return f"https://open.spotify.com/playlist/{service.playlist(name, songs, **more)}?si=abc"


# -- previews ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["new", "old"])
def test_a_link_tells_what_it_leads_to_and_what_of_it_is_here(
    studio: Studio, service: Spotify, tmp_path: Path, shape: Literal["new", "old"]
) -> None:
    service.shape, service.embedded = shape, shape == "new"
    songs = [service.song("Song", "Artist", seconds=3.0), *service.songs(119)]
    studio.add(write_song(tmp_path / "Artist - Song.wav", seconds=3.0))
    link = playlist_link(service, "All night", [*songs, None, "local", "episode"])
    assert studio.spotify.preview(link) is None
    assert said(studio, studio.spotify.look(link)) == "All night: 120 songs, 1 of them here."
    found = studio.spotify.preview(link)
    assert found is not None
    assert (found.name, found.owner, found.kind, found.total) == ("All night", "Ada Łovelace", "playlist", 123)
    assert (len(found.songs), found.here, found.skipped, found.note) == (120, 1, 3, None)
    assert found.songs[0] == {
        "title": "Song",
        "artist": "Artist",
        "album": "Song (Single)",
        "duration": 3.0,
        "here": True,
    }
    assert repr(found) == "<All night by Ada Łovelace: 120 songs, 1 of them here, 3 entries are no songs>"
    assert "and 20 more" in found._repr_html_()
    assert studio.playlists[:] == []  # somebody has only looked


def test_songs_and_albums_need_no_login(studio: Studio, service: Spotify) -> None:
    songs = service.songs(70)
    album = service.album("Seventy", songs)
    for link, count in (
        (f"spotify:track:{songs[0]['id']}", 1),
        (f"https://open.spotify.com/intl-de/album/{album}", 70),
    ):
        studio.spotify.look(link).wait(TIMEOUT)
        found = studio.spotify.preview(link)
        assert found is not None
        assert (len(found.songs), found.total) == (count, count)


def test_what_is_no_link_is_refused_before_anybody_is_asked(studio: Studio, service: Spotify) -> None:
    for text in (
        "https://example.org/x",
        "spotify:artist:" + identifier("x"),
        identifier("x"),
        "https://spotify.link/x",
    ):
        with pytest.raises(ParameterError):
            studio.spotify.look(text)
        with pytest.raises(ParameterError):
            studio.spotify.add(text)
    with pytest.raises(ParameterError, match="come in one after another"):
        studio.add("https://open.spotify.com/track/" + identifier("x"), "song.mp3")
    assert (service.asked, studio.ledger.jobs()) == ([], [])


def test_a_playlist_that_is_kept_from_us_says_so_once_and_for_all(studio: Studio, service: Spotify) -> None:
    link = playlist_link(service, "Kept", service.songs(9), owner="bob", hidden=True)
    studio.spotify.look(link).wait(TIMEOUT)
    found = studio.spotify.preview(link)
    assert found is not None
    assert (found.name, found.owner, found.songs) == ("Kept", "Bob", [])
    assert "only to its owner" in str(found.note)
    assert problem(studio.spotify.add(link)) == found.note
    assert studio.playlists[:] == []
    # Once it is shown to us, it is asked for again although it is the same version.
    service.playlists[parse(link).id].hidden = False
    assert said(studio, studio.spotify.look(link)) == "Kept: 9 songs, 0 of them here."


def test_a_refusal_is_told_in_one_sentence_and_not_repeated(studio: Studio, service: Spotify) -> None:
    link = playlist_link(service, "All night", service.songs(3))
    for fault, sentence in {
        "premium": "only while its owner has Spotify Premium",
        "unregistered": "not on the list of those who may use this client id",
        "scope": "does not allow us to see",
        "404": "is gone, or private",
        "301": "not at this address",
    }.items():
        service.fail("/v1/playlists", fault)
        run = studio.spotify.look(link)
        assert sentence in problem(run)
        assert run.jobs[0].attempt == 1
    assert studio.spotify.preview(link) is None


def test_a_cut_connection_an_old_token_and_a_short_wait_are_no_obstacle(studio: Studio, service: Spotify) -> None:
    link = playlist_link(service, "All night", service.songs(120))
    for fault in ("half", "401", "429:1"):
        service.fail("/v1/playlists", "ok")
        service.fail("/v1/playlists", fault)
    run = studio.spotify.look(link)
    assert said(studio, run) == "All night: 120 songs, 0 of them here."
    assert run.jobs[0].attempt == 1


def hurry(studio: Studio) -> None:
    """Let the jobs that wait for their time be ready now."""
    with studio.catalog.write() as connection:
        connection.execute("UPDATE jobs SET scheduled_at = now() WHERE status = 'queued'")
    studio.bus.publish("jobs:hurry", {"status": "queued"})


def when(studio: Studio, run: Run, status: str) -> None:
    """Wait until the job of a run has another attempt behind it."""
    seen = threading.Event()

    def on_event(event: Event) -> None:
        if event.data.get("id") == str(run.ids[0]) and event.data["status"] == status and event.data["attempt"]:
            seen.set()

    with studio.bus.subscribe("jobs:*", on_event):
        job = run.jobs[0]
        if job.status != status or not job.attempt:
            assert seen.wait(TIMEOUT)


def test_a_long_wait_frees_the_worker_and_the_rest_comes_then(studio: Studio, service: Spotify) -> None:
    link = playlist_link(service, "All night", service.songs(200))
    service.fail("/v1/playlists", "ok", 2)
    service.fail("/v1/playlists", "429:86400")
    run = studio.spotify.look(link)
    when(studio, run, "queued")
    (job,) = run.jobs
    assert "it wants us to wait 24 hours" in str(job.error)
    assert (job.scheduled_at - job.created_at).total_seconds() > 86000
    asked = len(service.asked)
    hurry(studio)
    assert said(studio, run) == "All night: 200 songs, 0 of them here."
    # The list again, for its version; then only what was missing.
    again = [one.query.get("offset") for one in service.asked[asked:] if one.path.startswith("/v1/")]
    assert again == [None, "100", "150"]
    assert list(studio.storage.path("runs/spotify").iterdir()) == []


def test_a_list_that_changed_meanwhile_is_read_from_its_beginning(studio: Studio, service: Spotify) -> None:
    songs = service.songs(200)
    link = playlist_link(service, "All night", songs)
    service.fail("/v1/playlists", "ok", 2)
    service.fail("/v1/playlists", "429:86400")
    run = studio.spotify.look(link)
    when(studio, run, "queued")
    playlist = service.playlists[parse(link).id]
    playlist.items, playlist.version = [*songs[::-1]], 2
    hurry(studio)
    run.wait(TIMEOUT)
    found = studio.spotify.preview(link)
    assert found is not None
    assert [row["title"] for row in found.songs] == [song["name"] for song in songs[::-1]]


def test_a_killed_process_goes_on_where_it_was(
    studio: Studio, service: Spotify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfa_kernel.jobs.runner.back_off", lambda attempt: 0.1)
    link = playlist_link(service, "All night", service.songs(200))
    service.fail("/v1/playlists", "ok", 2)
    service.fail("/v1/playlists", "hold")
    run = studio.spotify.add(link)
    service.until(lambda: sum(one.path.startswith("/v1/") for one in service.asked) == 3)
    for process in psutil.Process().children():
        if "tracker" not in " ".join(process.cmdline()):
            process.kill()
    assert said(studio, run) == "All night: 200 songs, 0 of them here, 200 new in the playlist."
    assert [one.query.get("offset") for one in service.asked if one.path.startswith("/v1/")] == [
        *(None, "50", "100"),
        *(None, "100", "150"),
    ]


def test_pages_that_nobody_came_back_for_go_with_the_cleanup(
    studio: Studio, service: Spotify, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = playlist_link(service, "All night", service.songs(120))
    service.fail("/v1/playlists", "ok")
    service.fail("/v1/playlists", "429:86400")
    run = studio.spotify.look(link)
    when(studio, run, "queued")
    run.cancel()
    pages = studio.storage.path("runs/spotify")
    assert len(list(pages.iterdir())) == 1
    studio.cleanup().wait(TIMEOUT)
    assert len(list(pages.iterdir())) == 1
    monkeypatch.setattr("sfa_kernel.pipeline.cleanup.clock", lambda: time.time() + 2 * 86400)
    studio.cleanup().wait(TIMEOUT)
    assert list(pages.iterdir()) == []


# -- imports -----------------------------------------------------------------------------------------------------


def test_a_second_import_adds_only_what_is_new(studio: Studio, service: Spotify) -> None:
    songs = service.songs(60)
    link = playlist_link(service, "All night", songs[:55])
    run = studio.add(link)
    assert said(studio, run) == "All night: 55 songs, 0 of them here, 55 new in the playlist."
    (job,) = run.jobs
    playlist = studio.playlists["All night"]
    assert (job.arguments["title"], job.arguments["playlists"], job.arguments["new"]) == (
        "All night",
        [str(playlist.id)],
        55,
    )
    # Of a version that is known, nothing more is asked.
    asked = len(service.asked)
    assert said(studio, studio.add(link)) == "All night: 55 songs, 0 of them here, 0 new in the playlist."
    assert [one.path for one in service.asked[asked:]] == [f"/v1/playlists/{parse(link).id}"]
    # A person calls it otherwise and takes a song out; its owner adds five.
    playlist.rename("Mine")
    with studio.catalog.write() as connection:
        entries = playlist_table.entry_ids(connection, playlist.id)
        playlist_table.take_out(connection, playlist.id, entries[:1])
    there = service.playlists[parse(link).id]
    there.items, there.version = [songs[59], *songs[:55], *songs[55:59]], 2
    assert said(studio, studio.add(link)) == "All night: 60 songs, 0 of them here, 5 new in the playlist “Mine”."
    expected = [songs[59], *songs[1:59]]
    assert titles(studio, "Mine") == [song["name"] for song in expected]
    assert len(studio.playlists) == 1


def test_single_songs_are_kept_together(studio: Studio, service: Spotify) -> None:
    one, other = service.songs(2)
    run = studio.add(f"spotify:track:{one['id']}", f"https://open.spotify.com/track/{other['id']}")
    assert [job.status for job in run.wait(TIMEOUT).jobs] == ["completed"] * 2
    assert sorted(titles(studio, "Songs from Spotify")) == ["Song 0001", "Song 0002"]
    said(studio, studio.add(f"spotify:track:{one['id']}"))
    assert len(titles(studio, "Songs from Spotify")) == 2


def test_what_follows_each_of_several_links_belongs_to_the_run_though_one_was_asked_for_before(
    home: Path, service: Spotify
) -> None:
    links = [f"spotify:track:{song['id']}" for song in service.songs(3)]
    with Studio.open(home, run_jobs=False) as studio:
        before = studio.add(links[0])
        run = studio.add(*links[:2])
        assert run.ids[0] == before.ids[0]
        follows = replace(lookup.look_request(parse(links[2])), batch_id=run.jobs[1].batch_id)
        with studio.catalog.write() as connection:
            studio.ledger.enqueue(connection, follows)
        studio.work(run)
        assert [job.status for job in run.wait(TIMEOUT).jobs] == ["completed"] * 3


def test_songs_that_are_here_are_in_the_playlist_at_once(studio: Studio, service: Spotify, tmp_path: Path) -> None:
    (track,) = studio.add(write_song(tmp_path / "Artist - Song.wav", seconds=3.0))
    link = playlist_link(
        service, "Mixed", [service.song("Song (Remastered 2011)", "Artist", seconds=3.4), *service.songs(2)]
    )
    assert said(studio, studio.add(link)) == "Mixed: 3 songs, 1 of them here, 3 new in the playlist."
    assert list(studio.playlists["Mixed"].tracks) == [track]


def test_downloads_that_are_off_are_told_before_anybody_is_asked(studio: Studio, service: Spotify) -> None:
    link = playlist_link(service, "All night", service.songs(3))
    with pytest.raises(SetupError, match="Downloads are switched off"):
        studio.add(link, download=True)
    with pytest.raises(ParameterError, match="songs that are not here"):
        studio.add(link, stages="analyze")
    with pytest.raises(ParameterError, match="no stage 'dance'"):
        studio.add(link, download=False, stages="dance")
    assert service.asked == []


# -- logins ------------------------------------------------------------------------------------------------------


def test_who_logs_in_sees_playlists_and_liked_songs(studio: Studio, service: Spotify) -> None:
    service.saved = [*service.songs(60)[::-1]]
    link = parse(playlist_link(service, "Private", service.saved[:3], public=False))
    assert studio.spotify.state.login == "none"
    assert "Log in to Spotify" in problem(studio.spotify.refresh())
    assert "yours is shown once you are logged in" in problem(studio.spotify.look(link.uri))
    log_in(studio)
    state = studio.spotify.state
    assert (state.login, state.name, state.error) == ("done", "Ada Łovelace", None)
    assert repr(studio.spotify) == "<Spotify: Ada Łovelace is logged in>"
    studio.spotify.refresh().wait(TIMEOUT)
    assert [(row["name"], row["total"]) for row in studio.spotify.playlists] == [("Liked songs", 60), ("Private", 3)]
    assert said(studio, studio.spotify.add("liked")) == "Liked songs: 60 songs, 0 of them here, 60 new in the playlist."
    (row,) = [row for row in studio.spotify.playlists if row["playlist"]]
    assert row["playlist"] == studio.playlists["Liked songs"].id
    # One more is liked: that one comes.
    service.saved.insert(0, service.song("New"))
    assert "1 new in the playlist" in said(studio, studio.spotify.add("liked"))
    assert titles(studio, "Liked songs")[0] == "New"
    studio.spotify.logout()
    assert (studio.spotify.state.login, studio.spotify.playlists) == ("none", [])
    assert studio.spotify.preview("liked") is None
    assert len(studio.playlists["Liked songs"].missing) == 61


def test_a_browser_on_another_machine_is_told_by_its_address(studio: Studio, service: Spotify) -> None:
    login = studio.spotify.login()
    assert studio.spotify.state.login == "waiting"
    address = httpx.get(login.url).headers["location"]
    with pytest.raises(ParameterError):
        studio.spotify.paste("https://example.org/")
    assert studio.spotify.state.login == "waiting"
    assert "Ada Łovelace" in said(studio, studio.spotify.paste(address))
    assert studio.spotify.state.login == "done"
    assert login.wait(TIMEOUT).done  # whoever waits for the browser is told as well


def test_of_two_logins_the_newer_one_counts(studio: Studio, service: Spotify) -> None:
    first = studio.spotify.login()
    second = studio.spotify.login()
    with pytest.raises(InputError, match="Log in again"):
        first.wait(TIMEOUT)
    with pytest.raises(ParameterError, match="another login"):
        studio.spotify.paste(httpx.get(first.url).headers["location"])
    assert httpx.get(second.url, follow_redirects=True).status_code == 200
    assert "is logged in" in said(studio, second.wait(TIMEOUT))


def test_a_login_that_cannot_be_kept_waits_for_no_browser(
    studio: Studio, service: Spotify, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise SetupError("The store cannot be written.")

    monkeypatch.setattr("sfa_kernel.sources.spotify.login.begin", refuse)
    with pytest.raises(SetupError, match="cannot be written"):
        studio.spotify.login()
    for thread in threading.enumerate():
        if thread.name == "spotify-login":
            thread.join(10)
            assert not thread.is_alive()


def test_who_does_not_agree_is_not_logged_in(studio: Studio, service: Spotify) -> None:
    service.agrees = False
    login = studio.spotify.login()
    assert "did not agree" in httpx.get(login.url, follow_redirects=True).text
    with pytest.raises(InputError, match="did not agree"):
        login.wait(TIMEOUT)
    state = studio.spotify.state
    assert (state.login, state.name) == ("failed", None)
    assert "did not agree" in str(state.error)
    service.agrees = True
    log_in(studio)
    assert studio.spotify.state.error is None


def test_a_login_that_spotify_does_not_take_says_why_everywhere(studio: Studio, service: Spotify) -> None:
    heard: list[Any] = []
    service.fail("/v1/me", "unregistered", 9)
    with studio.bus.subscribe("sources", lambda event: heard.append(event.data["what"])):
        login = studio.spotify.login()
        httpx.get(login.url, follow_redirects=True)
        assert "not on the list" in problem(login.wait(TIMEOUT))
    assert studio.spotify.state.login == "failed"
    assert "not on the list" in str(studio.spotify.state.error)
    assert ["spotify"] in heard


def test_without_a_client_it_is_said_how_to_get_one(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SFA_SPOTIFY_CLIENT_ID")
    assert repr(studio.spotify) == "<Spotify: no id of a client yet>"
    with pytest.raises(SetupError, match=r"developer\.spotify\.com"):
        studio.spotify.login()
    assert "sfa credentials set spotify_id" in problem(studio.spotify.look("spotify:track:" + identifier("x")))


def test_no_secret_is_written_anywhere_in_the_clear(studio: Studio, service: Spotify, home: Path) -> None:
    log_in(studio)
    service.saved = [*service.songs(60)]
    studio.spotify.add("liked").wait(TIMEOUT)
    service.expire()
    service.forget_logins()
    assert "come to its end" in problem(studio.spotify.refresh())
    tokens = [CLIENT_SECRET, *service._access, *service.refresh_tokens]
    tokens += [value for one in service.asked for value in one.form.values() if len(value) > 40]
    studio.close()
    folders = [home, *(Path(os.environ[f"XDG_{name}_HOME"]) for name in ("CONFIG", "DATA", "STATE"))]
    written = [path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(tokens) > 4
    assert any(b"spotify_app_token" in text or b"Liked songs" in text for text in written)
    assert [token for token in tokens for text in written if token.encode() in text] == []
