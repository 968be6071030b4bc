"""Keys of services: from the environment, or from an encrypted store of this user.

`get` looks in the service's variable (``SFA_LALAL_KEY``) and then in the store: ``credentials.json`` beside the
settings file, which other users cannot read. Each value in it is locked with AES-256-GCM, under a nonce of its own
and bound to its name. The key that locks is never in the store's folder nor in a library, so that a copy or a
backup of either gives nothing away. It is the first there is of:

1. ``SFA_CREDENTIALS_KEY``, 32 bytes in base64: for servers and containers;
2. an entry in the system's keyring, when the package ``keyring`` is installed and has one to talk to;
3. a key file in the user's state folder, which other users cannot read. It protects what is copied, not what is
   read here: a program that runs as this user can open the store.

A value is opened with whichever of the three it was locked with. `protection` says in words which one is in force.

What a login gives lies in the same store under the names in `KEPT`. No person sets it, so nothing here lists it: `keep`
and `kept` are for the code that logs in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import json
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import BusyError, ParameterError, SetupError
from sfa_kernel.settings import user_file
from sfa_kernel.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "KEPT",
    "SERVICES",
    "Known",
    "Secret",
    "Service",
    "get",
    "keep",
    "kept",
    "known",
    "protection",
    "put",
    "remove",
    "service",
]

KEY_VARIABLE = "SFA_CREDENTIALS_KEY"
FORMAT = 1
LONGEST = 4096  # characters of a value
PATIENCE = 10.0  # s to wait for another process

_KEYRING = ("sfa", "credentials")  # the entry's service and user name


@dataclass(frozen=True)
class Service:
    """A service that wants a key.

    Attributes
    ----------
    label
        Its name for people.
    variable
        The environment variable that its key may be in.
    """

    label: str
    variable: str


SERVICES = {
    "lalal": Service("lalal.ai", "SFA_LALAL_KEY"),
    "spotify_id": Service("Spotify, client id", "SFA_SPOTIFY_CLIENT_ID"),
    "spotify_secret": Service("Spotify, client secret", "SFA_SPOTIFY_CLIENT_SECRET"),
}
"""The services there are, by the name of their credential."""

KEPT = {
    "spotify_login": "the login at Spotify",
    "spotify_pending": "a login at Spotify that has begun",
    "spotify_user_token": "a token of Spotify",
    "spotify_app_token": "a token of Spotify",
}
"""What is kept that no person sets, and what it is called."""


class Secret(str):
    """The value of a credential: text whose ``repr``, and so that of whatever holds it, does not tell it.

    On its way to the work it lies in plans and arguments; what prints or logs those prints no key.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True)
class Known:
    """What may be said of a credential: all but its value.

    Attributes
    ----------
    name, label
        Its name, and that of its service for people.
    source
        ``"environment"`` or ``"store"``; None when there is none.
    changed_at
        When it was put into the store; None when it is not from there.
    """

    name: str
    label: str
    source: str | None
    changed_at: datetime | None


def service(name: str) -> Service:
    """The service of a credential.

    Raises
    ------
    ParameterError
        When no service has a credential of that name.
    """
    try:
        return SERVICES[name]
    except KeyError:
        raise ParameterError(
            "No service has a credential of that name.", hint=f"There is: {', '.join(SERVICES)}."
        ) from None


def get(name: str) -> Secret | None:
    """The value of a credential; None when there is none.

    Raises
    ------
    ParameterError
        When no service has a credential of that name.
    SetupError
        When the store is damaged, or the key that it was locked with is gone.
    """
    if value := _from_environment(name):
        return Secret(value)
    entry = _read().get(name)
    return None if entry is None else Secret(_open(name, entry))


def put(name: str, value: str) -> None:
    """Keep a credential in the store, in place of the one before.

    Raises
    ------
    ParameterError
        When no service has a credential of that name, or the value cannot be one.
    SetupError
        When the store is damaged or cannot be written; it stays as it is.
    BusyError
        When another process writes to it for longer than we wait.
    """
    service(name)
    value = value.strip()
    if not value:
        raise ParameterError("The credential is empty.", hint="Copy the whole of it.")
    if not _can_be_stored(value):
        raise ParameterError(
            "The credential is too long, or holds signs that no key has.", hint="Copy it again, in one line."
        )
    with _writing() as entries:
        entries[name] = _lock(name, value)


def remove(name: str) -> None:
    """Take a credential out of the store; one in the environment stays. Nothing happens when there is none.

    Raises
    ------
    ParameterError
        When no service has a credential of that name.
    SetupError
        When the store is damaged or cannot be written; it stays as it is.
    BusyError
        When another process writes to it for longer than we wait.
    """
    service(name)
    if name in _read():
        with _writing() as entries:
            entries.pop(name, None)


def keep(values: Mapping[str, str | None]) -> None:
    """Keep what a login gave, all of it at once or nothing; None takes an entry away.

    Parameters
    ----------
    values
        By names in `KEPT`: ASCII without line breaks, 4096 characters at most.

    Raises
    ------
    ParameterError
        When a value cannot be kept.
    SetupError
        When the store is damaged or cannot be written; it stays as it is.
    BusyError
        When another process writes to it for longer than we wait.
    """
    for name, value in values.items():
        if value is not None and not _can_be_stored(value):
            raise ParameterError(f"What was given for {KEPT[name]} cannot be kept.")
    with _writing() as entries:
        for name, value in values.items():
            if value is None:
                entries.pop(name, None)
            else:
                entries[name] = _lock(name, value)


def kept(name: str) -> Secret | None:
    """What was kept under a name in `KEPT`; None when there is nothing.

    Raises
    ------
    SetupError
        When the store is damaged, or the key that it was locked with is gone.
    """
    entry = _read().get(name)
    return None if entry is None else Secret(_open(name, entry))


def known() -> list[Known]:
    """Every service's credential, and where it is from.

    Raises
    ------
    SetupError
        When the store is damaged.
    """
    entries, out = _read(), []
    for name, owner in SERVICES.items():
        if _from_environment(name):
            out.append(Known(name, owner.label, "environment", None))
        elif name in entries:
            out.append(Known(name, owner.label, "store", datetime.fromisoformat(entries[name]["changed_at"])))
        else:
            out.append(Known(name, owner.label, None, None))
    return out


def protection() -> str:
    """What locks a credential that is stored now, as a sentence for people."""
    if os.environ.get(KEY_VARIABLE):
        return f"Stored keys are encrypted with the key in {KEY_VARIABLE}."
    if (ring := _keyring()) is not None:
        return f"Stored keys are encrypted with a key in the system's keyring ({ring.get_keyring().name})."
    return (
        f"Stored keys are encrypted with a key in {_key_file()}: a copy of the settings or of a library gives "
        "nothing away, but a program that runs as you can read them."
    )


def _can_be_stored(value: str) -> bool:
    return len(value) <= LONGEST and value.isascii() and value.isprintable()


def _from_environment(name: str) -> str:
    return os.environ.get(service(name).variable, "").strip()


# -- the store ----------------------------------------------------------------------------------------------------


def _store() -> Path:
    return user_file().with_name("credentials.json")


def _read() -> dict[str, dict[str, str]]:
    """What is in the store, by name: ``nonce``, ``locked``, ``key`` (which one, not itself) and ``changed_at``."""
    path = _store()
    try:
        document = json.loads(path.read_text("utf-8"))
        entries: dict[str, dict[str, str]] = document["credentials"]
        if document["format"] != FORMAT:
            raise SetupError(f"{path} was written by a newer version of this program.", hint="Update it.")
        for entry in entries.values():
            datetime.fromisoformat(entry["changed_at"])
            for part in ("nonce", "locked", "key"):
                base64.b64decode(entry[part], validate=True)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SetupError(f"The stored keys in {path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError):
        # Not chained: what JSON says of a file names what is in it.
        raise SetupError(
            f"The stored keys in {path} are damaged; nothing was changed.",
            hint="Put back a copy of that file, or move it away and set the keys again.",
        ) from None
    return entries


@contextmanager
def _writing() -> Iterator[dict[str, dict[str, str]]]:
    """The store's entries, to be changed by one process at a time; written when all went well."""
    import portalocker

    path = _store()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with portalocker.Lock(path.with_suffix(".lock"), "ab", timeout=PATIENCE):
            entries = _read()
            yield entries
            document = {"format": FORMAT, "credentials": entries}
            write_private(path, json.dumps(document, indent=2) + "\n")
    except portalocker.LockException:
        raise BusyError(f"Another process is writing to {path}.", hint="Try again in a moment.") from None
    except OSError as error:
        raise SetupError(
            f"The key cannot be stored in {error.filename or path}: {error.strerror or error}.",
            hint="Make its folder writable, or set the key in the environment.",
        ) from error


# -- the lock -----------------------------------------------------------------------------------------------------


def _lock(name: str, value: str) -> dict[str, str]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key, nonce = _key(), secrets.token_bytes(12)
    return {
        "nonce": base64.b64encode(nonce).decode(),
        "locked": base64.b64encode(AESGCM(key).encrypt(nonce, value.encode(), name.encode())).decode(),
        "key": _fingerprint(key),
        "changed_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _open(name: str, entry: dict[str, str]) -> str:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    what, again = (
        (KEPT[name], "log in again")
        if name in KEPT
        else (f"the key of {SERVICES[name].label}", f"set the key of {SERVICES[name].label} again")
    )
    key = next((key for key in _keys() if _fingerprint(key) == entry["key"]), None)
    if key is None:
        raise SetupError(
            f"What is stored for {what} was locked with another key than is here now.",
            hint=f"Bring back {KEY_VARIABLE}, the system's keyring or {_key_file()}, or {again}.",
        )
    try:
        nonce, locked = base64.b64decode(entry["nonce"]), base64.b64decode(entry["locked"])
        return AESGCM(key).decrypt(nonce, locked, name.encode()).decode()
    except (InvalidTag, ValueError):
        raise SetupError(
            f"What is stored for {what} in {_store()} is damaged; nothing was changed.",
            hint=f"Put back a copy of that file, or {again}.",
        ) from None


def _fingerprint(key: bytes) -> str:
    """Tells keys apart and gives nothing of them away: they are random, and this is no way back."""
    return base64.b64encode(hashlib.sha256(b"sfa credentials key " + key).digest()[:9]).decode()


def _keys() -> Iterator[bytes]:
    """The keys there are, the one in force first."""
    if text := os.environ.get(KEY_VARIABLE):
        yield _decoded(text, KEY_VARIABLE)
    if (ring := _keyring()) is not None and (text := _asked(ring.get_password)):
        yield _decoded(text, "The entry of sfa in the system's keyring")
    try:
        text = _key_file().read_text("ascii", "replace")
    except FileNotFoundError:
        return
    except OSError as error:
        raise SetupError(f"The key file {_key_file()} cannot be read: {error.strerror}.") from error
    yield _decoded(text, str(_key_file()))


def _key() -> bytes:
    """The key in force, made when there is none; called by one process at a time."""
    if os.environ.get(KEY_VARIABLE):
        return next(_keys())
    ring = _keyring()
    if (ring is None and _key_file().exists()) or (ring is not None and _asked(ring.get_password)):
        return next(_keys())
    key = secrets.token_bytes(32)
    text = base64.b64encode(key).decode()
    if ring is not None:
        _asked(ring.set_password, text)
    else:
        _key_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(_key_file(), f"{text}\n")
    return key


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SetupError(f"{where} is no key: it must be 32 bytes in base64.", hint="Correct it, or take it away.")
    return key


def _key_file() -> Path:
    from platformdirs import user_state_path

    # A name of its own: on some systems settings, data and state share the folder of a program.
    return user_state_path("sfa-keys", appauthor=False) / "credentials.key"


def _keyring() -> Any:
    """The module ``keyring``, when it is installed and has a keyring to talk to."""
    try:
        ring = importlib.import_module("keyring")
    except ImportError:
        return None
    # What only pretends, or keeps its entries in plain text, has a priority below 1.
    return ring if ring.get_keyring().priority >= 1 else None


def _asked(question: Callable[..., str | None], *more: str) -> str:
    """What the keyring answers to a question about our entry; empty when it has none."""
    try:
        return question(*_KEYRING, *more) or ""
    except Exception as error:
        # Each keyring has errors of its own: locked, refused, gone.
        raise SetupError(
            f"The system's keyring does not answer ({type(error).__name__}).",
            hint=f"Unlock it, or set {KEY_VARIABLE}.",
        ) from None
