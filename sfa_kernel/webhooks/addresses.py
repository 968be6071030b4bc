"""Where a webhook may go: never to addresses that only we can reach, unless a person allowed it.

Whoever registers a URL could else make this machine call its own services, the neighbours' or the cloud's
metadata. A name is judged by the addresses it leads to, at the moment of the connection: see
`sfa_kernel.webhooks.sending`.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["checked_url", "refusal", "service"]

# Ours to list: what `ipaddress` calls global has changed between Python versions.
_PRIVATE = [
    ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
]
_SPECIAL = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata service of most clouds
        "168.63.129.16/32",  # the host behind an Azure machine
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
_GLOBAL_IPV6 = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")


def refusal(host: str, addresses: Iterable[str], *, private: bool) -> tuple[str, str] | None:
    """Why a webhook may not go to a host, as sentence and hint; None when it may.

    Parameters
    ----------
    host, addresses
        A name or an address, and the addresses it leads to: one that is not allowed is one too many.
    private
        Whether addresses of this machine and of private networks are allowed. Link-local addresses, among
        them the metadata services of clouds, never are.
    """
    for address in addresses:
        ip = _plain(ip_address(address.partition("%")[0]))
        ours = any(ip in network for network in _PRIVATE)
        special = any(ip in network for network in _SPECIAL) or (ip.version == 6 and ip not in _GLOBAL_IPV6)
        if ours and not private:
            hint = "To allow this machine and private networks, set webhooks_private (SFA_WEBHOOKS_PRIVATE=1)."
        elif special and not ours:
            hint = "Give one that others can reach."
        else:
            continue
        leads = f"{host} is" if host == address else f"{host} leads to {address}, which is"
        return f"{leads} no address of the public internet.", hint
    return None


def _plain(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def checked_url(url: str, *, private: bool) -> str:
    """A URL in plain ASCII, if a webhook may have it.

    A name that cannot be looked up now passes: where it leads is checked with each delivery.

    Raises
    ------
    ParameterError
        When it is no URL for a webhook, or leads to an address that is not allowed.
    """
    try:
        parts, host, port = _parsed(url)
    except ValueError as error:
        raise ParameterError(
            f"{url!r} is no URL for a webhook: {error}.", hint="Give one such as https://example.org/hooks."
        ) from error
    refused = refusal(host, _addresses(host), private=private)
    if refused is not None:
        raise ParameterError(refused[0], hint=refused[1])
    place = f"[{host}]" if ":" in host else host
    place += "" if port is None else f":{port}"
    path = quote(parts.path or "/", "/%:@!$&'()*+,;=~")
    return urlunsplit((parts.scheme, place, path, quote(parts.query, "/%:@!$&'()*+,;=~?"), ""))


def _parsed(url: str) -> tuple[SplitResult, str, int | None]:
    if any(ord(letter) <= 32 or letter in "\\\x7f" for letter in url):
        raise ValueError("it contains spaces or signs that no URL may contain")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("it does not begin with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it contains a user name or password")
    try:
        # Also makes plain digits of unusual ones, as every resolver does.
        host = (parts.hostname or "").encode("idna").decode().rstrip(".")
    except UnicodeError:
        host = ""
    if not host or "%" in host:
        raise ValueError("it names no host")
    if parts.port == 0:
        raise ValueError("there is no port 0")
    return parts, host, parts.port


def service(url: str) -> str:
    """Host and port of a URL: what a circuit breaker stands for."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _addresses(host: str) -> list[str]:
    with suppress(OSError, UnicodeError):
        return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    return []
