"""What an analysis says about a song, and nothing else: plain values that survive JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sfa_kernel.analysis.curves import Curves
from sfa_kernel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sfa_kernel.analysis.explain import Explanation

__all__ = [
    "ANALYSIS_VERSION",
    "Analysis",
    "Chord",
    "Cue",
    "FloatArray",
    "GridSegment",
    "KeySpan",
    "Loop",
    "Section",
]

ANALYSIS_VERSION = 2
"""Rises whenever the same song may get another answer, so that stored analyses can be renewed."""

FloatArray = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class GridSegment:
    """A stretch of beats at one tempo.

    Parameters
    ----------
    start
        Time of its first beat, in s.
    first
        Index of that beat.
    beats
        How many beats it has.
    tempo
        Beats per minute.
    """

    start: float
    first: int
    beats: int
    tempo: float


@dataclass(frozen=True)
class KeySpan:
    """A stretch of the song in one key.

    Parameters
    ----------
    start, end
        In seconds.
    key, camelot
        ``"A minor"``, ``"8A"``.
    confidence
        0..1.
    """

    start: float
    end: float
    key: str
    camelot: str
    confidence: float


@dataclass(frozen=True)
class Chord:
    """A chord of the lane.

    Parameters
    ----------
    start, end
        In seconds.
    label
        ``"C"``, ``"A#m"``, or ``"N"`` where no chord sounds.
    confidence
        0..1.
    """

    start: float
    end: float
    label: str
    confidence: float


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
    group
        Sections of one letter repeat each other: ``"A"``, ``"B"``, ...; empty where nothing was compared.
    reason
        What in the sound speaks for the label, in one sentence with its numbers.
    evidence
        The numbers that decided, by name.
    """

    start: float
    end: float
    label: str
    confidence: float
    group: str = ""
    reason: str = ""
    evidence: dict[str, float] = field(default_factory=dict)


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


@dataclass(frozen=True)
class Loop:
    """A stretch that repeats without an audible seam.

    Parameters
    ----------
    start, end
        In seconds, on downbeats.
    bars
        4, 8 or 16.
    score
        0..1: how little the seam is heard.
    reason
        What speaks for it, in one sentence with its numbers.
    source
        ``"mix"`` or the name of a stem.
    """

    start: float
    end: float
    bars: int
    score: float
    reason: str
    source: str = "mix"


@dataclass(repr=False)
class Analysis:
    """Everything the analysis found out about one song.

    Parameters
    ----------
    duration
        In seconds.
    tempo
        Beats per minute, or None where nothing pulses.
    tempo_confidence, beat_confidence, downbeat_confidence, metre_confidence, key_confidence
        0..1.
    tempo_alternative
        The tempo of the neighbouring metrical level (half or double) that a listener may prefer.
    beats, downbeats
        In seconds, rising.
    beats_per_bar
        The metre: 4 or 3.
    grid_kind
        ``"constant"``: one exact tempo; ``"piecewise"``: several; ``"free"``: the tempo breathes; ``"none"``.
    grid
        The stretches of one tempo that the beats lie on; one where the grid is constant, none where it is free.
    swing
        Where the off-beat eighth (or, where they swing, sixteenth) falls between its neighbours: 0.5 is straight,
        0.667 triplets; None where nothing plays there.
    swing_confidence
        0..1.
    key
        ``"A minor"``, spelled with sharps, or None where nothing is tonal.
    camelot, open_key
        The key's code on the Camelot wheel, ``"8A"``, and in Open Key notation, ``"1m"``.
    key_alternative
        The second likeliest key.
    keys
        The key over time, one span where it never changes.
    chords
        Major and minor triads, without gaps.
    tuning_cents
        Deviation from A4 = 440 Hz, -50..50.
    lufs
        Integrated loudness (ITU-R BS.1770-4), or None when silent.
    momentary_max, short_term_max
        The loudest 400 ms and 3 s, in LUFS.
    lra
        Loudness range in LU (EBU Tech 3342).
    true_peak
        In dBTP, or None when silent.
    rms, crest
        Root mean square of all channels in dBFS, and the sample peak over it in dB; None when silent.
    energy
        1 (calm) to 10 (peak time).
    danceability
        0..1; `sfa_kernel.analysis.energy` states the method. None without a beat.
    energy_curve
        0..1, at ``energy_rate`` values per second.
    timbre
        Means over the sounding parts of the song, by name: ``centroid``, ``bandwidth``, ``rolloff`` [Hz],
        ``flatness``, ``zero_crossing_rate`` [0..1], ``contrast_1`` .. ``contrast_7`` [dB], ``mfcc_1`` ..
        ``mfcc_20``.
    sections
        In order, without gaps, from 0 to ``duration``.
    drops
        Where the energy returns after a build or break, in seconds.
    loops
        Of 4, 8 and 16 bars, the best first.
    corrected
        What a person has put right by hand: ``"grid"``, ``"key"``, ``"sections"``.
    version
        ``ANALYSIS_VERSION`` of the code that made it.
    curves
        What is measured over time; not part of the document.
    """

    duration: float
    tempo: float | None = None
    tempo_confidence: float = 0.0
    tempo_alternative: float | None = None
    beats: FloatArray = field(default_factory=lambda: np.zeros(0))
    beat_confidence: float = 0.0
    downbeats: FloatArray = field(default_factory=lambda: np.zeros(0))
    downbeat_confidence: float = 0.0
    beats_per_bar: int = 4
    metre_confidence: float = 0.0
    grid_kind: str = "none"
    grid: list[GridSegment] = field(default_factory=list)
    swing: float | None = None
    swing_confidence: float = 0.0
    key: str | None = None
    key_confidence: float = 0.0
    key_alternative: str | None = None
    camelot: str | None = None
    open_key: str | None = None
    keys: list[KeySpan] = field(default_factory=list)
    chords: list[Chord] = field(default_factory=list)
    tuning_cents: float = 0.0
    lufs: float | None = None
    momentary_max: float | None = None
    short_term_max: float | None = None
    lra: float | None = None
    true_peak: float | None = None
    rms: float | None = None
    crest: float | None = None
    energy: int = 1
    danceability: float | None = None
    energy_curve: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))
    energy_rate: float = 10.0
    timbre: dict[str, float] = field(default_factory=dict)
    sections: list[Section] = field(default_factory=list)
    drops: list[float] = field(default_factory=list)
    loops: list[Loop] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)
    version: int = ANALYSIS_VERSION
    curves: Curves = field(default_factory=Curves, compare=False, repr=False)

    def __repr__(self) -> str:
        facts = [
            f"{self.duration:.1f} s",
            f"{self.tempo:.2f} BPM" if self.tempo else "no beat",
            f"{self.key} ({self.camelot})" if self.key else "no key",
            f"{self.lufs:.1f} LUFS" if self.lufs is not None else "silent",
            f"energy {self.energy}",
            f"{len(self.sections)} sections",
        ]
        if self.corrected:
            facts.append(f"corrected: {', '.join(self.corrected)}")
        return f"Analysis({', '.join(facts)})"

    def to_dict(self) -> dict[str, Any]:
        """The analysis as JSON values; every number is finite."""
        return {
            "duration_s": _number(self.duration, 6),
            "bpm": _number(self.tempo, 4),
            "bpm_confidence": _number(self.tempo_confidence, 3),
            "bpm_alternative": _number(self.tempo_alternative, 4),
            "beats": _numbers(self.beats, 5),
            "beat_confidence": _number(self.beat_confidence, 3),
            "downbeats": _numbers(self.downbeats, 5),
            "downbeat_confidence": _number(self.downbeat_confidence, 3),
            "beats_per_bar": int(self.beats_per_bar),
            "metre_confidence": _number(self.metre_confidence, 3),
            "grid_kind": self.grid_kind,
            "grid": [_record(segment, start=5, tempo=4) for segment in self.grid],
            "swing": _number(self.swing, 3),
            "swing_confidence": _number(self.swing_confidence, 3),
            "key": self.key,
            "key_confidence": _number(self.key_confidence, 3),
            "key_alternative": self.key_alternative,
            "camelot": self.camelot,
            "open_key": self.open_key,
            "keys": [_record(span, start=5, end=5, confidence=3) for span in self.keys],
            "chords": [_record(chord, start=5, end=5, confidence=3) for chord in self.chords],
            "tuning_cents": _number(self.tuning_cents, 1),
            "lufs": _number(self.lufs, 2),
            "momentary_max": _number(self.momentary_max, 2),
            "short_term_max": _number(self.short_term_max, 2),
            "lra": _number(self.lra, 2),
            "true_peak": _number(self.true_peak, 2),
            "rms": _number(self.rms, 2),
            "crest": _number(self.crest, 2),
            "energy": int(self.energy),
            "danceability": _number(self.danceability, 3),
            "energy_curve": _numbers(self.energy_curve, 3),
            "energy_rate": _number(self.energy_rate, 3),
            "timbre": {name: _number(value, 4) for name, value in self.timbre.items()},
            "sections": [_record(section, start=5, end=5, confidence=3, evidence=3) for section in self.sections],
            "drops": _numbers(np.asarray(self.drops, float), 5),
            "loops": [_record(loop, start=5, end=5, score=3) for loop in self.loops],
            "corrected": list(self.corrected),
            "version": int(self.version),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], curves: Curves | None = None) -> Analysis:
        """The analysis that :meth:`to_dict` wrote; absent entries take their defaults."""

        def known(name: str, otherwise: float = 0.0) -> float:
            return float(data.get(name) or otherwise)

        return cls(
            duration=known("duration_s"),
            tempo=data.get("bpm"),
            tempo_confidence=known("bpm_confidence"),
            tempo_alternative=data.get("bpm_alternative"),
            beats=np.asarray(data.get("beats") or [], np.float64),
            beat_confidence=known("beat_confidence"),
            downbeats=np.asarray(data.get("downbeats") or [], np.float64),
            downbeat_confidence=known("downbeat_confidence"),
            beats_per_bar=int(known("beats_per_bar", 4)),
            metre_confidence=known("metre_confidence"),
            grid_kind=data.get("grid_kind") or "none",
            grid=[GridSegment(**segment) for segment in data.get("grid") or []],
            swing=data.get("swing"),
            swing_confidence=known("swing_confidence"),
            key=data.get("key"),
            key_confidence=known("key_confidence"),
            key_alternative=data.get("key_alternative"),
            camelot=data.get("camelot"),
            open_key=data.get("open_key"),
            keys=[KeySpan(**span) for span in data.get("keys") or []],
            chords=[Chord(**chord) for chord in data.get("chords") or []],
            tuning_cents=known("tuning_cents"),
            lufs=data.get("lufs"),
            momentary_max=data.get("momentary_max"),
            short_term_max=data.get("short_term_max"),
            lra=data.get("lra"),
            true_peak=data.get("true_peak"),
            rms=data.get("rms"),
            crest=data.get("crest"),
            energy=int(known("energy", 1)),
            danceability=data.get("danceability"),
            energy_curve=np.asarray(data.get("energy_curve") or [], np.float32),
            energy_rate=known("energy_rate", 10.0),
            timbre=dict(data.get("timbre") or {}),
            sections=[Section(**section) for section in data.get("sections") or []],
            drops=[float(d) for d in data.get("drops") or []],
            loops=[Loop(**loop) for loop in data.get("loops") or []],
            corrected=list(data.get("corrected") or []),
            version=int(known("version")),
            curves=curves or Curves(),
        )

    @classmethod
    def load(cls, file: Path, curves: Path | None = None) -> Analysis:
        """The analysis that was stored as JSON.

        Parameters
        ----------
        file
            Holds what :meth:`to_dict` gave.
        curves
            Holds what `Curves.save` wrote; read when a curve is asked for.

        Raises
        ------
        InputError
            When the file is missing or damaged.
        """
        try:
            document = json.loads(file.read_text("utf-8"))
            return cls.from_dict(document, None if curves is None else Curves.load(curves))
        except (OSError, ValueError, TypeError, AttributeError) as error:
            # the last two: JSON that is no analysis
            raise InputError(
                f"The analysis of this song cannot be read ({file.name}).", hint="Analyse the song again."
            ) from error

    def explain(self, topic: str) -> Explanation:
        """Why a number is what it is: the sentences, the numbers and the curves it came from.

        Parameters
        ----------
        topic
            ``"tempo"``, ``"beats"``, ``"downbeats"``, ``"grid"``, ``"swing"``, ``"key"``, ``"tuning"``, ``"chords"``,
            ``"loudness"``, ``"true_peak"``, ``"energy"``, ``"danceability"``, ``"timbre"``, ``"sections"``, ``"cues"``
            or ``"loops"``.

        Raises
        ------
        ParameterError
            When there is no such topic.
        """
        from sfa_kernel.analysis.explain import explain

        return explain(self, topic)


def _record(item: Any, **digits: int) -> dict[str, Any]:
    values = asdict(item)
    for name, places in digits.items():
        value = values[name]
        if isinstance(value, dict):
            values[name] = {key: _number(number, places) for key, number in value.items()}
        else:
            values[name] = _number(value, places)
    return values


def _number(value: float | None, digits: int) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def _numbers(values: FloatArray, digits: int) -> list[float]:
    finite = np.asarray(values, np.float64)
    return [round(float(v), digits) for v in finite[np.isfinite(finite)]]
