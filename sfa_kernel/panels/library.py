"""Answers the library table and the inspector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import tracks as track_table
from sfa_kernel.errors import ParameterError
from sfa_kernel.panels.rows import job_rows, track_rows

if TYPE_CHECKING:
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

__all__ = ["Handler", "cue_rows", "document", "identifiers", "library_handlers"]

# Answers one method: takes the request's parameters and binary buffers, returns a result, or result and buffers.
Handler = Callable[[dict[str, Any], list[memoryview]], Any]

LONGEST_PAGE = 1000


def identifiers(params: Mapping[str, Any]) -> list[UUID]:
    """The ids of a request, from ``ids`` or ``id``.

    Raises
    ------
    ParameterError
        When one is no id.
    """
    given = params["ids"] if "ids" in params else [params.get("id")]
    try:
        return [UUID(str(text)) for text in given]
    except (ValueError, TypeError):
        raise ParameterError("A request of the page named no valid id.", hint="Reload the page.") from None


def library_handlers(studio: Studio, *, on_open: Callable[[UUID], None]) -> dict[str, Handler]:
    """Handlers of a library.

    Parameters
    ----------
    studio
        Whose library.
    on_open
        What to do with a track that a person opens.
    """

    def ids(params: dict[str, Any], *, longest: int | None) -> list[UUID]:
        limit = max(0, int(params.get("limit", 100)))
        with studio.catalog.read() as connection:
            return track_table.page(
                connection,
                query=str(params.get("query", "")),
                sort=str(params.get("sort", "added_at")),
                descending=bool(params.get("descending", False)),
                offset=max(0, int(params.get("offset", 0))),
                limit=limit if longest is None else min(longest, limit),
            )

    def page(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        chosen = ids(params, longest=LONGEST_PAGE)
        with studio.catalog.read() as connection:
            total = track_table.count(connection, query=str(params.get("query", "")))
        return {"total": total, "rows": track_rows(studio, chosen)}

    def all_ids(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"ids": [str(i) for i in ids(params, longest=None)]}

    def run(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        started = studio.run(identifiers(params), stages=params.get("stages") or ("separate", "analyze", "autocue"))
        return {"jobs": [str(i) for i in started.ids]}

    def remove(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"removed": len(studio.remove(*identifiers(params)))}

    def restore(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"restored": len(studio.restore(*identifiers(params)))}

    def open_track(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        on_open(identifiers(params)[0])
        return {}

    def show(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        track = studio.track(identifiers(params)[0])
        row = track.row
        separation = track.separation
        return {
            "track": track_rows(studio, [track.id])[0],
            "tags": {
                "album": row.album or None,
                "genre": row.genre or None,
                "year": row.year,
                "format": row.format,
                "sample_rate": row.sample_rate,
                "channels": row.channels,
                "bytes": row.bytes,
                "source": row.source_path,
            },
            "analysis": document(track),
            "cues": cue_rows(track.cues),
            "stems": [{"id": str(stem.id), "name": stem.name, "badge": separation.badge} for stem in separation.rows]
            if separation is not None
            else [],
            "jobs": job_rows(studio, track.jobs[:20]),
        }

    def art(params: dict[str, Any], buffers: list[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
        from sfa_kernel.pipeline.media import cover_file

        file = cover_file(studio.home, identifiers(params)[0])
        return {"mime": file.mime}, [file.path.read_bytes()]

    def add_demo(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        from sfa_kernel.resources import demo_songs

        added = studio.add(*demo_songs())
        studio.run(list(added))
        return {"tracks": [str(track.id) for track in added]}

    def doctor(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        from sfa_kernel.doctor import examine

        return examine(studio.home)

    return {
        "tracks.page": page,
        "tracks.ids": all_ids,
        "tracks.run": run,
        "tracks.remove": remove,
        "tracks.restore": restore,
        "track.open": open_track,
        "track.show": show,
        "art.bytes": art,
        "demo.add": add_demo,
        "doctor": doctor,
    }


def document(track: Track) -> dict[str, Any] | None:
    """A track's analysis as the widgets show it, corrections included; or None."""
    analysis = track.analysis
    return None if analysis is None else analysis.to_dict()


def cue_rows(cues: list[Any]) -> list[dict[str, Any]]:
    """Cues as the widgets show them."""
    names = ("time", "type", "label", "color", "confidence", "reason", "origin", "slot", "end")
    return [{"id": str(cue.id), **{name: getattr(cue, name) for name in names}} for cue in cues]
