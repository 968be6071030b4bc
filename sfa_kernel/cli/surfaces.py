"""What stays running: ``sfa app``, ``lab``, ``worker``."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from sfa_kernel.cli.terminal import open_studio

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.cli.terminal import Commands

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    app = commands.add("app", _app, "open the dashboard")
    app.add_argument("--demo", action="store_true", help="add the demo songs to an empty library and process them")
    for surface in (app, commands.add("lab", _lab, "open JupyterLab on the notebooks")):
        surface.add_argument("--port", type=int, help="a free one when not given")
        surface.add_argument("--no-browser", action="store_true", help="only print the address")
    commands.add("worker", _worker, "run jobs until stopped")


def _app(options: argparse.Namespace) -> int:
    from sfa_kernel.server.app import run_app

    with open_studio(options) as studio:
        home = studio.home
        if options.demo and len(studio.tracks) == 0:
            from sfa_kernel.resources import demo_songs

            added = studio.add(*demo_songs())
            if added:
                studio.run(list(added))  # queued only: the app's worker does it
    return run_app(home, options.port, not options.no_browser)


def _lab(options: argparse.Namespace) -> int:
    from sfa_kernel.server.app import run_lab

    with open_studio(options) as studio:
        home = studio.home
    return run_lab(home, options.port, not options.no_browser)


def _worker(options: argparse.Namespace) -> int:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if "SFA_PARENT_PID" in os.environ:
        # Our standard input is a pipe from the app that started us: it ends when the app does, however it ends.
        threading.Thread(target=_set_at_end_of_input, args=(stopped,), daemon=True).start()
    with open_studio(options) as studio:
        studio.work()
        while not stopped.wait(1.0):
            pass
    return 0


def _set_at_end_of_input(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()
