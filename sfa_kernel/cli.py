"""The command line: ``sfa``.

``--json`` prints one JSON document on standard output and nothing else there. The exit status is 0 only when
all went well; an error is one line on standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel import __version__
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.studio import Studio

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.DEBUG if options.verbose else logging.WARNING, format="%(levelname)s %(message)s")
    if not options.verbose:
        # What a person needs to know is said by the command itself; the log is for `--verbose`.
        logging.getLogger("sfa_kernel").setLevel(logging.CRITICAL if options.command != "worker" else logging.WARNING)
    if options.command in ("add", "run", "analyze", "separate") and arguments is None and not options.verbose:
        _silence_c_libraries()
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except SfaError as error:
        if options.verbose:
            logging.getLogger(__name__).exception("The command failed")
        return _fail(str(error))
    except BrokenPipeError:
        # Whoever read our output has had enough (`sfa tracks | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if options.verbose:
            raise
        return _fail(f"Unexpected {type(error).__name__}: {error}. Please report it, with what --verbose says.")
    except KeyboardInterrupt:
        return _fail("Stopped.", status=130)


def _silence_c_libraries() -> None:
    """Keep standard error for our own lines: the MP3 decoder writes its notes on damaged files there."""
    ours = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.stderr = ours


def _common(parser: argparse.ArgumentParser, **defaults: object) -> None:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sfa", description="Sound Forge Alchemy: a programmable music workstation.")
    _common(parser, home=None, json=False, verbose=False)
    parser.add_argument("--version", action="version", version=f"sfa {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        _common(sub)
        sub.set_defaults(run=run)
        return sub

    add = command("add", _add, "bring files and folders into the library")
    add.add_argument("paths", nargs="+", metavar="PATH")

    run = command("run", _run, "let stages work on tracks")
    run.add_argument("ids", nargs="*", metavar="ID", help="tracks; all of them when none is named")
    run.add_argument("--stages", default="separate,analyze,autocue", help="default: %(default)s")
    run.add_argument("--engine", default="draft", help="what separates (default: %(default)s)")
    run.add_argument("--force", action="store_true", help="do again what has been done")
    run.add_argument("--wait", action="store_true", help="do the work here and wait for its end")

    tracks = command("tracks", _tracks, "list the tracks, or those in which all words occur")
    tracks.add_argument("query", nargs="*", metavar="WORD")
    tracks.add_argument("--sort", default="added_at", help="title, artist, bpm, key, energy, duration, ...")

    track = command("track", _track, "everything about one track")
    track.add_argument("id", metavar="ID")

    jobs = command("jobs", _jobs, "list the jobs")
    jobs.add_argument("--active", action="store_true", help="only those that wait or run")

    analyze = command("analyze", _analyze, "analyse files; needs no library")
    analyze.add_argument("files", nargs="+", metavar="FILE")

    separate = command("separate", _separate, "separate a file into stems; needs no library")
    separate.add_argument("file", metavar="FILE")
    separate.add_argument("--engine", default="draft", help="what separates (default: %(default)s)")
    separate.add_argument("--out", required=True, metavar="DIR", help="where the stems go")

    for name, runner, text in (
        ("app", _app, "open the dashboard"),
        ("lab", _lab, "open JupyterLab on the notebooks"),
    ):
        surface = command(name, runner, text)
        surface.add_argument("--port", type=int, help="a free one when not given")
        surface.add_argument("--no-browser", action="store_true", help="only print the address")
        if name == "app":
            surface.add_argument(
                "--demo", action="store_true", help="add the demo songs to an empty library and process them"
            )

    command("worker", _worker, "run jobs until stopped")
    command("doctor", _doctor, "versions, optional tools, what is missing and how to get it")
    return parser


def _fail(line: str, *, status: int = 1) -> int:
    print(f"sfa: {line}", file=sys.stderr)
    return status


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False, default=str, allow_nan=False))


def _studio(options: argparse.Namespace) -> Studio:
    from sfa_kernel.studio import Studio

    return Studio.open(options.home, run_jobs=False)


# -- library -------------------------------------------------------------------------------------------------


def _add(options: argparse.Namespace) -> int:
    from sfa_kernel.errors import InputError
    from sfa_kernel.library import Imported

    with _studio(options) as studio:
        imported = Imported(studio)
        for path in options.paths:
            try:
                part = studio.add(path)
            except InputError as refused:
                imported.errors.append((Path(path), str(refused)))
                continue
            imported.extend(part)
            imported.new += part.new
            imported.paths += part.paths
            imported.errors += part.errors
        if options.json:
            _print_json(
                {
                    "tracks": [
                        {
                            "id": track.id,
                            "title": track.title,
                            "artist": track.artist,
                            "path": path,
                            "duration_s": round(track.duration, 6),
                            "new": new,
                        }
                        for track, path, new in zip(imported, imported.paths, imported.new, strict=True)
                    ],
                    "errors": [{"path": path, "error": error} for path, error in imported.errors],
                }
            )
        else:
            for track, new in zip(imported, imported.new, strict=True):
                print(f"{'added' if new else 'known'}  {str(track.id)[:8]}  {_name(track.title, track.artist)}")
        for path, error in imported.errors:
            _fail(f"{path}: {error}")
    return 1 if imported.errors else 0


def _run(options: argparse.Namespace) -> int:
    with _studio(options) as studio:
        run = studio.run(options.ids or None, stages=options.stages, engine=options.engine, force=options.force)
        if options.wait:
            studio.work(run)  # not what others queue: we end with our own
            _watch(run, quiet=options.json or not sys.stderr.isatty())
        jobs = run.jobs
    if options.json:
        _print_json({"jobs": [_job(job) for job in jobs]})
    else:
        for job in jobs:
            print(
                f"{job.kind:9} {job.status:10} {job.progress:3d} %  {str(job.track_id)[:8]}  {job.error or ''}".rstrip()
            )
    if options.wait:
        bad = [job for job in jobs if job.status != "completed"]
        if bad:
            first = next((job for job in bad if job.status == "failed"), bad[0])
            return _fail(f"{len(bad)} of {len(jobs)} jobs did not finish: {first.error}")
    return 0


def _watch(run: Any, *, quiet: bool) -> None:
    while True:
        run.wait(timeout=None if quiet else 0.5)
        jobs = run.jobs
        if not quiet:
            done = sum(100 if j.status not in ("queued", "processing") else j.progress for j in jobs)
            print(f"\r{done / max(1, len(jobs)):5.1f} %", end="", file=sys.stderr, flush=True)
        if run.done:
            if not quiet:
                print("\r", end="", file=sys.stderr)
            return


def _job(job: JobRow) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "track_id": job.track_id,
        "status": job.status,
        "progress": job.progress,
        "attempt": job.attempt,
        "error": job.error,
    }


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "title": row["title"],
        "artist": row["artist"],
        "album": row["album"],
        "duration_s": row["duration"],
        "bpm": row["bpm"],
        "key": row["key"],
        "camelot": row["camelot"],
        "energy": row["energy"],
        "lufs": row["lufs"],
        "stems": row["stems"],
        "format": row["format"],
        "added_at": row["added_at"].isoformat(),
    }


def _tracks(options: argparse.Namespace) -> int:
    with _studio(options) as studio:
        rows = studio.tracks.search(" ".join(options.query)).sorted(options.sort).summaries()
    if options.json:
        _print_json({"tracks": [_summary(row) for row in rows]})
    else:
        for row in rows:
            tempo = f"{row['bpm']:6.2f}" if row["bpm"] else "     -"
            print(f"{str(row['id'])[:8]}  {tempo}  {row['camelot'] or '-':>3}  {_name(row['title'], row['artist'])}")
    return 0


def _track(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    with _studio(options) as studio:
        track = studio.track(options.id)
        document = {
            **{k: v for k, v in asdict(track.row).items() if k not in ("file", "cover", "duration")},
            "duration_s": track.duration,
            "path": track.path,
            "stems": {name: str(path) for name, path in track.stems.items()},
            "analysis": track.analysis,
            "cues": [{k: v for k, v in asdict(cue).items() if k not in ("id", "track_id")} for cue in track.cues],
            "jobs": [_job(job) for job in track.jobs],
        }
    if options.json:
        _print_json(document)
        return 0
    analysis = track.analysis or {}
    print(_name(track.title, track.artist))
    for label, value in {
        "id": track.id,
        "file": track.path,
        "tempo": analysis.get("bpm") and f"{analysis['bpm']:.2f} BPM",
        "key": analysis.get("key") and f"{analysis['key']} ({analysis['camelot']})",
        "loudness": analysis.get("lufs") is not None and f"{analysis['lufs']:.1f} LUFS",
        "stems": ", ".join(track.stems),
    }.items():
        print(f"  {label:9} {value or '-'}")
    for cue in track.cues:
        print(f"  {cue.time:9.3f} {cue.label}")
    return 0


def _jobs(options: argparse.Namespace) -> int:
    with _studio(options) as studio:
        jobs = studio.ledger.jobs(active=options.active)
    if options.json:
        _print_json({"jobs": [_job(job) for job in jobs]})
    else:
        for job in jobs:
            print(f"{str(job.id)[:8]}  {job.kind:9} {job.status:10} {job.progress:3d} %  {job.error or ''}".rstrip())
    return 0


# -- files ---------------------------------------------------------------------------------------------------


def _analyze(options: argparse.Namespace) -> int:
    from sfa_kernel import analysis, audio

    results: list[dict[str, Any]] = []
    for file in options.files:
        started = time.perf_counter()
        try:
            with audio.AudioReader(file) as reader:
                found = analysis.analyze_blocks(reader.blocks(1 << 18), reader.sample_rate, frames=reader.frames)
        except SfaError as error:
            results.append({"file": file, "error": str(error)})
            _fail(f"{file}: {error}")
            continue
        document = found.to_dict()
        names = (
            "duration_s",
            "bpm",
            "beats",
            "downbeats",
            "key",
            "camelot",
            "lufs",
            "lra",
            "true_peak",
            "sections",
            "drops",
        )
        result = {"file": file, **{name: document[name] for name in names}}
        result["cues"] = [
            {"time": cue.time, "type": cue.type, "label": cue.label, "confidence": cue.confidence}
            for cue in analysis.find_cues(found)
        ]
        result["seconds"] = round(time.perf_counter() - started, 3)
        results.append(result)
        if not options.json:
            tempo = f"{result['bpm']:.2f} BPM" if result["bpm"] else "no tempo"
            key = f"{result['key']} ({result['camelot']})" if result["key"] else "no key"
            loudness = f"{result['lufs']:.1f} LUFS" if result["lufs"] is not None else "silent"
            print(f"{file}: {tempo}, {key}, {loudness}, {len(result['sections'])} sections")
    if options.json:
        _print_json(results)
    return 1 if any("error" in result for result in results) else 0


def _separate(options: argparse.Namespace) -> int:
    from sfa_kernel import separation

    started = time.perf_counter()
    shown = sys.stderr.isatty() and not options.json

    def progress(percent: int) -> None:
        if shown:
            print(f"\r{percent:3d} %", end="", file=sys.stderr, flush=True)

    done = separation.separate(Path(options.file), Path(options.out), engine=options.engine, progress=progress)
    if shown:
        print("\r", end="", file=sys.stderr)
    stems = {name: str(path) for name, path in done.stems.items()}
    if options.json:
        _print_json({"stems": stems, "seconds": round(time.perf_counter() - started, 3)})
    else:
        for name, path in stems.items():
            print(f"{name:8} {path}")
    return 0


# -- surfaces ------------------------------------------------------------------------------------------------


def _app(options: argparse.Namespace) -> int:
    from sfa_kernel.server.app import run_app

    with _studio(options) as studio:
        home = studio.home
        if options.demo and len(studio.tracks) == 0:
            from sfa_kernel.resources import demo_songs

            added = studio.add(*demo_songs())
            if added:
                studio.run(list(added))  # queued only: the app's worker does it
    return run_app(home, options.port, not options.no_browser)


def _lab(options: argparse.Namespace) -> int:
    from sfa_kernel.server.app import run_lab

    with _studio(options) as studio:
        home = studio.home
    return run_lab(home, options.port, not options.no_browser)


def _worker(options: argparse.Namespace) -> int:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    if "SFA_PARENT_PID" in os.environ:
        # Our standard input is a pipe from the app that started us: it ends when the app does, however it ends.
        threading.Thread(target=_set_at_end_of_input, args=(stopped,), daemon=True).start()
    with _studio(options) as studio:
        studio.work()
        while not stopped.wait(1.0):
            pass
    return 0


def _set_at_end_of_input(stopped: threading.Event) -> None:
    sys.stdin.read()
    stopped.set()


def _doctor(options: argparse.Namespace) -> int:
    from sfa_kernel.doctor import examine

    report = examine(options.home)
    if options.json:
        _print_json(report)
    else:
        print(f"Sound Forge Alchemy {report['version']}, library {report['home']}")
        for check in report["checks"]:
            state = "ok" if check["ok"] else "missing"
            print(f"  {state:8} {check['name']}: {check['detail']} {check['hint']}".rstrip())
    return 0 if report["ok"] else 1


def _name(title: str, artist: str) -> str:
    return f"{artist} - {title}" if artist else title
