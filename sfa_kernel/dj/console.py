"""The console without a page: the very code that sounds in a browser, run by V8 as fast as it can.

`render` gives what a browser plays of a script (measured with Chromium):

- Songs as FLAC or WAV at the script's sample rate: the same samples, to the last bit.
- Songs as MP3 or Ogg, which each decodes by a library of its own: the same but for some -100 dB of the song.
- Songs at another rate are resampled here by soxr and there by the browser: the same but for some -80 dB up to 16 kHz;
  above it a browser's resampler loses up to all, ours nothing.

Where the samples of a song are not the same, key lock makes more of it: it keeps times, levels and pitch, but what it
chooses as phases hangs on the last bit. The same goes for stems that reach a page only after it began to play their
song. To have one sound everywhere, render a script once and play that.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sfa_kernel.errors import InternalError, NotFoundError, SetupError
from sfa_kernel.progress import Cancel, Progress, Steps, never, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from sfa_kernel.control.script import Script
    from sfa_kernel.dj.songs import DeckSong

__all__ = ["Console", "engine_file", "render"]

START_SECONDS = 60.0  # how long the engine may take to start on a slow machine


def engine_file() -> Path:
    """The decks' engine as it was built for the page.

    Raises
    ------
    SetupError
        When this installation has none.
    """
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("sfa_widgets")  # which need not be imported for a file beside it
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder, "static", "console.js")
        if path.is_file():
            return path
    raise SetupError("The decks' engine is not built.", hint="In a clone run: make js. Else install the package again.")


class Console:
    """The decks' engine in an isolate of V8; use it in a ``with`` statement.

    Parameters
    ----------
    sample_rate
        In Hz.

    Raises
    ------
    SetupError
        When V8 or the engine is missing, or does not run here.
    """

    def __init__(self, sample_rate: int) -> None:
        try:
            from py_mini_racer import MiniRacer
        except ImportError as error:
            raise SetupError(
                "Rendering needs V8, and it is not installed.", hint="Install it with: pip install mini-racer"
            ) from error
        source = engine_file().read_text("utf-8")
        self.sample_rate = sample_rate
        # Made where an event loop runs, as in the cell of a notebook, it would want to be awaited.
        with ThreadPoolExecutor(1) as elsewhere:
            self._engine = cast("Any", elsewhere.submit(MiniRacer).result())  # what it gives back may be anything
        self._calls: dict[str, Any] = {}
        self._buffers: dict[str, NDArray[np.float32]] = {}
        try:
            with _told():
                self._engine.eval(source)
                made = self._engine.eval(f"SfaConsole.offline({int(sample_rate)}).then((made) => {{ it = made; }})")
                made.get(timeout=START_SECONDS)
                for name in ("left", "right", "songLeft", "songRight"):
                    self._buffers[name] = np.frombuffer(self._engine.eval(f"it.{name}.buffer"), np.float32)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give V8's memory back."""
        self._calls.clear()
        self._buffers.clear()  # they lie in V8's memory
        self._engine.close()

    def _call(self, name: str, *arguments: float | str) -> Any:
        call = self._calls.get(name)
        if call is None:
            call = self._calls[name] = self._engine.eval(f"(...given) => it.{name}(...given)")
        with _told():
            return call(*arguments)

    def open(self, script: Script) -> None:
        """Take a script; it begins with the next frame."""
        self._call("script", json.dumps(script.document()))

    def load(self, deck: int, song: DeckSong) -> None:
        """Put a song into a deck.

        Raises
        ------
        AudioError
            When one of its files cannot be read.
        """
        from sfa_kernel import audio

        files = {"mix": song.mix, **song.stems}
        with audio.AudioReader(song.mix, sample_rate=self.sample_rate) as reader:
            frames = reader.frames
        self._call("load", deck, song.id, frames, json.dumps(list(files)), json.dumps(song.facts()))
        for role, file in files.items():
            self._fill(deck, song.id, role, file, frames)

    def _fill(self, deck: int, song_id: str, role: str, file: Path, frames: int) -> None:
        from sfa_kernel import audio
        from sfa_kernel.audio.blocks import downmix, of_length, regrouped

        left, right = self._buffers["songLeft"], self._buffers["songRight"]
        with audio.AudioReader(file, sample_rate=self.sample_rate) as reader:
            # A stem is as long as its song, and a song as long as its file says.
            whole = of_length((downmix(block) for block in reader.blocks(len(left))), min(2, reader.channels), frames)
            for index, block in enumerate(regrouped(whole, len(left))):
                count = block.shape[1]
                left[:count], right[:count] = block[0], block[-1]
                self._call("slice", deck, song_id, role, index, count)

    def started(self) -> list[tuple[float, str]]:
        """When which song was started after it had been put into a deck: seconds, and the id of the song."""
        return [(one["frame"] / self.sample_rate, one["track"]) for one in json.loads(self._call("started"))]

    def blocks(self, frames: int, song: Callable[[str], DeckSong]) -> Iterator[NDArray[np.float32]]:
        """The next frames of the master.

        Parameters
        ----------
        frames
            How many.
        song
            Gives the song of an id when the script wants it.

        Yields
        ------
        np.ndarray [shape=(2, n), dtype=float32]
            Good until the next one.
        """
        left, right = self._buffers["left"], self._buffers["right"]
        made = 0
        while made < frames:
            count = int(self._call("render", min(len(left), frames - made)))
            if count:
                yield np.stack([left[:count], right[:count]])
                made += count
            for wanted in json.loads(self._call("wanted")):
                self.load(wanted["deck"], song(wanted["track"]))


def render(
    script: Script,
    songs: Mapping[str, DeckSong],
    write: Callable[[NDArray[np.float32]], None],
    *,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> list[tuple[float, str]]:
    """Render a script.

    Parameters
    ----------
    script
        What is played.
    songs
        By id; all of ``script.tracks``.
    write
        Takes the master block after block [shape=(2, n)], at the script's sample rate; only one of them is in memory.
    progress, cancel
        See `sfa_kernel.progress`.

    Returns
    -------
    list
        When which song was started: seconds, and the id of the song.

    Raises
    ------
    NotFoundError
        When a song is not among them.
    AudioError
        When a song cannot be read.
    SetupError
        When V8 or the engine is missing.
    Cancelled
        When the cancel signal came.

    Examples
    --------
    >>> with audio.AudioWriter("mix.flac", script.sample_rate, 2) as writer:       # doctest: +SKIP
    ...     render(script, songs, writer.write)
    """
    missing = [track for track in script.tracks if track not in songs]
    if missing:
        raise NotFoundError(f"A song of this script is not here: {missing[0]}.", hint="Give it among the songs.")
    steps = Steps(progress, cancel)
    frames = round(script.duration * script.sample_rate)
    made = 0

    def song(track: str) -> DeckSong:
        steps.at(made / max(1, frames))  # a song takes a while: who has asked for the stop need not wait for it
        return songs[track]

    with Console(script.sample_rate) as console:
        console.open(script)
        for block in console.blocks(frames, song):
            write(block)
            made += block.shape[1]
            steps.at(0.99 * made / frames)
        started = console.started()
    steps.at(1.0)
    return started


@contextmanager
def _told() -> Iterator[None]:
    """What V8 throws, in our words."""
    from py_mini_racer import JSEvalException, JSOOMException, JSPromiseError, JSTimeoutException

    try:
        yield
    except JSOOMException as error:
        raise SetupError("There is not enough memory to render.", hint="Render a shorter script.") from error
    except (JSEvalException, JSPromiseError, JSTimeoutException, TimeoutError) as error:
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise InternalError(f"The decks' engine failed: {first[0]}", hint="Please report it.") from error
