"""A process that waits on a board: for tests that kill it.

Arguments: the board's folder, the service's address, its key, the interval, and tasks. Says when each is done.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.separation.lalal.board import DONE, Board
from sfa_kernel.separation.lalal.client import Client

if TYPE_CHECKING:
    from collections.abc import Mapping


def main() -> None:
    folder, url, key, interval, *tasks = sys.argv[1:]
    said = False

    def heard(answers: Mapping[str, Any]) -> None:
        nonlocal said
        if not said and answers:
            print("heard", flush=True)
            said = True

    with Client(url, key, pauses=()) as client:
        board = Board(Path(folder), interval=float(interval))
        now = time.time()
        answers = board.wait(dict.fromkeys(tasks, now), client.check, heard)
    assert all(answer["status"] in DONE for answer in answers.values())
    print(*sorted({answer["status"] for answer in answers.values()}), flush=True)


if __name__ == "__main__":
    main()
