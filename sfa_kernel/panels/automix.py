"""Answers the panel that plans a mix."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.errors import ParameterError
from sfa_kernel.panels.library import identifiers
from sfa_kernel.panels.rows import track_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.automix import AutoMix
    from sfa_kernel.library import Track
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.studio import Studio

__all__ = ["automix_handlers"]

FIGURES = 240  # of the energy of a song


def automix_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of mixes that play by themselves."""

    def plan(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        playlist = params.get("playlist")
        if playlist is not None:
            made = studio.automix(studio.playlists[identifiers({"id": playlist})[0]])
        else:
            made = studio.automix([studio.track(track_id) for track_id in identifiers(params)])
        return {"plan": _plan_row(studio, made)}

    def known(params: dict[str, Any]) -> AutoMix:
        return studio.automixes.get(str(params.get("plan")))

    def get(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"plan": _plan_row(studio, known(params))}

    def change(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        mix, change = known(params), params.get("change")
        if not isinstance(change, dict):
            raise ParameterError("A request of the page named no change.", hint="Reload the page.")
        mix.change(params.get("transition", -1), **change)
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


def _energy(track: Track) -> list[float]:
    """How the energy of a song goes, as few figures as a picture of a mix needs."""
    curve: Sequence[float] = [] if track.analysis is None else track.analysis.energy_curve.tolist()
    if len(curve) <= FIGURES:
        return [round(float(value), 3) for value in curve]
    edges = np.linspace(0, len(curve), FIGURES + 1).astype(int)
    return [round(float(np.mean(curve[start:end])), 3) for start, end in pairwise(edges)]


def _plan_row(studio: Studio, mix: AutoMix) -> dict[str, Any]:
    """A plan as a page shows and plays it."""
    planned = mix.mix  # of this moment
    songs, written = mix.songs_of(planned), planned.script()
    return {
        "id": str(mix.id),
        "tracks": track_rows(studio, [track.id for track in songs]),
        "transitions": [
            {
                "kind": transition.kind,
                "bars": transition.bars,
                "out_at": transition.out_at,
                "in_at": transition.in_at,
                "reason": transition.reason,
            }
            for transition in planned.transitions
        ],
        "songs": [
            {"start": span.start, "end": span.end, "from": span.source, "to": span.target, "energy": _energy(track)}
            for span, track in zip(written.spans, songs, strict=True)
        ],
        "starts": written.starts,
        "duration": written.script.duration,
        "script": written.script.document(),
        "parts": written.parts,
    }
