"""The command on files that needs no library: ``sfa analyze``."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import fail, print_json
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.analysis import Analysis, Cue
    from sfa_kernel.cli.terminal import Commands

__all__ = ["define"]

LOOPS = 3  # how many are shown
STRAIGHT = 0.53  # where off-beats fall that nobody hears as swing


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    analyze = commands.add("analyze", _analyze, "analyse files; needs no library")
    analyze.add_argument("files", nargs="+", metavar="FILE")


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
        cues = analysis.find_cues(found)
        seconds = round(time.perf_counter() - started, 3)
        results.append({"file": file, **found.to_dict(), "cues": [asdict(cue) for cue in cues], "seconds": seconds})
        if not options.json:
            print(f"{file}  ({_at(found.duration)}, analysed in {seconds:.1f} s)")
            for label, line in _described(found, cues).items():
                print(f"  {label:9} {line}")
    if options.json:
        print_json(results)
    return 1 if any("error" in result for result in results) else 0


def _described(found: Analysis, cues: list[Cue]) -> dict[str, str]:
    """An analysis in lines for people."""
    return {
        "tempo": _tempo(found),
        "key": _key(found),
        "loudness": _loudness(found),
        "feel": ", ".join(
            [f"energy {found.energy} of 10"]
            + ([] if found.danceability is None else [f"danceability {found.danceability:.0%}"])
        ),
        "sections": ", ".join(f"{_at(section.start)} {section.label}" for section in found.sections) or "-",
        "cues": ", ".join(f"{_at(cue.time)} {cue.label}" for cue in cues) or "-",
        "loops": ", ".join(f"{_at(loop.start)} {loop.bars} bars" for loop in found.loops[:LOOPS]) or "-",
    }


def _tempo(found: Analysis) -> str:
    if found.tempo is None:
        return "none"
    other = f" (or {found.tempo_alternative:.2f})" if found.tempo_alternative is not None else ""
    grid = {"constant": "constant", "piecewise": f"{len(found.grid)} tempi", "free": "breathing"}.get(found.grid_kind)
    swing = None if found.swing is None else "straight" if found.swing < STRAIGHT else f"swing {found.swing:.0%}"
    traits = [f"{found.tempo_confidence:.0%} sure", grid, f"{found.beats_per_bar} beats a bar", swing]
    return f"{found.tempo:.2f} BPM{other}, {', '.join(trait for trait in traits if trait)}"


def _key(found: Analysis) -> str:
    if found.key is None:
        return "none"
    codes = ", ".join(code for code in (found.camelot, found.open_key) if code)
    other = f", or {found.key_alternative}" if found.key_alternative else ""
    changes = f", changes {len(found.keys) - 1} times" if len(found.keys) > 1 else ""
    return (
        f"{found.key} ({codes}), {found.key_confidence:.0%} sure{other}{changes}, tuned {found.tuning_cents:+.0f} cents"
    )


def _loudness(found: Analysis) -> str:
    if found.lufs is None:
        return "silent"
    values = {
        "{:.1f} LUFS": found.lufs,
        "short-term up to {:.1f}": found.short_term_max,
        "momentary up to {:.1f}": found.momentary_max,
        "range {:.1f} LU": found.lra,
        "true peak {:.1f} dBTP": found.true_peak,
        "crest {:.1f} dB": found.crest,
    }
    return ", ".join(text.format(value) for text, value in values.items() if value is not None)


def _at(seconds: float) -> str:
    """A place in a song: ``3:07.25``."""
    hundredths = round(100 * seconds)
    return f"{hundredths // 6000}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"
