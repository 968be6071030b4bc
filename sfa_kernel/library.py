"""A library, opened: its ground (settings, storage, catalogue, events, jobs), and its tracks as objects."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel.catalog import Catalog, analyses, tracks
from sfa_kernel.catalog import corrections as correction_table
from sfa_kernel.catalog import cues as cue_table
from sfa_kernel.catalog import loops as loop_table
from sfa_kernel.catalog import stems as stem_table
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.events import EventBus
from sfa_kernel.hotcues import HotCues
from sfa_kernel.jobs import Ledger
from sfa_kernel.pipeline import queue_limits
from sfa_kernel.pipeline.cloud import Abandon
from sfa_kernel.pipeline.likeness import remember
from sfa_kernel.pipeline.lookup import LoginNews
from sfa_kernel.pipeline.originals import present
from sfa_kernel.stemset import StemSet
from sfa_kernel.storage import Storage
from sfa_kernel.tables import Table
from sfa_kernel.webhooks import Outbox

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.analysis import Analysis
    from sfa_kernel.analysis.explain import Explanation
    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.catalog.tracks import TrackRow
    from sfa_kernel.settings import Settings

__all__ = ["Imported", "Library", "Track", "Tracks", "clock"]

OWN_CUE, OWN_COLOR = "cue", "#e8ecf1"  # what a person marks without saying what it is


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
        self.ledger.observers += [Outbox(self.ledger), Abandon(self.ledger), LoginNews(self.ledger)]

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
        """Its audio file: in the library, or where it was left when it was added."""
        storage = self.library.storage
        path = self.row.path(storage)
        if path.is_file():
            return path
        with self.library.catalog.read() as connection:  # it may have been found again somewhere else
            return tracks.sound(connection, self.id, storage) or path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Track) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        by = f" by {self.artist}" if self.artist else ""
        return f"<Track {self.title!r}{by}, {clock(self.duration)}>"

    @property
    def analysis(self) -> Analysis | None:
        """Everything the analysis found (``tempo``, ``beats``, ``key``, ``sections``, ...), or None.

        What a person has put right is in it, and named in ``corrected``. Its ``curves`` are read when they are
        asked for.

        Raises
        ------
        InputError
            When its file is gone or damaged.
        """
        from sfa_kernel.analysis.corrections import apply

        with self.library.catalog.read() as connection:
            row = analyses.find(connection, self.id)
            made = correction_table.of_track(connection, self.id)
        return None if row is None else apply(self._found(row), made)

    @property
    def automatic_analysis(self) -> Analysis | None:
        """What the machine found, without a person's corrections; or None.

        Raises
        ------
        InputError
            When its file is gone or damaged.
        """
        with self.library.catalog.read() as connection:
            row = analyses.find(connection, self.id)
        return None if row is None else self._found(row)

    def _found(self, row: analyses.AnalysisRow) -> Analysis:
        from sfa_kernel.analysis import Analysis

        storage = self.library.storage
        try:
            return Analysis.load(storage.path(row.file), storage.path(row.curves) if row.curves else None)
        except InputError as error:
            # among many tracks, which one
            raise InputError(
                f"The analysis of {self.title!r} cannot be read.", hint="Analyse the track again."
            ) from error

    def explain(self, topic: str) -> Explanation:
        """Why a number of the analysis is what it is; see `sfa_kernel.analysis.Analysis.explain`.

        Raises
        ------
        NotFoundError
            When the track has no analysis.
        ParameterError
            When there is no such topic.
        """
        analysis = self.analysis
        if analysis is None:
            raise self._not_analysed()
        return analysis.explain(topic)

    @property
    def corrections(self) -> list[correction_table.CorrectionRow]:
        """What a person has put right in its analysis, in order."""
        with self.library.catalog.read() as connection:
            return correction_table.of_track(connection, self.id)

    def correct(self, kind: str, **value: Any) -> Analysis:
        """Put the analysis right by hand; every later analysis is corrected alike.

        Parameters
        ----------
        kind, value
            ``"grid"`` with ``tempo`` [BPM] and ``first_beat`` [s], or with one of ``scale`` (0.5 or 2), ``shift``
            [s], ``downbeat`` [s], ``beats_per_bar`` (3 or 4) and ``pin`` [s]; ``"key"`` with ``key="A minor"``;
            ``"sections"`` with ``sections=[{"start": 0.0, "end": 15.1, "label": "intro"}, ...]``, all of them.

        Returns
        -------
        Analysis
            With the correction.

        Raises
        ------
        NotFoundError
            When the track has no analysis.
        ParameterError
            When the correction does not fit the song.

        Examples
        --------
        >>> track.correct("grid", tempo=127.35, first_beat=0.12)     # doctest: +SKIP
        >>> track.correct("key", key="A minor")                      # doctest: +SKIP
        """
        from sfa_kernel.analysis.corrections import apply, correct, plain

        entry = plain(value)
        with self.library.catalog.write() as connection:
            row = self._analysis_row(connection)
            before = apply(self._found(row), correction_table.of_track(connection, self.id))
            analysis = correct(before, kind, entry)
            correction_table.insert(connection, self.id, kind, entry)
            analyses.summarize(connection, self.id, analysis.to_dict())
            remember(connection, self.id, analysis)
        self._tell("corrected")
        return analysis

    def undo_correction(self) -> Analysis:
        """Take back the last correction.

        Returns
        -------
        Analysis
            Without it.

        Raises
        ------
        NotFoundError
            When there is no correction or no analysis.
        """
        from sfa_kernel.analysis.corrections import apply

        with self.library.catalog.write() as connection:
            row = self._analysis_row(connection)
            if correction_table.undo(connection, self.id) is None:
                raise NotFoundError("This analysis has no correction to take back.")
            analysis = apply(self._found(row), correction_table.of_track(connection, self.id))
            analyses.summarize(connection, self.id, analysis.to_dict())
            remember(connection, self.id, analysis)
        self._tell("corrected")
        return analysis

    def _analysis_row(self, connection: Connection) -> analyses.AnalysisRow:
        row = analyses.find(connection, self.id)
        if row is None:
            raise self._not_analysed()
        return row

    def _not_analysed(self) -> NotFoundError:
        return NotFoundError(f"{self.title!r} has no analysis yet.", hint="Run the stage analyze first.")

    def _tell(self, what: str) -> None:
        self.library.bus.publish("library", {what: [str(self.id)]})

    @property
    def separation(self) -> StemSet | None:
        """The set of stems in use: the one a person chose, else the newest of the whole song; None without one."""
        with self.library.catalog.read() as connection:
            row = stem_table.in_use(connection, self.id)
        return None if row is None else StemSet(self.library, row)

    @property
    def separations(self) -> list[StemSet]:
        """All its sets of stems, previews of regions included, the newest first."""
        with self.library.catalog.read() as connection:
            return [StemSet(self.library, row) for row in stem_table.of_track(connection, self.id)]

    @property
    def stems(self) -> dict[str, Path]:
        """The audio files of the stems in use by name; empty before it is separated."""
        used = self.separation
        return {} if used is None else used.stems

    @property
    def cues(self) -> list[cue_table.CueRow]:
        """Its cues, in order of time."""
        with self.library.catalog.read() as connection:
            return cue_table.of_track(connection, self.id)

    @property
    def loops(self) -> list[loop_table.LoopRow]:
        """Stretches of 4, 8 and 16 bars that repeat well: of the song, then of each stem, the best first."""
        with self.library.catalog.read() as connection:
            return loop_table.of_track(connection, self.id)

    @property
    def hot_cues(self) -> HotCues:
        """Its hot cues by their slots, 1 to 8: to set, clear, bring back, and fill from the cues that were found."""
        return HotCues(self)

    def add_cue(self, time: float, label: str = "", type: str = "cue") -> cue_table.CueRow:  # noqa: A002 - a cue's word
        """Add a cue of one's own; the stage autocue leaves it alone.

        Parameters
        ----------
        time
            In seconds.
        label
            A few words; when empty, the type says it.
        type
            ``"cue"``, or a type of the automatic ones: ``"intro"``, ``"vocal"``, ``"build"``, ``"drop"``, ``"break"``,
            ``"loop"``, ``"outro"``.

        Raises
        ------
        ParameterError
            When the time is outside of the song, or there is no such type.
        """
        _check_cue_type(type)
        cue = cue_table.CueRow(
            id=uuid4(),
            track_id=self.id,
            time=self._cue_time(time),
            type=type,
            label=_cue_label(label, type),
            color=_cue_color(type),
            confidence=1.0,
            reason="",
            origin="person",
        )
        with self.library.catalog.write() as connection:
            tracks.get(connection, self.id)
            cue_table.insert(connection, cue)
        self._tell("cues")
        return cue

    def change_cue(
        self,
        cue: cue_table.CueRow | UUID | str,
        *,
        time: float | None = None,
        label: str | None = None,
        type: str | None = None,  # noqa: A002 - a cue's word
    ) -> cue_table.CueRow:
        """Change a cue, which makes it one's own: the stage autocue leaves it alone from now on.

        Parameters
        ----------
        cue
            One of `cues`, or its id.
        time, label, type
            What to change; see `add_cue`.

        Raises
        ------
        NotFoundError
            When the track has no such cue.
        ParameterError
            When the time is outside of the song, or there is no such type.
        """
        changes: dict[str, Any] = {}
        at = None if time is None else self._cue_time(time)
        if type is not None:
            _check_cue_type(type)
            changes |= {"type": type, "color": _cue_color(type)}
        with self.library.catalog.write() as connection:
            before = self._cue(connection, cue)
            if at is not None:  # a loop goes along
                end = None if before.end is None else self._cue_time(before.end + at - before.time)
                changes |= {"time": at, "end": end}
            if label is not None:
                changes["label"] = _cue_label(label, changes.get("type", before.type))
            changed = replace(before, **changes, origin="person", confidence=1.0)
            cue_table.change(connection, changed)
        self._tell("cues")
        return changed

    def remove_cue(self, cue: cue_table.CueRow | UUID | str) -> None:
        """Take a cue away. An automatic one comes back when the stage autocue is forced, and not before.

        Parameters
        ----------
        cue
            One of `cues`, or its id.

        Raises
        ------
        NotFoundError
            When the track has no such cue.
        """
        with self.library.catalog.write() as connection:
            cue_table.remove(connection, self._cue(connection, cue).id)
        self._tell("cues")

    def _cue(self, connection: Connection, cue: cue_table.CueRow | UUID | str) -> cue_table.CueRow:
        try:
            identifier = cue.id if isinstance(cue, cue_table.CueRow) else UUID(str(cue))
        except ValueError:
            raise ParameterError(f"{cue!r} is no id of a cue.", hint="Name one of the track's cues.") from None
        found = cue_table.get(connection, identifier)
        if found.track_id != self.id:
            raise NotFoundError("That cue belongs to another track.")
        return found

    def _cue_time(self, time: float) -> float:
        try:
            seconds = float(time)
        except (TypeError, ValueError):
            seconds = math.nan
        if not 0 <= seconds <= self.duration:
            raise ParameterError(
                f"A cue at {time!r} s is outside of the song, which lasts {self.duration:.3f} s.",
                hint="Name a time inside of it.",
            )
        return seconds

    @property
    def jobs(self) -> list[JobRow]:
        """Its jobs, the newest first."""
        return self.library.ledger.jobs(track_id=self.id)

    def samples(self, *, sample_rate: int | None = None, mono: bool = False) -> tuple[Any, int]:
        """Its sound as float32 [shape=(channels, n)] and the sample rate [Hz].

        Raises
        ------
        NotFoundError
            When its file is outside of the library and not there any more.
        """
        from sfa_kernel import audio

        return audio.decode(present(self.path), sample_rate=sample_rate, mono=mono)


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


def _check_cue_type(name: str) -> None:
    from sfa_kernel.analysis.cues import COLORS

    if name not in COLORS and name != OWN_CUE:
        raise ParameterError(f"There is no cue of type {name!r}.", hint=f"Choose from {', '.join((OWN_CUE, *COLORS))}.")


def _cue_label(label: str, name: str) -> str:
    """What a person calls a cue; where that is nothing, its type says it."""
    return str(label or "").strip() or name.capitalize()


def _cue_color(name: str) -> str:
    from sfa_kernel.analysis.cues import COLORS

    return COLORS.get(name, OWN_COLOR)
