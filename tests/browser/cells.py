"""Cells run in the kernel of a page, as another tab of the notebook would."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyter_client.blocking.client import BlockingKernelClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.launch import Server


class Cells:
    """Runs cells; calling it waits for the answer."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def __call__(self, source: str) -> Any:
        """What the last line of a cell is, as JSON."""
        *lines, last = source.strip().splitlines()
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            assert message["msg_type"] != "error", message["content"]["traceback"]
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])

        source = "\n".join([*lines, f"import json; print(json.dumps({last}))"])
        self._client.execute_interactive(source, output_hook=hear, timeout=60)
        return json.loads("".join(said))

    def start(self, source: str) -> None:
        """Let a cell begin, and do not wait for it: the next one does."""
        self._client.execute(source)


@contextmanager
def cells_of(server: Server, kernel: str) -> Iterator[Cells]:
    """Cells in the kernel of a page by the kernel's id."""
    command = next(words for words in (one.cmdline() for one in server.kernels()) if any(kernel in w for w in words))
    client = BlockingKernelClient(connection_file=next(word for word in command if kernel in word))
    client.load_connection_file()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        yield Cells(client)
    finally:
        client.stop_channels()
