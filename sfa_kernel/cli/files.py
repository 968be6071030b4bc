"""Commands on files, which need no library: ``sfa analyze``, ``separate``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import fail, percentage, print_json
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.cli.terminal import Commands

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    analyze = commands.add("analyze", _analyze, "analyse files; needs no library")
    analyze.add_argument("files", nargs="+", metavar="FILE")

    separate = commands.add("separate", _separate, "separate a file into stems; needs no library")
    separate.add_argument("file", metavar="FILE")
    separate.add_argument("--engine", default="draft", help="what separates (default: %(default)s)")
    separate.add_argument("--out", required=True, metavar="DIR", help="where the stems go")


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
            fail(f"{file}: {error}")
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
        print_json(results)
    return 1 if any("error" in result for result in results) else 0


def _separate(options: argparse.Namespace) -> int:
    from sfa_kernel import separation

    started = time.perf_counter()
    with percentage(options) as progress:
        done = separation.separate(Path(options.file), Path(options.out), engine=options.engine, progress=progress)
    stems = {name: str(path) for name, path in done.stems.items()}
    if options.json:
        print_json({"stems": stems, "seconds": round(time.perf_counter() - started, 3)})
    else:
        for name, path in stems.items():
            print(f"{name:8} {path}")
    return 0
