from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sfa_kernel.studio import Studio
from tests.webhooks.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_key_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SFA_WEBHOOK_KEY", raising=False)
    monkeypatch.delenv("SFA_WEBHOOKS_PRIVATE", raising=False)


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers of these tests are on this machine."""
    monkeypatch.setenv("SFA_WEBHOOKS_PRIVATE", "1")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def studio(private: None, home: Path) -> Iterator[Studio]:
    with Studio.open(home) as studio:
        yield studio
