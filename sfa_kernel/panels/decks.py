"""Answers the decks: which page plays them, what it changes, the songs in them and their hot cues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.control.given import number
from sfa_kernel.dj.songs import gain_of, tonic_of
from sfa_kernel.errors import ParameterError
from sfa_kernel.panels.library import Handler, cue_rows, identifiers
from sfa_kernel.panels.player import player_handlers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.decks import Decks
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

__all__ = ["deck_handlers"]


def deck_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of the decks of a studio."""
    decks = studio.decks()
    load_song = player_handlers(studio)["player.load"]

    def kernel(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"kernel": decks.session}

    def attach(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        values = params.get("values")
        if not isinstance(values, dict | None):
            raise _wrong()
        return decks.link.attach(
            _page(params),
            take=bool(params.get("take")),
            values=values,
            seen=_whole(params.get("seen", 0)),
            clock=number(params.get("clock")),
        )

    def changes(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        made, stands = params.get("changes"), params.get("decks")
        if not isinstance(made, list) or not isinstance(stands, list):
            raise _wrong()
        held = decks.link.receive(
            _page(params),
            made,
            seen=_whole(params.get("seen", 0)),
            first=_whole(params.get("first", 1)),
            stands=stands,
            clock=number(params.get("clock")),
        )
        return {"held": held}

    def detach(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        decks.link.detach(_page(params))
        return {}

    def load(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[Any]]:
        loaded, binary = load_song(params, buffers)
        analysis = studio.track(loaded["track"]["id"]).analysis
        loudness = (None, None) if analysis is None else (analysis.lufs, analysis.true_peak)
        key = tonic_of(None if analysis is None else analysis.key)
        return {**loaded, "gain": gain_of(*loudness), "key": key}, binary

    def set_cue(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        track, slot = named(params)
        track.hot_cues.set(
            slot,
            params.get("time", -1.0),
            end=params.get("end"),
            label=params.get("label"),
            color=params.get("color"),
        )
        return {"cues": cue_rows(track.cues)}

    def clear_cue(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        track, slot = named(params)
        track.hot_cues.clear(slot)
        return {"cues": cue_rows(track.cues)}

    def restore_cue(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        track, slot = named(params)
        track.hot_cues.restore(slot)
        return {"cues": cue_rows(track.cues)}

    def fill_cues(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        track = studio.track(identifiers(params)[0])
        track.hot_cues.fill()
        return {"cues": cue_rows(track.cues)}

    def named(params: Mapping[str, Any]) -> tuple[Track, int]:
        return studio.track(identifiers(params)[0]), _whole(params.get("slot"))

    def state(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"decks": _rows(decks)}

    return {
        "decks.kernel": kernel,
        "decks.attach": attach,
        "decks.changes": changes,
        "decks.detach": detach,
        "decks.load": load,
        "decks.state": state,
        "decks.cue.set": set_cue,
        "decks.cue.clear": clear_cue,
        "decks.cue.restore": restore_cue,
        "decks.cue.fill": fill_cues,
    }


def _rows(decks: Decks) -> list[dict[str, Any]]:
    """What a picture of the decks shows of each."""
    rows = []
    for deck in decks:
        track = deck.track
        song = {"title": None, "artist": None} if track is None else {"title": track.title, "artist": track.artist}
        place = {"position": deck.position, "duration": deck.duration, "tempo": deck.tempo, "playing": deck.playing}
        rows.append({"deck": deck.number, **song, **place})
    return rows


def _page(params: Mapping[str, Any]) -> str:
    page = params.get("page")
    if not isinstance(page, str) or not page:
        raise _wrong()
    return page


def _whole(given: Any) -> int:
    found = number(given)
    if found is None or found != int(found):
        raise _wrong()
    return int(found)


def _wrong() -> ParameterError:
    return ParameterError("A page asked the decks for what cannot be.", hint="Reload the page.")
