"""What is known of a song, as one JSON document: its tags, its analysis, a person's corrections, cues and loops.

::

    {
      "program": {"name": "Sound Forge Alchemy", "version": "..."},
      "song": {"title", "artist", "album", "genre", "year", "duration_s", "sha256"},
      "analysis": {...},        what `Analysis.to_dict` gives, corrections applied: "bpm", "beats", "key", "lufs", ...
      "corrections": [...],     "kind" and "value" of each, in the order in which they were made
      "cues": [...],            "time" [s], "type", "label", "color", "confidence", "reason", "origin": auto or person
      "loops": [...]            "source": mix or a stem, "start" [s], "end" [s], "bars", "score", "reason"
    }

Times are in seconds, levels in LUFS, dBTP and dBFS, confidences and scores 0 to 1; what is not known is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sfa_kernel.analysis.corrections import Correction
    from sfa_kernel.exporting.material import Song

__all__ = ["PROGRAM", "Findings", "document"]

PROGRAM = {"name": "Sound Forge Alchemy", "version": __version__}


@dataclass(frozen=True)
class Findings:
    """What was found out about a song.

    Attributes
    ----------
    analysis
        The file of its analysis, as the machine made it.
    corrections
        What a person has put right in it, in order.
    cues, loops
        As the module says.
    """

    analysis: Path
    corrections: tuple[Correction, ...]
    cues: tuple[Mapping[str, Any], ...]
    loops: tuple[Mapping[str, Any], ...]


def document(song: Song, findings: Findings) -> dict[str, Any]:
    """The document of a song.

    Raises
    ------
    InputError
        When the file of the analysis is gone or damaged.
    """
    from sfa_kernel.analysis import Analysis
    from sfa_kernel.analysis.corrections import apply

    analysis = apply(Analysis.load(findings.analysis), findings.corrections)
    return {
        "program": PROGRAM,
        "song": {
            "title": song.title,
            "artist": song.artist,
            "album": song.album,
            "genre": song.genre,
            "year": song.year,
            "duration_s": song.duration,
            "sha256": song.content_hash,
        },
        "analysis": analysis.to_dict(),
        "corrections": [
            {"kind": correction.kind, "value": dict(correction.value)} for correction in findings.corrections
        ],
        "cues": [dict(cue) for cue in findings.cues],
        "loops": [dict(loop) for loop in findings.loops],
    }
