"""Looking after a library, from the command line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sfa_kernel.pipeline import cleanup
from sfa_kernel.studio import Studio
from tests.sounds import write_song
from tests.webhooks.receiver import Receiver

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.cli.conftest import Sfa

HOOK = "https://93.184.215.14/hooks"  # a public address: nothing is resolved, and nothing is sent


def test_a_library_goes_into_a_file_and_comes_back(sfa: Sfa, tmp_path: Path) -> None:
    sfa("add", write_song(tmp_path / "song.wav"))
    backup = tmp_path / "backup.zip"
    made = sfa.json("backup", backup)
    assert (made["file"], made["tracks"], made["missing"]) == (str(backup), 1, [])
    (track,) = sfa.json("tracks")["tracks"]
    sfa("add", write_song(tmp_path / "another.wav", seed=1))
    assert "--replace" in sfa.refuses("restore", backup)
    assert len(sfa.json("tracks")["tracks"]) == 2
    restored = sfa("restore", backup, "--replace")
    assert (restored.status, restored.err) == (0, "")
    assert "1 tracks" in restored.out
    assert "is kept as library.before-restore-" in restored.out
    assert [t["id"] for t in sfa.json("tracks")["tracks"]] == [track["id"]]
    with Studio.open(sfa.home) as studio:
        assert studio.tracks[0].path.is_file()


def test_a_backup_without_a_file_that_should_be_there_is_made_and_says_so(sfa: Sfa, tmp_path: Path) -> None:
    sfa("add", write_song(tmp_path / "song.wav"))
    with Studio.open(sfa.home) as studio:
        studio.tracks[0].path.unlink()
    said = sfa("backup", tmp_path / "backup.zip")
    assert (said.status, (tmp_path / "backup.zip").is_file()) == (1, True)
    assert said.err == "sfa: 1 files of the library are gone and not in the backup; see `sfa doctor`.\n"


def test_what_cannot_be_backed_up_or_restored_is_one_line(sfa: Sfa, tmp_path: Path) -> None:
    assert "There is no library" in sfa.refuses("backup", tmp_path / "backup.zip")
    (tmp_path / "text.zip").write_text("no backup")
    for name in ("text.zip", "nothing.zip"):
        assert name in sfa.refuses("restore", tmp_path / name)


def test_the_doctor_finds_what_is_gone_and_what_has_changed(sfa: Sfa, tmp_path: Path) -> None:
    sfa("add", write_song(tmp_path / "one.wav"), write_song(tmp_path / "two.wav", seed=1))
    assert sfa("doctor", "--deep").status == 0
    with Studio.open(sfa.home) as studio:
        one, two = studio.tracks
        with one.path.open("ab") as file:
            file.write(b"more")
        two.path.unlink()
    assert [
        check["name"] for check in sfa.json("doctor", status=1)["checks"] if not check["ok"] and check["required"]
    ] == ["files"]
    said = sfa("doctor", "--deep")
    assert said.status == 1
    assert "bad  files: 1 of 2 are gone, of two" in said.out
    assert "bad  contents: 1 of 2 have changed, of one" in said.out


def test_a_cleanup_is_queued_or_done_at_once(sfa: Sfa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sfa("add", write_song(tmp_path / "song.wav"))
    (queued,) = sfa.json("cleanup")["jobs"]
    assert (queued["kind"], queued["status"]) == ("cleanup", "queued")
    assert sfa("cleanup", "--wait").out == "There was nothing to remove.\n"
    with Studio.open(sfa.home, run_jobs=False) as studio:
        studio.remove(studio.tracks[0])
    monkeypatch.setattr(cleanup, "clock", lambda: time.time() + 8 * 86400)
    done = sfa.json("cleanup", "--wait")
    assert done["jobs"][0]["status"] == "completed"
    assert "removed tracks 1, their files 1" in done["result"]
    assert list((sfa.home / "downloads").iterdir()) == []


def test_the_schedule_is_shown_and_changed(sfa: Sfa) -> None:
    (entry,) = sfa.json("schedule")["entries"]
    assert (entry["name"], entry["schedule"], entry["kind"], entry["last_at"]) == (
        "storage cleanup",
        "0 3 * * *",
        "cleanup",
        None,
    )
    assert sfa.json("schedule", "disable", "storage cleanup")["next_at"] is None
    assert "storage cleanup      0 3 * * *      cleanup    last never  next off" in sfa("schedule", "list").out
    assert sfa.json("schedule", "enable", "storage cleanup")["next_at"].endswith("T03:00:00+00:00")
    assert sfa.json("schedule", "run", "storage cleanup")["jobs"][0]["status"] == "queued"
    assert sfa.json("schedule", "add", "weekly", "0 4 * * SUN", "cleanup")["enabled"] is True
    assert [e["name"] for e in sfa.json("schedule", "list")["entries"]] == ["storage cleanup", "weekly"]
    assert sfa("schedule", "remove", "weekly").out == "weekly: removed\n"
    assert "has no entry 'weekly'. It has 'storage cleanup'." in sfa.refuses("schedule", "remove", "weekly")
    assert "such as '0 3 * * *'" in sfa.refuses("schedule", "add", "bad", "each night", "cleanup")


def test_webhooks_are_registered_and_forgotten(sfa: Sfa) -> None:
    assert sfa("webhooks").out == "no webhooks\n"
    added = sfa.json("webhooks", "add", HOOK, "--events", "track.analyzed, job.failed")
    assert (added["url"], added["events"]) == (HOOK, ["track.analyzed", "job.failed"])
    assert added["secret"].startswith("whsec_")
    (listed,) = sfa.json("webhooks", "list")["webhooks"]
    assert "secret" not in listed
    assert "There is no event 'track.lost'" in sfa.refuses("webhooks", "add", HOOK, "--events", "track.lost")
    assert "no address of the public internet" in sfa.refuses("webhooks", "add", "http://127.0.0.1/")
    assert sfa("webhooks", "deliveries").out == "no deliveries\n"
    assert sfa("webhooks", "remove", added["id"][:8]).status == 0
    assert sfa.json("webhooks")["webhooks"] == []
    assert "no webhook" in sfa.refuses("webhooks", "test", added["id"])


def test_a_webhook_is_tried_out_and_nothing_else_runs(
    sfa: Sfa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SFA_WEBHOOKS_PRIVATE", "1")
    sfa("add", write_song(tmp_path / "song.wav"))
    sfa("run", "--stages", "analyze")
    with Receiver(204, 404) as receiver:
        added = sfa.json("webhooks", "add", receiver.url)
        said = sfa("webhooks", "test", added["id"][:6])
        assert said.status == 0
        assert said.out.startswith(f"{receiver.url} answered 204 after ")
        assert receiver.received(1)[0].genuine(added["secret"])
        assert "did not take it" in sfa.refuses("webhooks", "test", added["id"])
    deliveries = sfa.json("webhooks", "deliveries", added["id"])["deliveries"]
    assert [(d["event"], d["status"], d["attempts"][0]["response_status"]) for d in deliveries] == [
        ("ping", "failed", 404),
        ("ping", "delivered", 204),
    ]
    (analyze,) = sfa.json("jobs", "--kind", "analyze")["jobs"]
    assert (analyze["status"], analyze["attempt"]) == ("queued", 0)
