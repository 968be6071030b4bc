"""One message to one receiver: what a worker process does for a delivery.

The connection goes to the very address that was checked: a name that is looked up twice could lead somewhere
else the second time (DNS rebinding). The certificate is still that of the name. Proxies of the environment
are not used: they would look up the name themselves, out of sight of the check.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sfa_kernel.errors import FatalJobError, RateLimitedError, ServiceError
from sfa_kernel.headers import retry_after
from sfa_kernel.webhooks.addresses import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from httpx import URL, AsyncClient

    from sfa_kernel.progress import Progress

__all__ = ["answered", "work"]

_ANSWER = "The receiver answered "


def work(
    *,
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    private: bool,
    timeout: float,
    scratch: Path,
    progress: Progress,
) -> int:
    """Post a message, and return the status of the receipt.

    Parameters
    ----------
    url, body, headers
        What to post where.
    private
        Whether addresses of this machine and of private networks are allowed.
    timeout
        How long it may take, from looking up the name to the answer's headers [s].

    Raises
    ------
    RateLimitedError
        When the receiver asks us to wait.
    ServiceError
        When it cannot be reached, is too slow, or is in trouble itself.
    FatalJobError
        When it refuses the message, sends us elsewhere, or is where webhooks may not go.
    """
    import httpx

    host = urlsplit(url).netloc
    try:
        status, answer = asyncio.run(_post(url, body, headers, private, timeout))
    except (TimeoutError, httpx.TimeoutException) as error:
        raise ServiceError(f"{host} did not answer within {timeout:g} s.") from error
    except (OSError, httpx.TransportError) as error:
        raise ServiceError(f"{host} cannot be reached: {str(error) or 'the connection was closed'}.") from error
    _judge(status, answer)
    return status


def answered(reason: str) -> int | None:
    """The status in an error of `work`, if the receiver answered at all."""
    digits = reason.removeprefix(_ANSWER)[:3]
    return int(digits) if reason.startswith(_ANSWER) and digits.isdigit() else None


async def _post(
    url: str, body: bytes, headers: Mapping[str, str], private: bool, timeout: float
) -> tuple[int, Mapping[str, str]]:
    import certifi
    import httpx

    target = httpx.URL(url)
    context = ssl.create_default_context()  # what this machine trusts, and what browsers do
    context.load_verify_locations(certifi.where())
    # A total: a limit for each read would let a receiver drip for ever.
    async with asyncio.timeout(timeout), httpx.AsyncClient(verify=context, trust_env=False, timeout=timeout) as client:
        addresses = await _look_up(target.host, target.port or (443 if target.scheme == "https" else 80))
        refused = refusal(target.host, addresses, private=private)
        if refused is not None:
            raise FatalJobError(refused[0], hint=refused[1])
        *others, last = addresses
        for address in others:  # a host of two protocols may have one that does not lead there
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await _post_to(client, target, address, body, headers, timeout / len(addresses))
        return await _post_to(client, target, last, body, headers, timeout)


async def _post_to(
    client: AsyncClient, target: URL, address: str, body: bytes, headers: Mapping[str, str], connect_timeout: float
) -> tuple[int, Mapping[str, str]]:
    """Post to one address of a host, which is named in the request and in the certificate."""
    async with client.stream(
        "POST",
        target.copy_with(host=address),
        headers={**headers, "host": target.netloc.decode("ascii")},
        content=body,
        extensions={"sni_hostname": target.host, "timeout": {"connect": connect_timeout}},
        follow_redirects=False,
    ) as response:
        return response.status_code, response.headers  # the body of the answer is not read


async def _look_up(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _judge(status: int, answer: Mapping[str, str]) -> None:
    if 200 <= status < 300:
        return
    message = f"{_ANSWER}{status} {responses.get(status, '')}".strip() + "."
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RateLimitedError(message, retry_after=retry_after(answer.get("retry-after", "")))
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= 500:
        raise ServiceError(message)
    if 300 <= status < 400:
        raise FatalJobError(message, hint="Redirects are not followed: add the URL that it points to.")
    raise FatalJobError(message)
