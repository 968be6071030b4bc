"""Demucs as a separation engine: a song of any rate and length goes in, its stems come out in step with it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sfa_kernel.audio.blocks import of_length
from sfa_kernel.separation.demucs import devices, models
from sfa_kernel.separation.interface import Parts
from sfa_kernel.separation.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from sfa_kernel.separation.demucs.bag import Bag
    from sfa_kernel.separation.interface import Place, Song, Task

__all__ = ["SETTINGS", "ready", "split"]

Array = np.ndarray[Any, np.dtype[Any]]

SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "overlap": Setting(
            0.25,
            "Overlap",
            "Share of a segment that the next one hears too. Less is faster (0.1 by a sixth), more is smoother.",
            minimum=0.0,
            maximum=0.9,
        ),
        "exact": Setting(
            True,
            "End as in Demucs",
            "Run the last segment even when the one before it reaches the end of the song, as Demucs itself does. "
            "Without it a short song or region takes up to half the time; its last seconds are another estimate.",
        ),
        "precision": Setting(
            "float32",
            "Precision",
            "float32 is exact and runs everywhere; tf32 and bf16 are faster on a device that has them.",
            choices=devices.PRECISIONS,
        ),
        "batch": Setting(
            0,
            "Segments at once",
            "More keep a GPU busy and need more of its memory; 0 chooses by the memory that is free.",
            minimum=0,
            maximum=64,
            heard=False,
        ),
        "compile": Setting(
            False,
            "Compile",
            "Translate the networks for this machine first. That takes minutes, and pays for long songs only.",
            heard=False,
        ),
    }
)
"""What can be chosen besides the model and its stems."""

_FIRST_PASS = 0.02  # share of the progress that is the first pass over the song, for its mean and deviation


def ready(model: str, place: Place) -> tuple[bool, str]:
    """Whether a model can run here; if not, why and what to do. Nothing heavy is imported.

    Parameters
    ----------
    model
        Its name.
    place
        Where its weights are.
    """
    missing = models.missing()
    if missing:
        return False, (
            f"Demucs cannot run here: {' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not installed. "
            'Run: pip install "demucs>=4.1", or choose the engine draft.'
        )
    from sfa_kernel.separation.demucs import weights

    state = next((row.state for row in weights.status(_folder(place)) if row.model == model), "missing")
    if state == "ready":
        return True, ""
    what = "not on this machine" if state == "missing" else "damaged"
    return False, (
        f"The weights of {model} are {what}. Fetch them: sfa weights fetch {model}, or choose the engine draft."
    )


def split(song: Song, task: Task, at: Callable[[float], None]) -> Parts:
    """Separate a song with a model of Demucs.

    The song is heard twice: once for its mean and deviation, by which it is normalised as
    ``demucs.api.Separator`` does, and once by the networks, at their rate and in stereo. The stems come at the
    song's own rate, with its channels, in step with it to the sample and as long.

    Parameters
    ----------
    song
        What to separate.
    task
        The model, the stems, and `SETTINGS`. The device that is used is noted at its place.
    at
        Told the share that is done; may raise to stop.

    Raises
    ------
    SetupError
        When weights, the device, or what the settings need are not there; while the pieces are asked for.
    """
    return Parts(task.stems, _pieces(song, task, at))


def _pieces(song: Song, task: Task, at: Callable[[float], None]) -> Iterator[Array]:
    from sfa_kernel.separation.demucs.compiled import compile_networks
    from sfa_kernel.separation.demucs.load import load
    from sfa_kernel.separation.demucs.segments import separate_blocks

    settings = task.settings
    device = devices.choose(task.place.device)
    devices.check_precision(device, settings["precision"])
    task.place.notes["device"] = device
    with devices.threads():
        bag = load(_folder(task.place), task.model, task.stems, device=device)
        if settings["compile"]:
            compile_networks(bag)
        level = _level(song, bag.sample_rate, lambda share: at(_FIRST_PASS * share))
        normalised = ((block - level.mean) / level.deviation for block in _heard(song, bag.sample_rate))
        parts = separate_blocks(
            bag,
            normalised,
            level.heard,
            stems=task.stems,
            overlap=settings["overlap"],
            batch=settings["batch"] or devices.segments_at_once(device, _segment(bag)),
            exact=settings["exact"],
            precision=settings["precision"],
            silence=float(-level.mean / level.deviation),
            at=lambda share: at(_FIRST_PASS + (1 - _FIRST_PASS) * share),
        )
        answers = (part * level.deviation + level.mean for part in parts)
        if song.channels == 1:
            answers = (answer.mean(axis=1, keepdims=True) for answer in answers)
        count = len(task.stems)
        flat = (answer.reshape(count * song.channels, -1) for answer in answers)
        # Two resamplings may be off by a sample at the end.
        given = _resampled(flat, bag.sample_rate, song.sample_rate)
        for piece in of_length(given, count * song.channels, level.frames):
            yield piece.reshape(count, song.channels, -1)


def _folder(place: Place) -> Path:
    if place.weights is not None:
        return place.weights
    from sfa_kernel.settings import load_settings

    return load_settings().weights_folder


def _segment(bag: Bag) -> float:
    """Length of the longest segment [s]."""
    segments: list[Any] = [member.network.segment for member in bag.members]
    return max(float(bag.segment or segment) for segment in segments)


class _Level(NamedTuple):
    """How loud a song is, and how long.

    ``mean`` and ``deviation`` are those of its mix to mono; ``frames`` is its length, ``heard`` that at the
    networks' rate.
    """

    mean: np.float32
    deviation: np.float32
    frames: int
    heard: int


def _level(song: Song, rate: int, at: Callable[[float], None]) -> _Level:
    frames = heard = 0
    total = squares = 0.0

    def counted() -> Iterator[Array]:
        nonlocal frames
        for block in song.blocks():
            frames += block.shape[1]
            at(min(1.0, frames / max(1, song.frames)))
            yield block

    for block in _stereo(_resampled(counted(), song.sample_rate, rate)):
        mix = block.mean(axis=0, dtype=np.float64)
        heard += len(mix)
        total += float(mix.sum())
        squares += float(mix @ mix)
    mean = total / max(1, heard)
    variance = max(0.0, squares - total * mean) / max(1, heard - 1)
    return _Level(np.float32(mean), np.float32(np.sqrt(variance)) + np.float32(1e-8), frames, heard)


def _heard(song: Song, rate: int) -> Iterator[Array]:
    """The song as the networks hear it [shape=(2, n)], not yet normalised."""
    return _stereo(_resampled(song.blocks(), song.sample_rate, rate))


def _stereo(blocks: Iterable[Array]) -> Iterator[Array]:
    for block in blocks:
        yield block if len(block) == 2 else np.repeat(block, 2, axis=0)


def _resampled(blocks: Iterable[Array], source: int, target: int) -> Iterator[Array]:
    """Blocks [shape=(channels, n)] at another rate, in step with what they were."""
    if source == target:
        yield from blocks
        return
    import soxr

    stream = None
    for block in blocks:
        if stream is None:
            stream = soxr.ResampleStream(source, target, len(block), dtype="float32", quality="VHQ")
        given = stream.resample_chunk(np.ascontiguousarray(block.T, np.float32))
        if len(given):
            yield given.T
    if stream is not None:
        yield stream.resample_chunk(np.zeros((0, len(block)), np.float32), last=True).T
