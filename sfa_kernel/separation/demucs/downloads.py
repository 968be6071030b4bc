"""One file from a web server, taken up again where the connection broke."""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit, urlunsplit

from sfa_kernel.errors import FatalJobError, RateLimitedError, ServiceError
from sfa_kernel.headers import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

__all__ = ["download", "without_account"]

TIMEOUT = 30.0  # without any sign of life [s]
CONNECTIONS = 5  # how often a broken one is taken up again, and the first


def without_account(url: str) -> tuple[str, tuple[str, str] | None]:
    """A URL that may be shown and kept, and the user and password that it had."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, (unquote(parts.username), unquote(parts.password or ""))


def download(
    url: str, path: Path, *, account: tuple[str, str] | None = None, limit: int, at: Callable[[int], None]
) -> None:
    """Write what is at a URL to a file.

    Parameters
    ----------
    url
        ``http`` or ``https``.
    path
        Where to write it; what is there is replaced, and is left incomplete when the download fails.
    account
        User and password, where the server wants them.
    limit
        The most that may come [bytes].
    at
        Told how much has come [bytes]; it may raise to stop the download.

    Raises
    ------
    RateLimitedError
        When the server asks us to wait.
    ServiceError
        When it cannot be reached, breaks off again and again, is in trouble, or sends more than it should.
    FatalJobError
        When it does not have the file, or does not give it to us.
    """
    import httpx

    host = urlsplit(url).netloc
    with httpx.Client(auth=account, follow_redirects=True, timeout=TIMEOUT) as client, path.open("wb") as file:
        for left in reversed(range(CONNECTIONS)):
            try:
                _receive(client, url, file, limit, at)
            except httpx.TransportError as error:
                if left == 0 or (file.tell() == 0 and isinstance(error, httpx.ConnectError)):
                    reason = str(error) or "the connection was closed"
                    raise ServiceError(f"{host} cannot be reached: {reason}.") from error
            else:
                return


def _receive(client: httpx.Client, url: str, file: BinaryIO, limit: int, at: Callable[[int], None]) -> None:
    """Write what comes by one connection, from where the file ends."""
    begin = file.tell()
    wanted = {"accept-encoding": "identity", **({"range": f"bytes={begin}-"} if begin else {})}
    with client.stream("GET", url, headers=wanted) as response:
        _judge(urlsplit(url).netloc, response)
        if not response.headers.get("content-range", "").startswith(f"bytes {begin}-"):
            file.seek(0)  # the server gives all of it, whatever we ask for
            file.truncate()
        for block in response.iter_raw():
            file.write(block)
            if file.tell() > limit:
                raise ServiceError(f"{response.url.host} sends more than the file has.")
            at(file.tell())


def _judge(host: str, response: httpx.Response) -> None:
    status = response.status_code
    if status in (200, 206):
        return
    message = f"{host} answered {status} {responses.get(status, '')}".strip() + "."
    if status == 429:
        raise RateLimitedError(message, retry_after=retry_after(response.headers.get("retry-after", "")))
    if status == 408 or status >= 500:
        raise ServiceError(message)
    raise FatalJobError(message, hint="Somebody may have moved the file; files that you have can be imported.")
