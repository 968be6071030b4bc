"""How much of a core the decks take: the console in V8, against real time.

    python benchmarks/console.py [--seconds 20]

Songs are made up. Prints how many times faster than real time V8 makes the master, and the part of real time that is:
in a page it is the part of one core. The first seconds, in which V8 still learns the code, do not count. The exit
status is 1 when the dearest round takes longer than real time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import soundfile

from sfa_kernel.control.script import Script
from sfa_kernel.dj.console import Console
from sfa_kernel.dj.songs import DeckSong

RATE = 48_000  # Hz
STEMS = ("vocals", "drums", "bass", "other")
WARM = 3.0  # s

LOCKED = {"pitch": 4.0}
RECORD = {"pitch": 4.0, "keylock": 0}
TURNED = {"eq.low": -6.0, "filter": -0.3}
EFFECTS = {"fx.1.kind": "reverb", "fx.1.on": 1, "fx.2.kind": "echo", "fx.2.on": 1}
ROUNDS: dict[str, tuple[int, bool, dict[str, Any]]] = {
    "nothing plays": (0, False, {}),
    "2 decks at their own speed": (2, False, {}),
    "2 decks as records": (2, False, RECORD),
    "2 decks, key lock": (2, False, LOCKED),
    "4 decks, key lock": (4, False, LOCKED),
    "4 decks of 4 stems, key lock": (4, True, LOCKED),
    "4 decks of 4 stems, key lock, EQ, filter, 2 effects each": (4, True, LOCKED | TURNED | EFFECTS),
}


def song(folder: Path, seconds: float) -> DeckSong:
    """Noise with a click on each beat of 120 BPM, and stems of it."""
    noise = np.random.default_rng(1)
    files = {}
    for role in ("mix", *STEMS):
        samples = 0.1 * noise.standard_normal((round(seconds * RATE), 2))
        samples[:: RATE // 2] += 0.5
        files[role] = folder / f"{role}.wav"
        soundfile.write(files[role], np.clip(samples, -1, 1), RATE)
    beats = tuple(np.arange(0.0, seconds, 0.5).tolist())
    return DeckSong("song", "Song", files.pop("mix"), files, beats, beats[::4])


def measure(made: DeckSong, decks: int, settings: dict[str, Any], seconds: float) -> float:
    """Seconds of processor time that a second of the master takes: others at work on the machine do not count."""
    controls: dict[str, Any] = {}
    for deck in range(1, decks + 1):
        controls |= {f"deck.{deck}.{name}": value for name, value in settings.items()}
        controls |= {f"deck.{deck}.track": made.id, f"deck.{deck}.play": 1}
    script = Script((), duration=WARM + seconds, sample_rate=RATE, controls=controls)
    with Console(RATE) as console:
        console.open(script)
        for _ in console.blocks(round(WARM * RATE), lambda _: made):
            pass
        began = time.process_time()
        for _ in console.blocks(round(seconds * RATE), lambda _: made):
            pass
        return (time.process_time() - began) / seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the master in each round")
    options = parser.parse_args()
    dearest = 0.0
    print(f"{'':60}{'x real time':>12}{'of a core':>11}")
    with tempfile.TemporaryDirectory() as folder:
        whole = song(Path(folder), 1.1 * (WARM + options.seconds) + 2)
        mix = DeckSong(whole.id, whole.title, whole.mix, {}, whole.beats, whole.downbeats)
        for title, (decks, stems, settings) in ROUNDS.items():
            share = measure(whole if stems else mix, decks, settings, options.seconds)
            dearest = max(dearest, share)
            print(f"{title:60}{1 / share:12.1f}{100 * share:10.1f}%", flush=True)
    return int(dearest > 1)


if __name__ == "__main__":
    raise SystemExit(main())
