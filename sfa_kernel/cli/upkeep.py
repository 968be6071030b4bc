"""Looking after a library: ``sfa backup``, ``restore``, ``doctor``, ``cleanup``, ``schedule``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import Commands, fail, open_studio, percentage, print_json

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from sfa_kernel.backup import Snapshot
    from sfa_kernel.catalog.cron import CronRow

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    backup = commands.add("backup", _backup, "put the whole library into one file; it may be in use")
    backup.add_argument("file", metavar="FILE")
    restore = commands.add("restore", _restore, "make the library what it was when a backup was made")
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--replace", action="store_true", help="in the place of a library that has tracks")
    doctor = commands.add("doctor", _doctor, "what is installed, whether the library is whole, and what to do if not")
    doctor.add_argument("--deep", action="store_true", help="read every file and compare it with its checksum")

    cleanup = commands.add("cleanup", _cleanup, "remove for good what nobody needs any more")
    cleanup.add_argument("--wait", action="store_true", help="do it here and wait for its end")

    schedule = commands.add("schedule", _schedule_list, "what runs by itself, and when")
    actions = Commands(schedule, "action", required=False)
    actions.add("list", _schedule_list, "list the entries with their last and next time")
    add = actions.add("add", _schedule_add, "let a job run by itself, in the place of the entry of this name")
    add.add_argument("name", metavar="NAME")
    add.add_argument("schedule", metavar="SCHEDULE", help="minute, hour, day, month, weekday in UTC: '0 3 * * *'")
    add.add_argument("kind", metavar="KIND", help="the kind of job")
    for name, run, text in (
        ("remove", _schedule_remove, "delete an entry"),
        ("enable", _schedule_enable, "let an entry run again"),
        ("disable", _schedule_disable, "let an entry rest"),
        ("run", _schedule_run, "queue an entry's job now"),
    ):
        actions.add(name, run, text).add_argument("name", metavar="NAME")


def _backup(options: argparse.Namespace) -> int:
    from sfa_kernel.backup import backup
    from sfa_kernel.settings import load_settings

    settings = load_settings(home=options.home)
    with percentage(options) as progress:
        made = backup(settings.home, options.file, progress=progress, busy_timeout=settings.busy_timeout)
    if options.json:
        print_json(_snapshot(made))
    else:
        print(f"{made.file}: {made.tracks} tracks, {made.files} files, {made.bytes / 1e6:.1f} MB")
        if made.outside:
            print(f"not in it: the sound of {made.outside} tracks, which stays where it is outside of the library")
    if made.missing:
        # The backup is as whole as the library; that the library is not is worth an exit status.
        return fail(f"{len(made.missing)} files of the library are gone and not in the backup; see `sfa doctor`.")
    return 0


def _restore(options: argparse.Namespace) -> int:
    from sfa_kernel.backup import restore
    from sfa_kernel.settings import load_settings

    settings = load_settings(home=options.home)
    with percentage(options) as progress:
        found = restore(
            options.file,
            settings.home,
            replace=options.replace,
            progress=progress,
            busy_timeout=settings.busy_timeout,
        )
    if options.json:
        print_json(_snapshot(found))
    else:
        print(f"{settings.home}: {found.tracks} tracks, {found.files} files as of {found.created}")
        if found.kept is not None:
            print(f"the catalogue that was there is kept as {found.kept.name}")
    return 0


def _snapshot(snapshot: Snapshot) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(snapshot)


def _doctor(options: argparse.Namespace) -> int:
    from sfa_kernel.doctor import examine

    with percentage(options) as progress:
        report = examine(options.home, deep=options.deep, progress=progress)
    if options.json:
        print_json(report)
    else:
        print(f"Sound Forge Alchemy {report['version']}, library {report['home']}")
        for check in report["checks"]:
            state = "ok" if check["ok"] else "bad" if check["required"] else "note"
            print(f"  {state:4} {check['name']}: {check['detail']} {check['hint']}".rstrip())
    return 0 if report["ok"] else 1


def _cleanup(options: argparse.Namespace) -> int:
    from sfa_kernel.cli.jobs import brief
    from sfa_kernel.jobs.log import read_log

    with open_studio(options) as studio:
        run = studio.cleanup()
        if options.wait:
            studio.work(run)
            run.wait()
        (job,) = run.jobs
        log, _ = read_log(studio.storage.path("logs"), job.id)
    result = log[-1]["text"] if log and job.status == "completed" else None
    if options.json:
        print_json({"jobs": [brief(job)], "result": result})
    else:
        print(result or f"{str(job.id)[:8]}  {job.kind:9} {job.status}")
    if options.wait and job.status != "completed":
        return fail(f"The cleanup {job.status}: {job.error}")
    return 0


# -- schedule ------------------------------------------------------------------------------------------------


def _schedule_list(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        entries = list(studio.schedule)
    if options.json:
        print_json({"entries": [_entry(entry) for entry in entries]})
    else:
        for entry in entries:
            when = _minute(entry.next_at) if entry.enabled else "off"
            print(f"{entry.name:20} {entry.schedule:14} {entry.kind:10} last {_minute(entry.last_at)}  next {when}")
        if not entries:
            print("nothing is scheduled")
    return 0


def _schedule_add(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _shown(options, studio.schedule.add(options.name, options.schedule, options.kind))


def _schedule_enable(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _shown(options, studio.schedule.enable(options.name))


def _schedule_disable(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _shown(options, studio.schedule.disable(options.name))


def _schedule_remove(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        studio.schedule.remove(options.name)
    if options.json:
        print_json({"removed": options.name})
    else:
        print(f"{options.name}: removed")
    return 0


def _schedule_run(options: argparse.Namespace) -> int:
    from sfa_kernel.cli.jobs import brief

    with open_studio(options) as studio:
        job = studio.schedule.run_now(options.name)
    if options.json:
        print_json({"jobs": [brief(job)]})
    else:
        print(f"{str(job.id)[:8]}  {job.kind:9} {job.status}")
    return 0


def _shown(options: argparse.Namespace, entry: CronRow) -> int:
    if options.json:
        print_json(_entry(entry))
    else:
        print(f"{entry.name}: {'next ' + _minute(entry.next_at) if entry.enabled else 'off'}")
    return 0


def _entry(entry: CronRow) -> dict[str, Any]:
    return {
        "name": entry.name,
        "schedule": entry.schedule,
        "kind": entry.kind,
        "arguments": entry.arguments,
        "enabled": entry.enabled,
        "next_at": entry.next_at.isoformat() if entry.enabled else None,
        "last_at": entry.last_at and entry.last_at.isoformat(),
        "last_job": entry.last_job,
    }


def _minute(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else "never"
