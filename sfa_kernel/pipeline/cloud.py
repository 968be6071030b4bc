"""Jobs on the account at lalal.ai: ask for its minutes or its voices, stop all its tasks, or those of one job."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import jobs, quotas
from sfa_kernel.errors import ParameterError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.offers import board_folder, cloud_access

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["ACTIONS", "CLOUD", "ENGINE", "SERVICE", "Abandon", "cloud_request"]

ENGINE = "lalal"
SERVICE = "lalal.ai"  # its separations have the same circuit breaker
ACTIONS = ("quota", "voice_packs", "cancel_all")
ABANDON = "abandon"  # asked for by no person
TIME_LIMIT = 120.0  # s
SOON = 1  # a question is quick: it goes before the separations that wait


def cloud_request(action: str) -> JobRequest:
    """The job that does one of `ACTIONS`; while one waits or runs there is no second.

    Raises
    ------
    ParameterError
        When there is no such action.
    """
    if action not in ACTIONS:
        raise ParameterError(f"There is no action {action!r}.", hint=f"Choose from {', '.join(ACTIONS)}.")
    return JobRequest(
        kind=CLOUD.name,
        queue=CLOUD.queue,
        track_id=None,
        arguments={"action": action},
        unique_key=f"{CLOUD.name}:{ENGINE}:{action}",
        priority=SOON,
        max_attempts=CLOUD.max_attempts,
        service=SERVICE,
    )


class Abandon:
    """Watches a ledger's transitions: what a job ordered is stopped when the job has ended without it.

    A job is cancelled by killing its process, which then can tell the service nothing; the service would go on, and
    bill it.

    Parameters
    ----------
    ledger
        Whose observer it is.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, connection: Connection, job: JobRow) -> None:
        """Look at one transition, inside its transaction."""
        ended = job.status in ("cancelled", "failed") and job.started_at is not None
        if not ended or job.kind == CLOUD.name or job.service != SERVICE:
            return
        request = JobRequest(
            kind=CLOUD.name,
            queue=CLOUD.queue,
            track_id=None,
            arguments={"action": ABANDON, "job": str(job.id)},
            unique_key=f"{CLOUD.name}:{ENGINE}:{ABANDON}:{job.id}",
            priority=SOON,
            max_attempts=3,
            service=SERVICE,
        )
        self._ledger.enqueue(connection, request)


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    owner = job.arguments.get("job")
    if owner is not None:
        again = jobs.get_many(connection, [UUID(owner)])
        if again and again[0].status in jobs.ACTIVE:
            return Plan(None)  # somebody wants it after all
    # The key goes from here to the process that works, and nowhere else.
    access = cloud_access(ground.settings, board_folder(ground.storage))
    return Plan({"action": job.arguments["action"], "owner": owner, "access": access}, time_limit=TIME_LIMIT)


def work(*, action: str, owner: str | None, access: dict[str, Any], scratch: Path, progress: Progress) -> Any:
    """Ask the service, or tell it to stop.

    Parameters
    ----------
    action
        One of `ACTIONS`, or `ABANDON`.
    owner
        The job whose tasks are to be stopped.
    access
        See `sfa_kernel.offers.cloud_access`.

    Returns
    -------
    object
        Minutes that are left, or a list of voices, or for each task that was to be stopped why it was not.
    """
    from sfa_kernel.separation.lalal.client import Client
    from sfa_kernel.separation.lalal.split import abandon

    if owner is not None:
        return dict.fromkeys(abandon(access, owner), "") if access["key"] else {}
    with Client(access["url"], access["key"]) as client:
        if action == "quota":
            return client.minutes_left()
        if action == "voice_packs":
            return [asdict(pack) for pack in client.voice_packs()]
        return client.cancel_all()


def _commit(connection: Connection, job: JobRow, result: Any, files: FileChanges) -> str:
    action = job.arguments["action"]
    if action == "quota":
        quotas.put(connection, ENGINE, result)
        return f"Minutes that are left: {result:,.1f}."
    if action == "voice_packs":
        quotas.put_voice_packs(connection, ENGINE, result)
        return f"Voices there are: {len(result)}."
    refused = {task: why for task, why in result.items() if why}
    return " ".join([f"Tasks that were stopped: {len(result) - len(refused)}.", *sorted(set(refused.values()))])


# Somebody waits for the answer, and the client has tried a few times by itself.
CLOUD = Kind(name="cloud", queue="cloud", prepare=_prepare, work=work, commit=_commit, max_attempts=1)
