from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sfa_kernel.errors import SetupError, UnsafePathError
from sfa_kernel.storage import FileChanges, Storage, noted_files

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def storage(home: Path) -> Storage:
    return Storage(home)


@pytest.mark.parametrize("name", ["../secret", "stems/../../secret", "/etc/passwd", "", ".", "stems/\0x", "a/../.."])
def test_no_name_leaves_the_root(storage: Storage, name: str) -> None:
    with pytest.raises(UnsafePathError):
        storage.path(name)


def test_a_link_that_leads_out_is_refused(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (storage.home / "stems" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafePathError):
        storage.path("stems/link/key")


def test_names_and_paths_are_two_views_of_one_file(storage: Storage) -> None:
    path = storage.new("stems", uuid4(), ".flac")
    assert storage.path(storage.name(path)) == path
    with pytest.raises(UnsafePathError):
        storage.new("etc", uuid4(), ".flac")


def test_an_unusable_home_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match=r"cannot be used.*SFA_HOME"):
        Storage(tmp_path / "file")


def changes(storage: Storage) -> tuple[FileChanges, Path]:
    """Changes of a transaction, and the scratch folder of whoever makes them."""
    scratch = storage.scratch(uuid4(), 1)
    return FileChanges(storage, scratch), scratch


def made(scratch: Path, text: str) -> Path:
    path = scratch / "made.wav"
    path.write_text(text)
    return path


def test_files_of_a_transaction_that_holds_stay_and_replace_the_old(storage: Storage) -> None:
    first, scratch = changes(storage)
    old = first.keep(made(scratch, "old"), "stems")
    first.commit()
    second, scratch = changes(storage)
    new = second.keep(made(scratch, "new"), "stems")
    second.drop([old])
    second.commit()
    assert storage.path(new).read_text() == "new"
    assert not storage.path(old).exists()


def test_files_of_a_transaction_that_failed_go_back_and_the_old_stay(storage: Storage) -> None:
    first, scratch = changes(storage)
    old = first.keep(made(scratch, "old"), "stems")
    first.commit()
    second, scratch = changes(storage)
    new = second.keep(made(scratch, "new"), "stems")
    second.drop([old])
    second.rollback()
    assert storage.path(old).read_text() == "old"
    assert not storage.path(new).exists()
    assert (scratch / "made.wav").read_text() == "new"  # the transaction can be tried again


def test_files_that_are_about_to_change_are_noted_first(storage: Storage) -> None:
    files, scratch = changes(storage)
    new = files.keep(made(scratch, "new"), "stems")
    files.drop(["stems/old.wav"])
    assert noted_files(scratch) == [new, "stems/old.wav"]
    with (scratch / "files.txt").open("a") as notes:
        notes.write("stems/cut-o")  # killed while it wrote: nothing had been done about this one
    assert noted_files(scratch) == [new, "stems/old.wav"]
