"""Watched folders: what is put into them comes in by itself."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import watchfiles
from watchfiles._rust_notify import WatchfilesRustInternalError

from sfa_kernel import watching
from sfa_kernel.studio import Studio
from sfa_kernel.watching import Watcher
from tests.folders import put_song, titles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT = 60


class Until:
    """Waits for what the studio tells."""

    def __init__(self, studio: Studio) -> None:
        self._told = threading.Condition()
        self._subscriptions = [studio.bus.subscribe(topic, self._hear) for topic in ("library", "sources")]

    def _hear(self, _: object) -> None:
        with self._told:
            self._told.notify_all()

    def __call__(self, true: Callable[[], bool]) -> None:
        with self._told:
            assert self._told.wait_for(true, TIMEOUT)

    def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.close()


@pytest.fixture
def until(studio: Studio) -> Iterator[Until]:
    until = Until(studio)
    yield until
    until.close()


@pytest.fixture
def music(tmp_path: Path) -> Path:
    put_song(tmp_path / "music" / "one.wav", 1)
    return tmp_path / "music"


def test_what_is_put_into_a_watched_folder_comes_in(studio: Studio, music: Path, tmp_path: Path, until: Until) -> None:
    studio.folders.add(music).wait(TIMEOUT)
    assert [folder.watched for folder in studio.folders] == [True]
    until(lambda: titles(studio) == ["one"])
    put_song(music / ".hidden" / "no.wav", 9)
    put_song(tmp_path / "album" / "two.wav", 2)
    (tmp_path / "album").rename(music / "album")
    until(lambda: titles(studio) == ["one", "two"])
    put_song(music / "album" / "three.wav", 3)
    until(lambda: titles(studio) == ["one", "three", "two"])


def test_a_watched_folder_that_goes_and_comes_back_goes_on(studio: Studio, music: Path, until: Until) -> None:
    studio.folders.add(music).wait(TIMEOUT)
    away = music.rename(music.with_name("unplugged"))
    until(lambda: studio.folders[0].problem is not None)
    assert titles(studio) == ["one"]
    put_song(away / "two.wav", 2)
    away.rename(music)
    until(lambda: titles(studio) == ["one", "two"])
    until(lambda: studio.folders[0].problem is None)


def test_where_the_system_watches_no_more_folders_it_is_told_once_and_what_came_is_found_later(
    home: Path, music: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Studio.open(home) as studio:
        studio.folders.add(music).wait(TIMEOUT)
    watch, limit = watchfiles.watch, threading.Event()
    limit.set()

    def limited(*paths: Any, **options: Any) -> Any:
        if Path(paths[0]) == music and limit.is_set():
            raise WatchfilesRustInternalError("Too many open files (os error 24)")
        return watch(*paths, **options)

    monkeypatch.setattr(watchfiles, "watch", limited)
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.2)
    with Studio.open(home) as studio:
        until = Until(studio)
        until(lambda: [job.status for job in studio.jobs if job.kind == "scan"] == ["completed"] * 2)
        put_song(music / "two.wav", 2)
        limit.clear()
        until(lambda: titles(studio) == ["one", "two"])
        until.close()
    assert sum("cannot be watched" in record.getMessage() for record in caplog.records) == 1


def test_a_folder_that_is_not_watched_any_more_is_left_alone(studio: Studio, music: Path, until: Until) -> None:
    other = music.with_name("other")
    other.mkdir()
    studio.folders.add(other).wait(TIMEOUT)
    studio.folders.add(music).wait(TIMEOUT)
    assert studio.folders.watch(music, False).watched is False
    put_song(music / "two.wav", 2)
    put_song(other / "three.wav", 3)
    until(lambda: "three" in titles(studio))
    assert titles(studio) == ["one", "three"]


def test_what_was_put_into_it_while_nobody_looked_comes_in_at_the_next_start(home: Path, music: Path) -> None:
    with Studio.open(home) as studio:
        studio.folders.add(music).wait(TIMEOUT)
    put_song(music / "two.wav", 2)
    with Studio.open(home) as studio:
        until = Until(studio)
        until(lambda: titles(studio) == ["one", "two"])
        until.close()


def test_several_who_watch_do_no_harm(studio: Studio, music: Path, until: Until) -> None:
    others = [Watcher(studio.ledger, studio.home) for _ in range(3)]
    try:
        for other in others:
            other.start()
            other.start()
        studio.folders.add(music).wait(TIMEOUT)
        for number in range(2, 6):
            put_song(music / f"{number}.wav", number)
        until(lambda: len(studio.tracks) == 5)
    finally:
        for other in others:
            other.stop()
    studio.folders.scan().wait(TIMEOUT)
    looked_at = [file for job in studio.ledger.jobs(kind="import") for file in job.arguments["files"]]
    assert sorted(looked_at) == sorted(set(looked_at))


def test_folders_show_themselves(studio: Studio, music: Path) -> None:
    studio.import_folder(music, reference=True, stages="analyze").wait(TIMEOUT)
    assert repr(studio.folders) == f"{music}: 1 tracks"
    assert "stay there" in studio.folders._repr_html_()
