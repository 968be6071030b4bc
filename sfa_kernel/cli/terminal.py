"""What the commands share: options, output, and the library they work on."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from sfa_kernel.progress import Progress
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

    Command = Callable[[argparse.Namespace], int]

__all__ = ["Commands", "common_options", "fail", "finish", "name_of", "open_studio", "percentage", "print_json"]


class Commands:
    """The commands of a parser, or the actions of a command.

    Parameters
    ----------
    parser
        Whose.
    required
        Whether one must be named.
    """

    def __init__(self, parser: argparse.ArgumentParser, dest: str, *, required: bool = True) -> None:
        self._parsers = parser.add_subparsers(dest=dest, required=required, metavar=dest.upper())

    def add(self, name: str, run: Command, text: str) -> argparse.ArgumentParser:
        """Add a command that ``run`` carries out; one with actions does it when none of them is named."""
        parser = self._parsers.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        common_options(parser)
        parser.set_defaults(run=run)
        return parser


def common_options(parser: argparse.ArgumentParser, **defaults: object) -> None:
    """Every command takes these, before or after its name."""
    flag = {"action": "store_true"}
    for name, settings in {
        "home": {"metavar": "DIR", "help": "the library's folder (else SFA_HOME, else the settings)"},
        "json": {**flag, "help": "print one JSON document"},
        "verbose": {**flag, "help": "say what happens, with tracebacks"},
    }.items():
        # Without a default of its own, a command leaves alone what was said before its name.
        default = defaults.get(name, argparse.SUPPRESS)
        parser.add_argument(f"--{name}", default=default, **settings)  # type: ignore[arg-type] # a table of keyword arguments


def open_studio(options: argparse.Namespace) -> Studio:
    """The library that the options name; it runs no jobs by itself."""
    from sfa_kernel.studio import Studio

    return Studio.open(options.home, run_jobs=False)


def finish(studio: Studio, run: Run) -> str:
    """Do a run of one job here and now. Returns what it said at its end.

    Raises
    ------
    FatalJobError
        When it was not completed.
    """
    from sfa_kernel.errors import FatalJobError

    studio.work(run)
    try:
        run.wait()
    except KeyboardInterrupt:
        run.cancel()
        raise
    (job,) = run.jobs
    if job.status != "completed":
        raise FatalJobError(job.error or "The service was not asked.")
    log = studio.jobs.log(job.id)
    return str(log[-1]["text"]) if log else ""


def fail(line: str, *, status: int = 1) -> int:
    """Say what went wrong, and return the exit status."""
    print(f"sfa: {line}", file=sys.stderr)
    return status


def print_json(document: Any) -> None:
    """Print the one document of a command."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str, allow_nan=False))


def name_of(title: str, artist: str) -> str:
    """What people call a track."""
    return f"{artist} - {title}" if artist else title


@contextmanager
def percentage(options: argparse.Namespace) -> Iterator[Progress]:
    """A progress callback that shows how far the work is, where somebody looks on."""
    shown = sys.stderr.isatty() and not options.json

    def progress(percent: int) -> None:
        if shown:
            print(f"\r{percent:3d} %", end="", file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        if shown:
            print("\r     \r", end="", file=sys.stderr, flush=True)
