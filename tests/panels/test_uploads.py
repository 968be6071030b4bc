"""Files that a page sends: they arrive whole or go on where they were, and jobs bring them in."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sfa_kernel.errors import InputError, ParameterError
from sfa_kernel.jobs.sweep import sweep
from sfa_kernel.panels.uploads import LARGEST_CHUNK, upload_handlers
from sfa_kernel.pipeline import cleanup
from sfa_kernel.storage import FileChanges
from sfa_kernel.studio import Studio
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog.jobs import JobRow

TIMEOUT = 120


class Page:
    """Sends files as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.handlers = upload_handlers(studio)

    def __call__(self, method: str, *buffers: bytes, **params: Any) -> Any:
        return self.handlers[f"upload.{method}"](params, [memoryview(b) for b in buffers])

    def begin(self, name: str, size: int, fingerprint: str = "1") -> Any:
        return self("begin", name=name, size=size, fingerprint=fingerprint)

    def send(self, name: str, data: bytes, *, stages: tuple[str, ...] = (), chunk: int = 100_000) -> Any:
        """Send a file from where it is; the answer to its end."""
        begun = self.begin(name, len(data), str(hash(data)))
        for offset in range(begun["received"], len(data), chunk):
            self("chunk", data[offset : offset + chunk], upload=begun["upload"], offset=offset)
        return self("finish", upload=begun["upload"], stages=stages)

    def upload(self, name: str, data: bytes, *, stages: tuple[str, ...] = ()) -> JobRow:
        """Send a file and wait for its job."""
        (job_id,) = self.send(name, data, stages=stages)["jobs"]
        self.studio.ledger.wait([UUID(job_id)], timeout=TIMEOUT)
        return self.studio.ledger.get(UUID(job_id))


@pytest.fixture
def page(studio: Studio) -> Page:
    return Page(studio)


def left(studio: Studio) -> list[Path]:
    return list((studio.home / "uploads").iterdir())


@pytest.mark.parametrize(
    "name", ["song.wav", "../../song.wav", "C:\\x\\song.wav", "so\0ng.wav", "..", "歌" * 200, "con"]
)
def test_an_uploaded_file_becomes_a_track_under_a_harmless_name(
    page: Page, studio: Studio, tmp_path: Path, name: str
) -> None:
    data = write_song(tmp_path / "x.wav").read_bytes()
    job = page.upload(name, data)
    (track,) = studio.tracks
    assert (job.status, job.arguments["new"], job.arguments["track"]) == ("completed", True, str(track.id))
    assert track.title.strip("歌") in ("song", "upload", "con", "")
    assert track.path.read_bytes() == data
    again = page.upload(name, data)
    assert (again.status, again.arguments["new"]) == ("completed", False)
    assert left(studio) == []


def test_an_upload_goes_on_where_it_was_after_the_kernel_has_started_again(
    page: Page, home: Path, tmp_path: Path
) -> None:
    data = write_song(tmp_path / "x.wav").read_bytes()
    begun = page.begin("song.wav", len(data), str(hash(data)))
    page("chunk", data[:1000], upload=begun["upload"], offset=0)
    page.studio.close()
    with Studio.open(home) as studio:
        later = Page(studio)
        assert later.begin("song.wav", len(data), str(hash(data))) == {"upload": begun["upload"], "received": 1000}
        assert later.begin("song.wav", len(data), "another file of that name and size")["received"] == 0
        assert later.upload("song.wav", data).status == "completed"
        assert studio.tracks[0].path.read_bytes() == data


def test_two_pages_that_send_one_file_do_each_other_no_harm(page: Page, studio: Studio, tmp_path: Path) -> None:
    data = write_song(tmp_path / "x.wav").read_bytes()
    other = Page(studio)
    upload = page.begin("song.wav", len(data), str(hash(data)))["upload"]
    other("chunk", data[:5000], upload=upload, offset=0)
    assert page("chunk", data[:3000], upload=upload, offset=0) == {"received": 5000}
    jobs = {page.send("song.wav", data)["jobs"][0] for _ in range(2)}
    assert len(jobs) == 1
    studio.ledger.wait([UUID(job) for job in jobs], timeout=TIMEOUT)
    assert studio.tracks[0].path.read_bytes() == data


def test_a_bad_upload_is_refused_with_the_reason_and_leaves_nothing(
    page: Page, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="empty"):
        page.begin("a.mp3", 0)
    with pytest.raises(InputError, match=r"too large to be sent by a page \(5.0 GB\)"):
        page.begin("a.mp3", 5_000_000_000)
    with monkeypatch.context() as small:
        small.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
        with pytest.raises(InputError, match="no room"):
            page.begin("a.mp3", 600_000)
    job = page.upload("a.mp3", b"just words " * 100)
    assert (job.status, "a.mp3 is text" in (job.error or "")) == ("failed", True)
    assert left(studio) == []
    studio.jobs.retry(job.id)
    studio.ledger.wait([job.id], timeout=TIMEOUT)
    assert "not here any more" in (studio.ledger.get(job.id).error or "")
    assert len(studio.tracks) == 0


def test_pieces_that_do_not_fit_are_refused(page: Page, studio: Studio) -> None:
    upload = page.begin("a.mp3", 4)["upload"]
    for data, offset in ((b"34", 2), (b"12345", 0), (b"1", -1), (bytes(LARGEST_CHUNK + 1), 0)):
        with pytest.raises(ParameterError, match="lost"):
            page("chunk", data, upload=upload, offset=offset)
    with pytest.raises(InputError, match="as a whole"):
        page("finish", upload=upload)
    for unknown in ("../..", "", None, "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(ParameterError, match="not known"):
            page("chunk", b"1", upload=unknown, offset=0)
        page("abort", upload=unknown)
    page("abort", upload=upload)
    assert left(studio) == []


def test_stages_follow_an_upload_in_its_batch(page: Page, studio: Studio, tmp_path: Path) -> None:
    answer = page.send("song.wav", write_song(tmp_path / "x.wav").read_bytes(), stages=("analyze",))
    run = studio.run_type(studio, [UUID(job) for job in answer["jobs"]], batches=[UUID(answer["batch"])])
    run.wait(TIMEOUT)
    assert [(job.kind, job.status) for job in run.jobs] == [("upload", "completed"), ("analyze", "completed")]


def test_an_upload_stays_when_its_job_was_killed_while_it_wrote_its_result(page: Page, studio: Studio) -> None:
    upload = page.begin("song.wav", 1000)["upload"]
    scratch = studio.storage.scratch(uuid4(), 1)
    FileChanges(studio.storage, scratch).drop([f"uploads/{upload}"])
    sweep(studio.catalog, studio.storage)
    assert not scratch.exists()
    assert [path.name for path in left(studio)] == [upload]


def test_what_nobody_went_on_with_goes_but_not_what_waits_for_its_job(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_song(tmp_path / "x.wav").read_bytes()
    with Studio.open(home, run_jobs=False) as studio:
        page = Page(studio)
        page.begin("half.wav", 1000)
        upload = page.begin("song.wav", len(data), str(hash(data)))["upload"]
        page.send("song.wav", data)
        now = cleanup.clock()
        monkeypatch.setattr(cleanup, "clock", lambda: now + 2 * cleanup.DAY)
        run = studio.cleanup()
        studio.work(run)
        run.wait(TIMEOUT)
        assert [path.name for path in left(studio)] == [upload]
        assert json.loads((left(studio)[0] / "about.json").read_text())["name"] == "song.wav"
