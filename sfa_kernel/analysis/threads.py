"""One thread for matrix products.

For a product of more than a few hundred thousand multiplications BLAS starts a thread on every core. The products
of an analysis take a fraction of a millisecond each, so the threads mostly wait for each other, in loops that burn
the processor: a fifth of an analysis' time, and all that another analysis on the next core could have used.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["one_thread"]

_lock = threading.Lock()
_inside: list[Any] = []  # the limit that is in force, once for each analysis that runs in this process


@cache
def _libraries() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS to one thread, in this whole process; the last to leave restores what was."""
    with _lock:
        _inside.append(_inside[0] if _inside else _libraries().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            limit = _inside.pop()
            if not _inside:
                limit.restore_original_limits()
