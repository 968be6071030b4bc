"""What is said to lalal.ai, over real connections to a service that checks it by the specification."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from sfa_kernel.errors import Cancelled, FatalJobError, RateLimitedError, ServiceError, SetupError
from sfa_kernel.separation.lalal.client import Client, KeyUsed, LinkExpired, NoBatches, Refusal
from tests.separation.lalal.server import KEY, Service
from tests.separation.lalal.specification import LEGAL_PACKS

if TYPE_CHECKING:
    from pathlib import Path

VOCALS = {"stem": "vocals", "encoder_format": "flac"}


def finished(client: Client, task: str) -> dict[str, str]:
    """The addresses of a task's tracks by label."""
    while (answer := client.check([task])[task])["status"] == "progress":
        pass
    return {track["label"]: track["url"] for track in answer["result"]["tracks"]}


def test_a_song_goes_up_and_its_stems_come_down(service: Service, client: Client, song: Path, tmp_path: Path) -> None:
    shares: list[float] = []
    upload = client.upload(song, at=shares.append)
    assert service.names == ["song.flac"]
    assert shares[-1] == 1.0
    assert shares == sorted(shares)
    task = client.submit("stem_separator", upload.id, VOCALS)
    links = finished(client, task)
    assert set(links) == {"vocals", "no_vocals"}
    client.download(links["vocals"], tmp_path / "vocals.flac", at=shares.append)
    assert (tmp_path / "vocals.flac").read_bytes()[:4] == b"fLaC"
    assert shares[-1] == 1.0
    assert client.minutes_left() == 99.0
    assert len(client.request_ids) == sum(service.calls.values()) - service.calls["a result"]


@pytest.mark.parametrize(
    ("service_name", "presets", "labels"),
    [
        ("multistem", {"stem_list": ["vocals", "drum"]}, {"vocals", "drum", "no_multistem"}),
        ("demuser", {"stem": "music"}, {"music", "no_music"}),
        ("voice_clean", {"stem": "voice", "noise_cancelling_level": 2}, {"voice", "no_voice"}),
        (
            "stem_separator",
            {"stem": "vocals", "multivocal": "lead_back"},
            {"vocals@0", "vocals@1", "no_vocals", "mix_no_lead"},
        ),
        ("change_voice", {"voice_pack_id": "VETRANA", "accent": 0.5}, {"converted_mix"}),
    ],
)
def test_every_service_can_be_ordered(
    service_name: str, presets: dict[str, object], labels: set[str], client: Client, song: Path
) -> None:
    task = client.submit(service_name, client.upload(song).id, presets)
    assert set(finished(client, task)) == labels


@pytest.mark.parametrize("name", ["song.mp3", "Ünder – 夜.flac", 'a "quoted" \\ name.wav', "a\nb.wav", "50%.ogg"])
def test_names_of_files_survive(name: str, service: Service, client: Client, song: Path) -> None:
    client.upload(song, name=name)
    assert service.names == [name.replace("\n", "")]


def test_a_batch_tells_of_each_order(service: Service, client: Client, song: Path) -> None:
    good = client.upload(song).id
    orders = [(good, VOCALS, None), (str(uuid4()), VOCALS, None), (good, {"stem": "drum"}, None)]
    first, second, third = client.submit_batch("stem_separator", orders)
    assert {first, third} == set(service.tasks)
    assert isinstance(second, Refusal)
    assert "deleted" in str(second.error)


def test_an_account_without_batches_says_so(service: Service, client: Client, song: Path) -> None:
    service.batches = False
    with pytest.raises(NoBatches):
        client.submit_batch("demuser", [(client.upload(song).id, {"stem": "music"}, None)])


def test_voices_are_the_services_and_ones_own(client: Client) -> None:
    packs = client.voice_packs()
    assert [pack.id for pack in packs[:-1]] == LEGAL_PACKS
    assert (packs[-1].name, packs[-1].created) == ("My own voice", 1672531199)


def test_tasks_are_stopped_one_by_one_and_all(service: Service, client: Client, song: Path) -> None:
    source = client.upload(song).id
    first, second, third = (client.submit("stem_separator", source, VOCALS) for _ in range(3))
    assert client.cancel([first]) == {first: ""}
    assert client.cancel([first]) == {first: "Task is not in progress state"}
    assert client.cancel_all() == {second: "", third: ""}
    assert client.check([third])[third]["status"] == "cancelled"


def test_a_deleted_song_cannot_be_ordered_from(client: Client, song: Path) -> None:
    source = client.upload(song).id
    client.delete(source)
    with pytest.raises(FatalJobError, match="already been deleted"):
        client.submit("stem_separator", source, VOCALS)


@pytest.mark.parametrize("key", ["wrong", "", None, "schlüssel", "two\nlines"])
def test_a_bad_key_is_named_and_not_shown(key: str | None, service: Service) -> None:
    with pytest.raises(SetupError, match="SFA_LALAL_KEY") as caught, Client(service.url, key) as client:
        client.minutes_left()
    assert not key or key not in str(caught.value)
    assert service.calls["limits/minutes_left/"] <= 1


def test_a_refusal_has_the_services_own_words(client: Client, song: Path) -> None:
    source = client.upload(song).id
    with pytest.raises(FatalJobError, match=r"body\.presets\.stem") as caught:
        client.submit("stem_separator", source, {"stem": "kazoo"})
    assert "kazoo" in str(caught.value)
    with pytest.raises(FatalJobError, match="available only for phoenix"):
        client.submit("stem_separator", source, {"stem": "wind", "splitter": "orion"})


def test_too_few_minutes_say_what_to_do(service: Service, client: Client, song: Path) -> None:
    service.minutes = 0.5
    with pytest.raises(FatalJobError, match="buy minutes"):
        client.submit("stem_separator", client.upload(song).id, VOCALS)


@pytest.mark.parametrize("kind", ["500", "503", "cut"])
def test_trouble_that_passes_is_not_noticed(kind: str, service: Service, client: Client, song: Path) -> None:
    for path in ("upload/", "split/stem_separator/", "limits/minutes_left/"):
        service.fail(path, kind, times=2)
    client.submit("stem_separator", client.upload(song).id, VOCALS)
    assert client.minutes_left() == 99.0


@pytest.mark.parametrize("kind", ["500", "cut"])
def test_trouble_that_stays_is_an_error(kind: str, service: Service, client: Client) -> None:
    service.fail("limits/minutes_left/", kind, times=99)
    with pytest.raises(ServiceError):
        client.minutes_left()
    assert service.calls["limits/minutes_left/"] == 3


def test_being_asked_to_wait_is_left_to_the_caller(service: Service, client: Client) -> None:
    service.fail("limits/minutes_left/", "429", times=99)
    with pytest.raises(RateLimitedError):
        client.minutes_left()
    assert service.calls["limits/minutes_left/"] == 1


def test_a_service_that_is_too_slow_or_not_there(service: Service) -> None:
    service.fail("limits/minutes_left/", "slow", times=99)
    with Client(service.url, KEY, timeout=0.1, pauses=()) as client, pytest.raises(ServiceError, match="in time"):
        client.minutes_left()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with Client(url, KEY, pauses=()) as client, pytest.raises(ServiceError, match="cannot be reached"):
        client.minutes_left()


@pytest.mark.parametrize("url", ["", "lalal.ai", "ftp://lalal.ai"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(SetupError, match="lalal_url"):
        Client(url, KEY)


def test_a_submit_whose_answer_is_lost_is_not_paid_twice(service: Service, client: Client, song: Path) -> None:
    source = client.upload(song).id
    service.fail("split/stem_separator/", "deaf")
    task = client.submit("stem_separator", source, VOCALS)
    assert list(service.tasks) == [task]
    assert service.minutes == 99


def test_a_key_of_a_task_that_has_begun_cannot_be_used_again(service: Service, client: Client, song: Path) -> None:
    source, key = client.upload(song).id, str(uuid4())
    task = client.submit("stem_separator", source, VOCALS, idempotency_key=key)
    assert client.submit("stem_separator", source, VOCALS, idempotency_key=key) == task
    client.check([task])
    with pytest.raises(KeyUsed):
        client.submit("stem_separator", source, VOCALS, idempotency_key=key)


def test_a_transfer_that_breaks_goes_on_where_it_broke(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    links = finished(client, client.submit("stem_separator", client.upload(song).id, VOCALS))
    client.download(links["vocals"], tmp_path / "whole")
    service.cut_after.extend([1000, 500])
    client.download(links["vocals"], tmp_path / "pieces")
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    assert service.ranges == ["bytes=1000-", "bytes=1500-"]


def test_a_transfer_that_breaks_every_time_is_an_error(
    service: Service, client: Client, song: Path, tmp_path: Path
) -> None:
    links = finished(client, client.submit("stem_separator", client.upload(song).id, VOCALS))
    service.cut_after.extend([10] * 9)
    with pytest.raises(ServiceError):
        client.download(links["vocals"], tmp_path / "vocals")


def test_an_expired_address_is_told_apart(service: Service, client: Client, song: Path, tmp_path: Path) -> None:
    links = finished(client, client.submit("stem_separator", client.upload(song).id, VOCALS))
    service.expire_links()
    with pytest.raises(LinkExpired):
        client.download(links["vocals"], tmp_path / "vocals")


def test_transfers_can_be_stopped(service: Service, client: Client, song: Path, tmp_path: Path) -> None:
    def stop(share: float) -> None:
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        client.upload(song, at=stop)
    links = finished(client, client.submit("stem_separator", client.upload(song).id, VOCALS))
    with pytest.raises(Cancelled):
        client.download(links["vocals"], tmp_path / "vocals", at=stop)


def test_neither_the_key_nor_what_opens_a_result_is_in_the_log(
    service: Service, client: Client, song: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        links = finished(client, client.submit("stem_separator", client.upload(song).id, VOCALS))
        client.download(links["vocals"], tmp_path / "vocals")
        service.expire_links()
        with pytest.raises(LinkExpired) as caught:
            client.download(links["vocals"], tmp_path / "vocals")
    said = caplog.text + repr(client) + str(caught.value)
    assert client.request_ids[0] in said  # but what the service's support asks for is
    assert KEY not in said
    assert links["vocals"].rpartition("=")[2] not in said


def test_a_result_may_be_elsewhere(service: Service, client: Client, song: Path, tmp_path: Path) -> None:
    link = finished(client, client.submit("stem_separator", client.upload(song).id, VOCALS))["vocals"]
    client.download(link.replace("/d/", "/moved/"), tmp_path / "vocals")
    assert (tmp_path / "vocals").read_bytes()[:4] == b"fLaC"
