"""Removes what attempts left behind whose process was killed.

An attempt works in a scratch folder. What it moves into the library, and what it is about to remove there, it
notes in that folder first; so whoever finds the folder of a dead attempt knows which files may be orphans, and
the catalogue says which of them are.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from uuid import UUID

from sfa_kernel.catalog import jobs as table
from sfa_kernel.catalog.files import referenced_among
from sfa_kernel.inventory import OWNED
from sfa_kernel.storage import noted_files

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Catalog
    from sfa_kernel.storage import Storage

__all__ = ["sweep"]

NAME = re.compile(r"([0-9a-f-]{36})-(\d+)")
IMPORT_SECONDS = 3600.0  # a folder of attempt 0 belongs to an import, which nobody else can tell alive or dead


def sweep(catalog: Catalog, storage: Storage) -> list[Path]:
    """Remove the scratch folders of attempts that no longer run, with the orphans they noted. Returns the folders."""
    folders = {path: match for path in storage.path("scratch").iterdir() if (match := NAME.fullmatch(path.name))}
    if not folders:
        return []
    # The folders first, the jobs then: a folder exists only after its job began.
    with catalog.read() as connection:
        found = table.get_many(connection, list({UUID(match[1]) for match in folders.values()}))
    running = {(job.id, job.attempt) for job in found if job.status in table.RUNNING}
    dead = [
        path
        for path, match in folders.items()
        if ((UUID(match[1]), int(match[2])) not in running) and (int(match[2]) > 0 or _age(path) > IMPORT_SECONDS)
    ]
    # Of an upload no row says whose it is: the job may be tried again, and the nightly cleanup knows when not.
    names = {name for path in dead for name in noted_files(path) if name.partition("/")[0] in OWNED}
    if names:
        with catalog.read() as connection:
            names -= referenced_among(connection, names)
        for name in names:
            storage.discard(storage.home / name)
    for path in dead:
        storage.discard(path)
    return dead


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
