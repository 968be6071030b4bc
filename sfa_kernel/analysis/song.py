"""One song from samples to :class:`Analysis`: the order in which the parts run."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.form import find_song_form
from sfa_kernel.analysis.harmony import chroma
from sfa_kernel.analysis.loops import find_loops
from sfa_kernel.analysis.model import Analysis
from sfa_kernel.analysis.onsets import compressed, onset_strength
from sfa_kernel.analysis.rhythm import find_rhythm
from sfa_kernel.analysis.sound import describe_sound
from sfa_kernel.analysis.spectrum import measure
from sfa_kernel.analysis.threads import one_thread
from sfa_kernel.analysis.tonality import find_tonality
from sfa_kernel.errors import ParameterError
from sfa_kernel.progress import Cancel, Progress, Steps, never, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["analyze", "analyze_blocks"]

SLOWEST_RATE, FASTEST_RATE = 1_000, 1_000_000  # Hz
MOST_CHANNELS = 64

_BLOCK = 1 << 18  # samples
_FIELDS = {field.name for field in fields(Analysis)} - {"curves"}  # what the parts fill, under the same names


def analyze(
    samples: NDArray[np.float32], sample_rate: int, *, progress: Progress = silent, cancel: Cancel = never
) -> Analysis:
    """Analyse a song: rhythm, harmony, level, timbre, sections and loops; `Analysis` lists all of it.

    Parameters
    ----------
    samples
        Audio [shape=(channels, n) or (n,)], floating point, full scale = 1. What is not finite counts as
        silence. More than two channels are taken in WAVE order.
    sample_rate
        In Hz.
    progress
        Receives 0..100.
    cancel
        Asked between steps whether to stop.

    Returns
    -------
    Analysis
        Silence, noise and the shortest sounds give a valid analysis without tempo, beats or key.

    Raises
    ------
    ParameterError
        When the samples are no such array or the rate is out of 1 kHz..1 MHz.
    Cancelled
        When asked to stop.
    """
    audio = np.asarray(samples)
    if audio.ndim == 1:
        audio = audio[None, :]
    _check_block(audio, None)
    length = audio.shape[1]
    blocks = (audio[:, start : start + _BLOCK] for start in range(0, length, _BLOCK))
    return analyze_blocks(blocks, sample_rate, frames=length, progress=progress, cancel=cancel)


@one_thread()
def analyze_blocks(
    blocks: Iterable[NDArray[np.float32]],
    sample_rate: int,
    *,
    frames: int = 0,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> Analysis:
    """Analyse a song that comes in blocks, so that its length does not matter to memory.

    Parameters
    ----------
    blocks
        The song in order, each [shape=(channels, n)], as `analyze` takes them; best 2**16 to 2**18 samples.
    sample_rate
        In Hz.
    frames
        How many samples to expect in all, for the progress; 0 when that is not known.
    progress, cancel
        As in `analyze`.

    Returns
    -------
    Analysis
        The same as that of the whole, to rounding.

    Raises
    ------
    ParameterError
        When a block is no such array, or the rate is out of 1 kHz..1 MHz.
    Cancelled
        When asked to stop.
    """
    if not isinstance(sample_rate, int | float | np.number) or not SLOWEST_RATE <= sample_rate <= FASTEST_RATE:
        raise ParameterError(
            f"A sample rate of {sample_rate} Hz is out of range.",
            hint=f"Name one of {SLOWEST_RATE} to {FASTEST_RATE} Hz.",
        )
    steps = Steps(progress, cancel)
    steps.at(0.0)
    hearing = Steps(steps.between(0.0, 0.8), cancel)
    features = measure(_checked(blocks), sample_rate, hearing, frames=frames)
    level = compressed(features.bands)
    onsets = onset_strength(features.bands, level, features.rate)
    harmony = chroma(features.peaks)
    steps.at(0.84)
    rhythm = find_rhythm(features, level, onsets, harmony)
    steps.at(0.92)
    form = find_song_form(features, level, onsets, harmony, rhythm)
    steps.at(0.96)
    tonality = find_tonality(features, harmony, rhythm, form.phrase)
    sound = describe_sound(features, onsets, rhythm)
    analysis = Analysis(duration=features.duration)
    for part in (rhythm, form, tonality, sound):
        for name in vars(part).keys() & _FIELDS:
            setattr(analysis, name, getattr(part, name))
        analysis.curves.held.update(part.curves)
    analysis.loops = find_loops(analysis, features, level, harmony)
    steps.at(1.0)
    return analysis


def _checked(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    channels = None
    for block in blocks:
        _check_block(block, channels)
        channels = block.shape[0]
        yield block


def _check_block(block: NDArray[np.float32], channels: int | None) -> None:
    if not isinstance(block, np.ndarray) or block.ndim != 2 or not np.issubdtype(block.dtype, np.floating):
        raise ParameterError("Samples must be a floating point array of shape (channels, n).")
    if not 1 <= block.shape[0] <= MOST_CHANNELS:
        raise ParameterError(
            f"{block.shape[0]} channels are not 1 to {MOST_CHANNELS}.",
            hint="Is the array transposed? It is (channels, n).",
        )
    if channels is not None and block.shape[0] != channels:
        raise ParameterError(f"A block of {block.shape[0]} channels follows blocks of {channels}.")
