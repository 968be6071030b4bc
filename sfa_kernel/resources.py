"""Files that come with the package: notebooks, the dashboard's page, demo songs.

In a clone (or an editable install) they lie beside the package, where people edit them; a wheel carries
them inside it.
"""

from __future__ import annotations

from pathlib import Path

from sfa_kernel.errors import SetupError

__all__ = ["demo_songs", "folder"]

_PACKAGE = Path(__file__).resolve().parent
_ASSETS = _PACKAGE / "assets"
_IN_CLONE = {"notebooks": "notebooks", "voila_apps": "voila_apps", "demo": "data/demo"}


def folder(name: str) -> Path:
    """Path of the folder ``notebooks``, ``voila_apps`` or ``demo``.

    Raises
    ------
    SetupError
        When this installation has none.
    """
    clone = _PACKAGE.parent
    # Beside an installed package lies what others installed: only a project file tells a clone.
    place = clone / _IN_CLONE[name] if (clone / "pyproject.toml").is_file() else _ASSETS / name
    if not place.is_dir():
        raise SetupError(f"This installation has no {name} folder.", hint="Install the package again.")
    return place


def demo_songs() -> list[Path]:
    """The demo songs, in order."""
    from sfa_kernel.audio import AUDIO_SUFFIXES

    return sorted(path for path in folder("demo").iterdir() if path.suffix.lower() in AUDIO_SUFFIXES)
