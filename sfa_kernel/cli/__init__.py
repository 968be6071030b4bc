"""The command line: ``sfa``.

``--json`` prints one JSON document on standard output and nothing else there. The exit status is 0 only when
all went well; an error is one line on standard error.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from typing import TYPE_CHECKING

from sfa_kernel import __version__
from sfa_kernel.cli import (
    credentials,
    decks,
    export,
    files,
    folders,
    jobs,
    library,
    playlists,
    separation,
    spotify,
    surfaces,
    tools,
    upkeep,
    webhooks,
    weights,
)
from sfa_kernel.cli.terminal import Commands, common_options, fail
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.cli.terminal import Command

__all__ = ["main"]

FAMILIES = (
    library,
    playlists,
    jobs,
    files,
    separation,
    export,
    decks,
    surfaces,
    upkeep,
    webhooks,
    weights,
    credentials,
    spotify,
    folders,
    tools,
)
DECODING = ("add", "run", "analyze", "separate")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING, format="%(levelname)s %(message)s")
    if not options.verbose:
        # What a person needs to know is said by the command itself; the log is for `--verbose`.
        logging.getLogger("sfa_kernel").setLevel(logging.CRITICAL if options.command != "worker" else logging.WARNING)
    if options.command in DECODING and arguments is None and not options.verbose:
        _silence_c_libraries()
    command: Command = options.run
    try:
        return command(options)
    except SfaError as error:
        if options.verbose:
            logging.getLogger(__name__).exception("The command failed")
        return fail(str(error))
    except BrokenPipeError:
        # Whoever read our output has had enough (`sfa tracks | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.verbose:
            raise
        return fail(f"Unexpected {type(error).__name__}: {error}. Please report it, with what --verbose says.")
    except KeyboardInterrupt:
        return fail("Stopped.", status=130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sfa", description="Sound Forge Alchemy: a programmable music workstation.")
    common_options(parser, home=None, json=False, verbose=False)
    parser.add_argument("--version", action="version", version=f"sfa {__version__}")
    commands = Commands(parser, "command")
    for family in FAMILIES:
        family.define(commands)
    return parser


def _silence_c_libraries() -> None:
    """Keep standard error for our own lines: the MP3 decoder writes its notes on damaged files there."""
    ours = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.stderr = ours
