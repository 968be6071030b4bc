from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sfa_kernel.errors import SetupError, UnsafePathError
from sfa_kernel.storage import FileChanges, Storage

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


def made(storage: Storage, text: str) -> Path:
    path = storage.scratch(uuid4(), 1) / "made.wav"
    path.write_text(text)
    return path


def test_files_of_a_transaction_that_holds_stay_and_replace_the_old(storage: Storage) -> None:
    first = FileChanges(storage)
    old = first.keep(made(storage, "old"), "stems")
    first.commit()
    second = FileChanges(storage)
    new = second.keep(made(storage, "new"), "stems")
    second.drop([old])
    second.commit()
    assert storage.path(new).read_text() == "new"
    assert not storage.path(old).exists()


def test_files_of_a_transaction_that_failed_go_and_the_old_stay(storage: Storage) -> None:
    first = FileChanges(storage)
    old = first.keep(made(storage, "old"), "stems")
    first.commit()
    second = FileChanges(storage)
    new = second.keep(made(storage, "new"), "stems")
    second.drop([old])
    second.rollback()
    assert storage.path(old).read_text() == "old"
    assert not storage.path(new).exists()
