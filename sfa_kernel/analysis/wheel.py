"""The Camelot wheel as numbers: which keys mix."""

from __future__ import annotations

__all__ = ["fitting_keys", "key_code", "key_number"]

_HOURS = 12


def key_number(code: str | None) -> int | None:
    """A Camelot code as a number round the wheel: ``"1A"`` is 0, ``"1B"`` is 1, ... ``"12B"`` is 23."""
    if not code:
        return None
    return (int(code[:-1]) - 1) * 2 + (code[-1] == "B")


def key_code(number: int | None) -> str | None:
    """The Camelot code of a number that `key_number` gave."""
    return None if number is None else f"{number // 2 + 1}{'AB'[number % 2]}"


def fitting_keys(number: int) -> tuple[int, ...]:
    """The keys that mix with one: itself, its relative, and those an hour away in the same mode.

    Parameters
    ----------
    number
        As `key_number` gives it.
    """
    around = 2 * _HOURS
    return (number, number ^ 1, (number - 2) % around, (number + 2) % around)
