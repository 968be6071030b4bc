"""Demucs' networks over a song of any length: segment by segment, overlapped and added.

The arithmetic is that of ``demucs.apply.apply_model(shifts=0)``, in the same order, so that the results agree to the
last bit where the networks run alike. What differs is what is held: one window of the song and of its stems, however
long the song is.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import torch

    from sfa_kernel.separation.demucs.bag import Bag, Member

__all__ = ["separate_blocks"]

Array = np.ndarray[Any, np.dtype[Any]]


def separate_blocks(
    bag: Bag,
    blocks: Iterable[Array],
    frames: int,
    *,
    stems: Sequence[str],
    overlap: float = 0.25,
    batch: int = 1,
    exact: bool = True,
    precision: str = "float32",
    silence: float = 0.0,
    at: Callable[[float], None] = lambda _: None,
) -> Iterator[Array]:
    """Let a model hear a song, and give out its stems as they become ready.

    Only the networks that have a say in the stems asked for are run. A segment that is silent throughout is not
    run either: its stems are silence. That is what the networks make of zeros, to the bit. Where silence is not
    zero, because the mean of the song was taken off it, upstream gives a residue of the order of that mean instead.

    Parameters
    ----------
    bag
        The model, on the device it is to run on.
    blocks : float32 [shape=(2, n)] each
        The song at the bag's sample rate, normalised. What they lack of ``frames`` is heard as silence, what they
        hold beyond is not heard.
    frames
        Length of the song.
    stems
        Which of the bag's sources to give out, in this order.
    overlap
        Share of a segment that it has in common with the next, 0..0.9.
    batch
        Segments that are run at once; halved, and tried again, when the device has not the memory for them. The
        results of different batches agree to rounding.
    exact
        Whether the last segment is run even when the one before it reaches the end of the song, as upstream does.
        If not, the end is as the segment before heard it: another estimate, no worse, but not upstream's.
    precision
        ``"float32"``, or on a device that has it ``"tf32"`` or ``"bf16"``.
    silence
        The value of a silent sample in the blocks.
    at
        Told the share that is done, counted in segments of a network, before the first of them and after each
        batch. It may raise to stop: then no other batch begins.

    Yields
    ------
    np.ndarray, float32 [shape=(len(stems), 2, m)]
        Pieces that join without a gap, ``frames`` in all.

    Raises
    ------
    SetupError
        When the device has not the memory for a single segment.
    """
    indices = [bag.sources.index(stem) for stem in stems]
    passes = [
        _Pass(bag, member, indices, frames, overlap, exact)
        for member in bag.members
        if any(member.weights[index] for index in indices)
    ]
    totals = [sum(member.weights[index] for member in bag.members) for index in indices]
    steps = sum(len(each.offsets) for each in passes)
    batch = min(batch, max(len(each.offsets) for each in passes))
    heard = _Heard(blocks, frames, silence)
    # A GPU gets its next batch before what it made of the one before is waited for and given out.
    ahead = 1 if passes[0].device.type == "cuda" else 0
    copies: deque[_Copy] = deque()
    given = 0
    try:
        at(0.0)
        while given < frames or copies:
            if given < frames:
                # The one that is furthest behind: networks may hear segments of different lengths.
                current = min(passes, key=lambda each: each.finished)
                with _arithmetic(current.device, precision):
                    batch = _run(current, heard, batch)
                    ready = min(each.finished for each in passes)
                    copies.append(_Copy(_mean(passes, totals, ready - given), sum(each.done for each in passes)))
                given = ready
                heard.forget(min(each.start for each in passes))
            if len(copies) > ahead or given == frames:
                copies[0].wait()
                at(copies[0].done / steps)
                if copies[0].frames:
                    yield copies.popleft().samples()
                else:  # a network has heard more, but another has not
                    copies.popleft()
    finally:
        # An error that somebody keeps also keeps this frame: what is large goes now.
        for each in passes:
            each.drop()
        copies.clear()
        heard.forget(frames)


class _Pass:
    """One network on its way through the song.

    Attributes
    ----------
    offsets
        Where its segments begin [frames].
    done
        How many of them it has heard.
    weights
        Its say in each of the stems.
    device
        What it runs on.
    """

    def __init__(
        self, bag: Bag, member: Member, indices: Sequence[int], frames: int, overlap: float, exact: bool
    ) -> None:
        import torch

        network: Any = member.network
        padded = hasattr(network, "valid_length")  # then it cannot hear more than it was trained on
        if bag.segment is not None and not (padded and bag.segment > network.segment):
            network.segment = bag.segment
        self._network = network
        self._compiled = getattr(network, "_compiled_call_impl", None) is not None
        self._size: Callable[[int], int] = network.valid_length if padded else lambda count: count
        self._length = int(bag.sample_rate * network.segment)
        self._frames = frames
        stride = int((1 - overlap) * self._length)
        self.offsets = range(0, frames, stride)
        if not exact:
            self.offsets = self.offsets[: 1 + -(-max(0, frames - self._length) // stride)]
        self.done = 0
        self.weights = [member.weights[index] for index in indices]
        self._indices = list(indices)
        self.device: torch.device = next(member.network.parameters()).device
        half = self._length // 2
        fade = torch.cat([torch.arange(1, half + 1), torch.arange(self._length - half, 0, -1)])
        self._fade = (fade / fade.max()).to(self.device)
        # Of what was not taken yet: the faded segments, added up, and what the fades add up to.
        self._sums = torch.zeros(len(indices), 2, 0, device=self.device)
        self._fades = torch.zeros(0, device=self.device)
        self._taken = 0

    @property
    def finished(self) -> int:
        """The frame up to which nothing will be added any more."""
        return self.offsets[self.done] if self.done < len(self.offsets) else self._frames

    @property
    def start(self) -> int:
        """The first frame that it still needs to hear."""
        return self._window(self.offsets[self.done])[0] if self.done < len(self.offsets) else self._frames

    def _window(self, offset: int) -> tuple[int, int, int]:
        """Where the window of a segment begins, its size, and how much of it is the segment [frames].

        A window that is larger than its segment, at the end of the song, has it in the middle: the network hears
        the song before it too, and zeros behind.
        """
        count = min(self._length, self._frames - offset)
        size = self._size(count)
        return offset - (size - count) // 2, size, count

    def run(self, heard: _Heard, batch: int) -> None:
        """Hear the next segments, up to ``batch`` of them; nothing has changed if that fails."""
        import torch

        segments = [(offset, *self._window(offset)) for offset in self.offsets[self.done : self.done + batch]]
        segments = [segment for segment in segments if segment[2] == segments[0][2]]  # the last may be shorter
        end = max(offset + count for offset, _, _, count in segments)
        heard.reach(end)
        loud = [n for n, (offset, _, _, count) in enumerate(segments) if not heard.silent(offset, offset + count)]
        answers = {}
        if loud:
            # A compiled network is translated anew for each number of windows: so it always gets as many.
            windows = np.zeros((batch if self._compiled else len(loud), 2, segments[0][2]), np.float32)
            for window, n in zip(windows, loud, strict=False):
                window[:] = heard.window(segments[n][1], segments[n][2])
            given = self._network(_sent(windows, self.device))[:, self._indices].float()
            answers = dict(zip(loud, given, strict=False))
        longer = end - self._taken - len(self._fades)
        self._sums = torch.cat([self._sums, self._sums.new_zeros(*self._sums.shape[:2], max(0, longer))], dim=2)
        self._fades = torch.cat([self._fades, self._fades.new_zeros(max(0, longer))])
        for n, (offset, start, _, count) in enumerate(segments):
            place = slice(offset - self._taken, offset - self._taken + count)
            fade = self._fade[:count]
            answer = answers[n][..., offset - start : offset - start + count] if n in answers else heard.silence
            self._sums[..., place] += fade * answer
            self._fades[place] += fade
        self.done += len(segments)

    def take(self, count: int) -> torch.Tensor:
        """The next finished samples [shape=(stems, 2, count)]."""
        taken = self._sums[..., :count] / self._fades[:count]
        self._sums, self._fades = self._sums[..., count:].clone(), self._fades[count:].clone()
        self._taken += count
        return taken

    def drop(self) -> None:
        """Let go of all samples."""
        self._sums, self._fades = self._sums[..., :0].clone(), self._fades[:0].clone()


def _run(current: _Pass, heard: _Heard, batch: int) -> int:
    """Let a network hear as many segments at once as its device has the memory for; how many may be tried next."""
    import torch

    while True:
        try:
            current.run(heard, batch)
            return batch
        except RuntimeError as error:  # on some devices it has no class of its own
            if not isinstance(error, torch.cuda.OutOfMemoryError) and "out of memory" not in str(error).lower():
                raise
            if batch == 1:
                raise SetupError(
                    f"The device {current.device} has not the memory for one segment of this model.",
                    hint="Close what else uses it, or choose the device cpu.",
                ) from error
        # Out here, where the error does not keep what was computed before it came.
        batch //= 2
        if current.device.type == "cuda":
            torch.cuda.empty_cache()


def _mean(passes: Sequence[_Pass], totals: Sequence[float], count: int) -> torch.Tensor:
    """The weighted mean of what the networks made of the next samples."""
    import torch

    mean = torch.zeros(len(totals), 2, count, device=passes[0].device)
    for each in passes:
        taken = each.take(count)
        for stem, weight in enumerate(each.weights):
            mean[stem] += taken[stem] * weight
    for stem, total in enumerate(totals):
        mean[stem] /= total
    return mean


def _sent(samples: Array, device: torch.device) -> torch.Tensor:
    """Samples on the device; a GPU need not wait for them."""
    import torch

    tensor = torch.from_numpy(samples)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


class _Copy:
    """Samples on their way from the device.

    Attributes
    ----------
    done
        How many segments had been heard when they were ready.
    frames
        How many there are.
    """

    def __init__(self, samples: torch.Tensor, done: int) -> None:
        import torch

        self.done = done
        self.frames = samples.shape[2]
        self._event: Any = None
        if samples.device.type == "cuda":
            self._samples = torch.empty(samples.shape, pin_memory=True)
            self._samples.copy_(samples, non_blocking=True)
            cuda: Any = torch.cuda
            self._event = cuda.Event()
            self._event.record(cuda.current_stream(samples.device))
        else:
            self._samples = samples.cpu()

    def wait(self) -> None:
        """Wait until they are here."""
        if self._event is not None:
            self._event.synchronize()

    def samples(self) -> Array:
        """They, once they are here."""
        samples: Array = self._samples.numpy()
        return samples


class _Heard:
    """As much of the song as the networks still have to hear."""

    def __init__(self, blocks: Iterable[Array], frames: int, silence: float) -> None:
        self._blocks = iter(blocks)
        self._frames = frames
        self._first = 0  # frame of the first sample that is held
        self._held = np.zeros((2, 0), np.float32)
        self.silence = silence

    def reach(self, end: int) -> None:
        """Read on until the song is held up to a frame."""
        parts = [self._held]
        missing = end - self._first - self._held.shape[1]
        while missing > 0:
            block = next(self._blocks, None)
            if block is None:
                block = np.full((2, missing), self.silence, np.float32)
            parts.append(block)
            missing -= block.shape[1]
        self._held = np.concatenate(parts, axis=1)

    def window(self, start: int, size: int) -> Array:
        """Samples from a frame on [shape=(2, size)], with zeros where there is no song."""
        window = np.zeros((2, size), np.float32)
        first, last = max(0, start), min(self._frames, start + size)
        window[:, first - start : last - start] = self._held[:, first - self._first : last - self._first]
        return window

    def silent(self, start: int, end: int) -> bool:
        """Whether there is nothing but silence between two frames."""
        samples = self._held[:, start - self._first : end - self._first]
        # The first sample tells nearly always, and costs nothing.
        return bool((samples[:, 0] == self.silence).all() and (samples == self.silence).all())

    def forget(self, before: int) -> None:
        """Drop what comes before a frame."""
        self._held = self._held[:, max(0, before - self._first) :].copy()
        self._first = max(self._first, before)


@contextmanager
def _arithmetic(device: torch.device, precision: str) -> Iterator[None]:
    """No gradients; attention without its fast path; numbers as precise as asked for.

    The fast path of attention in evaluation builds whole matrices of all pairs: slower here, and much larger. It
    and TF32 are switched for the whole process, so they are put back whenever the caller goes on.
    """
    import torch

    fast = torch.backends.mha.get_fastpath_enabled()
    products, convolutions = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.mha.set_fastpath_enabled(False)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "float32"
    shorter = torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()
    try:
        with torch.inference_mode(), shorter:
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = products, convolutions
