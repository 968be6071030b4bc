"""The features of all tracks as tables and as files, for whoever goes on with them elsewhere.

The *features* are one row a track: every number of the analysis that does not change over time, each in a column
named with its unit. The *curves* are what does change, in long format: ``track, curve, column, time_s, value``.
Both hold what is in force, a person's corrections included. DuckDB writes the files, so nothing else is needed for
Parquet.
"""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import DiskFullError, InputError, ParameterError
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sfa_kernel.analysis import Analysis
    from sfa_kernel.analysis.curves import Curve
    from sfa_kernel.catalog import Connection
    from sfa_kernel.library import Track

__all__ = ["COLUMNS", "FORMATS", "curves_file", "export", "features"]

FORMATS = {
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
    ".json": "FORMAT json, ARRAY true",
    ".csv": "FORMAT csv, HEADER true",
}

# Curves over time that have an axis of their own: beats and bars. All others without a rate are over something else.
_ON_BEATS = (
    "tempo.curve",
    "downbeats.evidence",
    "chroma.beats",
    "structure.levels",
    "structure.similarity",
    "structure.novelty",
)


@dataclass(frozen=True)
class _Column:
    """A column of the features.

    Parameters
    ----------
    kind
        Its type in SQL.
    read
        Takes the value from the analysis.
    """

    kind: str
    read: Callable[[Analysis], Any]


def _field(name: str, kind: str = "DOUBLE") -> _Column:
    return _Column(kind, lambda analysis: getattr(analysis, name))


def _count(name: str) -> _Column:
    return _Column("INTEGER", lambda analysis: len(getattr(analysis, name)))


def _timbre(name: str) -> _Column:
    return _Column("DOUBLE", lambda analysis: analysis.timbre.get(name))


_OF_THE_TRACK: dict[str, tuple[str, Callable[[Track], Any]]] = {
    "id": ("VARCHAR", lambda track: str(track.id)),
    "title": ("VARCHAR", lambda track: track.title),
    "artist": ("VARCHAR", lambda track: track.artist),
    "album": ("VARCHAR", lambda track: track.row.album),
    "genre": ("VARCHAR", lambda track: track.row.genre),
    "year": ("INTEGER", lambda track: track.row.year),
    "duration_s": ("DOUBLE", lambda track: track.duration),
}
_OF_THE_ANALYSIS = {
    "analysis_version": _field("version", "INTEGER"),
    "corrected": _Column("VARCHAR", lambda analysis: ",".join(analysis.corrected)),
    "bpm": _field("tempo"),
    "bpm_confidence": _field("tempo_confidence"),
    "bpm_alternative": _field("tempo_alternative"),
    "grid_kind": _field("grid_kind", "VARCHAR"),
    "beats": _count("beats"),
    "beat_confidence": _field("beat_confidence"),
    "first_beat_s": _Column("DOUBLE", lambda analysis: _first(analysis.beats)),
    "downbeats": _count("downbeats"),
    "downbeat_confidence": _field("downbeat_confidence"),
    "first_downbeat_s": _Column("DOUBLE", lambda analysis: _first(analysis.downbeats)),
    "beats_per_bar": _field("beats_per_bar", "INTEGER"),
    "metre_confidence": _field("metre_confidence"),
    "swing": _field("swing"),
    "swing_confidence": _field("swing_confidence"),
    "key": _field("key", "VARCHAR"),
    "key_confidence": _field("key_confidence"),
    "key_alternative": _field("key_alternative", "VARCHAR"),
    "camelot": _field("camelot", "VARCHAR"),
    "open_key": _field("open_key", "VARCHAR"),
    "key_spans": _count("keys"),
    "tuning_cents": _field("tuning_cents"),
    "loudness_lufs": _field("lufs"),
    "momentary_max_lufs": _field("momentary_max"),
    "short_term_max_lufs": _field("short_term_max"),
    "loudness_range_lu": _field("lra"),
    "true_peak_dbtp": _field("true_peak"),
    "rms_dbfs": _field("rms"),
    "crest_db": _field("crest"),
    "energy": _field("energy", "INTEGER"),
    "danceability": _field("danceability"),
    "centroid_hz": _timbre("centroid"),
    "bandwidth_hz": _timbre("bandwidth"),
    "rolloff_hz": _timbre("rolloff"),
    "flatness": _timbre("flatness"),
    "zero_crossing_rate": _timbre("zero_crossing_rate"),
    **{f"contrast_{band}_db": _timbre(f"contrast_{band}") for band in range(1, 8)},
    **{f"mfcc_{number}": _timbre(f"mfcc_{number}") for number in range(1, 21)},
    "sections": _count("sections"),
    "drops": _count("drops"),
    "first_drop_s": _Column("DOUBLE", lambda analysis: _first(analysis.drops)),
    "loops": _count("loops"),
}
COLUMNS: dict[str, str] = {
    **{name: kind for name, (kind, _) in _OF_THE_TRACK.items()},
    **{name: column.kind for name, column in _OF_THE_ANALYSIS.items()},
}
"""The columns of the features and their types in SQL."""


def _first(times: Any) -> float | None:
    return float(times[0]) if len(times) else None


def features(tracks: Iterable[Track]) -> Table:
    """One row a track; a track that was never analysed has its name and length alone."""
    rows = Table()
    for track in tracks:
        analysis = track.analysis
        row = {name: read(track) for name, (_, read) in _OF_THE_TRACK.items()}
        for name, column in _OF_THE_ANALYSIS.items():
            row[name] = None if analysis is None else column.read(analysis)
        rows.append(row)
    return rows


def curves_file(file: Path) -> Path:
    """Where the curves go that belong to a file of features: ``songs.parquet`` has ``songs.curves.parquet``."""
    return file.with_name(f"{file.stem}.curves{file.suffix}")


def export(tracks: Iterable[Track], file: str | os.PathLike[str], *, curves: bool = False) -> list[Path]:
    """Write the features of tracks to a file, and their curves to a second one beside it.

    Parameters
    ----------
    file
        Ends in ``.parquet``, ``.json`` or ``.csv``; what was there is replaced once the new one is complete.
    curves
        Whether to write the curves, too: about 250,000 rows a song of four minutes.

    Returns
    -------
    list
        The files.

    Raises
    ------
    ParameterError
        When the name ends in something else.
    InputError
        When the file cannot be written.
    """
    target = Path(file).expanduser()
    if target.suffix.lower() not in FORMATS:
        raise ParameterError(
            f"Features cannot be written as {target.suffix or target.name!r}.",
            hint=f"Choose a name that ends in {', '.join(FORMATS)}.",
        )
    if not target.parent.is_dir() or target.is_dir():
        raise InputError(f"{target} is no place for a file.", hint="Name a file in a folder that exists.")
    chosen = list(tracks)
    with _written(target) as folder:
        with _tables(folder) as connection:
            targets = [target]
            _fill_features(connection, chosen)
            _copy(connection, "features", folder / target.name)
            if curves:
                targets.append(curves_file(target))
                _fill_curves(connection, chosen)
                _copy(connection, "curves", folder / targets[-1].name)
        for place in targets:
            os.replace(folder / place.name, place)
    return targets


@contextmanager
def _written(target: Path) -> Iterator[Path]:
    """A folder beside the target for what is not complete yet; trouble with the disk is told in our own words."""
    import duckdb

    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
            yield Path(folder)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        if os.strerror(errno.ENOSPC) in str(error):
            raise DiskFullError(
                f"{target} cannot be written: the disk is full.", hint="Make room, or choose another disk."
            ) from error
        reason = getattr(error, "strerror", None) or str(error).strip().splitlines()[0]
        raise InputError(f"{target} cannot be written: {reason}.") from error


@contextmanager
def _tables(folder: Path) -> Iterator[Connection]:
    """A database for one export, on the disk, so that the curves of a thousand songs need no memory."""
    import duckdb

    connection = duckdb.connect(str(folder / "tables.duckdb"), config={"threads": 1})
    try:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")  # nobody reads it again
        yield connection
    finally:
        connection.close()


def _fill_features(connection: Connection, tracks: list[Track]) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE TABLE features ({columns})")
    rows = features(tracks)
    values = ", ".join(f"unnest(?::{kind}[])" for kind in COLUMNS.values())
    connection.execute(f"INSERT INTO features SELECT {values}", [[row[name] for row in rows] for name in COLUMNS])


def _fill_curves(connection: Connection, tracks: list[Track]) -> None:
    connection.execute(
        'CREATE TABLE curves (track VARCHAR, curve VARCHAR, "column" VARCHAR, time_s DOUBLE, value FLOAT)'
    )
    for track in tracks:
        analysis = track.analysis
        if analysis is None:
            continue
        connection.begin()
        for name in sorted(analysis.curves):
            if name in _ON_BEATS or analysis.curves[name].rate is not None:
                _insert_curve(connection, str(track.id), name, analysis.curves[name])
        connection.commit()


def _insert_curve(connection: Connection, track: str, name: str, curve: Curve) -> None:
    import numpy as np

    values = np.asarray(curve.values, np.float32)
    table = values.reshape(len(values), -1)
    count = table.shape[1]
    names = list(curve.names) if len(curve.names) == count else [str(number) for number in range(1, count + 1)]
    arrays = {
        "number": np.repeat(np.arange(1, count + 1), len(table)),
        "time_s": np.tile(curve.axis, count),
        "value": table.T.ravel(),
    }
    connection.register("arrays", arrays)  # DuckDB reads them where they lie, once they have a name
    connection.execute(
        "INSERT INTO curves SELECT ?, ?, (?::VARCHAR[])[number], time_s, value FROM arrays",
        [track, name, names if count > 1 else [None]],
    )
    connection.unregister("arrays")


def _copy(connection: Connection, table: str, file: Path) -> None:
    path = str(file).replace("'", "''")
    connection.execute(f"COPY {table} TO '{path}' ({FORMATS[file.suffix.lower()]})")
