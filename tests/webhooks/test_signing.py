"""Secrets: derived, never stored; signatures as receivers' libraries expect them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from sfa_kernel.errors import SetupError
from sfa_kernel.storage import Storage
from sfa_kernel.webhooks import signing

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture
def storage(home: Path) -> Storage:
    return Storage(home)


def test_a_signature_is_that_of_the_reference_libraries() -> None:
    signature = signing.sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_webhook_has_a_secret_of_its_own_that_lasts(storage: Storage) -> None:
    signing.key(storage, make=True)
    first = signing.secret(storage, ONE)
    assert first.startswith("whsec_")
    assert signing.secret(storage, TWO) != first
    signing.key(storage, make=True)
    assert signing.secret(storage, ONE) == first


def test_only_its_owner_can_read_the_key(storage: Storage) -> None:
    signing.key(storage, make=True)
    (key,) = storage.home.glob("webhooks.*")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_key_may_come_from_the_environment_and_leaves_no_file(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_WEBHOOK_KEY", "a key of the person's own")
    signing.key(storage, make=True)
    own = signing.secret(storage, ONE)
    assert not list(storage.home.glob("webhooks.*"))
    monkeypatch.setenv("SFA_WEBHOOK_KEY", "another key of the person's own")
    assert signing.secret(storage, ONE) != own


def test_a_key_that_is_gone_is_not_replaced_in_silence(storage: Storage) -> None:
    with pytest.raises(SetupError, match=r"is not there\. Put webhooks\.key back"):
        signing.secret(storage, ONE)


def test_a_key_that_can_be_guessed_is_refused(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SFA_WEBHOOK_KEY", "short")
    with pytest.raises(SetupError, match="too short"):
        signing.key(storage, make=True)
