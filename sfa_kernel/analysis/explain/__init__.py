"""Why a number is what it is: each topic's sentences, numbers and curves.

An explanation is made from the stored document and its curves alone, so it can be asked for years later.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sfa_kernel.analysis.explain.model import Explanation, Line, Mark
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from sfa_kernel.analysis.model import Analysis

__all__ = ["TOPICS", "Explanation", "Line", "Mark", "explain"]

# topic -> module of this package; its function has the topic's name
_HOMES = {
    "rhythm": ("tempo", "beats", "downbeats", "grid", "swing"),
    "harmony": ("key", "tuning", "chords"),
    "level": ("loudness", "true_peak", "energy", "danceability", "timbre"),
    "form": ("sections", "cues", "loops"),
}
TOPICS = tuple(topic for topics in _HOMES.values() for topic in topics)


def explain(analysis: Analysis, topic: str) -> Explanation:
    """See `Analysis.explain`."""
    home = next((home for home, topics in _HOMES.items() if topic in topics), None)
    if home is None:
        raise ParameterError(f"There is nothing to explain about {topic!r}.", hint=f"Choose from {', '.join(TOPICS)}.")
    explanation: Explanation = getattr(import_module(f"{__name__}.{home}"), topic)(analysis)
    return explanation
