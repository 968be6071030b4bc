"""Music analysis: tempo, beats, downbeats, key, loudness, energy, form and cues of a song.

A pure engine: samples in, values out. Everything heavy is imported when it is first called.

>>> from sfa_kernel.analysis import analyze, find_cues
>>> analysis = analyze(samples, 44100)          # doctest: +SKIP
>>> analysis.tempo, analysis.camelot            # doctest: +SKIP
(127.35, '9B')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfa_kernel.analysis.cues import find_cues
    from sfa_kernel.analysis.key import camelot, compatible_keys, open_key
    from sfa_kernel.analysis.model import ANALYSIS_VERSION, Analysis, Cue, Section
    from sfa_kernel.analysis.song import analyze, analyze_blocks

__all__ = [
    "ANALYSIS_VERSION",
    "Analysis",
    "Cue",
    "Section",
    "analyze",
    "analyze_blocks",
    "camelot",
    "compatible_keys",
    "find_cues",
    "open_key",
]

_HOMES = {
    "ANALYSIS_VERSION": "model",
    "Analysis": "model",
    "Cue": "model",
    "Section": "model",
    "analyze": "song",
    "analyze_blocks": "song",
    "camelot": "key",
    "compatible_keys": "key",
    "find_cues": "cues",
    "open_key": "key",
}


def __getattr__(name: str) -> object:
    # SciPy alone takes half a second to import; who only asks for a Camelot code should not wait for it.
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
