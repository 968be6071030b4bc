"""Where a webhook may go, however the address is written."""

from __future__ import annotations

import pytest

from sfa_kernel.errors import ParameterError
from sfa_kernel.webhooks.addresses import checked_url, service

OURS = [
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST:8080/",
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://１２７.0.0.1/",  # full-width digits
    "http://①②⑦.0.0.1/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",  # the same behind NAT64
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/",
]
NOBODYS = [
    "http://0.0.0.0/",
    "http://0/",
    "http://[::]/",
    "http://[::7f00:1]/",
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:169.254.169.254]/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://224.0.0.1/",
    "http://[ff02::1]/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://198.18.0.1/",
    "http://[2002:7f00:1::1]/",  # 6to4 of 127.0.0.1
    "http://[2001:0:7f00:1::1]/",  # Teredo
    "http://[64:ff9b::a9fe:a9fe]/",
]


@pytest.mark.parametrize("url", OURS + NOBODYS)
def test_no_webhook_goes_to_addresses_that_only_we_can_reach(url: str) -> None:
    with pytest.raises(ParameterError, match="no address of the public internet"):
        checked_url(url, private=False)


@pytest.mark.parametrize("url", NOBODYS)
def test_metadata_services_and_groups_are_refused_even_where_private_networks_are_allowed(url: str) -> None:
    with pytest.raises(ParameterError, match="no address of the public internet"):
        checked_url(url, private=True)


@pytest.mark.parametrize("url", OURS)
def test_a_person_may_allow_this_machine_and_private_networks(url: str) -> None:
    assert checked_url(url, private=True).startswith("http://")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/hooks",
        "//8.8.8.8/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "http://",
        "http:///hooks",
        "http://:80/",
        "http://./",
        "http://user@8.8.8.8/",
        "http://user:word@8.8.8.8/",
        "http://@8.8.8.8/",
        "http://8.8.8.8:0/",
        "http://8.8.8.8:99999/",
        "http://8.8.8.8:x/",
        "http://8.8.8.8\\@127.0.0.1/",
        "http://8.8.8.8/\r\nHost: other",
        "http://8.8.8.8/a b",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://a..b/",
    ],
)
def test_what_is_no_url_for_a_webhook_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(ParameterError, match=r"is no URL for a webhook: .* Give one such as"):
        checked_url(url, private=True)


def test_a_url_is_kept_in_plain_ascii_without_its_fragment() -> None:
    url = checked_url("https://8.8.8.8:8443/ä/a%20b?q=ü&z=1#part", private=False)
    assert url == "https://8.8.8.8:8443/%C3%A4/a%20b?q=%C3%BC&z=1"
    assert checked_url("https://bücher.invalid", private=False) == "https://xn--bcher-kva.invalid/"
    assert checked_url("http://[2606:4700::1]:81/x", private=False) == "http://[2606:4700::1]:81/x"


def test_a_circuit_breaker_stands_for_host_and_port() -> None:
    assert service("https://example.org/a") == service("https://example.org:443/b") == "example.org:443"
    assert service("http://example.org/") == "example.org:80"
