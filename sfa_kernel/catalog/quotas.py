"""What a cloud service last said of the account: minutes that are left, voices there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch_one

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sfa_kernel.catalog.connection import Connection

__all__ = ["QuotaRow", "get", "put", "put_voice_packs"]


@dataclass(frozen=True)
class QuotaRow:
    """One row of the table ``quotas``; the service goes by its engine's name. What nobody asked yet is None."""

    service: str
    minutes_left: float | None = None
    checked_at: datetime | None = None
    voice_packs: list[dict[str, Any]] | None = None


def get(connection: Connection, service: str) -> QuotaRow:
    """What is known of the account at the service of an engine."""
    row = fetch_one(connection, "SELECT * FROM quotas WHERE service = ?", [service])
    if row is None:
        return QuotaRow(service)
    packs = row["voice_packs"]
    return QuotaRow(**{**row, "voice_packs": None if packs is None else json.loads(packs)})


def put(connection: Connection, service: str, minutes_left: float) -> None:
    """Note how many minutes a service says are left."""
    connection.execute(
        "INSERT INTO quotas (service, minutes_left, checked_at) VALUES (?, ?, now()) "
        "ON CONFLICT DO UPDATE SET minutes_left = excluded.minutes_left, checked_at = excluded.checked_at",
        [service, minutes_left],
    )


def put_voice_packs(connection: Connection, service: str, packs: Sequence[dict[str, Any]]) -> None:
    """Note which voices a service says there are."""
    connection.execute(
        "INSERT INTO quotas (service, voice_packs) VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET voice_packs = excluded.voice_packs",
        [service, json.dumps(list(packs))],
    )
