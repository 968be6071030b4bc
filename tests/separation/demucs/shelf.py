"""A web server with files of weights, which can be as troublesome as real ones."""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType


@dataclass
class Shelf:
    """What it has, and how it answers.

    Attributes
    ----------
    files
        Contents by path, such as ``/hybrid_transformer/955717e8-8726e21a.th``.
    statuses
        What to answer instead, in turn.
    cuts
        After how many bytes to break off, in turn.
    stalls
        Whether it goes silent where it would break off, until it is closed.
    ranges
        Whether it gives parts of files.
    asked
        The ranges that were asked for, in order; empty text for a whole file.
    accounts
        The users and passwords that were told.
    silent
        Set when it has gone silent.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    stalls: bool = False
    ranges: bool = True
    asked: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    url: str = ""
    silent: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Shelf:
        shelf = self
        self._closing = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shelf.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("range", "")
        self.asked.append(asked)
        if account := request.headers.get("authorization", ""):
            self.accounts.append(base64.b64decode(account.removeprefix("Basic ")).decode())
        status = self.statuses.pop(0) if self.statuses else 200 if request.path in self.files else 404
        if status != 200:
            request.send_response(status)
            request.send_header("retry-after", "7")
            request.send_header("content-length", "0")
            request.end_headers()
            return
        data = self.files[request.path]
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        request.send_response(206 if begin else 200)
        if begin:
            request.send_header("content-range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        request.send_header("content-length", str(len(data) - begin))
        request.end_headers()
        end = begin + self.cuts.pop(0) if self.cuts else len(data)
        request.wfile.write(data[begin:end])
        if self.stalls:
            self.silent.set()
            self._closing.wait()
