"""What pages, files of JSON and cells give for a number or a text, and how a message shows it."""

from __future__ import annotations

import math
from numbers import Real
from reprlib import Repr
from typing import Any

__all__ = ["number", "shown", "text"]

LONGEST_TEXT = 1000

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


def text(given: Any) -> str | None:
    """A text that can be kept and sent on; None for all else: no text, a very long one, halves of characters."""
    if not isinstance(given, str) or len(given) > LONGEST_TEXT:
        return None
    return None if any("\ud800" <= character <= "\udfff" for character in given) else given


def shown(given: Any) -> str:
    """What somebody gave, for a message about it: never more than a line of it."""
    return _SHORT.repr(given)
