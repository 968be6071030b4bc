"""The dashboard's server: who gets the page, whose kernel is whose, and when a kernel ends."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import websockets.exceptions
from websockets.sync.client import connect

from sfa_kernel.server.voila import PAGE_POLICY
from tests.server.launch import Server, finish, start, wait_until, write_notebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.server.conftest import Library


def open_page(client: httpx.Client) -> str:
    """Open the dashboard; the id of its kernel."""
    page = client.get("/")
    assert page.status_code == 200
    assert "here" in page.text
    return kernel_of(page.text)


def kernel_of(page: str) -> str:
    match = re.search(r'<script id="jupyter-config-data" type="application/json">(.*?)</script>', page)
    assert match is not None
    return str(json.loads(match[1])["kernelId"])


def is_running(server: Server, kernel_id: str) -> bool:
    return any(any(kernel_id in word for word in kernel.cmdline()) for kernel in server.kernels())


def leave(client: httpx.Client, kernel_id: str) -> httpx.Response:
    """What the page sends when it is left."""
    return client.post(f"/voila/api/shutdown/{kernel_id}", data={"_xsrf": client.cookies.get("_xsrf", "")})


def socket_opens(server: Server, kernel_id: str, cookies: dict[str, str], origin: str | None = None) -> bool:
    url = f"{server.base.replace('http', 'ws')}/api/kernels/{kernel_id}/channels?session_id=test"
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    try:
        with connect(url, additional_headers=headers, origin=origin, open_timeout=10, proxy=None):  # type: ignore[arg-type]
            return True
    except websockets.exceptions.InvalidStatus as refusal:
        if refusal.response.status_code != 403:
            raise
        return False


@pytest.fixture
def browser(dashboard: Server) -> Iterator[httpx.Client]:
    """A browser that opened the address with the token."""
    with dashboard.browser() as client:
        yield client


def test_the_token_opens_the_page_and_leaves_the_address(dashboard: Server) -> None:
    with dashboard.client(token=False) as client:
        answer = client.get("/", params={"token": dashboard.token, "theme": "light"})
        assert (answer.status_code, answer.headers["location"]) == (302, "/?theme=light")
        signed_in = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("username"))
        assert "HttpOnly" in signed_in
        assert "SameSite=Lax" in signed_in
        page = client.get("/?theme=light")
        assert page.status_code == 200
        assert dashboard.token not in page.text
        leave(client, kernel_of(page.text))


def test_the_page_may_reach_this_server_only(browser: httpx.Client) -> None:
    page = browser.get("/")
    assert page.headers["content-security-policy"] == PAGE_POLICY
    assert page.headers["x-frame-options"] == "SAMEORIGIN"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in page.headers["cache-control"]
    addresses = set(re.findall(r"https?://[^\"'\s<>)]+", page.text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "<title>Sound Forge Alchemy</title>" in page.text
    assert "Opening the studio" in page.text
    leave(browser, kernel_of(page.text))


def test_a_stranger_is_sent_to_the_sign_in_page(dashboard: Server) -> None:
    with dashboard.client(token=False) as client:
        for path in (
            "/",
            "/?token=guess",
            "/voila/files/dashboard.ipynb",
            "/voila/render/dashboard.ipynb",
            "/anything",
        ):
            answer = client.get(path)
            assert answer.status_code == 302
            assert answer.headers["location"].startswith("/login?next=")
        page = client.get("/login", params={"next": '/"><script>'})
        assert page.status_code == 200
        assert page.headers["content-security-policy"] == PAGE_POLICY
        assert '"><script>' not in page.text


def test_the_sign_in_page_takes_the_token(dashboard: Server) -> None:
    with dashboard.client(token=False) as client:
        client.get("/login")
        form = {"_xsrf": client.cookies["_xsrf"]}
        refused = client.post("/login", data={**form, "password": "guess"})
        assert refused.status_code == 401
        assert "not the token" in refused.text
        assert client.get("/").status_code == 302
        assert client.post("/login", data={"password": dashboard.token}).status_code == 403  # another site's form
        accepted = client.post("/login?next=//evil.example/", data={**form, "password": dashboard.token})
        assert (accepted.status_code, accepted.headers["location"]) == (302, "/")
        leave(client, open_page(client))


def test_nothing_is_served_beside_the_page(browser: httpx.Client) -> None:
    for path in ("/voila/files/dashboard.ipynb", "/dashboard.ipynb", "/voila/query/0", "/api/contents", "/favicon.ico"):
        assert browser.get(path).status_code == 404


def test_another_name_for_this_machine_is_refused(dashboard: Server) -> None:
    with dashboard.client() as client:
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/sfa/health", headers={"Host": "evil.example"}).status_code == 403


def test_a_kernel_ends_when_its_page_is_left(dashboard: Server, browser: httpx.Client) -> None:
    kernel = open_page(browser)
    assert is_running(dashboard, kernel)
    assert leave(browser, kernel).status_code == 204
    wait_until(lambda: not is_running(dashboard, kernel), "the kernel has ended")


def test_two_goodbyes_are_one(dashboard: Server, browser: httpx.Client) -> None:
    kernel = open_page(browser)
    # Voila's script and ours may both send it; the second is late or finds nothing, and harms nobody.
    assert {leave(browser, kernel).status_code, leave(browser, kernel).status_code} <= {204, 403}
    wait_until(lambda: not is_running(dashboard, kernel), "the kernel has ended")


def test_another_site_cannot_end_a_kernel(dashboard: Server, browser: httpx.Client) -> None:
    kernel = open_page(browser)
    assert browser.post(f"/voila/api/shutdown/{kernel}").status_code == 403
    assert is_running(dashboard, kernel)
    leave(browser, kernel)


def test_a_kernel_answers_only_the_browser_it_belongs_to(dashboard: Server, browser: httpx.Client) -> None:
    kernel = open_page(browser)
    assert browser.get(f"/api/kernels/{kernel}").status_code == 200
    with dashboard.browser() as other:
        assert other.get(f"/api/kernels/{kernel}").status_code == 403
        assert leave(other, kernel).status_code == 403
        headers = {"X-XSRFToken": other.cookies.get("_xsrf", "")}
        assert other.delete(f"/api/kernels/{kernel}", headers=headers).status_code == 403
        assert not socket_opens(dashboard, kernel, dict(other.cookies))
    assert not socket_opens(dashboard, kernel, {})
    assert not socket_opens(dashboard, kernel, dict(browser.cookies), origin="http://evil.example")
    assert socket_opens(dashboard, kernel, dict(browser.cookies), origin=dashboard.base)
    leave(browser, kernel)


def test_a_kernel_that_waits_for_a_page_belongs_to_nobody(dashboard: Server, browser: httpx.Client) -> None:
    leave(browser, open_page(browser))
    (waiting,) = wait_until(dashboard.kernels, "a kernel stands ready")
    identifier = re.search(r"kernel-([0-9a-f-]{36})", " ".join(waiting.cmdline()))
    assert identifier is not None
    assert browser.get(f"/api/kernels/{identifier[1]}").status_code == 403
    assert not socket_opens(dashboard, identifier[1], dict(browser.cookies))


def test_a_page_left_while_it_opens_takes_its_kernel_along(library: Library, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    source = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)"
    notebook = write_notebook(tmp_path / "slow.ipynb", source)
    server = start("dashboard", library.home, notebook=notebook, log=tmp_path / "log")
    try:
        with server.browser() as client, client.stream("GET", "/") as answer:
            page = ""
            for part in answer.iter_text():
                page += part
                if re.search(r"kernelId.*</script>", page, re.DOTALL):
                    break
            kernel = kernel_of(page)
            assert is_running(server, kernel)
        wait_until(lambda: not is_running(server, kernel), "the kernel has ended")
    finally:
        gate.touch()
        finish(server)


@pytest.mark.parametrize(
    ("source", "told", "hidden"),
    [
        (
            "from sfa_kernel.errors import SetupError\nraise SetupError('The <library> is gone.', hint='Look for it.')",
            "The &lt;library&gt; is gone. Look for it.",
            "Traceback",
        ),
        ("secret = 'in the source'\n1 / 0", "ZeroDivisionError", "in the source"),
    ],
)
def test_an_error_is_one_sentence(library: Library, tmp_path: Path, source: str, told: str, hidden: str) -> None:
    notebook = write_notebook(tmp_path / "broken.ipynb", source)
    server = start("dashboard", library.home, notebook=notebook, log=tmp_path / "log")
    try:
        with server.browser() as client:
            page = client.get("/").text
            assert "The studio could not open" in page
            assert told in page
            assert hidden not in page
        assert "Traceback" in server.log.read_text()
    finally:
        finish(server)
