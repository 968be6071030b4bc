"""The door to every separation engine: a sound file goes in, a folder of stems comes out."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import deque
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.errors import AudioError, SetupError
from sfa_kernel.progress import Cancel, Progress, Steps, never, silent
from sfa_kernel.separation.engines import REST, Engine
from sfa_kernel.separation.engines import engine as find_engine
from sfa_kernel.separation.stems import Levels, Residual, StemFile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Separation", "separate"]

Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK = 65536
_RESIDUAL = -80.0  # dB that the sum of the stems may be away from the mix

# Share of each channel in left and right (ITU-R BS.775; the low-frequency channel kept, so that nothing is lost).
_SIDES = {"L": (1.0, 0.0), "R": (0.0, 1.0), "C": (0.707, 0.707), "W": (0.5, 0.5), "l": (0.707, 0.0), "r": (0.0, 0.707)}
_LAYOUTS = {3: "LRC", 4: "LRlr", 5: "LRClr", 6: "LRCWlr", 7: "LRCWClr", 8: "LRCWlrlr"}


@dataclass
class Separation:
    """What a separation made.

    Attributes
    ----------
    engine
        Name of the engine.
    model
        Name of its model; empty when it has none.
    sample_rate
        Of the source and of every stem [Hz].
    channels
        Of every stem: those of the source, or two when the source has more.
    frames
        Length of every stem, exactly that of the source.
    stems
        Stem name -> file: 24-bit FLAC, or float WAV for a stem that exceeds full scale.
    residual_db
        Energy of the mix minus the sum of the written stems, relative to the mix [dB]; at most -80, and -200
        when nothing is left. The mix of a source with more than two channels is its down-mix to stereo.
    seconds
        How long it took [s].
    levels
        Stem name -> root mean square over tenths of a second, full scale 1.0 [shape=(tenths,), float32].
    """

    engine: str
    model: str
    sample_rate: int
    channels: int
    frames: int
    stems: dict[str, Path]
    residual_db: float
    seconds: float
    levels: dict[str, Array]


def separate(
    source: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    engine: str = "draft",
    progress: Progress = silent,
    cancel: Cancel = never,
) -> Separation:
    """Separate a sound file into stems.

    The stems have the source's sample rate, length and channels (a source of more than two is mixed down to
    stereo first) and add up to it. They are written to a private folder inside ``out_dir`` and appear under their
    names only when all is done; a failure or a cancel leaves nothing behind.

    Parameters
    ----------
    source
        A file that `sfa_kernel.audio` can decode.
    out_dir
        Folder for ``vocals.flac``, ``drums.flac`` and so on; made when missing. Stems of the same names are
        replaced.
    engine
        Name of an engine, see `sfa_kernel.separation.ENGINES`.
    progress
        Receives rising integers up to 100.
    cancel
        Asked several times a second whether to stop.

    Returns
    -------
    Separation
        Where the stems are, and how loud each is over time.

    Raises
    ------
    ParameterError
        When there is no such engine.
    SetupError
        When the engine cannot run here.
    AudioError
        When the source cannot be decoded or holds no sound, or the stems cannot be written.
    Cancelled
        When ``cancel`` said so.
    """
    chosen = find_engine(engine)
    ready, reason = chosen.available()
    if not ready:
        raise SetupError(f"The separation engine {engine!r} cannot run here: {reason}")
    began = time.perf_counter()
    steps = Steps(progress, cancel)
    steps.at(0)
    with _private_folder(Path(out_dir)) as folder:
        result = _separate(Path(source), folder, chosen, steps)
        steps.at(0.99)
        result.stems = {name: _put(path, Path(out_dir)) for name, path in result.stems.items()}
    result.seconds = time.perf_counter() - began
    progress(100)  # not through Steps: what is done can no longer be cancelled
    return result


def _separate(source: Path, folder: Path, engine: Engine, steps: Steps) -> Separation:
    from sfa_kernel.audio import AudioReader

    with AudioReader(source) as reader, ExitStack() as cleanup:
        rate, channels = reader.sample_rate, min(2, reader.channels)
        files = {name: StemFile(folder / name, rate, channels) for name in engine.stems}
        for file in files.values():
            cleanup.callback(file.discard)
        levels = {name: Levels(rate) for name in engine.stems}
        residual = Residual()
        mixes = _Queue()
        blocks = (mixes.put(downmix(block)) for block in reader.blocks(_BLOCK))
        frames = 0
        for piece in engine.split(blocks, rate, lambda done: steps.at(0.97 * min(1.0, done / reader.frames))):
            mix = mixes.take(piece.shape[2])
            rest = mix.copy()
            for name, file in files.items():
                # What is written, not what was meant: so "other" takes in what the rounding of the others left.
                written = file.write(rest if name == REST else piece[engine.stems.index(name)])
                levels[name].add(written)
                rest -= written
            residual.add(mix, rest)
            frames += mix.shape[1]
        for file in files.values():
            file.close()
    paths = {name: file.path for name, file in files.items()}
    if residual.decibels > _RESIDUAL:
        # So quiet a mix that 24 bits are too coarse for it.
        residual = _rewrite_rest(source, paths)
    return Separation(
        engine=engine.name,
        model="",
        sample_rate=rate,
        channels=channels,
        frames=frames,
        stems=paths,
        residual_db=residual.decibels,
        seconds=0.0,
        levels={name: level.result() for name, level in levels.items()},
    )


def _rewrite_rest(source: Path, paths: dict[str, Path]) -> Residual:
    """Write "other" again, as float: the mix minus the other files."""
    from sfa_kernel.audio import AudioReader, AudioWriter

    old = paths.pop(REST)
    paths[REST] = old.with_suffix(".wav")
    residual = Residual()
    with ExitStack() as stack:
        mixes = stack.enter_context(AudioReader(source))
        readers = [stack.enter_context(AudioReader(path)) for name, path in paths.items() if name != REST]
        writer = stack.enter_context(AudioWriter(paths[REST], readers[0].sample_rate, readers[0].channels))
        for block, *stems in zip(mixes.blocks(_BLOCK), *(r.blocks(_BLOCK) for r in readers), strict=True):
            mix = downmix(block)
            rest = mix - sum(stems)
            writer.write(rest)
            residual.add(mix, mix - sum(stems) - rest)
    old.unlink(missing_ok=old != paths[REST])
    return residual


class _Queue:
    """Samples on their way from the reader to the writer."""

    def __init__(self) -> None:
        self._blocks: deque[Array] = deque()

    def put(self, block: Array) -> Array:
        self._blocks.append(block)
        return block

    def take(self, frames: int) -> Array:
        """The next ``frames`` frames."""
        parts = []
        while frames:
            block = self._blocks.popleft()
            if block.shape[1] > frames:
                self._blocks.appendleft(block[:, frames:])
                block = block[:, :frames]
            parts.append(block)
            frames -= block.shape[1]
        return np.concatenate(parts, axis=1)


def downmix(samples: Array) -> Array:
    """One or two channels as they are; more become two, no louder than the loudest of them.

    Parameters
    ----------
    samples : [shape=(channels, n)]
        Channels in the order of WAV and FLAC files: left, right, centre, low frequencies, surround. Beyond
        eight they alternate between left and right.
    """
    count = len(samples)
    if count <= 2:
        return samples
    layout = _LAYOUTS.get(count, "LR" * -(-count // 2))[:count]
    gains = np.array([_SIDES[place] for place in layout], np.float32).T
    mixed: Array = (gains / gains.sum(axis=1, keepdims=True)) @ samples
    return mixed


@contextmanager
def _private_folder(out_dir: Path) -> Iterator[Path]:
    """A folder inside ``out_dir`` that is gone afterwards, as is ``out_dir`` if it was made here in vain."""
    made = not out_dir.exists()
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".separating-", dir=out_dir))
    except OSError as error:
        raise AudioError(
            f"Stems cannot be written to {str(out_dir)!r}: {error.strerror or error}.",
            hint="Check the folder, its permissions and the free space.",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if made and not any(out_dir.iterdir()):
            out_dir.rmdir()


def _put(path: Path, out_dir: Path) -> Path:
    """Move a finished stem to its place; an older one of the other format goes."""
    final = out_dir / path.name
    try:
        os.replace(path, final)
        final.with_suffix(".wav" if final.suffix == ".flac" else ".flac").unlink(missing_ok=True)
    except OSError as error:
        raise AudioError(
            f"{final.name} cannot be written: {error.strerror or error}.", hint="Check the folder and its permissions."
        ) from error
    return final
