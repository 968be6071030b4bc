"""What an analysis says about a song, and nothing else: plain values that survive JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANALYSIS_VERSION", "Analysis", "Cue", "FloatArray", "Section"]

ANALYSIS_VERSION = 1
"""Rises whenever the same song may get another answer, so that stored analyses can be renewed."""

FloatArray = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class Section:
    """A part of the song's form.

    Parameters
    ----------
    start, end
        In seconds.
    label
        One of ``intro``, ``verse``, ``build``, ``drop``, ``chorus``, ``break``, ``bridge``, ``outro``.
    confidence
        0..1: how clearly the label's evidence speaks.
    """

    start: float
    end: float
    label: str
    confidence: float


@dataclass(frozen=True)
class Cue:
    """A place worth jumping to, and why.

    Parameters
    ----------
    time
        In seconds, on the beat grid where there is one.
    type
        ``intro``, ``vocal``, ``build``, ``drop``, ``break``, ``loop`` or ``outro``.
    label
        A few words for people.
    color
        ``#rrggbb``.
    confidence
        0..1.
    reason
        What in the sound speaks for it, in one sentence.
    """

    time: float
    type: str
    label: str
    color: str
    confidence: float
    reason: str


@dataclass
class Analysis:
    """Everything the analysis found out about one song.

    Parameters
    ----------
    duration
        In seconds.
    tempo
        Beats per minute, or None where nothing pulses.
    tempo_confidence, key_confidence
        0..1.
    tempo_alternative
        The tempo of the neighbouring metrical level (half or double) that a listener may prefer.
    beats, downbeats
        In seconds, rising.
    beats_per_bar
        4 or 3.
    key
        ``"A minor"``, spelled with sharps, or None where nothing is tonal.
    camelot
        The key's code on the Camelot wheel, ``"8A"``.
    tuning_cents
        Deviation from A4 = 440 Hz, -50..50.
    lufs
        Integrated loudness (ITU-R BS.1770-4), or None when silent.
    lra
        Loudness range in LU (EBU Tech 3342).
    true_peak
        In dBTP, or None when silent.
    energy
        1 (calm) to 10 (peak time).
    energy_curve
        0..1, at ``energy_rate`` values per second.
    sections
        In order, without gaps, from 0 to ``duration``.
    drops
        Where the energy returns after a build or break, in seconds.
    version
        ``ANALYSIS_VERSION`` of the code that made it.
    """

    duration: float
    tempo: float | None = None
    tempo_confidence: float = 0.0
    tempo_alternative: float | None = None
    beats: FloatArray = field(default_factory=lambda: np.zeros(0))
    downbeats: FloatArray = field(default_factory=lambda: np.zeros(0))
    beats_per_bar: int = 4
    key: str | None = None
    key_confidence: float = 0.0
    camelot: str | None = None
    tuning_cents: float = 0.0
    lufs: float | None = None
    lra: float | None = None
    true_peak: float | None = None
    energy: int = 1
    energy_curve: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    energy_rate: float = 10.0
    sections: list[Section] = field(default_factory=list)
    drops: list[float] = field(default_factory=list)
    version: int = ANALYSIS_VERSION

    def to_dict(self) -> dict[str, Any]:
        """The analysis as JSON values; every number is finite."""
        return {
            "duration_s": _number(self.duration, 6),
            "bpm": _number(self.tempo, 4),
            "bpm_confidence": _number(self.tempo_confidence, 3),
            "bpm_alternative": _number(self.tempo_alternative, 4),
            "beats": _numbers(self.beats, 5),
            "downbeats": _numbers(self.downbeats, 5),
            "beats_per_bar": int(self.beats_per_bar),
            "key": self.key,
            "key_confidence": _number(self.key_confidence, 3),
            "camelot": self.camelot,
            "tuning_cents": _number(self.tuning_cents, 1),
            "lufs": _number(self.lufs, 2),
            "lra": _number(self.lra, 2),
            "true_peak": _number(self.true_peak, 2),
            "energy": int(self.energy),
            "energy_curve": _numbers(self.energy_curve, 3),
            "energy_rate": _number(self.energy_rate, 3),
            "sections": [
                {
                    "start": _number(s.start, 5),
                    "end": _number(s.end, 5),
                    "label": s.label,
                    "confidence": _number(s.confidence, 3),
                }
                for s in self.sections
            ],
            "drops": _numbers(np.asarray(self.drops, float), 5),
            "version": int(self.version),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Analysis:
        """The analysis that :meth:`to_dict` wrote; absent entries take their defaults."""
        return cls(
            duration=float(data.get("duration_s") or 0.0),
            tempo=data.get("bpm"),
            tempo_confidence=float(data.get("bpm_confidence") or 0.0),
            tempo_alternative=data.get("bpm_alternative"),
            beats=np.asarray(data.get("beats") or [], np.float64),
            downbeats=np.asarray(data.get("downbeats") or [], np.float64),
            beats_per_bar=int(data.get("beats_per_bar") or 4),
            key=data.get("key"),
            key_confidence=float(data.get("key_confidence") or 0.0),
            camelot=data.get("camelot"),
            tuning_cents=float(data.get("tuning_cents") or 0.0),
            lufs=data.get("lufs"),
            lra=data.get("lra"),
            true_peak=data.get("true_peak"),
            energy=int(data.get("energy") or 1),
            energy_curve=np.asarray(data.get("energy_curve") or [], np.float32),
            energy_rate=float(data.get("energy_rate") or 10.0),
            sections=[
                Section(float(s["start"]), float(s["end"]), str(s["label"]), float(s.get("confidence") or 0.0))
                for s in data.get("sections") or []
            ],
            drops=[float(d) for d in data.get("drops") or []],
            version=int(data.get("version") or 0),
        )


def _number(value: float | None, digits: int) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def _numbers(values: FloatArray, digits: int) -> list[float]:
    finite = np.asarray(values, np.float64)
    return [round(float(v), digits) for v in finite[np.isfinite(finite)]]
