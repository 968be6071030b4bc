"""The shape of an explanation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Explanation", "Line", "Mark", "clock"]


@dataclass(frozen=True, eq=False)
class Line:
    """A curve to look at.

    Parameters
    ----------
    label
        What it is, for the legend.
    x, y
        [shape=(n,)].
    kind
        ``"line"``, ``"steps"`` or ``"bars"``.
    """

    label: str
    x: NDArray[Any]
    y: NDArray[Any]
    kind: str = "line"


@dataclass(frozen=True)
class Mark:
    """A place on the horizontal axis that decided."""

    x: float
    label: str


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why a number is what it is; a figure with its text in a notebook.

    Parameters
    ----------
    topic, title
        ``"tempo"``, ``"Tempo: 127.35 BPM"``.
    text
        Whole sentences: what was measured, how it decided, what speaks against it. Plain text.
    numbers
        The values that decided, with their unit in the name: ``{"confidence": 0.92, "alternative [BPM]": 63.68}``.
    lines, marks
        What the figure shows.
    x_label, y_label
        With units.
    source
        The algorithm's publication.
    """

    topic: str
    title: str
    text: str
    numbers: dict[str, float | str | None] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    x_label: str = ""
    y_label: str = ""
    source: str = ""

    def __repr__(self) -> str:
        return f"{self.title}\n{self.text}"

    def _repr_html_(self) -> str:
        from sfa_widgets.figures import figure  # only a notebook asks

        return figure(self)


def clock(seconds: float) -> str:
    """A place in the song as people read it: ``3:07``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
