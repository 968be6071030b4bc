"""How good the separations are, how long they take and how much memory, beside named baselines.

    python benchmarks/separation.py                    the draft on five generated songs
    python benchmarks/separation.py --stems FOLDER     songs with known stems: one folder each, which holds vocals,
                                                       drums, bass and other as sound files, and may hold mixture
        --engine ENGINE[:MODEL] ...                    with these engines, besides the baselines
        --weights DIR                                  whose weights are there
    python benchmarks/separation.py --demucs [MODEL]   time, memory and error beside Demucs' own apply_model
        --device cpu|cuda  --seconds S  --rounds N  --compile
    python benchmarks/separation.py --memory           memory that 3 and 30 minutes of song take

Songs: gains are in signal-to-distortion ratio (over the whole song, as in the MDX challenges) over the baseline
"mix": taking the mix itself for every stem. "hpss" is what most notebooks do: librosa's harmonic/percussive split,
the bass cut off the harmonic part at 200 Hz, and the rest shared by vocals and other. Times are CPU seconds, those of
child processes included, for a minute of song.

Demucs: the real architecture with random numbers, since no weights are shipped; time and memory do not depend on the
numbers, and errors hardly do. Each variant runs in a process of its own, in turn with the others; "upstream" is
``demucs.apply.apply_model(shifts=0)`` as it comes, "ours" is our segment loop in the environment that the product
gives its processes. Times are medians, ratios are medians of the ratios within each round, and errors are relative to
upstream's output (on a GPU to upstream's in strict float32). A smaller overlap is another estimate, not an error.

Memory: through the door, with a Demucs as small as it works, so that half an hour ends in a few minutes; what counts
is whether it grows.
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
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfa_kernel.audio import AUDIO_SUFFIXES, AudioWriter, decode, encode
from sfa_kernel.separation import separate
from tests.separation.songs import STEMS, STYLES, Song, song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Array = np.ndarray[Any, np.dtype[Any]]
Stems = dict[str, Array]

# Deduced from the sizes of the published files, which these meet to 0.3 %.
HTDEMUCS = {"channels": 48, "dconv_mode": 3, "bottom_channels": 512, "segment": Fraction(39, 5)}
REAL: dict[str, dict[str, Any]] = {
    "htdemucs": HTDEMUCS,
    "htdemucs_ft": HTDEMUCS,
    "htdemucs_6s": {**HTDEMUCS, "bottom_channels": 0},
    "mdx_extra": {"channels": 48, "segment": 44},
}
STEM = "vocals"  # the one that is asked for where one is


# -- songs with known stems --------------------------------------------------------------------------------------------


def songs(folder: Path | None) -> Iterator[tuple[str, Song, Array]]:
    """Name, stems, and mix of each song."""
    if folder is None:
        for seed, style in enumerate(STYLES):
            made = song(style, seed=100 + seed, seconds=30)
            yield style, made, made.mix
        return
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = {path.stem: path for path in place.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES}
        if set(STEMS) <= set(files):
            names = [*STEMS, *({"mixture"} & set(files))]
            read = {name: decode(files[name]) for name in names}
            shortest = min(samples.shape[1] for samples, _ in read.values())
            truth = Song({name: read[name][0][:, :shortest] for name in STEMS}, read["vocals"][1])
            yield place.name, truth, read["mixture"][0][:, :shortest] if "mixture" in read else truth.mix


def by_engine(name: str, weights: Path | None) -> Callable[[Array, int], Stems]:
    """Through the door, files included, as a user would have it."""
    engine, _, model = name.partition(":")

    def method(mix: Array, sample_rate: int) -> Stems:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "mix.wav"
            encode(path, mix, sample_rate, subtype="FLOAT")
            done = separate(path, folder, engine=engine, model=model, weights=weights)
            found = {name: decode(path)[0] for name, path in done.stems.items()}
        # What others make guitar and piano of is "other" where there are only four.
        found["other"] = sum(found.pop(name) for name in set(found) - set(STEMS) | {"other"})
        return found

    return method


def hpss(mix: Array, sample_rate: int) -> Stems:
    import librosa
    from scipy.signal import butter, sosfiltfilt

    harmonic, percussive = librosa.effects.hpss(mix)
    bass = sosfiltfilt(butter(4, 200, fs=sample_rate, output="sos"), harmonic)
    rest = mix - percussive - bass
    return {"vocals": rest / 2, "drums": percussive, "bass": bass, "other": rest / 2}


def sdr(truth: Array, estimate: Array) -> float:
    error = truth.astype(np.float64) - estimate
    return float(10 * np.log10((np.sum(np.square(truth, dtype=np.float64)) + 1e-12) / (np.sum(error**2) + 1e-12)))


def score(folder: Path | None, engines: list[str], weights: Path | None) -> int:
    """A table of gains, a line for each song and method."""
    methods = {name: by_engine(name, weights) for name in engines} | {"hpss": hpss}
    warm = song("pop", seconds=2)
    for method in methods.values():
        method(warm.mix, warm.sample_rate)
    width = max(map(len, methods))
    print(f"{'song':20} {'method':{width}}" + "".join(f"{name:>9}" for name in STEMS) + f"{'mean':>9}{'s/min':>9}")
    rows: dict[str, list[list[float]]] = {name: [] for name in methods}
    for title, truth, mix in songs(folder):
        level = [sdr(truth.stems[name], mix) for name in STEMS]
        print(f"{title[:20]:20} {'mix':{width}}" + "".join(f"{value:9.1f}" for value in level) + "   (its SDR)")
        for name, method in methods.items():
            began = sum(os.times()[:4])
            stems = method(mix, truth.sample_rate)
            seconds = 60 * (sum(os.times()[:4]) - began) / (mix.shape[1] / truth.sample_rate)
            gains = [sdr(truth.stems[stem], stems[stem]) - base for stem, base in zip(STEMS, level, strict=True)]
            rows[name].append([*gains, float(np.mean(gains)), seconds])
            print(
                f"{'':20} {name:{width}}"
                + "".join(f"{value:+9.1f}" for value in rows[name][-1][:5])
                + f"{seconds:9.1f}"
            )
    if not rows["hpss"]:
        print("No song with all four stems was found.", file=sys.stderr)
        return 1
    print()
    for name, values in rows.items():
        mean = np.mean(values, axis=0)
        print(f"{'mean gain':20} {name:{width}}{signed(mean[:5])}{mean[5]:9.1f}")
    for name in engines:
        lowest = min(min(row[:4]) for row in rows[name])
        ratio = np.mean([row[5] for row in rows["hpss"]]) / np.mean([row[5] for row in rows[name]])
        print(f"{name}: lowest gain of any stem {lowest:+.1f} dB; {ratio:.1f} times as fast as hpss")
    return 0


def signed(values: Iterable[float]) -> str:
    return "".join(f"{value:+9.1f}" for value in values)


# -- Demucs beside upstream --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """One way to run the networks."""

    name: str
    ours: bool = True
    overlap: float = 0.25
    stems: tuple[str, ...] | None = None
    batch: int = 1
    precision: str = "float32"
    exact: bool = True
    compiled: bool = False
    note: str = ""


def variants(model: str, device: str, compiled: bool) -> list[Variant]:
    one = [Variant("ours, one stem", stems=(STEM,), note=f"only {STEM}")] * (model == "htdemucs_ft")
    if device == "cpu":
        return [
            Variant("upstream", ours=False),
            Variant("ours"),
            *[Variant("ours, compiled", compiled=True)] * compiled,
            Variant("ours, no needless end", exact=False, note="its end is another estimate"),
            Variant("ours, overlap 0.1", overlap=0.1, note="another estimate"),
            *one,
        ]
    return [
        Variant("upstream, float32", ours=False, note="the reference for errors"),
        Variant("upstream", ours=False, precision="default", note="TF32 in convolutions: PyTorch's default"),
        Variant("ours", batch=1),
        Variant("ours, batch 16", batch=16),
        *[Variant("ours, batch 16, compiled", batch=16, compiled=True)] * compiled,
        Variant("ours, batch 16, tf32", batch=16, precision="tf32"),
        Variant("ours, batch 16, bf16", batch=16, precision="bf16"),
        *one,
    ]


@dataclass
class Runner:
    """A process that runs one variant whenever it is told to."""

    variant: Variant
    process: Any
    seconds: list[float] = field(default_factory=list)
    memory: float = 0.0  # GB, the most

    def step(self) -> float:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.seconds.append(answer["seconds"])
        self.memory = answer["gigabytes"]
        return self.seconds[-1]


def compare(model: str, device: str, seconds: float, rounds: int, compiled: bool) -> None:
    """All variants in turn, and what became of them."""
    from sfa_kernel.separation.demucs import models
    from sfa_kernel.separation.demucs.devices import child_environment

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mix = song("pop", seconds=seconds).mix
        np.save(folder / "mix.npy", (mix - mix.mean()) / mix.std())
        runners = []
        for index, variant in enumerate(variants(model, device, compiled)):
            order = {**vars(variant), "model": model, "device": device, "folder": name, "output": f"{index}.npy"}
            environment = {**os.environ, **(child_environment() if variant.ours else {})}
            command = [sys.executable, __file__, "--child", json.dumps(order)]
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            runners.append(Runner(variant, process))
        try:
            for runner in runners:
                runner.step()  # warm: memory is got from the system, and what is compiled is compiled
                runner.seconds.clear()
            for _ in range(rounds):
                for runner in runners:
                    runner.step()
        finally:
            for runner in runners:
                runner.process.communicate()
        print(f"{model}, {seconds:g} s of song, {device}, {rounds} rounds, random numbers in the real architecture")
        print(f"{'variant':26}{'s':>8}{'x real':>9}{'x faster':>10}{'GB':>7}{'error':>9}")
        reference = np.load(folder / "0.npy")
        baseline = next(runner for runner in runners if runner.variant.name == "upstream")
        for index, runner in enumerate(runners):
            found, stems = np.load(folder / f"{index}.npy"), models.model(model).stems
            wanted = [stems.index(stem) for stem in runner.variant.stems or stems]
            took = statistics.median(runner.seconds)
            ratios = [base / own for base, own in zip(baseline.seconds, runner.seconds, strict=True)]
            error = "" if index == 0 else f"{-sdr(reference[wanted], found):.0f} dB"
            print(
                f"{runner.variant.name:26}{took:8.2f}{seconds / took:9.1f}{statistics.median(ratios):10.2f}"
                f"{runner.memory:7.2f}{error:>9}  {runner.variant.note}".rstrip()
            )


def child(order: dict[str, Any]) -> None:
    """What a process of `compare` does: one line in, one run, one line out."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import torch

    from sfa_kernel.separation.demucs import devices
    from sfa_kernel.separation.demucs.bag import Bag, Member
    from sfa_kernel.separation.demucs.compiled import compile_networks
    from sfa_kernel.separation.demucs.models import model
    from sfa_kernel.separation.demucs.segments import separate_blocks
    from tests.separation.demucs.making import tiny

    chosen, device, folder = model(order["model"]), order["device"], Path(order["folder"])
    wanted = chosen.members(order["stems"])
    networks = {index: tiny(chosen.name, seed=index, **REAL[chosen.name]).to(device) for index in wanted}
    mix = np.load(folder / "mix.npy").astype(np.float32)

    def upstream() -> Array:
        from demucs.apply import BagOfModels, apply_model

        # In float32 alone, or as PyTorch is by default.
        torch.backends.cudnn.allow_tf32 = order["precision"] == "default"
        theirs = BagOfModels(list(networks.values()), [list(row) for row in chosen.weights], chosen.segment)
        given = torch.from_numpy(mix)[None]
        made: Array = apply_model(theirs, given, shifts=0, overlap=order["overlap"], device=device)[0].numpy()
        return made

    members = tuple(Member(network, chosen.weights[index]) for index, network in networks.items())
    bag = Bag(chosen.name, chosen.stems, 44100, members, chosen.segment)
    if order["compiled"]:
        compile_networks(bag)

    def ours() -> Array:
        with devices.threads():
            pieces = separate_blocks(
                bag,
                np.array_split(mix, 10, axis=1),
                mix.shape[1],
                stems=order["stems"] or chosen.stems,
                overlap=order["overlap"],
                batch=order["batch"],
                exact=order["exact"],
                precision=order["precision"],
            )
            return np.concatenate(list(pieces), axis=2)

    run = ours if order["ours"] else upstream
    for _ in sys.stdin:
        began = time.perf_counter()
        made = run()
        seconds = time.perf_counter() - began
        np.save(folder / order["output"], made)
        gigabytes = torch.cuda.max_memory_allocated() / 1e9 if device != "cpu" else peak()
        out.write(json.dumps({"seconds": seconds, "gigabytes": gigabytes}) + "\n")
        out.flush()


# -- memory of long songs ----------------------------------------------------------------------------------------------


def memory() -> None:
    """The most that this and its child processes held, for a short and for a long song."""
    from tests.separation.demucs.making import make_weights

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_weights(folder / "weights", segment=Fraction(39, 5), dconv_mode=0, t_layers=1)
        for minutes in (3, 30):
            write_long(folder / f"{minutes}.wav", minutes)
        print("memory through the door; Demucs as small as it works, with the real one's segments")
        print(f"{'engine':10}{'minutes':>9}{'GB':>8}{'seconds':>9}")
        for engine in ("draft", "demucs"):
            for minutes in (3, 30):
                order = {"engine": engine, "song": f"{minutes}.wav", "folder": name}
                command = [sys.executable, __file__, "--measured", json.dumps(order)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                found = json.loads(done.stdout)
                print(f"{engine:10}{minutes:9}{found['gigabytes']:8.2f}{found['seconds']:9.0f}")


def write_long(path: Path, minutes: int) -> None:
    part = song("house", seconds=30)
    with AudioWriter(path, part.sample_rate, 2) as writer:
        for _ in range(2 * minutes):
            writer.write(part.mix)


def measured(order: dict[str, Any]) -> None:
    folder = Path(order["folder"])
    began = time.perf_counter()
    separate(folder / order["song"], folder / "stems", engine=order["engine"], weights=folder / "weights")
    print(json.dumps({"gigabytes": peak(), "seconds": time.perf_counter() - began}))


def peak() -> float:
    """The most memory that this process, or one it started and that has ended, held [GB]."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most * (1 if sys.platform == "darwin" else 1024) / 1e9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stems", type=Path, metavar="FOLDER", help="songs with known stems")
    parser.add_argument("--engine", action="append", metavar="ENGINE[:MODEL]", help="default: draft")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="folder of weights")
    parser.add_argument("--demucs", nargs="?", const="htdemucs", choices=REAL, metavar="MODEL", help="beside upstream")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="for --demucs")
    parser.add_argument("--seconds", type=float, default=30, help="of song")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="and what torch.compile makes of it")
    parser.add_argument("--memory", action="store_true", help="of 3 and 30 minutes")
    parser.add_argument("--child", type=json.loads, help=argparse.SUPPRESS)
    parser.add_argument("--measured", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
    elif options.measured:
        measured(options.measured)
    elif options.demucs:
        compare(options.demucs, options.device, options.seconds, options.rounds, options.compile)
    elif options.memory:
        memory()
    else:
        return score(options.stems, options.engine or ["draft"], options.weights)
    return 0


if __name__ == "__main__":
    sys.exit(main())
