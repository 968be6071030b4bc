"""Similar songs, features and old analyses on the command line."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.analysis import ANALYSIS_VERSION
from sfa_kernel.studio import Studio
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Sfa


@pytest.fixture
def ids(sfa: Sfa, tmp_path: Path) -> dict[str, str]:
    """Three analysed songs by title."""
    for name, tempo in (("One", 120), ("Two", 126), ("Three", 100)):
        write_song(tmp_path / f"{name}.wav", seconds=8, bpm=tempo, seed=tempo)
    added = sfa.json("add", *sorted(tmp_path.glob("*.wav")))["tracks"]
    sfa.json("run", "--stages", "analyze", "--wait")
    return {track["title"]: track["id"] for track in added}


def test_similar_songs_are_listed_and_filtered(sfa: Sfa, ids: dict[str, str]) -> None:
    answer = sfa.json("similar", ids["One"])
    assert answer["id"] == ids["One"]
    assert {row["title"] for row in answer["similar"]} == {"Two", "Three"}
    assert set(answer["similar"][0]) == {"id", "title", "artist", "distance", "bpm", "camelot", "why"}
    slow = answer["similar"][[row["title"] for row in answer["similar"]].index("Three")]["bpm"]
    found = sfa.json("similar", ids["One"], "--tempo", f"{slow - 1:.1f}-{slow + 1:.1f}", "--keys", "compatible")
    assert [row["title"] for row in found["similar"]] == ["Three"]
    assert len(sfa.json("similar", ids["One"][:8], "--limit", 1)["similar"]) == 1
    said = sfa("similar", ids["One"])
    assert said.status == 0
    assert "Two" in said.out
    assert len(said.out.splitlines()) == 4
    assert "is no range of tempi" in sfa.refuses("similar", ids["One"], "--tempo", "128-120")
    assert "Choose any or compatible" in sfa.refuses("similar", ids["One"], "--keys", "wrong")
    assert "No track has an id" in sfa.refuses("similar", "nothing")


def test_features_are_written_to_a_file(sfa: Sfa, ids: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "songs.csv"
    assert sfa.json("features", file) == {"files": [str(file)]}
    with file.open(encoding="utf-8", newline="") as stream:
        assert {row["id"] for row in csv.DictReader(stream)} == set(ids.values())
    said = sfa("features", tmp_path / "two.parquet", ids["Two"], "--curves")
    assert said.out.splitlines() == [str(tmp_path / "two.parquet"), str(tmp_path / "two.curves.parquet")]
    assert all((tmp_path / name).is_file() for name in ("two.parquet", "two.curves.parquet"))
    assert ".parquet, .json, .csv" in sfa.refuses("features", tmp_path / "songs.xlsx")


def test_what_an_older_version_analysed_is_told_and_done_anew(sfa: Sfa, ids: dict[str, str], home: Path) -> None:
    assert sfa("tracks").err == ""
    with Studio.open(home, run_jobs=False) as studio, studio.catalog.write() as connection:
        connection.execute("UPDATE analyses SET version = ? WHERE track_id = ?", [ANALYSIS_VERSION - 1, ids["Two"]])
    assert {row["title"]: row["stale"] for row in sfa.json("tracks")["tracks"]} == {
        "One": False,
        "Two": True,
        "Three": False,
    }
    assert "`sfa run --stale`" in sfa("tracks").err
    assert sfa.json("run", ids["One"], "--stale", "--wait")["jobs"] == []
    jobs = sfa.json("run", "--stale", "--wait")["jobs"]
    assert {(job["track_id"], job["kind"], job["status"]) for job in jobs} == {
        (ids["Two"], "analyze", "completed"),
        (ids["Two"], "autocue", "completed"),
    }
    assert sfa("tracks").err == ""
    assert sfa.json("run", "--stale")["jobs"] == []
