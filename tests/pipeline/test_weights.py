"""A job fetches weights, in its own process, and says what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("demucs")

from sfa_kernel.errors import ParameterError
from sfa_kernel.pipeline.weights import weights_request
from sfa_kernel.separation.demucs import weights
from sfa_kernel.studio import Studio
from tests.separation.demucs.making import make_weights
from tests.separation.demucs.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sfa_kernel.catalog.jobs import JobRow


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shelf]:
    with Shelf() as shelf:
        monkeypatch.setenv("SFA_WEIGHTS_URL", shelf.url)
        monkeypatch.setenv("SFA_WEIGHTS_DIR", str(tmp_path / "weights"))
        yield shelf


def done(studio: Studio) -> JobRow:
    """The job that fetches htdemucs, when it has ended."""
    with studio.catalog.write() as connection:
        job = studio.ledger.enqueue(connection, weights_request("htdemucs"))
        assert studio.ledger.enqueue(connection, weights_request("htdemucs")).id == job.id
    studio.work()
    (row,) = studio.run_type(studio, [job.id]).wait(60).jobs
    return row


def test_a_file_that_is_not_there_fails_the_job_with_the_reason(shelf: Shelf, home: Path, tmp_path: Path) -> None:
    with Studio.open(home) as studio:
        job = done(studio)
    assert job.status == "failed"
    assert job.error is not None
    assert "answered 404" in job.error
    assert shelf.asked == [""]
    assert not list((tmp_path / "weights").iterdir())


def test_a_job_that_is_cancelled_in_the_middle_leaves_nothing(shelf: Shelf, home: Path, tmp_path: Path) -> None:
    shelf.files["/hybrid_transformer/955717e8-8726e21a.th"] = bytes(1 << 20)
    shelf.cuts, shelf.stalls = [1 << 16], True
    with Studio.open(home) as studio:
        with studio.catalog.write() as connection:
            job = studio.ledger.enqueue(connection, weights_request("htdemucs"))
        studio.work()
        assert shelf.silent.wait(60)
        run = studio.run_type(studio, [job.id])
        run.cancel()
        (ended,) = run.wait(60).jobs
        assert ended.status == "cancelled"
    assert not [path for path in studio.storage.path("scratch").rglob("*") if path.is_file()]
    assert not list((tmp_path / "weights").iterdir())


def test_weights_that_are_there_need_no_network(shelf: Shelf, home: Path, tmp_path: Path) -> None:
    make_weights(tmp_path / "weights")
    with Studio.open(home) as studio:
        job = done(studio)
    assert (job.status, shelf.asked) == ("completed", [])
    assert {status.state for status in weights.status(tmp_path / "weights") if status.model == "htdemucs"} == {"ready"}


def test_a_model_that_is_none_is_told() -> None:
    with pytest.raises(ParameterError, match="no model"):
        weights_request("htdemucs9")
