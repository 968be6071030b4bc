"""Spotify: ``sfa spotify login|logout|status|playlists|look|import``; ``sfa add LINK`` is the import."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sfa_kernel.cli.terminal import Commands, fail, finish, name_of, open_studio, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from sfa_kernel.runs import Run
    from sfa_kernel.spotify import State
    from sfa_kernel.studio import Studio

__all__ = ["bring_in", "define", "import_options"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    spotify = commands.add("spotify", _status, "songs, albums and playlists of Spotify")
    actions = Commands(spotify, "action", required=False)
    login = actions.add("login", _login, "log in, for playlists and liked songs")
    login.add_argument(
        "--paste", action="store_true", help="the browser is on another machine: read the address that it was sent to"
    )
    actions.add("logout", _logout, "forget the login")
    actions.add("status", _status, "say who is logged in")
    actions.add("playlists", _playlists, "list the playlists of who is logged in")
    actions.add("look", _look, "say what a link leads to").add_argument("link", metavar="LINK")
    bring = actions.add("import", _import, "bring in what links lead to, as playlists")
    bring.add_argument("links", nargs="+", metavar="LINK")
    import_options(bring)


def import_options(parser: argparse.ArgumentParser) -> None:
    """What to do with the songs that a link leads to."""
    parser.add_argument(
        "--download",
        action=argparse.BooleanOptionalAction,
        help="download the songs of links (default: when downloads are switched on)",
    )
    parser.add_argument("--stages", help="what is done with these: some of separate,analyze,autocue (default: nothing)")


def _login(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        login = studio.spotify.login()
        print(f"Open this address in a browser, and agree:\n\n  {login.url}\n", file=sys.stderr)
        if options.paste:
            print("Then give the address that the browser was sent to:", file=sys.stderr)
            run = studio.spotify.paste(sys.stdin.readline())
        else:
            print("Waiting for the browser. (Is it on another machine? sfa spotify login --paste)", file=sys.stderr)
            run = login.wait()
        finish(studio, run)
        return _tell(studio.spotify.state, options)


def _logout(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        studio.spotify.logout()
        return _tell(studio.spotify.state, options)


def _status(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        return _tell(studio.spotify.state, options)


def _tell(state: State, options: argparse.Namespace) -> int:
    if options.json:
        names = ("client", "secret", "login", "name", "error", "redirect")
        print_json({name: getattr(state, name) for name in names})
        return 0
    for label, value in {
        "client id": "there" if state.client else "none: sfa credentials set spotify_id",
        "secret": "there"
        if state.secret
        else "none: only who is logged in can ask (sfa credentials set spotify_secret)",
        "redirect": f"{state.redirect} (to be registered with the client id)",
        "logged in": state.name or ("yes" if state.login == "done" else "nobody"),
        "error": state.error or "",
    }.items():
        if value:
            print(f"{label:9}  {value}")
    return 0


def _playlists(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        finish(studio, studio.spotify.refresh())
        rows = studio.spotify.playlists
    if options.json:
        print_json({"playlists": rows})
        return 0
    for row in rows:
        print(f"{row['link']:42}  {row['total']:6,d}  {row['name']}{' (imported)' if row['playlist'] else ''}")
    return 0


def _look(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    with open_studio(options) as studio:
        finish(studio, studio.spotify.look(options.link))
        found = studio.spotify.preview(options.link)
    if options.json:
        print_json(None if found is None else {**asdict(found), "here": found.here})
    elif found is not None:
        print(repr(found)[1:-1])
        for row in found.songs:
            print(f"{'here' if row['here'] else '    '}  {name_of(row['title'], row['artist'])}")
    return 0


def _import(options: argparse.Namespace) -> int:
    def start(studio: Studio) -> Run:
        return studio.spotify.add(*options.links, download=options.download, stages=options.stages or ())

    return bring_in(options, start)


def bring_in(options: argparse.Namespace, start: Callable[[Studio], Run]) -> int:
    """Bring in what links or playlist files lead to, here and now.

    Parameters
    ----------
    start
        Begins the work.
    """
    from sfa_kernel.cli.jobs import brief
    from sfa_kernel.cli.library import watch

    with open_studio(options) as studio:
        run = start(studio)
        studio.work(run)
        watch(run, quiet=options.json or not sys.stderr.isatty())
        jobs = run.jobs
        first = [job for job in jobs if "playlists" in job.arguments]
        said = [studio.jobs.log(job.id)[-1]["text"] for job in first]
    bad = [job for job in jobs if job.status != "completed"]
    if options.json:
        lists = [one for job in first for one in job.arguments["playlists"]]
        print_json({"batch": run.batch_id, "playlists": lists, "jobs": [brief(job) for job in jobs]})
    else:
        for line in said:
            print(line)
        if any(job.arguments.get("absent") and not job.arguments["download"] for job in first):
            hint = "`sfa downloads on` allows it, --download asks for it."
            print(f"sfa: Songs that are not here were not downloaded: {hint}", file=sys.stderr)
    for job in bad:
        fail(f"{job.arguments.get('title') or job.kind}: {job.error}")
    return 1 if bad else 0
