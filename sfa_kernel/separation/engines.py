"""The separation engines there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from sfa_kernel.errors import ParameterError

__all__ = ["ENGINES", "REST", "Engine", "Split", "engine"]

Array = np.ndarray[Any, np.dtype[Any]]

Split = Callable[[Iterator[Array], int, Callable[[float], None]], Iterator[Array]]
"""What an engine does.

Takes blocks of a song [shape=(channels, n)], its sample rate [Hz], and a function to be told how far it is
[frames], which may raise to stop it. Gives out the stems but "other" [shape=(stems - 1, channels, m)] in pieces
that join without a gap; "other" is what they leave of the mix.
"""

REST = "other"
"""The stem that takes whatever the others leave; last of every engine's stems."""


def _ready() -> tuple[bool, str]:
    return True, ""


@dataclass(frozen=True)
class Engine:
    """One way to separate a song into stems.

    Attributes
    ----------
    name
        The word to choose it by.
    label
        Its name for people.
    description
        What to expect of it, in a sentence or two.
    stems
        The stems it makes; the last is "other", whatever the rest leave of the mix.
    needs_weights
        Whether it needs a learned model on this machine.
    """

    name: str
    label: str
    description: str
    stems: tuple[str, ...]
    needs_weights: bool
    split: Split = field(repr=False)
    ready: Callable[[], tuple[bool, str]] = field(default=_ready, repr=False)

    def available(self) -> tuple[bool, str]:
        """Whether it can run here; if not, why."""
        return self.ready()


def _draft(blocks: Iterator[Array], sample_rate: int, at: Callable[[float], None]) -> Iterator[Array]:
    from sfa_kernel.separation import draft, windows

    return windows.split_long(blocks, sample_rate, draft.split, at=at)


ENGINES: Mapping[str, Engine] = MappingProxyType(
    {
        "draft": Engine(
            name="draft",
            label="Draft (no AI)",
            description=(
                "Quick classical signal processing that needs no model and no network. Good for a first look, for "
                "kick and bass, and for finding the voice; expect other parts to be heard faintly in every stem."
            ),
            stems=("vocals", "drums", "bass", REST),
            needs_weights=False,
            split=_draft,
        )
    }
)
"""Engines by name."""


def engine(name: str) -> Engine:
    """The engine of that name.

    Raises
    ------
    ParameterError
        When there is none; the message names the choices.
    """
    try:
        return ENGINES[name]
    except (KeyError, TypeError):
        raise ParameterError(
            f"There is no separation engine {name!r}.", hint=f"Choose one of: {', '.join(ENGINES)}."
        ) from None
