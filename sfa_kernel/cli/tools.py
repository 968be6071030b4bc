"""Downloads: ``sfa downloads status|on|off``, and the programs for them: ``sfa tools status|install``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sfa_kernel.cli.terminal import Commands, fail, open_studio, percentage, print_json
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from sfa_kernel.downloads import Downloads
    from sfa_kernel.sources.downloads.tools import Health

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    tools = commands.add("tools", _tools, "the programs that download, each in an environment of its own")
    actions = Commands(tools, "action", required=False)
    actions.add("status", _tools, "say which are there, and how to get the others")
    install = actions.add("install", _install, "set programs up, or renew them")
    install.add_argument("tools", nargs="*", metavar="TOOL", help="spotdl, yt-dlp, deno (default: these three)")

    downloads = commands.add("downloads", _status, "whether songs may be downloaded; off until somebody agrees")
    switches = Commands(downloads, "action", required=False)
    switches.add("status", _status, "say whether they are on")
    on = switches.add("on", _on, "let songs be downloaded into this library")
    on.add_argument("--yes", action="store_true", help="agree to what is said of rights")
    switches.add("off", _off, "let no more songs be downloaded")


def _tools(options: argparse.Namespace) -> int:
    return _shown(options, _health(options))


def _health(options: argparse.Namespace) -> list[Health]:
    from sfa_kernel.settings import load_settings
    from sfa_kernel.sources.downloads import tools

    return tools.check_all(load_settings(home=options.home))


def _install(options: argparse.Namespace) -> int:
    from sfa_kernel.progress import Steps
    from sfa_kernel.settings import load_settings
    from sfa_kernel.sources.downloads import tools

    folder = load_settings(home=options.home).tools_folder
    wanted = options.tools or [name for name, tool in tools.TOOLS.items() if tool.requirement]
    chosen = [tools.tool(name) for name in dict.fromkeys(wanted)]
    problems = []
    with percentage(options) as progress:
        steps = Steps(progress)
        for index, tool in enumerate(chosen):
            try:
                tools.install(tool.name, folder, steps.between(index / len(chosen), (index + 1) / len(chosen)))
            except SfaError as error:  # the others can be of use without it
                problems.append(str(error))
    names = {tool.name for tool in chosen}
    _shown(options, [health for health in _health(options) if health.name in names])
    return fail(" ".join(problems)) if problems else 0


def _shown(options: argparse.Namespace, found: Sequence[Health]) -> int:
    if options.json:
        print_json(
            {
                "tools": [
                    {"tool": one.name, "ready": one.ok, "detail": one.detail, "hint": one.hint or None} for one in found
                ]
            }
        )
        return 0
    for one in found:
        print(f"{'ok ' if one.ok else '-- '} {one.name:8} {one.detail}")
        if one.hint:
            print(f"{'':13}{one.hint}")
    return 0


def _status(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _told(options, studio.downloads)


def _on(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        downloads = studio.downloads
        if downloads.allowed and not options.yes and not _agreed(downloads.notice):
            return fail("Downloads stay off. With --yes you agree to what is said of rights.")
        downloads.switch_on(agreed=True)
        return _told(options, downloads)


def _agreed(notice: str) -> bool:
    """Whether the person agrees; nobody is asked where nobody can answer."""
    print(notice, file=sys.stderr)
    if not sys.stdin.isatty():
        return False
    print("Switch downloads on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _off(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        studio.downloads.switch_off()
        return _told(options, studio.downloads)


def _told(options: argparse.Namespace, downloads: Downloads) -> int:
    if options.json:
        print_json({"allowed": downloads.allowed, "on": downloads.on, "notice": downloads.notice})
    elif not downloads.allowed:
        print("Downloads are not allowed in this installation.")
    else:
        print("Downloads are on." if downloads.on else "Downloads are off. Switch them on: sfa downloads on")
    return 0
