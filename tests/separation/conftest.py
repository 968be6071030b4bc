from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import soundfile

from sfa_kernel.audio import decode
from sfa_kernel.separation import separate
from tests.separation.songs import STEMS, Song, song

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from sfa_kernel.separation import Separation


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write samples [shape=(channels, n)] to a sound file."""

    def write(samples: NDArray[Any], sample_rate: int = 44100, *, subtype: str = "PCM_24", name: str = "song") -> Path:
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, samples.T, sample_rate, subtype=subtype)
        return path

    return write


@pytest.fixture(scope="session", params=["pop", "house", "dnb in mono"])
def separated(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Song, Separation, dict[str, np.ndarray]]:
    """A song with known stems, the separation of its file, and what the stem files hold."""
    style = request.param.split()[0]
    truth = song(style, seed=5, seconds=16, mono="mono" in request.param)
    folder = tmp_path_factory.mktemp(style)
    path = folder / "song.wav"
    soundfile.write(path, truth.mix.T, truth.sample_rate, subtype="FLOAT")
    result = separate(path, folder / "stems")
    return truth, result, {name: decode(result.stems[name])[0] for name in STEMS}
