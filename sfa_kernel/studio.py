"""Studio: the one object a person holds, here without a screen.

In a notebook it also shows itself: `sfa_kernel.Studio` is `sfa_kernel.panels.Studio`.

>>> studio = Studio.open()                          # doctest: +SKIP
>>> song = studio.add("song.mp3")[0]                # doctest: +SKIP
>>> await studio.run(song)                          # doctest: +SKIP
>>> song.analysis["bpm"], song.stems                # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import atexit
import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self
from uuid import UUID

from sfa_kernel import pipeline
from sfa_kernel.catalog import Catalog, analyses, tracks
from sfa_kernel.catalog import cues as cue_table
from sfa_kernel.catalog import stems as stem_table
from sfa_kernel.catalog.jobs import ACTIVE, JobRow
from sfa_kernel.catalog.rows import fetch
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.events import EventBus
from sfa_kernel.jobs import Ledger, Runner
from sfa_kernel.pipeline.importing import audio_files, import_file
from sfa_kernel.settings import Settings, load_settings
from sfa_kernel.storage import Storage

if TYPE_CHECKING:
    import os
    from collections.abc import Generator

    from sfa_kernel.catalog.tracks import TrackRow

__all__ = ["Imported", "Jobs", "Run", "Studio", "Table", "Track", "Tracks"]


class Studio:
    """A library and everything one can do with it; use `Studio.open`.

    Parameters
    ----------
    settings
        The settings in force.
    """

    run_type: ClassVar[type[Run]]

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.storage = Storage(settings.home)
        self.catalog = Catalog.open(self.storage.home, busy_timeout=settings.busy_timeout)
        self.bus = EventBus(self.storage.path("events"), retention=settings.event_retention)
        self.ledger = Ledger(self.catalog, self.bus)
        self._runner = Runner(
            self.ledger,
            self.storage,
            pipeline.KINDS,
            pipeline.queue_limits(settings),
            heartbeat_timeout=settings.heartbeat_timeout,
        )
        atexit.register(self.close)

    @classmethod
    def open(cls, home: str | os.PathLike[str] | None = None, *, run_jobs: bool | None = None) -> Self:
        """Open the library at ``home``, made when missing; without one, the library of the settings.

        Parameters
        ----------
        home
            The library's folder.
        run_jobs
            Whether this studio runs the jobs it queues; as the settings say when not given.

        Raises
        ------
        SetupError
            When settings, folder or catalogue cannot be used.
        """
        settings = load_settings(home=home)
        return cls(settings if run_jobs is None else replace(settings, run_jobs=run_jobs))

    @property
    def home(self) -> Path:
        """The storage root."""
        return self.storage.home

    def __repr__(self) -> str:
        return f"Studio({str(self.home)!r}, {len(self.tracks)} tracks)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop this studio's background work; unfinished jobs wait for the next runner."""
        self._runner.stop()
        atexit.unregister(self.close)

    # -- tracks ----------------------------------------------------------------------------------------------

    @property
    def tracks(self) -> Tracks:
        """All tracks, the first added first."""
        return Tracks(self)

    def track(self, track_id: str | UUID) -> Track:
        """One track, by its id or the unambiguous beginning of it.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        with self.catalog.read() as connection:
            return Track(self, tracks.get(connection, self._resolve(connection, track_id)))

    def _resolve(self, connection: Any, track_id: str | UUID) -> UUID:
        if isinstance(track_id, UUID):
            return track_id
        try:
            return UUID(track_id)
        except ValueError:
            pass
        found = connection.execute(
            "SELECT id FROM tracks WHERE removed_at IS NULL AND starts_with(id::VARCHAR, ?) LIMIT 2",
            [track_id.lower()],
        ).fetchall()
        if len(found) != 1 or not track_id:
            many = "No track has" if not found else "Several tracks have"
            raise NotFoundError(f"{many} an id that begins with {track_id!r}.", hint="`sfa tracks` lists them.")
        return UUID(str(found[0][0]))

    def add(self, *paths: str | os.PathLike[str]) -> Imported:
        """Bring files and folders into the library; the originals stay as they are.

        Files that cannot be used are listed in ``.errors`` of the result.

        Raises
        ------
        InputError
            When a single file was named and cannot be used.
        """
        imported = Imported(self)
        single = len(paths) == 1 and not Path(paths[0]).expanduser().is_dir()
        for path in audio_files(paths):
            try:
                imported.take(path, import_file(self.catalog, self.storage, path))
            except InputError as error:
                if single:
                    raise
                imported.errors.append((path, str(error)))
        if imported:
            self.bus.publish("library", {"added": [str(track.id) for track in imported]})
        return imported

    def remove(self, *chosen: Track | str | UUID) -> list[UUID]:
        """Take tracks out of the library and stop their jobs; `restore` brings them back."""
        ids = self._ids(chosen)
        with self.catalog.write() as connection:
            removed = tracks.remove(connection, ids)
        active = [job.id for job in self.ledger.jobs(active=True) if job.track_id in removed]
        self.ledger.cancel(active)
        self.bus.publish("library", {"removed": [str(i) for i in removed]})
        return removed

    def restore(self, *chosen: Track | str | UUID) -> list[UUID]:
        """Bring removed tracks back."""
        ids = [c.id if isinstance(c, Track) else UUID(str(c)) for c in chosen]
        with self.catalog.write() as connection:
            restored = tracks.restore(connection, ids)
        self.bus.publish("library", {"added": [str(i) for i in restored]})
        return restored

    def _ids(self, chosen: Sequence[Track | str | UUID]) -> list[UUID]:
        with self.catalog.read() as connection:
            return [c.id if isinstance(c, Track) else self._resolve(connection, c) for c in chosen]

    # -- work ------------------------------------------------------------------------------------------------

    def run(
        self,
        chosen: Track | str | UUID | Sequence[Track | str | UUID] | None = None,
        *,
        stages: str | Sequence[str] = pipeline.STAGES,
        engine: str = "draft",
        force: bool = False,
    ) -> Run:
        """Let stages work on tracks in the background; returns at once.

        Parameters
        ----------
        chosen
            One track or several; all of the library when none is named.
        stages
            Some of ``separate``, ``analyze``, ``autocue``.
        engine
            What separates.
        force
            Do again what has been done.

        Raises
        ------
        ParameterError
            When a stage or engine is unknown.
        NotFoundError
            When a track is.
        """
        from sfa_kernel import separation

        names = pipeline.parse_stages(stages)
        separation.engine(engine)
        if chosen is None:
            chosen = list(self.tracks)
        elif isinstance(chosen, (Track, str, UUID)):
            chosen = [chosen]
        ids = self._ids(chosen)
        with self.catalog.write() as connection:
            jobs = [
                job
                for track_id in ids
                for job in pipeline.enqueue(connection, self.ledger, track_id, stages=names, engine=engine, force=force)
            ]
        self.ledger.publish(*jobs)
        if self.settings.run_jobs:
            self._runner.start()
        return self.run_type(self, [job.id for job in jobs])

    def work(self, run: Run | None = None) -> None:
        """Run jobs in the background of this process, whoever queues them; or those of one run alone."""
        self._runner.start(only=None if run is None else run.ids)

    @property
    def jobs(self) -> Jobs:
        """The newest jobs."""
        return Jobs(self)

    # -- questions -------------------------------------------------------------------------------------------

    def sql(self, query: str, parameters: Sequence[object] = ()) -> Table:
        """Ask the catalogue in SQL; nothing can be changed that way.

        Raises
        ------
        ParameterError
            When DuckDB does not understand or refuses the query.
        """
        import duckdb

        with self.catalog.read() as connection:
            try:
                return Table(fetch(connection, query, list(parameters)))
            except duckdb.Error as error:
                raise ParameterError(str(error).strip().splitlines()[0]) from error


@dataclass(frozen=True, eq=False)
class Track:
    """One song of the library. What can change is read from the catalogue when it is asked for."""

    studio: Studio
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
        return self.studio.storage.path(self.row.file)

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
        with self.studio.catalog.read() as connection:
            row = analyses.find(connection, self.id)
        if row is None:
            return None
        document: dict[str, Any] = json.loads(self.studio.storage.path(row.file).read_text("utf-8"))
        return document

    @property
    def separation(self) -> stem_table.SeparationRow | None:
        """Its newest separation: engine, model, residual; or None."""
        with self.studio.catalog.read() as connection:
            return stem_table.latest(connection, self.id)

    @property
    def stem_rows(self) -> list[stem_table.StemRow]:
        """The rows of its newest stems."""
        with self.studio.catalog.read() as connection:
            separation = stem_table.latest(connection, self.id)
            return stem_table.of_separation(connection, separation.id) if separation else []

    @property
    def stems(self) -> dict[str, Path]:
        """The audio files of its stems by name; empty before it is separated."""
        return {row.name: self.studio.storage.path(row.file) for row in self.stem_rows}

    @property
    def cues(self) -> list[cue_table.CueRow]:
        """Its cues, in order of time."""
        with self.studio.catalog.read() as connection:
            return cue_table.of_track(connection, self.id)

    @property
    def jobs(self) -> list[JobRow]:
        """Its jobs, the newest first."""
        return self.studio.ledger.jobs(track_id=self.id)

    def samples(self, *, sample_rate: int | None = None, mono: bool = False) -> tuple[Any, int]:
        """Its sound as float32 [shape=(channels, n)] and the sample rate [Hz]."""
        from sfa_kernel import audio

        return audio.decode(self.path, sample_rate=sample_rate, mono=mono)


class Tracks(Sequence[Track]):
    """The tracks of a library, read when they are asked for.

    Parameters
    ----------
    studio
        Whose.
    query
        Words that must occur in title, artist, album or genre.
    sort, descending
        The order; see `sfa_kernel.catalog.tracks.SORTS`.
    """

    def __init__(self, studio: Studio, query: str = "", *, sort: str = "added_at", descending: bool = False) -> None:
        self._studio = studio
        self._query = query
        self._sort = sort
        self._descending = descending

    def search(self, query: str) -> Tracks:
        """Those in which all these words occur; case and accents do not matter."""
        return Tracks(self._studio, query, sort=self._sort, descending=self._descending)

    def sorted(self, sort: str, *, descending: bool = False) -> Tracks:
        """The same in another order."""
        return Tracks(self._studio, self._query, sort=sort, descending=descending)

    def __len__(self) -> int:
        with self._studio.catalog.read() as connection:
            return tracks.count(connection, query=self._query)

    def _rows(self, offset: int, limit: int | None) -> list[Track]:
        with self._studio.catalog.read() as connection:
            ids = tracks.page(
                connection,
                query=self._query,
                sort=self._sort,
                descending=self._descending,
                offset=offset,
                limit=limit,
            )
            return [Track(self._studio, row) for row in tracks.get_many(connection, ids)]

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
        with self._studio.catalog.read() as connection:
            ids = tracks.page(
                connection,
                query=self._query,
                sort=self._sort,
                descending=self._descending,
                offset=offset,
                limit=limit,
            )
            return tracks.summaries(connection, ids)

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
                "stems": ", ".join(row["stems"] or []),
            }
            for row in self.summaries(limit=50)
        ]
        return Table(rows)._repr_html_()


class Imported(list[Track]):
    """What `Studio.add` brought in: a list of tracks, with what was new and what could not be used."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.new: list[bool] = []
        self.paths: list[Path] = []
        self.errors: list[tuple[Path, str]] = []

    def take(self, path: Path, imported: Any) -> None:
        """Note one file that is in the library now."""
        self.append(Track(self._studio, imported.track))
        self.new.append(imported.new)
        self.paths.append(path)

    def __repr__(self) -> str:
        known = len(self) - sum(self.new)
        text = f"{sum(self.new)} new tracks"
        text += f", {known} known already" if known else ""
        return f"<{text}{f', {len(self.errors)} files not usable' if self.errors else ''}>"


class Run:
    """Jobs that were queued together: can be watched, cancelled, waited for and awaited.

    Parameters
    ----------
    studio, ids
        The jobs.
    """

    def __init__(self, studio: Studio, ids: Sequence[UUID]) -> None:
        self._studio = studio
        self.ids = list(ids)

    @property
    def jobs(self) -> list[JobRow]:
        """The jobs as they stand."""
        return self._studio.ledger.jobs(self.ids)

    @property
    def done(self) -> bool:
        """Whether all have ended, one way or another."""
        return all(job.status not in ACTIVE for job in self.jobs)

    def wait(self, timeout: float | None = None) -> Run:
        """Wait until all have ended, or for ``timeout`` seconds."""
        self._studio.ledger.wait(self.ids, timeout=timeout)
        return self

    def cancel(self) -> None:
        """Stop those that have not ended."""
        self._studio.ledger.cancel(self.ids)

    def __await__(self) -> Generator[Any, None, Run]:
        return asyncio.to_thread(self.wait).__await__()

    def __repr__(self) -> str:
        jobs = self.jobs
        ended = [job for job in jobs if job.status not in ACTIVE]
        failed = sum(job.status == "failed" for job in jobs)
        return f"<Run: {len(ended)} of {len(jobs)} jobs done{f', {failed} failed' if failed else ''}>"


Studio.run_type = Run


class Jobs(Sequence[JobRow]):
    """The newest jobs of a library, with what one can do with them."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def _rows(self) -> list[JobRow]:
        return self._studio.ledger.jobs()

    def __len__(self) -> int:
        return len(self._rows())

    def __getitem__(self, index: Any) -> Any:
        return self._rows()[index]

    def __iter__(self) -> Iterator[JobRow]:
        return iter(self._rows())

    def cancel(self, *ids: UUID) -> list[JobRow]:
        """Stop these jobs, and those that need them."""
        return self._studio.ledger.cancel(ids)

    def retry(self, *ids: UUID) -> list[JobRow]:
        """Queue these failed or cancelled jobs again."""
        changed = self._studio.ledger.retry(ids)
        if self._studio.settings.run_jobs:
            self._studio.work()
        return changed

    def __repr__(self) -> str:
        return "\n".join(
            f"{job.kind:9} {job.status:10} {job.progress:3d} %  {job.error or ''}".rstrip() for job in self._rows()
        )


class Table(list[dict[str, Any]]):
    """Rows of a question to the catalogue; a table in a notebook."""

    def _repr_html_(self) -> str:
        if not self:
            return "<em>no rows</em>"
        head = "".join(f"<th>{html.escape(str(name))}</th>" for name in self[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape('' if v is None else str(v))}</td>" for v in row.values()) + "</tr>"
            for row in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def clock(seconds: float) -> str:
    """A length as people read it: ``3:07``, ``1:02:45``."""
    total = round(seconds)
    hours, rest = divmod(total, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
