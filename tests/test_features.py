"""The features of a library as a table and as files."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.features import COLUMNS
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

SUFFIXES = (".parquet", ".json", ".csv")


@pytest.fixture
def songs(studio: Studio, tmp_path: Path) -> list[Track]:
    """Two that are analysed, one of them put right by hand, and one that is not."""
    for name, tempo in (("Abel - One, a 'song'", 120), ("Bea - Two", 126), ("Cy - Three", 90)):
        studio.add(write_song(tmp_path / f"{name}.wav", seconds=12, bpm=tempo, seed=tempo))
    one, two, three = studio.tracks
    studio.analyze([one, two]).wait(60)
    two.correct("key", key="F# minor")
    return [one, two, three]


def read(file: Path) -> list[dict[str, Any]]:
    """The rows of a file, as one reads it without this program."""
    if file.suffix == ".json":
        rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
        return rows
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    with duckdb.connect() as connection:
        cursor = connection.execute("SELECT * FROM read_parquet(?)", [str(file)])
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def test_one_row_a_track_with_what_is_in_force(studio: Studio, songs: list[Track]) -> None:
    one, two, three = studio.features()
    assert list(one) == list(COLUMNS)
    assert (one["title"], one["artist"]) == ("One, a 'song'", "Abel")
    assert one["bpm"] == pytest.approx(120, abs=0.2)
    assert one["camelot"] == "8A"
    assert one["loudness_lufs"] < 0
    assert one["centroid_hz"] > 100
    assert one["beats"] == len(songs[0].analysis.beats)  # type: ignore[union-attr] # it is analysed
    assert (two["key"], two["camelot"], two["corrected"]) == ("F# minor", "11A", "key")
    assert (three["title"], three["bpm"], three["analysis_version"]) == ("Three", None, None)
    assert [row["title"] for row in studio.features(songs[1])] == ["Two"]
    with pytest.raises(NotFoundError):
        studio.features("no-such-id")


def test_a_file_says_what_the_table_says(studio: Studio, songs: list[Track], tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        file = tmp_path / f"all songs{suffix}"
        file.write_text("what was there before")
        assert studio.export_features(file) == [file]
        rows = read(file)
        assert [list(row) for row in rows] == [list(COLUMNS)] * 3
        for row, expected in zip(rows, studio.features(), strict=True):
            for name, value in expected.items():
                if suffix == ".csv" and value is None:
                    assert row[name] == ""
                elif isinstance(value, float):
                    assert float(row[name]) == pytest.approx(value)
                else:
                    assert str(row[name]) == str(value)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_curves_are_written_beside_it_in_long_format(studio: Studio, songs: list[Track], tmp_path: Path) -> None:
    analysis = songs[0].analysis
    assert analysis is not None
    for suffix in SUFFIXES:
        files = studio.export_features(tmp_path / f"songs{suffix}", songs[0], curves=True)
        assert [file.name for file in files] == [f"songs{suffix}", f"songs.curves{suffix}"]
        rows = read(files[1])
        assert list(rows[0]) == ["track", "curve", "column", "time_s", "value"]
        assert {row["track"] for row in rows} == {str(songs[0].id)}
        energy = [row for row in rows if row["curve"] == "energy"]
        assert [float(row["value"]) for row in energy] == pytest.approx(analysis.curves["energy"].values, rel=1e-4)
        assert [float(row["time_s"]) for row in energy] == pytest.approx(analysis.curves["energy"].axis)
        fifth = [float(row["value"]) for row in rows if row["curve"] == "mfcc" and row["column"] == "MFCC 5"]
        assert np.allclose(fifth, analysis.curves["mfcc"].values[:, 4], rtol=1e-4)
        assert "tempo.candidates" not in {row["curve"] for row in rows}  # which is over tempi, not over time


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_library_gives_a_file_without_rows(studio: Studio, tmp_path: Path, suffix: str) -> None:
    assert studio.features() == []
    files = studio.export_features(tmp_path / f"none{suffix}", curves=True)
    assert [read(file) for file in files] == [[], []]
    if suffix == ".csv":
        assert files[0].read_text().split(",")[:2] == ["id", "title"]


def test_what_cannot_be_written_is_said_in_one_sentence(studio: Studio, songs: list[Track], tmp_path: Path) -> None:
    for name in ("songs.xlsx", "songs", ".parquet"):
        with pytest.raises(ParameterError, match="cannot be written as"):
            studio.export_features(tmp_path / name)
    for place in ("missing/songs.csv", "folder.csv"):
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        with pytest.raises(InputError, match="is no place for a file"):
            studio.export_features(tmp_path / place)
    assert not (tmp_path / "songs.xlsx").exists()


def test_what_was_there_stays_when_the_export_fails(
    studio: Studio, songs: list[Track], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "songs.csv"
    studio.export_features(file)
    before = file.read_bytes()
    studio.storage.path(studio.sql("SELECT file FROM analyses LIMIT 1")[0]["file"]).write_text("{")
    with pytest.raises(InputError, match="Analyse the track again"):
        studio.export_features(file)
    assert file.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
