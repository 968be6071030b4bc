"""Sound files: decode, encode, draw, and read their tags.

Samples are arrays [shape=(channels, n), dtype=float32] with full scale 1.0. Errors are
`sfa_kernel.errors.AudioError` (the file is at fault) and `sfa_kernel.errors.ParameterError` (the call is).
The heavy libraries are imported by the first call that needs them.
"""

from __future__ import annotations

from sfa_kernel.audio.decode import AudioReader, decode, probe
from sfa_kernel.audio.encode import AudioWriter, encode, holds_rate
from sfa_kernel.audio.files import AUDIO_SUFFIXES, content_hash
from sfa_kernel.audio.info import AudioInfo
from sfa_kernel.audio.tags import Tags, read_tags
from sfa_kernel.audio.waveform import Waveform, WaveformBuilder

__all__ = [
    "AUDIO_SUFFIXES",
    "AudioInfo",
    "AudioReader",
    "AudioWriter",
    "Tags",
    "Waveform",
    "WaveformBuilder",
    "content_hash",
    "decode",
    "encode",
    "holds_rate",
    "probe",
    "read_tags",
]
