"""Sound Forge Alchemy: a programmable music workstation.

>>> from sfa_kernel import Studio
>>> studio = Studio.open()          # doctest: +SKIP
>>> studio.add("song.mp3")          # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfa_kernel.panels import Studio

__all__ = ["Studio", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # The studio pulls in DuckDB and the widgets; importing the package alone must stay instant.
    if name == "Studio":
        from sfa_kernel.panels import Studio

        return Studio
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
