"""One song from samples to :class:`Analysis`: the order in which the parts run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.analysis.beats import track_beats
from sfa_kernel.analysis.downbeats import beat_means, find_downbeats
from sfa_kernel.analysis.energy import ENERGY_RATE, energy_curve, energy_level
from sfa_kernel.analysis.harmony import Chroma, chroma
from sfa_kernel.analysis.key import camelot, find_key
from sfa_kernel.analysis.model import Analysis, Section
from sfa_kernel.analysis.onsets import Onsets, compressed, onset_strength
from sfa_kernel.analysis.spectrum import Features, measure
from sfa_kernel.analysis.structure import Form, describe_bars, find_form
from sfa_kernel.analysis.tempo import Pulse, find_pulses, octave_apart
from sfa_kernel.errors import ParameterError
from sfa_kernel.progress import Cancel, Progress, Steps, never, silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["analyze", "analyze_blocks"]

SLOWEST_RATE, FASTEST_RATE = 1_000, 1_000_000  # Hz
MOST_CHANNELS = 64

_BLOCK = 1 << 18  # samples
_AUDIBLE = -45.0  # dB below the loud parts: what is softer carries no beat
_PSEUDO_BAR = 2.0  # seconds, where there is no bar to describe the form by


def analyze(
    samples: NDArray[np.float32], sample_rate: int, *, progress: Progress = silent, cancel: Cancel = never
) -> Analysis:
    """Analyse a song: tempo, beats, downbeats, key, loudness, energy, sections, drops.

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
    if not SLOWEST_RATE <= sample_rate <= FASTEST_RATE:
        raise ParameterError(f"A sample rate of {sample_rate} Hz is out of range.")
    steps = Steps(progress, cancel)
    steps.at(0.0)
    hearing = Steps(steps.between(0.0, 0.8), cancel)
    features = measure(_checked(blocks), sample_rate, hearing, frames=frames)
    level = compressed(features.bands)
    onsets = onset_strength(features.bands, level, features.rate)
    steps.at(0.83)
    pulses = find_pulses(onsets)
    steps.at(0.87)
    start, end = _audible(features)
    grid = track_beats(onsets, pulses[0], start, end) if pulses else None
    steps.at(0.9)
    harmony = chroma(features.peaks)
    tonal = (
        beat_means(harmony.frames, harmony.rate, np.array([0.0, features.duration]))[0]
        if harmony.frames.size
        else np.zeros(12)
    )

    analysis = Analysis(duration=features.duration)
    analysis.lufs = features.loudness.integrated
    analysis.lra = features.loudness.range
    analysis.true_peak = features.loudness.true_peak
    analysis.energy_curve = energy_curve(features)
    analysis.energy_rate = ENERGY_RATE
    opening = None
    if grid is not None and len(grid.times) > 3:
        analysis.tempo = grid.tempo
        analysis.tempo_confidence = _tempo_confidence(pulses)
        analysis.tempo_alternative = _alternative(pulses, grid.tempo)
        analysis.beats = grid.times
        firsts, analysis.beats_per_bar = find_downbeats(grid.times, onsets, harmony, level)
        analysis.downbeats = grid.times[firsts]
        steps.at(0.94)
        form = _form(analysis, features, level, onsets)
        analysis.sections, analysis.drops = form.sections, form.drops
        opening = _opening(analysis, harmony, form.phrase)
    elif analysis.lufs is not None:
        analysis.sections = _form_without_beats(features, level, onsets)
    steps.at(0.98)
    if analysis.lufs is not None and features.duration > 1.0:
        analysis.key, analysis.key_confidence = find_key(tonal, opening)
    if analysis.key is not None:
        analysis.camelot = camelot(analysis.key)
        analysis.tuning_cents = 100 * harmony.tuning
    analysis.energy = energy_level(features, onsets, analysis.tempo)
    steps.at(1.0)
    return analysis


def _checked(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    channels = None
    for block in blocks:
        _check_block(block, channels)
        channels = block.shape[0]
        yield block


def _check_block(block: NDArray[np.float32], channels: int | None) -> None:
    if block.ndim != 2 or not np.issubdtype(block.dtype, np.floating):
        raise ParameterError("Samples must be a floating point array of shape (channels, n).")
    if not 1 <= block.shape[0] <= MOST_CHANNELS:
        raise ParameterError(
            f"{block.shape[0]} channels are not 1 to {MOST_CHANNELS}.",
            hint="Is the array transposed? It is (channels, n).",
        )
    if channels is not None and block.shape[0] != channels:
        raise ParameterError(f"A block of {block.shape[0]} channels follows blocks of {channels}.")


def _audible(features: Features) -> tuple[float, float]:
    """Where the song begins and ends to sound, in seconds."""
    level = np.sqrt(np.einsum("ij,ij->i", features.bands, features.bands))
    if not len(level):
        return 0.0, features.duration
    loud = np.flatnonzero(level > max(1e-6, float(np.percentile(level, 90)) * 10 ** (_AUDIBLE / 20)))
    if not len(loud):
        return 0.0, features.duration
    return float(loud[0]) / features.rate, min(features.duration, float(loud[-1] + 1) / features.rate)


def _tempo_confidence(pulses: list[Pulse]) -> float:
    best = pulses[0]
    if best.score <= 0:
        return 0.0
    rivals = [
        p.score / best.score if octave_apart(p, best) else p.plain / best.plain
        for p in pulses[1:]
        if abs(p.tempo / best.tempo - 1) > 0.03
    ]
    lead = 1 - max(rivals, default=0.0)
    return float(np.clip(lead, 0, 1) * np.clip(best.salience / 0.4, 0, 1))


def _alternative(pulses: list[Pulse], tempo: float) -> float | None:
    """The neighbouring metrical level: the one that scored, else the one nearer to common tempi."""
    for pulse in pulses[1:]:
        for ratio in (0.5, 2.0):
            if abs(pulse.tempo / (tempo * ratio) - 1) < 0.02:
                return tempo * ratio
    return tempo * 2 if tempo < 100 else tempo / 2


def _form(analysis: Analysis, features: Features, level: NDArray[np.float32], onsets: Onsets) -> Form:
    lines = np.asarray(analysis.downbeats, float)
    if len(lines) < 2:
        section = Section(0.0, features.duration, "verse", 0.0)
        return Form([section], [], 0)
    edges = np.append(lines, min(features.duration, 2 * lines[-1] - lines[-2]))
    bars = describe_bars(edges, features.bands, level, onsets)
    return find_form(bars, features.duration, _four_on_the_floor(analysis, onsets))


def _four_on_the_floor(analysis: Analysis, onsets: Onsets) -> bool:
    """Whether the kick is alike on every beat of the bar, and absent between beats."""
    beats = np.asarray(analysis.beats, float)
    if analysis.beats_per_bar != 4 or len(beats) < 32:
        return False
    first = int(np.searchsorted(beats, analysis.downbeats[0] - 1e-6))
    beats = beats[first:]
    frames = np.arange(len(onsets.low))
    at = np.interp(beats * onsets.rate, frames, onsets.low)
    between = np.interp((beats[:-1] + np.diff(beats) / 2) * onsets.rate, frames, onsets.low)
    strength = np.array([at[position::4].mean() for position in range(4)])
    return bool(strength.min() > 0.6 * strength.max() and between.mean() < 0.4 * at.mean())


def _form_without_beats(features: Features, level: NDArray[np.float32], onsets: Onsets) -> list[Section]:
    count = int(features.duration / _PSEUDO_BAR)
    if count < 8:
        return [Section(0.0, features.duration, "verse", 0.0)]
    edges = np.linspace(0.0, features.duration, count + 1)
    return find_form(describe_bars(edges, features.bands, level, onsets), features.duration, False).sections


def _opening(analysis: Analysis, harmony: Chroma, phrase: int) -> NDArray[np.float64] | None:
    """Chroma of the first bars of phrases of four."""
    lines = np.asarray(analysis.downbeats, float)
    if len(lines) < 8:
        return None
    means = beat_means(harmony.frames, harmony.rate, lines)
    opening: NDArray[np.float64] = means[phrase::4].mean(axis=0)
    return opening
