"""A library in one file, and back: whole, of one moment, and never at the price of what was there."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from sfa_kernel import backup as module
from sfa_kernel.backup import backup, restore
from sfa_kernel.catalog import Catalog, stems
from sfa_kernel.catalog.files import referenced
from sfa_kernel.catalog.stems import StemRow
from sfa_kernel.errors import BusyError, InputError, SetupError
from sfa_kernel.storage import Storage
from tests.disks import run_on_small_disk
from tests.stems import separation_row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def put_song(home: Path, title: str) -> UUID:
    """A track with cover, analysis and two stems; the files hold what their names say."""
    storage, track, separation = Storage(home), uuid4(), uuid4()

    def file(folder: str, suffix: str) -> str:
        path = storage.new(folder, uuid4(), suffix)
        path.write_text(f"{title} {suffix} " * 500, encoding="utf-8")
        return storage.name(path)

    with Catalog.open(home).write() as connection:
        connection.execute(
            "INSERT INTO tracks VALUES (?, ?, ?, 'A', '', '', NULL, '', '/from', ?, ?, 'wav', 'pcm', 44100, 2, 3.0, "
            "10, now(), NULL, NULL, NULL)",
            [track, str(track), title, file("downloads", ".wav"), file("downloads", ".jpg")],
        )
        connection.execute(
            "INSERT INTO analyses (track_id, version, file, waveform, curves, created_at) "
            "VALUES (?, 1, ?, ?, ?, now())",
            [track, file("analysis", ".json"), file("analysis", ".npz"), file("analysis", ".curves")],
        )
        rows = [
            StemRow(
                uuid4(), separation, track, name, file("stems", f".{name}"), file("stems", f".{name}-npz"), "hash", 10
            )
            for name in ("vocals", "drums")
        ]
        stems.put(connection, separation_row(track, id=separation, levels=file("stems", ".levels")), rows)
    return track


def titles(home: Path) -> list[str]:
    with Catalog.open(home).read() as connection:
        return [row[0] for row in connection.execute("SELECT title FROM tracks ORDER BY title").fetchall()]


def contents(home: Path) -> dict[str, bytes]:
    """What the rows of a library refer to; fails when a file is not there."""
    with Catalog.open(home).read() as connection:
        return {name: (home / name).read_bytes() for name in referenced(connection)}


def everything(home: Path) -> dict[str, bytes]:
    """Every file of a library in which nobody works, but for the locks."""
    Catalog.open(home).give_back()
    files = (path for path in home.rglob("*") if path.is_file() and path.suffix not in (".lock", ".turn"))
    return {str(path.relative_to(home)): path.read_bytes() for path in files}


@pytest.fixture
def library(home: Path) -> Path:
    put_song(home, "One")
    put_song(home, "Two")
    (home / "uploads" / "half.wav").write_text("an upload that is not finished", encoding="utf-8")
    return home.resolve()


@pytest.fixture
def file(library: Path, tmp_path: Path) -> Path:
    backup(library, tmp_path / "music.zip")
    return tmp_path / "music.zip"


def test_a_library_comes_back_whole_in_another_place(library: Path, tmp_path: Path) -> None:
    told: list[int] = []
    made = backup(library, tmp_path / "music.zip", progress=told.append)
    assert (made.tracks, made.files, made.missing) == (2, 20, [])
    assert told == sorted(told)
    assert told[-1] == 100
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["music.zip"]
    assert list((library / "scratch").iterdir()) == []

    back = restore(made.file, tmp_path / "elsewhere", progress=told.append)
    assert (back.tracks, back.files, back.kept) == (2, 20, None)
    assert titles(tmp_path / "elsewhere") == ["One", "Two"]
    assert contents(tmp_path / "elsewhere") == contents(library)
    assert not (tmp_path / "elsewhere" / "uploads" / "half.wav").exists()
    put_song(tmp_path / "elsewhere", "Three")


def test_only_its_owner_may_read_a_backup(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600  # it holds the secrets of webhooks


def test_a_backup_is_of_one_moment_while_the_work_goes_on(library: Path, tmp_path: Path) -> None:
    before = contents(library)
    changed: list[int] = []

    def change(percent: int) -> None:
        if not changed:
            with Catalog.open(library).write() as connection:
                connection.execute("DELETE FROM stems")
                connection.execute("UPDATE tracks SET title = 'Changed'")
            for name in before:
                if name.startswith("stems"):
                    (library / name).unlink()
        changed.append(percent)

    backup(library, tmp_path / "music.zip", progress=change)
    assert changed
    restore(tmp_path / "music.zip", tmp_path / "elsewhere")
    assert titles(tmp_path / "elsewhere") == ["One", "Two"]
    assert contents(tmp_path / "elsewhere") == before


def test_it_works_where_files_cannot_have_a_second_name(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    backup(library, tmp_path / "music.zip")
    restore(tmp_path / "music.zip", library, replace=True)
    assert titles(library) == ["One", "Two"]


def test_files_that_are_gone_are_named_and_the_rest_is_saved(library: Path, tmp_path: Path) -> None:
    gone = next(name for name in contents(library) if name.endswith(".vocals"))
    (library / gone).unlink()
    assert backup(library, tmp_path / "music.zip").missing == [gone]
    back = restore(tmp_path / "music.zip", tmp_path / "elsewhere")
    assert (back.files, back.missing) == (19, [gone])


def test_what_a_killed_program_had_committed_is_in_the_backup(library: Path, tmp_path: Path) -> None:
    Catalog.open(library).give_back()
    pid = os.fork()
    if not pid:
        with Catalog.open(library).write() as connection:
            connection.execute("UPDATE tracks SET title = 'Last' WHERE title = 'One'")
        os.kill(os.getpid(), 9)
    os.waitpid(pid, 0)
    assert (library / "library.duckdb.wal").exists()
    backup(library, tmp_path / "music.zip")
    restore(tmp_path / "music.zip", tmp_path / "elsewhere")
    assert titles(tmp_path / "elsewhere") == ["Last", "Two"]


def test_a_place_that_cannot_be_is_refused_in_one_sentence(library: Path, tmp_path: Path) -> None:
    for place in (library / "music.zip", library / "stems" / "music.zip", tmp_path, tmp_path / "no" / "music.zip"):
        with pytest.raises(InputError):
            backup(library, place)
    with pytest.raises(InputError, match="no library"):
        backup(tmp_path / "nothing", tmp_path / "music.zip")
    assert not (tmp_path / "nothing").exists()


def test_a_library_with_tracks_is_replaced_only_when_that_is_meant(library: Path, file: Path) -> None:
    put_song(library, "Three")
    with pytest.raises(InputError, match="3 tracks"):
        restore(file, library)
    assert titles(library) == ["One", "Three", "Two"]

    back = restore(file, library, replace=True)
    assert titles(library) == ["One", "Two"], "who has the library open sees the restored one"
    contents(library)
    assert back.kept is not None
    assert back.kept.name.startswith("library.before-restore-")
    Catalog.open(library).give_back()
    back.kept.replace(library / "library.duckdb")
    assert titles(library) == ["One", "Three", "Two"], "and the old one can be brought back"
    contents(library)


def test_an_empty_library_needs_no_leave_and_a_damaged_one_does(file: Path, tmp_path: Path) -> None:
    empty = Storage(tmp_path / "empty").home
    Catalog(empty).give_back()
    restore(file, empty)
    assert titles(empty) == ["One", "Two"]

    damaged = Storage(tmp_path / "damaged").home
    (damaged / "library.duckdb").write_bytes(b"nothing " * 1000)
    with pytest.raises(InputError, match="damaged"):
        restore(file, damaged)
    restore(file, damaged, replace=True)
    assert titles(damaged) == ["One", "Two"]


def rewritten(file: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Write a backup anew with other entries."""
    with zipfile.ZipFile(file) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def truncated(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def bit_flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[data.index(b"One .vocals") + 100] ^= 1
    file.write_bytes(data)


def no_backup(file: Path) -> None:
    rewritten(file, lambda entries: entries.pop("manifest.json"))


def no_zip(file: Path) -> None:
    file.write_text("a letter to my aunt", encoding="utf-8")


def incomplete(file: Path) -> None:
    rewritten(file, lambda entries: entries.pop(next(name for name in entries if name.endswith(".wav"))))


def with_more(file: Path) -> None:
    rewritten(file, lambda entries: entries.update({"stems/more.wav": b"more"}))


def leaving(file: Path) -> None:
    rewritten(file, lambda entries: entries.update({"stems/../../evil": b"evil"}))


def absolute(file: Path) -> None:
    rewritten(file, lambda entries: entries.update({"/tmp/evil": b"evil"}))  # noqa: S108 - a name that is refused


def elsewhere(file: Path) -> None:
    rewritten(file, lambda entries: entries.update({"scratch/evil": b"evil"}))


def linked(file: Path) -> None:
    link = zipfile.ZipInfo("stems/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc/passwd")


def bomb(file: Path) -> None:
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stems/bomb", bytes(10_000_000))


def other_catalogue(file: Path) -> None:
    rewritten(file, lambda entries: entries.update({"library.duckdb": entries["library.duckdb"][:-4096]}))


@pytest.mark.parametrize(
    "damage",
    [
        truncated,
        bit_flipped,
        no_backup,
        no_zip,
        incomplete,
        with_more,
        leaving,
        absolute,
        elsewhere,
        linked,
        bomb,
        other_catalogue,
    ],
)
def test_what_is_no_sound_backup_is_refused_and_changes_nothing(
    library: Path, file: Path, damage: Callable[[Path], None]
) -> None:
    put_song(library, "Three")
    before = everything(library)
    damage(file)
    with pytest.raises(InputError) as caught:
        restore(file, library, replace=True)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert everything(library) == before
    assert not (library.parent / "evil").exists()


def test_a_missing_file_and_a_folder_are_no_backups(library: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(InputError):
            restore(path, library, replace=True)


def test_what_a_newer_version_made_asks_for_an_update(library: Path, file: Path, tmp_path: Path) -> None:
    def newer(entries: dict[str, bytes]) -> None:
        manifest = json.loads(entries["manifest.json"])
        entries["manifest.json"] = json.dumps({**manifest, "format": manifest["format"] + 1}).encode()

    with Catalog.open(library).write() as connection:
        connection.execute("INSERT INTO migrations VALUES (9999, now())")
    Catalog.open(library).give_back()
    backup(library, tmp_path / "catalogue.zip")
    rewritten(file, newer)
    for path in (file, tmp_path / "catalogue.zip"):
        with pytest.raises(SetupError, match="newer version"):
            restore(path, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "library.duckdb").exists()


@pytest.mark.parametrize("moment", ["_set_aside", "_link"])
def test_a_failure_in_the_middle_leaves_the_library_as_it_was(
    library: Path, file: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    put_song(library, "Three")
    before = everything(library)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(module, moment, fail)
    with pytest.raises(InputError, match="Input/output error"):
        restore(file, library, replace=True)
    assert everything(library) == before


def test_who_works_for_long_is_not_interrupted(library: Path, file: Path) -> None:
    with Catalog.open(library).write() as connection:
        connection.execute("UPDATE tracks SET title = 'Mine' WHERE title = 'One'")
        with pytest.raises(BusyError):
            restore(file, library, replace=True, busy_timeout=0.1)
    assert titles(library) == ["Mine", "Two"]


SMALL = """
from sfa_kernel.backup import backup, restore
from sfa_kernel.errors import DiskFullError
from tests.test_backup import contents, put_song, titles

for number in range(20):
    put_song(home / "library", f"Song {number:02}")
before = contents(home / "library")
backup(home / "library", home / "music.zip")
old = (home / "music.zip").read_bytes()
fill()
for attempt in (
    lambda: backup(home / "library", home / "music.zip"),
    lambda: restore(home / "music.zip", home / "library", replace=True),
):
    try:
        attempt()
    except DiskFullError:
        pass
    else:
        raise AssertionError("there was room")
assert (home / "music.zip").read_bytes() == old
assert contents(home / "library") == before
assert not list(home.rglob("*.part"))
assert list((home / "library" / "scratch").iterdir()) == []
make_room()
restore(home / "music.zip", home / "library", replace=True)
assert contents(home / "library") == before
assert len(titles(home / "library")) == 20
"""


def test_a_full_disk_costs_neither_the_library_nor_the_older_backup(tmp_path: Path) -> None:
    done = run_on_small_disk(SMALL, tmp_path, megabytes=32)
    assert done.returncode == 0, done.stderr
