"""Decoding with PyAV (FFmpeg's libraries): AAC in M4A, and whatever libsndfile does not read to its end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.audio.info import AudioInfo, plausible

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["inspect", "read"]

# FFmpeg also opens play lists and scripts, which name other files and addresses: a file from a stranger must
# not. Only containers of sound, and no protocol but the one our own reader speaks.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,aac,mp3,flac,ogg,wav,w64,aiff,caf,matroska,webm,asf,ape,wv,au"
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "none"}
_FORMATS = {"mov": "M4A", "matroska": "MATROSKA", "asf": "WMA", "wv": "WAVPACK"}
# In these the length is only estimated from the bit rate; counting packets is exact and needs no decoding.
_UNINDEXED = {"aac", "mp3"}
# In these the index gives each packet its exact time, so that a jump lands where it says.
_INDEXED = {"mov"}
# A decoder is right again this long after a jump (AAC needs two packets of 1024 frames).
_WARM_UP_SECONDS = 0.3
# Where time stamps leave a hole that is longer than the rounding of stamps, packets were lost, and silence
# stands in for them. Beyond the longest, the stamps are at fault.
_SHORTEST_HOLE_SECONDS = 0.05
_LONGEST_HOLE_SECONDS = 10.0
_FULL_SCALE = {"u8": 128.0, "s16": 32768.0, "s32": 2147483648.0, "s64": 9223372036854775808.0}


def inspect(path: Path) -> AudioInfo | None:
    """What the file says of itself, or None when there is no sound in it that FFmpeg can read."""
    import av

    try:
        with _open(path) as container:
            stream = _sound(container)
            rate = stream.codec_context.sample_rate if stream is not None else 0
            if stream is None or not rate:
                return None
            name = _name(container)
            codec = str(stream.codec_context.name)
            channels = int(stream.codec_context.channels)
            seconds = _declared_seconds(container, stream)
            if seconds is None or not plausible(path, seconds):
                seconds = _counted_seconds(container, stream)
            frames = round(seconds * rate)
            if frames <= 0:
                return None
            return AudioInfo(
                path=path,
                format="OPUS" if (name, codec) == ("ogg", "opus") else _FORMATS.get(name, name.upper()),
                codec=codec.removesuffix("float"),
                sample_rate=int(rate),
                channels=channels,
                frames=frames,
                duration=frames / int(rate),
            )
    except (av.FFmpegError, OSError, ValueError):
        return None


def read(info: AudioInfo, start: int) -> Generator[NDArray[np.float32]]:
    """Blocks [shape=(n, channels)] from frame ``start`` on, of whatever size the codec has.

    Damaged packets are passed over. Where the time stamps tell how long they were, silence stands in for them,
    so that what follows is not early. Ends where nothing more can be decoded.
    """
    import av

    try:
        try:
            yield from _from_frame(info, start, jump=True)
        except _Missed:
            yield from _from_frame(info, start, jump=False)
    except (av.FFmpegError, OSError, ValueError):
        # The file opened before, so this is damage like any other: what was decoded stands.
        return


class _Missed(Exception):  # noqa: N818 - a result of the jump, handled on the spot
    """A jump landed behind its aim, so the index is wrong; raised before anything was given out."""


def _from_frame(info: AudioInfo, start: int, *, jump: bool) -> Generator[NDArray[np.float32]]:
    with _open(info.path) as container:
        stream = _sound(container)
        jumped = jump and _jump(container, stream, info, start)
        blocks = _placed(container, stream, info, None if jumped else 0)
        # One block is held back, because only the end of the stream tells whether it is the last.
        held = next(blocks, None)
        if held is None or held[0] > start:
            if jumped:
                raise _Missed
            return
        for following in blocks:
            yield from _after(start, *held)
            held = following
        # The last packet of AAC is filled up with silence; the container knows the true length. A larger
        # difference means that the declared length is wrong, not the sound.
        first, block = held
        excess = first + len(block) - info.frames
        if _name(container) in _INDEXED and 0 < excess < len(block):
            block = block[:-excess]
        yield from _after(start, first, block)


def _after(start: int, first: int, block: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """What of a block, beginning at frame ``first``, lies at ``start`` or later."""
    if first + len(block) > start:
        yield block[max(0, start - first) :]


def _jump(container: Any, stream: Any, info: AudioInfo, start: int) -> bool:
    """Jump to a little before ``start`` where that is exact; False when decoding goes from the beginning."""
    import av

    target = start - round(_WARM_UP_SECONDS * info.sample_rate)
    if target <= 0 or _name(container) not in _INDEXED:
        return False
    try:
        container.seek(_origin(stream) + int(target / (info.sample_rate * stream.time_base)), stream=stream)
    except av.FFmpegError:
        return False
    return True


def _placed(
    container: Any, stream: Any, info: AudioInfo, position: int | None
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Pairs of first frame and block [shape=(n, channels)], one after the other without holes.

    ``position`` is the first frame to come; None when the first time stamp tells it.
    """
    frames_per_tick = info.sample_rate * stream.time_base
    unify = _Unifier(info, stream)
    for frame, damaged in _decoded(container, stream):
        if frame.pts is not None:
            stamp = round((frame.pts - _origin(stream)) * frames_per_tick)
            position = stamp if position is None else position
            hole = stamp - position
            least = 0 if damaged else _SHORTEST_HOLE_SECONDS * info.sample_rate
            if least < hole <= _LONGEST_HOLE_SECONDS * info.sample_rate:
                yield position, np.zeros((hole, info.channels), np.float32)
                position = stamp
        for block in unify(frame):
            position = position or 0
            yield position, block
            position += len(block)


def _decoded(container: Any, stream: Any) -> Iterator[tuple[Any, bool]]:
    """Decoded frames, each with whether damage came before it."""
    import av

    damaged = False
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            damaged = True
            continue
        for frame in frames:
            yield frame, damaged
            damaged = False


class _Unifier:
    """Turns decoded frames into float blocks of one sample rate and channel count.

    A stream may change either in its course (recorded radio does).
    """

    def __init__(self, info: AudioInfo, stream: Any) -> None:
        self._info = info
        self._layout = stream.codec_context.layout.name
        self._resamplers: dict[tuple[int, str, str], Any] = {}

    def __call__(self, frame: Any) -> list[NDArray[np.float32]]:
        if frame.sample_rate == self._info.sample_rate and frame.layout.nb_channels == self._info.channels:
            return [_floats(frame)]
        import av

        kind = (frame.sample_rate, frame.layout.name, frame.format.name)
        if kind not in self._resamplers:
            self._resamplers[kind] = av.AudioResampler("fltp", self._layout, self._info.sample_rate)
        frame.pts = None  # the resampler would fill the time it did not see
        return [_floats(piece) for piece in self._resamplers[kind].resample(frame)]


def _floats(frame: Any) -> NDArray[np.float32]:
    """Samples of a frame as [shape=(n, channels)], full scale 1.0."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    kind = frame.format.name.removesuffix("p")
    samples: NDArray[np.float32] = values.astype(np.float32)
    if kind in _FULL_SCALE:
        if kind == "u8":
            samples -= 128
        samples *= np.float32(1 / _FULL_SCALE[kind])
    return samples


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Packets of the stream, past damaged places, until the demultiplexer gets no further."""
    import av

    stuck = False
    while not stuck:
        stuck = True
        try:
            for packet in container.demux(stream):
                stuck = False
                yield packet
        except av.FFmpegError:
            continue
        return


def _declared_seconds(container: Any, stream: Any) -> float | None:
    if _name(container) in _UNINDEXED:
        return None
    if stream.duration:
        return float(stream.duration * stream.time_base)
    if container.duration:
        return float(container.duration) / 1e6  # in microseconds
    return None


def _counted_seconds(container: Any, stream: Any) -> float:
    return float(sum((packet.duration or 0) for packet in _packets(container, stream)) * stream.time_base)


def _sound(container: Any) -> Any:
    """The audio stream a player would choose, or None."""
    stream = container.streams.best("audio")
    return stream if stream is not None and stream.codec_context is not None else None


def _origin(stream: Any) -> int:
    """The time stamp at which the sound begins (encoders put their delay before it)."""
    return int(stream.start_time or 0)


def _name(container: Any) -> str:
    return str(container.format.name).split(",")[0]


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import av

    # Tags in an unknown encoding must not keep us from the sound. PyAV 19 sees to that by itself.
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
    # Through a file object: FFmpeg would read a name such as "concat:a" or "http:b" as an address.
    with (
        path.open("rb") as raw,
        av.open(raw, mode="r", options=_OPTIONS, **lenient) as container,
    ):
        yield container
