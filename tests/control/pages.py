"""The page's own code in V8, and a line between it and a kernel that is slow and loses answers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.control import Controls
from sfa_kernel.control.link import Link

if TYPE_CHECKING:
    import random

WIDGETS = Path(__file__).parents[2] / "widgets"

# What a browser has and V8 alone does not.
_GLOBALS = """
globalThis.queueMicrotask = (step) => { Promise.resolve().then(step); };
globalThis.performance = { timeOrigin: 0, now: () => 0 };
globalThis.console = { error: (error) => { throw error; } };
globalThis.DOMException = class extends Error { constructor(text, name) { super(text); this.name = name; } };
globalThis.AbortController = class {
  constructor() {
    const heard = [];
    this.signal = { aborted: false, addEventListener: (_, call) => heard.push(call) };
    this.abort = () => { if (!this.signal.aborted) { this.signal.aborted = true; heard.forEach((call) => call()); } };
  }
};
"""


def page_code() -> str:
    """The store and the link of a page as one script."""
    program = WIDGETS / "node_modules/.bin/esbuild"
    source = WIDGETS / "src/testing/linked.ts"
    command = [program, source, "--bundle", "--format=iife", "--target=es2022"]
    return _GLOBALS + subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Page:
    """A page of that code, and what is under way to and from it: nothing overtakes, all takes its time."""

    def __init__(self, context: Any, name: str, link: Link, chance: random.Random) -> None:
        self.name = f"pages[{json.dumps(name)}]"
        self._context = context
        self._link = link
        self._chance = chance
        self._up: list[tuple[int, str, dict[str, Any]]] = []
        self._down: list[tuple[str, Any]] = []
        self._stirred = True  # it may have something to send
        self.due: list[Any] = []  # pauses of the kernel
        context.eval(f"globalThis.pages ??= {{}}; {self.name} = new LinkedPage({json.dumps(name)}); 0")

    def call(self, name: str, *arguments: Any) -> Any:
        self._stirred = name != "sent"
        listed = ", ".join(map(json.dumps, arguments))
        return self._context.eval(f"{self.name}.{name}({listed}) ?? 0")

    def hear(self, event: str, data: dict[str, Any]) -> None:
        """The kernel tells something."""
        self._down.append((event, json.dumps(data)))

    def settings(self) -> dict[str, Any]:
        return json.loads(self._context.eval(f"{self.name}.settings"))

    def step(self, *, loses: float = 0.0) -> bool:
        """One thing that is under way arrives; False when nothing is."""
        if self._stirred:
            self._up += [tuple(sent) for sent in json.loads(self.call("sent"))]
            self._stirred = False
        if self.due and self._chance.random() < 0.3:
            self.due.pop(0)()
        ways = [way for way in (self._up, self._down) if way]
        if self.due and not ways:
            return True
        if not ways:
            return bool(self.call("wake"))
        if self._chance.random() < 0.1:
            self.call("wake")
        if self._chance.choice(ways) is self._up:
            number, method, params = self._up.pop(0)
            answer = self._answer(method, params)
            lost = self._chance.random() < loses
            self._down.append((f"answer {number}", "" if lost else json.dumps(answer)))
        else:
            event, data = self._down.pop(0)
            if event.startswith("answer "):
                self.call("answer", int(event.split()[1]), data)
            else:
                self.call("event", event, data)
        return True

    def settle(self) -> None:
        while self.step():
            pass

    def _answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "decks.attach":
            chosen = {name: params[name] for name in ("take", "values", "seen", "clock")}
            return self._link.attach(params["page"], **chosen)
        assert method == "decks.changes", method
        told = {"seen": params["seen"], "first": params["first"], "stands": params["decks"], "clock": params["clock"]}
        return {"held": self._link.receive(params["page"], params["changes"], **told)}


def linked(context: Any, chance: random.Random) -> tuple[Controls, Page]:
    """A kernel's controls, and a page that has joined them."""
    controls = Controls()
    pages: list[Page] = []

    def tell(event: str, data: dict[str, Any]) -> None:
        pages[0].hear(event, data)

    link = Link(controls, tell, later=lambda seconds, call: pages[0].due.append(call))
    pages.append(Page(context, "one", link, chance))
    pages[0].call("join")
    return controls, pages[0]
