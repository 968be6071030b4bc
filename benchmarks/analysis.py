"""Time, memory, and where truth is known the accuracy, of the music analysis.

    python benchmarks/analysis.py [song...]     how much faster than the plain librosa chain, and than essentia's
                                                extractors where essentia is installed (it is AGPL: never a dependency)
    python benchmarks/analysis.py --files       a song of 4 minutes from WAV and from MP3, decoding included
    python benchmarks/analysis.py --batch       20 such songs in one process and in two: parallel efficiency
    python benchmarks/analysis.py --long        memory that a mix of 2 hours takes
    python benchmarks/analysis.py --cold        ``sfa analyze song.mp3`` as a new process
    python benchmarks/analysis.py --data DIR    the scores over DIR/manifest.json, by DIR's score.py
                                                or the one beside DIR

Without songs it takes the demo music. Chains that are compared get the same decoded samples, are warmed up first and
run in turn, so that whatever else the machine does meets all of them. Figures are the least and the median of several
runs. With ``--runs N`` there are N.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.analysis import analyze, analyze_blocks
from sfa_kernel.audio import AudioReader, decode, encode
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"
MINUTES = 4
SONGS = 20
HOURS = 2
BLOCK = 1 << 18


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
    librosa.feature.zero_crossing_rate(y=mono)


def essentia_extractors(samples: np.ndarray, sample_rate: int) -> None:
    """Rhythm, key, loudness and frame-wise timbre as essentia's tutorials put them together."""
    import essentia.standard as es

    mono = samples.mean(axis=0, dtype=np.float32)
    if sample_rate != 44100:
        mono = es.Resample(inputSampleRate=sample_rate, outputSampleRate=44100)(mono)
    es.RhythmExtractor2013(method="multifeature")(mono)
    es.KeyExtractor(profileType="edma")(mono)
    es.LoudnessEBUR128(sampleRate=sample_rate)(np.ascontiguousarray(samples[[0, -1]].T))
    window, spectrum, mfcc = es.Windowing(type="hann"), es.Spectrum(), es.MFCC()
    centroid, rolloff, contrast = es.Centroid(range=22050), es.RollOff(), es.SpectralContrast()
    for frame in es.FrameGenerator(mono, frameSize=2048, hopSize=1024, startFromZero=True):
        magnitude = spectrum(window(frame))
        mfcc(magnitude)
        centroid(magnitude)
        rolloff(magnitude)
        contrast(magnitude)


def compare(songs: list[Path], runs: int) -> None:
    """All chains over each song, in turn."""
    others: dict[str, Callable[[np.ndarray, int], None]] = {"plain librosa": plain_librosa}
    if find_spec("essentia") is not None:
        others["essentia"] = essentia_extractors
    for song in songs:
        samples, sample_rate = decode(song)
        duration = samples.shape[1] / sample_rate
        chains: dict[str, Callable[[np.ndarray, int], Any]] = {"ours": analyze, **others}
        times: dict[str, list[float]] = {name: [] for name in chains}
        for chain in chains.values():
            chain(samples[:, : 30 * sample_rate], sample_rate)
        for _ in range(runs):
            for name, chain in chains.items():
                times[name].append(seconds(chain, samples, sample_rate))
        ours = statistics.median(times["ours"])
        print(f"{song.name}: {duration:.0f} s of music in {spread(times['ours'])} ({duration / ours:.0f} x real time)")
        for name in others:
            ratios = [other / own for other, own in zip(times[name], times["ours"], strict=True)]
            print(f"  {name} {spread(times[name])}: {statistics.median(ratios):.1f} x as long (median ratio)")


def analyze_file(path: Path) -> float | None:
    """Decode a file block by block and analyse it, as the pipeline does; its tempo."""
    with AudioReader(path) as reader:
        return analyze_blocks(reader.blocks(BLOCK), reader.sample_rate, frames=reader.frames).tempo


def files(folder: Path, runs: int) -> None:
    """A song from WAV and from MP3, and the decoding alone."""
    paths = [four_minutes(folder / f"song{suffix}") for suffix in (".wav", ".mp3")]
    whole: dict[Path, list[float]] = {path: [] for path in paths}
    alone: dict[Path, list[float]] = {path: [] for path in paths}
    busy: dict[Path, list[float]] = {path: [] for path in paths}
    for path in paths:
        analyze_file(path)
    for _ in range(runs):
        for path in paths:
            before = time.process_time()
            whole[path].append(seconds(analyze_file, path))
            busy[path].append(time.process_time() - before)
            alone[path].append(seconds(_decode_blocks, path))
    for path in paths:
        print(
            f"{MINUTES} minutes from {path.suffix}: {spread(whole[path])}, of that decoding {spread(alone[path])}; "
            f"processor time {spread(busy[path])}"
        )


def _decode_blocks(path: Path) -> None:
    with AudioReader(path) as reader:
        for _ in reader.blocks(BLOCK):
            pass


def batch(folder: Path, runs: int) -> None:
    """So many songs by one process and by two, each warmed up first."""
    songs = [four_minutes(folder / "song.mp3")] * SONGS
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as one,
        ProcessPoolExecutor(2, get_context("spawn")) as two,
    ):
        for pool in (one, two):
            _analyze_all(pool, songs[:4])
        efficiencies = []
        for _ in range(runs):
            alone, together = (seconds(_analyze_all, pool, songs) for pool in (one, two))
            efficiencies.append(alone / (2 * together))
            print(f"{SONGS} songs: {alone:.1f} s by one process, {together:.1f} s by two")
    print(f"parallel efficiency {statistics.median(efficiencies):.0%} (median), best {max(efficiencies):.0%}")


def _analyze_all(pool: ProcessPoolExecutor, songs: list[Path]) -> None:
    for _ in pool.map(analyze_file, songs):
        pass


def long_mix(folder: Path) -> None:
    """Peak memory of a new process that analyses a mix, over that of one that analyses a minute."""
    song = four_minutes(folder / "song.wav")
    for minutes in (1, 60 * HOURS):
        command = [sys.executable, __file__, "--mix-of", str(minutes), str(song)]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")


def mix_of(minutes: int, song: Path) -> None:
    """Analyse so many minutes made of one song, and tell what memory that took."""
    sample_rate = 44100
    length = minutes * 60 * sample_rate

    def blocks() -> Iterator[np.ndarray]:
        given = 0
        while given < length:
            with AudioReader(song, sample_rate=sample_rate) as reader:
                for block in reader.blocks(BLOCK):
                    yield block[:, : length - given]
                    given += block.shape[1]
                    if given >= length:
                        return

    taken = seconds(analyze_blocks, blocks(), sample_rate)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform != "darwin" else 1 << 30)
    print(f"{minutes} minutes: {taken:.1f} s, at most {peak:.2f} GB")


def cold(folder: Path, runs: int) -> None:
    """The command from its start to its end, after a first run that fills the caches."""
    song = four_minutes(folder / "song.mp3")
    command = [str(Path(sys.executable).with_name("sfa")), "analyze", str(song)]
    first, *times = [seconds(_run_quietly, command) for _ in range(runs + 1)]
    print(f"sfa analyze song.mp3: {spread(times)} (the first time {first:.2f} s)")


def _run_quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def four_minutes(path: Path) -> Path:
    """The demo music, repeated until it lasts, as a file of that suffix."""
    if not path.exists():
        samples, sample_rate = decode(DEMO / "Sound Forge Alchemy - First Light.mp3")
        length = MINUTES * 60 * sample_rate
        samples = np.tile(samples, -(-length // samples.shape[1]))[:, :length]
        encode(path, samples, sample_rate, **({"subtype": "PCM_16"} if path.suffix == ".wav" else {}))
    return path


def seconds(function: Callable[..., Any], *arguments: Any) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def spread(times: list[float]) -> str:
    return f"{min(times):.2f} s (median {statistics.median(times):.2f})"


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
    parser.add_argument("--runs", type=int, default=5)
    for flag in ("--files", "--batch", "--long", "--cold"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--mix-of", type=int, help=argparse.SUPPRESS)
    parser.add_argument("songs", nargs="*", type=Path)
    arguments = parser.parse_args()
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes waiting or running", file=sys.stderr)
    if arguments.data is not None:
        return score(arguments.data)
    if arguments.mix_of is not None:
        mix_of(arguments.mix_of, arguments.songs[0])
        return 0
    asked = [flag for flag in ("files", "batch", "long", "cold") if getattr(arguments, flag)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if "files" in asked:
            files(folder, arguments.runs)
        if "batch" in asked:
            batch(folder, min(3, arguments.runs))
        if "long" in asked:
            long_mix(folder)
        if "cold" in asked:
            cold(folder, arguments.runs)
    if not asked:
        demo = sorted(p for p in DEMO.iterdir() if p.suffix in {".mp3", ".ogg", ".flac", ".wav"})
        compare(arguments.songs or demo, arguments.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
