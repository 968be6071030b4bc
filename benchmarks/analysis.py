"""Time, and where truth is known the accuracy, of the music analysis.

    python benchmarks/analysis.py [song...]           how much faster than the plain librosa chain
    python benchmarks/analysis.py --data DIR          the scores over DIR/manifest.json, by DIR's score.py
                                                      or the one beside DIR

Without songs it takes the demo music. Both chains get the same decoded samples, and each is warmed up first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.analysis import analyze
from sfa_kernel.audio import decode
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    import numpy as np

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
RUNS = 3


def plain_librosa(samples: np.ndarray, sample_rate: int) -> None:
    """What most notebooks do: each feature by its own call, with default settings."""
    import librosa

    mono = librosa.resample(librosa.to_mono(samples), orig_sr=sample_rate, target_sr=22050)
    librosa.beat.beat_track(y=mono)
    chroma = librosa.feature.chroma_cqt(y=mono)
    librosa.segment.agglomerative(chroma, 8)
    librosa.feature.spectral_centroid(y=mono)
    librosa.feature.spectral_rolloff(y=mono)
    librosa.feature.spectral_contrast(y=mono)
    librosa.feature.mfcc(y=mono)
    librosa.feature.rms(y=mono)


def seconds(function: Any, *arguments: Any) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def compare(songs: list[Path]) -> None:
    for song in songs:
        samples, sample_rate = decode(song)
        duration = samples.shape[1] / sample_rate
        chains = [(analyze, []), (plain_librosa, [])]
        for chain, _ in chains:
            chain(samples[:, : 30 * sample_rate], sample_rate)
        for _ in range(RUNS):
            for chain, times in chains:
                times.append(seconds(chain, samples, sample_rate))
        ours, theirs = (statistics.median(times) for _, times in chains)
        print(
            f"{song.name}: {duration:.0f} s of music in {ours:.2f} s ({duration / ours:.0f} x real time), "
            f"plain librosa {theirs:.2f} s: {theirs / ours:.1f} x faster"
        )


def score(folder: Path) -> int:
    """Analyse every file of the manifest and hand the answers to its score.py."""
    scorer = next((p for p in (folder / "score.py", folder.parent / "score.py") if p.is_file()), None)
    if scorer is None:
        print(f"No score.py in {folder} or beside it.", file=sys.stderr)
        return 1
    manifest = json.loads((folder / "manifest.json").read_text())
    answers: dict[str, dict[str, Any]] = {}
    for entry in manifest["files"]:
        name = entry["file"]
        start = time.perf_counter()
        try:
            answers[name] = analyze(*decode(folder / name)).to_dict()
            answers[name]["seconds"] = time.perf_counter() - start
        except SfaError as error:
            answers[name] = {"error": str(error)}
    with tempfile.TemporaryDirectory() as scratch:
        predictions = Path(scratch) / "predictions.json"
        predictions.write_text(json.dumps(answers, allow_nan=False))
        command = [sys.executable, str(scorer), str(folder / "manifest.json"), str(predictions), "--group", "kind"]
        return subprocess.run(command, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with manifest.json")
    parser.add_argument("songs", nargs="*", type=Path)
    arguments = parser.parse_args()
    if arguments.data is not None:
        return score(arguments.data)
    compare(arguments.songs or sorted(p for p in DEMO.iterdir() if p.suffix in {".mp3", ".ogg", ".flac", ".wav"}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
