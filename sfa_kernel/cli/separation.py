"""Stems: ``sfa separate`` on a file; ``estimate``, ``engines``, ``stems`` and ``lalal`` on the library."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import Commands, finish, name_of, open_studio, percentage, print_json

if TYPE_CHECKING:
    from sfa_kernel.library import Track
    from sfa_kernel.settings import Settings
    from sfa_kernel.stemset import StemSet
    from sfa_kernel.studio import Studio

__all__ = ["chosen", "define", "preview_option", "separation_options"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    separate = commands.add("separate", _separate, "separate a file into stems; needs no library")
    separate.add_argument("file", metavar="FILE")
    separate.add_argument("--out", required=True, metavar="DIR", help="where the stems go")
    separation_options(separate)
    separate.add_argument("--region", type=_region, metavar="START-END", help="only that part, such as 0:45-1:15")
    separate.add_argument("--device", help="auto, cpu, cuda, cuda:1 or mps (default: the setting separation_device)")
    separate.add_argument("--format", default="flac", help="flac, wav, ogg or mp3 (default: %(default)s)")

    estimate = commands.add("estimate", _estimate, "tell what separating tracks takes: time, and minutes of a service")
    estimate.add_argument("ids", nargs="*", metavar="ID", help="tracks; all of them when none is named")
    separation_options(estimate)
    preview_option(estimate)
    estimate.add_argument("--force", action="store_true", help="also of tracks that have these stems")

    commands.add("engines", _engines, "list what separates, whether it can run here, and if not, why")

    stems = commands.add("stems", _stems, "list a track's sets of stems and how good they are")
    stems.add_argument("id", metavar="ID")
    change = stems.add_mutually_exclusive_group()
    change.add_argument("--use", metavar="SET", help="play this set from now on")
    change.add_argument("--remove", metavar="SET", help="take this set away")
    change.add_argument("--restore", metavar="SET", help="bring a removed set back")

    lalal = commands.add("lalal", _minutes, "ask for the account at lalal.ai: the minutes that are left")
    actions = Commands(lalal, "action", required=False)
    actions.add("minutes", _minutes, "ask how many minutes are left")
    actions.add("packs", _packs, "ask which voices a voice can be changed to")
    actions.add("cancel-all", _cancel_all, "stop all tasks of the account, and this library's jobs that wait for them")


def separation_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to separate; `chosen` reads them."""
    parser.add_argument("--engine", help="what separates; `sfa engines` lists them (default: the setting)")
    parser.add_argument("--model", help="one of the engine's models (default: its first)")
    parser.add_argument("--stems", metavar="NAMES", help="some of the model's stems, such as vocals,drums")
    parser.add_argument(
        "--set", action="append", type=_setting, default=[], metavar="NAME=VALUE", help="a setting of the engine"
    )


def preview_option(parser: argparse.ArgumentParser) -> None:
    """Add the option for a region of a track of the library."""
    parser.add_argument("--preview", type=_region, metavar="START-END", help="only a preview, such as of 0:45-1:15")


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """What the options say of how to separate, as `Studio.run` and `Studio.estimate` take it."""
    return {
        "engine": options.engine,
        "model": options.model,
        "stems": options.stems,
        "settings": dict(options.set),
    }


def _setting(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is no setting such as overlap=0.1")
    return name, value


def _region(text: str) -> tuple[float, float]:
    start, _, end = text.partition("-")
    try:
        return _seconds(start), _seconds(end)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no region such as 0:45-1:15") from None


def _seconds(text: str) -> float:
    """Seconds of ``45``, ``0:45.5`` or ``1:02:03``."""
    total = 0.0
    for part in text.split(":"):
        total = 60 * total + float(part)
    return total


# -- a file --------------------------------------------------------------------------------------------------


def _separate(options: argparse.Namespace) -> int:
    from sfa_kernel import offers, separation
    from sfa_kernel.settings import load_settings

    settings = load_settings(home=options.home)
    engine, model = offers.chosen(settings, options.engine, options.model)
    with percentage(options) as progress:
        done = separation.separate(
            Path(options.file),
            Path(options.out),
            engine=engine,
            model=model,
            stems=options.stems,
            settings=dict(options.set),
            region=options.region,
            device=options.device or settings.separation_device,
            weights=settings.weights_folder,
            cloud=_cloud(settings) if separation.engine(engine).where == "cloud" else None,
            format=options.format,
            progress=progress,
        )
    stems = {name: str(path) for name, path in done.stems.items()}
    if options.json:
        print_json(
            {
                "engine": done.engine,
                "model": done.model,
                "settings": done.request.settings,
                "stems": stems,
                "start": done.start,
                "sample_rate": done.sample_rate,
                "frames": done.frames,
                "device": done.device,
                "minutes": done.minutes,
                "seconds": round(done.seconds, 3),
                "report": done.report.to_dict(),
            }
        )
    else:
        for name, path in stems.items():
            print(f"{name:8} {path}")
        print(f"\n{separation.engine(done.engine).badge(done.model)} on {done.device}, {done.seconds:.1f} s")
        print(done.report)
    return 0


def _cloud(settings: Settings) -> dict[str, Any]:
    """Access to the cloud without a library: what was ordered is noted where the next call finds it."""
    from platformdirs import user_cache_path

    from sfa_kernel.offers import cloud_access

    return cloud_access(settings, user_cache_path("sfa") / "lalal")


# -- the library ---------------------------------------------------------------------------------------------


def _estimate(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        told = studio.estimate(options.ids or None, **chosen(options), region=options.preview, force=options.force)
    if options.json:
        checked_at = told.checked_at and told.checked_at.isoformat()
        print_json({**asdict(told), "checked_at": checked_at, "enough": told.enough, "text": str(told)})
    else:
        print(told)
    return 0


def _engines(options: argparse.Namespace) -> int:
    from sfa_kernel.offers import offers

    with open_studio(options) as studio:
        rows = offers(studio.storage, studio.settings)
    if options.json:
        print_json({"engines": rows})
        return 0
    for row in rows:
        name = " ".join(part for part in (row["engine"], row["model"]) if part)
        state = "ready" if row["ready"] else "not ready"
        print(f"{name:20}  {state:9}  {row['where']:5}  {row['badge']}: {', '.join(row['stems'])}")
        print(f"    {row['description']}")
        if not row["ready"]:
            print(f"    {row['reason']}")
    return 0


def _stems(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        track = studio.track(options.id)
        if options.use is not None:
            _set(studio, track, options.use).use()
        if options.remove is not None:
            _set(studio, track, options.remove).remove()
        if options.restore is not None:
            _set(studio, track, options.restore).restore()
        sets = track.separations
        if options.json:
            print_json({"id": track.id, "sets": [_described(one) for one in sets]})
            return 0
        print(name_of(track.title, track.artist))
        for one in sets:
            _print_set(one)
        if not sets:
            print("  no stems")
    return 0


def _described(one: StemSet) -> dict[str, Any]:
    report = one.report
    return {
        "id": one.id,
        "engine": one.engine,
        "model": one.model,
        "badge": one.badge,
        "draft": one.draft,
        "in_use": one.in_use,
        "start": one.row.start,
        "end": one.row.end,
        "settings": one.settings,
        "device": one.device,
        "seconds": one.seconds,
        "minutes": one.minutes,
        "stems": {name: str(path) for name, path in one.stems.items()},
        "report": None if report is None else report.to_dict(),
        "created_at": one.created_at.isoformat(),
    }


def _print_set(one: StemSet) -> None:
    remarks = [f"{one.created_at:%Y-%m-%d %H:%M} UTC"]
    if one.region is not None:
        remarks.append(f"preview of {one.region[0]:g}-{one.region[1]:g} s")
    if one.seconds is not None:
        remarks.append(f"took {one.seconds:.0f} s")
    if one.minutes is not None:
        remarks.append(f"billed {one.minutes:g} minutes")
    print(f"  {str(one.id)[:8]}  {'in use' if one.in_use else '      '}  {one.badge}  ({', '.join(remarks)})")
    lines = ", ".join(one.stems) if one.report is None else str(one.report)
    for line in lines.splitlines():
        print(f"    {line}")


def _set(studio: Studio, track: Track, text: str) -> StemSet:
    """A set of a track, removed or not, by the unambiguous beginning of its id."""
    from sfa_kernel.catalog import stems as table
    from sfa_kernel.errors import NotFoundError
    from sfa_kernel.stemset import StemSet

    found = studio.sql(
        "SELECT id FROM separations WHERE track_id = ? AND starts_with(id::VARCHAR, ?) LIMIT 2",
        [track.id, text.lower()],
    )
    if len(found) != 1 or not text:
        many = "Several sets of stems have" if found else "No set of stems has"
        raise NotFoundError(
            f"{many} an id that begins with {text!r}.", hint=f"`sfa stems {str(track.id)[:8]}` lists them."
        )
    with studio.catalog.read() as connection:
        return StemSet(studio, table.get(connection, found[0]["id"]))


# -- the cloud -----------------------------------------------------------------------------------------------


def _minutes(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        account = studio.lalal
        finish(studio, account.refresh())
        left, checked_at = account.minutes_left, account.checked_at
    if options.json:
        print_json({"minutes_left": left, "checked_at": checked_at and checked_at.isoformat()})
    else:
        print(f"{left:,.1f} minutes are left")
    return 0


def _packs(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        account = studio.lalal
        finish(studio, account.refresh_voices())
        packs = account.voice_packs
    if options.json:
        print_json({"voice_packs": packs})
    else:
        for pack in packs:
            print(f"--model voice:{pack['id']:36}  {pack['name']}")
    return 0


def _cancel_all(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        said = finish(studio, studio.lalal.cancel_all())
    if options.json:
        print_json({"said": said})
    else:
        print(said)
    return 0
