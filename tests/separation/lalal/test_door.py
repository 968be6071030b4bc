"""lalal.ai behind the door that every engine stands behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from sfa_kernel.audio import decode
from sfa_kernel.errors import Cancelled, SetupError
from sfa_kernel.separation import separate
from tests.separation.lalal.conftest import RATE, noise
from tests.separation.lalal.server import KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.separation.lalal.server import Service


@pytest.fixture
def cloud(service: Service, tmp_path: Path) -> dict[str, Any]:
    return {"url": service.url, "key": KEY, "board": tmp_path / "board", "interval": 0.02}


def test_stems_add_up_to_the_song(service: Service, song: Path, tmp_path: Path, cloud: dict[str, Any]) -> None:
    done = separate(song, tmp_path / "stems", engine="lalal", stems="vocals,drums,bass", cloud=cloud)
    assert list(done.stems) == ["vocals", "drums", "bass", "rest"]
    assert done.residual_db < -80
    assert (done.minutes, done.device) == (3.0, "lalal.ai")
    mix, _ = decode(song)
    assert np.abs(sum(decode(path)[0] for path in done.stems.values()) - mix).max() < 1e-5


def test_a_preview_costs_the_minutes_of_its_region(service: Service, tmp_path: Path, cloud: dict[str, Any]) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, np.tile(noise(10.0), 15).T[:, :1], RATE)
    done = separate(path, tmp_path / "stems", engine="lalal", stems="vocals", region=(30, 90), cloud=cloud)
    assert (done.minutes, service.minutes) == (1.0, 99.0)
    assert (done.start, done.frames) == (30.0, 60 * RATE)


def test_a_changed_voice_has_no_rest(service: Service, song: Path, tmp_path: Path, cloud: dict[str, Any]) -> None:
    done = separate(song, tmp_path / "stems", engine="lalal", model="voice:VETRANA", cloud=cloud)
    assert list(done.stems) == ["voice"]


def test_a_stop_and_a_missing_key_leave_nothing_behind(
    service: Service, song: Path, tmp_path: Path, cloud: dict[str, Any]
) -> None:
    with pytest.raises(SetupError, match="SFA_LALAL_KEY"):
        separate(song, tmp_path / "stems", engine="lalal", cloud={**cloud, "key": None})
    with pytest.raises(Cancelled):
        separate(song, tmp_path / "stems", engine="lalal", cloud=cloud, cancel=lambda: bool(service.tasks))
    assert not (tmp_path / "stems").exists()
    assert all(task.cancelled for task in service.tasks.values())
