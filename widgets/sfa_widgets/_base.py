"""The base of every widget: requests from the page, events to it, and errors that people can read."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from html import escape
from pathlib import Path
from typing import Any

import anywidget

__all__ = ["Bundle", "Handler", "SfaWidget", "WidgetsNotBuiltError"]

Handler = Callable[[dict[str, Any], list[memoryview]], Any]
"""Answers one method: ``fn(params, buffers) -> result`` or ``-> (result, buffers)``.

The result is JSON-able, buffers are bytes-like. An exception with ``message`` and ``hint`` is shown as it is.
"""

STATIC = Path(__file__).parent / "static"
# Requests run beside each other: a song that loads must not hold up the list that scrolls.
WORKERS = 4

logger = logging.getLogger("sfa_widgets")


class WidgetsNotBuiltError(RuntimeError):
    """The JavaScript or the styles of a widget are missing from this installation."""

    @property
    def message(self) -> str:
        """The line for people, as a page shows it."""
        return str(self)


class Bundle:
    """A built file of one widget family, read when a widget of it is made.

    Parameters
    ----------
    name
        File name below ``static``.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def there(self) -> bool:
        """Whether it was built: a family may have no styles."""
        return (STATIC / self.name).is_file()

    def __str__(self) -> str:
        """Return the file's text.

        Raises
        ------
        WidgetsNotBuiltError
            When the file is not there.
        """
        try:
            return (STATIC / self.name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise WidgetsNotBuiltError(f"The widgets are not built ({self.name} is missing): run `make js`.") from None


def _bundle_of_family(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
    """Answer ``widget.bundle``: styles and JavaScript of a family, for a page that loads it when it is wanted."""
    family = str(params.get("family"))
    if not family.isidentifier():
        raise WidgetsNotBuiltError(f"There is no widget family {family!r}.")
    styles = Bundle(f"{family}.css")
    return {"css": str(styles) if styles.there else ""}, [str(Bundle(f"{family}.js")).encode()]


class _Workers:
    """The threads that answer requests, for all widgets of the process; started with the first request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, fn: Callable[..., None], *args: Any) -> Future[None]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="sfa-widgets")
            return self._pool.submit(fn, *args)


_workers = _Workers()


class SfaWidget(anywidget.AnyWidget):
    """A widget whose page asks by method name and whose kernel answers from handlers.

    Messages: the page sends ``{id, method, params}`` with buffers, and ``{id, cancel: true}``; the kernel
    replies ``{id, result}`` with buffers or ``{id, error: {message, hint}}``, and pushes ``{event, data}``.

    Parameters
    ----------
    handlers
        Handlers by method name; more come with :meth:`handle`.
    **traits
        Values for the widget's traits.

    Raises
    ------
    TypeError
        For a keyword that is no trait of the widget.
    WidgetsNotBuiltError
        When the widget's JavaScript or styles are missing.
    """

    def __init__(self, handlers: Mapping[str, Handler] | None = None, **traits: Any) -> None:
        known = {name for name in self.trait_names() if not name.startswith("_")}
        unknown = sorted(set(traits) - known)
        if unknown:
            # traitlets would swallow a misspelt name without a word
            own = sorted(known & set(type(self).class_own_traits()))
            wrong = ", ".join(map(repr, unknown))
            raise TypeError(f"{type(self).__name__} has no {wrong}; it knows {', '.join(own) or 'no traits'}.")
        self._handlers: dict[str, Handler] = {"widget.bundle": _bundle_of_family, **(handlers or {})}
        self._running: dict[str, Future[None] | None] = {}
        self._running_lock = threading.Lock()
        # The page sees the parts of one message together only if one thread sends at a time.
        self._send_lock = threading.Lock()
        super().__init__(**traits)
        self.on_msg(self._receive)

    def handle(self, method: str, fn: Handler) -> None:
        """Let ``fn(params, buffers)`` answer a method; it replaces the one before."""
        self._handlers[method] = fn

    def push(self, event: str, data: Mapping[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Send an event to every view of this widget; callable from any thread.

        Parameters
        ----------
        event
            Name, as the page's listeners know it.
        data
            JSON-able payload.
        buffers
            Bytes-like objects that arrive as binary.
        """
        self._post({"event": event, "data": dict(data)}, buffers)

    def __repr__(self) -> str:
        """Name the widget without an address, so that a notebook's outputs stay the same."""
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._facts().items())})"

    def _facts(self) -> dict[str, Any]:
        """What the repr tells."""
        return {}

    def _picture(self) -> str:
        """Return a small HTML fragment that stands for the widget where no JavaScript runs."""
        return f"<p>{escape(repr(self))}</p>"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        try:
            return {**data, "text/html": self._picture()}, metadata
        except Exception:
            # the picture is an extra: the live widget must show without it
            logger.debug("No static picture of %s", type(self).__name__, exc_info=True)
            return bundle

    def _ask(self, method: str, params: dict[str, Any]) -> tuple[Any, list[Any]]:
        """Answer a method here: the result and its buffers."""
        answer = self._handlers[method](params, [])
        return answer if _has_buffers(answer) else (answer, [])

    def _receive(self, _widget: object, content: object, buffers: Sequence[Any]) -> None:
        """Take a message of the page; runs on the kernel's message thread and returns at once."""
        if not isinstance(content, dict) or not isinstance(content.get("id"), str):
            return
        request: str = content["id"]
        with self._running_lock:
            if content.get("cancel"):
                future = self._running.pop(request, None)
                if future is not None:
                    future.cancel()
                return
            self._running[request] = None
        params = content.get("params")
        future = _workers.submit(
            self._answer,
            request,
            str(content.get("method", "")),
            dict(params) if isinstance(params, dict) else {},
            [memoryview(buffer) for buffer in buffers or ()],
        )
        with self._running_lock:
            if request in self._running:
                self._running[request] = future

    def _answer(self, request: str, method: str, params: dict[str, Any], buffers: list[memoryview]) -> None:
        reply: dict[str, Any]
        out: Sequence[Any] = ()
        try:
            if method not in self._handlers:
                raise _UnknownMethodError(method)
            result = self._handlers[method](params, buffers)
            if _has_buffers(result):
                result, out = result
            reply = {"id": request, "result": result}
        except Exception as error:
            reply, out = {"id": request, "error": _explain(error, method)}, ()
        with self._running_lock:
            # A request that was cancelled meanwhile has nobody waiting.
            wanted = self._running.pop(request, self) is not self
        if not wanted:
            return
        try:
            self._post(reply, out)
        except Exception as error:
            # the result was no JSON, or the comm is gone; in the first case the page must not wait in vain
            self._post({"id": request, "error": _explain(error, method)}, ())

    def _post(self, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        with self._send_lock:
            if self.comm is not None:
                self.send(content, list(buffers))


class _UnknownMethodError(Exception):
    def __init__(self, method: str) -> None:
        super().__init__(method)
        self.message = f"This widget does not answer “{method}”."
        self.hint = "The page and the kernel may be of different versions; reload the page."


def _has_buffers(answer: object) -> bool:
    return isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[1], list | tuple)


def _explain(error: Exception, method: str) -> dict[str, Any]:
    """Turn an exception into what the page shows."""
    message = getattr(error, "message", None)
    if isinstance(message, str) and message:
        return {"message": message, "hint": getattr(error, "hint", None) or None}
    logger.error("The handler of %s failed", method, exc_info=error)
    return {"message": "Something went wrong inside the kernel; see the log.", "hint": None}
