"""A program that ends a job and is killed: ``python -m tests.webhooks.crash HOME before|after`` the commit."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from sfa_kernel.jobs import JobRequest
from sfa_kernel.studio import Studio


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(home: str, moment: str) -> None:
    studio = Studio.open(home, run_jobs=False)
    with studio.catalog.write() as connection:
        studio.ledger.enqueue(connection, JobRequest("analyze", "analysis", None, {}))
    with studio.catalog.write() as connection:
        (job,) = studio.ledger.claim(connection, {"analyze": "processing"}, holder="nobody:1:1")
    if moment == "before":
        studio.ledger.observers.append(die)  # runs after the outbox
    with studio.catalog.write() as connection:
        if moment == "after":
            studio.catalog.after_commit(die)
        studio.ledger.complete(connection, [job])


if __name__ == "__main__":
    main(*sys.argv[1:])
