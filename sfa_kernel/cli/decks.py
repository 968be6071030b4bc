"""Commands ``sfa scripts`` and ``sfa render``: what was recorded at the decks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sfa_kernel.cli.library import watch
from sfa_kernel.cli.terminal import fail, open_studio, print_json

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.cli.terminal import Commands

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    commands.add("scripts", _scripts, "list the scripts of the decks")
    render = commands.add("render", _render, "render a script of the decks to a song of the library, or to a file")
    render.add_argument("script", metavar="SCRIPT", help="its name, its id, or a JSON file of one")
    render.add_argument("--out", metavar="FILE", help="where to (.wav or .flac), instead of into the library")
    render.add_argument(
        "--format", default="flac", help="of the song in the library: flac or wav (default: %(default)s)"
    )
    render.add_argument("--name", default="", help="what it is called; the script's name when it is not said")


def _scripts(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        rows = [one.row for one in studio.scripts]
    if options.json:
        keys = ("id", "name", "duration", "events", "changed_at")
        print_json([{key: getattr(row, key) for key in keys} for row in rows])
        return 0
    for row in rows:
        minutes, seconds = divmod(round(row.duration), 60)
        print(f"{str(row.id)[:8]}  {minutes:3d}:{seconds:02d}  {row.events:6d} changes  {row.name}")
    return 0


def _render(options: argparse.Namespace) -> int:
    from sfa_kernel.scripts import read

    file = Path(options.script).expanduser()
    with open_studio(options) as studio:
        named = file.suffix == ".json" and file.is_file()
        run = studio.render(
            read(file) if named else options.script,
            options.out,
            name=options.name or (file.stem if named else ""),
            format=options.format,
        )
        studio.work(run)  # not what others queue: we end with our own
        try:
            watch(run, quiet=options.json or not sys.stderr.isatty())
        except KeyboardInterrupt:
            run.cancel()
            raise
        (job,) = run.jobs
        if job.status != "completed":
            return fail(job.error or "The render was stopped.")
        made = {"file": job.arguments.get("file"), "track": job.arguments.get("track")}
    if options.json:
        print_json(made)
    else:
        print(made["file"] or made["track"])
    return 0
