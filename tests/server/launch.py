"""Starts the real servers in a process of their own, and sees to it that nothing of them stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE = 30.0  # s; how long anything may take before a test calls it broken


def wait_until(condition: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """Poll until the condition holds; its value."""
    end = time.monotonic() + deadline
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline:.0f} s in vain until {what}")
        time.sleep(0.05)
    return value


@dataclass
class Server:
    """A server in its own process."""

    kind: str
    home: Path
    process: subprocess.Popen[str]
    url: str
    log: Path
    base: str = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.token = parse_qs(parts.query)["token"][0]
        wait_until(self.healthy, "the server answers")

    def healthy(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.base}/sfa/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def client(self, *, token: bool = True) -> httpx.Client:
        """A stranger, or somebody who shows the token with each request."""
        headers = {"Authorization": f"token {self.token}"} if token else {}
        return httpx.Client(base_url=self.base, headers=headers, trust_env=False, timeout=DEADLINE)

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Somebody who showed the token once, and has a cookie since."""
        with self.client(token=False) as client:
            assert client.get("/", params={"token": self.token}).status_code == 302
            yield client

    def descendants(self, *words: str) -> list[psutil.Process]:
        """Its processes whose command line has all these words."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                command = process.cmdline()
            except psutil.Error:
                continue
            if all(word in command for word in words):
                found.append(process)
        return found

    def kernels(self) -> list[psutil.Process]:
        return self.descendants("ipykernel_launcher")

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ask it to end; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


def start(kind: str, home: Path, *, notebook: Path | None = None, log: Path, browser: str | None = None) -> Server:
    """Start ``run_app`` on a notebook (``kind`` "dashboard") or ``run_lab`` on its folder ("jupyter").

    ``browser`` is the command of the browser to open, with ``%s`` for the address; none is opened without.
    """
    environment = {**os.environ, "NO_PROXY": "*", "JUPYTER_CONFIG_DIR": str(log.parent / "jupyter")}
    if browser is not None:
        environment["BROWSER"] = browser
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, kind, str(home), str(notebook or ""), browser or ""],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
            start_new_session=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(DEADLINE)
        raise AssertionError(f"the server did not start: {log.read_text()}")
    return Server(kind, home, process, line.split()[-1], log)


def finish(server: Server) -> None:
    """End a server, and fail when anything of it stays."""
    family = server.descendants() if server.process.poll() is None else []
    try:
        if server.process.poll() is None:
            assert server.stop() == 0, server.log.read_text()
        _, left = psutil.wait_procs(family, timeout=10)
        assert not left, f"still there after the end: {[' '.join(process.cmdline()) for process in left]}"
    finally:
        for process in [server.process, *family]:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        server.process.wait()
        if server.process.stdout is not None:
            server.process.stdout.close()


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook of code cells."""
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook))
    return path


# The servers as the command line starts them; only the notebook may be another.
_PROGRAM = """
import signal
import sys
from pathlib import Path
from sfa_kernel.server import app

# A shell's background job has Ctrl-C ignored, and all that it starts, these tests too.
signal.signal(signal.SIGINT, signal.default_int_handler)

kind, home, notebook, browser = sys.argv[1:]
if notebook:
    app.dashboard_notebook = lambda: Path(notebook)
    app.notebooks_dir = lambda: Path(notebook).parent
sys.exit((app.run_app if kind == "dashboard" else app.run_lab)(Path(home), None, bool(browser)))
"""
