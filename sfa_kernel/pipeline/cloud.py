"""Jobs on the account at lalal.ai: ask for its minutes or its voices, stop all its tasks."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import quotas
from sfa_kernel.errors import ParameterError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.offers import cloud_access

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["ACTIONS", "CLOUD", "ENGINE", "SERVICE", "cloud_request"]

ENGINE = "lalal"
SERVICE = "lalal.ai"  # its separations have the same circuit breaker
ACTIONS = ("quota", "voice_packs", "cancel_all")
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


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    # The key goes from here to the worker process, and nowhere else.
    access = cloud_access(ground.storage, ground.settings)
    arguments = {"action": job.arguments["action"], "url": access["url"], "key": access["key"]}
    return Plan(arguments, time_limit=TIME_LIMIT)


def work(*, action: str, url: str, key: str | None, scratch: Path, progress: Progress) -> Any:
    """Ask the service, or tell it to stop.

    Parameters
    ----------
    action
        One of `ACTIONS`.
    url, key
        See `sfa_kernel.separation.lalal.client.Client`.

    Returns
    -------
    object
        Minutes that are left, or a list of voices, or for each task that was to be stopped why it was not.
    """
    from sfa_kernel.separation.lalal.client import Client

    with Client(url, key) as client:
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
