"""Keys of services: ``sfa credentials list|set|remove``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sfa_kernel.cli.terminal import Commands, fail, print_json

if TYPE_CHECKING:
    import argparse

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    credentials = commands.add("credentials", _list, "keys of services such as lalal.ai, kept encrypted")
    actions = Commands(credentials, "action", required=False)
    actions.add("list", _list, "say which there are, and where they are from; never what they are")
    for name, run, text in (
        ("set", _set, "keep a key; it is asked for, or read from standard input"),
        ("remove", _remove, "forget a key that was kept"),
    ):
        actions.add(name, run, text).add_argument("name", metavar="NAME", help="lalal, spotify_id or spotify_secret")


def _list(options: argparse.Namespace) -> int:
    from sfa_kernel import credentials

    listed, protection = credentials.known(), credentials.protection()
    if options.json:
        rows = [
            {"name": c.name, "label": c.label, "source": c.source, "changed_at": c.changed_at and str(c.changed_at)}
            for c in listed
        ]
        print_json({"credentials": rows, "protection": protection})
        return 0
    for credential in listed:
        if credential.source == "environment":
            state = f"from {credentials.SERVICES[credential.name].variable}"
        elif credential.changed_at is not None:
            state = f"stored {credential.changed_at:%Y-%m-%d %H:%M} UTC"
        else:
            state = "none"
        print(f"{credential.name}  {credential.label}  {state}")
    print(protection)
    return 0


def _set(options: argparse.Namespace) -> int:
    from sfa_kernel import credentials

    owner = credentials.service(options.name)
    # Never an argument: those are seen by every user, and kept by the shell.
    if sys.stdin.isatty():
        from getpass import getpass

        try:
            value = getpass(f"Key for {owner.label} (not shown): ", stream=sys.stderr)
        except EOFError:
            return fail("Nothing was stored.")
    else:
        value = sys.stdin.read()
    credentials.put(options.name, value)
    if options.json:
        print_json({"stored": options.name})
    else:
        print(f"{options.name}: stored. {credentials.protection()}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    from sfa_kernel import credentials

    credentials.remove(options.name)
    if options.json:
        print_json({"removed": options.name})
    else:
        print(f"{options.name}: not stored any more")
    return 0
