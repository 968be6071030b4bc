"""What every separation engine is given and gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.separation.settings import Setting

__all__ = ["REST", "Engine", "Model", "Parts", "Place", "Song", "Split", "Task"]

Array = np.ndarray[Any, np.dtype[Any]]

REST = "rest"
"""The stem that takes what the others leave of the mix, when not all stems were asked for."""


@dataclass(frozen=True)
class Song:
    """What an engine is given to hear.

    Attributes
    ----------
    sample_rate
        [Hz]
    channels
        1 or 2.
    frames
        Its length as declared; the blocks may hold a few more or less.
    blocks
        Gives its samples from the beginning, anew at each call: float32 [shape=(channels, n)].
    file
        The sound file itself, when the song is all of it; None when it is a region of one.
    """

    sample_rate: int
    channels: int
    frames: int
    blocks: Callable[[], Iterator[Array]]
    file: Path | None = None


@dataclass(frozen=True)
class Place:
    """Where things are; never part of what a separation is.

    Attributes
    ----------
    scratch
        An empty folder of this separation alone.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    weights
        Folder of the models' weights.
    cloud
        Of a cloud engine: ``url``, ``key``, ``board``, a folder that all processes of a library share, and what
        else the engine says of it.
    notes
        What the engine notes for whoever asked: the ``device`` it ran on, ``minutes`` that were billed,
        ``minutes_left`` of the account.
    """

    scratch: Path
    device: str = "auto"
    weights: Path | None = None
    cloud: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notes: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Task:
    """What an engine is to do.

    Attributes
    ----------
    model
        Name of one of its models.
    stems
        The stems to make, in the model's order.
    settings
        The engine's settings that change the sound, checked and complete.
    place
        Where things are.
    """

    model: str
    stems: tuple[str, ...]
    settings: Mapping[str, Any]
    place: Place


class Parts(NamedTuple):
    """What an engine makes of a song.

    ``names`` says what each piece holds; ``pieces`` are float32 [shape=(len(names), channels, m)] that join without
    a gap, as long as the song together. What an engine does not name is the remainder of the mix.
    """

    names: tuple[str, ...]
    pieces: Iterator[Array]


Split = Callable[[Song, Task, Callable[[float], None]], Parts]
"""What an engine does. The function it is given is told the share that is done, 0..1, and may raise to stop it."""

Readiness = Callable[[str, "Place"], tuple[bool, str]]


@dataclass(frozen=True)
class Model:
    """One model of an engine.

    Attributes
    ----------
    name
        The word to choose it by; empty when an engine has but one.
    label, description
        Its name for people, and what to expect of it.
    stems
        The stems it can make.
    usual
        Those it makes when none are named; all of them when empty.
    complete
        Whether all its stems together are the whole song.
    speed
        How long it works on a second of music on two usual cores [s]; 0 when the work is done elsewhere.
    """

    name: str
    label: str
    description: str
    stems: tuple[str, ...]
    usual: tuple[str, ...] = ()
    complete: bool = True
    speed: float = 0.0


def _always(model: str, place: Place) -> tuple[bool, str]:
    return True, ""


def _no_others(name: str) -> Model | None:
    return None


def _all_work(model: str, stems: tuple[str, ...]) -> float:
    return 1.0


def _no_minutes(model: str, stems: tuple[str, ...], seconds: float) -> float:
    return 0.0


@dataclass(frozen=True)
class Engine:
    """One way to separate a song into stems.

    Attributes
    ----------
    name
        The word to choose it by.
    label, description
        Its name for people, and what to expect of it.
    models
        Its models; the first is taken when none is named.
    split
        What it does.
    settings
        What can be chosen besides, by name.
    service
        The service it calls, when it works in the cloud; empty when it works here.
    draft
        Whether the result is a draft and has to be called one wherever it shows.
    context
        How much of the song around a region it needs to hear [s].
    own_process
        Whether it runs in a process of its own, which can be killed without harm.
    ready
        Whether a model can run here; if not, why and what to do.
    other
        Finds a model that is not in the list, such as one of a person's own.
    effort
        Which share of a model's full work some of its stems take, 0..1.
    minutes
        Minutes that are billed for a model, its stems, and a length [s].
    environment
        What the environment of its process has besides the usual.
    """

    name: str
    label: str
    description: str
    models: tuple[Model, ...]
    split: Split = field(repr=False)
    settings: Mapping[str, Setting] = field(default_factory=dict, repr=False)
    service: str = ""
    draft: bool = False
    context: float = 0.0
    own_process: bool = False
    ready: Readiness = field(default=_always, repr=False)
    other: Callable[[str], Model | None] = field(default=_no_others, repr=False)
    effort: Callable[[str, tuple[str, ...]], float] = field(default=_all_work, repr=False)
    minutes: Callable[[str, tuple[str, ...], float], float] = field(default=_no_minutes, repr=False)
    environment: Callable[[], dict[str, str]] = field(default=dict, repr=False)

    @property
    def where(self) -> str:
        """``"here"`` or ``"cloud"``."""
        return "cloud" if self.service else "here"

    def model(self, name: str = "") -> Model:
        """The model of that name; the first one when the name is empty.

        Raises
        ------
        ParameterError
            When there is none; the message names the choices.
        """
        for model in self.models:
            if name in ("", model.name):
                return model
        found = self.other(name) if isinstance(name, str) else None
        if found is not None:
            return found
        choices = ", ".join(model.name for model in self.models if model.name)
        raise ParameterError(
            f"The engine {self.name!r} has no model {name!r}.",
            hint=f"Choose one of: {choices}." if choices else "Leave the model out.",
        )

    def badge(self, model: str) -> str:
        """What a badge on its stems says."""
        label = self.model(model).label
        return f"{self.label} · {label}" if label else self.label
