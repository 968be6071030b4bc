"""What nobody needs goes; what somebody needs, or may want back, stays."""

from __future__ import annotations

import contextlib
import os
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sfa_kernel.catalog import jobs as table
from sfa_kernel.catalog import lookups, loops, origins, playlists, songs, trash, webhooks
from sfa_kernel.catalog.loops import LoopRow
from sfa_kernel.catalog.origins import OriginRow
from sfa_kernel.errors import NotFoundError
from sfa_kernel.jobs import Ground, JobRequest
from sfa_kernel.jobs.log import read_log
from sfa_kernel.jobs.runner import holder
from sfa_kernel.pipeline import cleanup, importing
from sfa_kernel.pipeline.cleanup import CLEANUP
from sfa_kernel.sources.song import Song
from sfa_kernel.storage import FileChanges
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

TIMEOUT = 60
NOTHING = "There was nothing to remove."


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let days pass, for the cleanup."""

    def pass_days(days: float) -> None:
        monkeypatch.setattr(cleanup, "clock", lambda: time.time() + days * 86400)

    return pass_days


def clean(studio: Studio) -> str:
    """Run a cleanup; what it said it did."""
    (job,) = studio.cleanup().wait(TIMEOUT).jobs
    assert (job.status, job.error) == ("completed", None)
    return str(read_log(studio.home / "logs", job.id)[0][-1]["text"])


def made(path: Path, content: str = "something") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def song(studio: Studio, tmp_path: Path, **options: Any) -> Track:
    return studio.add(write_song(tmp_path / f"song{options.get('seed', 0)}.wav", seconds=4, **options))[0]


def files(studio: Studio) -> set[Path]:
    return {path for folder in ("downloads", "stems", "analysis") for path in (studio.home / folder).iterdir()}


def test_a_removed_track_can_be_brought_back_until_its_time_is_over(studio: Studio, tmp_path: Path, later: Any) -> None:
    kept, gone = song(studio, tmp_path, seed=1), song(studio, tmp_path, seed=2)
    studio.run([kept, gone]).wait(TIMEOUT)
    for track in (kept, gone):
        track.correct("key", key="C major")
        track.remove_cue(track.cues[0])
        with studio.catalog.write() as connection:
            loops.replace(connection, track.id, [LoopRow(uuid4(), track.id, "mix", 0.0, 8.0, 4, 1.0, "")])
    every = files(studio)
    studio.remove(gone)
    later(6)
    assert clean(studio) == NOTHING
    studio.restore(gone)
    assert len(studio.tracks) == 2
    assert all(path.is_file() for path in [gone.path, *gone.stems.values()])

    studio.remove(gone)
    later(8)
    said = clean(studio)
    assert "removed tracks 1, their files" in said
    assert float(said.split()[1]) > 0.5  # MB
    assert list(studio.tracks) == [kept]
    assert studio.restore(gone) == []
    left = files(studio)
    assert len(left) == len(every) / 2
    assert {kept.path, *kept.stems.values()} <= left
    assert kept.analysis is not None
    owners = studio.sql(
        "SELECT id FROM tracks UNION SELECT track_id FROM analyses UNION SELECT track_id FROM separations "
        "UNION SELECT track_id FROM stems UNION SELECT track_id FROM cues UNION SELECT track_id FROM removed_cues "
        "UNION SELECT track_id FROM corrections UNION SELECT track_id FROM loops"
    )
    assert owners == [{"id": kept.id}]
    assert studio.add(tmp_path / "song2.wav").new == [True]


def test_a_track_is_not_purged_while_a_job_works_on_it(studio: Studio, tmp_path: Path, later: Any) -> None:
    track = song(studio, tmp_path)
    studio.remove(track)
    with studio.catalog.write() as connection:
        studio.ledger.enqueue(connection, JobRequest("a kind of a newer version", "analysis", track.id, {}))
    later(8)
    assert clean(studio) == NOTHING
    assert studio.restore(track) == [track.id]


def test_files_that_belong_to_nothing_go_after_a_day(studio: Studio, tmp_path: Path, later: Any) -> None:
    track = song(studio, tmp_path)
    orphans = [made(studio.home / folder / f"{uuid4()}.wav") for folder in ("downloads", "stems", "analysis")]
    own = made(studio.home / "downloads" / "my own notes.txt")
    assert clean(studio) == NOTHING
    later(1.1)
    assert clean(studio) == "Freed 0.0 MB (files of nothing 3)."
    assert not any(path.exists() for path in orphans)
    assert (track.path.is_file(), own.is_file()) == (True, True)
    assert clean(studio) == NOTHING


def in_two_steps(studio: Studio, tmp_path: Path) -> tuple[Any, table.JobRow, dict[str, Any]]:
    """A cleanup that has looked, and is about to commit."""
    with studio.catalog.write() as connection:
        job = studio.ledger.enqueue(connection, JobRequest("by hand", "maintenance", None, {}))
        plan = CLEANUP.prepare(connection, job, Ground(studio.storage, studio.settings))
    assert plan.arguments is not None
    scratch = studio.storage.scratch(job.id, 1)
    result = CLEANUP.work(**plan.arguments, scratch=scratch, progress=lambda _: None)
    return FileChanges(studio.storage, scratch), job, result


def test_a_file_that_finds_an_owner_in_the_meantime_stays(studio: Studio, tmp_path: Path, later: Any) -> None:
    track = song(studio, tmp_path)
    adopted, orphan = (made(studio.home / "downloads" / f"{uuid4()}.jpg") for _ in range(2))
    later(2)
    changes, job, result = in_two_steps(studio, tmp_path)
    with studio.catalog.write() as connection:
        connection.execute("UPDATE tracks SET cover = ? WHERE id = ?", [f"downloads/{adopted.name}", track.id])
    with studio.catalog.write() as connection:
        CLEANUP.commit(connection, job, result, changes)
    changes.commit()
    assert (adopted.is_file(), orphan.exists()) == (True, False)


def test_a_removal_that_is_undone_in_the_meantime_is_undone(studio: Studio, tmp_path: Path, later: Any) -> None:
    track = song(studio, tmp_path)
    studio.remove(track)
    later(8)
    changes, job, result = in_two_steps(studio, tmp_path)
    studio.restore(track)
    with studio.catalog.write() as connection:
        CLEANUP.commit(connection, job, result, changes)
    changes.commit()
    assert (list(studio.tracks), track.path.is_file()) == ([track], True)


def test_a_song_that_is_purged_while_it_is_added_again_is_new(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = song(studio, tmp_path)
    studio.remove(track)
    examine = importing.examine

    def too_late(*arguments: Any, **options: Any) -> importing.Found:
        found = examine(*arguments, **options)
        with studio.catalog.write() as connection:
            trash.purge(connection, datetime.now(UTC) + timedelta(days=1))
        return found

    monkeypatch.setattr(importing, "examine", too_late)
    again = studio.add(tmp_path / "song0.wav")
    assert (again.new, list(studio.tracks), again[0] == track) == ([True], [again[0]], False)


def test_files_go_only_when_the_rows_are_gone(studio: Studio, tmp_path: Path, later: Any) -> None:
    track = song(studio, tmp_path)
    studio.remove(track)
    later(8)
    changes, job, result = in_two_steps(studio, tmp_path)
    with contextlib.suppress(RuntimeError), studio.catalog.write() as connection:
        CLEANUP.commit(connection, job, result, changes)
        assert track.path.is_file()
        raise RuntimeError
    changes.rollback()
    assert (studio.restore(track), track.path.is_file()) == ([track.id], True)


def test_links_go_and_what_they_point_to_stays(studio: Studio, tmp_path: Path, later: Any) -> None:
    track = song(studio, tmp_path)
    outside = made(tmp_path / "elsewhere" / "precious.txt")
    links = {
        studio.home / "scratch" / "link": outside.parent,
        studio.home / "scratch" / "folder" / "link": outside.parent,
        studio.home / "uploads" / "link": outside,
        studio.home / "downloads" / f"{uuid4()}.wav": outside,
        studio.home / "downloads" / f"{uuid4()}.flac": track.path,
        studio.home / "stems" / f"{uuid4()}.flac": tmp_path / "nowhere",
        studio.home / "logs" / f"{uuid4()}.jsonl": outside,
    }
    for link, target in links.items():
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(target)
    later(2)
    clean(studio)
    assert [link for link in links if os.path.lexists(link)] == []
    assert (outside.read_text(), track.path.is_file()) == ("something", True)


def test_leftovers_of_crashes_and_of_uploads_go_after_a_day(studio: Studio, later: Any) -> None:
    with studio.catalog.write() as connection:
        studio.ledger.enqueue(connection, JobRequest("a kind of a newer version", "analysis", None, {}))
    with studio.catalog.write() as connection:
        (running,) = studio.ledger.claim(connection, {"a kind of a newer version": "processing"}, holder=holder())
    working = made(studio.home / "scratch" / f"{running.id}-{running.attempt}" / "half.wav")
    left = [
        made(studio.home / "scratch" / "half" / "deep" / "er.wav"),
        made(studio.home / "uploads" / str(uuid4()) / "song.wav"),
    ]
    assert clean(studio) == NOTHING
    assert all(path.exists() for path in left)
    later(2)
    assert clean(studio) == "Freed 0.0 MB (leftovers 2)."
    assert [path.name for folder in ("scratch", "uploads") for path in (studio.home / folder).iterdir()] == [
        working.parent.name
    ]
    assert working.is_file()


def test_jobs_that_ended_long_ago_are_forgotten_with_their_logs(studio: Studio, later: Any) -> None:
    def queue(needs: list[UUID]) -> UUID:
        with studio.catalog.write() as connection:
            request = JobRequest("a kind of a newer version", "analysis", None, {}, needs=needs)
            return studio.ledger.enqueue(connection, request).id

    old, recent, needed = queue([]), queue([]), queue([])
    with studio.catalog.write() as connection:
        jobs = table.get_many(connection, [old, recent, needed])
        table.transition(connection, jobs, "cancelled")
        connection.execute(
            "UPDATE jobs SET ended_at = now() - INTERVAL 8 DAYS WHERE id IN (?, ?)", [str(old), str(needed)]
        )
    waiting = queue([needed])
    logs = {job_id: made(studio.home / "logs" / f"{job_id}.jsonl") for job_id in (old, recent, needed, waiting)}
    later(2)
    assert "(ended jobs 1, job logs 1)" in clean(studio)
    assert {job_id for job_id, path in logs.items() if path.exists()} == {recent, needed, waiting}
    assert {job.id for job in studio.ledger.jobs([old, recent, needed, waiting])} == {recent, needed, waiting}


def test_webhook_deliveries_are_forgotten_after_a_month(studio: Studio) -> None:
    def deliver(days_ago: int) -> UUID:
        delivery_id = uuid4()
        with studio.catalog.write() as connection:
            webhooks.insert_delivery(connection, delivery_id, uuid4(), event="ping", data={}, job_id=uuid4())
            connection.execute(
                "UPDATE deliveries SET created_at = now() - to_days(?) WHERE id = ?", [days_ago, delivery_id]
            )
        return delivery_id

    deliver(31)
    recent = deliver(29)
    assert clean(studio) == "Freed 0.0 MB (webhook deliveries 1)."
    assert studio.sql("SELECT id FROM deliveries") == [{"id": recent}]


def test_two_requests_are_one_cleanup(home: Path, studio: Studio) -> None:
    with type(studio).open(home, run_jobs=False) as other:
        assert other.cleanup().ids == other.cleanup().ids


def test_what_is_purged_leaves_the_playlists_and_stays_away(studio: Studio, tmp_path: Path, later: Any) -> None:
    kept, gone = song(studio, tmp_path, seed=1), song(studio, tmp_path, seed=2)
    own, other = studio.playlists.new("Own", [gone, kept]), studio.playlists.new("Other", [kept])
    with studio.catalog.write() as connection:
        named, idle = songs.put(connection, [Song("spotify", "a", "A"), Song("spotify", "b", "B")])
        songs.link(connection, named, gone.id)
        playlists.imported(connection, service="spotify", key="x", name="Theirs", song_ids=[named])
        origins.put(connection, [OriginRow("/music/a.wav", 1, 2, gone.id, None, datetime.now(UTC))])
    studio.remove(gone)
    other.delete()
    assert [list(own), list(studio.playlists["Theirs"])] == [[kept], []]
    later(8)
    assert "removed tracks 1, " in (said := clean(studio))
    assert "playlists 1" in said
    assert [entry.track for entry in own.entries] == [kept]
    # It is known to have been here: an import of the list does not want it again.
    assert [missing.track_id for missing in studio.playlists["Theirs"].missing] == [gone.id]
    assert studio.playlists.removed == []
    with studio.catalog.read() as connection:
        assert origins.get_many(connection, ["/music/a.wav"])["/music/a.wav"].problem == origins.REMOVED
        assert songs.get_many(connection, [idle]) == []
    taken = own.remove(kept)
    later(16)
    clean(studio)
    own.put_back(*taken)
    assert own.entries == []


def test_a_hot_cue_can_be_brought_back_for_a_week(studio: Studio, tmp_path: Path, later: Any) -> None:
    track = song(studio, tmp_path, seed=1)
    track.hot_cues.set(1, 2.0)
    track.hot_cues.set(1, 3.0)
    later(6)
    clean(studio)
    assert track.hot_cues.restore(1).time == 2.0
    later(8)
    assert "former hot cues 1" in clean(studio)
    with pytest.raises(NotFoundError):
        track.hot_cues.restore(1)
    assert track.hot_cues[1].time == 2.0


def test_what_a_person_took_out_of_an_imported_playlist_stays_out_for_good(studio: Studio, later: Any) -> None:
    def bring() -> int:
        with studio.catalog.write() as connection:
            ids = songs.put(connection, [Song("spotify", "a", "A"), Song("spotify", "b", "B")])
            return playlists.imported(connection, service="spotify", key="x", name="Theirs", song_ids=ids)[1]

    assert bring() == 2
    theirs = studio.playlists["Theirs"]
    theirs.remove(0)
    later(8)
    clean(studio)
    assert bring() == 0
    assert [entry.song.song.title for entry in theirs.entries if entry.song] == ["B"]


def test_what_was_only_looked_at_is_forgotten_after_a_week_and_what_is_in_use_is_not(
    studio: Studio, later: Any
) -> None:
    with studio.catalog.write() as connection:
        looked, listed, wanted = songs.put(connection, [Song("spotify", key, key, "Band") for key in "abc"])
        lookups.put(connection, "spotify:album:x", {"songs": [str(looked), str(wanted)]}, snapshot="1")
        playlists.imported(connection, service="spotify", key="x", name="List", song_ids=[listed])
        waits = JobRequest("download", "download", None, {"song": str(wanted)}, delay=1e6)
        studio.ledger.enqueue(connection, waits)
    assert clean(studio) == NOTHING
    later(8)
    assert "links that were looked at 1, songs that nobody has 1" in clean(studio)
    with studio.catalog.read() as connection:
        assert lookups.get(connection, "spotify:album:x") is None
        assert [row.id for row in songs.get_many(connection, [looked, listed, wanted])] == [listed, wanted]


def test_the_songs_of_a_link_that_is_still_known_stay(studio: Studio, later: Any) -> None:
    later(8)
    with studio.catalog.write() as connection:
        (song_id,) = songs.put(connection, [Song("spotify", "a", "Song", "Band")])
        lookups.put(connection, "spotify:album:x", {"songs": [str(song_id)]})
        lookups.put(connection, "spotify:login", {"error": "No."})
        connection.execute("UPDATE lookups SET fetched_at = now() + INTERVAL 8 DAYS")
    clean(studio)
    with studio.catalog.read() as connection:
        assert [row.id for row in songs.get_many(connection, [song_id])] == [song_id]
