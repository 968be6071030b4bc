"""The routes that both servers share: audio by HTTP Range, cover art, exports to take away, health.

A page names a track, a stem or an export by its id and nothing else; the catalogue says which file that is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import Awaitable, Callable
from http.client import responses
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar
from uuid import UUID

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, authenticated

from sfa_kernel.errors import BusyError, NotFoundError, SfaError
from sfa_kernel.headers import attachment
from sfa_kernel.pipeline.media import MediaFile, audio_file, cover_file, export_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HEADERS", "ArtHandler", "AudioHandler", "ExportHandler", "HealthHandler", "parse_range", "routes"]

T = TypeVar("T")
Verb = Callable[..., Awaitable[None]]

logger = logging.getLogger(__name__)

CHUNK = 256 * 1024
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
BYTE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
# Cover art comes from strangers' files: what a browser would run as a document stays a download.
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


# Action and resource are always spelled out: a bare `@authorized` takes them from the first handler that is
# asked, and keeps them for every other that inherits the method.
reads_audio: Callable[[Verb], Verb] = authorized("read", "sfa-audio")
reads_art: Callable[[Verb], Verb] = authorized("read", "sfa-art")
reads_exports: Callable[[Verb], Verb] = authorized("read", "sfa-exports")


class ByteRange(NamedTuple):
    """Part of a file: ``start`` is the first byte, ``stop`` the one after the last."""

    start: int
    stop: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Read a ``Range`` header (RFC 9110, section 14).

    Returns
    -------
    ByteRange or None
        None when the whole file is to be sent: no header, another unit, several ranges, or not understood.

    Raises
    ------
    ValueError
        When the range lies outside the file (status 416).
    """
    match = BYTE_RANGE.fullmatch(header) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if first:
        start = int(first)
        stop = min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None  # not a range at all, says the RFC: answer as if it were not there
    elif last:
        start, stop = max(0, size - int(last)), size
    else:
        return None
    if start >= stop:
        raise ValueError(f"The file has {size} bytes.")
    return ByteRange(start, stop)


class SfaHandler(JupyterHandler):
    """Base of our routes: plain refusals, and errors as ``application/problem+json`` (RFC 9457)."""

    @property
    def content_security_policy(self) -> str:
        """Nothing we send here is a document."""
        return "default-src 'none'; frame-ancestors 'none'; sandbox"

    def set_default_headers(self) -> None:
        """Add the headers of every answer, whichever server we are in."""
        super().set_default_headers()
        for name, value in HEADERS.items():
            self.set_header(name, value)
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def get_login_url(self) -> str:
        """Refuse: a player or a script cannot fill in a login form."""
        raise HTTPError(403, "Sign in first: open the page with its token.")

    def compute_etag(self) -> None:
        """Leave tags to the handlers: tornado would hash the body."""
        return

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Send a problem document instead of an HTML page."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if status_code == 405:
            self.set_header("Allow", "GET, HEAD")
        elif status_code == 503:
            self.set_header("Retry-After", "1")
        self.send_problem(status_code, error.log_message if isinstance(error, HTTPError) else None)

    def send_problem(self, status_code: int, detail: str | None = None) -> None:
        """Answer with what went wrong, and end the answer."""
        title = responses.get(status_code, "Error")
        self.set_status(status_code)
        self.set_header("Content-Type", "application/problem+json")
        self.set_header("Cache-Control", "no-store")
        problem = {"type": "about:blank", "title": title, "status": status_code, "detail": detail or title}
        self.finish(json.dumps(problem))


class MediaHandler(SfaHandler):
    """Sends the file behind an id. Subclasses own their verbs, so that each names what it guards."""

    async def send(self, identifier: str, find: Callable[[Path, UUID], MediaFile]) -> None:
        """Answer a GET or HEAD request.

        Raises
        ------
        HTTPError
            404 for an unknown id, 503 while the catalogue is busy.
        """
        media = await self._find(identifier, find)
        tag = f'"{media.etag}"'
        self.set_header("Etag", tag)
        self.set_header("Accept-Ranges", "bytes")
        if media.name:
            self.set_header("Content-Disposition", attachment(media.name))
        # "no-cache" lets the browser keep the file but ask each time: the answer is then 304 and no body.
        self.set_header("Cache-Control", "private, no-cache")
        if self.check_etag_header():
            self.set_status(304)
            return
        try:
            file, size = await _in_thread(_open, media.path)
        except OSError as error:
            raise HTTPError(404, "The file is no longer in the library's folder.") from error
        try:
            await self._send_file(file, size, media.mime, tag)
        finally:
            file.close()

    async def _find(self, identifier: str, find: Callable[[Path, UUID], MediaFile]) -> MediaFile:
        if not CANONICAL_UUID.fullmatch(identifier):
            raise HTTPError(404, "There is no such track, stem or export.")
        try:
            return await _in_thread(find, self.settings["sfa_home"], UUID(identifier))
        except NotFoundError as error:
            raise HTTPError(404, _literal(error)) from error
        except BusyError as error:
            raise HTTPError(503, _literal(error)) from error
        except SfaError as error:
            logger.exception("Cannot look up %s", identifier)
            raise HTTPError(500, _literal(error)) from error

    async def _send_file(self, file: BinaryIO, size: int, mime: str, tag: str) -> None:
        header = self.request.headers.get("Range")
        if self.request.headers.get("If-Range", tag) != tag:
            header = None  # the page holds a part of another file: send the whole new one
        try:
            part = parse_range(header, size)
        except ValueError as error:
            self.set_header("Content-Range", f"bytes */{size}")
            self.send_problem(416, str(error))
            return
        self.set_header("Content-Type", mime)
        if part is not None:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part.start}-{part.stop - 1}/{size}")
        start, stop = part or (0, size)
        self.set_header("Content-Length", str(stop - start))
        if self.request.method == "HEAD":
            return
        await _in_thread(file.seek, start)
        left = stop - start
        while left > 0:
            chunk = await _in_thread(file.read, min(CHUNK, left))
            if not chunk:
                # Shorter than it was a moment ago, and the length is promised already: tornado cuts the line.
                raise OSError(f"{file.name} ended {left} bytes early")
            left -= len(chunk)
            try:
                self.write(chunk)
                await self.flush()
            except StreamClosedError:
                return


class AudioHandler(MediaHandler):
    """``GET {base}/sfa/audio/<id>``: the audio of a track or stem, whole or in part."""

    @authenticated
    @reads_audio
    async def get(self, identifier: str) -> None:
        """Send the file, or the part that ``Range`` asks for."""
        await self.send(identifier, audio_file)

    @authenticated
    @reads_audio
    async def head(self, identifier: str) -> None:
        """Send the headers only."""
        await self.send(identifier, audio_file)


class ArtHandler(MediaHandler):
    """``GET {base}/sfa/art/<id>``: the cover art of a track."""

    @authenticated
    @reads_art
    async def get(self, identifier: str) -> None:
        """Send the picture."""
        await self.send(identifier, _picture)

    @authenticated
    @reads_art
    async def head(self, identifier: str) -> None:
        """Send the headers only."""
        await self.send(identifier, _picture)


class ExportHandler(MediaHandler):
    """``GET {base}/sfa/exports/<id>``: a file to take away, under its name."""

    @authenticated
    @reads_exports
    async def get(self, identifier: str) -> None:
        """Send the file, or the part that ``Range`` asks for: a broken download goes on where it was."""
        await self.send(identifier, export_file)

    @authenticated
    @reads_exports
    async def head(self, identifier: str) -> None:
        """Send the headers only."""
        await self.send(identifier, export_file)


class HealthHandler(SfaHandler):
    """``GET {base}/sfa/health``: whether the server answers; tells a stranger nothing else."""

    @allow_unauthenticated
    def get(self) -> None:
        """Send ``{"status": "ok"}``."""
        self.set_header("Cache-Control", "no-store")
        self.finish({"status": "ok"})

    @allow_unauthenticated
    def head(self) -> None:
        """Send the headers only."""
        self.set_header("Cache-Control", "no-store")


def routes(base_url: str = "/") -> list[tuple[str, type[SfaHandler]]]:
    """Our routes as tornado knows them, below ``base_url``."""
    base = re.escape(base_url.rstrip("/"))
    return [
        (rf"{base}/sfa/audio/(.*)", AudioHandler),
        (rf"{base}/sfa/art/(.*)", ArtHandler),
        (rf"{base}/sfa/exports/(.*)", ExportHandler),
        (rf"{base}/sfa/health", HealthHandler),
    ]


async def _in_thread(function: Callable[..., T], *args: Any) -> T:
    """Run what may wait for a disk or a lock beside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


def _open(path: Path) -> tuple[BinaryIO, int]:
    file = path.open("rb")
    return file, os.fstat(file.fileno()).st_size


def _picture(home: Path, identifier: UUID) -> MediaFile:
    media = cover_file(home, identifier)
    return media if media.mime in PICTURES else MediaFile(media.path, "application/octet-stream", media.etag)


def _literal(error: SfaError) -> str:
    """A message that survives tornado's ``%`` formatting."""
    return str(error).replace("%", "%%")
