"""What a page may do with folders of the computer that the kernel runs on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from sfa_kernel.errors import InputError, NotFoundError
from sfa_kernel.panels.folders import folder_handlers
from sfa_kernel.settings import load_settings
from sfa_kernel.studio import Studio
from tests.folders import put_song, titles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT = 120


class Page:
    """Asks as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._handlers = folder_handlers(studio)

    def __call__(self, method: str, **params: Any) -> Any:
        return self._handlers[method](params, [])

    def bring(self, path: Path, **params: Any) -> None:
        """Import, and wait for the end of all of it."""
        answer = self("folders.import", path=str(path), **params)
        jobs = [UUID(job) for job in answer["jobs"]]
        run = self.studio.run_type(self.studio, jobs, batches=[UUID(answer["batch"])])
        assert run.wait(TIMEOUT).failures == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    put_song(root / "Music" / "one.wav", 1)
    put_song(root / "Music" / "Album" / "two.wav", 2)
    put_song(tmp_path / "secret" / "three.wav", 3)
    (root / "way out").symlink_to(tmp_path / "secret")
    (root / ".hidden").mkdir()
    return root


@pytest.fixture
def page(home: Path, root: Path) -> Iterator[Page]:
    with Studio(replace(load_settings(home=home), import_roots=str(root))) as studio:
        yield Page(studio)


def test_a_page_looks_into_the_folders_that_it_may(page: Page, root: Path) -> None:
    top = page("folders.browse", path=None)
    assert (top["path"], [folder["path"] for folder in top["folders"]]) == (None, [str(root)])
    inside = page("folders.browse", path=str(root))
    assert (inside["parent"], [folder["name"] for folder in inside["folders"]]) == (None, ["Music", "way out"])
    music = page("folders.browse", path=str(root / "Music"))
    assert (music["parent"], music["songs"], [f["name"] for f in music["folders"]]) == (str(root), 1, ["Album"])


@pytest.mark.parametrize("path", ["..", "../secret", "way out", "way out/three.wav", ".hidden", "nothing", "a\0b", "/"])
def test_and_into_no_other(page: Page, root: Path, path: str) -> None:
    for method in ("folders.browse", "folders.import"):
        with pytest.raises(InputError) as caught:
            page(method, path=str(root / path), reference=False, watch=True, stages=[])
        assert "\n" not in str(caught.value)
    assert (page("folders.list")["folders"], len(page.studio.tracks)) == ([], 0)


def test_a_folder_a_song_and_a_playlist_file_come_in(page: Page, root: Path, tmp_path: Path) -> None:
    page.bring(root / "Music" / "one.wav", reference=True, watch=False, stages=[])
    assert titles(page.studio) == ["one"]
    (root / "list.m3u8").write_text(f"Music/Album/two.wav\n{tmp_path}/secret/three.wav\n../secret/three.wav\n")
    page.bring(root / "list.m3u8", reference=False, watch=False, stages=[])
    assert titles(page.studio) == ["one", "two"]
    put_song(root / "Music" / "four.wav", 4)
    page.bring(root / "Music", reference=False, watch=True, stages=["analyze"])
    assert titles(page.studio) == ["four", "one", "two"]
    listed = page("folders.list")
    (folder,) = listed["folders"]
    assert listed["roots"] == [str(root)]
    assert (folder["path"], folder["watched"], folder["stages"]) == (str(root / "Music"), True, ["analyze"])
    assert (folder["tracks"], folder["refused"], folder["problem"]) == (3, 0, None)


def test_a_folder_is_looked_through_watched_and_forgotten(page: Page, root: Path) -> None:
    page.bring(root / "Music", reference=False, watch=False, stages=[])
    (folder,) = page("folders.list")["folders"]
    assert page("folders.watch", id=folder["id"], watch=True)["folder"]["watched"] is True
    page.studio.ledger.wait([UUID(job) for job in page("folders.scan", id=folder["id"])["jobs"]], timeout=TIMEOUT)
    assert page("folders.forget", id=folder["id"]) == {}
    assert (page("folders.list")["folders"], len(page.studio.tracks)) == ([], 2)
    with pytest.raises(NotFoundError):
        page("folders.scan", id=folder["id"])


def test_without_roots_a_page_names_nothing(home: Path, root: Path) -> None:
    with Studio(replace(load_settings(home=home), import_roots="")) as studio:
        page = Page(studio)
        assert page("folders.browse", path=None)["folders"] == []
        with pytest.raises(InputError, match="outside of the folders"):
            page("folders.browse", path=str(root))


def test_links_lead_a_page_no_further_than_it_may_look_and_a_person_anywhere(
    page: Page, root: Path, tmp_path: Path
) -> None:
    (root / "Music" / "elsewhere").symlink_to(tmp_path / "secret")
    (root / "Music" / "four.wav").symlink_to(put_song(tmp_path / "secret" / "four.wav", 4))
    (root / "Music" / "again").symlink_to(root / "Music" / "Album")
    page.bring(root / "Music")
    assert titles(page.studio) == ["one", "two"]
    assert "where a page may not look" in str(page.studio.folders[0].problem)
    page.studio.folders.scan().wait(TIMEOUT)
    assert titles(page.studio) == ["one", "two"]
    page.studio.import_folder(root / "Music").wait(TIMEOUT)
    assert titles(page.studio) == ["four", "one", "three", "two"]
    page.bring(root / "Music")  # what a person has allowed stays so
    assert page.studio.folders[0].problem is None
