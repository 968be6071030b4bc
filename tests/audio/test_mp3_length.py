"""The length of an MP3 file, with and without a header that counts its frames."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from sfa_kernel import audio

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE_RATE = 44100


def write_bare_mp3(path: Path, seconds: float) -> None:
    """Write MP3 at a constant bit rate, without the header that counts the frames."""
    noise = np.random.default_rng(0).standard_normal((1, int(seconds * SAMPLE_RATE))).astype(np.float32) * 0.1
    with av.open(str(path), "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="mono", bit_rate=128_000)
        frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.mark.parametrize("cover", [0, 1_000_000])
def test_a_cover_is_not_taken_for_sound(tmp_path: Path, caplog: pytest.LogCaptureFixture, cover: int) -> None:
    path = tmp_path / "song.mp3"
    write_bare_mp3(path, 10)
    size = bytes((cover >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\4\0\0" + size + bytes(cover) + path.read_bytes())
    with caplog.at_level(logging.WARNING):
        samples, _ = audio.decode(path)
    assert audio.probe(path).duration == pytest.approx(samples.shape[1] / SAMPLE_RATE, abs=0.06)
    assert samples.shape[1] / SAMPLE_RATE == pytest.approx(10, abs=0.1)
    assert caplog.text == ""
