"""Demucs through the door that every engine stands behind: in a process of its own, with files at both ends."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from sfa_kernel.audio import decode
from sfa_kernel.errors import Cancelled, SetupError
from sfa_kernel.separation import separate
from tests.separation.demucs.making import make_weights


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal((90001, 2)), 48000, subtype="FLOAT")
    return path


def test_one_stem_of_a_song_and_the_rest_of_it(song, tmp_path):
    make_weights(tmp_path / "weights", "htdemucs_ft")
    told: list[int] = []
    result = separate(
        song,
        tmp_path / "stems",
        engine="demucs",
        model="htdemucs_ft",
        stems=["vocals"],
        device="cpu",
        weights=tmp_path / "weights",
        progress=told.append,
    )
    assert list(result.stems) == ["vocals", "rest"]
    assert (result.device, result.model, result.sample_rate, result.frames) == ("cpu", "htdemucs_ft", 48000, 90001)
    assert result.residual_db <= -80
    total = sum(decode(path)[0] for path in result.stems.values())
    np.testing.assert_allclose(total, decode(song)[0], atol=1e-6)
    assert told == sorted(told)
    assert told[-1] == 100


def test_a_stop_leaves_nothing(song, tmp_path):
    make_weights(tmp_path / "weights")
    told: list[int] = []
    with pytest.raises(Cancelled):
        separate(
            song,
            tmp_path / "stems",
            engine="demucs",
            weights=tmp_path / "weights",
            progress=told.append,
            cancel=lambda: bool(told) and told[-1] > 0,
        )
    assert not (tmp_path / "stems").exists()


def test_without_weights_it_says_how_to_get_them(song, tmp_path):
    with pytest.raises(SetupError, match="sfa weights fetch htdemucs"):
        separate(song, tmp_path / "stems", engine="demucs", weights=tmp_path / "weights")
    assert not (tmp_path / "stems").exists()
