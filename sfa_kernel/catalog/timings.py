"""How long separations took here, and how much there is to separate."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["Timing", "lengths", "of_model"]

MOST = 200  # of the newest; what is older says less of today


@dataclass(frozen=True)
class Timing:
    """One separation that was done.

    Attributes
    ----------
    stems, settings
        What was asked for.
    device
        What it ran on.
    preview
        Whether it was of a region only.
    seconds
        How long it took [s].
    length
        How much music it was of [s].
    """

    stems: tuple[str, ...]
    settings: dict[str, Any]
    device: str
    preview: bool
    seconds: float
    length: float

    @property
    def rate(self) -> float:
        """How long a second of music took [s]."""
        return self.seconds / self.length


def of_model(connection: Connection, engine: str, model: str) -> list[Timing]:
    """The separations by one model, the newest first."""
    rows = fetch(
        connection,
        """
        SELECT s.request, s.device, s."start" IS NOT NULL AS preview, s.seconds,
               coalesce(s."end" - s."start", t.duration) AS length
        FROM separations s JOIN tracks t ON t.id = s.track_id
        WHERE s.engine = ? AND s.model = ? AND s.seconds > 0 AND length > 0
        ORDER BY s.created_at DESC, s.id LIMIT ?
        """,
        [engine, model, MOST],
    )
    found = []
    for row in rows:
        asked = json.loads(row.pop("request"))
        found.append(Timing(stems=tuple(asked["stems"]), settings=asked["settings"], **row))
    return found


def lengths(connection: Connection, track_ids: Sequence[UUID], request: str) -> dict[UUID, tuple[float, bool]]:
    """Of these tracks that are in the library how long each is [s], and whether it has what this request makes."""
    rows = connection.execute(
        """
        SELECT t.id, t.duration, s.id IS NOT NULL
        FROM tracks t LEFT JOIN separations s ON s.track_id = t.id AND s.request = ? AND s.removed_at IS NULL
        WHERE t.removed_at IS NULL AND t.id IN (SELECT unnest(?::UUID[]))
        """,
        [request, list(track_ids)],
    ).fetchall()
    return {track_id: (duration, there) for track_id, duration, there in rows}
