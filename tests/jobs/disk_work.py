"""Pieces of work for the test on a full disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def make(*, size: int, scratch: Path, progress: Any, gate: str | None = None) -> Path:
    """Make a file of so many bytes; with a gate, end only once that file is there."""
    path = scratch / "made.bin"
    with path.open("wb") as file:
        for _ in range(size // 4096):
            file.write(bytes(4096))
    progress(50)
    while gate is not None and not _exists(gate):
        time.sleep(0.01)
    return path


def _exists(gate: str) -> bool:
    from pathlib import Path

    return Path(gate).exists()
