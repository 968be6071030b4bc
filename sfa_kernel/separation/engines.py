"""The separation engines there are."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from sfa_kernel.errors import ParameterError
from sfa_kernel.separation.demucs import devices, models
from sfa_kernel.separation.demucs import split as demucs
from sfa_kernel.separation.interface import Engine, Model, Parts, Song, Task
from sfa_kernel.separation.lalal import services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ENGINES", "engine"]


def _draft(song: Song, task: Task, at: Callable[[float], None]) -> Parts:
    from sfa_kernel.separation import draft, windows

    pieces = windows.split_long(
        song.blocks(), song.sample_rate, draft.split, at=lambda done: at(min(1.0, done / max(1, song.frames)))
    )
    return Parts(draft.STEMS, pieces)


def _demucs_effort(model: str, stems: tuple[str, ...]) -> float:
    chosen = models.model(model)
    return chosen.work(stems) / chosen.seconds


def _lalal(song: Song, task: Task, at: Callable[[float], None]) -> Parts:
    from sfa_kernel.separation.lalal.split import split

    return split(song, task, at)


_DRAFT = Engine(
    name="draft",
    label="Draft (no AI)",
    description=(
        "Quick classical signal processing that needs no model and no network. Good for a first look, for "
        "kick and bass, and for finding the voice; expect other parts to be heard faintly in every stem."
    ),
    models=(Model("", "", "", ("vocals", "drums", "bass", "other"), speed=0.04),),
    split=_draft,
    draft=True,
    context=16.0,  # it learns the drums from their hits
)

_DEMUCS = Engine(
    name="demucs",
    label="Demucs",
    description=(
        "A neural network on this machine: stems that can be worked with. It needs weights, which are for research, "
        "and time: on two usual cores about half as long as the song lasts, more for models of several networks."
    ),
    models=tuple(
        Model(each.name, each.label, each.description, each.stems, speed=each.seconds)
        for each in models.MODELS.values()
    ),
    split=demucs.split,
    settings=demucs.SETTINGS,
    context=8.0,  # a segment
    own_process=True,
    ready=demucs.ready,
    effort=_demucs_effort,
    environment=devices.child_environment,
)

_LALAL = Engine(
    name="lalal",
    label="lalal.ai",
    description=(
        "A service: the song is sent there, and its stems come back. It needs an account: each stem costs one of "
        "its minutes for every minute of the song that has begun, and so does a preview."
    ),
    models=services.MODELS,
    split=_lalal,
    settings=services.SETTINGS,
    service="lalal.ai",
    ready=services.ready,
    other=services.other,
    minutes=services.minutes,
)

ENGINES: Mapping[str, Engine] = MappingProxyType({engine.name: engine for engine in (_DRAFT, _DEMUCS, _LALAL)})
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
