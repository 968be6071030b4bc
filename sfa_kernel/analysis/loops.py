"""Loops: stretches of whole bars whose end leads back into their beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sfa_kernel.analysis.model import Analysis, Loop

__all__ = ["find_loops", "find_stem_loops"]


def find_loops(analysis: Analysis) -> list[Loop]:
    """Loops of the song, the best first, from its analysis and curves."""
    return []


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
        At most four; empty where the song has no bars or the stem is silent.
    """
    return []
