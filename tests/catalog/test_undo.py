"""A checkpoint that is cut off at any point costs nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.catalog import Catalog
from sfa_kernel.catalog.undo import HEADERS, Undo
from sfa_kernel.errors import SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection

PAGE = 4096
ROWS = 300


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders with what the disk held right before and right after one checkpoint, the copy included."""
    home = tmp_path / "library"
    home.mkdir()
    save, forget = Undo.save, Undo.forget

    def keep(undo: Undo, name: str) -> None:
        if undo._copy.parent == home:  # and no library of another test
            shutil.rmtree(tmp_path / name, ignore_errors=True)
            shutil.copytree(home, tmp_path / name)

    def save_and_keep(undo: Undo, connection: Connection) -> None:
        save(undo, connection)
        keep(undo, "before")

    def keep_and_forget(undo: Undo) -> None:
        keep(undo, "after")
        forget(undo)

    monkeypatch.setattr(Undo, "save", save_and_keep)
    monkeypatch.setattr(Undo, "forget", keep_and_forget)
    catalog = Catalog(home)
    for start in range(0, ROWS, 30):
        with catalog.write() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY, text VARCHAR)")
            connection.execute(
                "INSERT INTO kept SELECT range, repeat('x', range) FROM range(?, ?)", [start, start + 30]
            )
        catalog.give_back()
    return tmp_path


def kept(home: Path) -> int:
    catalog = Catalog(home)
    with catalog.read() as connection:
        row = connection.execute("SELECT count(*) FROM kept WHERE length(text) = id").fetchone()
    catalog.give_back()
    return int(row[0]) if row else 0


def cut_off(folder: Path, written: int) -> Path:
    """The library as it is when only so many bytes of what the checkpoint changed are on the disk; no new header."""
    home = folder / f"cut-{written}"
    shutil.copytree(folder / "before", home)
    before = (folder / "before" / "library.duckdb").read_bytes()
    after = (folder / "after" / "library.duckdb").read_bytes()
    (home / "library.duckdb").write_bytes(before[:HEADERS] + after[HEADERS:written] + before[max(HEADERS, written) :])
    return home


def test_wherever_a_checkpoint_is_cut_off_the_library_opens_with_all_that_was_committed(cut: Path) -> None:
    before, after = ((cut / name / "library.duckdb").read_bytes() for name in ("before", "after"))
    pages = range(HEADERS, min(len(before), len(after)), PAGE)
    changed = [page for page in pages if before[page : page + PAGE] != after[page : page + PAGE]]
    assert changed
    for page in changed[:: max(1, len(changed) // 10)]:
        home = cut_off(cut, page + PAGE // 2)
        assert kept(home) == ROWS
        assert not (home / "library.duckdb.undo").exists()


def test_without_the_copy_it_would_not(cut: Path) -> None:
    """Should DuckDB stop writing in place one day, this says that the copy is no longer needed."""
    before, after = ((cut / name / "library.duckdb").read_bytes() for name in ("before", "after"))
    first = next(n for n in range(HEADERS + PAGE, len(before)) if before[n] != after[n])
    home = cut_off(cut, first + 1)
    (home / "library.duckdb.undo").unlink()
    with pytest.raises(SetupError, match="checksum"):
        kept(home)


def test_a_finished_checkpoint_is_not_undone(cut: Path) -> None:
    assert (cut / "after" / "library.duckdb.undo").exists()
    assert kept(cut / "after") == ROWS
    assert not (cut / "after" / "library.duckdb.undo").exists()
