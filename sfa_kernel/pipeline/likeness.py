"""How a track sounds, written beside its analysis whenever that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import embeddings
from sfa_kernel.catalog.embeddings import EmbeddingRow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.analysis import Analysis
    from sfa_kernel.catalog import Connection

__all__ = ["embedding_row", "remember"]


def embedding_row(track_id: UUID, document: Mapping[str, Any], vector: Sequence[float]) -> EmbeddingRow:
    """What the catalogue holds of how a track sounds.

    Parameters
    ----------
    document
        The analysis in force, a person's corrections included, or a summary of it.
    vector
        Its embedding.
    """
    from sfa_kernel.analysis.embedding import EMBEDDING_VERSION
    from sfa_kernel.analysis.wheel import key_number

    return EmbeddingRow(track_id, EMBEDDING_VERSION, document["bpm"], key_number(document["camelot"]), vector)


def remember(connection: Connection, track_id: UUID, analysis: Analysis) -> None:
    """Write how a track sounds, in place of what was known of it."""
    from sfa_kernel.analysis.embedding import embed

    embeddings.put(connection, embedding_row(track_id, analysis.to_dict(), embed(analysis).tolist()))
