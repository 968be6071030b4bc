from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from sfa_kernel.errors import ParameterError, SetupError
from sfa_kernel.separation.demucs import devices


@pytest.fixture
def gpus(monkeypatch):
    """Make PyTorch see some GPUs of NVIDIA, or of Apple."""

    def gpus(count: int, apple: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: apple)

    return gpus


@pytest.mark.parametrize(
    ("count", "apple", "asked", "used"),
    [
        (0, False, "auto", "cpu"),
        (2, False, "auto", "cuda:0"),
        (0, True, "auto", "mps"),
        (2, False, "cpu", "cpu"),
        (2, False, "cuda", "cuda:0"),
        (2, False, "cuda:1", "cuda:1"),
        (0, True, "mps", "mps"),
    ],
)
def test_the_device_asked_for_is_used_or_else_the_fastest_there_is(gpus, count, apple, asked, used):
    gpus(count, apple)
    assert devices.choose(asked) == used


@pytest.mark.parametrize("asked", ["cuda", "cuda:0", "cuda:2", "mps"])
def test_a_device_that_is_not_there_is_an_error_that_names_those_that_are(gpus, asked):
    gpus(2 if asked == "cuda:2" else 0)
    with pytest.raises(SetupError, match=asked) as caught:
        devices.choose(asked)
    assert "cpu" in caught.value.hint
    assert ("cuda:1" in caught.value.hint) == (asked == "cuda:2")


@pytest.mark.parametrize("asked", ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "mps:0", "auto:0"])
def test_what_is_no_device_is_said_to_be_none(asked):
    with pytest.raises(ParameterError, match="no device"):
        devices.choose(asked)


def test_short_numbers_are_for_devices_that_have_them(monkeypatch):
    devices.check_precision("cpu", "float32")
    with pytest.raises(SetupError, match="cpu has no tf32"):
        devices.check_precision("cpu", "tf32")
    monkeypatch.setattr(devices, "_processor_has_bf16", lambda: False)
    with pytest.raises(SetupError, match="cpu has no bf16"):
        devices.check_precision("cpu", "bf16")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(SetupError, match="cuda:0 has no bf16"):
        devices.check_precision("cuda:0", "bf16")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    devices.check_precision("cuda:0", "bf16")
    devices.check_precision("cuda:0", "tf32")


def test_a_gpu_takes_as_many_segments_at_once_as_its_memory_holds(monkeypatch):
    assert devices.segments_at_once("cpu", 7.8) == 1
    counts = []
    for free in (1e9, 6e9, 10e9, 140e9):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (int(free), int(141e9)))
        counts.append(devices.segments_at_once("cuda:0", 7.8))
    assert counts == sorted(counts)
    assert counts[0] == 1
    assert 1 < counts[1] < counts[2] < counts[3] <= 16


def test_threads_are_put_back_and_a_persons_choice_of_them_stands(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with devices.threads():
        assert torch.get_num_threads() == before
    monkeypatch.delenv("OMP_NUM_THREADS")
    with devices.threads():
        assert 1 <= torch.get_num_threads() <= (os.cpu_count() or 1)
    assert torch.get_num_threads() == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has glibc")
def test_a_child_starts_with_the_environment_made_for_it(monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    environment = devices.child_environment()
    done = subprocess.run(
        [sys.executable, "-c", "print('started')"], env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("started\n", "")
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.check=0")
    assert devices.child_environment() == {}


def test_no_tunables_where_the_c_library_has_none(monkeypatch):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    for answer, count in ((None, 0), ("musl 1.2", 0), ("glibc 2.31", 0), ("glibc 2.35", 1)):
        monkeypatch.setattr(devices.os, "confstr", lambda name, answer=answer: answer, raising=False)
        assert len(devices.child_environment()) == (count if sys.platform == "linux" else 0)
