from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from sfa_kernel.separation.lalal.client import Client
from tests.separation.lalal.server import KEY, Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RATE = 44100


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.url, KEY, pauses=(0.01, 0.01)) as client:
        yield client


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """A few seconds of stereo that is alike nowhere."""
    path = tmp_path / "song.flac"
    soundfile.write(path, noise(3.0).T, RATE, subtype="PCM_24")
    return path


def noise(seconds: float, seed: int = 1, rate: int = RATE) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (0.2 * generator.standard_normal((2, round(seconds * rate)))).clip(-0.9, 0.9).astype(np.float32)
