"""What the import of a large folder costs, and what a page of the library waits for meanwhile.

    python benchmarks/importing.py [--files 10000] [--reference]

A folder of small distinct WAV files (a second of noise, 16 kB) is imported in the background. The time for each file
is told beside what `examine` takes for it alone, without jobs and without a catalogue. Meanwhile the first page of the
library is asked for again and again, as a page does; its time is told beside that of the same library at rest. All run
in the same session, so read the figures as ratios. The exit status is 1 when a file is missing or came in twice.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import soundfile

from sfa_kernel.panels.library import library_handlers
from sfa_kernel.pipeline.importing import examine
from sfa_kernel.sources.walk import walk
from sfa_kernel.studio import Studio

if TYPE_CHECKING:
    from collections.abc import Callable

ALONE = 500  # files that are looked at without jobs
PAUSE = 0.1  # s between two pages
AT_REST = 100  # pages


def fill(folder: Path, files: int) -> None:
    """Distinct songs, a hundred to a folder, which nobody has touched for an hour."""
    random = np.random.default_rng(0)
    before = time.time() - 3600
    for number in range(files):
        path = folder / f"{number // 100:04}" / f"Artist {number % 50} - Song {number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * random.standard_normal((8000, 1)), 8000)
        os.utime(path, (before, before))


def seconds_alone(folder: Path, scratch: Path, *, reference: bool) -> float:
    """What a file takes that is looked at here."""
    scratch.mkdir()
    files = walk(folder).files[:ALONE]
    started = time.perf_counter()
    for file in files:
        examine(Path(file.path), scratch, reference=reference)
    return (time.perf_counter() - started) / len(files)


def page(studio: Studio) -> Callable[[], float]:
    """Asks for the first page of the library; how long it took [s]."""
    ask = library_handlers(studio, on_open=lambda _: None)["tracks.page"]
    params = {"query": "", "sort": "title", "descending": False, "offset": 0, "limit": 100}

    def asked() -> float:
        started = time.perf_counter()
        ask(params, [])
        return time.perf_counter() - started

    return asked


def told(name: str, times: list[float]) -> None:
    ordered = sorted(times)
    p99 = ordered[int(0.99 * (len(ordered) - 1))]
    print(
        f"{name:28} {len(times):5} pages  median {1e3 * statistics.median(times):6.1f} ms  "
        f"99 % {1e3 * p99:6.1f} ms  longest {1e3 * ordered[-1]:6.1f} ms"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--reference", action="store_true", help="the songs stay where they are")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        music, scratch = Path(folder, "music"), Path(folder, "scratch")
        fill(music, options.files)
        started = time.perf_counter()
        walked = walk(music)
        print(f"{'walk':28} {1e6 * (time.perf_counter() - started) / options.files:6.1f} us a file")
        alone = seconds_alone(music, scratch, reference=options.reference)
        print(f"{'examine alone':28} {1e3 * alone:6.2f} ms a file")
        with Studio.open(Path(folder, "library")) as studio:
            ask = page(studio)
            started = time.perf_counter()
            run = studio.import_folder(music, reference=options.reference)
            during = []
            while not run.done:
                during.append(ask())
                time.sleep(PAUSE)
            took = (time.perf_counter() - started) / options.files
            limit = studio.settings.import_limit
            print(
                f"{'import by jobs':28} {1e3 * took:6.2f} ms a file, {took / alone:.2f} times as long; {limit} at once"
            )
            told("pages during the import", during)
            told("pages at rest", [ask() for _ in range(AT_REST)])
            started = time.perf_counter()
            again = studio.folders.scan().wait()
            print(f"{'a second look':28} {1e6 * (time.perf_counter() - started) / options.files:6.1f} us a file")
            whole = len(studio.tracks) == len(walked.files) == options.files
            return 0 if whole and not run.failures and len(again.jobs) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
