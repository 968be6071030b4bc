"""Exports as jobs: what is asked for is made, kept for a while, and goes with its track."""

from __future__ import annotations

import json
import time
import zipfile
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sfa_kernel import audio
from sfa_kernel.catalog import exports, files, stems
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.rows import track_rows
from sfa_kernel.pipeline import cleanup
from sfa_kernel.pipeline.export import enqueue_export, preview
from tests.sounds import write_song
from tests.stems import give_stems

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog.exports import ExportRow
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

TIMEOUT = 60


@pytest.fixture
def track(studio: Studio, tmp_path: Path) -> Track:
    """A song with stems."""
    (track,) = studio.add(write_song(tmp_path / "Artist - Song.wav", seconds=3))
    give_stems(studio, track, report={"residual_db": -96.0})
    return track


def exported(studio: Studio, *tracks: Track, **options: Any) -> ExportRow:
    """Export, and what came of it."""
    run = studio.export(list(tracks), **options).wait(TIMEOUT)
    assert [(job.status, job.error) for job in run.jobs] == [("completed", None)]
    with studio.catalog.read() as connection:
        made = exports.of_job(connection, run.ids[0])
    assert made is not None
    return made


def test_an_export_is_a_file_of_the_library_with_a_name_for_people(studio: Studio, track: Track) -> None:
    made = exported(studio, track, what="stems", format="ogg")
    assert (made.name, made.kind, made.track_id, made.track_ids) == (
        "Artist - Song (stems).zip",
        "stems",
        track.id,
        [track.id],
    )
    path = studio.storage.path(made.file)
    assert path.parent == studio.home / "exports"
    assert (path.stat().st_size, audio.content_hash(path)) == (made.bytes, made.content_hash)
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    (song,) = manifest["songs"]
    assert [row["stem"] for row in song["files"]] == ["vocals", "drums", "bass", "other"]
    assert (song["engine"], song["sha256"]) == ("draft", track.row.content_hash)
    assert song["report"] == {"residual_db": -96.0}
    assert not any((studio.home / "scratch").iterdir())


def test_a_stem_file_and_an_analysis(studio: Studio, track: Track) -> None:
    stem_file = exported(studio, track, what="stem.mp4")
    assert stem_file.name == "Artist - Song.stem.mp4"
    studio.run(track, stages="analyze").wait(TIMEOUT)
    track.correct("key", key="C minor")
    track.add_cue(1.5, "Mine")
    analysis = exported(studio, track, what="analysis")
    known = json.loads(studio.storage.path(analysis.file).read_text("utf-8"))
    assert analysis.name == "Artist - Song (analysis).json"
    assert (known["song"]["title"], known["song"]["artist"]) == ("Song", "Artist")
    assert (known["analysis"]["key"], known["analysis"]["corrected"]) == ("C minor", ["key"])
    assert known["corrections"] == [{"kind": "key", "value": {"key": "C minor"}}]
    assert [(cue["label"], cue["time"], cue["origin"]) for cue in known["cues"]] == [("Mine", 1.5, "person")]
    assert [row.kind for row in _of_track(studio, track)] == ["analysis", "stem.mp4"]
    # names and tags follow the corrected analysis
    assert exported(studio, track, what="stem", stem="bass", template="{key} {camelot}").name == "C minor 5A.flac"


def clean(studio: Studio) -> None:
    (job,) = studio.cleanup().wait(TIMEOUT).jobs
    assert (job.status, job.error) == ("completed", None)


def _of_track(studio: Studio, track: Track) -> list[ExportRow]:
    with studio.catalog.read() as connection:
        return exports.of_track(connection, track.id)


def test_several_tracks_are_one_archive_that_each_of_them_lists(studio: Studio, track: Track, tmp_path: Path) -> None:
    (other,) = studio.add(write_song(tmp_path / "Other.wav", seconds=3, seed=1))
    with pytest.raises(NotFoundError, match=r"'Other' has no stems yet. Separate it first"):
        studio.export([track, other])
    assert not [job for job in studio.jobs if job.kind == "export"]
    give_stems(studio, other)
    made = exported(studio, track, other, what="stem", stem="drums", format="ogg")
    assert (made.track_id, made.name) == (None, "2 songs (drums).zip")
    assert _of_track(studio, track) == _of_track(studio, other) == [made]


def test_what_cannot_be_exported_is_told_at_once(studio: Studio, track: Track) -> None:
    with studio.catalog.read() as connection:
        for options, kind, problem in (
            ({"what": "stem", "stem": "guitar"}, NotFoundError, "have no guitar"),
            ({"what": "analysis"}, NotFoundError, "no analysis yet"),
            ({"what": "stems", "template": "{nothing}"}, ParameterError, "no field"),
            ({"what": "stems", "separation_id": uuid4()}, NotFoundError, "no such set"),
        ):
            with pytest.raises(kind, match=problem):
                preview(connection, [track.id], **options)  # type: ignore[arg-type] # a table of keyword arguments
        with pytest.raises(NotFoundError, match="no track"):
            preview(connection, [uuid4()], what="stems")


def test_the_same_export_is_one_job_while_it_waits(studio: Studio, track: Track) -> None:
    with studio.catalog.write() as connection:
        first, again, other = (
            enqueue_export(connection, studio.ledger, [track.id], what="stems", format=form)
            for form in ("ogg", "ogg", "flac")
        )
        twice = enqueue_export(connection, studio.ledger, [track.id, track.id], what="stems", format="ogg")
    assert twice.id == first.id
    assert first.id == again.id != other.id
    assert (first.queue, first.track_id) == ("export", track.id)


def test_a_stem_whose_file_is_gone_fails_in_a_sentence(studio: Studio, track: Track) -> None:
    track.stems["bass"].unlink()
    for form in ("ogg", "wav"):  # one is encoded anew, the other is copied
        (job,) = studio.export(track, what="stem", stem="bass", format=form).wait(TIMEOUT).jobs
        assert (job.status, job.attempt) == ("failed", 1)
        assert "does not exist" in (job.error or "")
    (row,) = track_rows(studio, [track.id])
    assert (row["status"], row["error"]) == ("ready", None)  # of the song nothing has failed


def test_what_is_known_of_a_song_that_is_gone_can_be_taken_away(studio: Studio, tmp_path: Path) -> None:
    path = write_song(tmp_path / "Elsewhere.wav", seconds=3)
    (track,) = studio.add(path, reference=True)
    give_stems(studio, track, report={"residual_db": -96.0})
    studio.run(track, stages="analyze").wait(TIMEOUT)
    path.unlink()
    kinds = [
        exported(studio, track, **what).kind for what in ({}, {"what": "stem", "stem": "bass"}, {"what": "analysis"})
    ]
    assert kinds == ["stems", "stem", "analysis"]
    (job,) = studio.export(track, what="stem.mp4").wait(TIMEOUT).jobs
    assert (job.status, "not there any more" in (job.error or "")) == ("failed", True)


def test_a_set_that_is_named_is_exported_and_no_other_tracks(studio: Studio, track: Track, tmp_path: Path) -> None:
    (other,) = studio.add(write_song(tmp_path / "Other.wav", seconds=3, seed=1))
    with studio.catalog.read() as connection:
        separation = stems.in_use(connection, track.id)
        assert separation is not None
        with pytest.raises(NotFoundError, match="'Other' has no such set"):
            preview(connection, [other.id], what="stems", separation_id=separation.id)
        plan = preview(connection, [track.id], what="stems", separation_id=separation.id, template="{engine} {stem}")
    assert (plan.name, plan.pieces[0].name) == ("draft stems.zip", "draft vocals.flac")


def test_exports_go_with_their_age_and_with_their_track(
    studio: Studio, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = exported(studio, track, what="stem", stem="bass", format="ogg")
    clean(studio)
    assert studio.storage.path(old.file).exists()

    now = time.time()
    monkeypatch.setattr(cleanup, "clock", lambda: now + (studio.settings.job_retention + 1) * 86400)
    clean(studio)
    assert _of_track(studio, track) == []

    made = exported(studio, track, what="stem", stem="bass", format="ogg")
    studio.remove(track)
    with studio.catalog.read() as connection:
        with pytest.raises(NotFoundError, match="no such export"):
            exports.get(connection, made.id)
        assert made.file in files.of_tracks(connection, [track.id])
    clean(studio)
    studio.close()  # files go after the rows, and a closed studio has done all it began
    assert not any((studio.home / "exports").iterdir())
