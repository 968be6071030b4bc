"""What is installed, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib import metadata, util
from typing import TYPE_CHECKING, Any

from sfa_kernel import __version__
from sfa_kernel.errors import SfaError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["examine"]

_REQUIRED = ("duckdb", "soundfile", "av", "scipy", "joblib", "anywidget", "jupyterlab", "voila")
# Programs that one can do without: what each is for, and how to get it.
_OPTIONAL = {
    "node": (("node",), "rebuilds the widgets when their sources change", "Install Node.js 18 or newer."),
    "chromium": (
        ("chromium", "chromium-browser", "google-chrome"),
        "runs the browser tests",
        "Debian: sudo apt install chromium",
    ),
}


def examine(home: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Look at this installation and library.

    Parameters
    ----------
    home
        The library; without one, that of the settings.

    Returns
    -------
    dict
        ``ok`` (nothing necessary is missing), ``version``, ``python``, ``home`` and ``checks``, each with
        ``name``, ``ok``, ``required``, ``detail`` and ``hint``.
    """
    checks = [*_library(home), *_packages(), _widgets(), *_programs()]
    from sfa_kernel.settings import load_settings

    try:
        place = str(load_settings(home=home).home)
    except SfaError:
        place = ""
    return {
        "ok": all(check["ok"] for check in checks if check["required"]),
        "version": __version__,
        "python": platform.python_version(),
        "home": place,
        "checks": checks,
    }


def _check(name: str, ok: bool, detail: str, hint: str = "", *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "ok": ok, "required": required, "detail": detail, "hint": "" if ok else hint}


def _library(home: str | os.PathLike[str] | None) -> Iterable[dict[str, Any]]:
    from sfa_kernel.studio import Studio

    try:
        with Studio.open(home) as studio:
            count = len(studio.tracks)
            free = shutil.disk_usage(studio.home).free / 1e9
            yield _check("library", True, f"{count} tracks in {studio.home}")
            yield _check("disk", free > 1, f"{free:.1f} GB free", "Make room: a song with stems takes about 150 MB.")
    except SfaError as error:
        yield _check("library", False, error.message, error.hint)


def _packages() -> Iterable[dict[str, Any]]:
    for name in _REQUIRED:
        try:
            yield _check(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield _check(name, False, "not installed", f"Run: {sys.executable} -m pip install {name}")


def _widgets() -> dict[str, Any]:
    spec = util.find_spec("sfa_widgets")
    folders = spec.submodule_search_locations if spec else None
    built = bool(folders) and all(
        os.path.exists(os.path.join(folders[0], "static", f"{name}.js"))  # type: ignore[index] # checked in this expression
        for name in ("library", "player", "jobs", "dashboard")
    )
    return _check("widgets", built, "built" if built else "not built", "Run: make js")


def _programs() -> Iterable[dict[str, Any]]:
    for name, (commands, use, hint) in _OPTIONAL.items():
        found = next(filter(None, map(shutil.which, commands)), None)
        yield _check(name, found is not None, found or f"not installed; {use}", hint, required=False)
