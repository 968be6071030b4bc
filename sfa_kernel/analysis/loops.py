"""Loops: stretches of whole bars whose end leads back into their beginning.

A loop has no seam when the step from its last bar to its first is a step that the song makes itself: at the
loop's end (its first bar sounds like the bar that follows it), at its beginning, or from phrase to phrase
within. Steps are compared by the spectrum and the pitch classes of the two bars and of their quarters beside
the seam, against how much this song changes from one bar to the next anyway.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.harmony import chroma
from sfa_kernel.analysis.means import interval_means
from sfa_kernel.analysis.model import Loop
from sfa_kernel.analysis.onsets import compressed
from sfa_kernel.analysis.spectrum import measure
from sfa_kernel.progress import Steps, never, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.model import Analysis
    from sfa_kernel.analysis.spectrum import Features

__all__ = ["find_loops", "find_stem_loops"]

LENGTHS = (4, 8, 16)  # bars
_MOST_OF_A_LENGTH = 4
_MOST_OF_A_STEM = 4
_PIECES = 8  # a bar is compared in eighths of it
_WEIGHT_OF_CHROMA = 2.0
_LEAST_CHANGE = 0.3  # squared distance between bars that no listener hears
_LEAST_SCORE = 0.3
_QUIET = -25.0  # dB below the loud bars: hardly worth looping
_BLOCK = 1 << 18  # samples


@dataclass(frozen=True, eq=False)
class _Bars:
    """What of each bar is compared at a seam, and how loud it is."""

    edges: NDArray[np.float64]  # [shape=(bars + 1,)], s
    head: NDArray[np.float64]  # its first quarter [shape=(bars, features)]
    tail: NDArray[np.float64]  # its last quarter
    whole: NDArray[np.float64]  # all of it, one eighth after the other
    decibel: NDArray[np.float64]  # below the loud bars


def find_loops(analysis: Analysis, features: Features, level: NDArray[np.float32], harmony: Chroma) -> list[Loop]:
    """Loops of a song.

    Parameters
    ----------
    analysis
        Of the song: its downbeats and sections.
    features, harmony
        Of the song.
    level
        Compressed bands [shape=(frames, bands)].

    Returns
    -------
    list of Loop
        At most four of each length, the best first; empty where the song has no bars.
    """
    bars = _describe(analysis, features, level, harmony)
    if bars is None:
        return []
    found: list[Loop] = []
    for length in LENGTHS:
        found += _choose(_candidates(bars, length, analysis, "mix"), _MOST_OF_A_LENGTH, analysis)
    return sorted(found, key=lambda loop: -loop.score)


def find_stem_loops(name: str, samples: NDArray[np.float32], sample_rate: int, analysis: Analysis) -> list[Loop]:
    """Loops of one stem, on the bars of its song, the best first.

    Parameters
    ----------
    name
        Of the stem: ``"drums"``; becomes the loops' ``source``.
    samples
        Its audio in one channel [shape=(n,)], full scale = 1, beginning with the song.
    sample_rate
        In Hz; 22050 is enough.
    analysis
        Of the whole song, corrected or not.

    Returns
    -------
    list of Loop
        At most four, none within another; empty where the song has no bars or the stem is silent.
    """
    blocks = (samples[None, start : start + _BLOCK] for start in range(0, len(samples), _BLOCK))
    features = measure(blocks, sample_rate, Steps(silent, never), frames=len(samples))
    if features.loudness.integrated is None:
        return []
    bars = _describe(analysis, features, compressed(features.bands), chroma(features.peaks))
    if bars is None:
        return []
    found = [loop for length in LENGTHS for loop in _candidates(bars, length, analysis, name)]
    return _choose(found, _MOST_OF_A_STEM, analysis)


def _describe(analysis: Analysis, features: Features, level: NDArray[np.float32], harmony: Chroma) -> _Bars | None:
    lines = np.asarray(analysis.downbeats, float)
    if len(lines) <= min(LENGTHS) or not len(level):
        return None
    edges = np.append(lines, min(analysis.duration, 2 * lines[-1] - lines[-2]))
    count = len(lines)
    fine = np.interp(np.arange(count * _PIECES + 1) / _PIECES, np.arange(count + 1), edges)
    pieces = interval_means(level, features.rate, fine)
    notes = interval_means(harmony.frames, harmony.rate, fine[:: _PIECES // 4])
    strength = np.linalg.norm(notes, axis=1)
    notes = _WEIGHT_OF_CHROMA * notes / max(float(np.percentile(strength, 75)), 1e-9)
    pieces, notes = pieces.reshape(count, _PIECES, -1), notes.reshape(count, 4, -1)
    quarter = _PIECES // 4
    power = interval_means(np.einsum("ij,ij->i", features.bands, features.bands)[:, None], features.rate, edges)[:, 0]
    decibel = 10 * np.log10(power + 1e-12)
    return _Bars(
        edges,
        np.concatenate([pieces[:, :quarter].mean(axis=1), notes[:, 0]], axis=1),
        np.concatenate([pieces[:, -quarter:].mean(axis=1), notes[:, 3]], axis=1),
        np.concatenate([pieces.reshape(count, -1) / np.sqrt(_PIECES), notes.reshape(count, -1) / 2], axis=1),
        decibel - float(np.percentile(decibel, 90)),
    )


def _seam(bars: _Bars, length: int) -> NDArray[np.float64]:
    """How far the step from a loop's last bar to its first is from any step the song makes near its ends.

    [shape=(bars - length,)] for loops that begin with each bar, as a squared distance.
    """
    count = len(bars.decibel) - length
    first = np.arange(count)
    after = first + length
    best = np.full(count, np.inf)
    # the song itself steps from bar k - 1 to bar k
    for k in (after, first, after - 4, first + 4, after - 8, first + 8):
        known = (k > 0) & (k < len(bars.decibel)) & (k >= first) & (k <= after)
        k = np.clip(k, 1, len(bars.decibel) - 1)
        step = _apart(bars.tail, bars.whole, after - 1, k - 1) + _apart(bars.head, bars.whole, first, k)
        np.minimum(best, np.where(known, step, np.inf), out=best)
    return best


def _apart(
    edge: NDArray[np.float64], whole: NDArray[np.float64], one: NDArray[np.intp], other: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Mean squared distance of bars and of their quarters beside the seam."""
    result: NDArray[np.float64] = 0.5 * (
        ((edge[one] - edge[other]) ** 2).sum(axis=1) + ((whole[one] - whole[other]) ** 2).sum(axis=1)
    )
    return result


def _candidates(bars: _Bars, length: int, analysis: Analysis, source: str) -> list[Loop]:
    count = len(bars.decibel)
    if count <= length:
        return []
    bar = np.arange(count - 1)
    change = max(float(np.median(_apart(bars.head, bars.whole, bar, bar + 1))), _LEAST_CHANGE)
    seam = _seam(bars, length) / change
    inside = np.lib.stride_tricks.sliding_window_view(bars.decibel, length)[: len(seam)]
    loudness = np.median(inside, axis=1)
    wander = np.percentile(inside, 90, axis=1) - np.percentile(inside, 10, axis=1)
    starts = np.arange(len(seam))
    phrase, within = _places(analysis, bars.edges, starts, length)
    score = (
        np.exp(-0.7 * seam)
        * (1 - 0.5 * np.clip(wander / 12, 0, 1))
        * np.clip((loudness - 2 * _QUIET) / -_QUIET, 0, 1)
        * np.where(phrase, 1.0, 0.8)
        * np.where(within, 1.0, 0.7)
    )
    return [
        Loop(
            float(bars.edges[start]),
            float(bars.edges[start + length]),
            length,
            float(score[start]),
            _reason(length, float(seam[start]), float(wander[start]), bool(phrase[start]), bool(within[start])),
            source,
        )
        for start in np.flatnonzero((score >= _LEAST_SCORE) & (loudness > _QUIET))
    ]


def _places(
    analysis: Analysis, edges: NDArray[np.float64], starts: NDArray[np.intp], length: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each stretch begins with a phrase of four bars of its section, and whether it stays within it."""
    if not analysis.sections:
        return np.ones(len(starts), bool), np.ones(len(starts), bool)
    begins = np.array([section.start for section in analysis.sections])
    firsts = np.argmin(np.abs(edges[None, :] - begins[:, None]), axis=1)
    firsts[0] = 0 if begins[0] <= edges[0] else firsts[0]
    of = np.maximum(np.searchsorted(firsts, starts, side="right") - 1, 0)
    ends = np.append(firsts[1:], len(edges) - 1)
    return (starts - firsts[of]) % 4 == 0, starts + length <= ends[of]


def _reason(length: int, seam: float, wander: float, phrase: bool, within: bool) -> str:
    text = (
        f"Its last bar leads into its first as the song itself goes on, but for {seam:.2f} of the usual change from "
        f"bar to bar; the level stays within {wander:.1f} dB over {length} bars"
    )
    text += "; it begins with a phrase" if phrase else "; it begins within a phrase"
    return f"{text}." if within else f"{text} and reaches into the next section."


def _choose(loops: list[Loop], most: int, analysis: Analysis) -> list[Loop]:
    """The best, none over another, from different parts of the song and of different lengths where they can be."""
    chosen: list[Loop] = []
    used: Counter[str | int] = Counter()
    rest = [(loop, _part(loop, analysis)) for loop in loops]
    while rest and len(chosen) < most:
        best, part = max(rest, key=lambda item: item[0].score * 0.85 ** used[item[1]] * 0.93 ** used[item[0].bars])
        chosen.append(best)
        used.update([part, best.bars])
        rest = [item for item in rest if item[0].end <= best.start + 0.01 or item[0].start >= best.end - 0.01]
    return sorted(chosen, key=lambda loop: -loop.score)


def _part(loop: Loop, analysis: Analysis) -> str:
    """The letter, or failing that the label, of the section a loop begins in."""
    for section in analysis.sections:
        if section.start <= loop.start + 0.01 < section.end:
            return section.group or section.label
    return ""
