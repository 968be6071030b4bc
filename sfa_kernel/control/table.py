"""The control table, written out: every control of the decks by its id, and what it takes.

The table itself is ``controls.json``, which the page reads too: there is no second one.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from itertools import product
from typing import TYPE_CHECKING, Any

from sfa_kernel.control.given import number, shown, text
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Control", "Value", "control", "controls"]

Value = int | float | str
"""What a control is set to: 0 or 1 of a switch, else a number; a text of an ``enum`` and of a ``text``."""

_PLACE = re.compile(r"\{(\w+)\}")
_LONGEST_ID = 80  # characters that are looked at to guess what was meant
_DECIBELS = 60  # a fader's cubic law: dB in ten times its way


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes
    ----------
    id
        Names it everywhere: ``"deck.1.play"``.
    line
        Its line of the table, ``"deck.{deck}.play"``, and ``keys``, what stands in the braces.
    deck
        1 to 4; None when it belongs to no deck.
    kind
        ``toggle`` and ``momentary`` (0 or 1), ``absolute`` (a number), ``enum`` (one of ``values``), ``text``;
        ``trigger`` (an action with a number) and ``relative`` (increments), which hold no state; ``meter``, which can
        only be read.
    label
        In a person's words.
    minimum, maximum, default, unit
        Of its values.
    step
        Values are multiples of it; 0 for any value.
    curve
        How a knob's way, 0 to 1, becomes a value: ``linear``, ``centre``, ``octaves`` or ``decibels``.
    values
        Of an ``enum``.
    group
        ``"eq"``, ``"effects"``, ``"layout"`` or ``""``: which presets keep it.
    """

    id: str
    line: str
    keys: Mapping[str, str]
    deck: int | None
    kind: str
    label: str
    minimum: float
    maximum: float
    default: Value
    unit: str
    step: float
    curve: str
    values: tuple[str, ...]
    group: str

    @property
    def holds_state(self) -> bool:
        """Whether it can be read back and set again."""
        return self.kind not in ("trigger", "relative", "meter")

    @property
    def continuous(self) -> bool:
        """Whether it can move to a value within a time."""
        return self.kind == "absolute"

    def clean(self, value: Any) -> Value:
        """What it makes of a value: brought into its range, to its steps, to 0 or 1.

        Raises
        ------
        ParameterError
            When it is no value of this control at all.
        """
        if self.kind == "meter":
            raise ParameterError(f"{self.id} can only be read.")
        if self.kind == "text":
            words = text(value)
            if words is None:
                raise ParameterError(f"{self.id} takes a text, not {shown(value)}.")
            return words
        if self.kind == "enum":
            if isinstance(value, str) and value in self.values:
                return value
            raise ParameterError(f"{self.id} cannot be {shown(value)}.", hint=f"Choose from {', '.join(self.values)}.")
        switch = self.kind in ("toggle", "momentary")
        given = number(int(value) if switch and isinstance(value, bool) else value)
        if given is None:
            raise ParameterError(f"{self.id} takes a number, not {shown(value)}.", hint=self._range())
        if switch:
            return int(given >= 0.5)
        if self.step > 0:
            given = math.floor(given / self.step + 0.5) * self.step
        return max(self.minimum, min(self.maximum, given))

    def _range(self) -> str:
        if not math.isfinite(self.minimum):
            return ""
        return f"It goes from {self.minimum:g} to {self.maximum:g} {self.unit}".rstrip() + "."

    def knob(self, value: Any) -> float:
        """Where a knob or fader stands at a value, 0 to 1.

        Raises
        ------
        ParameterError
            When it is no value of this control, or there is no knob for it.
        """
        cleaned = self.clean(value)
        if self.kind == "enum":
            return self.values.index(str(cleaned)) / max(1, len(self.values) - 1)
        low, high = self._bounds()
        found = float(cleaned)
        if self.curve == "octaves":
            return math.log(found / low) / math.log(high / low)
        if self.curve == "centre":
            middle = float(self.default)
            if found < middle:
                return 0.5 * (found - low) / (middle - low)
            return 0.5 + 0.5 * (found - middle) / (high - middle)
        if self.curve == "decibels":
            return 0.0 if found <= low else float(10 ** ((found - high) / _DECIBELS))
        return (found - low) / (high - low)

    def at(self, knob: float) -> Value:
        """The value at a knob's place, 0 to 1; outside of that, at the nearer end.

        Raises
        ------
        ParameterError
            When there is no knob for it.
        """
        place = max(0.0, min(1.0, float(knob)))
        if self.kind == "enum":
            return self.values[math.floor(place * (len(self.values) - 1) + 0.5)]
        low, high = self._bounds()
        if self.curve == "octaves":
            return self.clean(high if place == 1 else low * (high / low) ** place)
        if self.curve == "centre":
            middle = float(self.default)
            if place < 0.5:
                return self.clean(low + 2 * place * (middle - low))
            return self.clean(middle + (2 * place - 1) * (high - middle))
        if self.curve == "decibels":
            return self.clean(low if place == 0 else max(low, high + _DECIBELS * math.log10(place)))
        return self.clean(low + place * (high - low))

    def _bounds(self) -> tuple[float, float]:
        if self.kind in ("text", "meter") or not math.isfinite(self.minimum):
            raise ParameterError(f"{self.id} has no knob.")
        return self.minimum, self.maximum


@cache
def controls() -> Mapping[str, Control]:
    """All controls by their ids, in the order of the table; of those of one line the last braces change fastest."""
    text = resources.files("sfa_kernel.control").joinpath("controls.json").read_text("utf-8")
    table = json.loads(text)
    return {one.id: one for line in table["controls"] for one in _expanded(line, table["indices"])}


def control(identifier: str) -> Control:
    """The control of this id.

    Raises
    ------
    ParameterError
        When there is none.
    """
    found = controls().get(identifier) if isinstance(identifier, str) else None
    if found is None:
        near = get_close_matches(str(identifier)[:_LONGEST_ID], controls(), n=3)
        hint = f"Is it {' or '.join(near)}?" if near else "The controls of the decks list them all."
        raise ParameterError(f"There is no control {shown(identifier)}.", hint=hint)
    return found


def _expanded(line: Mapping[str, Any], indices: Mapping[str, list[str]]) -> Iterator[Control]:
    places = _PLACE.findall(line["id"])
    for chosen in product(*(indices[place] for place in places)):
        yield _made(line, dict(zip(places, chosen, strict=True)))


def _made(line: Mapping[str, Any], keys: Mapping[str, str]) -> Control:
    kind = line["kind"]
    switch = kind in ("toggle", "momentary")
    values = tuple(line.get("values", ()))
    usual: Value = "" if kind == "text" else values[0] if values else 0
    default = line.get("defaults", {}).get(keys.get("deck"), line.get("default", usual))
    return Control(
        id=_PLACE.sub(lambda place: keys[place[1]], line["id"]),
        line=line["id"],
        keys=keys,
        deck=int(keys["deck"]) if "deck" in keys else None,
        kind=kind,
        label=_PLACE.sub(lambda place: keys[place[1]].replace("_", " "), line["label"]),
        minimum=line.get("min", 0 if switch else -math.inf),
        maximum=line.get("max", 1 if switch else math.inf),
        default=default,
        unit=line.get("unit", ""),
        step=line.get("step", 0),
        curve=line.get("curve", "linear"),
        values=values,
        group=line.get("group", ""),
    )
