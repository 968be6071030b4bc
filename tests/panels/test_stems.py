"""The sets of stems of a track, as a mixer asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sfa_kernel import Studio as NotebookStudio
from sfa_kernel.catalog import stems
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.player import player_handlers
from tests.sounds import write_song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sfa_kernel.library import Track

TIMEOUT = 120


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookStudio]:
    with NotebookStudio.open(tmp_path_factory.mktemp("stems") / "library") as studio:
        yield studio


@pytest.fixture(scope="module")
def track(studio: NotebookStudio, tmp_path_factory: pytest.TempPathFactory) -> Track:
    """A song with two sets of stems, and a preview of its middle."""
    (track,) = studio.add(write_song(tmp_path_factory.mktemp("songs") / "Artist - Song.wav"))
    studio.separate(track).wait(TIMEOUT)
    studio.separate(track, stems=["vocals"]).wait(TIMEOUT)
    studio.separate(track, region=(2.0, 6.0)).wait(TIMEOUT)
    return track


@pytest.fixture
def ask(studio: NotebookStudio) -> Callable[..., Any]:
    handlers = player_handlers(studio)
    return lambda method, **params: handlers[method](params, [])


def names(sources: list[dict[str, Any]]) -> list[str]:
    return [source["role"] for source in sources]


def test_a_player_gets_the_set_in_use_and_hears_of_the_others(ask: Callable[..., Any], track: Track) -> None:
    loaded, _ = ask("player.load", id=str(track.id))
    preview, vocals, whole = loaded["sets"]
    assert [made["stems"] for made in loaded["sets"]] == [
        ["vocals", "drums", "bass", "other"],
        ["vocals", "rest"],
        ["vocals", "drums", "bass", "other"],
    ]
    assert [made["in_use"] for made in loaded["sets"]] == [False, True, False]
    assert (preview["start"], preview["end"], whole["start"]) == (2.0, 6.0, None)
    assert {made["badge"] for made in loaded["sets"]} == {"Draft (no AI)"}
    assert names(loaded["sources"]) == ["mix", "vocals", "rest"]
    assert {source.get("set") for source in loaded["sources"]} == {None, vocals["id"]}
    assert set(vocals["report"]["stems"]) == {"vocals", "rest"}
    assert vocals["report"]["residual_db"] < -60


def test_a_song_is_heard_also_when_the_picture_of_a_stem_is_lost(
    ask: Callable[..., Any], studio: NotebookStudio, track: Track
) -> None:
    made = track.separation
    assert made is not None
    with studio.catalog.read() as connection:
        (lost, *_) = stems.of_separation(connection, made.id)
    picture = studio.storage.path(lost.waveform)
    kept = picture.read_bytes()
    picture.unlink()
    try:
        loaded, _ = ask("player.load", id=str(track.id))
    finally:
        picture.write_bytes(kept)
    assert lost.name in names(loaded["sources"])
    assert lost.name not in loaded["waveforms"]


def test_a_preview_has_the_song_s_part_as_its_mix(ask: Callable[..., Any], track: Track) -> None:
    preview = track.separations[0]
    loaded, buffers = ask("stems.load", set=str(preview.id))
    assert names(loaded["sources"]) == ["mix", "vocals", "drums", "bass", "other"]
    assert set(loaded["waveforms"]) == set(names(loaded["sources"]))
    assert loaded["waveforms"]["mix"]["duration"] == pytest.approx(4.0, abs=0.01)
    level = loaded["waveforms"]["mix"]["levels"][0]
    picture = np.frombuffer(buffers[level["buffer"]], np.int8).reshape(level["bins"], 4, 3)
    assert picture[:, 0, 1].max() > 20
    assert loaded["set"]["stems"] == ["vocals", "drums", "bass", "other"]


def test_another_set_can_be_put_to_use_and_taken_away_with_a_way_back(ask: Callable[..., Any], track: Track) -> None:
    _, vocals, whole = track.separations
    chosen = ask("stems.choose", set=str(whole.id))["sets"]
    assert [made["id"] for made in chosen if made["in_use"]] == [str(whole.id)]
    left = ask("stems.remove", set=str(whole.id))["sets"]
    assert [made["id"] for made in left if made["in_use"]] == [str(vocals.id)]
    assert len(left) == 2
    assert len(ask("stems.restore", set=str(whole.id))["sets"]) == 3


def test_a_set_that_is_not_there_is_said_so(ask: Callable[..., Any], track: Track) -> None:
    with pytest.raises(NotFoundError, match="no such set"):
        ask("stems.load", set="00000000-0000-4000-8000-000000000000")
    with pytest.raises(ParameterError, match="named no set"):
        ask("stems.choose", set="vocals")
    with pytest.raises(NotFoundError, match="whole song"):
        ask("stems.choose", set=str(track.separations[0].id))


def test_a_mixer_in_a_notebook_leaves_its_stems_in_an_exported_one(studio: NotebookStudio, track: Track) -> None:
    preview, vocals, whole = track.separations
    mixer = studio.mixer(track, compare=whole if vocals.in_use else vocals)
    assert mixer.track_id == str(track.id)
    assert mixer.compare_id
    shown = studio.mixer(track, set=preview)._picture()
    assert "Draft (no AI) · 0:02–0:06" in shown
    assert all(name in shown for name in ("Vocals", "Drums", "Bass", "Other"))
    assert shown.count("<circle") == 4
    mixer.close()


def test_a_mixer_refuses_what_cannot_be_compared(studio: NotebookStudio, track: Track, tmp_path: Path) -> None:
    preview = track.separations[0]
    with pytest.raises(ParameterError, match="same part"):
        studio.mixer(track, compare=preview)
    (other,) = studio.add(write_song(tmp_path / "Another.wav", seed=1))
    with pytest.raises(ParameterError, match="another track"):
        studio.mixer(other, set=preview)
    with pytest.raises(ParameterError, match="no set of stems"):
        studio.mixer(track, set="vocals")
    assert "not separated yet" in studio.mixer(other)._picture()
