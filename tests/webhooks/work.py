"""Pieces of work for the webhooks' tests; worker processes import them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path


def succeed(*, progress: Any, scratch: Path) -> None:
    pass


def refuse(*, progress: Any, scratch: Path) -> None:
    raise AudioError("This file holds no sound.", hint="Add another file.")
