"""Command ``sfa export``: stems, stem files and analyses as files in a folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sfa_kernel.cli.library import watch
from sfa_kernel.cli.terminal import fail, open_studio, print_json

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.cli.terminal import Commands

__all__ = ["define"]

# What `sfa_kernel.exporting` knows; said here again, for `sfa --help` need not wait for numpy.
KINDS = "stem, stems, stem.mp4, analysis"
FIELDS = "artist, title, album, year, genre, bpm, key, camelot, stem, engine, model"
TEMPLATE = "{artist} - {title} ({stem})"


def define(commands: Commands) -> None:
    """Add the command of this module."""
    export = commands.add("export", _export, "write stems, stem files or analyses of tracks into a folder")
    export.add_argument("ids", nargs="*", metavar="ID", help="tracks; all of them when none is named")
    export.add_argument("--what", default="stems", help=f"{KINDS} (default: %(default)s)")
    export.add_argument("--stem", metavar="NAME", help="which one, with --what stem")
    export.add_argument("--format", default="", help="flac, wav, mp3, ogg or m4a; of a stem.mp4 aac or alac")
    export.add_argument("--template", default=TEMPLATE, help=f"of the names (default: %(default)s); fields: {FIELDS}")
    export.add_argument("--out", required=True, metavar="DIR", help="where the file goes")


def _export(options: argparse.Namespace) -> int:
    from sfa_kernel.catalog import exports
    from sfa_kernel.errors import InputError

    folder = Path(options.out).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{str(folder)!r} cannot be a folder: {error.strerror}.", hint="Name another one.") from error
    with open_studio(options) as studio:
        run = studio.export(
            options.ids or list(studio.tracks),
            what=options.what,
            stem=options.stem,
            format=options.format,
            template=options.template,
        )
        studio.work(run)  # not what others queue: we end with our own
        watch(run, quiet=options.json or not sys.stderr.isatty())
        (job,) = run.jobs
        if job.status != "completed":
            return fail(job.error or "The export was stopped.")
        with studio.catalog.read() as connection:
            made = exports.of_job(connection, job.id)
        if made is None:
            return fail("The export is gone already. Try again.")
        path = _copied(studio.storage.path(made.file), folder, made.name)
    if options.json:
        print_json({"file": str(path), "bytes": made.bytes, "sha256": made.content_hash})
    else:
        print(path)
    return 0


def _copied(source: Path, folder: Path, name: str) -> Path:
    """Copy a file into a person's folder, beside whatever has its name there."""
    from sfa_kernel.audio.files import temporary_beside
    from sfa_kernel.errors import InputError
    from sfa_kernel.exporting import numbered

    suffix = ".stem.mp4" if name.endswith(".stem.mp4") else Path(name).suffix
    temporary = temporary_beside(folder / name)
    try:
        taken = {entry.name.casefold() for entry in folder.iterdir()}
        shutil.copyfile(source, temporary)
        while True:
            target = folder / numbered(name, suffix, taken)
            try:
                os.link(temporary, target)  # never over a file that another program has put there meanwhile
            except FileExistsError:
                continue
            except OSError:  # a file system without links
                os.replace(temporary, target)
            return target
    except OSError as error:
        raise InputError(
            f"{name} cannot be written: {error.strerror}.", hint="Check the folder and the free space."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
