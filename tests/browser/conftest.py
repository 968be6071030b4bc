"""A real Chromium, and a page that writes down what it asks for and complains about."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from tests.server.launch import Server, finish, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 30_000  # ms; how long anything may take before a test calls it broken

# Said by Voila's and Jupyter's own scripts about each other; they harm nobody.
HARMLESS = (
    "Unsatisfied version",
    "No satisfying version",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@dataclass
class Watch:
    """What a page asked for, and what it complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        text = message.text
        if message.type in {"error", "warning"} and not any(known in text for known in HARMLESS):
            self.complaints.append(f"{message.type}: {text}")

    def _response(self, response: Any) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.url}")

    def hosts(self) -> set[str]:
        """The machines that the page asked for anything."""
        return {urlsplit(url.removeprefix("blob:")).netloc for url in self.requests if not url.startswith("data:")}

    def kernel_id(self) -> str:
        return str(
            self.page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
        )


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(f"The browser tests need Chromium: install one of {', '.join(CHROMIUM)}.")
    with sync_playwright() as playwright:
        # As root, as in most containers, Chromium starts without its sandbox only.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme="dark")
    yield context
    context.close()


@pytest.fixture
def watch(context: BrowserContext) -> Watch:
    """An empty page."""
    return Watch(context.new_page())


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Starts servers that end with the module."""
    servers: list[Server] = []

    def launch(kind: str, home: Path, notebook: Path | None = None) -> Server:
        server = start(kind, home, notebook=notebook, log=tmp_path_factory.mktemp("server") / "log")
        servers.append(server)
        return server

    yield launch
    for server in servers:
        finish(server)
