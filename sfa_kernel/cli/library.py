"""Commands on the library: ``sfa add``, ``run``, ``tracks``, ``track``, ``similar``, ``features``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.jobs import brief
from sfa_kernel.cli.separation import chosen, preview_option, separation_options
from sfa_kernel.cli.spotify import bring_in, import_options
from sfa_kernel.cli.terminal import fail, name_of, open_studio, print_json

if TYPE_CHECKING:
    from sfa_kernel.cli.terminal import Commands

__all__ = ["define", "watch"]

ALL_STAGES, STALE_STAGES, PREVIEW_STAGES = "separate,analyze,autocue", "analyze,autocue", "separate"


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    add = commands.add("add", _add, "bring in files and folders, what playlist files name, or what links lead to")
    add.add_argument("paths", nargs="+", metavar="PATH", help="or a link of Spotify")
    add.add_argument("--reference", action="store_true", help="leave files where they are instead of copying them")
    import_options(add)

    run = commands.add("run", _run, "let stages work on tracks")
    run.add_argument("ids", nargs="*", metavar="ID", help="tracks; all of them when none is named")
    run.add_argument("--stages", help=f"default: {ALL_STAGES}; --stale: {STALE_STAGES}; --preview: separate")
    run.add_argument("--stale", action="store_true", help="only tracks that an older version of this program analysed")
    separation_options(run)
    preview_option(run)
    run.add_argument("--force", action="store_true", help="do again what has been done")
    run.add_argument("--priority", type=int, default=5, metavar="N", help="0 is first, 9 last (default: %(default)s)")
    run.add_argument("--wait", action="store_true", help="do the work here and wait for its end")

    tracks = commands.add("tracks", _tracks, "list the tracks, or those in which all words occur")
    tracks.add_argument("query", nargs="*", metavar="WORD")
    tracks.add_argument("--sort", default="added_at", help="title, artist, bpm, key, energy, duration, ...")

    track = commands.add("track", _track, "everything about one track")
    track.add_argument("id", metavar="ID")

    similar = commands.add("similar", _similar, "list the tracks that sound most like one")
    similar.add_argument("id", metavar="ID")
    similar.add_argument("--tempo", type=_tempi, metavar="LOW-HIGH", help="only tracks between these tempi, in BPM")
    similar.add_argument("--octaves", action="store_true", help="half and double of those tempi will do as well")
    similar.add_argument("--keys", default="any", help="any or compatible (default: %(default)s)")
    similar.add_argument("--limit", type=int, default=20, metavar="N", help="how many (default: %(default)s)")

    features = commands.add("features", _features, "write the numbers of all analyses to a file")
    features.add_argument("file", metavar="FILE", help="ends in .parquet, .json or .csv")
    features.add_argument("ids", nargs="*", metavar="ID", help="tracks; all of them when none is named")
    features.add_argument("--curves", action="store_true", help="a second file with what changes over time")


def _tempi(text: str) -> tuple[float, float]:
    low, _, high = text.partition("-")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no range of tempi such as 120-128") from None


def _add(options: argparse.Namespace) -> int:
    from sfa_kernel.errors import InputError
    from sfa_kernel.library import Imported
    from sfa_kernel.sources.listed import is_playlist_file
    from sfa_kernel.sources.spotify.links import looks_like_link

    how = {"reference": options.reference, "download": options.download, "stages": options.stages or ()}
    if any(looks_like_link(text) or is_playlist_file(Path(text)) for text in options.paths):
        return bring_in(options, lambda studio: studio.add(*options.paths, **how))
    with open_studio(options) as studio:
        imported = Imported(studio)
        for path in options.paths:
            try:
                part = studio.add(path, **how)
            except InputError as refused:
                imported.errors.append((Path(path), str(refused)))
                continue
            imported.extend(part)
            imported.new += part.new
            imported.paths += part.paths
            imported.errors += part.errors
        if options.json:
            print_json(
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
                print(f"{'added' if new else 'known'}  {str(track.id)[:8]}  {name_of(track.title, track.artist)}")
        for path, error in imported.errors:
            fail(f"{path}: {error}")
    return 1 if imported.errors else 0


def _run(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        tracks: Any = options.ids or None
        if options.stale:
            wanted = {studio.track(track_id).id for track_id in options.ids}
            tracks = [track for track in studio.stale() if not wanted or track.id in wanted]
        usual = STALE_STAGES if options.stale else PREVIEW_STAGES if options.preview else ALL_STAGES
        run = studio.run(
            tracks,
            stages=options.stages or usual,
            **chosen(options),
            region=options.preview,
            force=options.force,
            priority=options.priority,
        )
        if options.wait:
            studio.work(run)  # not what others queue: we end with our own
            watch(run, quiet=options.json or not sys.stderr.isatty())
        jobs = run.jobs
    if options.json:
        print_json({"batch": run.batch_id, "jobs": [brief(job) for job in jobs]})
    else:
        for job in jobs:
            print(
                f"{job.kind:9} {job.status:10} {job.progress:3d} %  {str(job.track_id)[:8]}  {job.error or ''}".rstrip()
            )
    if options.wait:
        bad = [job for job in jobs if job.status != "completed"]
        if bad:
            first = next((job for job in bad if job.status == "failed"), bad[0])
            return fail(f"{len(bad)} of {len(jobs)} jobs did not finish: {first.error}")
    return 0


def watch(run: Any, *, quiet: bool) -> None:
    """Wait for a run, and show how far it is unless ``quiet``."""
    from sfa_kernel.catalog.jobs import ACTIVE

    while True:
        run.wait(timeout=None if quiet else 0.5)
        jobs = run.jobs
        if not quiet:
            done = sum(j.progress if j.status in ACTIVE else 100 for j in jobs)
            print(f"\r{done / max(1, len(jobs)):5.1f} %", end="", file=sys.stderr, flush=True)
        if run.done:
            if not quiet:
                print("\r", end="", file=sys.stderr)
            return


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
    with open_studio(options) as studio:
        rows = studio.tracks.search(" ".join(options.query)).sorted(options.sort).summaries()
        stale = {track.id for track in studio.stale()}
    if options.json:
        print_json({"tracks": [{**_summary(row), "stale": row["id"] in stale} for row in rows]})
    else:
        for row in rows:
            tempo = f"{row['bpm']:6.2f}" if row["bpm"] else "     -"
            print(f"{str(row['id'])[:8]}  {tempo}  {row['camelot'] or '-':>3}  {name_of(row['title'], row['artist'])}")
        if stale:
            many = "1 track was" if len(stale) == 1 else f"{len(stale)} tracks were"
            print(f"sfa: {many} analysed by an older version; `sfa run --stale` does it anew.", file=sys.stderr)
    return 0


def _track(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    with open_studio(options) as studio:
        track = studio.track(options.id)
        analysis = track.analysis
        document = {
            **{k: v for k, v in asdict(track.row).items() if k not in ("file", "cover", "duration")},
            "duration_s": track.duration,
            "path": track.path,
            "stems": {name: str(path) for name, path in track.stems.items()},
            "analysis": None if analysis is None else analysis.to_dict(),
            "cues": [{k: v for k, v in asdict(cue).items() if k not in ("id", "track_id")} for cue in track.cues],
            "jobs": [brief(job) for job in track.jobs],
        }
    if options.json:
        print_json(document)
        return 0
    print(name_of(track.title, track.artist))
    for label, value in {
        "id": track.id,
        "file": track.path,
        "tempo": analysis and analysis.tempo and f"{analysis.tempo:.2f} BPM",
        "key": analysis and analysis.key and f"{analysis.key} ({analysis.camelot})",
        "loudness": analysis and analysis.lufs is not None and f"{analysis.lufs:.1f} LUFS",
        "stems": ", ".join(track.stems),
    }.items():
        print(f"  {label:9} {value or '-'}")
    for cue in track.cues:
        print(f"  {cue.time:9.3f} {cue.label}")
    return 0


def _similar(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        track = studio.track(options.id)
        rows = studio.similar(
            track, limit=options.limit, tempo=options.tempo, octaves=options.octaves, keys=options.keys
        )
    if options.json:
        values = ("distance", "bpm", "camelot", "why")
        similar = [
            {
                "id": row["track"].id,
                "title": row["track"].title,
                "artist": row["track"].artist,
                **{name: row[name] for name in values},
            }
            for row in rows
        ]
        print_json({"id": track.id, "similar": similar})
        return 0
    for row in rows:
        tempo = f"{row['bpm']:6.2f}" if row["bpm"] else "     -"
        name = name_of(row["track"].title, row["track"].artist)
        print(f"{str(row['track'].id)[:8]}  {row['distance']:5.2f}  {tempo}  {row['camelot'] or '-':>3}  {name}")
        print(f"          {row['why']}")
    return 0


def _features(options: argparse.Namespace) -> int:
    with open_studio(options) as studio:
        files = studio.export_features(options.file, options.ids or None, curves=options.curves)
    if options.json:
        print_json({"files": files})
    else:
        for file in files:
            print(file)
    return 0
