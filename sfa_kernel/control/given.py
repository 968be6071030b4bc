"""What strangers give for a number, and how a message shows it: pages, files of JSON, cells."""

from __future__ import annotations

import math
from numbers import Real
from reprlib import Repr
from typing import Any

__all__ = ["number", "shown"]

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlong = 40


def number(given: Any) -> float | None:
    """A number as a float; None for all else: True and False, texts, NaN, and what is infinite or too large."""
    if isinstance(given, bool) or not isinstance(given, Real):
        return None
    try:
        value = float(given)
    except (OverflowError, ValueError):
        return None
    return value if math.isfinite(value) else None


def shown(given: Any) -> str:
    """What somebody gave, for a message about it: never more than a line of it."""
    return _SHORT.repr(given)
