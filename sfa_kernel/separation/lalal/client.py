"""What is said to lalal.ai, and what its answers mean: API v1, as specified in version 1.1.0.

Every call is a POST with the license key in a header. Calls are repeated a few times when the service is in trouble
or cannot be reached: none of them does more when it is repeated, for a submit carries a key of its own.

Neither the license key nor the address of a result, which is a key by itself, is ever logged or part of an error.
"""

from __future__ import annotations

import json
import logging
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from uuid import UUID, uuid4

from sfa_kernel.errors import DiskFullError, FatalJobError, RateLimitedError, ServiceError, SetupError
from sfa_kernel.headers import attachment, retry_after
from sfa_kernel.storage import disk_is_full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import httpx

__all__ = [
    "LEGAL_PACKS",
    "LONGEST_CHECK",
    "Client",
    "KeyUsed",
    "LinkExpired",
    "NoBatches",
    "Refusal",
    "Upload",
    "VoicePack",
]

logger = logging.getLogger(__name__)

LONGEST_CHECK = 200  # tasks in one call
LONGEST_BATCH = 100  # orders in one call
LEGAL_PACKS = ("ALEX_KAYE", "STASIA_FAYE", "NICOLAAS_HAAS", "NIK_ZEL", "OLIA_CHEBO", "YVAR_DE_GROOT", "VETRANA")

_NAME = "lalal.ai"
_PIECE = 1 << 16  # bytes
_REDIRECTS = 5
_GONE = (401, 403, 404, 410)  # what the address of a result answers when it is no longer good
_NO_BATCHES = "batch_not_avaliable"  # the spelling is theirs
_HINTS = {
    "exceeded_duration": "The account has too few minutes left: buy minutes, or choose fewer stems or a region.",
    "max_duration": "The song is too long for this account: choose a region of it.",
    "exceeded_size": "The file is too large for this account: choose a region of it.",
    _NO_BATCHES: "Order one by one.",
}


class KeyUsed(FatalJobError):  # noqa: N818 - what has happened, for those who can tell what it means
    """A submit was repeated after its task had begun, whose number we never learned."""


class NoBatches(FatalJobError):  # noqa: N818 - what is the matter, for those who can do without
    """The account cannot order in batches."""


class LinkExpired(ServiceError):  # noqa: N818 - what has happened, for those who can ask for another
    """The address of a result is no longer good."""


@dataclass(frozen=True)
class Upload:
    """A file that the service has.

    Attributes
    ----------
    id
        To name it by.
    expires
        Until when it is kept [s since 1970].
    """

    id: str
    expires: float


@dataclass(frozen=True)
class Refusal:
    """Why one order of a batch was not taken.

    Attributes
    ----------
    code
        The service's word, such as ``"exceeded_duration"``.
    message
        The service's sentence.
    """

    code: str
    message: str

    @property
    def error(self) -> FatalJobError | ServiceError:
        """The same as an error."""
        return _refused(self.message, self.code)


@dataclass(frozen=True)
class VoicePack:
    """A voice that a voice can be changed to.

    Attributes
    ----------
    id
        To name it by.
    name
        For people.
    created
        When it was made [s since 1970]; None for those of the service.
    """

    id: str
    name: str
    created: int | None = None


class Client:
    """A connection to the service, for one thread.

    Parameters
    ----------
    url
        Where it is.
    key
        The license key.
    timeout
        How long it may be silent [s].
    pauses
        How long to wait before each further try [s]; their number is that of the tries.
    sleep
        How to wait; may raise to stop.

    Attributes
    ----------
    request_ids : list of str
        How the service names the calls that were made, for its support.

    Notes
    -----
    All methods raise

    - `SetupError` when the license key is missing or not accepted;
    - `FatalJobError` when the service refuses, with its own words;
    - `RateLimitedError` when it asks us to wait;
    - `ServiceError` when it is in trouble, too slow, or cannot be reached.

    Examples
    --------
    >>> with Client("https://www.lalal.ai", key) as client:  # doctest: +SKIP
    ...     client.minutes_left()
    1234.5
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        timeout: float = 60.0,
        pauses: Sequence[float] = (1.0, 2.0, 4.0),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import httpx

        if not key:
            raise SetupError(
                f"There is no license key for {_NAME}.",
                hint="Put it into the environment as SFA_LALAL_KEY, or into the settings of the studio.",
            )
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise SetupError(f"{url!r} is no address of {_NAME}.", hint="Set lalal_url to https://www.lalal.ai.")
        key = key.strip()
        if not (key.isascii() and key.isprintable()):  # what cannot be sent would be shown by whoever refuses to
            raise _key_not_accepted()
        self.request_ids: list[str] = []
        self._base = url.rstrip("/")
        self._key = key
        self._pauses = tuple(pauses)
        self._sleep = sleep
        self._http = httpx.Client(timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0)), follow_redirects=False)

    def __repr__(self) -> str:
        return f"Client({self._base!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def minutes_left(self) -> float:
        """Minutes that can still be spent."""
        return _number(self._ask("limits/minutes_left/"), "minutes_left")

    def voice_packs(self) -> list[VoicePack]:
        """The voices there are: the service's own, then those that the account has trained."""
        packs = _field(self._ask("voice_packs/list/"), "packs", list)
        own = [
            VoicePack(_field(pack, "pack_id", str), _field(pack, "name", str), _field(pack, "created", int))
            for pack in packs
        ]
        return [*(VoicePack(name, name.replace("_", " ").title()) for name in LEGAL_PACKS), *own]

    def upload(self, path: Path, *, name: str = "", at: Callable[[float], None] = lambda _: None) -> Upload:
        """Send a file, straight from the disk.

        Parameters
        ----------
        path
            The file.
        name
            What to call it; its own name when empty.
        at
            Told the share that is sent, 0..1; may raise to stop.
        """
        size = path.stat().st_size

        def body() -> Iterator[bytes]:
            sent = 0
            with path.open("rb") as file:
                while piece := file.read(_PIECE):
                    yield piece
                    sent += len(piece)
                    at(min(1.0, sent / size))

        headers = {
            "content-type": "application/octet-stream",
            "content-length": str(size),
            "content-disposition": attachment(name or path.name),
        }
        answer = self._repeated("upload/", lambda: self._post("upload/", headers, body()))
        return Upload(_uuid(answer, "id"), _number(answer, "expires"))

    def submit(
        self, service: str, source_id: str, presets: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> str:
        """Order work on a file.

        Parameters
        ----------
        service
            ``"stem_separator"``, ``"multistem"``, ``"demuser"``, ``"voice_clean"`` or ``"change_voice"``.
        source_id
            The file, as `upload` named it.
        presets
            What to do, as the specification has it for that service.
        idempotency_key
            The same for every try of one order (UUID 4); a new one when None.

        Returns
        -------
        str
            The task's number.

        Raises
        ------
        KeyUsed
            When a task of that key has begun already.
        """
        path = "change_voice/" if service == "change_voice" else f"split/{service}/"
        order = _order(source_id, presets, idempotency_key)
        return _uuid(self._ask(path, order), "task_id")

    def submit_batch(
        self, service: str, orders: Sequence[tuple[str, Mapping[str, Any], str | None]]
    ) -> list[str | Refusal]:
        """Order work on up to 100 files at once; each order is taken or refused by itself.

        Parameters
        ----------
        service
            ``"stem_separator"``, ``"demuser"`` or ``"voice_clean"``.
        orders
            Of each its file, presets and idempotency key; see `submit`.

        Returns
        -------
        list
            For each order the task's number, or why it was refused.
        """
        if not 1 <= len(orders) <= LONGEST_BATCH:
            raise ValueError(f"a batch has 1 to {LONGEST_BATCH} orders, not {len(orders)}")
        answer = self._ask(f"split/batch/{service}/", {"items": [_order(*order) for order in orders]})
        results = _field(answer, "results", list)
        if len(results) != len(orders):
            raise _strange("a batch answered in part")
        return [
            _uuid(result, "task_id")
            if _field(result, "status", str) == "success"
            else Refusal(_field(result, "code", str), _field(result, "error", str))
            for result in results
        ]

    def check(self, task_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """How up to 200 tasks are, in a single try: 30 a minute are allowed, and the board says when.

        Returns
        -------
        dict
            For each task its ``status`` (progress, success, error, cancelled, server_error) and what goes with it.
        """
        if not 1 <= len(task_ids) <= LONGEST_CHECK:
            raise ValueError(f"a check asks for 1 to {LONGEST_CHECK} tasks, not {len(task_ids)}")
        answers = _field(self._ask("check/", {"task_ids": list(task_ids)}, pauses=()), "result", dict)
        return {task: answer for task, answer in answers.items() if isinstance(answer, dict)}

    def cancel(self, task_ids: Sequence[str]) -> dict[str, str]:
        """Stop tasks; for each an empty text, or why it was not stopped."""
        return _outcomes(self._ask("cancel/", {"task_ids": list(task_ids)}))

    def cancel_all(self) -> dict[str, str]:
        """Stop all tasks of the account, whoever began them; for each an empty text, or why it was not stopped."""
        return _outcomes(self._ask("cancel/all/"))

    def delete(self, source_id: str) -> None:
        """Delete a file and what was made of it; its running tasks are stopped."""
        self._ask("delete/", {"source_id": source_id})

    def download(self, url: str, path: Path, *, at: Callable[[float], None] = lambda _: None) -> None:
        """Fetch a result, straight to the disk; a transfer that breaks goes on where it broke.

        Parameters
        ----------
        url
            Its address, from `check`. The license key is not sent there.
        path
            Where to.
        at
            Told the share that is there, 0..1; may raise to stop.

        Raises
        ------
        LinkExpired
            When the address is no longer good: ask `check` for another.
        DiskFullError
            When there is no room.
        """
        mark: dict[str, str] = {}
        self._repeated("a result", lambda: self._fetch(url, path, mark, at))

    def _fetch(self, url: str, path: Path, mark: dict[str, str], at: Callable[[float], None]) -> None:
        """One try of a download; ``mark`` keeps between tries which version of the file it was."""
        have = path.stat().st_size if path.exists() and mark else 0
        headers = {"accept-encoding": "identity"}
        if have:
            headers |= {"range": f"bytes={have}-", "if-range": mark["version"]}
        with self._found(url, headers) as response:
            if response.status_code in _GONE:
                raise LinkExpired(f"A result of {_NAME} is no longer at its address.")
            if response.status_code == 416:
                mark.clear()
                raise ServiceError(f"{_NAME} gave another file than before.")
            _judge(response.status_code, response.headers, b"")
            begin = have if response.status_code == 206 else 0
            # A weak mark tells of the meaning of a file only, not of its bytes.
            version = response.headers.get("etag") or response.headers.get("last-modified") or ""
            mark.clear()
            if version and not version.startswith("W/"):
                mark["version"] = version
            length = response.headers.get("content-length", "")
            total = begin + int(length) if length.isdigit() else None
            have = begin
            try:
                with path.open("r+b" if begin else "wb") as file:
                    file.seek(begin)
                    for piece in response.iter_raw():  # as it comes: what is held back is lost when it breaks
                        file.write(piece)
                        have += len(piece)
                        at(min(1.0, have / total) if total else 0.0)
                    file.truncate()
            except OSError as error:
                if disk_is_full(error):
                    raise DiskFullError("There is no room for the stems.", hint="Free some space.") from error
                raise
        if have == 0 or (total is not None and have != total):
            raise ServiceError(f"{_NAME} sent {have} of {total} bytes of a result.")

    def _found(self, url: str, headers: dict[str, str]) -> AbstractContextManager[httpx.Response]:
        """The answer to a GET, behind its redirects, as a context."""

        @contextmanager
        def found() -> Iterator[httpx.Response]:
            address = url
            for _ in range(_REDIRECTS):
                parts = urlsplit(address)
                if parts.scheme not in ("http", "https") or not parts.hostname:
                    raise _strange("a result has no address")
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                # httpx logs addresses. It sees that of the host only; the rest goes straight on the wire.
                with self._http.stream(
                    "GET",
                    f"{parts.scheme}://{parts.netloc}",
                    headers=headers,
                    extensions={"target": target.encode("ascii", "backslashreplace")},
                ) as response:
                    if response.status_code not in (301, 302, 303, 307, 308):
                        yield response
                        return
                    address = urljoin(address, response.headers.get("location", ""))
            raise _strange("a result is sent from one address to the next")

        return found()

    def _ask(self, path: str, body: Any = None, *, pauses: Sequence[float] | None = None) -> Any:
        """Call with a body of JSON, or with none."""
        headers = {} if body is None else {"content-type": "application/json"}
        content = b"" if body is None else json.dumps(body).encode()
        return self._repeated(path, lambda: self._post(path, headers, content), pauses)

    def _post(self, path: str, headers: Mapping[str, str], content: bytes | Iterator[bytes]) -> Any:
        response = self._http.post(
            f"{self._base}/api/v1/{path}", headers={**headers, "x-license-key": self._key}, content=content
        )
        name = response.headers.get("x-request-id", "")
        if name:
            self.request_ids.append(name)
        # Of a task that takes long, hundreds of checks go well.
        level = logging.DEBUG if path == "check/" and response.is_success else logging.INFO
        logger.log(level, "%s %s: %d, request %s", _NAME, path, response.status_code, name or "unnamed")
        _judge(response.status_code, response.headers, response.content)
        try:
            return response.json()
        except ValueError:
            raise _strange("an answer is no JSON") from None

    def _repeated(self, what: str, call: Callable[[], Any], pauses: Sequence[float] | None = None) -> Any:
        """Call until it succeeds, as often as may be."""
        for pause in (*(self._pauses if pauses is None else pauses), None):
            try:
                return self._told(call)
            except (RateLimitedError, LinkExpired):
                raise
            except ServiceError as error:
                if pause is None:
                    raise
                logger.info("%s %s: %s Trying again in %g s.", _NAME, what, error.message, pause)
            self._sleep(pause)
        return None  # never reached: the last try returns or raises

    def _told(self, call: Callable[[], Any]) -> Any:
        """Call, with the errors of the connection as ours."""
        import httpx

        try:
            return call()
        except httpx.TimeoutException as error:
            raise ServiceError(f"{_NAME} did not answer in time.") from error
        except httpx.ConnectError as error:
            # What the system calls it is no sentence, and stays in the log.
            raise ServiceError(f"{_NAME} cannot be reached.", hint="Check the network.") from error
        except httpx.TransportError as error:
            raise ServiceError(f"The connection to {_NAME} broke.") from error


def _order(source_id: str, presets: Mapping[str, Any], idempotency_key: str | None) -> dict[str, Any]:
    return {"source_id": source_id, "presets": dict(presets), "idempotency_key": idempotency_key or str(uuid4())}


def _judge(status: int, headers: Mapping[str, str], body: bytes) -> None:
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise _key_not_accepted()
    if status == 429:
        raise RateLimitedError(f"{_NAME} is asked too often.", retry_after=retry_after(headers.get("retry-after", "")))
    if status == 408 or status >= 500:
        raise ServiceError(f"{_NAME} is in trouble: it answered {status}.")
    if 300 <= status < 400:
        raise SetupError(f"{_NAME} is not at this address.", hint="Set lalal_url to https://www.lalal.ai.")
    detail, code = _reason(body)
    raise _refused(detail or f"It answered {status}.", code)


def _reason(body: bytes) -> tuple[str, str]:
    """The sentence and the code of a refusal."""
    try:
        answer = json.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    detail = answer.get("detail", "")
    if isinstance(detail, list):
        problems = [problem for problem in detail if isinstance(problem, dict)]
        detail = "; ".join(
            f"{'.'.join(map(str, problem.get('loc', ())))}: {problem.get('msg', '')}" for problem in problems
        )
    return (detail if isinstance(detail, str) else json.dumps(detail)), str(answer.get("code", ""))


def _refused(detail: str, code: str) -> FatalJobError | ServiceError:
    words = " ".join(detail.split()).rstrip(".")
    if code == "internal_error":
        return ServiceError(f"{_NAME} is in trouble: {words}.")
    if code == "idempotency_key_used":
        return KeyUsed(
            f"{_NAME} has begun this task, but the connection broke before it named it.",
            hint="Its minutes may be spent. Start it again to order it anew.",
        )
    kind = NoBatches if code == _NO_BATCHES else FatalJobError
    return kind(f"{_NAME} refuses: {words}.", hint=_HINTS.get(code, ""))


def _key_not_accepted() -> SetupError:
    return SetupError(
        f"{_NAME} does not accept the license key.",
        hint="Check SFA_LALAL_KEY or the key in the settings of the studio, and that the account may use the API.",
    )


def _strange(what: str) -> ServiceError:
    return ServiceError(f"{_NAME} answered in a way we do not understand: {what}.")


def _field(answer: Any, name: str, kind: type | tuple[type, ...]) -> Any:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind):
        raise _strange(f"there is no {name}")
    return value


def _number(answer: Any, name: str) -> float:
    # The specification has some as numbers and gives them as text in its examples.
    try:
        number = float(_field(answer, name, (int, float, str)))
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _strange(f"{name} is no number")
    return number


def _uuid(answer: Any, name: str) -> str:
    # It becomes the name of a file, so it is what it should be or nothing.
    try:
        return str(UUID(_field(answer, name, str)))
    except ValueError:
        raise _strange(f"{name} is no UUID") from None


def _outcomes(answer: Any) -> dict[str, str]:
    results = _field(answer, "result", dict)
    return {
        task: "" if _field(result, "status", str) == "success" else _field(result, "error", str)
        for task, result in results.items()
    }
