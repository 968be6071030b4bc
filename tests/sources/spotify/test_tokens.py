"""Tokens of Spotify: asked for once by all processes, renewed, turned over, and never told."""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import httpx
import pytest

from sfa_kernel import credentials
from sfa_kernel.credentials import Secret
from sfa_kernel.errors import FatalJobError, RateLimitedError, RetryableJobError, ServiceError, SetupError, SfaError
from sfa_kernel.settings import load_settings
from sfa_kernel.sources.spotify import login, tokens
from sfa_kernel.sources.spotify.client import Client
from sfa_kernel.sources.spotify.tokens import Tokens, login_of
from tests.sources.spotify.server import CLIENT_ID, CLIENT_SECRET, Spotify


def log_in(spotify: Spotify) -> str:
    """As a login leaves it; the refresh token."""
    token = spotify.log_in()
    made = {"client_id": CLIENT_ID, "refresh_token": token, "id": "ada", "name": "Ada"}
    credentials.keep({"spotify_login": json.dumps(made)})
    return token


def test_the_settings_and_the_credentials_say_what_work_needs(monkeypatch):
    monkeypatch.setenv("SFA_SPOTIFY_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("SFA_SPOTIFY_CLIENT_SECRET", CLIENT_SECRET)
    credentials.put("spotify_id", CLIENT_ID)
    found = tokens.access(load_settings())
    assert found == {
        "url": "http://127.0.0.1:1/v1",
        "accounts_url": "https://accounts.spotify.com",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    assert CLIENT_SECRET not in repr(found)


def test_the_application_asks_once_and_all_share_the_token(spotify: Spotify, access: dict[str, Any]) -> None:
    first = Tokens(access).app()
    assert Tokens(access).app() == first
    (asked,) = spotify.asked
    assert (asked.method, asked.path, asked.form) == ("POST", "/api/token", {"grant_type": "client_credentials"})
    expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    assert asked.authorization == f"Basic {expected}"
    track = spotify.songs(1)[0]
    with Client(access["url"], Tokens(access).best) as client:
        assert client.track(track["id"]).name == "Song 0001"


def test_a_token_is_kept_for_3500_seconds(spotify: Spotify, access: dict[str, Any]) -> None:
    now = time.time()
    first = Tokens(access, clock=lambda: now).app()
    assert Tokens(access, clock=lambda: now + 3499).app() == first
    assert Tokens(access, clock=lambda: now + 3501).app() != first
    assert spotify.count("/api/token") == 2
    # A clock that was set back makes no token last.
    Tokens(access, clock=lambda: now - 10_000).app()
    assert spotify.count("/api/token") == 3


def test_a_short_life_is_respected(spotify: Spotify, access: dict[str, Any]) -> None:
    spotify.token_life = 600
    now = time.time()
    first = Tokens(access, clock=lambda: now).app()
    assert Tokens(access, clock=lambda: now + 499).app() == first
    assert Tokens(access, clock=lambda: now + 501).app() != first


def test_a_refresh_token_is_turned_over_and_the_new_one_used(spotify: Spotify, access: dict[str, Any]) -> None:
    old = log_in(spotify)
    first = Tokens(access).user()
    assert spotify.asked[0].form == {"grant_type": "refresh_token", "refresh_token": old, "client_id": CLIENT_ID}
    assert spotify.asked[0].authorization == ""
    kept = login_of(CLIENT_ID)
    assert kept is not None
    assert {kept["refresh_token"]} == spotify.refresh_tokens != {old}
    assert (kept["id"], kept["name"]) == ("ada", "Ada")
    spotify.expire()
    with Client(access["url"], Tokens(access).best) as client:
        assert client.me().id == "ada"  # the token was refused, and renewed with the new refresh token
    assert Tokens(access).user() != first
    assert spotify.count("/api/token") == 2


def test_a_service_that_keeps_the_refresh_token_is_as_good(spotify: Spotify, access: dict[str, Any]) -> None:
    spotify.rotate = False
    old = log_in(spotify)
    Tokens(access).user()
    kept = login_of(CLIENT_ID)
    assert kept is not None
    assert kept["refresh_token"] == old


def test_what_one_process_renewed_the_others_take(spotify: Spotify, access: dict[str, Any]) -> None:
    log_in(spotify)
    several = [Tokens(access) for _ in range(8)]
    assert len({one.user() for one in several}) == 1
    assert spotify.count("/api/token") == 1
    spotify.expire()
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda one: one.user(True), several))) == 1
    assert spotify.count("/api/token") == 2


def test_processes_that_come_at_once_ask_once(spotify: Spotify, access: dict[str, Any]) -> None:
    log_in(spotify)
    spotify.fail("/api/token", "slow")
    program = (
        "import json, sys\n"
        "from sfa_kernel.sources.spotify.tokens import Tokens\n"
        "sys.stdin.readline()\n"
        "print(hash(Tokens(json.loads(sys.argv[1])).user()))\n"
    )
    command = [sys.executable, "-c", program, json.dumps(access)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(3)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert spotify.count("/api/token") == 1


def test_a_login_that_came_to_its_end_is_to_be_made_again(spotify: Spotify, access: dict[str, Any]) -> None:
    log_in(spotify)
    spotify.forget_logins()
    with pytest.raises(SetupError, match=r"come to its end. Log in to Spotify again") as ended:
        Tokens(access).best()
    assert ended.value.__cause__ is None
    assert login_of(CLIENT_ID) is None
    Tokens(access).best()  # the application, now that nobody is logged in
    with pytest.raises(SetupError, match="Nobody is logged in"):
        Tokens(access).user()


@pytest.mark.parametrize("also", ["log out", "log in"])
def test_a_refresh_that_is_under_way_brings_no_old_login_back(
    spotify: Spotify, access: dict[str, Any], also: str
) -> None:
    log_in(spotify)
    address = httpx.get(login.begin(access)).headers["location"]
    if also == "log in":
        login.answered(address)
    spotify.fail("/api/token", "hold")
    with ThreadPoolExecutor(2) as pool:
        refreshing = pool.submit(Tokens(access).user)
        spotify.until(lambda: spotify.count("/api/token") == 1)
        changing = pool.submit(login.log_out) if also == "log out" else pool.submit(login.exchange, access)
        wait([changing], timeout=0.3)  # it must not get ahead
        spotify.release()
        refreshing.result()
        changing.result()
    kept = login_of(CLIENT_ID)
    if also == "log out":
        assert kept is None
        return
    newest = [asked.form["grant_type"] for asked in spotify.asked if asked.path == "/api/token"]
    assert newest == ["refresh_token", "authorization_code"]
    spotify.expire()
    with Client(access["url"], Tokens(access).best) as client:
        assert client.me().id == "ada"


def test_a_login_is_of_its_client(spotify: Spotify, access: dict[str, Any]) -> None:
    log_in(spotify)
    token = Tokens(access).user()
    other = {**access, "client_id": Secret("another")}
    with pytest.raises(SetupError, match="Nobody is logged in"):
        Tokens(other).user()
    with pytest.raises(SetupError, match="does not know this client id"):
        Tokens(other).app()
    assert Tokens(access).user() == token


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [({"client_id": None}, r"no client id.*http://127.0.0.1/callback"), ({"client_secret": None}, r"no login.*secret")],
)
def test_what_is_missing_is_said_before_anything_is_asked(
    spotify: Spotify, access: dict[str, Any], missing: dict[str, None], sentence: str
) -> None:
    with pytest.raises(SetupError, match=sentence):
        Tokens({**access, **missing}).best()
    assert spotify.asked == []


@pytest.mark.parametrize(
    ("kind", "error", "sentence"),
    [
        ("503", ServiceError, "in trouble"),
        ("429:7200", RateLimitedError, "wait 2 hours"),
        ("cut", ServiceError, "connection to Spotify broke"),
        ("html", ServiceError, "no token"),
        ("garbage", ServiceError, "no token"),
        ("301", SetupError, "spotify_accounts_url"),
        ("418", FatalJobError, "refuses to give a token: it answered 418"),
    ],
)
def test_trouble_with_the_accounts_keeps_the_login(
    spotify: Spotify, access: dict[str, Any], kind: str, error: type[SfaError], sentence: str
) -> None:
    old = log_in(spotify)
    spotify.fail("/api/token", kind)
    with pytest.raises(error, match=sentence):
        Tokens(access).user()
    kept = login_of(CLIENT_ID)
    assert kept is not None
    assert kept["refresh_token"] == old
    Tokens(access).user()


def test_a_token_that_was_locked_with_a_key_that_is_gone_is_asked_for_again(
    spotify: Spotify, access: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Tokens(access).app()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    Tokens(access).app()
    Tokens(access).app()
    assert spotify.count("/api/token") == 2
    log_in(spotify)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another"))
    with pytest.raises(SetupError, match="log in again"):
        Tokens(access).best()


def test_who_waits_too_long_for_another_is_told(
    spotify: Spotify, access: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "PATIENCE", 0.0)
    spotify.fail("/api/token", "hold")
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(Tokens(access).app)
        spotify.until(lambda: spotify.count("/api/token") == 1)
        with pytest.raises(RetryableJobError, match="Another process"):
            Tokens(access).app()
        spotify.release()
        assert asking.result() == Tokens(access).app()


def test_no_secret_is_ever_told(spotify: Spotify, access: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    planted = [CLIENT_SECRET, log_in(spotify), base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()]
    planted.append(str(Tokens(access).app()))
    spotify.rotate = False  # of an answer that is cut in half the new refresh token would be lost
    for kind in ("500", "cut", "half", "html", "418", "429:99", "garbage"):
        spotify.fail("/api/token", kind)
        with pytest.raises(SfaError) as refused:
            Tokens(access).user()
        error: BaseException | None = refused.value
        while error is not None:
            said += [str(error), repr(error)]
            error = error.__cause__ or error.__context__
    spotify.rotate = True
    planted.append(str(Tokens(access).user()))
    planted.extend(spotify.refresh_tokens)
    said += [caplog.text, repr(Tokens(access)), repr(access)]
    store = Path(os.environ["XDG_CONFIG_HOME"]) / "sfa"
    said += [path.read_bytes().decode("latin-1") for path in store.iterdir()]
    assert len(list(store.iterdir())) >= 2
    for secret in planted:
        assert secret not in "\n".join(said)
