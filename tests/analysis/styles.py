"""A collection of songs for the scores: several styles, each song drawn from its seed.

Tempi are fractional, tunings and swing are off the grid, some songs drift, change tempo or modulate; the sounds,
the forms and the order of the chords differ from song to song.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.analysis.songs import NAMES, make_song

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.analysis.songs import Song

__all__ = ["STYLES", "Style", "song_of"]

Form = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Style:
    """A style: the range of its tempi, its groove, and what else its songs have."""

    tempo: tuple[float, float]
    groove: str
    form: Callable[[np.random.Generator], Form]
    mode: str = "minor"
    swing: tuple[float, float] = (0.5, 0.5)
    drift: float = 0.0
    detuned: float = 12.0  # cents at most, either way
    contrast: bool = False  # verse and chorus have chords of their own


def _club(rng: np.random.Generator) -> Form:
    intro, verse, build, drop = (int(rng.choice(lengths)) for lengths in ((4, 8), (8, 16), (4, 8), (8, 16)))
    middle: Form = (("break", int(rng.choice((4, 8)))), ("build", build), ("drop", drop))
    head: Form = (("intro", intro), ("verse", verse), ("build", build), ("drop", drop))
    return (*head, *middle, ("outro", intro))


def _pop(rng: np.random.Generator) -> Form:
    verse, chorus = int(rng.choice((8, 8, 12))), 8
    end: Form = (("bridge", 4), ("chorus", chorus)) if rng.random() < 0.5 else (("chorus", chorus),)
    head: Form = (("intro", 4), ("verse", verse), ("chorus", chorus), ("verse", verse), ("chorus", chorus))
    return (*head, *end, ("outro", 4))


STYLES: dict[str, Style] = {
    "house": Style((119.0, 129.0), "house", _club),
    "techno": Style((128.0, 145.0), "techno", _club),
    "trance": Style((134.0, 142.0), "house", _club, detuned=0.0),
    "drum and bass": Style((170.0, 178.0), "dnb", _club),
    "hip hop": Style((82.0, 98.0), "hiphop", _pop, swing=(0.54, 0.62)),
    "pop": Style((96.0, 128.0), "pop", _pop, mode="major", drift=0.012, contrast=True),
    "waltz": Style((96.0, 150.0), "waltz", _pop, mode="major"),
    "detuned": Style((100.0, 132.0), "pop", _pop, detuned=45.0, contrast=True),
}


def song_of(name: str, seed: int, **changes: Any) -> Song:
    """The song of a style with this seed.

    Parameters
    ----------
    name
        Of the style.
    seed
        Draws everything.
    **changes
        Arguments of `make_song` in the place of the drawn ones.
    """
    style = STYLES[name]
    rng = np.random.default_rng([seed, *name.encode()])
    verse, chorus = ((0, 3, 5, 4), (5, 3, 0, 4)) if style.mode == "major" else ((0, 5, 3, 6), (3, 6, 0, 0))
    arguments: dict[str, Any] = {
        "tempo": round(float(rng.uniform(*style.tempo)), 2),
        "form": style.form(rng),
        "groove": style.groove,
        "tonic": NAMES[int(rng.integers(12))],
        "mode": style.mode,
        "tuning_cents": float(rng.uniform(-style.detuned, style.detuned)),
        "swing": float(rng.uniform(*style.swing)),
        "drift": style.drift,
        "lead_in": float(rng.uniform(0.0, 1.5)),
        "progressions": {"verse": verse, "chorus": chorus} if style.contrast else None,
        "seed": seed,
        "varied": True,
    }
    return make_song(**(arguments | changes))
