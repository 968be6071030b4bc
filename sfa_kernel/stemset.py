"""A set of stems as a person holds it: what one separation made of a track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import stems as table

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.library import Library
    from sfa_kernel.separation.report import Report

__all__ = ["StemSet"]


class StemSet:
    """What one separation made of a track, or of a region of it.

    Parameters
    ----------
    library, row
        The set, and whose it is.
    """

    def __init__(self, library: Library, row: table.SeparationRow) -> None:
        self._library = library
        self.row = row

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.row.id

    @property
    def engine(self) -> str:
        """Name of the engine that made it."""
        return self.row.engine

    @property
    def model(self) -> str:
        """Name of its model; empty when the engine has but one."""
        return self.row.model

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the engine."""
        return self.row.settings

    @property
    def device(self) -> str:
        """What it ran on; empty when nobody noted it."""
        return self.row.device

    @property
    def seconds(self) -> float | None:
        """How long it took [s]."""
        return self.row.seconds

    @property
    def minutes(self) -> float | None:
        """Minutes that a service billed; None where nothing was."""
        return self.row.minutes

    @property
    def residual_db(self) -> float:
        """Energy of the mix minus the sum of its stems, relative to the mix [dB]."""
        return self.row.residual_db

    @property
    def preview(self) -> bool:
        """Whether it is of a region only."""
        return self.row.preview

    @property
    def created_at(self) -> datetime:
        """When it was made."""
        return self.row.created_at

    @property
    def badge(self) -> str:
        """What it says of itself where it shows: engine and model."""
        from sfa_kernel.separation import engine

        return engine(self.row.engine).badge(self.row.model)

    @property
    def draft(self) -> bool:
        """Whether it is a draft, and no more."""
        from sfa_kernel.separation import engine

        return engine(self.row.engine).draft

    @property
    def region(self) -> tuple[float, float] | None:
        """Start and end of what it is of [s]; None for the whole song."""
        return None if self.row.start is None or self.row.end is None else (self.row.start, self.row.end)

    @property
    def rows(self) -> list[table.StemRow]:
        """The rows of its stems, in the mixer's order."""
        with self._library.catalog.read() as connection:
            return table.of_separation(connection, self.row.id)

    @property
    def stems(self) -> dict[str, Path]:
        """The audio files of its stems by name; of a region also its "mix"."""
        return {row.name: self._library.storage.path(row.file) for row in self.rows}

    @property
    def report(self) -> Report | None:
        """How good it is, as far as that can be told without the truth; None where nobody measured it."""
        from sfa_kernel.separation.report import Report

        return None if self.row.report is None else Report.from_dict(self.row.report)

    @property
    def in_use(self) -> bool:
        """Whether it is the one that is played."""
        with self._library.catalog.read() as connection:
            used = table.in_use(connection, self.row.track_id)
        return used is not None and used.id == self.row.id

    def use(self) -> None:
        """Play this set from now on, and take cues and exports from it.

        Raises
        ------
        NotFoundError
            When it is of a region only, or removed.
        """
        with self._library.catalog.write() as connection:
            table.choose(connection, self.row.id)
        self._tell()

    def remove(self) -> None:
        """Take it away; `restore` brings it back until a cleanup removes it for good.

        Raises
        ------
        NotFoundError
            When it is gone.
        """
        with self._library.catalog.write() as connection:
            table.remove(connection, self.row.id)
        self._tell()

    def restore(self) -> None:
        """Bring it back after `remove`.

        Raises
        ------
        NotFoundError
            When it is gone for good.
        """
        with self._library.catalog.write() as connection:
            table.restore(connection, self.row.id)
        self._tell()

    def _tell(self) -> None:
        self._library.bus.publish("library", {"stems": [str(self.row.track_id)]})

    def __repr__(self) -> str:
        region = "" if self.region is None else f", {self.region[0]:g}-{self.region[1]:g} s"
        return f"<{self.badge}: {', '.join(row.name for row in self.rows)}{region}>"
