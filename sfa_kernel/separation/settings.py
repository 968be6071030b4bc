"""What can be chosen of an engine besides its model and its stems."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sfa_kernel.errors import ParameterError

__all__ = ["Setting"]


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes
    ----------
    default
        Its usual value, which tells its kind: a switch (bool), a number, or one of ``choices``.
    label, description
        Its name for people, and what it does.
    choices
        The values there are, of a choice.
    minimum, maximum
        Bounds of a number.
    heard
        Whether it changes the stems; otherwise only how they are made, and the same stems are the same set.
    """

    default: Any
    label: str
    description: str
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    heard: bool = True

    @property
    def kind(self) -> str:
        """``"choice"``, ``"switch"`` or ``"number"``."""
        return "choice" if self.choices else "switch" if isinstance(self.default, bool) else "number"

    def checked(self, name: str, value: Any) -> Any:
        """The value as this setting keeps it; text, as a command line gives it, is read.

        Raises
        ------
        ParameterError
            When the value is none of this setting.
        """
        if self.kind == "choice":
            if value in self.choices:
                return value
            wanted = f"one of {', '.join(self.choices)}"
        elif self.kind == "switch":
            known = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in known:
                return known[value.lower()]
            wanted = "on or off"
        else:
            number = _number(value)
            low, high = self.minimum, self.maximum
            if number is not None and (low is None or number >= low) and (high is None or number <= high):
                return type(self.default)(number)
            wanted = f"a number from {low:g} to {high:g}" if low is not None and high is not None else "a number"
        raise ParameterError(f"The setting {name} cannot be {value!r}.", hint=f"It is {wanted}.")


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
