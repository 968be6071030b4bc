"""How well the analysis does on generated songs whose truth is known.

    python -m tests.analysis.scores            prints the scores, style by style
    python -m tests.analysis.scores --write    and makes them what the test holds the analysis to

Metrics are those of the field (mir_eval): see each function. A song that scores nothing because nothing was found
counts as 0, it is not left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import mir_eval
import numpy as np

from sfa_kernel.analysis import analyze
from tests.analysis.styles import STYLES, song_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sfa_kernel.analysis import Analysis
    from tests.analysis.songs import Song

__all__ = ["STORED", "measure", "stored"]

STORED = Path(__file__).with_name("scores.json")
SEEDS = range(800, 803)  # never looked at while anything was tuned
STEP = 0.1  # s between the places where labels are compared


def measure() -> dict[str, dict[str, float]]:
    """Mean of every metric, over all songs and for each style."""
    found: dict[str, dict[str, list[float]]] = {}
    for style, song in _songs():
        for name, value in score(song, analyze(song.samples, song.sample_rate)).items():
            for group in ("all", style):
                found.setdefault(group, {}).setdefault(name, []).append(value)
    return {
        group: {name: round(float(np.mean(values)), 4) for name, values in metrics.items()}
        for group, metrics in found.items()
    }


def stored() -> dict[str, dict[str, float]]:
    """The scores that the analysis had when they were last written."""
    scores: dict[str, dict[str, float]] = json.loads(STORED.read_text("utf-8"))
    return scores


def _songs() -> Iterator[tuple[str, Song]]:
    for style in STYLES:
        for seed in SEEDS:
            yield style, song_of(style, seed)
    for seed in SEEDS:
        yield "two tempi", song_of("house", seed, tempo_changes={24: 124.0 if seed % 2 else 132.5})
        yield "modulation", song_of("pop", seed, modulations={20: 2}, drift=0.0)


def score(song: Song, analysis: Analysis) -> dict[str, float]:
    """Every metric that this song has a truth for, 0..1, higher is better."""
    sections = [(s.start, s.end, _meaning(s.label)) for s in analysis.sections]
    truth = [(start, end, _meaning(label)) for start, end, label in song.sections]
    chords = [(c.start, c.end, c.label) for c in analysis.chords]
    known = [span for span in song.chords if not span[2].endswith("dim") and span[2] != "N"]
    keys = [(k.start, k.end, k.key) for k in analysis.keys]
    results = {
        "tempo Acc1": float(_near(analysis.tempo, song.tempo, (1.0,), 0.04)),
        "tempo Acc2": float(_near(analysis.tempo, song.tempo, (1.0, 2.0, 0.5, 3.0, 1 / 3), 0.04)),
        "beat F": _events(song.beats, analysis.beats),
        "beat within 5 ms": _bias_is_small(song, analysis),
        "downbeat F": _events(song.downbeats, analysis.downbeats),
        "metre": float(round(len(song.beats) / len(song.downbeats)) == analysis.beats_per_bar),
        "key": float(mir_eval.key.weighted_score(song.key, analysis.key)) if analysis.key else 0.0,
        "key over time": _agreement(song.keys, keys),
        "chords": _agreement(known, chords),
        "sections HR.5F": _boundaries(truth, sections),
        "section labels": _agreement(truth, sections),
    }
    if analysis.grid_kind != "free" and np.ptp(np.diff(song.beats)) < 1e-3:
        results["tempo within .05 %"] = float(_near(analysis.tempo, song.tempo, (1.0, 2.0, 0.5), 0.0005))
    if song.drops:
        results["drops F"] = _events(np.array(song.drops), np.array(analysis.drops), window=0.5, trim=False)
    return results


def _near(found: float | None, true: float, ratios: Sequence[float], tolerance: float) -> bool:
    return found is not None and any(abs(found / (true * ratio) - 1) <= tolerance for ratio in ratios)


def _events(true: np.ndarray, found: np.ndarray, *, window: float = 0.07, trim: bool = True) -> float:
    if trim:  # as mir_eval does: the first five seconds are for tuning in
        true, found = mir_eval.beat.trim_beats(true), mir_eval.beat.trim_beats(np.asarray(found))
    if len(true) == 0 or len(found) == 0:
        return float(len(true) == len(found))
    hits = len(mir_eval.util.match_events(true, np.asarray(found), window))
    return 2 * hits / (len(true) + len(found))


def _bias_is_small(song: Song, analysis: Analysis) -> float:
    """Whether the beats lie on the attack: less than 5 ms early or late in the median."""
    if len(analysis.beats) == 0:
        return 0.0
    distance = np.asarray(analysis.beats)[:, None] - song.beats[None, :]
    nearest = distance[np.arange(len(distance)), np.abs(distance).argmin(axis=1)]
    close = nearest[np.abs(nearest) < 0.07]
    return float(len(close) > 0 and abs(float(np.median(close))) < 0.005)


def _meaning(label: str) -> str:
    return {"drop": "chorus", "break": "bridge"}.get(label, label)


def _agreement(true: Sequence[tuple[float, float, str]], found: Sequence[tuple[float, float, str]]) -> float:
    """Share of the time with a true label at which the found one is the same."""
    right = total = 0
    for start, end, label in true:
        for time in np.arange(start + STEP / 2, end, STEP):
            total += 1
            right += any(begin <= time < finish and name == label for begin, finish, name in found)
    return right / total if total else 1.0


def _boundaries(true: Sequence[tuple[float, float, str]], found: Sequence[tuple[float, float, str]]) -> float:
    if not found:
        return 0.0
    spans = [np.array([span[:2] for span in spans]) for spans in (true, found)]
    return float(mir_eval.segment.detection(*spans, window=0.5, trim=True)[2])


def main() -> None:
    scores = measure()
    names = list(scores["all"])
    width = max(map(len, names))
    print(" " * width, *(f"{group[:10]:>10s}" for group in scores))
    for name in names:
        values = (f"{metrics[name]:10.3f}" if name in metrics else " " * 10 for metrics in scores.values())
        print(f"{name:{width}s}", *values)
    if "--write" in sys.argv[1:]:
        STORED.write_text(json.dumps(scores, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
