"""What the pictures of an analysis get, and what a person puts right through them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sfa_kernel.analysis.curves import Curve
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.analysis import MOST_ROWS, _described, analysis_handlers
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

TIMEOUT = 120


class Page:
    """Asks as a page does."""

    def __init__(self, studio: Studio) -> None:
        self.handlers = analysis_handlers(studio)

    def __call__(self, method: str, **params: Any) -> Any:
        return self.handlers[method](params, [])


@pytest.fixture
def page(studio: Studio) -> Page:
    return Page(studio)


@pytest.fixture
def track(studio: Studio, tmp_path: Path) -> Track:
    return studio.add(write_song(tmp_path / "song.wav", seconds=16))[0]


@pytest.fixture
def analysed(studio: Studio, track: Track) -> Track:
    assert {job.status for job in studio.run(track, stages="analyze,autocue").wait(TIMEOUT).jobs} == {"completed"}
    return track


@pytest.fixture
def told(studio: Studio) -> Iterator[list[dict[str, Any]]]:
    """What is published about the library."""
    events: list[dict[str, Any]] = []
    publish = studio.bus.publish

    def note(topic: str, data: dict[str, Any]) -> None:
        if topic == "library":
            events.append(data)
        publish(topic, data)

    studio.bus.publish = note  # type: ignore[method-assign]
    yield events
    studio.bus.publish = publish  # type: ignore[method-assign]


def drawn(header: dict[str, Any], buffers: list[Any]) -> np.ndarray:
    """The values of a curve, as the page reads them."""
    steps = np.frombuffer(buffers[header["buffer"]], np.uint8).reshape(header["rows"], header["columns"])
    low, high = np.asarray(header["minimum"]), np.asarray(header["maximum"])
    return np.asarray(low + steps / 255 * (high - low))


def test_a_track_without_analysis_shows_so(page: Page, track: Track) -> None:
    loaded, buffers = page("analysis.load", id=str(track.id))
    assert (loaded["analysis"], loaded["automatic"], loaded["curves"], buffers) == (None, None, {}, [])
    assert (loaded["corrections"], loaded["cues"], loaded["loops"]) == ([], [], [])
    with pytest.raises(NotFoundError, match="no analysis yet"):
        page("analysis.correct", id=str(track.id), kind="key", value={"key": "C major"})


def test_the_pictures_get_document_and_curves(page: Page, analysed: Track) -> None:
    loaded, buffers = page("analysis.load", id=str(analysed.id))
    json.dumps(loaded, allow_nan=False)
    assert loaded["track"]["id"] == str(analysed.id)
    assert loaded["analysis"]["key"] == "A minor"
    assert loaded["analysis"] == loaded["automatic"]
    assert loaded["cues"]
    assert 0 < loaded["density"] < 20
    analysis = analysed.analysis
    assert analysis is not None
    for name, header in loaded["curves"].items():
        values = np.asarray(analysis.curves[name].values, float).reshape(header["rows"], -1)
        assert np.isfinite(values).all()
        assert np.all(header["minimum"] <= values)
        assert np.all(values <= np.asarray(header["maximum"]))
        step = (np.asarray(header["maximum"]) - header["minimum"]) / 255
        assert np.all(np.abs(drawn(header, buffers) - values) <= step)


def test_a_long_curve_travels_as_means(page: Page) -> None:
    ramp = np.arange(3.0 * MOST_ROWS)
    buffers: list[Any] = []
    header = _described(Curve(ramp, rate=30.0, start=0.5), buffers, each_column=False)
    assert (header["rows"], header["rate"], header["x_buffer"]) == (MOST_ROWS, 10.0, None)
    assert header["start"] == pytest.approx(0.5 + 1 / 30)
    assert drawn(header, buffers)[:, 0] == pytest.approx(ramp[1::3], abs=ramp[-1] / 255)


def test_columns_may_have_ends_of_their_own_and_holes_lie_at_the_bottom() -> None:
    buffers: list[Any] = []
    values = np.array([[0.0, -np.inf], [100.0, -60.0], [np.nan, -50.0]])
    header = _described(Curve(values, x=np.array([1.0, 2.0, 4.0])), buffers, each_column=True)
    assert (header["minimum"], header["maximum"]) == ([0.0, -60.0], [100.0, -50.0])
    assert drawn(header, buffers).tolist() == [[0.0, -60.0], [100.0, -60.0], [0.0, -50.0]]
    assert np.frombuffer(buffers[header["x_buffer"]], np.float32).tolist() == [1.0, 2.0, 4.0]
    empty = _described(Curve(np.zeros((0, 3)), rate=1.0), buffers, each_column=False)
    assert (empty["rows"], empty["columns"], empty["minimum"]) == (0, 3, 0.0)


def test_a_correction_shows_everywhere_and_can_be_undone(
    page: Page, studio: Studio, analysed: Track, told: list[dict[str, Any]]
) -> None:
    identifier = str(analysed.id)
    page("analysis.correct", id=identifier, kind="grid", value={"scale": 0.5})
    loaded, _ = page("analysis.correct", id=identifier, kind="key", value={"key": "E minor"})
    assert loaded["analysis"]["bpm"] == pytest.approx(60, abs=0.1)
    assert (loaded["analysis"]["key"], loaded["analysis"]["corrected"]) == ("E minor", ["grid", "key"])
    assert (loaded["automatic"]["key"], loaded["automatic"]["corrected"]) == ("A minor", [])
    assert [(row["kind"], row["value"]) for row in loaded["corrections"]] == [
        ("grid", {"scale": 0.5}),
        ("key", {"key": "E minor"}),
    ]
    assert loaded["track"]["camelot"] == "9A"
    assert studio.sql("SELECT key, open_key FROM analyses") == [{"key": "E minor", "open_key": "2m"}]
    loaded, _ = page("analysis.undo", id=identifier)
    assert (loaded["analysis"]["key"], loaded["track"]["camelot"]) == ("A minor", "8A")
    loaded, _ = page("analysis.undo", id=identifier)
    assert loaded["analysis"] == loaded["automatic"]
    with pytest.raises(NotFoundError, match="no correction to take back"):
        page("analysis.undo", id=identifier)
    assert told == [{"corrected": [identifier]}] * 4


def test_a_correction_that_makes_no_sense_changes_nothing(page: Page, analysed: Track) -> None:
    identifier = str(analysed.id)
    for params in (
        {"kind": "grid", "value": {"tempo": 1e9, "first_beat": 0}},
        {"kind": "key", "value": {"key": None}},
        {"kind": "key", "value": None},
        {"kind": "taste", "value": {}},
        {},
    ):
        with pytest.raises(ParameterError):
            page("analysis.correct", id=identifier, **params)
    assert analysed.corrections == []


def test_cues_are_added_changed_and_removed(page: Page, analysed: Track, told: list[dict[str, Any]]) -> None:
    added = page("cue.add", id=str(analysed.id), time=3.21, label="Clap", type="cue")["cues"]
    (mine,) = (cue for cue in added if cue["origin"] == "person")
    assert (mine["time"], mine["label"], mine["type"]) == (3.21, "Clap", "cue")
    changed = page("cue.change", cue=mine["id"], time=4.0)["cues"]
    (mine,) = (cue for cue in changed if cue["origin"] == "person")
    assert (mine["time"], mine["label"]) == (4.0, "Clap")
    automatic = next(cue for cue in changed if cue["origin"] == "auto")
    renamed = page("cue.change", cue=automatic["id"], label="From here")["cues"]
    assert ("From here", "person") in [(cue["label"], cue["origin"]) for cue in renamed]
    left = page("cue.remove", cue=mine["id"])["cues"]
    assert mine["id"] not in [cue["id"] for cue in left]
    assert told == [{"cues": [str(analysed.id)]}] * 4
    with pytest.raises(NotFoundError):
        page("cue.remove", cue=mine["id"])
    for wrong in ({"time": 99.0}, {"time": float("nan")}, {"time": None}, {"time": 1.0, "type": "wedding"}, {}):
        with pytest.raises(ParameterError):
            page("cue.add", id=str(analysed.id), **wrong)
    with pytest.raises(ParameterError):
        page("cue.change", cue="first", time=1.0)
