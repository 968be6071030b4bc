"""Folders that songs are imported from: ``sfa folders list|add|scan|watch|unwatch|forget``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.jobs import brief
from sfa_kernel.cli.library import watch
from sfa_kernel.cli.terminal import Commands, fail, open_studio, print_json

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.folders import Folder
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    folders = commands.add("folders", _list, "folders that songs are imported from")
    actions = Commands(folders, "action", required=False)
    actions.add("list", _list, "list them")
    add = actions.add("add", _add, "import a folder, and watch it for what is put into it later")
    add.add_argument("path", metavar="PATH")
    add.add_argument("--no-watch", action="store_true", help="import it now only")
    add.add_argument("--reference", action="store_true", help="leave the songs where they are instead of copying them")
    add.add_argument("--stages", default="", metavar="A,B", help="what is done with its new songs (default: nothing)")
    scan = actions.add("scan", _scan, "look for new files in a folder, or in all of them")
    scan.add_argument("path", nargs="?", metavar="PATH")
    for parser in (add, scan):
        parser.add_argument("--wait", action="store_true", help="do the work here and wait for its end")
    for name, run, text in (
        ("watch", _watch, "let what is put into a folder come in by itself"),
        ("unwatch", _unwatch, "do not let it any more"),
        ("forget", _forget, "take a folder off the list; its songs stay"),
    ):
        actions.add(name, run, text).add_argument("path", metavar="PATH")


def _list(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        folders = list(studio.folders)
        refused = {folder.id: studio.folders.refused(folder) for folder in folders}
    if options.json:
        print_json({"folders": [{**_folder(folder), "refused": refused[folder.id]} for folder in folders]})
        return 0
    for folder in folders:
        remarks = [f"{folder.tracks} tracks"]
        remarks += [f"{folder.refused} files not usable"] if folder.refused else []
        remarks += ["watched"] if folder.watched else []
        remarks += ["songs stay there"] if folder.reference else []
        print(f"{folder.path}: {', '.join(remarks)}{f'; {folder.problem}' if folder.problem else ''}")
        for row in refused[folder.id]:
            print(f"  {row['file']}: {row['reason']}")
    if not folders:
        print("no folders")
    return 0


def _add(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        run = studio.folders.add(
            options.path, watch=not options.no_watch, reference=options.reference, stages=options.stages
        )
        return _finish(studio, run, options)


def _scan(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _finish(studio, studio.folders.scan(options.path), options)


def _finish(studio: Studio, run: Run, options: argparse.Namespace) -> int:
    """Do the work when that is asked for, and say how it stands."""
    if options.wait:
        studio.work(run)
        watch(run, quiet=options.json or not sys.stderr.isatty())
    jobs = run.jobs
    if options.json:
        print_json({"batch": run.batch_id, "jobs": [brief(job) for job in jobs]})
    else:
        for job in jobs:
            print(f"{job.kind:9} {job.status:10} {job.progress:3d} %  {job.arguments.get('title', '')}".rstrip())
    bad = [job for job in jobs if job.status in ("failed", "cancelled")] if options.wait else []
    return fail(f"{len(bad)} of {len(jobs)} jobs did not finish: {bad[0].error}") if bad else 0


def _watch(options: argparse.Namespace) -> int:
    return _set_watched(options, True)


def _unwatch(options: argparse.Namespace) -> int:
    return _set_watched(options, False)


def _set_watched(options: argparse.Namespace, wanted: bool) -> int:
    with open_studio(options) as studio:
        folder = studio.folders.watch(options.path, wanted)
    if options.json:
        print_json(_folder(folder))
    else:
        print(f"{folder.path}: {'watched' if folder.watched else 'not watched'}")
    return 0


def _forget(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        studio.folders.forget(options.path)
    if options.json:
        print_json({"forgotten": options.path})
    else:
        print(f"{options.path}: forgotten")
    return 0


def _folder(folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "path": folder.path,
        "watched": folder.watched,
        "reference": folder.reference,
        "stages": list(folder.stages),
        "scanned_at": folder.scanned_at and folder.scanned_at.isoformat(),
        "problem": folder.problem,
        "tracks": folder.tracks,
    }
