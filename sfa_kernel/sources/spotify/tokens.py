"""Tokens for Spotify's Web API: of the application, and of who is logged in.

A token is good for an hour. It is kept, encrypted, for 3500 s and shared by all processes of this user: one asks for it
under a lock, the others wait and take what it got. A new refresh token, after which the old one is dead, is stored in
one go with the access token that came with it, before that one is used.

No token, secret or code is ever logged or part of an error.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from sfa_kernel import credentials
from sfa_kernel.credentials import Secret
from sfa_kernel.errors import FatalJobError, RetryableJobError, ServiceError, SetupError
from sfa_kernel.headers import retry_after
from sfa_kernel.settings import user_file
from sfa_kernel.sources.spotify.client import USUAL_PAUSE, rate_limited, told
from sfa_kernel.sources.spotify.shapes import strange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sfa_kernel.settings import Settings

__all__ = ["REDIRECT", "GrantRefused", "Tokens", "access", "alone", "ask", "client_id_of", "login_of", "token_entry"]

logger = logging.getLogger(__name__)

REDIRECT = "http://127.0.0.1/callback"
"""The address that has to be registered with the client; the port of the moment is added by us."""

KEEP = 3500.0  # s
PATIENCE = 60.0  # s to wait for a process that asks
TIMEOUT = 20.0  # s of silence

_LOG_IN = "Log in to Spotify in the settings of the studio, or with: sfa spotify login"
_LONGEST_TOKEN = 3500  # characters, so that it fits into the store


class GrantRefused(FatalJobError):  # noqa: N818 - what has happened, for those who can tell what it means
    """A code or a refresh token is no longer good."""


def access(settings: Settings) -> dict[str, Any]:
    """What work at Spotify needs: ``url``, ``accounts_url``, ``client_id`` and ``client_secret`` (None without one).

    Never to be written down.

    Raises
    ------
    SetupError
        When the credentials that are stored cannot be read.
    """
    return {
        "url": settings.spotify_url,
        "accounts_url": settings.spotify_accounts_url,
        "client_id": credentials.get("spotify_id"),
        "client_secret": credentials.get("spotify_secret"),
    }


def client_id_of(access: Mapping[str, Any]) -> str:
    """The client's id.

    Raises
    ------
    SetupError
        When there is none.
    """
    if not access["client_id"]:
        raise SetupError(
            "There is no client id for Spotify.",
            hint=f"Make an application at developer.spotify.com/dashboard with the redirect address {REDIRECT}, and "
            "set its client id in the settings of the studio or with: sfa credentials set spotify_id",
        )
    return str(access["client_id"])


class Tokens:
    """Gives access tokens, as `Client` wants them.

    Parameters
    ----------
    access
        See `access`.
    clock
        Tells the time [s since 1970].

    Notes
    -----
    All methods raise

    - `SetupError` when there is no client id or secret, Spotify does not know them, nobody is logged in, or the login
      has come to its end;
    - `RateLimitedError` and `ServiceError` as `Client` does.

    Examples
    --------
    >>> with Client(access["url"], Tokens(access).best) as client:  # doctest: +SKIP
    ...     client.me().name
    """

    def __init__(self, access: Mapping[str, Any], *, clock: Callable[[], float] = time.time) -> None:
        self._access = access
        self._clock = clock
        self._given: dict[str, str] = {}

    def app(self, renew: bool = False) -> Secret:
        """A token of the application: for songs, albums and public playlists."""
        if not self._access["client_secret"]:
            raise SetupError("There is no login at Spotify, and no client secret.", hint=_LOG_IN)
        return self._token("app", renew, self._ask_as_application)

    def user(self, renew: bool = False) -> Secret:
        """A token of who is logged in."""
        return self._token("user", renew, self._refresh)

    def best(self, renew: bool = False) -> Secret:
        """A token of who is logged in, or else of the application."""
        return self.user(renew) if login_of(client_id_of(self._access)) else self.app(renew)

    def _token(self, grant: Literal["app", "user"], renew: bool, ask: Callable[[], dict[str, Any]]) -> Secret:
        client = client_id_of(self._access)
        refused = self._given.get(grant) if renew else None
        if grant == "user" and login_of(client) is None:
            raise SetupError("Nobody is logged in to Spotify.", hint=_LOG_IN)
        token = self._cached(grant, client, refused)
        if token is None:
            with alone():
                # Another process may have asked meanwhile.
                token = self._cached(grant, client, refused)
                if token is None:
                    token = str(ask()["access_token"])
        self._given[grant] = token
        return Secret(token)

    def _cached(self, grant: str, client: str, refused: str | None) -> str | None:
        entry = _entry(f"spotify_{grant}_token", client)
        if entry is None or entry.get("token") == refused:
            return None
        until = entry.get("until")
        # A clock that was set back would make it last.
        good = isinstance(until, (int, float)) and 0 < until - self._clock() <= KEEP
        return str(entry["token"]) if good and isinstance(entry.get("token"), str) else None

    def _ask_as_application(self) -> dict[str, Any]:
        client = client_id_of(self._access)
        both = base64.b64encode(f"{client}:{self._access['client_secret']}".encode()).decode()
        answer = ask(self._access["accounts_url"], {"grant_type": "client_credentials"}, f"Basic {both}")
        credentials.keep({"spotify_app_token": token_entry(answer, client, self._clock())})
        return answer

    def _refresh(self) -> dict[str, Any]:
        client = client_id_of(self._access)
        login = login_of(client)
        if login is None:
            raise SetupError("Nobody is logged in to Spotify.", hint=_LOG_IN)
        form = {"grant_type": "refresh_token", "refresh_token": login["refresh_token"], "client_id": client}
        try:
            answer = ask(self._access["accounts_url"], form)
        except GrantRefused:
            credentials.keep({"spotify_login": None, "spotify_user_token": None})
            raise SetupError("The login at Spotify has come to its end.", hint="Log in to Spotify again.") from None
        login["refresh_token"] = answer.get("refresh_token") or login["refresh_token"]
        credentials.keep(
            {
                "spotify_login": json.dumps({**login, "client_id": client}),
                "spotify_user_token": token_entry(answer, client, self._clock()),
            }
        )
        return answer


def login_of(client_id: str) -> dict[str, Any] | None:
    """The login that was made with a client: ``refresh_token``, ``id`` and ``name`` (None before they are known).

    Raises
    ------
    SetupError
        When there is one that cannot be read.
    """
    login = _read("spotify_login", credentials.kept("spotify_login"))
    return login if login is not None and login.get("client_id") == client_id else None


def token_entry(answer: Mapping[str, Any], client_id: str, now: float) -> str:
    """An access token as it is kept."""
    lasts = answer.get("expires_in")
    lasts = float(lasts) if isinstance(lasts, (int, float)) and lasts > 0 else KEEP
    return json.dumps(
        {"client_id": client_id, "token": answer["access_token"], "until": now + min(KEEP, max(lasts - 100.0, 1.0))}
    )


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else of this user asks for a token, nor changes the login, meanwhile.

    Raises
    ------
    RetryableJobError
        When another process does so for longer than we wait.
    SetupError
        When the lock's file cannot be written.
    """
    import portalocker

    path = user_file().with_name("spotify.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with portalocker.Lock(path, "ab", timeout=PATIENCE):
            yield
    except portalocker.LockException:
        raise RetryableJobError("Another process is asking Spotify for a token, for very long.") from None
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror or error}.") from error


def ask(accounts_url: str, form: Mapping[str, str], authorization: str = "") -> dict[str, Any]:
    """Ask for a token.

    Parameters
    ----------
    accounts_url
        Where Spotify's accounts are.
    form
        What to send.
    authorization
        The header of that name; empty for none.

    Returns
    -------
    dict
        ``access_token``, ``expires_in`` and perhaps ``refresh_token``, all fit to be stored.

    Raises
    ------
    GrantRefused
        When the code or the refresh token is no longer good.
    SetupError
        When Spotify does not know the client.
    FatalJobError
        When it refuses for another reason.
    RateLimitedError
        When it asks us to wait.
    ServiceError
        When it is in trouble, answers strangely, or cannot be reached.
    """
    import httpx

    if urlsplit(accounts_url).scheme not in ("http", "https") or not urlsplit(accounts_url).hostname:
        raise SetupError(
            f"{accounts_url!r} is no address of Spotify.",
            hint="Set spotify_accounts_url to https://accounts.spotify.com.",
        )
    headers = {"authorization": authorization} if authorization else {}
    address = f"{accounts_url.rstrip('/')}/api/token"
    # Not repeated here: whether a refresh that broke was the one that counted is for the job's next attempt to see.
    response = told(lambda: httpx.post(address, data=dict(form), headers=headers, timeout=TIMEOUT))
    status = response.status_code
    if status == 429:
        pause = retry_after(response.headers.get("retry-after", ""))
        raise rate_limited(USUAL_PAUSE if pause is None else pause)
    if status == 408 or status >= 500:
        raise ServiceError(f"Spotify is in trouble: it answered {status}.")
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    if status == 200:
        return _checked(answer)
    raise _refused(answer, status)


def _checked(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict) or not _is_token(answer.get("access_token")):
        raise strange("there is no token")
    if answer.get("refresh_token") is not None and not _is_token(answer["refresh_token"]):
        raise strange("a token that is none")
    return answer


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_TOKEN and value.isascii() and value.isprintable()


def _refused(answer: Any, status: int) -> FatalJobError | SetupError:
    # Only the service's word is repeated: its sentence might hold what we sent.
    code = answer.get("error") if isinstance(answer, dict) else None
    code = code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else f"it answered {status}"
    if code == "invalid_grant":
        return GrantRefused("Spotify does not accept the login any more.", hint="Log in to Spotify again.")
    if code in ("invalid_client", "unauthorized_client"):
        return SetupError(
            "Spotify does not know this client id, or its secret is another one.",
            hint="Copy both from developer.spotify.com/dashboard into the settings.",
        )
    if 300 <= status < 400:
        return SetupError(
            "Spotify's accounts are not at this address.",
            hint="Set spotify_accounts_url to https://accounts.spotify.com.",
        )
    return FatalJobError(f"Spotify refuses to give a token: {code}.")


def _entry(name: str, client_id: str) -> dict[str, Any] | None:
    """A token that was kept; None also when it does not open any more, for another can be asked for."""
    try:
        entry = _read(name, credentials.kept(name))
    except SetupError as error:
        logger.info("%s", error)
        return None
    return entry if entry is not None and entry.get("client_id") == client_id else None


def _read(name: str, text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise SetupError(f"What is stored for {credentials.KEPT[name]} cannot be read.", hint="Log in again.")
    return document
