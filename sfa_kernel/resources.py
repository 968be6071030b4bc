"""Files that come with the package: notebooks, the dashboard's page, demo songs.

In a clone (or an editable install) they lie beside the package, where people edit them; a wheel carries
them inside it.
"""

from __future__ import annotations

from pathlib import Path

from sfa_kernel.errors import SetupError

__all__ = ["demo_songs", "folder"]

_PACKAGE = Path(__file__).resolve().parent
_IN_CLONE = {"notebooks": "notebooks", "voila_apps": "voila_apps", "demo": "data/demo"}


def folder(name: str) -> Path:
    """Path of the folder ``notebooks``, ``voila_apps`` or ``demo``.

    Raises
    ------
    SetupError
        When this installation has none.
    """
    for candidate in (_PACKAGE / "assets" / name, _PACKAGE.parent / _IN_CLONE[name]):
        if candidate.is_dir():
            return candidate
    raise SetupError(f"This installation has no {name} folder.", hint="Install the package again.")


def demo_songs() -> list[Path]:
    """The demo songs, in order."""
    from sfa_kernel.audio import AUDIO_SUFFIXES

    return sorted(path for path in folder("demo").iterdir() if path.suffix.lower() in AUDIO_SUFFIXES)
