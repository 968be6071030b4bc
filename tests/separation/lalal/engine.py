"""The engine as the door calls it, for tests; and as a program, for tests that kill it.

Arguments of the program: the service's address, its key, the board's folder, a scratch folder, the song, its stems.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.audio import AudioReader
from sfa_kernel.separation.interface import Place, Song, Task
from sfa_kernel.separation.lalal.services import SETTINGS
from sfa_kernel.separation.lalal.split import split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Array = np.ndarray[Any, np.dtype[Any]]


def song_of(path: Path, region: tuple[float, float] | None = None) -> Song:
    with AudioReader(path) as reader:
        rate, channels, frames = reader.sample_rate, reader.channels, reader.frames
    start, end = region or (0.0, frames / rate)

    def blocks() -> Iterator[Array]:
        with AudioReader(path) as reader:
            yield from reader.blocks(start=start, duration=end - start)

    return Song(rate, channels, round((end - start) * rate), blocks, path if region is None else None)


def separated(
    song: Song,
    stems: tuple[str, ...],
    place: Place,
    *,
    model: str = "auto",
    settings: dict[str, Any] | None = None,
    at: Callable[[float], None] = lambda _: None,
) -> dict[str, Array]:
    """All of each part by name [shape=(channels, n)]."""
    usual = {name: setting.default for name, setting in SETTINGS.items()}
    parts = split(song, Task(model, stems, {**usual, **(settings or {})}, place), at)
    return dict(zip(parts.names, np.concatenate(list(parts.pieces), axis=2), strict=True))


def main() -> None:
    url, key, board, scratch, path, stems = sys.argv[1:]
    place = Place(
        Path(scratch), cloud={"url": url, "key": key, "board": Path(board), "interval": 0.05, "owner": "job 7"}
    )
    separated(song_of(Path(path)), tuple(stems.split(",")), place)
    print(place.notes["minutes"], flush=True)


if __name__ == "__main__":
    main()
