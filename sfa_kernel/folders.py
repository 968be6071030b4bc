"""``studio.folders``: folders that songs are imported from, and those of them that are watched."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.audio.text import is_text
from sfa_kernel.catalog import folders as table
from sfa_kernel.catalog import origins
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.pipeline.scan import scan_request
from sfa_kernel.pipeline.stages import parse_stages
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from datetime import datetime

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.folders import FolderRow
    from sfa_kernel.jobs import JobRequest
    from sfa_kernel.library import Library
    from sfa_kernel.runs import Run

__all__ = ["Folder", "Folders"]


@dataclass(frozen=True)
class Folder:
    """A folder that songs are imported from.

    Attributes
    ----------
    id, path
        Which it is, and where.
    watched
        Whether what is put into it comes in by itself, while a program runs this library's jobs.
    reference
        Whether its songs stay where they are; else they are copied.
    stages
        What is done with its new songs.
    scanned_at, problem
        When it was last looked through, and why not all of it could be read.
    tracks, refused
        How many tracks of the library came from it, and how many of its files could not be used.
    """

    id: UUID
    path: Path
    watched: bool
    reference: bool
    stages: tuple[str, ...]
    scanned_at: datetime | None
    problem: str | None
    tracks: int
    refused: int


class Folders(Sequence[Folder]):
    """The folders of a library by path, with what one can do with them.

    Parameters
    ----------
    library
        Whose.
    start
        Queues jobs, and makes a run of them that grows.
    """

    def __init__(self, library: Library, *, start: Callable[[Sequence[JobRequest]], Run]) -> None:
        self._library = library
        self._start = start

    def _all(self) -> list[Folder]:
        with self._library.catalog.read() as connection:
            return [_folder(connection, row) for row in table.listing(connection)]

    def __len__(self) -> int:
        with self._library.catalog.read() as connection:
            return len(table.listing(connection))

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]

    def __iter__(self) -> Iterator[Folder]:
        return iter(self._all())

    def add(
        self,
        path: str | os.PathLike[str],
        *,
        watch: bool = True,
        reference: bool = False,
        stages: str | Sequence[str] = (),
        confined: bool = False,
    ) -> Run:
        """Import a folder with all folders in it, in the background; returns at once.

        Songs that were removed come back. A file that cannot be used harms no other; `refused` lists them.

        Parameters
        ----------
        path
            The folder.
        watch
            Whether what is put into it later comes in by itself. One that is watched already stays so.
        reference
            Whether its songs stay where they are; what browsers do not play is copied even then.
        stages
            What is done with its new songs: some of ``separate``, ``analyze``, ``autocue``.
        confined
            Whether to leave out links in it that lead out of the folders which a page may name (``import_roots``).

        Returns
        -------
        Run
            Grows: what is found is imported by jobs of the same run.

        Raises
        ------
        InputError
            When there is no such folder.
        ParameterError
            When it cannot be imported, or a stage is unknown.
        """
        wanted = parse_stages(stages) if stages else ()
        where = self._checked(path)
        with self._library.catalog.write() as connection:
            row = table.put(connection, where, watched=watch, reference=reference, stages=wanted, confined=confined)
        self._tell()
        return self._start([scan_request(row, asked=True)])

    def _checked(self, path: str | os.PathLike[str]) -> str:
        try:
            where = Path(path).expanduser().resolve()
            if not where.is_dir():
                raise InputError(f"There is no folder {where}.", hint="Check the path.")
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, an unknown user, a NUL
            raise InputError(f"{str(path)!r} cannot be read: {error}.", hint="Check the path.") from error
        if not is_text(str(where)):
            raise ParameterError("The folder's name is in an unknown encoding.", hint="Rename it.")
        if where.is_relative_to(self._library.home):
            raise ParameterError(f"{where} belongs to the library itself.", hint="Choose a folder outside of it.")
        return str(where)

    def scan(self, folder: Folder | UUID | str | os.PathLike[str] | None = None) -> Run:
        """Look for new files in a folder, or in all of them, in the background; returns at once.

        Raises
        ------
        NotFoundError
            When it is not one of them, or there are none.
        """
        with self._library.catalog.read() as connection:
            rows = table.listing(connection) if folder is None else [self._row(connection, folder)]
        if not rows:
            raise NotFoundError("No folder is imported from yet.", hint="Add one.")
        return self._start([scan_request(row, asked=False) for row in rows])

    def watch(self, folder: Folder | UUID | str | os.PathLike[str], watch: bool = True) -> Folder:
        """Let what is put into a folder come in by itself, or not any more.

        Raises
        ------
        NotFoundError
            When it is not one of them.
        """
        with self._library.catalog.write() as connection:
            row = self._row(connection, folder)
            table.set_watched(connection, row.id, watch)
            changed = _folder(connection, table.get(connection, row.id))
        self._tell()
        return changed

    def forget(self, folder: Folder | UUID | str | os.PathLike[str]) -> None:
        """Take a folder off the list. Its songs stay.

        Raises
        ------
        NotFoundError
            When it is not one of them.
        """
        with self._library.catalog.write() as connection:
            table.forget(connection, self._row(connection, folder).id)
        self._tell()

    def refused(self, folder: Folder | UUID | str | os.PathLike[str]) -> Table:
        """The files of a folder that could not be used: ``file`` and ``reason``.

        Raises
        ------
        NotFoundError
            When it is not one of them.
        """
        with self._library.catalog.read() as connection:
            row = self._row(connection, folder)
            found = origins.refused(connection, row.inside)
        return Table({"file": path, "reason": reason} for path, reason in found)

    def _row(self, connection: Connection, folder: Folder | UUID | str | os.PathLike[str]) -> FolderRow:
        if isinstance(folder, Folder | UUID):
            return table.get(connection, folder.id if isinstance(folder, Folder) else folder)
        where = os.path.expanduser(folder)
        row = table.by_path(connection, os.path.abspath(where)) or table.by_path(connection, os.path.realpath(where))
        if row is None:
            raise NotFoundError(f"Songs are not imported from {folder}.", hint="`sfa folders` lists the folders.")
        return row

    def _tell(self) -> None:
        self._library.bus.publish("sources", {"what": ["folders"]})

    def _table(self) -> Table:
        return Table(
            {
                "folder": str(folder.path),
                "watched": folder.watched,
                "songs": "stay there" if folder.reference else "are copied",
                "stages": ", ".join(folder.stages),
                "tracks": folder.tracks,
                "refused": folder.refused,
                "looked through": folder.scanned_at,
                "problem": folder.problem,
            }
            for folder in self
        )

    def __repr__(self) -> str:
        return "\n".join(
            f"{folder.path}: {folder.tracks} tracks{', watched' if folder.watched else ''}"
            + (f"; {folder.problem}" if folder.problem else "")
            for folder in self
        )

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


def _folder(connection: Connection, row: FolderRow) -> Folder:
    tracks, refused = origins.counts(connection, row.inside)
    return Folder(
        id=row.id,
        path=Path(row.path),
        watched=row.watched,
        reference=row.reference,
        stages=tuple(row.stages),
        scanned_at=row.scanned_at,
        problem=row.problem,
        tracks=tracks,
        refused=refused,
    )
