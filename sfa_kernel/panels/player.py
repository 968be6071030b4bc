"""Answers the player: what to play, what to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import analyses
from sfa_kernel.panels.library import Handler, cue_rows, document, identifiers
from sfa_kernel.panels.rows import track_rows
from sfa_kernel.pipeline.media import audio_file

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.studio import Studio

__all__ = ["player_handlers"]


def player_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of a player."""

    def load(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[Any]]:
        track = studio.track(identifiers(params)[0])
        waveforms: dict[str, Any] = {}
        binary: list[Any] = []

        def draw(role: str, path: Path) -> None:
            header, levels = _waveform(path)
            for level in header["levels"]:
                level["buffer"] = len(binary)
                binary.append(levels.pop(0))
            waveforms[role] = header

        sources = [_source(studio, track.id, "mix", "Song")]
        with studio.catalog.read() as connection:
            analysis = analyses.find(connection, track.id)
        if analysis is not None:
            draw("mix", studio.storage.path(analysis.waveform))
        made = track.separation
        for stem in made.rows if made is not None else []:
            source = _source(studio, stem.id, stem.name, stem.name.capitalize())
            sources.append({**source, "engine": made.badge if made is not None else ""})
            draw(stem.name, studio.storage.path(stem.waveform))
        return {
            "track": track_rows(studio, [track.id])[0],
            "sources": sources,
            "analysis": document(track),
            "cues": cue_rows(track.cues),
            "waveforms": waveforms,
        }, binary

    def audio_bytes(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
        file = audio_file(studio.home, identifiers(params)[0])
        return {"mime": file.mime}, [file.path.read_bytes()]

    return {"player.load": load, "audio.bytes": audio_bytes}


def _source(studio: Studio, identifier: Any, role: str, label: str) -> dict[str, Any]:
    file = audio_file(studio.home, identifier)
    return {
        "id": str(identifier),
        "role": role,
        "label": label,
        "url": f"sfa/audio/{identifier}",
        "mime": file.mime,
    }


def _waveform(path: Path) -> tuple[dict[str, Any], list[Any]]:
    from sfa_kernel import audio

    return audio.Waveform.load(path).to_message()
