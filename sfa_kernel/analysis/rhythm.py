"""Rhythm: tempo, beats, downbeats, metre, grid and swing of a song, from its onsets and its harmony."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.beats import LATENCY, attack_offset, sampled
from sfa_kernel.analysis.curves import Curve
from sfa_kernel.analysis.downbeats import find_downbeats
from sfa_kernel.analysis.grid import follow
from sfa_kernel.analysis.metre import find_readings
from sfa_kernel.analysis.model import GridSegment
from sfa_kernel.analysis.swing import SWING_PLACES, find_swing
from sfa_kernel.analysis.tempo import find_pulses, octave_apart, tempo_scores, usual_alternative

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.grid import Lines
    from sfa_kernel.analysis.harmony import Chroma
    from sfa_kernel.analysis.metre import Readings
    from sfa_kernel.analysis.onsets import Onsets
    from sfa_kernel.analysis.spectrum import Features
    from sfa_kernel.analysis.tempo import Pulse

__all__ = ["Rhythm", "find_rhythm"]

_AUDIBLE = -45.0  # dB below the loud parts: what is softer carries no beat
_EARLY = 0.03  # seconds by which a beat may precede the sound
_FEW = 3  # stretches are changes of tempo; more of them, none of which is half of the song, are a drift
_FREE = 0.8  # the most confidence where the tempo breathes
_STAGGER = 0.012  # relative change from one step to the next that leaves no confidence


@dataclass
class Rhythm:
    """What `Analysis` says about rhythm, under the same names."""

    tempo: float | None = None
    tempo_confidence: float = 0.0
    tempo_alternative: float | None = None
    beats: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    beat_confidence: float = 0.0
    downbeats: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    downbeat_confidence: float = 0.0
    beats_per_bar: int = 4
    metre_confidence: float = 0.0
    grid_kind: str = "none"
    grid: list[GridSegment] = field(default_factory=list)
    swing: float | None = None
    swing_confidence: float = 0.0
    curves: dict[str, Curve] = field(default_factory=dict)


def find_rhythm(features: Features, level: NDArray[np.float32], onsets: Onsets, harmony: Chroma) -> Rhythm:
    """Rhythm of a song.

    Parameters
    ----------
    features, onsets, harmony
        Of the song.
    level
        Compressed bands [shape=(frames, bands)].
    """
    rhythm = Rhythm(curves={"onsets": _onset_curve(onsets)})
    pulses = find_pulses(onsets)
    if not pulses:
        return rhythm
    start, end = _audible(features)
    lines, heard = follow(onsets, pulses[0])
    readings = find_readings(lines, heard.mean, onsets, harmony, level, start, end)
    if readings is None:
        return rhythm
    best = readings.best
    lines = lines.read(best.ratio, best.phase)
    lines = lines.moved(_correction(lines, onsets, start, end))
    first, stop = (float(edge) for edge in np.ceil(lines.indices(np.array([start - _EARLY, end]))))
    beats = lines.times(np.arange(first, stop))
    if len(beats) < 4:
        return rhythm
    rhythm.beats = np.maximum(beats, 0.0)
    rhythm.grid_kind = lines.kind
    rhythm.grid = _segments(lines, int(first), beats)
    rhythm.tempo = _tempo(rhythm.grid, beats)
    rhythm.beats_per_bar = best.bar
    evidence, firsts = find_downbeats(rhythm.beats, onsets, harmony, level, best, int(first))
    rhythm.downbeats = rhythm.beats[firsts]
    rhythm.swing, rhythm.swing_confidence, profiles = find_swing(onsets, rhythm.beats, best.bar)
    _judge(rhythm, pulses, readings, onsets)
    rhythm.tempo_alternative = _alternative(readings, rhythm.tempo)
    rhythm.curves |= _curves(rhythm, onsets, evidence, profiles)
    return rhythm


def _audible(features: Features) -> tuple[float, float]:
    """Where the song begins and ends to sound, in seconds."""
    level = np.sqrt(np.einsum("ij,ij->i", features.bands, features.bands))
    if not len(level):
        return 0.0, features.duration
    loud = np.flatnonzero(level > max(1e-6, float(np.percentile(level, 90)) * 10 ** (_AUDIBLE / 20)))
    if not len(loud):
        return 0.0, features.duration
    return float(loud[0]) / features.rate, min(features.duration, float(loud[-1] + 1) / features.rate)


def _correction(lines: Lines, onsets: Onsets, start: float, end: float) -> float:
    """By how many seconds the beats as they are read miss the attacks: the pulse was set on all onsets."""
    first, stop = (float(edge) for edge in np.ceil(lines.indices(np.array([start, end]))))
    beats = lines.times(np.arange(first, stop))
    return attack_offset(onsets.attack, onsets.rate, beats + LATENCY)


def _segments(lines: Lines, first: int, beats: NDArray[np.float64]) -> list[GridSegment]:
    """The lines as stretches of beats, counted from the first beat of the song."""
    if lines.kind == "free":
        return []
    edges = np.clip(np.ceil(lines.first - 1e-6).astype(int) - first, 0, len(beats))
    edges[0] = 0
    edges = np.append(edges, len(beats))
    return [
        GridSegment(float(beats[begin]), int(begin), int(end - begin), float(60 / period))
        for begin, end, period in zip(edges[:-1], edges[1:], lines.period, strict=True)
        if end > begin
    ]


def _tempo(grid: list[GridSegment], beats: NDArray[np.float64]) -> float:
    """That of the longest stretch; where it drifts over many, or breathes, the middle one."""
    longest = max(grid, key=lambda segment: segment.beats / segment.tempo, default=None)
    if longest is not None and (len(grid) <= _FEW or longest.beats >= 0.5 * len(beats)):
        return longest.tempo
    if grid:
        # a drift is no staircase: from the middle of one stretch to that of the next the period changes evenly
        middles = [segment.first + segment.beats / 2 for segment in grid]
        periods = np.interp(np.arange(len(beats)), middles, [60 / segment.tempo for segment in grid])
        return 60 / float(np.median(periods))
    # over eight beats, so that the jitter of single beats does not matter
    span = min(8, len(beats) - 1)
    return 60 * span / float(np.median(beats[span:] - beats[:-span]))


def _judge(rhythm: Rhythm, pulses: list[Pulse], readings: Readings, onsets: Onsets) -> None:
    """How far tempo, beats, downbeats and metre are to be trusted."""
    best = readings.best
    pulse = _pulse_confidence(pulses)
    hit = _hits(rhythm.beats, onsets)
    # what holds one tempo throughout is a pulse, however many rivals it has; what does not shows it by even steps
    pulse = _FREE * _evenness(rhythm.beats) if rhythm.grid_kind == "free" else float(np.sqrt(pulse))
    level, beat = readings.share(ratio=best.ratio), readings.share(ratio=best.ratio, beat=best.phase)
    rhythm.tempo_confidence = pulse * level
    rhythm.beat_confidence = pulse * beat * hit
    rhythm.metre_confidence = 0.5 * (1 + pulse) * readings.share(bar=best.bar)
    rhythm.downbeat_confidence = pulse * hit * readings.share(ratio=best.ratio, beat=best.phase, bar=best.bar, one=True)


def _pulse_confidence(pulses: list[Pulse]) -> float:
    """How far the pulse, at whatever octave, leads over others."""
    best = pulses[0]
    rivals = [p.plain / best.plain for p in pulses[1:] if not octave_apart(p, best)]
    lead = 1 - max(rivals, default=0.0)
    return float(np.clip(2 * lead, 0, 1) * np.clip(best.salience / 0.25, 0, 1))


def _evenness(beats: NDArray[np.float64]) -> float:
    """0..1: whether the tempo moves little from beat to beat; guessed beats stagger by a hundredth or more."""
    gaps = np.log(np.maximum(np.diff(beats), 1e-3))
    return float(np.clip((_STAGGER - np.median(np.abs(np.diff(gaps)))) / (0.75 * _STAGGER), 0, 1))


def _hits(beats: NDArray[np.float64], onsets: Onsets) -> float:
    """0..1: how much stronger onsets are on the beats than anywhere."""
    strength = np.minimum(onsets.total, 9.0)
    on = sampled(strength, onsets.rate, (beats[:, None] + LATENCY + np.array([-0.01, 0.0, 0.01])).ravel())
    peak = on.reshape(-1, 3).max(axis=1).mean()
    return float(np.clip((peak / max(float(strength.mean()), 1e-9) - 1.0) / 1.5, 0, 1))


def _alternative(readings: Readings, tempo: float) -> float:
    """The neighbouring metrical level: the likelier of half and double."""
    best = readings.best
    half, double = (readings.share(ratio=best.ratio * step) for step in (0.5, 2.0))
    if half == double:
        return usual_alternative(tempo)
    return tempo / 2 if half > double else tempo * 2


def _onset_curve(onsets: Onsets) -> Curve:
    """Three registers at half the rate."""
    table = np.stack([onsets.low, onsets.middle, onsets.high], axis=1)
    even = table[: len(table) // 2 * 2]
    values = np.maximum(even[::2], even[1::2]).astype(np.float32)
    return Curve(values, rate=onsets.rate / 2, start=0.5 / onsets.rate, names=("low", "middle", "high"))


def _curves(
    rhythm: Rhythm, onsets: Onsets, evidence: NDArray[np.float64], profiles: dict[str, NDArray[np.float64]]
) -> dict[str, Curve]:
    tempi, score = tempo_scores(onsets)
    gaps = np.diff(rhythm.beats)
    local = 60 / np.maximum(np.append(gaps, gaps[-1]), 1e-3)
    if rhythm.grid_kind == "free" and len(local) > 8:
        kernel = np.hanning(9)
        even = np.pad(local, 4, mode="edge")
        local = np.convolve(even, kernel / kernel.sum(), mode="valid")
    for segment in rhythm.grid:
        local[segment.first : segment.first + segment.beats] = segment.tempo
    curves = {
        "tempo.candidates": Curve(score.astype(np.float32), x=tempi, names=("score",)),
        "tempo.curve": Curve(local, x=rhythm.beats, unit="BPM"),
        "downbeats.evidence": Curve(evidence.astype(np.float32), x=rhythm.beats),
    }
    if profiles:
        table = np.stack([profiles["eighths"], profiles["sixteenths"]], axis=1).astype(np.float32)
        curves["swing.profile"] = Curve(table, x=SWING_PLACES, names=("eighths", "sixteenths"))
    return curves
