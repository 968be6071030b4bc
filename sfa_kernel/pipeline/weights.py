"""The kind of job that fetches the weights of a model, when a person has asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.separation.demucs import models

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["WEIGHTS", "weights_request"]

TIME_LIMIT = 4 * 3600.0  # s: hundreds of megabytes over a slow line
SERVICE = "weights"


def weights_request(model: str) -> JobRequest:
    """The job that fetches a model's weights; while one waits or runs there is no second.

    Whoever asks for it has shown `sfa_kernel.separation.demucs.weights.LICENCE_NOTE`, and a person has agreed.

    Raises
    ------
    ParameterError
        When there is no such model.
    """
    return JobRequest(
        kind=WEIGHTS.name,
        queue=WEIGHTS.queue,
        track_id=None,
        arguments={"model": models.model(model).name},
        unique_key=f"{WEIGHTS.name}:{model}",
        service=SERVICE,
        max_attempts=WEIGHTS.max_attempts,
    )


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    # Whether the weights are there already is for the work to see: it reads all of them.
    return Plan(
        {
            "folder": ground.settings.weights_folder,
            "model": job.arguments["model"],
            "base_url": ground.settings.weights_url,
        },
        time_limit=TIME_LIMIT,
    )


def work(*, folder: Path, model: str, base_url: str, scratch: Path, progress: Progress) -> str:
    """Fetch the weights; they go into the folder of weights, which all libraries of a person share.

    Parameters
    ----------
    folder, model, base_url
        See `sfa_kernel.separation.demucs.weights.fetch`.
    """
    from sfa_kernel.separation.demucs import weights

    weights.fetch(folder, model, base_url=base_url, scratch=scratch, progress=progress)
    return f"The weights of {model} are in {folder}."


def _commit(connection: Connection, job: JobRow, result: Any, files: FileChanges) -> str:
    return str(result)


WEIGHTS = Kind(name="weights", queue="download", prepare=_prepare, work=work, commit=_commit, begins="downloading")
