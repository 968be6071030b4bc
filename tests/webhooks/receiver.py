"""A receiver of webhooks on this machine. It verifies signatures by itself, as the specification says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

TIMEOUT = 60


@dataclass(frozen=True)
class Message:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value

    def genuine(self, secret: str) -> bool:
        """https://www.standardwebhooks.com, "Verifying webhooks"."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body])
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        given = [part.removeprefix("v1,") for part in self.headers["webhook-signature"].split() if part[:3] == "v1,"]
        fresh = abs(time.time() - int(self.headers["webhook-timestamp"])) < 300
        return fresh and any(hmac.compare_digest(expected, signature) for signature in given)


class Receiver:
    """Answers with the given statuses in turn, and with the last of them from then on."""

    def __init__(
        self, *answers: int | tuple[int, dict[str, str]], before: threading.Event | None = None, drip: bool = False
    ) -> None:
        self.messages: list[Message] = []
        self._answers: Sequence[int | tuple[int, dict[str, str]]] = answers or (204,)
        self._before = before
        self._drip = drip
        self._changed = threading.Condition()
        self._closing = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._take(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def secured(self, context: ssl.SSLContext) -> Receiver:
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return self

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def received(self, count: int) -> list[Message]:
        """The messages, once there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= count, TIMEOUT), self.messages
            return list(self.messages)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._changed:
            number = len(self.messages)
            self.messages.append(Message(request.path, headers, body))
            self._changed.notify_all()
        if self._before is not None:
            self._before.wait(TIMEOUT)
        while self._drip and not self._closing.wait(0.05):  # never a long silence, never an end
            try:
                request.wfile.write(b"HTTP/1.1 200 OK\r\n" if self._drip is True else b"x-more: 1\r\n")
            except OSError:
                return
            self._drip = "begun"
        answer = self._answers[min(number, len(self._answers) - 1)]
        status, extra = answer if isinstance(answer, tuple) else (answer, {})
        try:
            request.send_response(status)
            for name, value in {"content-length": "0", **extra}.items():
                request.send_header(name, value)
            request.end_headers()
        except OSError:
            pass  # it did not wait for us
