"""What is installed, what is missing and how to get it; whether the library is whole, and what to do if not."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from importlib import metadata, util
from typing import TYPE_CHECKING, Any

from sfa_kernel import __version__, inventory
from sfa_kernel.catalog import jobs
from sfa_kernel.catalog.files import referenced, referenced_among
from sfa_kernel.errors import SfaError
from sfa_kernel.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sfa_kernel.catalog import Connection
    from sfa_kernel.studio import Studio

__all__ = ["examine"]

_REQUIRED = ("duckdb", "soundfile", "av", "scipy", "joblib", "mini-racer", "anywidget", "jupyterlab", "voila")
# Table, column, and the table whose id it is.
_REFERENCES = (
    ("analyses", "track_id", "tracks"),
    ("separations", "track_id", "tracks"),
    ("stems", "separation_id", "separations"),
    ("stems", "track_id", "tracks"),
    ("cues", "track_id", "tracks"),
    ("removed_cues", "track_id", "tracks"),
    ("former_hot_cues", "track_id", "tracks"),
    ("loops", "track_id", "tracks"),
    ("corrections", "track_id", "tracks"),
)
_FAMILIES = (
    "analysis",
    "console",
    "dashboard",
    "decks",
    "dialogs",
    "jobs",
    "library",
    "mixer",
    "player",
    "playlists",
    "session",
    "sources",
)
DAY = 86400.0  # s
# Programs that one can do without: what each is for, and how to get it.
_OPTIONAL = {
    "node": (("node",), "rebuilds the widgets when their sources change", "Install Node.js 18 or newer."),
    "chromium": (
        ("chromium", "chromium-browser", "google-chrome"),
        "runs the browser tests",
        "Debian: sudo apt install chromium",
    ),
}


def examine(
    home: str | os.PathLike[str] | None = None, *, deep: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Look at this installation and library.

    Parameters
    ----------
    home
        The library; without one, that of the settings.
    deep
        Also read every file of the library that has a checksum. That takes as long as copying them.

    Returns
    -------
    dict
        ``ok`` (nothing necessary is missing), ``version``, ``python``, ``home`` and ``checks``, each with
        ``name``, ``ok``, ``required``, ``detail`` and ``hint``.
    """
    checks = [*_library(home, deep, progress), *_packages(), _demucs(), _widgets(), *_programs(), *_downloads(home)]
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


def _library(home: str | os.PathLike[str] | None, deep: bool, progress: Progress) -> Iterable[dict[str, Any]]:
    from sfa_kernel.studio import Studio

    try:
        with Studio.open(home) as studio:
            count = len(studio.tracks)
            free = shutil.disk_usage(studio.home).free / 1e9
            yield _check("library", True, f"{count} tracks in {studio.home}")
            yield _check("disk", free > 1, f"{free:.1f} GB free", "Make room: a song with stems takes about 150 MB.")
            catalogue = _catalogue(studio)
            yield catalogue
            if catalogue["ok"]:
                yield from _files(studio, deep, progress)
                yield _jobs(studio)
    except SfaError as error:
        yield _check("library", False, error.message, error.hint)


def _catalogue(studio: Studio) -> dict[str, Any]:
    """Every value of every row and every index can be read, and no row refers to one that is not there."""
    import duckdb

    try:
        with studio.catalog.write() as connection:  # nothing is written, but indexes are only asked by who would
            tables, rows = _read_everything(connection)
            lost = _lost_references(connection)
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        return _check("catalogue", False, f"damaged: {reason}", "Restore a backup: sfa restore FILE --replace")
    detail = f"{rows} rows in {tables} tables, all readable"
    hint = "They do no harm; please report it."
    return _check("catalogue", not lost, f"{detail}; {', '.join(lost)}" if lost else detail, hint)


def _read_everything(connection: Connection) -> tuple[int, int]:
    """Look at every value and every index entry; DuckDB raises where a block is not as it was written."""
    tables = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'library' ORDER BY ALL"
    ).fetchall()
    rows = 0
    for (table,) in tables:
        # The hash is of all columns, and the result keeps it from being left out.
        found = connection.execute(f'SELECT count(*), bit_xor(hash(t)) FROM "{table}" t').fetchone()  # noqa: S608 - our own names
        rows += found[0] if found else 0
    for table, columns in connection.execute(
        "SELECT table_name, constraint_column_names FROM duckdb_constraints() "
        "WHERE database_name = 'library' AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')"
    ).fetchall():
        # Each row is looked up in the index, found, and so not inserted.
        connection.execute(
            f'INSERT INTO "{table}" FROM "{table}" WHERE {" AND ".join(f"{name} IS NOT NULL" for name in columns)} '
            f"ON CONFLICT ({', '.join(columns)}) DO NOTHING"
        )
    return len(tables), rows


def _lost_references(connection: Connection) -> list[str]:
    lost = []
    for table, column, owner in _REFERENCES:
        found = connection.execute(
            f"SELECT count(*) FROM {table} WHERE {column} NOT IN (SELECT id FROM {owner})"  # noqa: S608 - our own names
        ).fetchone()
        if found and found[0]:
            lost.append(f"{found[0]} of {table} without {owner}")
    return lost


def _files(studio: Studio, deep: bool, progress: Progress) -> Iterable[dict[str, Any]]:
    with studio.catalog.read() as connection:
        owned = referenced(connection)
        expected = inventory.expected(connection)
        originals = inventory.originals(connection)
    missing = inventory.missing(studio.storage, expected)
    # Meanwhile work may have replaced files; what belongs to nobody now is no loss.
    with studio.catalog.read() as connection:
        still = referenced_among(connection, [file.name for file in missing])
    missing = [file for file in missing if file.name in still]
    detail = (
        f"{len(missing)} of {len(expected)} are gone, of {_titles(missing)}" if missing else f"{len(expected)} files"
    )
    yield _check("files", not missing, detail, "Add the songs again, or let their stages run again with --force.")
    if deep:
        altered = inventory.altered(studio.storage, expected, progress=progress)
        checked = sum(file.content_hash is not None for file in expected)
        detail = (
            f"{len(altered)} of {checked} have changed, of {_titles(altered)}" if altered else f"{checked} as added"
        )
        yield _check("contents", not altered, detail, "Restore them from a backup, and have the disk looked at.")
    if originals:
        gone = [title for title, path in originals if not path.is_file()]
        detail = f"{len(gone)} of {len(originals)} are gone, of {_some(gone)}" if gone else f"{len(originals)} files"
        hint = "Plug in their disks, or add the songs again from where they are now."
        yield _check("originals", not gone, f"{detail} outside of the library", hint, required=False)
    orphans = inventory.orphans(studio.storage, owned, before=time.time() - DAY)
    size = sum(orphans.values()) / 1e6
    detail = f"{len(orphans)} files that belong to nothing, {size:.1f} MB" if orphans else "none"
    yield _check("orphans", not orphans, detail, "Run: sfa cleanup", required=False)


def _jobs(studio: Studio) -> dict[str, Any]:
    """Jobs that nobody goes on with, and jobs that wait for what will not come."""
    with studio.catalog.read() as connection:
        silent_ones = len(jobs.silent_since(connection, studio.settings.heartbeat_timeout))
        found = connection.execute(
            """
            SELECT count(*) FROM jobs j WHERE status = 'queued' AND blockers > 0 AND NOT EXISTS (
                SELECT 1 FROM jobs n
                WHERE n.status IN ('queued', 'downloading', 'processing') AND list_contains(j.needs, n.id))
            """
        ).fetchone()
    blocked = found[0] if found else 0
    parts = [f"{silent_ones} are running in no program that is alive"] * bool(silent_ones)
    parts += [f"{blocked} wait for jobs that have ended"] * bool(blocked)
    hints = ["Run: sfa worker"] * bool(silent_ones) + ["Cancel them: sfa jobs cancel"] * bool(blocked)
    return _check("jobs", not parts, "; ".join(parts) or "none is stuck", " ".join(hints), required=False)


def _titles(files: Sequence[inventory.Expected]) -> str:
    return _some([file.title for file in files])


def _some(titles: Sequence[str]) -> str:
    titles = list(dict.fromkeys(titles))
    more = f" and {len(titles) - 5} more" if len(titles) > 5 else ""
    return ", ".join(titles[:5]) + more


def _packages() -> Iterable[dict[str, Any]]:
    for name in _REQUIRED:
        try:
            yield _check(name, True, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield _check(name, False, "not installed", f"Run: {sys.executable} -m pip install {name}")


def _demucs() -> dict[str, Any]:
    """Whether Demucs can separate here, and with which models."""
    from sfa_kernel.separation.demucs import models, weights
    from sfa_kernel.settings import load_settings

    missing = models.missing()
    if missing:
        hint = f'Run: {sys.executable} -m pip install "demucs>=4.1"'
        detail = f"{' and '.join(missing)} not installed; separates with learned models"
        return _check("demucs", False, detail, hint, required=False)
    try:
        found = weights.status(load_settings().weights_folder)
    except SfaError as error:
        return _check("demucs", False, error.message, error.hint, required=False)
    ready = [status.model for status in found if status.state == "ready"]
    damaged = [status.model for status in found if status.state == "damaged"]
    detail = f"{metadata.version('demucs')} with the weights of {', '.join(ready) or 'no model'}"
    if damaged:
        detail += f"; those of {', '.join(damaged)} are damaged"
    hint = f"Run: sfa weights fetch {damaged[0] if damaged else 'htdemucs'}"
    return _check("demucs", bool(ready) and not damaged, detail, hint, required=False)


def _widgets() -> dict[str, Any]:
    spec = util.find_spec("sfa_widgets")
    folders = spec.submodule_search_locations if spec else None
    built = bool(folders) and all(
        os.path.exists(os.path.join(folders[0], "static", f"{name}.js"))  # type: ignore[index] # checked in this expression
        for name in _FAMILIES
    )
    return _check("widgets", built, "built" if built else "not built", "Run: make js")


def _programs() -> Iterable[dict[str, Any]]:
    for name, (commands, use, hint) in _OPTIONAL.items():
        found = next(filter(None, map(shutil.which, commands)), None)
        yield _check(name, found is not None, found or f"not installed; {use}", hint, required=False)


def _downloads(home: str | os.PathLike[str] | None) -> Iterable[dict[str, Any]]:
    """The programs that download, and how to get those that are missing."""
    from sfa_kernel.settings import load_settings
    from sfa_kernel.sources.downloads import tools

    try:
        settings = load_settings(home=home)
    except SfaError:
        return  # the library's check has said so
    for found in tools.check_all(settings):
        # One that can be used and is too old needs something done, too.
        ok = found.ok and not found.hint
        yield _check(found.name, ok, found.detail, found.hint, required=False)
