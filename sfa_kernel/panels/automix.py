"""Answers the panel that plans a mix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.panels.library import identifiers
from sfa_kernel.panels.rows import track_rows

if TYPE_CHECKING:
    from sfa_kernel.automix import AutoMix
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["automix_handlers"]


def automix_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of mixes that play by themselves."""

    def plan(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        playlist = params.get("playlist")
        if playlist is not None:
            made = studio.automix(studio.playlists[UUID(str(playlist))])
        else:
            made = studio.automix([studio.track(track_id) for track_id in identifiers(params)])
        return {"plan": _plan_row(studio, made)}

    def known(params: dict[str, Any]) -> AutoMix:
        return studio.automixes.get(str(params.get("plan")))

    def get(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"plan": _plan_row(studio, known(params))}

    def change(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        mix = known(params)
        mix.change(int(params["transition"]), **dict(params["change"]))
        return {"plan": _plan_row(studio, mix)}

    def songs(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        mix = known(params)
        mix.songs = [studio.track(track_id) for track_id in identifiers(params)]
        return {"plan": _plan_row(studio, mix)}

    def render(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        run = studio.render(known(params).script(), name=str(params.get("name", "")))
        return {"job": str(run.ids[0])}

    return {
        "automix.plan": plan,
        "automix.get": get,
        "automix.change": change,
        "automix.songs": songs,
        "automix.render": render,
    }


def _plan_row(studio: Studio, mix: AutoMix) -> dict[str, Any]:
    """A plan as a page shows and plays it."""
    written = mix.mix.script()
    return {
        "id": str(mix.id),
        "tracks": track_rows(studio, [track.id for track in mix.songs]),
        "transitions": [
            {
                "kind": transition.kind,
                "bars": transition.bars,
                "out_at": transition.out_at,
                "in_at": transition.in_at,
                "reason": transition.reason,
            }
            for transition in mix.mix.transitions
        ],
        "starts": written.starts,
        "duration": written.script.duration,
        "script": written.script.document(),
        "parts": written.parts,
    }
