"""What networks run on: which device, with how many threads, segments at once, and numbers of which length."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sfa_kernel.errors import ParameterError, SetupError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PRECISIONS", "check_precision", "child_environment", "choose", "segments_at_once", "threads"]

PRECISIONS = ("float32", "tf32", "bf16")
"""Lengths of numbers to compute with, the most exact first."""

_SEGMENT_MEMORY = 0.2e9  # bytes that a network works in, for each second of a segment
_MOST_SEGMENTS = 16  # a batch of more keeps no GPU busier
# Every activation is a few megabytes, which glibc gets from the system anew and gives back at once: a sixth of the
# time goes into clearing pages. So it keeps what it has, in large pages.
_TUNABLES = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4294967296:glibc.malloc.trim_threshold=4294967296"  # bytes
)


def choose(device: str = "auto") -> str:
    """The device to run on, in PyTorch's words.

    Parameters
    ----------
    device
        ``"auto"`` (an NVIDIA or AMD GPU, else Apple's, else the processor), ``"cpu"``, ``"cuda"``, ``"cuda:1"``,
        ``"mps"``.

    Raises
    ------
    ParameterError
        When it is none of these.
    SetupError
        When this machine has no such device, or PyTorch cannot use it.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    apple = torch.backends.mps.is_available()
    if device == "auto":
        return "cuda:0" if gpus else "mps" if apple else "cpu"
    kind, _, number = device.partition(":")
    if (
        kind not in ("cpu", "cuda", "mps")
        or (kind != "cuda" and ":" in device)
        or (":" in device and not number.isdecimal())
    ):
        raise ParameterError(
            f"There is no device {device!r}.", hint="Choose auto, cpu, cuda, cuda:1 and so on, or mps."
        )
    there = {"cpu": True, "cuda": int(number or 0) < gpus, "mps": apple}[kind]
    if not there:
        have = [*(f"cuda:{index}" for index in range(gpus)), *(["mps"] if apple else []), "cpu"]
        raise SetupError(
            f"PyTorch cannot use the device {device} on this machine.",
            hint=f"Choose auto, or one of: {', '.join(have)}.",
        )
    return f"cuda:{int(number or 0)}" if kind == "cuda" else kind


def check_precision(device: str, precision: str) -> None:
    """Make sure that a device computes with such numbers, and does so fast.

    Parameters
    ----------
    device
        As `choose` gives it.
    precision
        ``"float32"``, exact and possible everywhere; ``"tf32"``, float32 with products rounded to 10 bits;
        ``"bf16"``, half as long.

    Raises
    ------
    SetupError
        When it does not.
    """
    import torch

    if precision == "float32":
        return
    if device.startswith("cuda"):
        good = torch.cuda.get_device_capability(device)[0] >= 8  # the first to have TF32 and bf16
    else:
        good = precision == "bf16" and device == "cpu" and _processor_has_bf16()
    if not good:
        raise SetupError(f"The device {device} has no {precision}.", hint="Choose the precision float32.")


def _processor_has_bf16() -> bool:
    # PyTorch would compute with them anywhere, on a processor without them three times slower than with float32.
    try:
        described = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "amx_bf16" in described or "avx512_bf16" in described


def segments_at_once(device: str, seconds: float) -> int:
    """How many segments a device takes at once.

    A processor is no faster with several. On a GPU they are as many as its free memory holds, with a reserve.

    Parameters
    ----------
    device
        As `choose` gives it.
    seconds
        Length of a segment [s].
    """
    if not device.startswith("cuda"):
        return 1
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(_MOST_SEGMENTS, int(0.7 * free / (_SEGMENT_MEMORY * seconds))))


@contextmanager
def threads() -> Iterator[None]:
    """Let PyTorch use every core that this process may use once, unless ``OMP_NUM_THREADS`` says otherwise."""
    import torch
    from joblib import cpu_count

    before = torch.get_num_threads()
    if "OMP_NUM_THREADS" not in os.environ:
        # Two threads on one core wait for the same unit.
        torch.set_num_threads(max(1, cpu_count(only_physical_cores=True)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def child_environment() -> dict[str, str]:
    """What the environment of a process that runs networks has besides the usual.

    It is read when a process starts: in this one it would come too late.
    """
    if sys.platform != "linux" or "GLIBC_TUNABLES" in os.environ:
        return {}
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = map(int, version.split(".")[:2])
    except (ValueError, OSError):  # another C library
        return {}
    return {"GLIBC_TUNABLES": _TUNABLES} if name == "glibc" and (major, minor) >= (2, 35) else {}
