"""Answers the pictures of an analysis: what was heard, what it came from, and what a person puts right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import cues as cue_table
from sfa_kernel.errors import ParameterError
from sfa_kernel.panels.library import Handler, cue_rows, identifiers
from sfa_kernel.panels.rows import track_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sfa_kernel.analysis.curves import Curve
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

__all__ = ["analysis_handlers"]

CURVES = (
    "onsets",
    "tempo.curve",
    "chroma",
    "mfcc",
    "centroid",
    "rolloff",
    "bandwidth",
    "energy",
    "loudness.momentary",
    "loudness.short_term",
    "structure.novelty",
)
EACH_COLUMN = ("mfcc", "contrast")  # their columns differ so much that each has ends of its own
PEAK_SECONDS = 0.05  # an attack stands above its neighbours within this time
MOST_ROWS = 6000  # of a curve: more than a picture has pixels

Reply = tuple[dict[str, Any], list[Any]]


def analysis_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of the pictures, the corrections and a person's cues."""

    def load(params: dict[str, Any], buffers: list[memoryview]) -> Reply:
        return _loaded(studio, studio.track(identifiers(params)[0]))

    def correct(params: dict[str, Any], buffers: list[memoryview]) -> Reply:
        track = studio.track(identifiers(params)[0])
        value = params.get("value")
        if not isinstance(value, dict):
            raise ParameterError("A correction came without its value.", hint="Reload the page.")
        track.correct(str(params.get("kind")), **value)
        return _loaded(studio, track)

    def undo(params: dict[str, Any], buffers: list[memoryview]) -> Reply:
        track = studio.track(identifiers(params)[0])
        track.undo_correction()
        return _loaded(studio, track)

    def add_cue(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        track = studio.track(identifiers(params)[0])
        track.add_cue(params.get("time", -1.0), str(params.get("label") or ""), type=str(params.get("type") or "cue"))
        return {"cues": cue_rows(track.cues)}

    def change_cue(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        cue, track = owner(params)
        track.change_cue(cue, **{name: params.get(name) for name in ("time", "label", "type")})
        return {"cues": cue_rows(track.cues)}

    def remove_cue(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        cue, track = owner(params)
        track.remove_cue(cue)
        return {"cues": cue_rows(track.cues)}

    def owner(params: Mapping[str, Any]) -> tuple[cue_table.CueRow, Track]:
        (identifier,) = identifiers({"id": params.get("cue")})
        with studio.catalog.read() as connection:
            cue = cue_table.get(connection, identifier)
        return cue, studio.track(cue.track_id)

    def similar(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        found = studio.similar(
            studio.track(identifiers(params)[0]),
            limit=params.get("limit", 20),
            tempo=params.get("tempo"),
            octaves=bool(params.get("octaves", False)),
            keys=str(params.get("keys", "any")),
        )
        rows = {row["id"]: row for row in track_rows(studio, [answer["track"].id for answer in found])}
        return {
            "rows": [
                {"track": rows[str(answer["track"].id)], "distance": answer["distance"], "why": answer["why"]}
                for answer in found
                if str(answer["track"].id) in rows
            ]
        }

    return {
        "analysis.load": load,
        "analysis.correct": correct,
        "analysis.undo": undo,
        "analysis.similar": similar,
        "cue.add": add_cue,
        "cue.change": change_cue,
        "cue.remove": remove_cue,
    }


def _loaded(studio: Studio, track: Track) -> Reply:
    from sfa_kernel.analysis.corrections import apply

    corrections = track.corrections
    automatic = track.automatic_analysis
    curves: dict[str, Any] = {}
    binary: list[Any] = []
    density = None
    if automatic is not None:
        present = set(automatic.curves)
        for name in CURVES:
            if name in present:
                curves[name] = _described(automatic.curves[name], binary, each_column=name in EACH_COLUMN)
        density = _attacks(automatic.curves["onsets"]) if "onsets" in present else None
    return {
        "track": track_rows(studio, [track.id])[0],
        "analysis": None if automatic is None else apply(automatic, corrections).to_dict(),
        "automatic": None if automatic is None else automatic.to_dict(),
        "corrections": [
            {"id": str(row.id), "kind": row.kind, "value": row.value, "created_at": row.created_at.isoformat()}
            for row in corrections
        ],
        "cues": cue_rows(track.cues),
        "loops": [
            {
                "id": str(loop.id),
                **{name: getattr(loop, name) for name in ("source", "start", "end", "bars", "score", "reason")},
            }
            for loop in track.loops
        ],
        "curves": curves,
        "density": density,
    }, binary


def _attacks(curve: Curve) -> float | None:
    """Attacks a second: peaks of the onset strength above the song's own mean; None for less than a second."""
    import numpy as np

    values = np.asarray(curve.values, np.float32)
    strength = values.reshape(len(values), -1).sum(axis=1)
    if curve.rate is None or len(strength) < curve.rate:
        return None
    reach = max(1, round(PEAK_SECONDS * curve.rate))
    around = np.lib.stride_tricks.sliding_window_view(np.pad(strength, reach, constant_values=-np.inf), 2 * reach + 1)
    # Of equal neighbours the first is the peak.
    highest = (strength > around[:, :reach].max(axis=1)) & (strength >= around[:, reach + 1 :].max(axis=1))
    return float(np.count_nonzero(highest & (strength > strength.mean())) * curve.rate / len(strength))


def _described(curve: Curve, binary: list[Any], *, each_column: bool) -> dict[str, Any]:
    """A curve as the page draws it; its numbers are appended to the buffers.

    Parameters
    ----------
    each_column
        Whether each column spans 0..255 by itself.
    """
    import numpy as np

    values = np.asarray(curve.values, np.float32)
    values = values[:, None] if values.ndim == 1 else values
    together = max(1, -(-len(values) // MOST_ROWS))
    values = _means(values, together)
    finite = np.isfinite(values)
    axis = 0 if each_column else None
    low = np.min(values, axis=axis, initial=np.inf, where=finite)
    high = np.max(values, axis=axis, initial=-np.inf, where=finite)
    empty = low > high  # without a single finite value
    low, high = np.where(empty, 0, low), np.where(empty, 0, high)
    span = np.where(high > low, high - low, 1)
    steps = np.rint((np.where(finite, values, low) - low) / span * 255).astype(np.uint8)
    header = {
        "rows": len(values),
        "columns": values.shape[1],
        "rate": None if curve.rate is None else curve.rate / together,
        "start": curve.start if curve.rate is None else curve.start + (together - 1) / 2 / curve.rate,
        "minimum": low.tolist(),
        "maximum": high.tolist(),
        "unit": curve.unit,
        "names": list(curve.names),
        "buffer": len(binary),
        "x_buffer": None if curve.rate is not None else len(binary) + 1,
    }
    binary.append(np.ascontiguousarray(steps).data.cast("B") if steps.size else b"")
    if curve.rate is None:
        places = _means(np.asarray(curve.x, np.float64)[:, None], together).astype(np.float32)
        binary.append(places.tobytes())
    return header


def _means(values: NDArray[Any], together: int) -> NDArray[Any]:
    """Means of ``together`` neighbouring rows; the last may be of fewer."""
    import numpy as np

    if together == 1:
        return values
    starts = np.arange(0, len(values), together)
    counts = np.diff(np.append(starts, len(values)))
    means: NDArray[np.float32] = np.add.reduceat(values, starts, axis=0) / counts[:, None].astype(values.dtype)
    return means
