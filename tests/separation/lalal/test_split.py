"""lalal.ai as an engine: what comes back is in step with the song, costs what was said, and is not paid twice."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pytest
import soundfile

from sfa_kernel.audio import decode
from sfa_kernel.errors import Cancelled, FatalJobError, ParameterError, RateLimitedError, ServiceError, SetupError
from sfa_kernel.separation.interface import Place
from sfa_kernel.separation.lalal.split import abandon
from tests.separation.lalal.conftest import RATE, noise
from tests.separation.lalal.engine import separated, song_of
from tests.separation.lalal.server import KEY, OWN_PACK, SHARES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.separation.lalal.server import Service

Array = np.ndarray[Any, np.dtype[Any]]


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Callable[..., Place]:
    """A place of its own for each separation, on one board."""

    def place(**more: Any) -> Place:
        scratch = tmp_path / uuid4().hex
        scratch.mkdir()
        cloud = {"url": service.url, "key": KEY, "board": tmp_path / "board", "interval": 0.02, **more}
        return Place(scratch, cloud=cloud)

    return place


def share_of(mix: Array, label: str) -> Array:
    """What the service calls that stem."""
    return SHARES[label] * np.broadcast_to(mix.mean(axis=0), mix.shape)


def close(given: Array, expected: Array) -> bool:
    return given.shape == expected.shape and bool(np.abs(given - expected).max() < 1e-5)


@pytest.mark.parametrize("late", [0, 1105, -529])
def test_stems_are_in_step_with_the_song(late: int, service: Service, song: Path, place: Callable[..., Place]) -> None:
    service.late = late
    mix, _ = decode(song)
    shares: list[float] = []
    here = place()
    found = separated(song_of(song), ("vocals", "drums", "bass"), here, at=shares.append)
    assert list(found) == ["vocals", "drums", "bass", "rest"]
    kept = slice(max(0, -late), mix.shape[1] - max(0, late))  # what is early or late is cut off by the service
    for name, label in (("vocals", "vocals"), ("drums", "drum"), ("bass", "bass")):
        assert close(found[name][:, kept], share_of(mix, label)[:, kept])
    assert close(sum(found.values())[:, kept], mix[:, kept])
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert (here.notes["minutes"], here.notes["minutes_left"]) == (3.0, 97.0)
    (order,) = service.orders
    assert (order["service"], order["presets"]["stem_list"]) == ("multistem", ["vocals", "drum", "bass"])


@pytest.mark.parametrize(("rate", "channels"), [(48000, 1), (22050, 2)])
def test_any_rate_and_channels(
    rate: int, channels: int, service: Service, tmp_path: Path, place: Callable[..., Place]
) -> None:
    path, mix = tmp_path / "other.wav", noise(1.5, rate=rate)[:channels]
    soundfile.write(path, mix.T, rate, subtype="FLOAT")
    service.late = 100
    found = separated(song_of(path), ("vocals",), place())
    assert list(found) == ["vocals", "rest"]
    assert close(found["vocals"][:, :-100], share_of(mix, "vocals")[:, :-100])


def test_of_a_region_only_the_region_is_sent(service: Service, song: Path, place: Callable[..., Place]) -> None:
    mix, _ = decode(song)
    found = separated(song_of(song, (1.0, 2.0)), ("vocals",), place())
    assert close(found["vocals"], share_of(mix[:, RATE : 2 * RATE], "vocals"))
    (source,) = service.sources.values()
    assert source.seconds == 1.0


def test_what_cannot_be_had_together_is_ordered_apart(
    service: Service, song: Path, place: Callable[..., Place]
) -> None:
    mix, _ = decode(song)
    stems = ("vocals", "drums", "synthesizer", "strings", "wind")
    found = separated(song_of(song), stems, place(), model="phoenix")
    assert tuple(found) == stems  # the rest is for the door to make
    assert all(close(found[name], share_of(mix, "drum" if name == "drums" else name)) for name in stems)
    assert service.calls["split/batch/stem_separator/"] == 1
    assert service.minutes == 95
    assert {order["presets"]["splitter"] for order in service.orders} == {"phoenix"}


def test_a_batch_that_is_taken_in_part_is_mended(service: Service, song: Path, place: Callable[..., Place]) -> None:
    service.fail("batched strings", "internal_error")
    assert set(separated(song_of(song), ("strings", "wind"), place())) == {"strings", "wind"}
    assert service.minutes == 98
    service.batches = False
    assert set(separated(song_of(song, (0.0, 1.0)), ("strings", "wind"), place())) == {"strings", "wind"}


def test_a_batch_that_is_refused_in_part_costs_nothing_more(
    service: Service, song: Path, place: Callable[..., Place]
) -> None:
    service.fail("batched strings", "exceeded_duration")
    with pytest.raises(FatalJobError, match="minutes"):
        separated(song_of(song), ("strings", "wind"), place())
    assert [task.cancelled for task in service.tasks.values()] == [True]


@pytest.mark.parametrize("back_voices", [True, False])
def test_lead_and_back_voices(back_voices: bool, service: Service, song: Path, place: Callable[..., Place]) -> None:
    service.back_voices = back_voices
    mix, _ = decode(song)
    found = separated(song_of(song), ("lead_vocals", "back_vocals"), place())
    assert close(found["lead_vocals"], share_of(mix, "vocals@0"))
    assert close(found["back_vocals"], share_of(mix, "vocals@1") if back_voices else np.zeros_like(mix))
    assert close(sum(found.values()), mix)
    assert service.orders[0]["presets"]["multivocal"] == "lead_back"
    with pytest.raises(ParameterError, match="at once"):
        separated(song_of(song), ("vocals", "lead_vocals"), place())


@pytest.mark.parametrize(
    ("model", "stem", "ordered", "settings", "presets"),
    [
        ("voice_clean", "voice", "voice_clean", {"noise": 2, "dereverb": True}, {"noise_cancelling_level": 2}),
        ("music", "music", "demuser", {}, {"stem": "music"}),
        ("voice:VETRANA", "voice", "change_voice", {"accent": 0.25}, {"voice_pack_id": "VETRANA", "accent": 0.25}),
        (f"voice:{OWN_PACK['pack_id']}", "voice", "change_voice", {}, {"tonality_reference": "source_file"}),
        ("andromeda", "piano", "stem_separator", {"extraction": "clear_cut"}, {"extraction_level": "clear_cut"}),
    ],
)
def test_every_service(
    model: str,
    stem: str,
    ordered: str,
    settings: dict[str, Any],
    presets: dict[str, Any],
    service: Service,
    song: Path,
    place: Callable[..., Place],
) -> None:
    found = separated(song_of(song), (stem,), place(), model=model, settings=settings)
    assert set(found) == ({stem} if ordered == "change_voice" else {stem, "rest"})
    assert service.orders[0]["service"] == ordered
    assert presets.items() <= service.orders[0]["presets"].items()


def test_too_few_minutes_are_told_before_anything_is_sent(
    service: Service, song: Path, place: Callable[..., Place]
) -> None:
    service.minutes = 2.5
    with pytest.raises(FatalJobError, match=r"needs 3 minutes .* has 2\.5 left") as caught:
        separated(song_of(song), ("vocals", "drums", "bass"), place())
    assert "fewer stems" in caught.value.hint
    assert not service.sources


def test_without_a_key_nothing_is_done(service: Service, song: Path, place: Callable[..., Place]) -> None:
    with pytest.raises(SetupError, match="SFA_LALAL_KEY"):
        separated(song_of(song), ("vocals",), place(key=None))
    with pytest.raises(SetupError, match="SFA_LALAL_KEY"):
        separated(song_of(song), ("vocals",), place(key="wrong"))
    assert not service.sources


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [("refused", FatalJobError, "Unable to detect voice"), ("lost", ServiceError, "upload it again")],
)
def test_a_task_that_fails_says_why_and_may_be_ordered_anew(
    name: str, error: type[Exception], words: str, service: Service, song: Path, place: Callable[..., Place]
) -> None:
    song = song.rename(song.with_stem(name))
    with pytest.raises(error, match=words):
        separated(song_of(song), ("vocals",), place())
    assert not any(task.cancelled for task in service.tasks.values())
    song = song.rename(song.with_stem("song"))
    for source in service.sources.values():
        source.name = "song"
    assert "vocals" in separated(song_of(song), ("vocals",), place())
    assert len(service.tasks) == 2


def test_what_was_stopped_at_the_service_is_not_ordered_again_by_itself(
    service: Service, song: Path, place: Callable[..., Place]
) -> None:
    service.steps = (0,) * 100_000

    def stopped(share: float) -> None:
        for task in list(service.tasks.values()):
            task.cancelled = True

    with pytest.raises(FatalJobError, match=r"cancelled at lalal\.ai"):
        separated(song_of(song), ("vocals",), place(), at=stopped)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.9])
def test_a_stop_at_any_time_stops_the_service(
    share: float, service: Service, song: Path, place: Callable[..., Place]
) -> None:
    def stop(done: float) -> None:
        if done >= share:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        separated(song_of(song), ("vocals", "strings"), place(), at=stop)
    assert all(task.cancelled or task.step >= len(service.steps) for task in service.tasks.values())
    assert bool(service.tasks) == (share > 0.2)


def test_a_stop_does_not_take_the_task_from_another(service: Service, song: Path, place: Callable[..., Place]) -> None:
    service.steps = (0, 50) * 50_000
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(separated, song_of(song), ("vocals",), place())
        service.until(lambda: service.calls["check/"] > 0)

        def stop(done: float) -> None:
            if done > 0.2:
                raise Cancelled("enough")

        with pytest.raises(Cancelled):
            separated(song_of(song), ("vocals",), place(), at=stop)
        service.steps = (100,)
        assert "vocals" in other.result(60)
    assert service.minutes == 99


def test_what_is_done_is_not_paid_twice_within_a_day(service: Service, song: Path, place: Callable[..., Place]) -> None:
    first, again = place(), place()
    before = separated(song_of(song), ("vocals",), first)
    after = separated(song_of(song), ("vocals",), again)
    assert np.array_equal(before["vocals"], after["vocals"])
    assert (first.notes["minutes"], again.notes["minutes"]) == (1.0, 0)
    mine = place(owner="job 7")
    separated(song_of(song), ("drums",), mine)  # another order, of the same upload
    separated(song_of(song), ("drums",), place(owner="job 7"))
    assert mine.notes["minutes"] == 1.0  # a job that is done again has the same bill
    assert (len(service.sources), len(service.tasks), service.minutes) == (1, 2, 98)


@pytest.mark.parametrize("path", ["upload/", "split/multistem/", "check/", "a result"])
def test_trouble_leaves_the_order_for_the_next_try(
    path: str, service: Service, song: Path, place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfa_kernel.separation.lalal.split._TRIES", (0.01,))
    monkeypatch.setattr("sfa_kernel.separation.lalal.board._PATIENCE", 0.0)
    service.fail(path, "503", times=2)
    with pytest.raises(ServiceError):
        separated(song_of(song), ("vocals", "drums"), place())
    service.faults.clear()
    here = place()
    assert "drums" in separated(song_of(song), ("vocals", "drums"), here)
    assert here.notes["minutes"] == 2.0
    assert (len(service.tasks), service.minutes) == (1, 98)
    assert not any(task.cancelled for task in service.tasks.values())


def test_a_task_whose_number_was_never_told_is_not_paid_again_by_itself(
    service: Service, song: Path, place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sfa_kernel.separation.lalal.split._TRIES", (0.01,))

    def begin(share: float) -> None:
        for task in list(service.tasks.values()):
            task.step = max(task.step, 1)

    service.fail("split/stem_separator/", "deaf")
    with pytest.raises(FatalJobError, match="may be spent"):
        separated(song_of(song), ("vocals",), place(), at=begin)
    assert service.minutes == 99
    assert "vocals" in separated(song_of(song), ("vocals",), place())  # but when a person says so
    assert service.minutes == 98


def test_being_asked_to_wait_is_passed_on(service: Service, song: Path, place: Callable[..., Place]) -> None:
    service.fail("split/stem_separator/", "429")
    with pytest.raises(RateLimitedError):
        separated(song_of(song), ("vocals",), place())


def test_addresses_that_expire_are_asked_for_again(service: Service, song: Path, place: Callable[..., Place]) -> None:
    def expire(share: float) -> None:
        if share == 0.85:
            service.expire_links()

    mix, _ = decode(song)
    found = separated(song_of(song), ("vocals",), place(), at=expire)
    assert close(found["vocals"], share_of(mix, "vocals"))
    assert service.minutes == 99


def test_results_that_are_gone_say_that_anew_costs_again(
    service: Service, song: Path, place: Callable[..., Place]
) -> None:
    separated(song_of(song), ("vocals",), place())
    for source in service.sources.values():
        source.deleted = True
    with pytest.raises(FatalJobError, match="billed again"):
        separated(song_of(song), ("vocals",), place())


def test_transfers_that_break_are_resumed(service: Service, song: Path, place: Callable[..., Place]) -> None:
    service.cut_after.extend([1000])
    mix, _ = decode(song)
    found = separated(song_of(song), ("vocals",), place())
    assert close(found["vocals"], share_of(mix, "vocals"))
    assert service.ranges == ["bytes=1000-"]


def test_the_service_keeps_nothing_when_it_shall_not(service: Service, song: Path, place: Callable[..., Place]) -> None:
    separated(song_of(song), ("vocals",), place(delete_source=True))
    assert [source.deleted for source in service.sources.values()] == [True]
    separated(song_of(song), ("vocals",), place())
    assert len(service.sources) == 2


@pytest.fixture
def kill_at(service: Service, song: Path, tmp_path: Path) -> Callable[[str], None]:
    """Have the vocals of the song separated by a process, and kill it once it has made a call; it was of "job 7"."""

    def kill_at(path: str) -> None:
        service.steps = (0,) * 100_000
        (tmp_path / "scratch").mkdir()
        arguments = [service.url, KEY, str(tmp_path / "board"), str(tmp_path / "scratch"), str(song), "vocals"]
        process = subprocess.Popen([sys.executable, "-m", "tests.separation.lalal.engine", *arguments])
        try:
            service.until(lambda: service.calls[path] > 0)
        finally:
            process.kill()
            process.wait()
        service.steps = (100,) * 4

    return kill_at


@pytest.mark.parametrize("path", ["split/stem_separator/", "check/"])
def test_a_killed_process_leaves_its_task_to_the_next(
    path: str, service: Service, song: Path, kill_at: Callable[[str], None], place: Callable[..., Place]
) -> None:
    kill_at(path)
    here = place()
    found = separated(song_of(song), ("vocals",), here)
    assert close(found["vocals"], share_of(decode(song)[0], "vocals"))
    assert here.notes["minutes"] == 1.0  # they were spent for this set, if not by this process
    assert (len(service.sources), len(service.tasks), service.minutes) == (1, 1, 99)


def test_what_nobody_will_come_for_can_be_stopped(
    service: Service, kill_at: Callable[[str], None], place: Callable[..., Place]
) -> None:
    kill_at("check/")
    service.steps = (0,) * 100_000
    assert abandon(place().cloud, "job 8") == []
    assert abandon(place().cloud, "job 7") == list(service.tasks)
    assert [task.cancelled for task in service.tasks.values()] == [True]
    assert abandon(place().cloud, "job 7") == []


def test_two_at_once_that_want_the_same_order_it_once(
    service: Service, song: Path, place: Callable[..., Place]
) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(separated, song_of(song), ("vocals",), place()) for _ in range(2)]
        first, second = (one.result(60)["vocals"] for one in both)
    assert np.array_equal(first, second)
    assert (len(service.sources), len(service.tasks), service.minutes) == (1, 1, 99)
