"""One short piece of music in every format that people bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import soxr

from tests.audio.making import SAMPLE_RATE, music, write, write_av

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@pytest.fixture(scope="session")
def sound() -> NDArray[np.float32]:
    """Two seconds and a bit, stereo, so that no codec's frame fits."""
    return music(2.5 + 123 / SAMPLE_RATE)


@pytest.fixture(scope="session")
def files(sound: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sound as files, by a name for the kind."""
    folder = tmp_path_factory.mktemp("formats")
    at_48k = soxr.resample(sound.T, SAMPLE_RATE, 48000).T
    return {
        "wav": write(folder / "a.wav", sound, SAMPLE_RATE, subtype="FLOAT"),
        "wav24": write(folder / "a24.wav", sound, SAMPLE_RATE, subtype="PCM_24"),
        "wav8": write(folder / "a8.wav", sound, SAMPLE_RATE, subtype="PCM_U8"),
        "rf64": write(folder / "rf64.wav", sound, SAMPLE_RATE, format="RF64", subtype="FLOAT"),
        "aiff": write(folder / "a.aiff", sound, SAMPLE_RATE, subtype="PCM_16"),
        "flac": write(folder / "a.flac", sound, SAMPLE_RATE, subtype="PCM_24"),
        "mp3": write(folder / "a.mp3", sound, SAMPLE_RATE),
        "vorbis": write(folder / "a.ogg", sound, SAMPLE_RATE),
        "opus": write(folder / "a.opus", at_48k, 48000, format="OGG", subtype="OPUS"),
        "m4a": write_av(folder / "a.m4a", sound, SAMPLE_RATE, codec="aac", container="ipod"),
        "alac": write_av(folder / "alac.m4a", sound, SAMPLE_RATE, codec="alac", container="ipod"),
        "dash": write_av(
            folder / "dash.m4a",
            sound,
            SAMPLE_RATE,
            codec="aac",
            container="mp4",
            movflags="frag_keyframe+delay_moov",
            frag_duration="500000",
        ),
        "aac": write_av(folder / "a.aac", sound, SAMPLE_RATE, codec="aac", container="adts"),
        "mka": write_av(folder / "a.mka", sound, SAMPLE_RATE, codec="aac", container="matroska"),
    }
