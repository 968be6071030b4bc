"""The stages by name, and the order in which they run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sfa_kernel.catalog import tracks
from sfa_kernel.errors import ParameterError
from sfa_kernel.jobs import JobRequest
from sfa_kernel.pipeline.analyze import ANALYZE
from sfa_kernel.pipeline.autocue import AUTOCUE
from sfa_kernel.pipeline.separate import SEPARATE
from sfa_kernel.separation.engines import engine
from sfa_kernel.separation.request import request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Kind, Ledger
    from sfa_kernel.separation.request import Request
    from sfa_kernel.settings import Settings

__all__ = ["KINDS", "STAGES", "enqueue", "parse_stages", "queue_limits"]

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (SEPARATE, ANALYZE, AUTOCUE)}
STAGES = tuple(KINDS)

# A person waits for tempo and key, not for stems. Analysis needs no stems, so both start at once; cues wait for
# whatever of the two was asked for as well.
NEEDS: Mapping[str, tuple[str, ...]] = {"separate": (), "analyze": (), "autocue": ("separate", "analyze")}


def queue_limits(settings: Settings) -> dict[str, int]:
    """How many jobs of each queue may run at once."""
    names = ("import", "lookup", "download", "separation", "cloud", "analysis", "export", "webhooks", "maintenance")
    return {name: getattr(settings, f"{name}_limit") for name in names}


def parse_stages(stages: str | Sequence[str]) -> tuple[str, ...]:
    """Stages in the order in which they run, from names or a comma-separated text.

    Raises
    ------
    ParameterError
        When one is unknown, or none is named.
    """
    names = [name.strip() for name in stages.split(",")] if isinstance(stages, str) else list(stages)
    names = [name for name in names if name]
    unknown = [name for name in names if name not in KINDS]
    if unknown or not names:
        problem = f"There is no stage {unknown[0]!r}." if unknown else "No stage is named."
        raise ParameterError(problem, hint=f"Choose from {', '.join(STAGES)}.")
    return tuple(name for name in STAGES if name in names)


def enqueue(
    connection: Connection,
    ledger: Ledger,
    track_ids: Sequence[UUID],
    *,
    stages: Sequence[str],
    separation: Request | None = None,
    force: bool = False,
    priority: int = 5,
    batch_id: UUID | None = None,
) -> list[JobRow]:
    """Write the jobs of tracks, inside the caller's transaction: by a few statements, however many they are.

    Parameters
    ----------
    stages
        Which stages, in any order.
    separation
        How to separate; as usual when None.
    force
        Do again what has been done.
    priority
        0 to 9; lower is sooner.
    batch_id
        What else was asked for at the same time.

    Returns
    -------
    list
        The jobs, track by track.

    Raises
    ------
    NotFoundError
        When one is no track of the library.
    """
    unknown = set(track_ids) - {row.id for row in tracks.get_many(connection, track_ids)}
    if unknown:
        tracks.get(connection, unknown.pop())  # says so
    names = parse_stages(stages)
    asked = separation or request()
    wanted: list[JobRequest] = []
    for track_id in track_ids:
        keys: dict[str, str] = {}
        for stage in names:
            kind = KINDS[stage]
            arguments: dict[str, object] = {"force": force}
            keys[stage], queue, service = f"{stage}:{track_id}", kind.queue, None
            if stage == "separate":
                arguments |= asked.to_dict()
                keys[stage] += f":{asked.key}"
                if cloud := engine(asked.engine).service:
                    queue, service = "cloud", cloud
            wanted.append(
                JobRequest(
                    kind=kind.name,
                    queue=queue,
                    service=service,
                    track_id=track_id,
                    arguments=arguments,
                    unique_key=keys[stage],
                    needs=[keys[needed] for needed in NEEDS[stage] if needed in keys],
                    priority=priority,
                    max_attempts=kind.max_attempts,
                    batch_id=batch_id,
                )
            )
    return ledger.enqueue_all(connection, wanted)
