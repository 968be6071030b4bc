"""Records made for measuring, a page of decks that plays them, and an ear at what the loudspeakers get."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile
from scipy.signal import butter, correlate, sosfilt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Page

    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

    Samples = NDArray[np.float64]

DECKS = "globalThis[Symbol.for('sfa.decks')]"
RATE = 44_100  # Hz; of the records, and of Chromium without a sound device
FIRST = 0.25  # s; the first click
# Where the parts of a record begin, in s.
CLICKS, NOISE, TONE, WHITE = 0.0, 20.0, 30.0, 40.0
HERTZ = 440.0  # of the tone

CELL = """
from sfa_kernel import Studio
studio = Studio.open()
studio.decks()
"""

# The decks are as they come; only their node is remembered, so that somebody can listen at it.
REMEMBER = """
globalThis.AudioWorkletNode = class extends AudioWorkletNode {
  constructor(context, name, options) {
    super(context, name, options);
    if (name === "sfa-console") globalThis.master = this;
  }
};
"""

# Hands over what comes in, part by part, and how late the latest block was by the clock on the wall.
EAR = """
const PART = 16384;
registerProcessor("ear", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.sides = [new Float32Array(PART), new Float32Array(PART)];
    this.filled = 0;
    this.port.onmessage = () => { this.hand(true); this.done = true; };
  }
  hand(last) {
    const sides = this.sides.map((side) => side.slice(0, this.filled));
    this.port.postMessage({ sides, frame: currentFrame - this.filled, late: this.late, last });
    this.filled = this.late = 0;
  }
  process([input]) {
    if (this.done) return false;
    const now = Date.now();
    this.late = Math.max(this.late ?? 0, now - (this.before ?? now));
    this.before = now;
    if (this.filled === PART) this.hand(false);
    this.sides.forEach((side, i) => { if (input.length) side.set(input[i], this.filled); });
    this.filled += 128;
    return true;
  }
});
"""

LISTEN = """
async (code) => {
  const { context } = globalThis.master;
  const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  globalThis.earLoaded ??= context.audioWorklet.addModule(url);
  await globalThis.earLoaded;
  const node = new AudioWorkletNode(context, "ear", { numberOfInputs: 1, numberOfOutputs: 0, channelCount: 2 });
  const parts = [];
  let hasBegun, hasEnded;
  const begun = new Promise((resolve) => { hasBegun = resolve; });
  const ended = new Promise((resolve) => { hasEnded = resolve; });
  node.port.onmessage = ({ data }) => {
    parts.push(data);
    hasBegun();
    if (data.last) hasEnded();
  };
  globalThis.master.connect(node, 0);
  globalThis.ear = { parts, node, begun, ended, since: context.currentTime };
}
"""

# 32 bit floats, left and right in turn, and where they begin.
HEARD = """
async () => {
  const { parts, node, ended } = globalThis.ear;
  node.port.postMessage("end");
  await ended;
  globalThis.master.disconnect(node, 0);
  const frames = parts.reduce((sum, { sides }) => sum + sides[0].length, 0);
  const samples = new Float32Array(2 * frames);
  let at = 0;
  for (const { sides: [left, right] } of parts) {
    for (let i = 0; i < left.length; i += 1) { samples[at++] = left[i]; samples[at++] = right[i]; }
  }
  const reader = new FileReader();
  const read = new Promise((resolve) => { reader.onload = resolve; });
  reader.readAsDataURL(new Blob([samples]));
  await read;
  const late = Math.max(...parts.map((part) => part.late ?? 0));
  return { frame: parts[0].frame, late, data: reader.result.split(",")[1] };
}
"""


# -- records ---------------------------------------------------------------------------------------------------------


def add_record(studio: Studio, path: Path, *, bpm: float, side: int, seconds: float = 20.0) -> Track:
    """Clicks on one side for so long, then noise, a tone, white noise; with a grid that somebody has set by hand."""
    clicking = np.zeros((round(seconds * RATE), 2))
    clicking[:, side] = clicks(seconds, bpm)
    rest = np.concatenate([noise(), tone(), white()])
    soundfile.write(path, np.concatenate([clicking, np.column_stack([rest, rest])]), RATE)
    track: Track
    (track,) = studio.add(path)
    studio.run(track, stages="analyze").wait(300)
    track.correct("grid", tempo=bpm, first_beat=FIRST)
    return track


def clicks(seconds: float, bpm: float) -> Samples:
    """A click on each beat: 2 kHz, dying away in 4 ms."""
    samples = np.zeros(round(seconds * RATE))
    time = np.arange(round(0.02 * RATE)) / RATE
    click = 0.7 * np.sin(2 * np.pi * 2000 * time) * np.exp(-time / 0.004)
    for beat in np.arange(FIRST, seconds - 0.05, 60 / bpm):
        at = round(beat * RATE)
        samples[at : at + click.size] += click
    return samples


def noise() -> Samples:
    """Noise below 2 kHz, which is like itself at no other place."""
    samples: Samples = sosfilt(butter(8, 2000, output="sos", fs=RATE), white(TONE - NOISE))
    return 0.1 * samples / np.std(samples)


def tone() -> Samples:
    return 0.4 * np.sin(2 * np.pi * HERTZ * np.arange(round((WHITE - TONE) * RATE)) / RATE)


def white(seconds: float = 4.0) -> Samples:
    return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * RATE))


# -- the page --------------------------------------------------------------------------------------------------------


@dataclass
class Sound:
    """What left the mixer.

    Attributes
    ----------
    samples
        Left and right [shape=(2, n)].
    rate
        In Hz.
    frame
        Of the audio clock, when it began.
    late
        The longest time between two blocks by the clock on the wall, in ms.
    """

    samples: Samples = field(default_factory=lambda: np.zeros((2, 0)))
    rate: int = RATE
    frame: int = 0
    late: float = 0.0


class Desk:
    """A page's decks as a person's hands have them."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def set(self, *changes: tuple[str, float | str]) -> None:
        """Controls and their values, in order, in one turn."""
        self.page.evaluate(
            f"changes => {{ for (const [id, value] of changes) {DECKS}.controls.set(id, value, 'test'); }}",
            [list(change) for change in changes],
        )

    def get(self, control: str) -> Any:
        return self.page.evaluate(f"id => {DECKS}.controls.get(id)", control)

    def stand(self, deck: int) -> dict[str, Any]:
        found: dict[str, Any] = self.page.evaluate(f"deck => ({{ ...{DECKS}.stand(deck) }})", deck)
        return found

    def load(self, deck: int, track: Track | str) -> None:
        """Until all of it is there."""
        identifier = track if isinstance(track, str) else str(track.id)
        self.page.evaluate(f"([deck, track]) => {DECKS}.load(deck, track)", [deck, identifier])
        self.page.wait_for_function(
            f"""([deck, track]) => {{
              const song = {DECKS}.song(deck);
              return song?.id === track && !{DECKS}.loading(deck) && {DECKS}.stand(deck).loaded;
            }}""",
            arg=[deck, identifier],
        )

    def reset(self) -> None:
        """All is as it was made, the songs stay; nothing plays, and what rang has died away."""
        self.page.evaluate(
            f"""() => {{
              const {{ controls }} = {DECKS};
              for (let deck = 1; deck <= 4; deck += 1) {{
                controls.set(`deck.${{deck}}.play`, 0, "test");
                controls.set(`deck.${{deck}}.loop.active`, 0, "test");
                if ({DECKS}.song(deck)) controls.set(`deck.${{deck}}.seek`, 0, "test");
              }}
              for (const id of Object.keys(controls.settings)) {{
                if (!id.endsWith(".track") && !id.endsWith(".cue_point")) controls.reset(id, "test");
              }}
            }}"""
        )
        self.wait(0.1)

    def wait(self, seconds: float) -> None:
        """By the audio clock."""
        self.page.evaluate(
            """async (seconds) => {
              const { context } = globalThis.master;
              const until = context.currentTime + seconds;
              while (context.currentTime < until) await new Promise((done) => setTimeout(done, 5));
            }""",
            seconds,
        )

    @contextmanager
    def listen(self) -> Iterator[Sound]:
        """What leaves the mixer meanwhile; it is there at the end."""
        sound = Sound()
        self.page.wait_for_function("() => globalThis.master?.context.state === 'running'")
        self.page.evaluate(LISTEN, EAR)
        self.page.evaluate("() => globalThis.ear.begun")
        yield sound
        self.wait(0.05)
        heard = self.page.evaluate(HEARD)
        interleaved = np.frombuffer(base64.b64decode(heard["data"]), "<f4").astype(float)
        sound.samples = interleaved.reshape(-1, 2).T
        sound.rate = round(self.page.evaluate("() => globalThis.master.context.sampleRate"))
        sound.frame, sound.late = heard["frame"], heard["late"]


# -- what is asked of samples ----------------------------------------------------------------------------------------


def decibels(ratio: float) -> float:
    return float(20 * np.log10(max(ratio, 1e-12)))


def onsets(samples: Samples, rate: int) -> Samples:
    """When clicks begin [s]: where the level over 1 ms first passes a quarter of the loudest, 50 ms apart at least."""
    length = round(0.001 * rate)
    energy = np.concatenate([np.zeros(length), np.cumsum(samples**2)])
    level = np.sqrt(np.maximum(energy[length:] - energy[:-length], 0))
    loud = np.flatnonzero(level > level.max() / 4)
    first: Samples = loud[np.concatenate([[True], np.diff(loud) > 0.05 * rate])] / rate
    return first


def apart(one: Samples, other: Samples) -> Samples:
    """How far each is from the nearest of the others, with its sign."""
    places = np.clip(np.searchsorted(other, one), 1, other.size - 1)
    before, after = other[places - 1], other[places]
    return np.where(one - before < after - one, one - before, one - after)


def pitch(samples: Samples, rate: int) -> float:
    """Frequency of a tone [Hz], by how its phase goes on."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), 4 * samples.size))
    near = np.argmax(spectrum) * rate / (4 * samples.size)
    base = samples * np.exp(-2j * np.pi * near * np.arange(samples.size) / rate)
    size = samples.size // 8
    window = np.hanning(size)
    phases = np.unwrap(
        [np.angle(np.sum(window * base[at : at + size])) for at in range(0, samples.size - size, size // 4)]
    )
    slope = np.polyfit(np.arange(phases.size) * (size // 4) / rate, phases, 1)[0]
    return float(near + slope / (2 * np.pi))


def cents(frequency: float, wanted: float) -> float:
    return float(1200 * np.log2(frequency / wanted))


def jump(samples: Samples, song: Samples) -> tuple[float, float, float]:
    """Where a song was left and where it went on [s], and how long neither was heard alone [s].

    The piece begins and ends in the song as it is, at its own tempo, and somewhere between it jumps once.
    """
    piece = RATE // 10
    places = []
    for at in (0, samples.size - piece):
        found = correlate(song, samples[at : at + piece], mode="valid")
        places.append(int(np.argmax(np.abs(found))) - at)
    before, after = places
    aligned = song[np.clip(np.arange(samples.size) + before, 0, song.size - 1)]
    gain = float(samples[:piece] @ aligned[:piece] / (aligned[:piece] @ aligned[:piece]))
    loud = 0.5 * abs(gain) * float(np.std(song))

    def differs(offset: int) -> NDArray[np.bool_]:
        aligned = gain * song[np.clip(np.arange(samples.size) + offset, 0, song.size - 1)]
        return np.asarray(np.abs(samples - aligned) > loud)

    left = int(np.argmax(differs(before)))
    on = samples.size - int(np.argmax(differs(after)[::-1]))
    return (left + before) / RATE, (left + after) / RATE, (on - left) / RATE


def level(samples: Samples) -> float:
    """Of a sine of this power, in dBFS."""
    return decibels(np.sqrt(2 * np.mean(samples**2)))


def band(samples: Samples, rate: int, low: float, high: float) -> float:
    """Power between two frequencies, in dB; the samples are taken as a period."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    frequencies = np.fft.rfftfreq(samples.size, 1 / rate)
    return float(10 * np.log10(np.sum(power[(frequencies > low) & (frequencies < high)]) + 1e-20))


def above(samples: Samples, rate: int, frequency: float) -> float:
    """The loudest above a frequency, in dBFS."""
    high: Samples = sosfilt(butter(8, frequency, "high", output="sos", fs=rate), samples)
    return decibels(np.max(np.abs(high[rate // 20 :])))
