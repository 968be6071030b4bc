"""Why the song is cut into these sections, and why its cues and loops lie where they do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.cues import find_cues
from sfa_kernel.analysis.explain.model import Explanation, Line, Mark, clock

if TYPE_CHECKING:
    from sfa_kernel.analysis.model import Analysis

__all__ = ["cues", "loops", "sections"]

_SEGMENTATION = (
    "Sargent, Bimbot & Vincent: Estimating the Structural Segmentation of Popular Music Pieces under Regularity "
    "Constraints, 2017; Vande Veire & De Bie: From Raw Audio to a Seamless Mix, 2018"
)


def sections(analysis: Analysis) -> Explanation:
    """Where sections begin, what they are called, and why."""
    parts = analysis.sections
    if not parts:
        return Explanation("sections", "Sections: none", "Nothing sounds, so there are no sections.")
    lines, sentences = _form_curves(analysis)
    if "sections" in analysis.corrected:
        sentences.insert(0, "A person has set these sections by hand.")
    else:
        sentences.insert(
            0,
            f"{len(parts)} sections: a new one begins where one bar, a pattern of 4 or 8 bars that repeats, or a riser "
            "no longer describes what follows; whole phrases are preferred.",
        )
    groups = Counter(part.group for part in parts if part.group)
    repeated = [f"{letter} ({count} times)" for letter, count in sorted(groups.items()) if count > 1]
    if repeated:
        sentences.append(f"Parts that return, by chords and texture: {', '.join(repeated)}.")
    for part in parts:
        if part.reason:
            sentences.append(f"{clock(part.start)} {part.label} {part.group}: {part.reason}")
    weakest = min(parts, key=lambda part: part.confidence)
    if "sections" not in analysis.corrected:
        sentences.append(
            f"The least sure is the {weakest.label} at {clock(weakest.start)} ({weakest.confidence:.0%}): another "
            "label fits nearly as well."
            if weakest.confidence < 0.8
            else f"No label is in doubt: the least sure is the {weakest.label} at {clock(weakest.start)} "
            f"({weakest.confidence:.0%})."
        )
    numbers: dict[str, float | str | None] = {"sections": float(len(parts)), "drops": float(len(analysis.drops))}
    for part in parts:
        numbers[f"{clock(part.start)} {part.label}, confidence"] = round(part.confidence, 3)
    return Explanation(
        "sections",
        f"Sections: {', '.join(f'{part.label} {part.group}'.strip() for part in parts)}",
        " ".join(sentences),
        numbers,
        lines,
        [Mark(part.start, part.label) for part in parts],
        "Time [s]",
        "Level under the loud bars [dB]",
        _SEGMENTATION,
    )


def cues(analysis: Analysis) -> Explanation:
    """Where the automatic cues lie without stems, and why."""
    found = find_cues(analysis)
    if not found:
        text = "Cues lie on the beat grid, and this song has no beats."
        return Explanation("cues", "Cues: none", text, {"cues": 0.0})
    lines, _ = _form_curves(analysis)
    text = " ".join(
        [
            f"{len(found)} cues follow from the sections, each on the nearest downbeat; at most eight are kept, the "
            "first of each kind before a second. Where stems have been separated, drums and voice move or add some.",
            *(f"{clock(cue.time)} {cue.label} ({cue.confidence:.0%}): {cue.reason}" for cue in found),
        ]
    )
    numbers: dict[str, float | str | None] = {
        f"{clock(cue.time)} {cue.label}, confidence": round(cue.confidence, 3) for cue in found
    }
    marks = [Mark(cue.time, cue.label) for cue in found]
    title = f"Cues: {', '.join(cue.label for cue in found)}"
    return Explanation(
        "cues", title, text, numbers, lines, marks, "Time [s]", "Level under the loud bars [dB]", _SEGMENTATION
    )


def loops(analysis: Analysis) -> Explanation:
    """Which stretches loop without an audible seam, and how that was judged."""
    found = analysis.loops
    if not found:
        text = (
            "Loops are whole bars, and this song has too few."
            if len(analysis.downbeats) < 5
            else "No 4, 8 or 16 bars lead back into their beginning well enough."
        )
        return Explanation("loops", "Loops: none", text, {"loops": 0.0})
    best = found[0]
    text = " ".join(
        [
            f"{len(found)} loops of 4, 8 and 16 bars were kept, at most four of a length and none of a length over "
            "another. A loop's score is how close the step from its last bar to its first comes to steps the song "
            "makes itself, less where the level wanders, where it begins within a phrase, or where it reaches into the "
            "next section.",
            f"The best: {best.bars} bars from {clock(best.start)}, score {best.score:.2f}. {best.reason}",
        ]
    )
    numbers: dict[str, float | str | None] = {
        f"{loop.bars} bars from {clock(loop.start)}, score": round(loop.score, 3) for loop in found
    }
    lines = [
        Line(
            f"{bars} bars",
            np.array([loop.start for loop in chosen]),
            np.array([loop.score for loop in chosen]),
            "bars",
        )
        for bars in (4, 8, 16)
        if (chosen := sorted((loop for loop in found if loop.bars == bars), key=lambda loop: loop.start))
    ]
    marks = [Mark(best.start, f"best: {best.bars} bars")]
    title = f"Loops: {len(found)}, the best {best.bars} bars from {clock(best.start)}"
    return Explanation("loops", title, text, numbers, lines, marks, "Time [s]", "Score (0..1)")


def _form_curves(analysis: Analysis) -> tuple[list[Line], list[str]]:
    """Levels of the registers and the novelty over time, and what to say when they are missing."""
    levels = analysis.curves.get("structure.levels")
    if levels is None:
        return [], ["The levels of the bars were not kept with this analysis, so there is no figure."]
    lines = [
        Line(f"{name} register", levels.axis, levels.values[:, column], "steps")
        for column, name in enumerate(levels.names)
    ]
    novelty = analysis.curves.get("structure.novelty")
    if novelty is not None and len(novelty):
        # on the scale of the levels: no change at their bottom, the greatest of the song at 0 dB
        low = float(np.min(levels.values))
        lines.append(Line("change of sound (scaled)", novelty.axis, low * (1 - np.asarray(novelty.values, float))))
    return lines, []
