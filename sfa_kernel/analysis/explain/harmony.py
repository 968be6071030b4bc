"""Why the key, the tuning and the chords are what they are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.chords import CHORDS
from sfa_kernel.analysis.explain.model import Explanation, Line, Mark, clock
from sfa_kernel.analysis.key import KEYS, WITNESSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sfa_kernel.analysis.model import Analysis, Chord

__all__ = ["chords", "key", "tuning"]

_KEY_SOURCE = (
    "Krumhansl, Cognitive Foundations of Musical Pitch, 1990; Faraldo, Gomez, Jorda & Herrera, Key Estimation in "
    "Electronic Dance Music, 2016"
)
_CHORD_SOURCE = (
    "Bello & Pickens, A Robust Mid-level Representation for Harmonic Content in Music Signals, 2005; Mauch & Dixon, "
    "Simultaneous Estimation of Chords and Musical Context from Audio, 2010"
)
_TUNING_SOURCE = "Gomez, Tonal Description of Polyphonic Audio for Music Content Processing, 2006"
_DOUBTFUL = 0.6
_SHOWN = 0.03  # share of the song from which on a chord is named


def key(analysis: Analysis) -> Explanation:
    """Which keys were weighed, and what decided between them."""
    if analysis.key is None:
        text = "Nothing in the song has a key: it is silent, too short, or drums and noise that share no tuning."
        return Explanation("key", "Key: none", text, source=_KEY_SOURCE)
    title = f"Key: {analysis.key} ({analysis.camelot}, Open Key {analysis.open_key})"
    numbers: dict[str, float | str | None] = {
        "confidence": round(analysis.key_confidence, 3),
        "alternative": analysis.key_alternative,
    }
    sentences = []
    if "key" in analysis.corrected:
        sentences.append(f"{analysis.key} was set by hand; what follows is what the analysis heard.")
    lines: list[Line] = []
    marks: list[Mark] = []
    likely = _values(analysis, "key.scores")
    if likely is None:
        sentences.append("The scores of the keys were not kept with this analysis; analyse the song again to see them.")
    elif not likely.any():
        sentences.append("No key fitted what was heard.")
    else:
        best = [int(index) for index in np.argsort(likely)[::-1][:3]]
        ranking = [f"{KEYS[index]} {likely[index]:.2f}" for index in best]
        sentences.append(
            f"Of all 24 keys these are the likeliest: {', '.join(ranking[:-1])} and {ranking[-1]} (all sum to 1)."
        )
        numbers |= {KEYS[index]: round(float(likely[index]), 3) for index in best}
        lines = [Line("probability", np.arange(len(KEYS)), likely, "bars")]
        marks = [Mark(float(index), KEYS[index]) for index in best]
        evidence = _values(analysis, "key.evidence")
        if evidence is not None:
            sentences += _comparison(evidence, best[0], _relative(best[0]))
            if best[1] != _relative(best[0]):
                sentences.append(_runner_up(evidence, best[0], best[1]))
            numbers |= {
                f"{name} of {KEYS[best[0]]}": round(float(value), 3)
                for name, value in zip(WITNESSES, evidence[best[0]], strict=True)
            }
    sentences += _changes(analysis)
    if "key" not in analysis.corrected and analysis.key_confidence < _DOUBTFUL:
        sentences.append(
            f"The confidence is only {analysis.key_confidence:.2f}: listen for yourself, and try "
            f"{analysis.key_alternative or 'its neighbours'} as well."
        )
    return Explanation(
        "key", title, " ".join(sentences), numbers, lines, marks, "key", "probability", source=_KEY_SOURCE
    )


def _comparison(evidence: NDArray[np.float64], best: int, other: int) -> list[str]:
    """What the likeliest key has that its relative lacks."""
    ours, theirs = evidence[best], evidence[other]
    sentences = [
        f"The notes correlate with {KEYS[best]} by {ours[0]:.2f} (within its scale) and {ours[1]:.2f} (all twelve, "
        f"ranked); with its relative {KEYS[other]}, which shares its scale, by {theirs[0]:.2f} and {theirs[1]:.2f}."
    ]
    if ours[2] + theirs[2] > 0:
        sentences.append(
            f"Phrases of four bars begin on the chord {CHORDS[best]} in {ours[2]:.0%} of all cases, on {CHORDS[other]} "
            f"in {theirs[2]:.0%}."
        )
    else:
        sentences.append(f"No phrase begins on {CHORDS[best]} or {CHORDS[other]}, so the notes alone decide.")
    if ours[3] or theirs[3]:
        sentences.append(f"The first chord heard is {CHORDS[best if ours[3] else other]}.")
    if ours[4] + theirs[4] > 0:
        sentences.append(
            f"{ours[4]:.0%} of the changes of chord are a cadence into {CHORDS[best]}, {theirs[4]:.0%} into "
            f"{CHORDS[other]}."
        )
    return sentences


def _runner_up(evidence: NDArray[np.float64], best: int, second: int) -> str:
    """What the second key lacks where it is not the relative."""
    lead = {
        "the notes of its scale": evidence[best, 0] - evidence[second, 0],
        "the order of all twelve notes": evidence[best, 1] - evidence[second, 1],
        "the chords that phrases begin on": evidence[best, 2] - evidence[second, 2],
        "the first chord": evidence[best, 3] - evidence[second, 3],
        "the cadences": evidence[best, 4] - evidence[second, 4],
    }
    speaks_for = [f"{name} ({-ahead:.2f})" for name, ahead in lead.items() if ahead < -0.005]
    speaks_against = [f"{name} ({ahead:.2f})" for name, ahead in lead.items() if ahead > 0.005]
    return (
        f"{KEYS[second]}, the next, is ahead in {', '.join(speaks_for) or 'nothing'} and behind in "
        f"{', '.join(speaks_against) or 'nothing'}."
    )


def _changes(analysis: Analysis) -> list[str]:
    if len(analysis.keys) < 2:
        return []
    spans = [
        f"{span.key} from {clock(span.start)} to {clock(span.end)} (confidence {span.confidence:.2f})"
        for span in analysis.keys
    ]
    return [f"The key changes: {', '.join(spans)}. The song is named after the key that holds longest."]


def _relative(index: int) -> int:
    return 12 + (index + 9) % 12 if index < 12 else (index + 3) % 12


def tuning(analysis: Analysis) -> Explanation:
    """How far from A4 = 440 Hz the song is, and how well its notes agree on that."""
    if analysis.key is None:
        text = "Nothing in the song has a pitch that could be in or out of tune."
        return Explanation("tuning", "Tuning: unknown", text, source=_TUNING_SOURCE)
    cents = analysis.tuning_cents
    hertz = 440 * 2 ** (cents / 1200)
    numbers: dict[str, float | str | None] = {"tuning [cents]": round(cents, 1), "A4 [Hz]": round(hertz, 2)}
    sentences = [f"The notes lie {abs(cents):.1f} cents {'above' if cents >= 0 else 'below'} A4 = 440 Hz on average."]
    lines: list[Line] = []
    deviations = analysis.curves.get("tuning.deviations")
    if deviations is None:
        sentences.append("The single deviations were not kept with this analysis.")
    else:
        shares = np.asarray(deviations.values, np.float64)
        places = deviations.axis
        clarity = float(abs(np.sum(shares * np.exp(2j * np.pi * places / 100)))) / max(float(shares.sum()), 1e-12)
        numbers["agreement"] = round(clarity, 3)
        sentences.append(
            f"That is the circular mean over all spectral peaks above 200 Hz; they agree to {clarity:.2f}, where 1 is "
            "all on one tuning, and drums and noise stay below 0.2."
        )
        if clarity < 0.35:
            sentences.append("That is little: glides, vibrato or noise blur it, so take the number as a hint.")
        lines = [Line("share of the sound", places, shares)]
    if abs(cents) > 40:
        sentences.append("Near half a semitone the next key up or down is as good a name for what sounds.")
    return Explanation(
        "tuning",
        f"Tuning: {cents:+.0f} cents (A4 = {hertz:.1f} Hz)",
        " ".join(sentences),
        numbers,
        lines,
        [Mark(cents, f"{cents:+.0f} cents")],
        "deviation from the nearest semitone [cents]",
        "share of the sound",
        source=_TUNING_SOURCE,
    )


def chords(analysis: Analysis) -> Explanation:
    """Which chords sound how long, and in which order they return."""
    lane = analysis.chords
    sounding = [chord for chord in lane if chord.label != "N"]
    if not sounding:
        text = "No major or minor triad stands out of what sounds."
        return Explanation("chords", "Chords: none", text, source=_CHORD_SOURCE)
    total = lane[-1].end - lane[0].start
    seconds: Counter[str] = Counter()
    for chord in lane:
        seconds[chord.label] += chord.end - chord.start  # type: ignore[assignment] # the stubs count in whole numbers
    shares = {label: amount / total for label, amount in seconds.items()}
    named = [label for label, _ in seconds.most_common() if label != "N" and shares[label] >= _SHOWN]
    certainty = sum(chord.confidence * (chord.end - chord.start) for chord in sounding) / sum(
        chord.end - chord.start for chord in sounding
    )
    grid = "on the beats" if len(analysis.beats) >= 4 else "every half second, as there is no beat"
    sentences = [
        f"Major and minor triads were matched with what sounds, {grid}; a path through them changes most easily where "
        "a bar begins.",
        f"Most time is taken by {', '.join(f'{label} ({shares[label]:.0%})' for label in named[:5])}.",
    ]
    if shares.get("N", 0.0) >= _SHOWN:
        sentences.append(f"During {shares['N']:.0%} of the song no chord stands out (N).")
    sentences += _returning(sounding) + _beginnings(analysis)
    sentences.append(
        f"The mean confidence is {certainty:.2f}. Sevenths, suspensions and diminished chords get the triad nearest to "
        "them."
    )
    order = np.arange(len(CHORDS))
    return Explanation(
        "chords",
        f"Chords: {len(named)} in use, {len(lane)} spans",
        " ".join(sentences),
        {"confidence": round(certainty, 3), **{f"share of {label}": round(shares[label], 3) for label in named}},
        [Line("share of the song", order, np.array([shares.get(label, 0.0) for label in CHORDS]), "bars")],
        [Mark(float(CHORDS.index(label)), label) for label in named],
        "chord",
        "share of the song",
        source=_CHORD_SOURCE,
    )


def _returning(sounding: list[Chord]) -> list[str]:
    """The succession of four chords that comes most often."""
    labels = [chord.label for chord in sounding]
    fours = Counter(tuple(labels[first : first + 4]) for first in range(len(labels) - 3))
    if not fours:
        return []
    four, times = fours.most_common(1)[0]
    return [f"The succession {' '.join(four)} comes {times} times."] if times > 1 else []


def _beginnings(analysis: Analysis) -> list[str]:
    """The chord on which most sections begin."""
    starts = np.array([chord.start for chord in analysis.chords])
    found: Counter[str] = Counter()
    for section in analysis.sections:
        # a section and a chord that begin on the same beat may differ by rounding
        index = int(np.searchsorted(starts, section.start + 0.05, side="right")) - 1
        if index >= 0 and analysis.chords[index].label != "N":
            found[analysis.chords[index].label] += 1
    if found.total() < 2:
        return []
    label, times = found.most_common(1)[0]
    return [f"{times} of the {found.total()} sections that begin with a chord begin on {label}."]


def _values(analysis: Analysis, name: str) -> NDArray[np.float64] | None:
    curve = analysis.curves.get(name)
    return None if curve is None else np.asarray(curve.values, np.float64)
