"""A song's file, which may be where a person keeps it: on a disk that is not plugged in, under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["present"]


def present(path: Path) -> Path:
    """The path of a song's file, which is there.

    Raises
    ------
    NotFoundError
        When it is gone.
    """
    if not path.is_file():
        raise NotFoundError(
            f"The song's file is not there any more: {clean_text(str(path))}.",
            hint="Plug in its disk, or add the song again from where it is now.",
        )
    return path
