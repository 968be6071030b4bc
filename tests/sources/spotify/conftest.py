from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.credentials import Secret
from sfa_kernel.sources.spotify.client import Client
from tests.sources.spotify.server import CLIENT_ID, CLIENT_SECRET, Spotify

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def spotify() -> Iterator[Spotify]:
    with Spotify() as spotify:
        yield spotify


@pytest.fixture
def naps() -> list[float]:
    """How long a client has waited, each time."""
    return []


@pytest.fixture
def client(spotify: Spotify, naps: list[float]) -> Iterator[Client]:
    """For who is logged in."""

    def token(renew: bool) -> Secret:
        tokens.append(spotify.access_token() if renew or not tokens else tokens[-1])
        return Secret(tokens[-1])

    tokens: list[str] = []
    with Client(spotify.url, token, timeout=0.5, pauses=(0.01, 0.02), sleep=naps.append) as client:
        yield client


@pytest.fixture
def access(spotify: Spotify) -> dict[str, Any]:
    return {
        "url": spotify.url,
        "accounts_url": spotify.accounts_url,
        "client_id": Secret(CLIENT_ID),
        "client_secret": Secret(CLIENT_SECRET),
    }
