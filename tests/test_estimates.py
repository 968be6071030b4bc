"""What a person is told before a separation starts: how long it takes, and what it costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sfa_kernel.catalog import quotas, stems
from sfa_kernel.catalog.stems import SeparationRow
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.separation import ENGINES, engines, request
from sfa_kernel.separation.interface import Engine, Model
from sfa_kernel.separation.settings import Setting
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

HERE = Engine(
    name="here",
    label="Here",
    description="",
    models=(Model("small", "Small", "", ("vocals", "drums"), speed=2.0), Model("large", "Large", "", ("vocals",))),
    split=lambda song, task, at: pytest.fail("an estimate separates nothing"),
    settings={"care": Setting(1, "Care", "How careful", minimum=1, maximum=9)},
)
CLOUD = replace(
    HERE,
    name="cloud",
    label="Cloud",
    service="cloud.example",
    models=(Model("net", "Net", "", ("vocals", "drums", "bass"), usual=("vocals",)),),
    minutes=lambda model, stems, seconds: float(-(-seconds // 60) * len(stems)),
)


@pytest.fixture(autouse=True)
def _engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "ENGINES", {**ENGINES, "here": HERE, "cloud": CLOUD})


@pytest.fixture
def song(studio: Studio, tmp_path: Path) -> Track:
    return a_song(studio, tmp_path, 100.0)


def a_song(studio: Studio, folder: Path, seconds: float) -> Track:
    """A song that says it is so long; nobody hears it here."""
    (track,) = studio.add(write_song(folder / f"{uuid4()}.wav", seconds=0.5, seed=uuid4().int % 1000))
    with studio.catalog.write() as connection:
        connection.execute("UPDATE tracks SET duration = ? WHERE id = ?", [seconds, track.id])
    return studio.track(track.id)


def separated(
    studio: Studio, track: Track, seconds: float, *, age: float = 0.0, device: str = "cpu", **asked: Any
) -> UUID:
    """Note a separation that took so long."""
    done = request(asked.pop("engine", "here"), **asked)
    row = SeparationRow(
        id=uuid4(),
        track_id=track.id,
        request=done.key,
        engine=done.engine,
        model=done.model,
        settings=done.settings,
        start=done.region[0] if done.region else None,
        end=done.region[1] if done.region else None,
        device=device,
        seconds=seconds,
        minutes=None,
        residual_db=-100.0,
        report=None,
        levels="",
        chosen=False,
        created_at=datetime.now(UTC) - timedelta(seconds=age),
        removed_at=None,
    )
    with studio.catalog.write() as connection:
        stems.put(connection, row, [])
    return row.id


# -- time --------------------------------------------------------------------------------------------------------


def test_before_anything_was_done_here_it_is_the_usual_speed_of_the_model(studio: Studio, song: Track) -> None:
    told = studio.estimate(song, engine="here")
    assert (told.seconds, told.known, told.tracks) == (200.0, False, 1)
    assert str(told) == "About 3 min for 1 song, at its usual speed on two processor cores."


def test_what_took_its_time_here_tells_what_it_will_take(studio: Studio, song: Track, tmp_path: Path) -> None:
    for age, seconds in enumerate([10.0, 30.0, 50.0]):
        separated(studio, a_song(studio, tmp_path, 100.0), seconds, age=age)
    told = studio.estimate(song, engine="here")
    assert told.seconds == pytest.approx(30.0)
    assert told.known
    assert str(told) == "About 30 s for 1 song, as such separations took here."


def test_only_the_newest_twenty_count(studio: Studio, song: Track) -> None:
    # Each of another request, since the same request twice is one set.
    other = [separated(studio, song, 1000.0, age=100 + n, region=(0, 50 + n)) for n in range(10)]
    newest = [separated(studio, song, 5.0, age=n, region=(0, 50.5 + n)) for n in range(20)]
    assert len(other) + len(newest) == 30
    told = studio.estimate(song, engine="here", region=(10, 20))
    assert told.seconds is not None
    assert told.seconds < 1.0


def test_the_same_stems_and_settings_say_more_than_others(studio: Studio, song: Track, tmp_path: Path) -> None:
    other = a_song(studio, tmp_path, 100.0)
    separated(studio, other, 80.0)
    separated(studio, other, 20.0, stems="vocals")
    separated(studio, other, 60.0, settings={"care": 5})
    assert studio.estimate(song, engine="here", stems="vocals").seconds == pytest.approx(20.0)
    assert studio.estimate(song, engine="here", settings={"care": 5}).seconds == pytest.approx(60.0)
    assert studio.estimate(song, engine="here").seconds == pytest.approx(80.0)
    assert studio.estimate(song, engine="here", stems="drums").seconds == pytest.approx(60.0)  # as good as it gets


def test_fewer_stems_take_their_share_where_an_engine_works_on_them_one_by_one(
    studio: Studio, song: Track, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bag = replace(HERE, effort=lambda model, stems: len(stems) / 2)
    monkeypatch.setattr(engines, "ENGINES", {"here": bag})
    assert studio.estimate(song, engine="here", stems="vocals").seconds == 100.0
    separated(studio, a_song(studio, tmp_path, 100.0), 60.0)
    assert studio.estimate(song, engine="here", stems="vocals").seconds == pytest.approx(30.0)
    assert studio.estimate(song, engine="here").seconds == pytest.approx(60.0)


def test_a_preview_is_not_taken_for_a_song(studio: Studio, song: Track, tmp_path: Path) -> None:
    other = a_song(studio, tmp_path, 100.0)
    separated(studio, other, 20.0)
    separated(studio, other, 10.0, region=(0, 10))  # most of it is the start
    assert studio.estimate(song, engine="here").seconds == pytest.approx(20.0)
    assert studio.estimate(song, engine="here", region=(0, 20)).seconds == pytest.approx(20.0)
    assert studio.estimate(song, engine="here", region=(90, 200)).seconds == pytest.approx(10.0)  # it ends before


def test_another_device_tells_nothing(studio: Studio, song: Track, tmp_path: Path) -> None:
    separated(studio, a_song(studio, tmp_path, 100.0), 1.0, device="cuda:0")
    assert studio.estimate(song, engine="here").seconds == pytest.approx(1.0)  # auto: what it last ran on
    studio.settings = replace(studio.settings, separation_device="cpu")
    assert studio.estimate(song, engine="here").seconds == 200.0
    studio.settings = replace(studio.settings, separation_device="cuda")
    assert studio.estimate(song, engine="here").known


def test_several_songs_run_at_once_as_far_as_the_queue_lets_them(studio: Studio, tmp_path: Path) -> None:
    for seconds in (100.0, 100.0, 400.0):
        a_song(studio, tmp_path, seconds)
    studio.settings = replace(studio.settings, separation_limit=3)
    assert studio.estimate(engine="here").seconds == 800.0  # the longest
    studio.settings = replace(studio.settings, separation_limit=1)
    assert studio.estimate(engine="here").seconds == 1200.0


def test_what_is_there_already_takes_no_time(studio: Studio, song: Track, tmp_path: Path) -> None:
    separated(studio, a_song(studio, tmp_path, 50.0), 25.0)
    told = studio.estimate(engine="here")
    assert (told.tracks, told.there) == (1, 1)
    assert told.seconds == pytest.approx(50.0)
    assert str(told).endswith("1 more has these stems already.")
    assert studio.estimate(engine="here", force=True).tracks == 2
    separated(studio, song, 50.0)
    assert str(studio.estimate(song, engine="here")) == "These stems are there already."
    assert studio.estimate(song, engine="here").seconds == 0.0


def test_a_model_of_which_nothing_is_known_says_so(studio: Studio, song: Track) -> None:
    told = studio.estimate(song, engine="here", model="large")
    assert told.seconds is None
    assert str(told) == "How long it takes is known once one is done."


def test_an_empty_library_has_nothing_to_separate(studio: Studio) -> None:
    assert str(studio.estimate(engine="here")) == "There is nothing to separate."


# -- minutes -----------------------------------------------------------------------------------------------------


def test_a_service_bills_begun_minutes_of_each_stem_and_song(studio: Studio, song: Track, tmp_path: Path) -> None:
    a_song(studio, tmp_path, 60.0)
    told = studio.estimate(engine="cloud", stems="vocals,bass")
    assert (told.minutes, told.minutes_left) == (6.0, None)
    assert "cloud.example bills 6 minutes; how many are left has not been asked." in str(told)
    assert told.enough
    assert studio.estimate(song, engine="cloud", region=(0, 30)).minutes == 1.0


def test_a_service_is_as_quick_as_it_was(studio: Studio, song: Track, tmp_path: Path) -> None:
    assert studio.estimate(song, engine="cloud").seconds is None
    separated(studio, a_song(studio, tmp_path, 50.0), 25.0, engine="cloud", device="cloud.example")
    assert studio.estimate(song, engine="cloud").seconds == pytest.approx(50.0)


def test_too_few_minutes_are_told_before_anything_is_sent(studio: Studio, song: Track) -> None:
    with studio.catalog.write() as connection:
        quotas.put(connection, "cloud", 1.5)
    told = studio.estimate(song, engine="cloud")
    assert (told.minutes, told.minutes_left, told.enough) == (2.0, 1.5, False)
    assert "cloud.example bills 2 minutes, but only 1.5 were left on" in str(told)
    assert told.without_account.endswith("cloud.example bills 2 minutes, more than are left.")
    assert told._repr_html_().startswith("<p><strong>")


def test_minutes_that_are_left_are_told_with_their_date(studio: Studio, song: Track) -> None:
    with studio.catalog.write() as connection:
        quotas.put(connection, "cloud", 7.0)
        quotas.put(connection, "cloud", 1234.5)
    told = studio.estimate(song, engine="cloud")
    assert told.checked_at is not None
    assert f"1,234.5 were left on {told.checked_at:%Y-%m-%d} at" in str(told)
    assert told.without_account.endswith("cloud.example bills 2 minutes.")


def test_what_runs_here_bills_nothing(studio: Studio, song: Track) -> None:
    told = studio.estimate(song, engine="here")
    assert (told.minutes, told.minutes_left, told.service) == (None, None, "")


# -- mistakes ----------------------------------------------------------------------------------------------------


def test_an_unknown_model_or_track_is_told(studio: Studio, song: Track) -> None:
    with pytest.raises(ParameterError, match="no model 'huge'"):
        studio.estimate(song, engine="here", model="huge")
    with pytest.raises(NotFoundError):
        studio.estimate(uuid4(), engine="here")


def test_voices_and_minutes_are_noted_apart(studio: Studio) -> None:
    packs = [{"id": "ALEX", "name": "Alex"}]
    with studio.catalog.write() as connection:
        quotas.put_voice_packs(connection, "cloud", packs)
        assert quotas.get(connection, "cloud").checked_at is None
        quotas.put(connection, "cloud", 3.0)
        row = quotas.get(connection, "cloud")
    assert (row.minutes_left, row.voice_packs) == (3.0, packs)
