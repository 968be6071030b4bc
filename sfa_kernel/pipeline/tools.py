"""The kind of job that sets up a program that downloads, when a person has asked for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import SetupError
from sfa_kernel.jobs import JobRequest, Kind, Plan
from sfa_kernel.sources.downloads import tools

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.jobs import JobRow
    from sfa_kernel.jobs import Ground, Ledger
    from sfa_kernel.progress import Progress
    from sfa_kernel.storage import FileChanges

__all__ = ["TOOLS", "key_of", "tools_request"]

SERVICE = "tools"
TIME_LIMIT = 3600.0  # s: a hundred megabytes over a slow line
SOON = 1  # somebody waits for it, and so may the downloads


def key_of(name: str) -> str:
    """The unique key of the job that sets up a program."""
    return f"tools:{name}"


def tools_request(name: str) -> JobRequest:
    """The job that sets up a program; while one waits or runs there is no second.

    Raises
    ------
    ParameterError
        When there is no such program.
    SetupError
        When it cannot be set up from here; the hint says how to get it.
    """
    wanted = tools.tool(name)
    if not wanted.requirement:
        raise SetupError(f"{wanted.label} cannot be set up from here.", hint=wanted.get)
    return JobRequest(
        kind=TOOLS.name,
        queue=TOOLS.queue,
        track_id=None,
        arguments={"tool": name, "title": wanted.label},
        unique_key=key_of(name),
        priority=SOON,
        service=SERVICE,
        max_attempts=TOOLS.max_attempts,
    )


def _prepare(connection: Connection, job: JobRow, ground: Ground) -> Plan:
    return Plan({"tool": job.arguments["tool"], "folder": ground.settings.tools_folder}, time_limit=TIME_LIMIT)


def work(*, tool: str, folder: Path, scratch: Path, progress: Progress) -> str:
    """Set a program up; see `sfa_kernel.sources.downloads.tools.install`."""
    version = tools.install(tool, folder, progress)
    return f"{tools.tool(tool).label} {version} is in {folder / tool}."


def _commit(connection: Connection, job: JobRow, result: Any, files: FileChanges) -> str:
    return str(result)


def _follow(connection: Connection, ledger: Ledger, job: JobRow, result: Any) -> None:
    ledger.catalog.after_commit(partial(ledger.bus.publish, "sources", {"what": ["tools"]}))


TOOLS = Kind(
    name="tools",
    queue="download",
    prepare=_prepare,
    work=work,
    commit=_commit,
    begins="downloading",
    max_attempts=2,
    follow=_follow,
)
