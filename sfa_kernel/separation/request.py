"""What is asked of a separation, checked: two requests that are equal make the same stems."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import ParameterError
from sfa_kernel.separation.engines import engine as find_engine
from sfa_kernel.separation.interface import REST, Engine, Model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Request", "request"]

SHORTEST = 0.5  # s of a region


@dataclass(frozen=True)
class Request:
    """A separation that can be done, apart from the song.

    Attributes
    ----------
    engine, model
        Their names.
    stems
        The stems that are asked for, in the model's order.
    rest
        Whether what they leave of the mix is a stem, too.
    region
        Start and end [s]; None for the whole song.
    settings
        The engine's settings, complete.
    """

    engine: str
    model: str
    stems: tuple[str, ...]
    rest: bool
    region: tuple[float, float] | None
    settings: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As plain values: the arguments of `request`."""
        return {
            "engine": self.engine,
            "model": self.model,
            "stems": list(self.stems),
            "region": list(self.region) if self.region else None,
            "settings": self.settings,
        }

    @property
    def key(self) -> str:
        """The same text for requests that make the same stems."""
        known = find_engine(self.engine).settings
        heard = {name: value for name, value in self.settings.items() if known[name].heard}
        return json.dumps({**self.to_dict(), "settings": heard}, sort_keys=True, separators=(",", ":"))


def request(
    engine: str = "draft",
    *,
    model: str = "",
    stems: str | Sequence[str] | None = None,
    region: Sequence[float] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Request:
    """Check what is asked for.

    Parameters
    ----------
    engine, model
        Their names; without a model, the engine's first.
    stems
        Which stems; the model's usual ones when none are named. What they leave of the mix is "rest".
    region
        Start and end [s]; the whole song when None.
    settings
        Those of the engine's settings that are not to be as usual.

    Raises
    ------
    ParameterError
        When something is unknown or out of range; the message names the choices.
    """
    chosen = find_engine(engine)
    found = chosen.model(model)
    wanted = _stems(found, stems)
    return Request(
        engine=chosen.name,
        model=found.name,
        stems=wanted,
        rest=not (found.complete and wanted == found.stems),
        region=_region(region),
        settings=_settings(chosen, settings or {}),
    )


def _stems(model: Model, stems: str | Sequence[str] | None) -> tuple[str, ...]:
    if stems is None:
        return model.usual or model.stems
    named = [name.strip() for name in stems.split(",")] if isinstance(stems, str) else list(stems)
    named = [name for name in named if name != REST]  # it comes by itself
    unknown = [name for name in named if name not in model.stems]
    if unknown or not named:
        problem = f"There is no stem {unknown[0]!r} to be had here." if unknown else "No stem is named."
        raise ParameterError(problem, hint=f"Choose from {', '.join(model.stems)}.")
    return tuple(name for name in model.stems if name in named)


def _region(region: Sequence[float] | None) -> tuple[float, float] | None:
    if region is None:
        return None
    try:
        start, end = (round(float(time), 6) for time in region)
    except (TypeError, ValueError):
        start = end = math.nan
    if not (math.isfinite(start) and math.isfinite(end) and start >= 0 and end - start >= SHORTEST):
        raise ParameterError(
            f"{region!r} is no region of a song.", hint=f"Name a start and an end in seconds, {SHORTEST} s apart."
        )
    return start, end


def _settings(engine: Engine, settings: Mapping[str, Any]) -> dict[str, Any]:
    for name in settings:
        if name not in engine.settings:
            choices = ", ".join(engine.settings)
            raise ParameterError(
                f"The engine {engine.name!r} has no setting {name!r}.",
                hint=f"It has {choices}." if choices else "It has none.",
            )
    return {
        name: setting.checked(name, settings.get(name, setting.default)) for name, setting in engine.settings.items()
    }
