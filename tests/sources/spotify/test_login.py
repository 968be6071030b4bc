"""A person logs in to Spotify: agrees, does not, pastes, comes too late, or is somebody else."""

from __future__ import annotations

import json
import logging
import os
import queue
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sfa_kernel import credentials
from sfa_kernel.errors import ParameterError, RateLimitedError, ServiceError, SetupError
from sfa_kernel.sources.spotify import login
from sfa_kernel.sources.spotify.client import Account, Client
from sfa_kernel.sources.spotify.tokens import REDIRECT, Tokens
from tests.sources.spotify.server import CLIENT_ID, ME, Spotify

if TYPE_CHECKING:
    from collections.abc import Iterator

ADA = Account(ME["id"], ME["display_name"])


class Told(queue.Queue[str | None]):
    """What a listener tells."""

    def next(self) -> str | None:
        return self.get(timeout=30)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def listener(told: Told) -> Iterator[login.Listener]:
    listener = login.Listener(told.put)
    yield listener
    listener.close()


def agree(url: str) -> str:
    """Open the page of the login as a browser does; the address that it is sent to."""
    response = httpx.get(url)
    assert response.status_code == 302, response.text
    return response.headers["location"]


def test_a_person_logs_in_on_this_computer(
    spotify: Spotify, access: dict[str, Any], listener: login.Listener, told: Told
) -> None:
    assert login.state(CLIENT_ID) == "none"
    url = login.begin(access, listener.redirect)
    assert login.state(CLIENT_ID) == "waiting"
    page = httpx.get(agree(url))
    assert page.status_code == 200
    assert "You can close this page" in page.text
    assert told.next() is None
    assert listener.over
    assert login.state(CLIENT_ID) == "working"
    assert login.logged_in(CLIENT_ID) is None
    assert login.exchange(access) == ADA
    assert login.state(CLIENT_ID) == "done"
    assert login.logged_in(CLIENT_ID) == ADA
    with Client(access["url"], Tokens(access).best) as client:
        assert client.me() == ADA
    assert spotify.count("/api/token") == 1
    login.log_out()
    assert login.state(CLIENT_ID) == "none"
    login.log_out()


def test_what_is_sent_is_what_the_contract_says(spotify: Spotify, access: dict[str, Any]) -> None:
    url = login.begin(access)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(f"{spotify.accounts_url}/authorize?")
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert query["redirect_uri"] == REDIRECT == "http://127.0.0.1/callback"
    assert query["scope"] == "playlist-read-private playlist-read-collaborative user-library-read"
    assert len(query["code_challenge"]) == 43
    login.answered(agree(url))
    login.exchange(access)
    form = next(asked.form for asked in spotify.asked if asked.path == "/api/token")
    assert set(form) == {"grant_type", "code", "redirect_uri", "client_id", "code_verifier"}
    assert 43 <= len(form["code_verifier"]) <= 128
    assert "secret" not in str(form)
    assert login.begin(access) != url


def test_a_person_on_another_computer_pastes_the_address(spotify: Spotify, access: dict[str, Any]) -> None:
    for shortened in (lambda address: f"  {address}\n", lambda address: address.partition("://")[2] + "#_=_"):
        login.log_out()
        login.answered(shortened(agree(login.begin(access))))
        assert login.exchange(access) == ADA


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "not the address of an answer"),
        ("hello", "not the address of an answer"),
        ("http://127.0.0.1/callback", "not the address of an answer"),
        ("http://127.0.0.1/callback?", "no answer of Spotify"),
        ("http://127.0.0.1/callback?" + "a=1&" * 100, "no answer of Spotify"),
        ("http://127.0.0.1/callback?state=x", "no answer of Spotify"),
        ("http://127.0.0.1/callback?code=x", "another login"),
        ("http://127.0.0.1/callback?code=x&state=ö", "another login"),
        ("http://127.0.0.1/callback?code=%00&state=x", "The code in this address is none"),
        ("http://127.0.0.1/callback?code=" + "x" * 9000, "not the address of an answer"),
        ("http://127.0.0.1/callback?error=access_denied&state=x", "another login"),
    ],
)
def test_an_address_that_is_no_answer_changes_nothing(
    access: dict[str, Any], spotify: Spotify, address: str, sentence: str
) -> None:
    url = login.begin(access)
    with pytest.raises(ParameterError, match=sentence):
        login.answered(address)
    login.answered(agree(url))
    assert login.exchange(access) == ADA


def test_the_address_where_a_login_begins_is_told_from_its_end(access: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="where the login begins"):
        login.answered(login.begin(access))


def test_an_answer_to_an_earlier_login_is_not_taken(spotify: Spotify, access: dict[str, Any]) -> None:
    first = agree(login.begin(access))
    second = agree(login.begin(access))
    with pytest.raises(ParameterError, match="another login"):
        login.answered(first)
    login.answered(second)
    login.exchange(access)
    with pytest.raises(ParameterError, match="No login at Spotify is waiting"):
        login.answered(second)
    with pytest.raises(SetupError, match="waiting to be finished"):
        login.exchange(access)
    assert login.logged_in(CLIENT_ID) == ADA


def test_who_does_not_agree_changes_nothing(
    spotify: Spotify, access: dict[str, Any], listener: login.Listener, told: Told
) -> None:
    spotify.agrees = False
    page = httpx.get(agree(login.begin(access, listener.redirect)))
    assert page.status_code == 400
    assert "You did not agree" in page.text
    assert "did not agree" in str(told.next())
    assert listener.over
    assert login.state(CLIENT_ID) == "none"


def test_strangers_at_the_door_do_not_end_the_login(
    spotify: Spotify, access: dict[str, Any], listener: login.Listener, told: Told
) -> None:
    url = login.begin(access, listener.redirect)
    base = f"http://127.0.0.1:{listener.port}"
    assert httpx.get(f"{base}/").status_code == 404
    assert httpx.get(f"{base}/favicon.ico").status_code == 404
    assert httpx.get(f"{base}/callback?code=mine&state=guessed").status_code == 400
    assert httpx.post(f"{base}/callback").status_code == 501
    other = httpx.get(agree(url), headers={"host": f"example.com:{listener.port}"})
    assert other.status_code == 404
    page = httpx.get(f"{base}/callback?error=<script>alert(1)</script>&state=x")
    assert "<script>" not in page.text
    with socket.create_connection(("127.0.0.1", listener.port)) as silent:
        silent.sendall(b"GET /call")
        assert httpx.get(agree(url)).status_code == 200
    assert told.next() is None
    assert login.exchange(access) == ADA


def test_a_listener_ends_by_itself_and_says_so(told: Told) -> None:
    listener = login.Listener(told.put, patience=0.05)
    assert told.next() == "Nobody agreed to the login in time."
    assert listener.over
    with pytest.raises(httpx.ConnectError):
        httpx.get(listener.redirect)
    listener.close()
    closed = login.Listener(told.put)
    closed.close()
    closed.close()
    assert told.empty()
    assert not [thread for thread in threading.enumerate() if thread.name == "spotify-login" and thread.is_alive()]


def test_an_answer_that_comes_too_late_is_not_taken(spotify: Spotify, access: dict[str, Any]) -> None:
    address = agree(login.begin(access, clock=lambda: 1000.0))
    with pytest.raises(ParameterError, match="No login at Spotify is waiting"):
        login.answered(address, clock=lambda: 1000.0 + login.WAITS + 1)
    assert login.state(CLIENT_ID, clock=lambda: 1000.0 + login.WAITS + 1) == "none"


def test_a_code_that_is_no_longer_good_asks_for_another_login(spotify: Spotify, access: dict[str, Any]) -> None:
    address = agree(login.begin(access))
    login.answered(address.replace("code=", "code=x"))
    with pytest.raises(SetupError, match=r"did not accept the login.*Log in again"):
        login.exchange(access)
    assert login.state(CLIENT_ID) == "none"


def test_a_failed_login_keeps_the_one_before(spotify: Spotify, access: dict[str, Any]) -> None:
    login.answered(agree(login.begin(access)))
    login.exchange(access)
    login.answered(agree(login.begin(access)).replace("code=", "code=x"))
    with pytest.raises(SetupError):
        login.exchange(access)
    assert login.logged_in(CLIENT_ID) == ADA


@pytest.mark.parametrize(
    ("kind", "error"), [("503", ServiceError), ("429:900", RateLimitedError), ("cut", ServiceError)]
)
def test_trouble_on_the_way_can_be_tried_again(
    spotify: Spotify, access: dict[str, Any], kind: str, error: type[Exception]
) -> None:
    login.answered(agree(login.begin(access)))
    spotify.fail("/api/token", kind)
    with pytest.raises(error):
        login.exchange(access)
    assert login.state(CLIENT_ID) == "working"
    assert login.exchange(access) == ADA


def test_who_may_not_use_the_client_is_not_logged_in(spotify: Spotify, access: dict[str, Any]) -> None:
    login.answered(agree(login.begin(access)))
    spotify.fail("/v1/me", "unregistered")
    with pytest.raises(SetupError, match="not on the list"):
        login.exchange(access)
    assert login.state(CLIENT_ID) == "none"


def test_a_login_without_a_name_is_one_and_learns_it_later(spotify: Spotify, access: dict[str, Any]) -> None:
    login.answered(agree(login.begin(access)))
    spotify.fail("/v1/me", "429:900")
    assert login.exchange(access) == Account("", "")
    assert login.state(CLIENT_ID) == "done"


def test_a_job_that_was_killed_after_the_tokens_came_goes_on(
    spotify: Spotify, access: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    login.answered(agree(login.begin(access)))
    with monkeypatch.context() as patch:
        patch.setattr(login.Client, "me", killed)
        with pytest.raises(KeyboardInterrupt):
            login.exchange(access)
    assert login.exchange(access) == ADA
    assert spotify.count("/api/token") == 1


def killed(_: object) -> None:
    raise KeyboardInterrupt


def test_without_a_client_id_no_login_begins(access: dict[str, Any]) -> None:
    with pytest.raises(SetupError, match=r"redirect address http://127\.0\.0\.1/callback"):
        login.begin({**access, "client_id": None})
    assert credentials.kept("spotify_pending") is None


def test_no_secret_of_a_login_is_ever_told(
    spotify: Spotify,
    access: dict[str, Any],
    listener: login.Listener,
    told: Told,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG, "sfa_kernel")
    address = agree(login.begin(access, listener.redirect))
    pending = json.loads(credentials.kept("spotify_pending") or "")
    page = httpx.get(address).text
    assert told.next() is None
    account = login.exchange(access)
    code = parse_qs(urlsplit(address).query)["code"][0]
    secrets = [code, pending["verifier"], pending["state"], *spotify.refresh_tokens, str(Tokens(access).user())]
    store = Path(os.environ["XDG_CONFIG_HOME"]) / "sfa"
    said = [page, repr(account), repr(listener), caplog.text, *capfd.readouterr()]
    said += [path.read_bytes().decode("latin-1") for path in store.iterdir()]
    for secret in secrets:
        assert secret not in "\n".join(said)
