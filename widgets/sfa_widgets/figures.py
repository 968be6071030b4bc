"""Still pictures for where no JavaScript runs: an analysis, and why its numbers are what they are.

They are SVG in HTML, without scripts and without addresses: an exported notebook shows them wherever it goes.
Text and lines take the page's own colour, so that they are read on a dark and on a light one.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass, field
from html import escape
from itertools import cycle, pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["PICTURES", "Series", "Song", "figure", "pictures", "png", "read", "stems"]

WIDTH, LEFT = 1000, 60  # of every drawing and of the room for its scale, in px
MOST_POINTS = 600  # of a line or a map: an exported notebook keeps them for good

# The colours of the live pictures.
ACCENT, SECOND, CENTROID, ROLLOFF = "#ff8a3d", "#3db8ff", "#9a6bff", "#3fae70"
BANDS = ("#3b82f6", "#f59e0b", "#8a97a8")
SECTIONS = {
    "intro": "#1abc9c",
    "verse": "#2980b9",
    "build": "#2ecc71",
    "drop": "#f39c12",
    "chorus": "#e91e63",
    "break": "#ff9800",
    "bridge": "#ff9800",
    "outro": "#607d8b",
}
STEMS = {
    "vocals": "#ff6b9d",
    "drums": "#f2b93b",
    "bass": "#7c6cff",
    "other": "#33c4b3",
    "guitar": "#e8833a",
    "piano": "#58a6ff",
    "electric_guitar": "#e8833a",
    "acoustic_guitar": "#d3a15c",
    "synthesizer": "#b38bff",
    "strings": "#e57fd8",
    "wind": "#6cc6e8",
    "voice": "#ff6b9d",
    "music": "#33c4b3",
    "lead_vocals": "#ff6b9d",
    "back_vocals": "#ffa3a8",
    "rest": "#8f9bab",
}
MAPS = {
    "magma": ("000004", "1d1147", "51127c", "822681", "b63679", "e65164", "fb8861", "fec287", "fcfdbf"),
    "viridis": ("440154", "472d7b", "3b528b", "2c728e", "21908c", "27ad81", "5dc863", "aadc32", "fde725"),
}
NOTES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


class Explained(Protocol):
    """What :func:`figure` draws: the fields of ``sfa_kernel``'s Explanation."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def numbers(self) -> Mapping[str, float | str | None]: ...
    @property
    def lines(self) -> Sequence[Any]: ...
    @property
    def marks(self) -> Sequence[Any]: ...
    @property
    def x_label(self) -> str: ...
    @property
    def y_label(self) -> str: ...
    @property
    def source(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Series:
    """A curve over time.

    Parameters
    ----------
    times
        In seconds [shape=(n,)].
    values
        [shape=(n, k)].
    """

    times: NDArray[np.float64]
    values: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Song:
    """An analysed song as it is drawn.

    Parameters
    ----------
    title
        Its name.
    analysis
        The document of the analysis.
    cues
        With ``time`` in s, ``type`` and ``label``.
    series
        Curves by name.
    """

    title: str
    analysis: Mapping[str, Any]
    cues: Sequence[Mapping[str, Any]] = ()
    series: Mapping[str, Series] = field(default_factory=dict)

    @property
    def duration(self) -> float:
        """Length in s; never zero."""
        return max(float(self.analysis.get("duration_s") or 0.0), 1e-3)


def read(result: Mapping[str, Any], buffers: Sequence[Any]) -> Song | None:
    """Understand the reply of ``analysis.load``; None where the song was not analysed."""
    if not result.get("analysis"):
        return None
    series = {}
    for name, header in (result.get("curves") or {}).items():
        rows, columns = int(header["rows"]), int(header["columns"])
        if rows == 0 or columns == 0:
            continue
        steps = np.frombuffer(buffers[header["buffer"]], np.uint8).reshape(rows, columns).astype(np.float32)
        low = np.asarray(header["minimum"], np.float32)
        values = low + steps * ((np.asarray(header["maximum"], np.float32) - low) / 255)
        if header.get("x_buffer") is not None:
            times = np.frombuffer(buffers[header["x_buffer"]], np.float32).astype(np.float64)
        else:
            times = float(header["start"]) + np.arange(rows) / float(header["rate"])
        series[name] = Series(times, values)
    return Song(str(result["track"]["title"]), result["analysis"], result.get("cues") or (), series)


def pictures(song: Song, names: Sequence[str] | None = None, other: Song | None = None) -> str:
    """Draw the chosen pictures under each other.

    Parameters
    ----------
    song
        What to draw.
    names
        Some of :data:`PICTURES`; all of them without.
    other
        A second song: on the same radar, and under each of the other pictures.

    Returns
    -------
    str
        HTML.
    """
    parts = []
    for name, draw in PICTURES.items():
        if names is not None and name not in names:
            continue
        if name == "features":
            parts.append(_titled("Features", _features(song, other)))
            continue
        for shown in [song] if other is None else [song, other]:
            drawing = draw(shown)
            title = TITLES[name] if other is None else f"{TITLES[name]}: {shown.title}"
            if drawing:
                parts.append(_titled(title, drawing))
    return "".join(parts)


def _titled(title: str, drawing: str) -> str:
    head = f'<div style="font:600 12px system-ui,sans-serif;margin:8px 0 2px">{escape(title)}</div>'
    return f'<div style="max-width:{WIDTH}px">{head}{drawing}</div>'


# The seven pictures


def _features(song: Song, other: Song | None = None) -> str:
    """The radar of eight numbers, with each number in words beside its name."""
    songs = [(song, ACCENT, "")] if other is None else [(song, ACCENT, ""), (other, SECOND, ' stroke-dasharray="7 4"')]
    measured = [(_numbers(each), colour, dash) for each, colour, dash in songs]
    names = list(measured[0][0])
    middle_x, middle_y, radius = 300, 150, 105

    def corner(index: int, value: float) -> tuple[float, float]:
        angle = 2 * math.pi * index / len(names) - math.pi / 2
        return middle_x + radius * value * math.cos(angle), middle_y + radius * value * math.sin(angle)

    def polygon(values: Sequence[float], look: str) -> str:
        points = " ".join("{:.1f},{:.1f}".format(*corner(i, value)) for i, value in enumerate(values))
        return f'<polygon points="{points}" {look}/>'

    faint = 'fill="none" stroke="currentColor" stroke-opacity=".22"'
    body = [polygon([ring / 4] * len(names), faint) for ring in range(1, 5)]
    for index, name in enumerate(names):
        (x, y), (text_x, text_y) = corner(index, 1.0), corner(index, 1.13)
        anchor = "middle" if abs(text_x - middle_x) < 8 else "start" if text_x > middle_x else "end"
        body.append(f'<path d="M{middle_x} {middle_y}L{x:.1f} {y:.1f}" {faint}/>')
        words = ", ".join(each[name][1] for each, _, _ in measured)
        body.append(_text(text_x, text_y - 4, name, anchor=anchor))
        body.append(_text(text_x, text_y + 9, words, anchor=anchor, opacity=0.65))
    for values, colour, dash in measured:
        look = f'fill="{colour}" fill-opacity=".22" stroke="{colour}" stroke-width="2"{dash}'
        body.append(polygon([values[name][0] or 0.0 for name in names], look))
    for row, (each, colour, dash) in enumerate(songs):
        y = 24 + 18 * row
        body.append(f'<path d="M620 {y}h28" stroke="{colour}" stroke-width="3"{dash}/>')
        body.append(_text(656, y + 4, each.title))
    said = "; ".join(f"{name} {text}" for name, (_, text) in measured[0][0].items())
    return _svg(300, body, f"Radar of features: {said}")


def _structure(song: Song) -> str:
    body = []
    for section in song.analysis.get("sections") or []:
        left, right = _x(song, section["start"]), _x(song, section["end"])
        colour = SECTIONS.get(section["label"], "#7d8794")
        name = f"{section['label'].capitalize()} {section.get('group') or ''}".strip()
        sure = f"{round(100 * (section.get('confidence') or 0))} %"
        wide = max(1.0, right - left - 1)
        body.append(f'<rect x="{left:.1f}" y="22" width="{wide:.1f}" height="34" fill="{colour}" fill-opacity=".3"/>')
        body.append(f'<rect x="{left:.1f}" y="22" width="{wide:.1f}" height="3" fill="{colour}"/>')
        if wide > 6.5 * len(name) + 6:
            body.append(_text(left + 5, 39, name, weight=600))
            body.append(_text(left + 5, 51, sure, size=9, opacity=0.7))
        elif wide > 10 and section.get("group"):
            body.append(_text(left + 3, 39, section["group"], weight=600))
    for number, span in enumerate(song.analysis.get("keys") or []):
        left, right = _x(song, span["start"]), _x(song, span["end"])
        colour = _key_colour(span.get("camelot"))
        wide = max(1.0, right - left - 1)
        body.append(f'<rect x="{left:.1f}" y="59" width="{wide:.1f}" height="14" fill="{colour}"/>')
        if number:
            body.append(f'<path d="M{left:.1f} 59l8 7l-8 7z" fill="#9b59b6"/>')
        if wide > 90:
            name = f"{span.get('camelot') or ''} {_sharps(span['key'])}"
            body.append(_text(left + 11, 70, name, size=10, colour="#101216"))
    novelty = song.series.get("structure.novelty")
    if novelty is not None:
        values = novelty.values[:, 0]
        top = max(float(values.max()), 1e-9)
        look = 'fill="currentColor" fill-opacity=".35"'
        body.append(_area(song, novelty.times, np.clip(values / top, 0, 1), 104, 28, look))
    for number, cue in enumerate(sorted(song.cues, key=lambda cue: cue["time"]), 1):
        x = _x(song, cue["time"])
        colour = cue.get("color") or SECTIONS.get(cue.get("type") or "", "#7d8794")
        body.append(f'<rect x="{x:.1f}" y="3" width="14" height="14" rx="3" fill="{escape(str(colour), quote=True)}"/>')
        body.append(_text(x + 7, 14, str(number), size=10, weight=700, anchor="middle", colour="#101216"))
        body.append(f'<path d="M{x:.1f} 3v19" stroke="{escape(str(colour), quote=True)}"/>')
    labels = [_text(LEFT - 6, y, word, anchor="end", size=9, opacity=0.65) for y, word in _STRUCTURE_ROWS]
    said = ", ".join(f"{s['label']} at {_clock(s['start'])}" for s in song.analysis.get("sections") or [])
    return _svg(124, [*labels, *body, *_time_scale(song, 108)], f"Structure: {said or 'no sections'}")


_STRUCTURE_ROWS = ((14, "cues"), (43, "sections"), (70, "keys"), (96, "novelty"))


def _grid(song: Song) -> str:
    body = []
    onsets = song.series.get("onsets")
    if onsets is not None:
        for band in range(min(3, onsets.values.shape[1])):
            values = onsets.values[:, band]
            top = max(float(np.quantile(values, 0.995)), 1e-9)
            look = f'fill="{BANDS[band]}" fill-opacity=".8"'
            body.append(_area(song, onsets.times, np.clip(values / top, 0, 1), 98 - 20 * band, 19, look, highest=True))
            body.append(
                _text(LEFT - 6, 95 - 20 * band, ("low", "mid", "high")[band], anchor="end", size=9, opacity=0.65)
            )
    downbeats = song.analysis.get("downbeats") or []
    stride = 1
    while len(downbeats) / stride > 60:
        stride *= 4 if stride == 1 else 2
    bars = "".join(f"M{_x(song, time):.1f} 36v64" for time in downbeats[::stride])
    body.append(f'<path d="{bars}" stroke="currentColor" stroke-opacity=".35" stroke-width=".7"/>')
    numbered = stride * 4
    for index in range(0, len(downbeats), numbered):
        body.append(_text(_x(song, downbeats[index]) + 2, 111, str(index + 1), size=9, opacity=0.8))
    curve = song.series.get("tempo.curve")
    tempo = song.analysis.get("bpm")
    if curve is not None and tempo:
        values = curve.values[:, 0]
        room = max(0.02 * tempo, 1.2 * float(np.quantile(np.abs(values - tempo), 0.98)))
        heights = np.clip((values - tempo + room) / (2 * room), 0, 1)
        look = f'fill="none" stroke="{ACCENT}" stroke-width="1.5"'
        body.append(_curve(song, curve.times, heights, 30, 26, look))
        body.append(_text(LEFT - 6, 10, f"{tempo + room:.1f}", anchor="end", size=9, opacity=0.65))
        body.append(_text(LEFT - 6, 30, f"{tempo - room:.1f}", anchor="end", size=9, opacity=0.65))
    said = f"{tempo:.2f} BPM, {len(song.analysis.get('beats') or [])} beats" if tempo else "no beat was found"
    body.append(_text(LEFT - 6, 111, "bar", anchor="end", size=9, opacity=0.65))
    return _svg(130, [*body, *_time_scale(song, 114)], f"Beat grid: {said}")


def _energy(song: Song) -> str:
    body = [_rule(8 + 80 * -level / 36, f"{level}") for level in (-6, -12, -18, -24, -30)]
    body.append(_text(LEFT - 6, 10, "LUFS", anchor="end", size=9, opacity=0.65))
    energy = song.series.get("energy")
    times, values = (energy.times, energy.values[:, 0]) if energy is not None else _document_energy(song)
    if len(values):
        look = f'fill="{ACCENT}" fill-opacity=".3" stroke="{ACCENT}"'
        body.append(_area(song, times, np.clip(values, 0, 1), 88, 80, look))
    for name, look in (
        ("loudness.momentary", f'fill="none" stroke="{SECOND}" stroke-opacity=".6" stroke-width=".8"'),
        ("loudness.short_term", 'fill="none" stroke="currentColor" stroke-width="1.5"'),
    ):
        if name in song.series:
            curve = song.series[name]
            body.append(_curve(song, curve.times, np.clip(1 + curve.values[:, 0] / 36, 0, 1), 88, 80, look))
    drops = song.analysis.get("drops") or []
    for time in drops:
        x = _x(song, time)
        body.append(f'<path d="M{x:.1f} 0v90" stroke="{SECTIONS["drop"]}" stroke-width="1.5"/>')
        body.append(_text(x + 4, 8, "Drop", size=10, weight=600))
    loudness = song.analysis.get("lufs")
    said = f"energy {song.analysis.get('energy')} of 10, " + (
        f"{loudness:.1f} LUFS" if loudness is not None else "silent"
    )
    return _svg(112, [*body, *_time_scale(song, 94)], f"Energy (filled), short-term and momentary loudness: {said}")


def _document_energy(song: Song) -> tuple[NDArray[Any], NDArray[Any]]:
    values = np.asarray(song.analysis.get("energy_curve") or [], np.float32)
    return np.arange(len(values)) / float(song.analysis.get("energy_rate") or 10), values


def _chroma(song: Song) -> str:
    chroma = song.series.get("chroma")
    if chroma is None:
        return ""
    body = [_heat(song, chroma, "magma", 20, 132)]
    key = str(song.analysis.get("key") or "")
    own = _key_notes(key)
    for note, name in enumerate(NOTES):
        y = 20 + 11 * (11 - note) + 9
        weight = 700 if note in own else 400
        body.append(_text(LEFT - 12, y, name, anchor="end", size=9, weight=weight, opacity=1 if note in own else 0.6))
        if note in own:
            tall = 8 if note == own[0] else 3
            body.append(f'<rect x="{LEFT - 8}" y="{y - 3 - tall / 2:.1f}" width="3" height="{tall}" fill="{ACCENT}"/>')
    body.append(_text(LEFT - 6, 13, "chord", anchor="end", size=9, opacity=0.65))
    for chord in song.analysis.get("chords") or []:
        if chord["label"] == "N":
            continue
        left, right = _x(song, chord["start"]), _x(song, chord["end"])
        colour = _key_colour(_chord_camelot(chord["label"]))
        body.append(
            f'<rect x="{left:.1f}" y="2" width="{max(0.5, right - left - 0.5):.1f}" height="15" fill="{colour}"/>'
        )
        if right - left > 7 * len(chord["label"]) + 4:
            body.append(_text(left + 3, 13, _sharps(chord["label"]), size=10, colour="#101216"))
    return _svg(174, [*body, *_time_scale(song, 156)], f"Chroma, magma from weak to strong: {_sharps(key) or 'no key'}")


def _spectrum(song: Song) -> str:
    lowest, highest = 60.0, 16000.0

    def height(values: Any) -> Any:
        return np.log(np.clip(values, lowest, highest) / lowest) / math.log(highest / lowest)

    centroid, rolloff = song.series.get("centroid"), song.series.get("rolloff")
    if centroid is None and rolloff is None:
        return ""
    labels = ((100, "100 Hz"), (1000, "1 kHz"), (5000, "5 kHz"), (10000, "10 kHz"))
    body = [_rule(104 - 100 * float(height(line)), label) for line, label in labels]
    for name, curve, colour, wide in (("Rolloff", rolloff, ROLLOFF, 1), ("Centroid", centroid, CENTROID, 2)):
        if curve is None:
            continue
        look = f'fill="none" stroke="{colour}" stroke-width="{wide}"'
        body.append(_curve(song, curve.times, height(curve.values[:, 0]), 104, 100, look))
        x = WIDTH - (70 if name == "Centroid" else 140)
        body.append(f'<path d="M{x} 6h14" stroke="{colour}" stroke-width="{wide}"/>')
        body.append(_text(x + 18, 10, name, size=10))
    means = song.analysis.get("timbre") or {}
    said = ", ".join(f"{name} {_hertz(means.get(name))}" for name in ("centroid", "rolloff"))
    return _svg(126, [*body, *_time_scale(song, 108)], f"Spectrum over time: {said} on average")


def _mfcc(song: Song) -> str:
    mfcc = song.series.get("mfcc")
    if mfcc is None:
        return ""
    values = mfcc.values
    span = np.maximum(np.ptp(values, axis=0), 1e-9)
    scaled = Series(mfcc.times, (values - values.min(axis=0)) / span)
    rows = values.shape[1]
    body = [_heat(song, scaled, "viridis", 2, 6 * rows)]
    for number in (1, 5, 10, 15, 20):
        if number <= rows:
            body.append(_text(LEFT - 6, 2 + 6 * (rows - number) + 6, str(number), anchor="end", size=9, opacity=0.65))
    said = f"{rows} coefficients, viridis from least to greatest"
    return _svg(6 * rows + 22, [*body, *_time_scale(song, 6 * rows + 4)], f"MFCC over time: {said}")


PICTURES: dict[str, Callable[[Song], str]] = {
    "features": _features,
    "structure": _structure,
    "grid": _grid,
    "energy": _energy,
    "chroma": _chroma,
    "spectrum": _spectrum,
    "mfcc": _mfcc,
}
"""The pictures by name, each a function of a :class:`Song` that returns an SVG, or nothing where there is nothing."""

TITLES = {
    "structure": "Structure",
    "grid": "Beat grid",
    "energy": "Energy and loudness",
    "chroma": "Chroma and chords",
    "spectrum": "Spectrum",
    "mfcc": "MFCC",
}


def _numbers(song: Song) -> dict[str, tuple[float | None, str]]:
    """The features: each on a scale of 0..1, and in words."""
    found = song.analysis
    energy, dance = found.get("energy"), found.get("danceability")
    loudness, spread = found.get("lufs"), found.get("lra")
    centroid = (found.get("timbre") or {}).get("centroid")
    density = _onset_rate(song.series.get("onsets"))
    clarity = found.get("key_confidence") if found.get("key") else 0.0
    pulse = found.get("bpm_confidence") if found.get("bpm") else 0.0
    octaves = None if not centroid else math.log(max(1.0, centroid) / 300) / math.log(20)
    return {
        "Energy": (None if energy is None else energy / 10, "–" if energy is None else f"{energy} of 10"),
        "Danceability": (dance, "–" if dance is None else f"{dance:.2f}"),
        "Loudness": (_part(loudness, -30, -5), "–" if loudness is None else f"{_minus(loudness, 1)} LUFS"),
        "Brightness": (_part(octaves, 0, 1), _hertz(centroid)),
        "Density": (_part(density, 0, 10), "–" if density is None else f"{density:.1f} a second"),
        "Tonal clarity": (clarity, f"{round(100 * (clarity or 0))} %"),
        "Pulse": (pulse, f"{round(100 * (pulse or 0))} %"),
        "Dynamics": (_part(spread, 0, 20), "–" if spread is None else f"{spread:.1f} LU"),
    }


def _onset_rate(onsets: Series | None) -> float | None:
    """Attacks a second: peaks above the song's own mean. None where the curve is too coarse to have kept them."""
    if onsets is None or len(onsets.times) < 3:
        return None
    rate = 1 / (onsets.times[1] - onsets.times[0])
    if rate < 14:
        return None
    strength = onsets.values.sum(axis=1)
    reach = max(1, round(0.05 * rate))
    padded = np.pad(strength, reach, constant_values=-np.inf)
    highest = np.max(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    peaks = np.flatnonzero((strength >= highest) & (strength > strength.mean()))
    return float(np.count_nonzero(np.diff(peaks, prepend=-reach - 1) > reach) * rate / len(strength))


def _part(value: float | None, low: float, high: float) -> float | None:
    return None if value is None else min(1.0, max(0.0, (value - low) / (high - low)))


# Stems


def stems(made: Mapping[str, Any], waveforms: Mapping[str, Any], buffers: Sequence[Any]) -> str:
    """Draw the waveforms of a set of stems under each other, with the badge of what made them.

    Parameters
    ----------
    made
        The set: ``badge``, ``stems``, and ``start`` and ``end`` in s of a preview.
    waveforms, buffers
        As ``stems.load`` gives them.

    Returns
    -------
    str
        SVG.
    """
    region = "" if made["start"] is None else f" · {_clock(made['start'])}–{_clock(made['end'])}"
    body = [_text(0, 14, f"{made['badge']}{region}", size=12, weight=600)]
    names = [name for name in made["stems"] if name in waveforms]
    peaks = {name: _peaks(waveforms[name], buffers) for name in names}
    highest = max((float(heights.max()) for heights in peaks.values() if len(heights)), default=0.0)
    left, tall = 130, 44
    for index, name in enumerate(names):
        middle = 26 + index * (tall + 6) + tall / 2
        heights = peaks[name] / max(highest, 1e-6) * tall / 2
        across = left + (WIDTH - left) * (np.arange(len(heights)) + 0.5) / max(1, len(heights))
        path = "".join(
            f"M{x:.1f} {middle - max(0.5, height):.1f}V{middle + max(0.5, height):.1f}"
            for x, height in zip(across, heights, strict=True)
        )
        colour = STEMS.get(name, "#7d8794")
        body.append(f'<circle cx="6" cy="{middle:.1f}" r="5" fill="{colour}"/>')
        body.append(_text(20, middle + 4, name.replace("_", " ").capitalize(), size=12))
        body.append(f'<path d="{path}" stroke="{colour}" stroke-width="1.2"/>')
    listed = ", ".join(name.replace("_", " ") for name in names)
    return _svg(32 + len(names) * (tall + 6), body, f"Stems by {made['badge']}: {listed}")


def _peaks(header: Mapping[str, Any], buffers: Sequence[Any]) -> NDArray[np.float64]:
    """The highest level of each of at most MOST_POINTS stretches, 0 to 1."""
    level = header["levels"][-1]
    data = np.frombuffer(buffers[level["buffer"]], np.int8).reshape(level["bins"], 4, 3)
    heights = np.maximum(-data[:, 0, 0].astype(np.float64), data[:, 0, 1]) / 127
    if len(heights) <= MOST_POINTS:
        return heights
    highest: NDArray[np.float64] = np.maximum.reduceat(
        heights, np.linspace(0, len(heights), MOST_POINTS + 1).astype(int)[:-1]
    )
    return highest


# Why a number is what it is


def figure(explanation: Explained) -> str:
    """Draw an explanation: its title and sentences, the curve that decided, and the numbers.

    Parameters
    ----------
    explanation
        Anything with the fields of ``sfa_kernel``'s Explanation.

    Returns
    -------
    str
        HTML.
    """
    paragraphs = "".join(f'<p style="margin:4px 0">{escape(part)}</p>' for part in explanation.text.split("\n") if part)
    rows = "".join(
        f'<div style="display:flex;justify-content:space-between;gap:12px;break-inside:avoid">'
        f'<span style="opacity:.7">{escape(name)}</span>'
        f'<span style="font-variant-numeric:tabular-nums">{escape(_value(value))}</span></div>'
        for name, value in explanation.numbers.items()
    )
    table = f'<div style="columns:220px;column-gap:32px;font-size:12px;margin:6px 0">{rows}</div>' if rows else ""
    source = (
        f'<p style="opacity:.65;font-size:11px;margin:6px 0">{escape(explanation.source)}</p>'
        if explanation.source
        else ""
    )
    return (
        f'<div style="max-width:{WIDTH}px;font:13px/1.45 system-ui,sans-serif">'
        f'<div style="font-size:15px;font-weight:600;margin-bottom:4px">{escape(explanation.title)}</div>'
        f"{paragraphs}{_plot(explanation)}{table}{source}</div>"
    )


def _plot(explanation: Explained) -> str:
    colours = (SECOND, ACCENT, CENTROID, ROLLOFF, "#e91e63", "#7d8794")
    drawn = []
    for line in explanation.lines:
        x, y = np.asarray(line.x, np.float64).ravel(), np.asarray(line.y, np.float64).ravel()
        finite = np.isfinite(x) & np.isfinite(y)
        if finite.any():
            drawn.append((line, x[finite], y[finite]))
    if not drawn:
        return ""
    bars = all(line.kind == "bars" for line, _, _ in drawn)
    left, right = _extent([x for _, x, _ in drawn], 0.5 / max(1, max(len(x) for _, x, _ in drawn) - 1) if bars else 0.0)
    # Bars of things that have names: the names say more than their numbers.
    named = bars and bool(explanation.marks) and all(np.array_equal(x, np.rint(x)) for _, x, _ in drawn)
    low, high = _extent([y for _, _, y in drawn], 0.06)
    if any(line.kind == "bars" for line, _, _ in drawn):
        # a bar begins at zero
        low, high = min(low, 0.0), max(high, 0.0)
    top, bottom, edge = 24, 224, LEFT + 8

    def across(x: Any) -> Any:
        return edge + (x - left) / (right - left) * (WIDTH - edge - 10)

    def up(y: Any) -> Any:
        return bottom - (y - low) / (high - low) * (bottom - top)

    body = []
    for tick in _ticks(low, high):
        height = float(up(tick))
        body.append(f'<path d="M{edge} {height:.1f}H{WIDTH - 10}" stroke="currentColor" stroke-opacity=".15"/>')
        body.append(_text(edge - 6, height + 3, _short(tick), anchor="end", size=10, opacity=0.75))
    for tick in [] if named else _ticks(left, right):
        place = float(across(tick))
        body.append(f'<path d="M{place:.1f} {bottom}v4" stroke="currentColor" stroke-opacity=".5"/>')
        body.append(_text(place, bottom + 16, _short(tick), anchor="middle", size=10, opacity=0.75))
    legend = float(edge)
    for (line, x, y), colour in zip(drawn, cycle(colours), strict=False):
        body.append(_stroke(line.kind, across(x), up(y), float(up(max(low, min(high, 0.0)))), colour))
        if line.label:
            body.append(f'<rect x="{legend:.0f}" y="6" width="12" height="4" fill="{colour}"/>')
            body.append(_text(legend + 17, 12, line.label))
            legend += 40 + 6.6 * len(line.label)
    marks = [mark for mark in explanation.marks if math.isfinite(mark.x) and left <= mark.x <= right]
    faint = 0.6 if len(marks) <= 40 else 0.25
    used: list[float] = []  # how far the labels reach, in each of their rows
    for mark in sorted(marks, key=lambda mark: mark.x):
        place, wide = float(across(mark.x)), 6.4 * len(mark.label)
        flip = not named and place + 10 + wide > WIDTH
        start = place - wide / 2 if named else place - 10 - wide if flip else place
        row = next((row for row, end in enumerate(used) if start > end), len(used))
        if row == len(used):
            used.append(0.0)
        used[row] = start + wide + 10
        if named:
            body.append(_text(place, bottom + 16 + 12 * (row % 2), mark.label, anchor="middle"))
            continue
        body.append(
            f'<path d="M{place:.1f} {top}V{bottom}" stroke="currentColor" stroke-opacity="{faint}"'
            ' stroke-dasharray="4 3"/>'
        )
        if row < 6:
            anchor = "end" if flip else "start"
            body.append(_text(place + (-5 if flip else 5), top + 12 + 13 * row, mark.label, anchor=anchor))
    body.append(_text(WIDTH - 10, bottom + 30, explanation.x_label, anchor="end", opacity=0.75))
    body.append(_text(WIDTH - 10, 12, explanation.y_label, anchor="end", opacity=0.75))
    return _svg(bottom + 36, body, f"{explanation.title}: {explanation.y_label} over {explanation.x_label}")


def _stroke(kind: str, x: NDArray[Any], y: NDArray[Any], base: float, colour: str) -> str:
    if kind == "bars":
        order = np.sort(x)
        wide = 0.8 * float(np.min(np.diff(order))) if len(order) > 1 else 20.0
        wide = min(40.0, max(1.0, wide))
        bars = "".join(
            f"M{px - wide / 2:.1f} {base:.1f}V{py:.1f}h{wide:.1f}V{base:.1f}z" for px, py in zip(x, y, strict=True)
        )
        return f'<path d="{bars}" fill="{colour}" fill-opacity=".75"/>'
    x, y = _thinned(x, y)
    if kind == "steps":
        path = f"M{x[0]:.1f} {y[0]:.1f}" + "".join(f"H{px:.1f}V{py:.1f}" for px, py in zip(x[1:], y[1:], strict=True))
    else:
        path = "M" + "L".join(f"{px:.1f} {py:.1f}" for px, py in zip(x, y, strict=True))
    look = f'fill="none" stroke="{colour}" stroke-width="1.5" stroke-opacity=".9" stroke-linejoin="round"'
    return f'<path d="{path}" {look}/>'


def _thinned(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Least and greatest of each bin: peaks stay, however many values there are."""
    if len(x) <= 2 * MOST_POINTS:
        return x, y
    edges = np.linspace(0, len(x), MOST_POINTS + 1).astype(int)
    kept = {
        index
        for start, stop in pairwise(edges)
        for index in (start + int(np.argmin(y[start:stop])), start + int(np.argmax(y[start:stop])))
    }
    chosen = np.array(sorted(kept))
    return x[chosen], y[chosen]


def _extent(arrays: Sequence[NDArray[Any]], room: float) -> tuple[float, float]:
    low = min(float(values.min()) for values in arrays)
    high = max(float(values.max()) for values in arrays)
    if high <= low:
        return low - 0.5, high + 0.5
    return low - room * (high - low), high + room * (high - low)


def _ticks(low: float, high: float) -> list[float]:
    """About six round numbers."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    return [step * index for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _short(value: float) -> str:
    return f"{0.0 if abs(value) < 1e-12 else value:.6g}".replace("-", "−")


def _value(value: float | str | None) -> str:
    """As many figures as say something: "127.35", "0.0031"."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "–"
    text = f"{value:.3g}" if 0 < abs(value) < 0.01 else f"{value:.3f}".rstrip("0").rstrip(".")
    return text.replace("-", "−")


# Pieces of a drawing


def _svg(height: float, body: Sequence[str], label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" style="width:100%;height:auto;display:block" role="img"'
        f' aria-label="{escape(label, quote=True)}" font-family="system-ui,sans-serif">{"".join(body)}</svg>'
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 11,
    weight: int = 400,
    anchor: str = "start",
    opacity: float = 1.0,
    colour: str = "currentColor",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}"'
        f' fill="{colour}" fill-opacity="{opacity:g}">{escape(text)}</text>'
    )


def _rule(y: float, label: str) -> str:
    line = f'<path d="M{LEFT} {y:.1f}H{WIDTH}" stroke="currentColor" stroke-opacity=".13"/>'
    return line + _text(LEFT - 6, y + 3, label.replace("-", "−"), anchor="end", size=9, opacity=0.65)


def _x(song: Song, time: float) -> float:
    return LEFT + (WIDTH - LEFT) * float(time) / song.duration


def _time_scale(song: Song, y: float) -> list[str]:
    step = next((step for step in (5, 10, 15, 30, 60, 120, 300, 600) if song.duration / step <= 14), 1200)
    marks = []
    for second in range(0, math.ceil(song.duration), step):
        x = _x(song, second)
        marks.append(f'<path d="M{x:.1f} {y:.0f}v4" stroke="currentColor" stroke-opacity=".5"/>')
        marks.append(_text(x + 3, y + 12, _clock(second), size=9, opacity=0.65))
    return marks


def _binned(song: Song, times: NDArray[Any], values: NDArray[Any], highest: bool = False) -> tuple[NDArray[Any], Any]:
    """At most MOST_POINTS values over the song: means, or the highest, of neighbours."""
    if len(values) <= MOST_POINTS:
        return LEFT + (WIDTH - LEFT) * times / song.duration, values
    edges = np.linspace(0, len(values), MOST_POINTS + 1).astype(int)[:-1]
    if highest:
        heights = np.maximum.reduceat(values, edges)
    else:
        heights = np.add.reduceat(values, edges) / np.diff(np.append(edges, len(values)))
    return LEFT + (WIDTH - LEFT) * times[edges] / song.duration, heights


def _curve(song: Song, times: NDArray[Any], heights: NDArray[Any], bottom: float, tall: float, look: str) -> str:
    x, y = _binned(song, times, heights)
    points = "L".join(f"{px:.1f} {bottom - tall * py:.1f}" for px, py in zip(x, y, strict=True))
    return f'<path d="M{points}" {look}/>'


def _area(
    song: Song,
    times: NDArray[Any],
    heights: NDArray[Any],
    bottom: float,
    tall: float,
    look: str,
    *,
    highest: bool = False,
) -> str:
    x, y = _binned(song, times, heights, highest)
    points = "L".join(f"{px:.1f} {bottom - tall * py:.1f}" for px, py in zip(x, y, strict=True))
    return f'<path d="M{x[0]:.1f} {bottom:.1f}L{points}L{x[-1]:.1f} {bottom:.1f}z" {look}/>'


def _heat(song: Song, series: Series, colours: str, top: float, tall: float) -> str:
    """A heat map as a PNG of one pixel for each value; its last column on top."""
    values = np.clip(series.values, 0, 1)
    if len(values) > MOST_POINTS:
        edges = np.linspace(0, len(values), MOST_POINTS + 1).astype(int)[:-1]
        counts = np.diff(np.append(edges, len(values)))[:, None]
        values = np.add.reduceat(values, edges, axis=0) / counts
    steps = np.rint(values.T[::-1] * 255).astype(np.uint8)
    data = base64.b64encode(png(steps, colours)).decode()
    left, right = _x(song, series.times[0]), _x(song, series.times[-1])
    return (
        f'<image x="{left:.1f}" y="{top:g}" width="{max(1.0, right - left):.1f}" height="{tall:g}"'
        f' preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def png(steps: NDArray[np.uint8], colours: str = "magma") -> bytes:
    """Write an image of 256 colours.

    Parameters
    ----------
    steps
        One of the colours for each pixel [shape=(height, width)].
    colours
        ``"magma"`` or ``"viridis"``.

    Returns
    -------
    bytes
        A PNG file.
    """
    height, width = steps.shape
    stops = np.array([[int(stop[i : i + 2], 16) for i in (0, 2, 4)] for stop in MAPS[colours]], np.float64)
    places = np.linspace(0, len(stops) - 1, 256)
    table = np.stack([np.interp(places, np.arange(len(stops)), stops[:, part]) for part in range(3)], axis=1)
    # each line begins with the number of its filter: none
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = steps
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", np.rint(table).astype(np.uint8).tobytes()))
    body = b"".join(_chunk(*part) for part in (*parts, (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Words


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(float(seconds)), 60)
    return f"{minutes}:{rest:02d}"


def _hertz(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f} Hz" if value < 1000 else f"{value / 1000:.2f} kHz"


def _minus(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def _sharps(name: str) -> str:
    return name.replace("#", "♯")


def _key_notes(key: str) -> tuple[int, ...]:
    """The notes of a key, its root first."""
    root, _, mode = _sharps(key).partition(" ")
    if root not in NOTES or mode not in SCALES:
        return ()
    return tuple((NOTES.index(root) + step) % 12 for step in SCALES[mode])


_WHEEL = (8, 3, 10, 5, 12, 7, 2, 9, 4, 11, 6, 1)  # Camelot numbers of the major keys from C upwards


def _chord_camelot(label: str) -> str:
    root = _sharps(label.removesuffix("m"))
    if root not in NOTES:
        return ""
    note = NOTES.index(root)
    return f"{_WHEEL[(note + 3) % 12]}A" if label.endswith("m") else f"{_WHEEL[note]}B"


def _key_colour(camelot: str | None) -> str:
    """Hue by the place on the wheel; minor is darker."""
    if not camelot or not camelot[:-1].isdigit():
        return "#7d8794"
    hue = 30 * (int(camelot[:-1]) - 1)
    return f"oklch({0.69 if camelot.endswith('A') else 0.82} 0.115 {hue})"
