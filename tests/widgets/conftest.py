from __future__ import annotations

import queue
from typing import Any

import pytest
from sfa_widgets import _base


class FakePage:
    """The page's end of a widget: sends requests, receives what the kernel sends."""

    def __init__(self) -> None:
        self.widget: Any = None
        self.inbox: queue.Queue[tuple[dict[str, Any], list[Any]]] = queue.Queue()

    def connect(self, widget: Any) -> Any:
        self.widget = widget
        widget.send = lambda content, buffers=None: self.inbox.put((content, buffers or []))
        return widget

    def send(self, content: Any, buffers: list[Any] | None = None) -> None:
        self.widget._handle_custom_msg(content, buffers or [])

    def receive(self) -> tuple[dict[str, Any], list[Any]]:
        return self.inbox.get(timeout=5)

    def request(self, method: str, params: dict[str, Any] | None = None, buffers: list[Any] | None = None) -> Any:
        self.send({"id": "1", "method": method, "params": params or {}}, buffers)
        return self.receive()


@pytest.fixture
def page() -> FakePage:
    return FakePage()


@pytest.fixture(autouse=True)
def bundles(tmp_path, monkeypatch):
    """Stand-ins for the built bundles: these tests are about Python."""
    families = ("library", "player", "jobs", "analysis", "mixer", "dialogs", "sources", "playlists", "decks", "session")
    for family in (*families, "dashboard"):
        (tmp_path / f"{family}.js").write_text("export default {};", encoding="utf-8")
        (tmp_path / f"{family}.css").write_text(".sfa {}", encoding="utf-8")
    monkeypatch.setattr(_base, "STATIC", tmp_path)
    return tmp_path
