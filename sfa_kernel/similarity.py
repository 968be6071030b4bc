"""Songs that sound alike, and why.

>>> studio.similar(song, tempo=(120, 128), keys="compatible")     # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.analysis.embedding import EMBEDDING_VERSION, embed, why
from sfa_kernel.analysis.wheel import fitting_keys, key_code
from sfa_kernel.catalog import embeddings, tracks
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.library import Track
from sfa_kernel.pipeline.likeness import embedding_row
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from sfa_kernel.catalog.embeddings import EmbeddingRow
    from sfa_kernel.library import Library

__all__ = ["KEYS", "MOST", "similar"]

KEYS = ("any", "compatible")
MOST = 1000  # rows of one answer


def similar(
    track: Track,
    *,
    limit: int = 20,
    tempo: tuple[float, float] | None = None,
    octaves: bool = False,
    keys: str = "any",
) -> Table:
    """The tracks that sound most like one; see `Studio.similar`."""
    if not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise ParameterError(f"{limit} similar tracks cannot be asked for.", hint=f"Choose 1 to {MOST}.")
    if keys not in KEYS:
        raise ParameterError(f"There is no choice of keys {keys!r}.", hint=f"Choose {' or '.join(KEYS)}.")
    tempi = _tempi(tempo, octaves=octaves)
    with track.library.catalog.read() as connection:
        own = embeddings.find(connection, track.id)
    if own is None or own.version != EMBEDDING_VERSION:
        own = _made_now(track)
    with track.library.catalog.read() as connection:
        found = embeddings.nearest(
            connection,
            own.vector,
            version=EMBEDDING_VERSION,
            limit=limit,
            apart_from=track.id,
            tempi=tempi,
            keys=fitting_keys(own.key) if keys == "compatible" and own.key is not None else (),
        )
        rows = tracks.get_many(connection, [neighbour.track_id for neighbour in found])
    by_id = {row.id: row for row in rows}
    return Table(
        _answer(track.library, by_id[neighbour.track_id], own, neighbour)
        for neighbour in found
        if neighbour.track_id in by_id
    )


def _answer(
    library: Library, row: tracks.TrackRow, own: EmbeddingRow, neighbour: embeddings.Neighbour
) -> dict[str, Any]:
    return {
        "track": Track(library, row),
        "distance": round(neighbour.distance, 4),
        "bpm": None if neighbour.bpm is None else round(neighbour.bpm, 3),
        "camelot": key_code(neighbour.key),
        "why": why(own.vector, neighbour.vector),
    }


def _made_now(track: Track) -> EmbeddingRow:
    """For a track whose analysis is older than the embeddings."""
    analysis = track.analysis
    if analysis is None:
        raise NotFoundError(
            f"{track.title!r} has not been analysed, so nothing can be compared with it.",
            hint="Run the stage analyze first.",
        )
    return embedding_row(track.id, analysis.to_dict(), embed(analysis).tolist())


def _tempi(tempo: tuple[float, float] | None, *, octaves: bool) -> list[tuple[float, float]]:
    if tempo is None:
        return []
    try:
        low, high = (float(end) for end in tempo)
    except (TypeError, ValueError):
        raise ParameterError(
            f"{tempo!r} is no range of tempi.", hint="Name the slowest and the fastest, as in (120, 128)."
        ) from None
    if not 0 < low <= high:
        raise ParameterError(f"{low:g} to {high:g} BPM is no range of tempi.", hint="Name the slower tempo first.")
    factors = (0.5, 1.0, 2.0) if octaves else (1.0,)
    return [(low * factor, high * factor) for factor in factors]
