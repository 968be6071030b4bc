"""A library, opened: its ground (settings, storage, catalogue, events, jobs), and its tracks as objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import Catalog, analyses, tracks
from sfa_kernel.catalog import cues as cue_table
from sfa_kernel.catalog import stems as stem_table
from sfa_kernel.events import EventBus
from sfa_kernel.jobs import Ledger
from sfa_kernel.pipeline import queue_limits
from sfa_kernel.storage import Storage
from sfa_kernel.tables import Table
from sfa_kernel.webhooks import Outbox

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.catalog.tracks import TrackRow
    from sfa_kernel.settings import Settings

__all__ = ["Imported", "Library", "Track", "Tracks", "clock"]


class Library:
    """The ground of one library.

    Parameters
    ----------
    settings
        The settings in force; ``settings.home`` is made when missing.

    Raises
    ------
    SetupError
        When folder or catalogue cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.storage = Storage(settings.home)
        self.catalog = Catalog.open(self.storage.home, busy_timeout=settings.busy_timeout)
        self.bus = EventBus(self.storage.path("events"), retention=settings.event_retention)
        self.ledger = Ledger(self.catalog, self.bus, limits=queue_limits(settings))
        self.ledger.observers.append(Outbox(self.ledger))

    @property
    def home(self) -> Path:
        """The storage root."""
        return self.storage.home


@dataclass(frozen=True, eq=False)
class Track:
    """One song of the library. What can change is read from the catalogue when it is asked for."""

    library: Library
    row: TrackRow

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.row.id

    @property
    def title(self) -> str:
        """Title, from the tags or the file's name."""
        return self.row.title

    @property
    def artist(self) -> str:
        """Artist; empty when unknown."""
        return self.row.artist

    @property
    def duration(self) -> float:
        """Length [s]."""
        return self.row.duration

    @property
    def path(self) -> Path:
        """Its audio file in the library."""
        return self.library.storage.path(self.row.file)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Track) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        by = f" by {self.artist}" if self.artist else ""
        return f"<Track {self.title!r}{by}, {clock(self.duration)}>"

    @property
    def analysis(self) -> dict[str, Any] | None:
        """Everything the analysis found (``bpm``, ``beats``, ``key``, ``sections``, ...), or None."""
        with self.library.catalog.read() as connection:
            row = analyses.find(connection, self.id)
        if row is None:
            return None
        document: dict[str, Any] = json.loads(self.library.storage.path(row.file).read_text("utf-8"))
        return document

    @property
    def separation(self) -> stem_table.SeparationRow | None:
        """Its newest separation: engine, model, residual; or None."""
        with self.library.catalog.read() as connection:
            return stem_table.latest(connection, self.id)

    @property
    def stem_rows(self) -> list[stem_table.StemRow]:
        """The rows of its newest stems."""
        with self.library.catalog.read() as connection:
            separation = stem_table.latest(connection, self.id)
            return stem_table.of_separation(connection, separation.id) if separation else []

    @property
    def stems(self) -> dict[str, Path]:
        """The audio files of its stems by name; empty before it is separated."""
        return {row.name: self.library.storage.path(row.file) for row in self.stem_rows}

    @property
    def cues(self) -> list[cue_table.CueRow]:
        """Its cues, in order of time."""
        with self.library.catalog.read() as connection:
            return cue_table.of_track(connection, self.id)

    @property
    def jobs(self) -> list[JobRow]:
        """Its jobs, the newest first."""
        return self.library.ledger.jobs(track_id=self.id)

    def samples(self, *, sample_rate: int | None = None, mono: bool = False) -> tuple[Any, int]:
        """Its sound as float32 [shape=(channels, n)] and the sample rate [Hz]."""
        from sfa_kernel import audio

        return audio.decode(self.path, sample_rate=sample_rate, mono=mono)


class Tracks(Sequence[Track]):
    """The tracks of a library, read when they are asked for.

    Parameters
    ----------
    library
        Whose.
    query
        Words that must occur in title, artist, album or genre.
    sort, descending
        The order; see `sfa_kernel.catalog.tracks.SORTS`.
    """

    def __init__(self, library: Library, query: str = "", *, sort: str = "added_at", descending: bool = False) -> None:
        self._library = library
        self._query = query
        self._sort = sort
        self._descending = descending

    def search(self, query: str) -> Tracks:
        """Those in which all these words occur; case and accents do not matter."""
        return Tracks(self._library, query, sort=self._sort, descending=self._descending)

    def sorted(self, sort: str, *, descending: bool = False) -> Tracks:
        """The same in another order."""
        return Tracks(self._library, self._query, sort=sort, descending=descending)

    def __len__(self) -> int:
        with self._library.catalog.read() as connection:
            return tracks.count(connection, query=self._query)

    def _ids(self, connection: Connection, offset: int, limit: int | None) -> list[UUID]:
        return tracks.page(
            connection,
            query=self._query,
            sort=self._sort,
            descending=self._descending,
            offset=offset,
            limit=limit,
        )

    def _rows(self, offset: int, limit: int | None) -> list[Track]:
        with self._library.catalog.read() as connection:
            rows = tracks.get_many(connection, self._ids(connection, offset, limit))
        return [Track(self._library, row) for row in rows]

    def __iter__(self) -> Iterator[Track]:
        return iter(self._rows(0, None))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._rows(0, None)[index]
        position = index + len(self) if index < 0 else index
        found = self._rows(position, 1) if position >= 0 else []
        if not found:
            raise IndexError(f"The library has no track number {index}.")
        return found[0]

    def summaries(self, *, offset: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """What a list shows of each; see `sfa_kernel.catalog.tracks.summaries`."""
        with self._library.catalog.read() as connection:
            return tracks.summaries(connection, self._ids(connection, offset, limit))

    def __repr__(self) -> str:
        return f"<{len(self)} tracks>"

    def _repr_html_(self) -> str:
        rows = [
            {
                "title": row["title"],
                "artist": row["artist"],
                "tempo": row["bpm"] and f"{row['bpm']:.2f}",
                "key": row["camelot"] and f"{row['camelot']} · {row['key']}",
                "energy": row["energy"],
                "LUFS": row["lufs"] and f"{row['lufs']:.1f}",
                "time": clock(row["duration"]),
                "stems": ", ".join(row["stems"]),
            }
            for row in self.summaries(limit=50)
        ]
        return Table(rows)._repr_html_()


class Imported(list[Track]):
    """What `Studio.add` brought in: a list of tracks, with what was new and what could not be used."""

    def __init__(self, library: Library) -> None:
        super().__init__()
        self._library = library
        self.new: list[bool] = []
        self.paths: list[Path] = []
        self.errors: list[tuple[Path, str]] = []

    def take(self, path: Path, imported: Any) -> None:
        """Note one file that is in the library now."""
        self.append(Track(self._library, imported.track))
        self.new.append(imported.new)
        self.paths.append(path)

    def __repr__(self) -> str:
        known = len(self) - sum(self.new)
        text = f"{sum(self.new)} new tracks"
        text += f", {known} known already" if known else ""
        return f"<{text}{f', {len(self.errors)} files not usable' if self.errors else ''}>"


def clock(seconds: float) -> str:
    """A length as people read it: ``3:07``, ``1:02:45``."""
    total = round(seconds)
    hours, rest = divmod(total, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
