"""Answers the player: what to play, what to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import analyses
from sfa_kernel.panels.library import Handler, cue_rows, document, identifiers
from sfa_kernel.panels.rows import track_rows
from sfa_kernel.panels.sounds import Waveforms, source
from sfa_kernel.panels.stems import set_rows, stem_handlers, stem_sounds
from sfa_kernel.pipeline.media import audio_file

if TYPE_CHECKING:
    from sfa_kernel.studio import Studio

__all__ = ["player_handlers"]


def player_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of a player, and of the mixer in it."""

    def load(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[Any]]:
        track = studio.track(identifiers(params)[0])
        waveforms = Waveforms()
        sources = [source(studio, track.id, "mix", "Song")]
        with studio.catalog.read() as connection:
            analysis = analyses.find(connection, track.id)
        if analysis is not None:
            waveforms.add("mix", studio.storage.path(analysis.waveform))
        made = track.separation
        if made is not None:
            sources += stem_sounds(studio, made, waveforms)
        return {
            "track": track_rows(studio, [track.id])[0],
            "sources": sources,
            "analysis": document(track),
            "cues": cue_rows(track.cues),
            "waveforms": waveforms.headers,
            "sets": set_rows(studio, track.id),
        }, waveforms.binary

    def audio_bytes(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
        file = audio_file(studio.home, identifiers(params)[0])
        return {"mime": file.mime}, [file.path.read_bytes()]

    return {"player.load": load, "audio.bytes": audio_bytes} | stem_handlers(studio)
