"""No key, token or code of a service is left anywhere in the clear: catalogue, journal, logs, messages, exports."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from sfa_kernel import Studio as NotebookStudio
from sfa_kernel import credentials
from sfa_kernel.cli import main
from sfa_kernel.errors import SfaError
from sfa_kernel.panels.downloads import download_handlers
from sfa_kernel.panels.engines import engine_handlers
from sfa_kernel.panels.spotify import spotify_handlers
from tests.sources.programs import Standins
from tests.sources.spotify.server import CLIENT_ID, Spotify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sfa_kernel.studio import Studio

TIMEOUT = 60
SECRET = "planted-client-secret-0af31"  # noqa: S105 - planted to be looked for
KEY = "planted-lalal-key-77b1"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Spotify]:
    programs = Standins(tmp_path / "programs")
    monkeypatch.setattr("tests.sources.spotify.server.CLIENT_SECRET", SECRET)
    with Spotify(page_size=50) as service:
        monkeypatch.setenv("SFA_SPOTIFY_URL", service.url)
        monkeypatch.setenv("SFA_SPOTIFY_ACCOUNTS_URL", service.accounts_url)
        monkeypatch.setenv("SFA_SPOTDL_COMMAND", programs.commands["spotdl"])
        monkeypatch.setenv("SFA_YT_DLP_COMMAND", programs.commands["yt-dlp"])
        credentials.put("spotify_id", CLIENT_ID)
        credentials.put("spotify_secret", SECRET)
        credentials.put("lalal", KEY)
        yield service


@pytest.fixture
def home(service: Spotify, home: Path) -> Path:
    return home


def secrets_of(service: Spotify) -> set[str]:
    """Whatever the service gave us or got from us that opens something."""
    found = {SECRET, KEY, *service.refresh_tokens, *service._access}
    for asked in service.asked:
        scheme, _, value = asked.authorization.partition(" ")
        found |= {value} if scheme else set()
        found |= {asked.form[name] for name in ("code", "code_verifier", "refresh_token") if name in asked.form}
    return {secret for secret in found if secret}


def until(studio: Studio, run: Any, condition: Callable[[Any], bool]) -> None:
    """Wait until the one job of a run is so."""
    (job,) = run.jobs
    seen = threading.Event()
    with studio.bus.subscribe(f"jobs:{job.id}", lambda _: condition(studio.ledger.get(job.id)) and seen.set()):
        assert condition(studio.ledger.get(job.id)) or seen.wait(TIMEOUT)


def every_file(*roots: Path) -> Iterator[Path]:
    for root in roots:
        yield from (path for path in root.rglob("*") if path.is_file())


def test_what_opens_an_account_is_nowhere_in_the_clear(
    service: Spotify,
    studio: Studio,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "watchfiles")
    said: list[str] = []

    def say(*things: Any) -> None:
        said.extend(f"{thing!r} {thing}" for thing in things)

    def refused(action: Callable[[], object]) -> None:
        with pytest.raises(SfaError) as problem:
            action()
        say(problem.value, problem.value.__cause__, problem.value.__context__)

    # A login that works, and addresses that are pasted and do not.
    login = studio.spotify.login()
    with urlopen(login.url):  # noqa: S310 - a browser, which keeps no log of ours
        pass
    say(login.wait(TIMEOUT).wait(TIMEOUT).jobs)
    refused(lambda: studio.spotify.paste("http://127.0.0.1:1/callback?code=planted-code&state=wrong"))
    # Work that ends well, and work that fails in each way in which a service can fail.
    songs = [service.song("Song", seconds=2.0)]
    link = f"spotify:playlist:{service.playlist('Night', songs)}"
    studio.downloads.switch_on(agreed=True)
    say(studio.add(link, download=True, stages=()).wait(TIMEOUT).jobs)
    assert len(studio.tracks) == 1
    service.expire()
    say(studio.spotify.look(link).wait(TIMEOUT).jobs)
    for number, kind in enumerate(["premium", "unregistered", "garbage", "401", "cut"]):
        service.fail("/v1/tracks", kind, times=9)
        other = service.song(f"Other {number}")
        run = studio.spotify.look(f"spotify:track:{other['id']}")
        until(studio, run, lambda job: job.attempt > 0 and job.status in ("queued", "failed", "completed"))
        say(run.jobs, run, run.failures)
        run.cancel()
        service.faults.clear()
    service.forget_logins()
    service.expire()
    say(studio.spotify.refresh().wait(TIMEOUT).jobs)
    # What people and pages see.
    notebook = NotebookStudio.open(studio.home, run_jobs=False)
    with notebook:
        handlers = spotify_handlers(notebook) | download_handlers(notebook) | engine_handlers(notebook)
        for method in ("spotify.state", "downloads.state", "credentials.list", "separation.engines"):
            say(handlers[method]({}, []))
        say(handlers["links.preview"]({"link": link}, []), notebook.spotify, notebook.downloads, notebook.lalal)
        say(notebook.spotify._repr_html_() if hasattr(notebook.spotify, "_repr_html_") else "")
        say(credentials.known(), notebook.settings, [notebook.jobs.log(job.id) for job in notebook.jobs])
    for command in (["spotify", "status"], ["credentials"], ["downloads"], ["tools"], ["doctor"]):
        main(["--home", str(studio.home), "--verbose", "--json", *command])
    # Everything that is on the disk, but for the store itself, whose entries are locked.
    studio.close()
    roots = [studio.home, *(Path(os.environ[f"XDG_{name}_HOME"]) for name in ("CONFIG", "DATA", "STATE"))]
    hidden = secrets_of(service)
    assert len(hidden) > 8
    everywhere = {str(path): path.read_bytes() for path in every_file(*roots)}
    out = capfd.readouterr()
    everywhere |= {
        "what was said": "\n".join(said).encode(),
        "log": caplog.text.encode(),
        "output": out.out.encode(),
        "errors": out.err.encode(),
    }
    found = {name: secret for name, text in everywhere.items() for secret in hidden if secret.encode() in text}
    assert found == {}
    # And it was looked for where it would be: the same search finds what is no secret.
    assert any(b"Night" in text for name, text in everywhere.items() if name.endswith(".duckdb"))
    assert CLIENT_ID.encode() not in json.dumps(said).encode()


def test_programs_that_download_get_no_keys_of_ours(
    service: Spotify, studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_LALAL_KEY", KEY)
    monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", SECRET)
    programs = Standins(tmp_path / "watched")
    programs.plan(spotdl="nothing")
    monkeypatch.setenv("SFA_SPOTDL_COMMAND", programs.commands["spotdl"])
    monkeypatch.setenv("SFA_YT_DLP_COMMAND", programs.commands["yt-dlp"])
    with NotebookStudio.open(studio.home) as own:
        own.downloads.switch_on(agreed=True)
        song = service.song("Song", seconds=2.0)
        own.add(f"spotify:track:{song['id']}", download=True, stages=()).wait(TIMEOUT)
    asked = programs.asked()
    assert {one["name"] for one in asked} == {"spotdl", "yt-dlp"}
    assert [name for one in asked for name in one["environment"] if name.startswith("SFA_")] == []
    assert not any(secret in json.dumps(asked) for secret in (SECRET, KEY))
