"""The door to every separation engine: a sound file goes in, a folder of stems comes out."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import deque
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.errors import AudioError, ParameterError, SetupError
from sfa_kernel.progress import Cancel, Progress, Steps, never, silent
from sfa_kernel.separation.engines import engine as find_engine
from sfa_kernel.separation.interface import REST, Place, Song, Task
from sfa_kernel.separation.report import Quality, Report
from sfa_kernel.separation.request import Request, request
from sfa_kernel.separation.stems import FORMATS, Levels, Residual, StemFile

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

__all__ = ["MIX", "Separation", "separate", "work"]

Array = np.ndarray[Any, np.dtype[Any]]

MIX = "mix"
"""What the mix of a region is called beside its stems."""

_BLOCK = 65536
_RESIDUAL = -80.0  # dB that the sum of the stems may be away from the mix where one of them is the remainder


@dataclass
class Separation:
    """What a separation made.

    Attributes
    ----------
    request
        What was asked for: engine, model, stems, region, settings.
    sample_rate
        Of the source and of every stem [Hz].
    channels
        Of every stem: those of the source, or two when the source has more.
    start
        Where in the source the stems begin [s]; 0 unless a region was asked for.
    frames
        Length of every stem, exactly that of the source or its region.
    stems
        Stem name -> file. What the stems leave of the mix is "rest"; a region comes with its "mix".
    report
        How good it is, as far as that can be told without the truth.
    device
        What it ran on: ``"cpu"``, ``"cuda:0"``, ``"lalal.ai"``.
    minutes
        Minutes that a service billed; None where nothing was.
    minutes_left
        Minutes of the account that were left then; None where nobody said so.
    seconds
        How long it took [s].
    levels
        Stem name -> root mean square over tenths of a second, full scale 1.0 [shape=(tenths,), float32].
    """

    request: Request
    sample_rate: int
    channels: int
    start: float
    frames: int
    stems: dict[str, Path]
    report: Report
    device: str
    minutes: float | None
    minutes_left: float | None
    seconds: float
    levels: dict[str, Array]

    @property
    def engine(self) -> str:
        """Name of the engine."""
        return self.request.engine

    @property
    def model(self) -> str:
        """Name of its model; empty when it has but one."""
        return self.request.model

    @property
    def residual_db(self) -> float:
        """Energy of the mix minus the sum of the stems, relative to the mix [dB]; -200 when nothing is left.

        At most -80 where a stem takes what the others leave. The mix of a source with more than two channels is
        its down-mix to stereo.
        """
        return self.report.residual_db


def separate(
    source: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    engine: str = "draft",
    model: str = "",
    stems: str | Sequence[str] | None = None,
    region: Sequence[float] | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str = "auto",
    weights: str | os.PathLike[str] | None = None,
    cloud: Mapping[str, Any] | None = None,
    format: str = "flac",  # noqa: A002 - what everybody calls it
    progress: Progress = silent,
    cancel: Cancel = never,
) -> Separation:
    """Separate a sound file into stems.

    The stems have the source's sample rate, length and channels (a source of more than two is mixed down to
    stereo first) and are in step with it to the sample. They are written while they are computed, to a private
    folder inside ``out_dir``, and appear under their names only when all is done; a failure or a cancel leaves
    nothing behind.

    Parameters
    ----------
    source
        A file that `sfa_kernel.audio` can decode.
    out_dir
        Folder for ``vocals.flac``, ``drums.flac`` and so on; made when missing. Stems of the same names are
        replaced.
    engine, model, stems, region, settings
        What to do; see `sfa_kernel.separation.request`. When not all stems are asked for, what they leave of the
        mix is the stem "rest".
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``, for an engine that can choose.
    weights
        Folder of the models' weights, for an engine that needs them; the usual one when None.
    cloud
        Of a cloud service, for an engine that is one: ``url``, ``key``, ``board`` (a folder for what was ordered,
        so that nothing is paid for twice), ``delete_source`` (whether the service shall not keep the song).
    format
        ``"flac"`` (24 bits; float WAV for a stem beyond full scale), ``"wav"`` (float), or for previews ``"ogg"``
        or ``"mp3"``.
    progress
        Receives rising integers up to 100.
    cancel
        Asked several times a second whether to stop.

    Returns
    -------
    Separation
        Where the stems are, how good they are, and how loud each is over time.

    Raises
    ------
    ParameterError
        When what is asked for cannot be had.
    SetupError
        When the engine cannot run here.
    AudioError
        When the source cannot be decoded or holds no sound, or the stems cannot be written.
    RetryableJobError
        When the process of the engine died, or a service failed.
    Cancelled
        When ``cancel`` said so.
    """
    asked = request(engine, model=model, stems=stems, region=region, settings=settings)
    if format not in FORMATS:
        raise ParameterError(f"Stems cannot be written as {format!r}.", hint=f"Choose one of: {', '.join(FORMATS)}.")
    chosen = find_engine(engine)
    began = time.perf_counter()
    steps = Steps(progress, cancel)
    steps.at(0)
    with _private_folder(Path(out_dir)) as folder:
        scratch = folder / "scratch"
        scratch.mkdir()
        place = Place(scratch, device, None if weights is None else Path(weights), cloud or {})
        ready, reason = chosen.ready(asked.model, place)
        if not ready:
            raise SetupError(reason)
        if chosen.own_process:
            from sfa_kernel.separation.child import in_child

            result = in_child(Path(source), folder, asked, place, format, steps)
        else:
            result = work(Path(source), folder, asked, place, format, steps)
        steps.at(0.99)
        result.stems = {name: _put(path, Path(out_dir)) for name, path in result.stems.items()}
    result.seconds = time.perf_counter() - began
    progress(100)  # not through Steps: what is done can no longer be cancelled
    return result


def work(source: Path, folder: Path, asked: Request, place: Place, kind: str, steps: Steps) -> Separation:
    """Separate into a folder, in this process.

    Parameters
    ----------
    source
        The sound file.
    folder
        Where the stems go, under their names.
    asked
        What to do.
    place
        Where things are; its notes are read when all is done.
    kind
        The format of the stems, one of `sfa_kernel.separation.stems.FORMATS`.
    steps
        Told the share that is done, up to 0.97.
    """
    cut = _Cut.of(source, asked.region, find_engine(asked.engine).context)
    song = Song(cut.rate, cut.channels, cut.heard, cut.blocks, source if asked.region is None else None)
    task = Task(asked.model, asked.stems, asked.settings, place)
    names, pieces = find_engine(asked.engine).split(song, task, lambda done: steps.at(0.97 * min(1.0, done)))
    with _Stems(folder, asked, names, cut, kind) as stems, closing(cut.blocks()) as blocks:
        # The mix is decoded once more beside the engine's work: an engine may read ahead as far as it likes.
        mixes = _Feed(blocks)
        for piece in pieces:
            mix = mixes.take(piece.shape[2])
            stems.write(mix, dict(zip(names, piece[:, :, : mix.shape[1]], strict=True)))
        # A service may leave off the last of a song: as a stem that is silence.
        while (mix := mixes.take(_BLOCK)).shape[1]:
            stems.write(mix, {name: np.zeros_like(mix) for name in names})
        if not stems.frames:  # the file says that it is longer than what can be read of it
            raise AudioError(
                f"{source.name!r} holds no sound that can be decoded at {cut.start:g} s: it is damaged or cut off.",
                hint="Choose an earlier region.",
            )
    stems.settle()
    return Separation(
        request=asked,
        sample_rate=cut.rate,
        channels=cut.channels,
        start=cut.start,
        frames=stems.frames,
        stems=stems.paths,
        report=stems.quality.result(residual_db=stems.residual.decibels),
        device=place.notes.get("device", "cpu"),
        minutes=place.notes.get("minutes"),
        minutes_left=place.notes.get("minutes_left"),
        seconds=0.0,
        levels={name: level.result() for name, level in stems.levels.items()},
    )


@dataclass(frozen=True)
class _Cut:
    """What of a source an engine hears, and what of that is wanted [frames]."""

    source: Path
    rate: int
    channels: int
    first: int  # of what is heard
    heard: int
    lead: int  # of what is heard, before what is wanted
    frames: int | None  # that are wanted; None for all there is

    @classmethod
    def of(cls, source: Path, region: tuple[float, float] | None, context: float) -> _Cut:
        from sfa_kernel.audio import AudioReader

        with AudioReader(source) as reader:
            rate, channels, length = reader.sample_rate, min(2, reader.channels), reader.frames
        if region is None:
            return cls(source, rate, channels, 0, length, 0, None)
        begin, end = (min(length, round(time * rate)) for time in region)
        if end <= begin:
            raise ParameterError(
                f"{source.name!r} has nothing at {region[0]:g} s: it lasts {length / rate:.1f} s.",
                hint="Choose a region inside of it.",
            )
        around = round(context * rate)
        first = max(0, begin - around)
        last = min(length, end + around)
        return cls(source, rate, channels, first, last - first, begin - first, end - begin)

    @property
    def start(self) -> float:
        """Where the stems begin in the source [s]."""
        return (self.first + self.lead) / self.rate

    def blocks(self) -> Generator[Array]:
        """What is heard."""
        from sfa_kernel.audio import AudioReader
        from sfa_kernel.audio.blocks import downmix

        whole = self.frames is None
        with AudioReader(self.source) as reader:
            for block in reader.blocks(
                _BLOCK, start=self.first / self.rate, duration=None if whole else self.heard / self.rate
            ):
                yield downmix(block)


class _Stems:
    """The stems of one separation, written while they come."""

    def __init__(self, folder: Path, asked: Request, names: Sequence[str], cut: _Cut, kind: str) -> None:
        self._cut = cut
        self._position = 0  # of what was heard
        self._wanted = [*asked.stems, *([REST] if asked.rest else [])]
        every = find_engine(asked.engine).model(asked.model).stems
        implied = [name for name in every if name not in names]
        # What an engine does not give of all its stems is what the others leave of the mix.
        self._implied = implied[0] if len(implied) == 1 and not set(names) - set(every) else None
        self._remainder = REST if asked.rest and REST not in names else None if asked.rest else self._implied
        self.frames = 0
        self.residual = Residual()
        self.quality = Quality(self._wanted, cut.rate)
        self.levels = {name: Levels(cut.rate) for name in self._wanted}
        self._files: dict[str, StemFile] = {}
        for name in [*self._wanted, *([MIX] if asked.region else [])]:
            self._files[name] = StemFile(folder / name, cut.rate, cut.channels, kind)

    @property
    def paths(self) -> dict[str, Path]:
        """Where they are, by name."""
        return {name: file.path for name, file in self._files.items()}

    def __enter__(self) -> _Stems:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for file in self._files.values():
            if kind is None:
                file.close()
            else:
                file.discard()

    def write(self, mix: Array, parts: dict[str, Array]) -> None:
        """Take in what the engine made of the next piece of what it heard [shape=(channels, n)]."""
        first = max(0, self._cut.lead - self._position)
        last = mix.shape[1]
        if self._cut.frames is not None:
            last = min(last, self._cut.lead + self._cut.frames - self._position)
        self._position += mix.shape[1]
        if first >= last:
            return
        mix = mix[:, first:last]
        parts = {name: part[:, first:last] for name, part in parts.items()}
        if self._implied is not None:
            parts[self._implied] = mix - sum(parts.values())
        rest, written = mix.copy(), {}
        for name in self._wanted:
            # What is written, not what was meant: so the remainder takes in what the rounding of the others left.
            written[name] = self._files[name].write(rest if name == self._remainder else parts[name])
            rest = rest - written[name]  # not in place: what was written may be the remainder itself
            self.levels[name].add(written[name])
        if MIX in self._files:
            self._files[MIX].write(mix)
        self.quality.add(mix, written)
        self.residual.add(mix, rest)
        self.frames += mix.shape[1]

    def settle(self) -> None:
        """See to it that the finished files add up to the mix, where one of them is the remainder.

        Of so quiet a mix that 24 bits are too coarse for it, the remainder is written again, as float.
        """
        from sfa_kernel.audio import AudioReader, AudioWriter

        name = self._remainder
        if name is None or self.residual.decibels <= _RESIDUAL or self._files[name].path.suffix in (".ogg", ".mp3"):
            return
        remainder = self._files[name]
        old, remainder.path = remainder.path, remainder.path.with_suffix(".wav")
        self.residual = Residual()
        with ExitStack() as stack:
            readers = [
                stack.enter_context(AudioReader(file.path))
                for other, file in self._files.items()
                if other not in (name, MIX)
            ]
            writer = stack.enter_context(AudioWriter(remainder.path, self._cut.rate, self._cut.channels))
            mixes = _Feed(stack.enter_context(closing(self._cut.blocks())))
            mixes.take(self._cut.lead)
            for stems in zip(*(reader.blocks(_BLOCK) for reader in readers), strict=True):
                mix = mixes.take(stems[0].shape[1])
                rest = mix - sum(stems)
                writer.write(rest)
                self.residual.add(mix, mix - sum(stems) - rest)
        old.unlink(missing_ok=old != remainder.path)


class _Feed:
    """Samples in whatever portions they are wanted."""

    def __init__(self, blocks: Iterator[Array]) -> None:
        self._blocks = blocks
        self._held: deque[Array] = deque()
        self._channels = 1

    def take(self, frames: int) -> Array:
        """The next ``frames`` frames; fewer at the end."""
        parts = []
        while frames:
            block = self._held.popleft() if self._held else next(self._blocks, None)
            if block is None:
                break
            self._channels = len(block)
            if block.shape[1] > frames:
                self._held.append(block[:, frames:])
                block = block[:, :frames]
            parts.append(block)
            frames -= block.shape[1]
        return np.concatenate(parts, axis=1) if parts else np.zeros((self._channels, 0), np.float32)


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
    """Move a finished stem to its place; an older one goes also when it is in the other format without loss."""
    final = out_dir / path.name
    other = {".flac": ".wav", ".wav": ".flac"}.get(final.suffix)  # in which of them a stem comes is not known before
    try:
        os.replace(path, final)
        if other is not None:
            final.with_suffix(other).unlink(missing_ok=True)
    except OSError as error:
        raise AudioError(
            f"{final.name} cannot be written: {error.strerror or error}.", hint="Check the folder and its permissions."
        ) from error
    return final
