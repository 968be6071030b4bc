"""One message to one receiver: what counts as received, what may be tried again, and where nothing goes."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpcore
import pytest

from sfa_kernel.errors import FatalJobError, RateLimitedError, ServiceError
from sfa_kernel.webhooks import sending
from tests.webhooks.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PUBLIC = "93.184.216.34"


def send(url: str, *, private: bool = True, timeout: float = 10.0, body: bytes = b"{}") -> int:
    return sending.work(
        url=url,
        body=body,
        headers={"content-type": "application/json", "webhook-id": "1"},
        private=private,
        timeout=timeout,
        scratch=None,  # type: ignore[arg-type] # it makes no files
        progress=lambda percent: None,
    )


@pytest.mark.parametrize("status", [200, 201, 204])
def test_any_2xx_is_a_receipt(status: int) -> None:
    with Receiver(status) as receiver:
        assert send(receiver.url, body=b'{"a":1}') == status
        (message,) = receiver.messages
        assert (message.path, message.body) == ("/hooks", b'{"a":1}')


@pytest.mark.parametrize("status", [408, 500, 502, 503, 599])
def test_trouble_at_the_receiver_may_pass(status: int) -> None:
    with Receiver(status) as receiver, pytest.raises(ServiceError) as caught:
        send(receiver.url)
    assert sending.answered(str(caught.value)) == status


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413])
def test_a_refusal_is_final(status: int) -> None:
    with Receiver(status) as receiver, pytest.raises(FatalJobError) as caught:
        send(receiver.url)
    assert sending.answered(str(caught.value)) == status


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with (
        Receiver() as elsewhere,
        Receiver((status, {"location": elsewhere.url})) as receiver,
        pytest.raises(FatalJobError, match="Redirects are not followed"),
    ):
        send(receiver.url)
    assert elsewhere.messages == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"retry-after": "90"}, 90),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "9" * 400}, 86400),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_receiver_may_ask_for_patience_within_a_day(header: dict[str, str], seconds: float | None) -> None:
    with Receiver((429, header)) as receiver, pytest.raises(RateLimitedError) as caught:
        send(receiver.url)
    assert caught.value.retry_after == seconds


def test_a_receiver_may_name_the_moment_until_which_it_asks_for_patience() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)
    with Receiver((429, {"retry-after": moment})) as receiver, pytest.raises(RateLimitedError) as caught:
        send(receiver.url)
    assert caught.value.retry_after == pytest.approx(300, abs=30)


def test_a_slow_receiver_is_not_waited_for() -> None:
    answer = threading.Event()
    with Receiver(before=answer) as receiver:
        with pytest.raises(ServiceError, match=r"did not answer within 0\.5 s"):
            send(receiver.url, timeout=0.5)
        answer.set()


def test_a_receiver_that_drips_for_ever_is_not_waited_for_either() -> None:
    with Receiver(drip=True) as receiver:
        begun = time.monotonic()
        with pytest.raises(ServiceError, match="did not answer within 1 s"):
            send(receiver.url, timeout=1.0)
        assert time.monotonic() - begun < 5


def test_a_closed_port_and_an_unknown_name_may_work_later() -> None:
    with Receiver() as receiver:
        closed = receiver.url
    with pytest.raises(ServiceError, match="cannot be reached"):
        send(closed)
    with pytest.raises(ServiceError, match="cannot be reached"):
        send("http://nobody.invalid/")


def test_a_proxy_of_the_environment_is_passed_by(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        send(receiver.url)
        assert proxy.messages == []


# -- names and addresses -------------------------------------------------------------------------------------


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the name ``hooks.test`` lead to these addresses: those of the first look-up, of the second, ..."""
    real = socket.getaddrinfo

    def lead_to(*look_ups: list[str]) -> None:
        left = list(look_ups)

        def look_up(host: Any, port: Any, *args: Any, **options: Any) -> Any:
            if host not in ("hooks.test", b"hooks.test"):
                return real(host, port, *args, **options)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return lead_to


@pytest.fixture
def unplugged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but this machine can be reached; tests bother nobody."""
    real = httpcore.AnyIOBackend.connect_tcp

    async def connect(self: Any, host: str, *args: Any, **options: Any) -> Any:
        if not host.startswith("127."):
            raise httpcore.ConnectError("unplugged")
        return await real(self, host, *args, **options)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)


def test_a_name_that_leads_to_a_private_address_is_refused(receiver: Receiver, answers: Callable[..., None]) -> None:
    answers(["127.0.0.1"])
    with pytest.raises(FatalJobError, match=r"hooks\.test leads to 127\.0\.0\.1, .* set webhooks_private"):
        send(f"http://hooks.test:{receiver.port}/", private=False)
    assert receiver.messages == []


def test_one_private_address_among_public_ones_is_one_too_many(
    receiver: Receiver, answers: Callable[..., None], unplugged: None
) -> None:
    answers([PUBLIC, "127.0.0.1"])
    with pytest.raises(FatalJobError):
        send(f"http://hooks.test:{receiver.port}/", private=False)
    assert receiver.messages == []


def test_a_name_that_changes_its_mind_after_the_check_reaches_nobody(
    receiver: Receiver, answers: Callable[..., None], unplugged: None
) -> None:
    answers([PUBLIC], ["127.0.0.1"])
    with pytest.raises(ServiceError, match="unplugged"):
        send(f"http://hooks.test:{receiver.port}/", private=False)
    assert receiver.messages == []


def test_the_receiver_hears_its_name_and_the_second_address_is_tried(
    receiver: Receiver, answers: Callable[..., None], unplugged: None
) -> None:
    answers([PUBLIC, "127.0.0.1"])
    send(f"http://hooks.test:{receiver.port}/")
    (message,) = receiver.messages
    assert message.headers["host"] == f"hooks.test:{receiver.port}"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_certificate_must_be_that_of_the_name(
    answers: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=hooks.test"
    command += f" -addext subjectAltName=DNS:hooks.test -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    answers(["127.0.0.1"])
    with Receiver().secured(context) as receiver:
        with pytest.raises(ServiceError, match=r"(?i)certificate"):
            send(f"https://hooks.test:{receiver.port}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with pytest.raises(ServiceError, match=r"(?i)certificate"):
            send(f"https://127.0.0.1:{receiver.port}/")
        assert receiver.messages == []
        assert send(f"https://hooks.test:{receiver.port}/") == 204
