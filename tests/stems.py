"""Sets of stems made on the fly, for tests that need stems and no separation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sfa_kernel import audio
from sfa_kernel.catalog import stems
from sfa_kernel.catalog.stems import SeparationRow, StemRow

if TYPE_CHECKING:
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

NAMES = ("vocals", "drums", "bass", "other")


def separation_row(track_id: UUID, **values: Any) -> SeparationRow:
    """A row of a set by the draft engine; keywords change it. Its levels are a name without a file."""
    usual: dict[str, Any] = {
        "id": uuid4(),
        "track_id": track_id,
        "request": f"a request of its own {uuid4()}",
        "engine": "draft",
        "model": "",
        "settings": {},
        "start": None,
        "end": None,
        "device": "cpu",
        "seconds": 1.0,
        "minutes": None,
        "residual_db": -96.0,
        "report": None,
        "levels": f"stems/{uuid4()}.npz",
        "chosen": False,
        "created_at": datetime.now(UTC),
        "removed_at": None,
    }
    return SeparationRow(**usual | values)


def give_stems(studio: Studio, track: Track, names: tuple[str, ...] = NAMES, **values: Any) -> SeparationRow:
    """Give a track a set of stems that add up to it: each an equal share of the song."""
    samples, rate = track.samples()
    separation = separation_row(track.id, **values)
    rows = []
    for name in names:
        identifier = uuid4()
        path = studio.storage.new("stems", identifier, ".wav")
        audio.encode(path, samples / len(names), rate)
        rows.append(
            StemRow(
                id=identifier,
                separation_id=separation.id,
                track_id=track.id,
                name=name,
                file=studio.storage.name(path),
                waveform=f"stems/{uuid4()}.npz",
                content_hash=audio.content_hash(path),
                bytes=path.stat().st_size,
            )
        )
    with studio.catalog.write() as connection:
        stems.put(connection, separation, rows)
    return separation
