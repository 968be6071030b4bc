"""Why the song is as loud, energetic, danceable and bright as the numbers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.energy import DANCEABILITY_WEIGHTS
from sfa_kernel.analysis.explain.model import Explanation, Line, Mark

if TYPE_CHECKING:
    from sfa_kernel.analysis.model import Analysis

__all__ = ["danceability", "energy", "loudness", "timbre", "true_peak"]

_NOT_KEPT = "The curves were not kept with this analysis, so there is no figure."
_R128 = "ITU-R BS.1770-4; EBU Tech 3341 and 3342 (EBU R 128)"
_QUIET = -70.0  # LUFS: what the absolute gate leaves out


def loudness(analysis: Analysis) -> Explanation:
    """What the integrated loudness averages, and how far the song moves around it."""
    if analysis.lufs is None:
        text = "Nothing passes the gate at -70 LUFS, so no loudness can be given."
        return Explanation("loudness", "Loudness: silence", text, source=_R128)
    sentences = [
        f"The song is {analysis.lufs:.1f} LUFS loud: the power of all channels, filtered as the ear hears, in blocks "
        "of 400 ms, without blocks under -70 LUFS and then without those 10 LU under the mean of the others.",
    ]
    if analysis.momentary_max is not None:
        sentences.append(
            f"Its loudest 400 ms reach {analysis.momentary_max:.1f} LUFS"
            + (f", its loudest 3 s {analysis.short_term_max:.1f} LUFS." if analysis.short_term_max is not None else ".")
        )
    if analysis.lra is None:
        sentences.append("For a loudness range it is too short: that takes 3 s.")
    else:
        sentences.append(
            f"Its loudness range is {analysis.lra:.1f} LU: from the level that nine tenths of its 3 s blocks exceed to "
            "the level that one in twenty exceeds."
        )
    sentences.append(
        f"Beside a song of -14 LUFS, as streaming services play them, it sounds {_difference(analysis.lufs + 14)}."
    )
    lines = [
        Line(label, curve.axis, np.maximum(np.asarray(curve.values, float), _QUIET))
        for name, label in (("loudness.momentary", "momentary (400 ms)"), ("loudness.short_term", "short-term (3 s)"))
        if (curve := analysis.curves.get(name)) is not None
    ]
    if lines:
        ends = np.array([0.0, analysis.duration])
        lines.append(Line("integrated", ends, np.full(2, analysis.lufs)))
        loudest = lines[0].x[int(np.argmax(lines[0].y))]
        marks = [Mark(float(loudest), "loudest 400 ms")]
    else:
        sentences.append(_NOT_KEPT)
        marks = []
    numbers: dict[str, float | str | None] = {
        "integrated [LUFS]": analysis.lufs,
        "range [LU]": analysis.lra,
        "momentary maximum [LUFS]": analysis.momentary_max,
        "short-term maximum [LUFS]": analysis.short_term_max,
        "RMS [dBFS]": analysis.rms,
    }
    title = f"Loudness: {analysis.lufs:.1f} LUFS"
    return Explanation("loudness", title, " ".join(sentences), numbers, lines, marks, "Time [s]", "LUFS", _R128)


def true_peak(analysis: Analysis) -> Explanation:
    """How near full scale the sound comes, also between its samples."""
    peak = analysis.true_peak
    if peak is None:
        return Explanation("true_peak", "True peak: silence", "Nothing sounds, so there is no peak.", source=_R128)
    sentences = [
        f"Between the samples the sound reaches {peak:.1f} dBTP: each channel is looked at with four times its rate "
        "(twice from 80 kHz on), because a converter or an MP3 encoder draws the curve through the samples, not the "
        "samples."
    ]
    if peak > 0:
        sentences.append(f"That is over full scale: it clips unless it is turned down by {peak:.1f} dB.")
    elif peak > -1:
        sentences.append("EBU R 128 asks for -1 dBTP at most: lossy encoding may clip the loudest moments.")
    else:
        sentences.append(f"It could be turned up by {-1 - peak:.1f} dB before it exceeds the -1 dBTP of EBU R 128.")
    numbers: dict[str, float | str | None] = {
        "true peak [dBTP]": peak,
        "crest [dB]": analysis.crest,
        "RMS [dBFS]": analysis.rms,
    }
    if analysis.crest is not None and analysis.rms is not None:
        sentences.append(
            f"The highest sample lies {analysis.crest:.1f} dB over the root mean square of {analysis.rms:.1f} dBFS: "
            f"{_crest_in_words(analysis.crest)}."
        )
    if analysis.lufs is not None:
        numbers["peak to loudness [LU]"] = round(peak - analysis.lufs, 2)
    curve = analysis.curves.get("rms")
    lines = []
    if curve is None or not len(curve):
        sentences.append(_NOT_KEPT)
    else:
        lines = [
            Line("RMS", curve.axis, np.maximum(np.asarray(curve.values, float), _QUIET)),
            Line("true peak", np.array([0.0, analysis.duration]), np.full(2, peak)),
        ]
    title = f"True peak: {peak:.1f} dBTP"
    return Explanation("true_peak", title, " ".join(sentences), numbers, lines, [], "Time [s]", "dBFS", _R128)


def energy(analysis: Analysis) -> Explanation:
    """What adds to and takes from the energy."""
    if analysis.lufs is None:
        return Explanation("energy", "Energy: 1 of 10", "Nothing sounds, so the energy is the least.", {"energy": 1.0})
    sentences = [
        f"The energy is {analysis.energy} of 10. It is a sum of what listeners hear as energy in dance music, and has "
        "no standard: it ranks songs, it does not measure them."
    ]
    parts = _parts(analysis, "energy.parts")
    if parts:
        sentences.append(
            f"It starts from {parts.pop('middle', 0.0):.1f}, an ordinary song, to which come "
            + ", ".join(f"{name} {part:+.1f}" for name, part in parts.items())
            + "."
        )
        largest = max(parts, key=lambda name: abs(parts[name]))
        sentences.append(f"What sets it apart most is its {largest}.")
    sentences.append("The curve is momentary loudness: 1 is the song's own loudest, 0 lies 30 dB below.")
    curve = analysis.curves.get("energy")
    x = curve.axis if curve is not None else np.arange(len(analysis.energy_curve)) / (analysis.energy_rate or 1.0)
    y = curve.values if curve is not None else analysis.energy_curve
    numbers: dict[str, float | str | None] = {
        "energy": float(analysis.energy),
        **{f"from {name}": round(part, 2) for name, part in parts.items()},
    }
    return Explanation(
        "energy",
        f"Energy: {analysis.energy} of 10",
        " ".join(sentences),
        numbers,
        [Line("energy", x, np.asarray(y, float))] if len(x) else [],
        [Mark(drop, "drop") for drop in analysis.drops],
        "Time [s]",
        "Energy (0..1)",
    )


def danceability(analysis: Analysis) -> Explanation:
    """What of its beat carries a dance, and what does not."""
    source = (
        "Lartillot et al., Multi-feature modeling of pulse clarity, 2008; Tzanetakis, Essl & Cook, Human perception "
        "and computer extraction of musical beat strength, 2002; Moelants, Preferred tempo reconsidered, 2002"
    )
    if analysis.danceability is None:
        text = "Without a beat nothing can be said about dancing to it."
        return Explanation("danceability", "Danceability: no beat", text, source=source)
    parts = _parts(analysis, "danceability.parts")
    sentences = [
        f"The danceability is {analysis.danceability:.2f}: the mean, weighted by "
        + ", ".join(f"{weight:.2f} for {name}" for name, weight in DANCEABILITY_WEIGHTS.items())
        + ". The weights are our own and were not fitted to dancers' judgements."
    ]
    if parts:
        said = {
            "pulse clarity": "the onsets repeat after one beat",
            "low beats": "kick and bass fall on the beats more than by chance",
            "tempo": "the tempo is near where people prefer to move (95 to 135 BPM)",
            "regularity": "the beats keep their distance",
        }
        sentences.append(
            "From 0 (not at all) to 1: "
            + "; ".join(f"{said.get(name, name)}: {value:.2f}" for name, value in parts.items())
            + "."
        )
        costly = min(parts, key=lambda name: DANCEABILITY_WEIGHTS.get(name, 0.0) * (parts[name] - 1))
        sentences.append(f"It loses most by its {costly}.")
    else:
        sentences.append("The parts were not kept with this analysis, so there is no figure.")
    numbers: dict[str, float | str | None] = {"danceability": round(analysis.danceability, 3)}
    numbers.update({name: round(value, 3) for name, value in parts.items()})
    lines = []
    marks = []
    if parts:
        values = np.array(list(parts.values()))
        lines = [Line(f"parts: {', '.join(parts)}", np.arange(1.0, len(values) + 1), values, "bars")]
        marks = [Mark(float(place), name) for place, name in enumerate(parts, 1)]
    title = f"Danceability: {analysis.danceability:.2f}"
    return Explanation("danceability", title, " ".join(sentences), numbers, lines, marks, "Part", "0..1", source)


def timbre(analysis: Analysis) -> Explanation:
    """How bright, noisy and wide the sound is."""
    source = "Definitions as in librosa; spectral contrast: Jiang et al., 2002; MFCC: Davis & Mermelstein, 1980"
    means = analysis.timbre
    if not means:
        return Explanation("timbre", "Timbre: silence", "Nothing sounds long enough to have a timbre.", source=source)
    centroid = means.get("centroid", 0.0)
    text = (
        f"The middle of the spectrum lies at {centroid:.0f} Hz on average, {_brightness_in_words(centroid)}; around it "
        f"the sound spreads by {means.get('bandwidth', 0.0):.0f} Hz, and 85 % of it lies below "
        f"{means.get('rolloff', 0.0):.0f} Hz. Its flatness is {means.get('flatness', 0.0):.3f} (0 for a tone, 1 for "
        f"white noise), and {means.get('zero_crossing_rate', 0.0):.1%} of its samples change sign. These are means "
        "over the parts that sound, in mono at 22.05 kHz, so nothing above 11 kHz counts. The first MFCC follows the "
        "level; the others describe the shape of the spectrum, from coarse to fine."
    )
    lines = [
        Line(label, curve.axis, np.asarray(curve.values, float))
        for name, label in (("centroid", "centroid"), ("bandwidth", "bandwidth"), ("rolloff", "rolloff (85 %)"))
        if (curve := analysis.curves.get(name)) is not None and len(curve)
    ]
    units = {"centroid": " [Hz]", "bandwidth": " [Hz]", "rolloff": " [Hz]"}
    numbers: dict[str, float | str | None] = {
        f"{name}{units.get(name, ' [dB]' if name.startswith('contrast') else '')}": round(value, 4)
        for name, value in means.items()
    }
    title = f"Timbre: centred at {centroid:.0f} Hz"
    return Explanation(
        "timbre", title, text if lines else f"{text} {_NOT_KEPT}", numbers, lines, [], "Time [s]", "Hz", source
    )


def _parts(analysis: Analysis, name: str) -> dict[str, float]:
    """The parts of a number by name; none where they were not kept."""
    curve = analysis.curves.get(name)
    if curve is None or not len(curve):
        return {}
    return dict(zip(curve.names, np.asarray(curve.values, float)[0].tolist(), strict=True))


def _difference(decibel: float) -> str:
    if abs(decibel) < 0.5:
        return "just as loud"
    return f"{abs(decibel):.1f} dB {'louder' if decibel > 0 else 'softer'}"


def _crest_in_words(crest: float) -> str:
    if crest < 9:
        return "little, as after much limiting"
    return "as usual for music that was mastered loud" if crest < 14 else "much, so the attacks were left alone"


def _brightness_in_words(hertz: float) -> str:
    if hertz < 1000:
        return "which is dark"
    return "which is usual for a full mix" if hertz < 2500 else "which is bright"
