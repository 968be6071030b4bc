"""How engines report progress and learn that they should stop.

Engines take two callbacks and know nothing of jobs: ``progress`` receives an integer 0-100 that never
falls, ``cancel`` answers whether to stop.
"""

from __future__ import annotations

from collections.abc import Callable

from sfa_kernel.errors import Cancelled

__all__ = ["Cancel", "Progress", "Steps", "never", "silent"]

Progress = Callable[[int], None]
Cancel = Callable[[], bool]


def silent(percent: int) -> None:
    """Progress that nobody watches."""


def never() -> bool:
    """Cancel signal that never comes."""
    return False


class Steps:
    """Reports a rising integer 0-100 and stops the engine when asked.

    Parameters
    ----------
    progress, cancel
        The engine's callbacks.
    """

    def __init__(self, progress: Progress = silent, cancel: Cancel = never) -> None:
        self._progress = progress
        self._cancel = cancel
        self._last = -1

    def at(self, fraction: float) -> None:
        """Report ``fraction`` in 0..1 of the work as done.

        Raises
        ------
        Cancelled
            When the cancel signal has come.
        """
        if self._cancel():
            raise Cancelled("The work was stopped on request.")
        percent = max(0, min(100, int(fraction * 100)))
        if percent > self._last:
            self._last = percent
            self._progress(percent)

    def between(self, start: float, end: float) -> Progress:
        """A progress callback (0-100) for a part of the work that spans ``start``..``end`` in 0..1."""
        return lambda percent: self.at(start + (end - start) * percent / 100)
