"""A reader of MP4 boxes (ISO/IEC 14496-12) that knows nothing of the writer, for the tests alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTAINERS = {"moov", "trak", "mdia", "minf", "stbl", "edts", "udta"}


@dataclass
class Box:
    """One box: its name, what is in it, and the boxes in it."""

    name: str
    content: bytes
    boxes: list[Box] = field(default_factory=list)

    def all(self, path: str) -> list[Box]:
        """The boxes below, by a path such as ``trak/tkhd``."""
        first, _, rest = path.partition("/")
        found = [box for box in self.boxes if box.name == first]
        return [inner for box in found for inner in box.all(rest)] if rest else found

    def one(self, path: str) -> Box:
        """The only box of that path."""
        (box,) = self.all(path)
        return box


def read(path: Path) -> Box:
    """The boxes of a file; every byte of it belongs to one."""
    data = path.read_bytes()
    return Box("", data, list(_boxes(data)))


def _boxes(data: bytes) -> Iterator[Box]:
    place = 0
    while place < len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
            head = 16
        assert size >= head, f"a box of {size} bytes"
        assert place + size <= len(data), f"{name!r} reaches beyond its box"
        content = data[place + head : place + size]
        text = name.decode("latin-1")
        yield Box(text, content, list(_boxes(content)) if text in CONTAINERS else [])
        place += size
