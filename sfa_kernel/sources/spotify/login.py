"""A person logs in to Spotify: authorization code with PKCE, which needs no secret.

`begin` makes the address to open. When the person has agreed, their browser is sent to this computer, where a
`Listener` takes the answer; a browser on another machine ends at a page that does not load, and its address is pasted.
Either way `answered` checks that it is the answer to this login, and `exchange`, in a job, makes tokens of it.

A login that has begun is kept in the encrypted store and nowhere else: it can be finished by any process of this user.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import logging
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from sfa_kernel import credentials
from sfa_kernel.errors import FatalJobError, ParameterError, RetryableJobError, SetupError, SfaError
from sfa_kernel.sources.spotify.client import Account, Client
from sfa_kernel.sources.spotify.tokens import (
    REDIRECT,
    GrantRefused,
    Tokens,
    alone,
    ask,
    client_id_of,
    login_of,
    token_entry,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["SCOPES", "Listener", "answered", "begin", "exchange", "log_out", "logged_in", "state"]

logger = logging.getLogger(__name__)

SCOPES = ("playlist-read-private", "playlist-read-collaborative", "user-library-read")
LISTENS = 300.0  # s
WAITS = 1800.0  # s; for how long an address can be pasted

_LONGEST_ADDRESS = 8000  # characters
_LONGEST_CODE = 2500
_PASTE = "Paste the whole address that the browser ended at after you agreed."


def begin(access: Mapping[str, Any], redirect: str = REDIRECT, *, clock: Callable[[], float] = time.time) -> str:
    """Begin a login, in place of one that has begun before.

    Parameters
    ----------
    access
        See `sfa_kernel.sources.spotify.tokens.access`.
    redirect
        Where the browser is sent with the answer: `Listener.redirect`.

    Returns
    -------
    str
        The address to open in a browser.

    Raises
    ------
    SetupError
        When there is no client id, or the login cannot be kept.
    """
    client = client_id_of(access)
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(32)
    pending = {
        "client_id": client,
        "verifier": verifier,
        "state": state,
        "redirect": redirect,
        "begun": clock(),
        "code": None,
    }
    credentials.keep({"spotify_pending": json.dumps(pending)})
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": client,
        "response_type": "code",
        "redirect_uri": redirect,
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge_method": "S256",
        "code_challenge": challenge,
    }
    return f"{access['accounts_url'].rstrip('/')}/authorize?{urlencode(query)}"


def answered(address: str, *, clock: Callable[[], float] = time.time) -> None:
    """Take the answer to the login that has begun; `exchange` then finishes it.

    Parameters
    ----------
    address
        What the browser was sent to, with the code in it.

    Raises
    ------
    ParameterError
        When it is no answer, or not to this login, or the person did not agree.
    SetupError
        When the login that has begun cannot be read.
    """
    answer = _answer(address)
    pending = _pending(clock())
    if pending is None:
        raise ParameterError("No login at Spotify is waiting for an answer.", hint="Log in again.")
    if not hmac.compare_digest(answer.get("state", "").encode(), str(pending["state"]).encode()):
        raise ParameterError("This is the answer to another login.", hint="Log in again, and use the newest page.")
    if "code" not in answer:
        credentials.keep({"spotify_pending": None})
        if answer["error"] == "access_denied":
            raise ParameterError("You did not agree, so nothing was changed.", hint="Log in again if you want to.")
        raise ParameterError(f"Spotify refused the login: {answer['error']}.", hint="Log in again.")
    credentials.keep({"spotify_pending": json.dumps({**pending, "code": answer["code"]})})


def exchange(access: Mapping[str, Any], *, clock: Callable[[], float] = time.time) -> Account:
    """Finish a login whose answer is there: for a job.

    Returns
    -------
    Account
        Who is logged in now; without a name when Spotify could not say.

    Raises
    ------
    SetupError
        When no login waits, Spotify does not take it, or the account may not use this client.
    RateLimitedError, ServiceError
        When Spotify cannot say now; the login is still there to be finished.
    """
    client = client_id_of(access)
    with alone():  # a refresh of the login before would put that back in place
        pending = _pending(clock())
        code = pending["code"] if pending is not None and pending["client_id"] == client else None
        if pending is not None and code is not None:
            _exchange(access, client, pending, clock())
        login = login_of(client)
    # A job that was killed after the tokens were stored goes on here.
    if login is None or (code is None and login.get("name") is not None):
        raise SetupError("No login at Spotify is waiting to be finished.", hint="Log in again.")
    try:
        with Client(access["url"], Tokens(access, clock=clock).user) as client_:
            account = client_.me()
    except RetryableJobError as error:
        logger.info("Who is logged in is not known: %s", error)
        account = Account("", "")
    except (SetupError, FatalJobError):
        with alone():
            credentials.keep({"spotify_login": None, "spotify_user_token": None})  # it would be of no use
        raise
    with alone():
        # The tokens may have been renewed meanwhile, or somebody has logged out.
        login = login_of(client)
        if login is not None:
            credentials.keep({"spotify_login": json.dumps({**login, "id": account.id, "name": account.name})})
    return account


def _exchange(access: Mapping[str, Any], client: str, pending: Mapping[str, Any], now: float) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": str(pending["code"]),
        "redirect_uri": str(pending["redirect"]),
        "client_id": client,
        "code_verifier": str(pending["verifier"]),
    }
    try:
        answer = ask(access["accounts_url"], form)
    except (GrantRefused, FatalJobError, SetupError) as error:
        credentials.keep({"spotify_pending": None})
        if isinstance(error, GrantRefused):
            raise SetupError("Spotify did not accept the login: it took too long.", hint="Log in again.") from None
        raise
    if not answer.get("refresh_token"):
        raise SetupError("Spotify gave no lasting login.", hint="Log in again.")
    login = {"client_id": client, "refresh_token": answer["refresh_token"], "id": None, "name": None}
    credentials.keep(
        {
            "spotify_login": json.dumps(login),
            "spotify_user_token": token_entry(answer, client, now),
            "spotify_pending": None,
        }
    )


def log_out() -> None:
    """Forget the login, and one that has begun. Nothing happens when there is none.

    Raises
    ------
    SetupError
        When the store is damaged or cannot be written.
    RetryableJobError
        When another process asks for a token all the time.
    """
    with alone():
        credentials.keep({"spotify_login": None, "spotify_user_token": None, "spotify_pending": None})


def logged_in(client_id: str | None) -> Account | None:
    """Who is logged in with a client; without a name when that is not known.

    Raises
    ------
    SetupError
        When the login that is stored cannot be read.
    """
    login = login_of(client_id) if client_id else None
    return None if login is None else Account(str(login.get("id") or ""), str(login.get("name") or ""))


def state(
    client_id: str | None, *, clock: Callable[[], float] = time.time
) -> Literal["none", "waiting", "working", "done"]:
    """How a login stands: whether it waits for the person, for its job, or is done.

    Raises
    ------
    SetupError
        When what is stored cannot be read.
    """
    pending = _pending(clock())
    if pending is not None and pending["client_id"] == client_id:
        return "waiting" if pending["code"] is None else "working"
    return "none" if logged_in(client_id) is None else "done"


class Listener:
    """Waits on this computer for the browser that comes back from a login.

    It takes only what comes from this computer, answers the browser with a small page, and ends once it has the answer
    or after five minutes.

    Parameters
    ----------
    done
        Told, from another thread, once: None when the answer is there, or why there is none.
    patience
        How long to wait [s].

    Raises
    ------
    SetupError
        When this computer lets no one listen.

    Examples
    --------
    >>> listener = Listener(lambda problem: print(problem or "Finish it."))  # doctest: +SKIP
    >>> webbrowser.open(begin(access, listener.redirect))  # doctest: +SKIP
    """

    def __init__(self, done: Callable[[str | None], None], *, patience: float = LISTENS) -> None:
        self._done = done
        self._over = threading.Event()
        self._lock = threading.Lock()
        try:
            self._server = _Server(("127.0.0.1", 0), _handler(self))
        except OSError as error:
            raise SetupError(
                f"No browser can be waited for on this computer: {error.strerror or error}.",
                hint="Paste the address that the browser ends at.",
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="spotify-login", daemon=True
        )
        self._thread.start()
        self._timer = threading.Timer(patience, self._end, ["Nobody agreed to the login in time."])
        self._timer.daemon = True
        self._timer.start()

    def __repr__(self) -> str:
        return f"Listener({self.redirect!r}{', over' if self._over.is_set() else ''})"

    @property
    def redirect(self) -> str:
        """Where the browser has to be sent."""
        return f"http://127.0.0.1:{self.port}/callback"

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self._server.server_address[1])

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._over.is_set()

    def close(self) -> None:
        """Stop waiting; nobody is told."""
        with self._lock:
            if self._over.is_set():
                return
            self._over.set()
        self._timer.cancel()
        self._server.shutdown()
        self._server.server_close()

    def _end(self, problem: str | None) -> None:
        if self._over.is_set():
            return
        self.close()
        try:
            self._done(problem)
        except Exception:
            logger.exception("What was to follow a login at Spotify failed")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # one of its own threads closes it

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A browser that went away; the default prints a traceback.
        logger.debug("A browser went away during a login at Spotify", exc_info=True)


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0  # s, for who connects and says nothing

        def do_GET(self) -> None:
            # Other names of this computer are for pages of others that try to come in.
            if self.headers.get("host") != f"127.0.0.1:{listener.port}" or urlsplit(self.path).path != "/callback":
                self._page(404, "Nothing here", "This address is for Spotify's answer to a login.")
                return
            problem = None
            try:
                answered(self.path)
            except ParameterError as error:
                if _waiting():
                    # Not the answer that is waited for: the right one may still come.
                    self._page(400, "Not logged in", str(error))
                    return
                problem = str(error)
            except SfaError as error:
                problem = str(error)
            if problem is None:
                self._page(200, "Almost there", "The studio finishes the login. You can close this page.")
            else:
                self._page(400, "Not logged in", problem)
            listener._end(problem)

        def _page(self, status: int, title: str, text: str) -> None:
            body = _PAGE.format(title=html.escape(title), text=html.escape(text)).encode()
            self.send_response(status)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.send_header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
            self.send_header("cache-control", "no-store")
            self.send_header("referrer-policy", "no-referrer")
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass  # the path holds the code

    return Handler


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:20vh auto;padding:0 1rem;
color:#e8e8ee;background:#14151a}}</style><h1>{title}</h1><p>{text}</p></html>
"""


def _answer(address: str) -> dict[str, str]:
    """State, and code or error, of the address that a browser was sent to."""
    _, mark, query = address.strip().partition("?")
    if not mark or len(query) > _LONGEST_ADDRESS:
        raise ParameterError("This is not the address of an answer.", hint=_PASTE)
    try:
        found = parse_qs(query.partition("#")[0], max_num_fields=50)
    except ValueError:
        found = {}
    fields = {name: values[0] for name, values in found.items()}
    if "code_challenge" in fields:
        raise ParameterError("This is the address where the login begins.", hint=_PASTE)
    if "code" in fields:
        code = fields["code"]
        if len(code) > _LONGEST_CODE or not code.isascii() or not code.isprintable():
            raise ParameterError("The code in this address is none.", hint=_PASTE)
        return {"state": fields.get("state", ""), "code": code}
    if "error" not in fields:
        raise ParameterError("There is no answer of Spotify in this address.", hint=_PASTE)
    error = fields["error"]
    known = re.fullmatch(r"[a-z_]{1,40}", error)
    return {"state": fields.get("state", ""), "error": error if known else "it does not say why"}


def _pending(now: float) -> dict[str, Any] | None:
    """The login that has begun; None when there is none, or it is too old."""
    text = credentials.kept("spotify_pending")
    if text is None:
        return None
    pending: dict[str, Any] = json.loads(text)
    return pending if abs(now - pending["begun"]) <= WAITS else None


def _waiting() -> bool:
    pending = _pending(time.time())
    return pending is not None and pending["code"] is None
