"""What a checkpoint overwrites, kept until the checkpoint is done.

A checkpoint of DuckDB writes to free blocks of the file and then, with one small header, switches over to them: until
that moment the file holds the state before, after it the state after. But for its table of contents it also fills
the free parts of blocks that the state before uses, and writes these 256 KiB blocks anew in place. A process that is
killed, or loses power, within such a write leaves a block whose checksum is wrong, and a file that cannot be opened.

So these blocks are copied first. Whoever finds the copy, and the file's headers as they were, puts the blocks back:
as the switch was not made, they are right, and what was committed since is in the write-ahead log.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

    from sfa_kernel.catalog.connection import Connection

__all__ = ["Undo"]

HEADERS = 3 * 4096  # the file's own header, and the two that take turns [bytes]
NUMBER = 8  # of a position in the copy [bytes]


class Undo:
    """Guards the checkpoints of one lease.

    Parameters
    ----------
    file
        The database file. It is not attached yet: opening and closing it later would drop DuckDB's own lock on it.
    """

    def __init__(self, file: Path) -> None:
        self._copy = file.with_name(f"{file.name}.undo")
        self._file: BufferedReader = file.open("rb", buffering=0)  # type: ignore[assignment]

    @staticmethod
    def restore(file: Path) -> None:
        """Before the file is attached: undo what a checkpoint left behind that was cut off.

        Processes that only read may do so at the same time; they write the same.
        """
        copy = file.with_name(f"{file.name}.undo")
        try:
            data = memoryview(copy.read_bytes())
        except FileNotFoundError:
            return
        size = int.from_bytes(data[:NUMBER], "little")
        headers, blocks = data[NUMBER : NUMBER + HEADERS], data[NUMBER + HEADERS :]
        with file.open("r+b", buffering=0) as target:
            if target.read(HEADERS) == headers:
                for start in range(0, len(blocks), NUMBER + size):
                    target.seek(int.from_bytes(blocks[start : start + NUMBER], "little"))
                    target.write(blocks[start + NUMBER : start + NUMBER + size])
                os.fsync(target.fileno())
        copy.unlink(missing_ok=True)

    def save(self, connection: Connection) -> None:
        """Before a checkpoint: copy what it may overwrite.

        Raises
        ------
        OSError
            When there is no room; then there must be no checkpoint.
        """
        rows = connection.execute(
            "SELECT DISTINCT block_id, block_size FROM pragma_metadata_info('library'), "
            "(SELECT block_size FROM pragma_database_size() WHERE database_name = 'library')"
        ).fetchall()
        size = rows[0][1] if rows else 0
        unfinished = self._copy.with_suffix(".unfinished")
        try:
            with unfinished.open("wb") as copy:
                copy.write(size.to_bytes(NUMBER, "little"))
                copy.write(self._read(0, HEADERS))
                for block, _ in rows:
                    position = HEADERS + block * size
                    content = self._read(position, size)
                    if len(content) == size:  # else it is new, and not in the file yet
                        copy.write(position.to_bytes(NUMBER, "little"))
                        copy.write(content)
                copy.flush()
                os.fsync(copy.fileno())
            unfinished.rename(self._copy)
        finally:
            unfinished.unlink(missing_ok=True)

    def _read(self, position: int, size: int) -> bytes:
        self._file.seek(position)
        return self._file.read(size)

    def forget(self) -> None:
        """The checkpoint is done."""
        self._copy.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, which is no longer attached."""
        self._file.close()
