"""The routes of both servers: what a player, a stranger and a curious person get."""

from __future__ import annotations

import http.client
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from sfa_kernel.server.handlers import ByteRange, parse_range, routes
from tests.server.conftest import make_library

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.conftest import Library
    from tests.server.launch import Server


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", ByteRange(0, 100)),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=10-19", ByteRange(10, 20)),
        ("bytes=90-1000", ByteRange(90, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("Bytes = 1 - 2", ByteRange(1, 3)),
        ("bytes=-", None),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", None),
        ("seconds=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-99999999999999999999", None),
    ],
)
def test_a_range_header_is_read_as_the_standard_says(header: str | None, expected: ByteRange | None) -> None:
    assert parse_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_a_range_outside_the_file_cannot_be_answered(header: str) -> None:
    with pytest.raises(ValueError, match="100 bytes"):
        parse_range(header, 100)


def test_a_track_and_a_stem_arrive_whole_with_type_and_tag(server: Server, library: Library) -> None:
    with server.client() as client:
        for identifier, content in ((library.track, library.audio), (library.stem, library.stem_audio)):
            answer = client.get(f"/sfa/audio/{identifier}")
            assert answer.status_code == 200
            assert answer.content == content
            assert answer.headers["content-type"] == "audio/flac"
            assert answer.headers["accept-ranges"] == "bytes"
            assert answer.headers["cache-control"].startswith("private")
            head = client.head(f"/sfa/audio/{identifier}")
            assert head.content == b""
            for name in ("content-length", "content-type", "etag", "accept-ranges"):
                assert head.headers[name] == answer.headers[name]


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [("bytes=0-", 0, None), ("bytes=0-99", 0, 100), ("bytes=300000-800000", 300000, 800001), ("bytes=-16", -16, None)],
)
def test_a_part_arrives_as_asked(server: Server, library: Library, header: str, start: int, stop: int | None) -> None:
    with server.client() as client:
        answer = client.get(f"/sfa/audio/{library.track}", headers={"Range": header})
    expected = library.audio[start:stop]
    first = start % len(library.audio)
    assert answer.status_code == 206
    assert answer.content == expected
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(library.audio)}"


def test_a_part_outside_the_file_is_refused_with_its_size(server: Server, library: Library) -> None:
    with server.client() as client:
        answer = client.get(f"/sfa/audio/{library.stem}", headers={"Range": "bytes=1600-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1600"
    assert answer.json()["status"] == 416


def test_what_the_browser_has_already_is_not_sent_again(server: Server, library: Library) -> None:
    url = f"/sfa/audio/{library.track}"
    with server.client() as client:
        tag = client.head(url).headers["etag"]
        again = client.get(url, headers={"If-None-Match": tag})
        changed = client.get(url, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
        same = client.get(url, headers={"Range": "bytes=0-9", "If-Range": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert (changed.status_code, len(changed.content)) == (200, len(library.audio))
    assert (same.status_code, same.content) == (206, library.audio[:10])


def test_cover_art_is_a_picture(server: Server, library: Library) -> None:
    with server.client() as client:
        answer = client.get(f"/sfa/art/{library.track}")
        assert (answer.status_code, answer.content) == (200, library.picture)
        assert answer.headers["content-type"] == "image/png"
        assert client.get(f"/sfa/art/{library.stem}").status_code == 404


def test_only_ids_of_this_library_are_known(server: Server, library: Library, tmp_path: Path) -> None:
    foreign = make_library(tmp_path / "foreign")
    with server.client() as client:
        for identifier in (foreign.track, foreign.stem, uuid.uuid4()):
            answer = client.get(f"/sfa/audio/{identifier}")
            assert answer.status_code == 404
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail"} <= answer.json().keys()


@pytest.mark.parametrize(
    "trick",
    [
        "",
        "library.duckdb",
        "../library.duckdb",
        "..%2flibrary.duckdb",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "{track}.flac",
        "{track}/../{track}",
        "{track}%00",
        "{track}%0d%0aX: y",
        "{{{track}}}",
        "urn:uuid:{track}",
        "{bare}",
        "%25s%25s%25n",
    ],
)
def test_no_path_reaches_a_file(server: Server, library: Library, trick: str) -> None:
    path = trick.format(track=library.track, bare=library.track.hex)
    host = server.base.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=10)  # sends a path as it is
    try:
        connection.request(
            "GET", f"/sfa/audio/{path}".replace(" ", "%20"), headers={"Authorization": f"token {server.token}"}
        )
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    assert answer.status == 404
    assert b"root:" not in body
    assert b"DUCK" not in body


def test_a_stranger_gets_health_and_nothing_else(server: Server, library: Library) -> None:
    with server.client(token=False) as client:
        assert client.get("/sfa/health").json() == {"status": "ok"}
        for path in (f"/sfa/audio/{library.track}", f"/sfa/art/{library.track}", "/sfa/audio/x"):
            for answer in (client.get(path), client.head(path), client.get(path, params={"token": "guess"})):
                assert answer.status_code == 403
        page = client.get("/" if server.kind == "dashboard" else "/lab")
        assert page.status_code == 302
        assert page.headers["location"].startswith("/login")


def test_our_routes_only_read(server: Server, library: Library) -> None:
    with server.client() as client:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = client.request(method, f"/sfa/audio/{library.track}")
            assert answer.status_code == 405
            assert answer.headers["allow"] == "GET, HEAD"


def test_every_answer_carries_the_headers_that_guard_it(server: Server, library: Library) -> None:
    with server.client() as client:
        for path in (f"/sfa/audio/{library.track}", f"/sfa/art/{library.track}", "/sfa/audio/x", "/sfa/health"):
            headers = client.get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "SAMEORIGIN"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "frame-ancestors" in headers["content-security-policy"]


class _Allows(Authorizer):
    """Allows one resource, and remembers what it was asked."""

    def __init__(self, resource: str) -> None:
        super().__init__()
        self.resource = resource
        self.asked: list[tuple[str, str]] = []

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return resource == self.resource


async def _ask(library: Library, allowed: str, refused: str) -> SimpleNamespace:
    authorizer = _Allows(f"sfa-{allowed}")
    application = Application(
        routes("/"),
        sfa_home=library.home,
        identity_provider=IdentityProvider(token="t"),  # noqa: S106 - of this test only
        authorizer=authorizer,
        cookie_secret=b"secret",
        base_url="/",
    )
    socket, port = bind_unused_port()
    server = HTTPServer(application)
    server.add_socket(socket)
    headers = {"Authorization": "token t"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
        codes = [
            (await client.request(method, f"/sfa/{kind}/{library.track}")).status_code
            for kind in (allowed, refused, allowed, refused)
            for method in ("GET", "HEAD")
        ]
    server.stop()
    await server.close_all_connections()
    return SimpleNamespace(codes=codes, asked=authorizer.asked)


@pytest.mark.parametrize(("allowed", "refused"), [("audio", "art"), ("art", "audio"), ("art", "exports")])
def test_a_permission_never_leaks_to_the_other_route(library: Library, allowed: str, refused: str) -> None:
    import asyncio

    # Whoever is allowed is asked first: Jupyter's decorator, used bare, would let the second in as well.
    result = asyncio.run(_ask(library, allowed, refused))
    assert result.codes == [200, 200, 403, 403] * 2
    assert result.asked == [("read", f"sfa-{kind}") for kind in (allowed, allowed, refused, refused)] * 2
