"""How good the draft separator is, and how long it takes, against doing nothing and against the plain chain.

    python benchmarks/separation.py                   five generated songs
    python benchmarks/separation.py --songs FOLDER    songs with known stems: one folder each, which holds
                                                      vocals, drums, bass and other as sound files

Gains are in signal-to-distortion ratio [dB] over the baseline "mix": taking the mix itself for every stem. "hpss" is
what most notebooks do: librosa's harmonic/percussive split, the bass cut off the harmonic part at 200 Hz, and the
rest shared by vocals and other. Both run in the same process; times are CPU seconds for a minute of song.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfa_kernel.audio import AUDIO_SUFFIXES, decode, encode
from sfa_kernel.separation import separate
from tests.separation.songs import STEMS, STYLES, Song, song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Stems = dict[str, np.ndarray[Any, Any]]


def songs(folder: Path | None) -> Iterator[tuple[str, Song]]:
    if folder is None:
        for seed, style in enumerate(STYLES):
            yield style, song(style, seed=100 + seed, seconds=30)
        return
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = {path.stem: path for path in place.iterdir() if path.suffix.lower() in AUDIO_SUFFIXES}
        if set(STEMS) <= set(files):
            read = {name: decode(files[name]) for name in STEMS}
            shortest = min(samples.shape[1] for samples, _ in read.values())
            yield place.name, Song({name: read[name][0][:, :shortest] for name in STEMS}, read["vocals"][1])


def draft(mix: np.ndarray[Any, Any], sample_rate: int) -> Stems:
    """Through the door, files included, as a user would have it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mix.wav"
        encode(path, mix, sample_rate, subtype="FLOAT")
        result = separate(path, folder)
        return {name: decode(path)[0] for name, path in result.stems.items()}


def hpss(mix: np.ndarray[Any, Any], sample_rate: int) -> Stems:
    import librosa
    from scipy.signal import butter, sosfiltfilt

    harmonic, percussive = librosa.effects.hpss(mix)
    bass = sosfiltfilt(butter(4, 200, fs=sample_rate, output="sos"), harmonic)
    rest = mix - percussive - bass
    return {"vocals": rest / 2, "drums": percussive, "bass": bass, "other": rest / 2}


def sdr(truth: np.ndarray[Any, Any], estimate: np.ndarray[Any, Any]) -> float:
    error = truth.astype(np.float64) - estimate
    return float(10 * np.log10((np.sum(np.square(truth, dtype=np.float64)) + 1e-12) / (np.sum(error**2) + 1e-12)))


def measured(method: Callable[..., Stems], truth: Song) -> tuple[list[float], float]:
    """Gain of each stem over the mix [dB], and CPU seconds for a minute of song."""
    mix = truth.mix
    began = time.process_time()
    stems = method(mix, truth.sample_rate)
    seconds = time.process_time() - began
    gains = [sdr(truth.stems[name], stems[name]) - sdr(truth.stems[name], mix) for name in STEMS]
    return gains, 60 * seconds / (mix.shape[1] / truth.sample_rate)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, help="folder of songs with known stems")
    folder = parser.parse_args().songs

    warm = song("pop", seconds=2)
    methods: dict[str, Callable[..., Stems]] = {"draft": draft, "hpss": hpss}
    for method in methods.values():
        method(warm.mix, warm.sample_rate)
    print(f"{'song':20} {'method':7}" + "".join(f"{name:>9}" for name in STEMS) + f"{'mean':>9}{'s/min':>9}")
    rows: dict[str, list[list[float]]] = {name: [] for name in methods}
    for title, truth in songs(folder):
        level = [sdr(truth.stems[name], truth.mix) for name in STEMS]
        print(f"{title[:20]:20} {'mix':7}" + "".join(f"{value:9.1f}" for value in level) + "   (its SDR)")
        for name, method in methods.items():
            gains, seconds = measured(method, truth)
            rows[name].append([*gains, float(np.mean(gains)), seconds])
            print(f"{'':20} {name:7}" + "".join(f"{value:+9.1f}" for value in rows[name][-1][:5]) + f"{seconds:9.1f}")
    if not rows["draft"]:
        print("No song with all four stems was found.", file=sys.stderr)
        return 1
    print()
    for name, values in rows.items():
        mean = np.mean(values, axis=0)
        print(f"{'mean gain':20} {name:7}" + "".join(f"{value:+9.1f}" for value in mean[:5]) + f"{mean[5]:9.1f}")
    lowest = min(min(row[:4]) for row in rows["draft"])
    ratio = np.mean([row[5] for row in rows["hpss"]]) / np.mean([row[5] for row in rows["draft"]])
    print(f"draft: lowest gain of any stem {lowest:+.1f} dB; {ratio:.1f} times as fast as hpss")
    return 0


if __name__ == "__main__":
    sys.exit(main())
