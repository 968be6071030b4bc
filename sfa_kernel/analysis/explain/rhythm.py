"""Why tempo, beats, downbeats, grid and swing are what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.explain.model import Explanation, Line, Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.curves import Curve
    from sfa_kernel.analysis.model import Analysis

__all__ = ["beats", "downbeats", "grid", "swing", "tempo"]

_TEMPO_SOURCE = (
    "Klapuri, Eronen & Astola, Analysis of the Meter of Acoustic Musical Signals, 2006; Peeters, Template-Based "
    "Estimation of Time-Varying Tempo, 2007"
)
_BEAT_SOURCE = (
    "Ellis, Beat Tracking by Dynamic Programming, 2007; Grosche & Mueller, Extracting Predominant Local Pulse "
    "Information from Music Recordings, 2011"
)
_DOWNBEAT_SOURCE = (
    "Davies & Plumbley, A Spectral Difference Approach to Downbeat Extraction in Musical Audio, 2006; Papadopoulos & "
    "Peeters, Joint Estimation of Chords and Downbeats, 2011"
)
_GRID_SOURCE = "Keogh, Chu, Hart & Pazzani, An Online Algorithm for Segmenting Time Series, 2001"
_SWING_SOURCE = "Friberg & Sundstrom, Swing Ratios and Ensemble Timing in Jazz Performance, 2002"

_NO_BEAT = "No pulse was found: nothing in the song repeats in time, or it is too short."
_DOUBTFUL, _SURE = 0.4, 0.75
_EXCERPT = 12.0  # seconds of onsets that a figure shows
_NEAR = 0.05  # s: an onset that is nearer to a beat is its own


def tempo(analysis: Analysis) -> Explanation:
    """Which tempi were weighed, and what decided between them."""
    if analysis.tempo is None:
        return Explanation("tempo", "Tempo: none", _NO_BEAT, source=_TEMPO_SOURCE)
    numbers: dict[str, float | str | None] = {
        "tempo [BPM]": round(analysis.tempo, 3),
        "confidence": round(analysis.tempo_confidence, 3),
        "alternative [BPM]": _rounded(analysis.tempo_alternative),
    }
    sentences = _by_hand(analysis)
    lines: list[Line] = []
    curve = _curve(analysis, "tempo.candidates")
    if curve is None:
        sentences.append("The scores of the tempi were not kept with this analysis; analyse the song again.")
    else:
        x, y = curve.axis, _column(curve)
        own, (rival, height) = _at(x, y, analysis.tempo), _runner_up(x, y, analysis.tempo)
        sentences.append(
            f"At {analysis.tempo:.2f} BPM the onsets of the notes repeat with a correlation of {own:.2f} after one "
            "beat, two, and whole bars (1 is an exact repeat)."
        )
        numbers["repetition"] = round(own, 3)
        if rival is not None:
            sentences.append(f"The strongest other tempo that is no octave of it is {rival:.1f} BPM with {height:.2f}.")
            numbers |= {"runner-up [BPM]": round(rival, 1), "runner-up's repetition": round(height, 3)}
        lines.append(Line("repetition", x, y))
    sentences.append(_exactness(analysis))
    if analysis.tempo_alternative is not None:
        half = "half" if analysis.tempo_alternative < analysis.tempo else "twice"
        sentences.append(
            f"A listener may also feel {half} that, {analysis.tempo_alternative:.2f} BPM: repetition alone cannot "
            "tell octaves apart. Kick and snare, changes of chord and the usual range of tempi decided."
        )
    sentences.append(_verdict(analysis.tempo_confidence, "the tempo"))
    marks = [Mark(analysis.tempo, f"{analysis.tempo:.2f}")]
    if analysis.tempo_alternative is not None:
        marks.append(Mark(analysis.tempo_alternative, f"or {analysis.tempo_alternative:.2f}"))
    return Explanation(
        "tempo",
        f"Tempo: {analysis.tempo:.2f} BPM",
        " ".join(sentences),
        numbers,
        lines,
        marks,
        "Tempo [BPM]",
        "Correlation",
        _TEMPO_SOURCE,
    )


def beats(analysis: Analysis) -> Explanation:
    """How the beats lie to the onsets."""
    times = np.asarray(analysis.beats, np.float64)
    if not len(times):
        return Explanation("beats", "Beats: none", _NO_BEAT, source=_BEAT_SOURCE)
    numbers: dict[str, float | str | None] = {
        "beats": len(times),
        "confidence": round(analysis.beat_confidence, 3),
        "first [s]": round(float(times[0]), 3),
    }
    sentences = _by_hand(analysis)
    sentences.append(f"There are {len(times)} beats from {times[0]:.2f} s to {times[-1]:.2f} s.")
    lines: list[Line] = []
    marks: list[Mark] = []
    curve = _curve(analysis, "onsets")
    if curve is None:
        sentences.append("The onsets were not kept with this analysis; analyse the song again to see them.")
    else:
        x, y = curve.axis, np.asarray(curve.values, np.float64).sum(axis=1)
        on, all_ = _peaks(x, y, times), max(float(y.mean()), 1e-9)
        between = _peaks(x, y, 0.5 * (times[:-1] + times[1:]))
        sentences.append(
            f"On the beats onsets are {on / all_:.1f} times as strong as on average, half-way between them "
            f"{between / all_:.1f} times."
        )
        if between > on:
            sentences.append(
                "That speaks against these beats: more notes start between them. Bass drum, snare and chords "
                "outweighed it."
            )
        numbers |= {"onsets on beats / mean": round(on / all_, 2), "onsets between / mean": round(between / all_, 2)}
        begin = max(0.0, min(float(times[len(times) // 3]), float(x[-1]) - _EXCERPT))
        shown = (x >= begin) & (x <= begin + _EXCERPT)
        lines.append(Line("onset strength", x[shown], y[shown]))
        marks = [Mark(float(time), "") for time in times[(times >= begin) & (times <= begin + _EXCERPT)]]
    sentences.append(
        "Each beat is put on the attack of the notes; where the tempo is steady, a line through all attacks carries it "
        "through breaks."
    )
    sentences.append(_verdict(analysis.beat_confidence, "the beats"))
    return Explanation(
        "beats",
        f"Beats: {len(times)}",
        " ".join(sentences),
        numbers,
        lines,
        marks,
        "Time [s]",
        "Onset strength",
        _BEAT_SOURCE,
    )


def downbeats(analysis: Analysis) -> Explanation:
    """What speaks for these first beats of bars, and for the metre."""
    firsts = np.asarray(analysis.downbeats, np.float64)
    if not len(firsts):
        return Explanation("downbeats", "Downbeats: none", _NO_BEAT, source=_DOWNBEAT_SOURCE)
    bar = analysis.beats_per_bar
    numbers: dict[str, float | str | None] = {
        "beats per bar": bar,
        "confidence": round(analysis.downbeat_confidence, 3),
        "confidence of the metre": round(analysis.metre_confidence, 3),
    }
    sentences = _by_hand(analysis)
    sentences.append(
        f"Bars have {bar} beats ({_percent(analysis.metre_confidence)} sure), and {len(firsts)} of them begin."
    )
    lines: list[Line] = []
    curve = _curve(analysis, "downbeats.evidence")
    if curve is None:
        sentences.append("The evidence was not kept with this analysis; analyse the song again to see it.")
    else:
        x, y = curve.axis, _column(curve)
        place = _place_in_bar(x, firsts)
        means = [float(y[place == n].mean()) if (place == n).any() else 0.0 for n in range(bar)]
        rival = int(np.argmax(means[1:])) + 1
        sentences.append(
            "Changes of chord and of sound, the strength of bass drum and bass, and the reading of the whole song were "
            f"added up on each beat: {means[0]:+.2f} standard deviations on the first beats, {means[rival]:+.2f} on "
            f"beat {rival + 1}, the best of the others."
        )
        numbers |= {f"evidence on beat {n + 1}": round(mean, 3) for n, mean in enumerate(means)}
        slips = int(np.count_nonzero(np.diff(np.flatnonzero(place == 0)) != bar))
        if slips:
            sentences.append(f"The count is not kept throughout: {slips} bar(s) are longer or shorter.")
        lines.append(Line("evidence", x, y, "bars"))
    sentences.append(_verdict(analysis.downbeat_confidence, "the downbeats"))
    return Explanation(
        "downbeats",
        f"Downbeats: {len(firsts)} bars of {bar}",
        " ".join(sentences),
        numbers,
        lines,
        [Mark(float(time), "") for time in firsts],
        "Time [s]",
        "Evidence [standard deviations]",
        _DOWNBEAT_SOURCE,
    )


def grid(analysis: Analysis) -> Explanation:
    """Why the beats lie on one line, on several, or on none."""
    times = np.asarray(analysis.beats, np.float64)
    if analysis.grid_kind == "none" or not len(times):
        return Explanation("grid", "Grid: none", _NO_BEAT, source=_GRID_SOURCE)
    numbers: dict[str, float | str | None] = {"kind": analysis.grid_kind, "segments": len(analysis.grid)}
    sentences = _by_hand(analysis)
    curve = _curve(analysis, "tempo.curve")
    local = _column(curve) if curve is not None else np.zeros(0)
    if analysis.grid_kind == "constant" and analysis.grid:
        only = analysis.grid[0]
        sentences.append(
            f"One tempo, {only.tempo:.2f} BPM from {max(only.start, 0.0):.3f} s on, explains the onsets of the whole "
            "song: in no lasting stretch do they fit another tempo, or the same one displaced."
        )
        numbers["tempo [BPM]"] = round(only.tempo, 4)
    elif analysis.grid_kind == "piecewise":
        sentences.append(f"No single tempo fits. {len(analysis.grid)} stretches have one each:")
        longest = sorted(analysis.grid, key=lambda segment: -segment.beats)[:6]
        stretches = sorted(longest, key=lambda segment: segment.start)
        listed = [f"{s.tempo:.2f} BPM from {max(s.start, 0.0):.1f} s for {s.beats} beats" for s in stretches]
        sentences.append("; ".join(listed) + (", and shorter ones." if len(analysis.grid) > len(stretches) else "."))
        sentences.append("The attacks lie within 11 ms of these lines, root mean square; one line for two would not.")
        for number, segment in enumerate(analysis.grid[:12], 1):
            numbers[f"tempo {number} [BPM]"] = round(segment.tempo, 4)
    else:
        sentences.append(
            "The tempo breathes: less than half of the song lies on straight stretches of 16 s, so each beat has its "
            "own place."
        )
        if len(local):
            low, high = (float(value) for value in np.percentile(local, [5, 95]))
            sentences.append(f"It moves between {low:.1f} and {high:.1f} BPM (nine beats of ten).")
            numbers |= {"tempo, 5th percentile [BPM]": round(low, 2), "tempo, 95th percentile [BPM]": round(high, 2)}
        sentences.append("Do not beat-match it by its tempo; follow the beats.")
    lines = []
    if curve is not None:
        lines.append(Line("tempo", curve.axis, local, "steps" if analysis.grid else "line"))
    else:
        sentences.append("The tempo curve was not kept with this analysis; analyse the song again to see it.")
    marks = [Mark(segment.start, f"{segment.tempo:.2f}") for segment in analysis.grid]
    return Explanation(
        "grid",
        f"Grid: {analysis.grid_kind}",
        " ".join(sentences),
        numbers,
        lines,
        marks,
        "Time [s]",
        "Tempo [BPM]",
        _GRID_SOURCE,
    )


def swing(analysis: Analysis) -> Explanation:
    """Where the off-beat notes fall."""
    if analysis.tempo is None:
        return Explanation("swing", "Swing: none", _NO_BEAT, source=_SWING_SOURCE)
    if analysis.swing is None:
        text = "Nothing plays between the beats, or it plays nowhere in particular: there is no swing to measure."
        return Explanation("swing", "Swing: none", text, source=_SWING_SOURCE)
    value = analysis.swing
    sentences = [
        f"The off-beat note falls {_percent(value)} of the way from one note on the beat to the next: 50 % is "
        "straight, 67 % are triplets."
    ]
    numbers: dict[str, float | str | None] = {
        "swing": round(value, 3),
        "confidence": round(analysis.swing_confidence, 3),
        "ratio": round(value / (1 - value), 2),
    }
    lines: list[Line] = []
    curve = _curve(analysis, "swing.profile")
    if curve is None:
        sentences.append("The profile was not kept with this analysis; analyse the song again to see it.")
    else:
        table = np.asarray(curve.values, np.float64)
        lines = [Line(name, curve.axis, table[:, column]) for column, name in enumerate(curve.names)]
        heights = {name: float(table[:, column].max()) for column, name in enumerate(curve.names)}
        measured = min(
            heights, key=lambda name: abs(curve.axis[int(table[:, curve.names.index(name)].argmax())] - value)
        )
        sentences.append(
            f"It was read from the {measured}, whose off-beat onsets reach {_percent(heights[measured])} of those on "
            "the beat."
        )
        numbers |= {f"height of the {name}": round(height, 3) for name, height in heights.items()}
    if abs(value - 0.5) < 0.02:
        sentences.append("That is straight: deviations under 2 % cannot be told from the attack of the sounds.")
    sentences.append(_verdict(analysis.swing_confidence, "the swing"))
    return Explanation(
        "swing",
        f"Swing: {_percent(value)}",
        " ".join(sentences),
        numbers,
        lines,
        [Mark(value, _percent(value))],
        "Place between two notes on the beat",
        "Onset strength (on the beat = 1)",
        _SWING_SOURCE,
    )


def _by_hand(analysis: Analysis) -> list[str]:
    if "grid" in analysis.corrected:
        return ["The grid was set by hand; what follows about the sound is what the analysis heard."]
    return []


def _exactness(analysis: Analysis) -> str:
    if analysis.grid_kind == "constant":
        return "The whole song keeps it, which makes it exact to about 0.01 BPM."
    if analysis.grid_kind == "piecewise":
        longest = max(analysis.grid, key=lambda segment: segment.beats / segment.tempo)
        if analysis.tempo is not None and abs(longest.tempo / analysis.tempo - 1) < 1e-4:
            return f"It is the tempo of the longest of {len(analysis.grid)} stretches; the others differ."
        return f"The tempo drifts in {len(analysis.grid)} stretches, none of them long; this is its middle value."
    return "The tempo breathes; this is its middle value over eight beats."


def _verdict(confidence: float, what: str) -> str:
    if confidence >= _SURE:
        return f"Confidence in {what}: {_percent(confidence)}."
    if confidence >= _DOUBTFUL:
        return f"Confidence in {what}: {_percent(confidence)}, so there is a fair chance that another reading is right."
    return f"Confidence in {what}: {_percent(confidence)}; check by ear before you rely on it."


def _curve(analysis: Analysis, name: str) -> Curve | None:
    if name not in analysis.curves:
        return None
    curve = analysis.curves[name]
    return curve if len(curve) else None


def _column(curve: Curve) -> NDArray[np.float64]:
    values = np.asarray(curve.values, np.float64)
    return values if values.ndim == 1 else values[:, 0]


def _at(x: NDArray[np.float64], y: NDArray[np.float64], place: float) -> float:
    near = np.abs(x / place - 1) < 0.015
    return float(y[near].max()) if near.any() else 0.0


def _runner_up(x: NDArray[np.float64], y: NDArray[np.float64], own: float) -> tuple[float | None, float]:
    """The highest peak that is no octave of a tempo."""
    octaves = np.log2(x / own)
    inner = np.zeros(len(x), bool)
    inner[1:-1] = (y[1:-1] >= y[:-2]) & (y[1:-1] > y[2:])
    peaks = np.flatnonzero(inner & (np.abs(octaves - np.round(octaves)) > 0.06) & (y > 0))
    if not len(peaks):
        return None, 0.0
    best = int(peaks[y[peaks].argmax()])
    return float(x[best]), float(y[best])


def _peaks(x: NDArray[np.float64], y: NDArray[np.float64], times: NDArray[np.float64]) -> float:
    """Mean of the highest values near times."""
    if not len(times):
        return 0.0
    steps = np.arange(-_NEAR / 2, _NEAR / 2 + 1e-9, _NEAR / 4)
    around = np.interp((times[:, None] + steps).ravel(), x, y).reshape(len(times), -1)
    return float(around.max(axis=1).mean())


def _place_in_bar(times: NDArray[np.float64], firsts: NDArray[np.float64]) -> NDArray[np.intp]:
    """For each beat, how many came since the last first beat; before the first of them, -1."""
    begins = np.searchsorted(times, firsts - 1e-3)
    index = np.arange(len(times))
    last = np.searchsorted(begins, index, "right") - 1
    place = np.where(last >= 0, index - begins[np.maximum(last, 0)], -1)
    return place.astype(np.intp)


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
