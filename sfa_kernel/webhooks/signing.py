"""Secrets and signatures.

No secret is stored: each webhook's is derived from its id and one key, which is in the environment
(``SFA_WEBHOOK_KEY``) or in the file ``webhooks.key`` of the library's folder, and never in the catalogue, so
that neither a copy of it nor a backup gives the secrets away.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from typing import TYPE_CHECKING

from sfa_kernel.errors import SetupError
from sfa_kernel.storage import write_private

if TYPE_CHECKING:
    from uuid import UUID

    from sfa_kernel.storage import Storage

__all__ = ["key", "secret", "sign"]

VARIABLE = "SFA_WEBHOOK_KEY"
FILE = "webhooks.key"
SHORTEST = 16  # characters


def key(storage: Storage, *, make: bool = False) -> bytes:
    """The key of a library.

    Parameters
    ----------
    make
        Make one when there is none; inside a write transaction, so that two processes cannot make two.

    Raises
    ------
    SetupError
        When there is none, or it is too short.
    """
    path = storage.path(FILE)
    text = os.environ.get(VARIABLE, "")
    if not text and path.exists():
        text = path.read_text("ascii").strip()
    elif not text and make:
        text = secrets.token_hex(32)
        write_private(path, f"{text}\n")
    if len(text) < SHORTEST:
        problem = "too short" if text else "not there"
        raise SetupError(
            f"The key that signs webhooks is {problem}.",
            hint=f"Put {FILE} back into the library's folder, or set {VARIABLE}; or add the webhooks again.",
        )
    return text.encode()


def secret(storage: Storage, webhook_id: UUID) -> str:
    """The secret that a webhook's receiver verifies with.

    Raises
    ------
    SetupError
        When the library's key is gone.
    """
    derived = hmac.digest(key(storage), b"sfa webhook " + webhook_id.bytes, "sha256")
    return "whsec_" + base64.b64encode(derived).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header ``webhook-signature`` of a message.

    Parameters
    ----------
    secret
        ``whsec_`` and the key in base64.
    message_id, timestamp
        The headers ``webhook-id`` and ``webhook-timestamp`` [s since the epoch].
    body
        The bytes as they are sent.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, "sha256")
    return "v1," + base64.b64encode(digest).decode()
