"""Short songs made from known stems, so that a separation can be scored against the truth.

Everything is synthesised from a seed: no audio is stored. The parts are chosen to be awkward where music
is: the kick sits on the bass, the hats share the consonants' range, the chords share the voice's octave, the
room smears what was sharp, and no two drum hits or sung notes are alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

Array = np.ndarray[Any, np.dtype[Any]]
STEMS = ("vocals", "drums", "bass", "other")


@dataclass
class Song:
    stems: dict[str, Array]  # name -> float32 [shape=(channels, n)]
    sample_rate: int

    @property
    def mix(self) -> Array:
        return np.sum([self.stems[name] for name in STEMS], axis=0, dtype=np.float32)


STYLES: dict[str, dict[str, Any]] = {
    # swing: share of the beat before the off-beat; wet: level of the room; pad: sustained or struck chords
    "pop": {"bpm": 112, "swing": 0.5, "kick": "x...x..x", "snare": "..x...x.", "bass": "x.xx.x.x", "pad": "struck"},
    "house": {"bpm": 126, "swing": 0.53, "kick": "x.x.x.x.", "snare": "..x...x.", "bass": ".x.x.x.x", "pad": "pad"},
    "hiphop": {"bpm": 92, "swing": 0.6, "kick": "x..x.x..", "snare": "..x...x.", "bass": "x..x.x..", "pad": "struck"},
    "dnb": {"bpm": 172, "swing": 0.5, "kick": "x....x..", "snare": "..x...x.", "bass": "x...x...", "pad": "pad"},
    "rock": {"bpm": 138, "swing": 0.5, "kick": "x..xx...", "snare": "..x...x.", "bass": "xxxxxxxx", "pad": "power"},
}
CHORDS = {"major": (0, 4, 7, 11), "minor": (0, 3, 7, 10)}
PROGRESSIONS = (
    ((0, "minor"), (8, "major"), (3, "major"), (10, "major")),
    ((0, "major"), (7, "major"), (9, "minor"), (5, "major")),
)
VOWELS = ((800, 1200, 2800), (500, 1900, 2600), (320, 2300, 3000), (500, 900, 2700), (350, 800, 2600))


def song(
    style: str = "pop", *, seed: int = 0, seconds: float = 12.0, sample_rate: int = 44100, mono: bool = False
) -> Song:
    """A song of one style; ``mono`` puts every part in the middle, in one channel."""
    score = _Score(style, seed, seconds, sample_rate)
    stems = {
        "drums": score.drums(),
        "bass": score.bass(),
        "other": score.other(),
        "vocals": score.vocals(),
    }
    loudness = {"drums": -17.0, "bass": -18.0, "other": -21.0, "vocals": -18.0}
    for name, samples in stems.items():
        level = 10 ** ((loudness[name] + score.random.uniform(-1.5, 1.5)) / 20)
        samples *= level / (np.sqrt(np.mean(samples**2)) + 1e-9)
    peak = np.abs(np.sum(list(stems.values()), axis=0)).max()
    gain = min(1.0, 0.89 / peak)
    out = {name: (gain * samples).astype(np.float32) for name, samples in stems.items()}
    if mono:
        out = {name: samples.mean(axis=0, keepdims=True) for name, samples in out.items()}
    return Song(out, sample_rate)


class _Score:
    def __init__(self, style: str, seed: int, seconds: float, sample_rate: int) -> None:
        self.style = STYLES[style]
        self.random = np.random.default_rng(seed)
        self.rate = sample_rate
        self.frames = round(seconds * sample_rate)
        self.beat = 60 / (self.style["bpm"] * self.random.uniform(0.97, 1.03))
        self.root = int(self.random.integers(33, 45))
        self.kick_decay = self.random.uniform(0.08, 0.2)
        self.progression = PROGRESSIONS[int(self.random.integers(len(PROGRESSIONS)))]

    # -- time and room ------------------------------------------------------------------------------
    def steps(self) -> list[tuple[int, float, float]]:
        """(eighth index, start, length) [s] of every eighth note."""
        swing = self.style["swing"]
        out = []
        index = 0
        while (start := self.beat * (index // 2 + (swing if index % 2 else 0))) < self.frames / self.rate:
            out.append((index, start, self.beat * ((1 - swing) if index % 2 else swing)))
            index += 1
        return out

    def chord(self, step: int) -> tuple[int, tuple[int, ...]]:
        degree, kind = self.progression[(step // 8) % len(self.progression)]
        return self.root + degree % 12, CHORDS[kind]

    def blank(self) -> Array:
        return np.zeros((2, self.frames))

    def place(self, part: Array, start: float, sound: Array, pan: float = 0.0) -> None:
        """Add a mono sound at a time [s]; pan -1..1 with constant power."""
        first = round(start * self.rate)
        length = min(len(sound), self.frames - first)
        if length > 0:
            angle = (pan + 1) * np.pi / 4
            gains = np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]])
            part[:, first : first + length] += gains * sound[:length]

    def room(self, part: Array, *, seconds: float, wet: float) -> Array:
        n = round(seconds * self.rate)
        decay = 10 ** (-3 * np.arange(n) / n)
        tail = self.random.standard_normal((2, n)) * decay
        tail = lfilter([0.4], [1, -0.6], tail, axis=1)
        tail[:, : round(0.012 * self.rate)] = 0
        tail /= np.sqrt(np.sum(tail**2, axis=1, keepdims=True))
        mono = part.mean(axis=0)
        return part + wet * np.stack([fftconvolve(mono, channel)[: self.frames] for channel in tail])

    def time(self, seconds: float) -> Array:
        return np.arange(max(1, round(seconds * self.rate))) / self.rate

    def band(self, sound: Array, low: float | None, high: float | None) -> Array:
        nyquist = self.rate / 2
        if low:
            sound = sosfilt(butter(2, min(low, 0.9 * nyquist), "high", fs=self.rate, output="sos"), sound)
        if high and high < 0.95 * nyquist:
            sound = sosfilt(butter(2, high, "low", fs=self.rate, output="sos"), sound)
        return sound

    # -- parts --------------------------------------------------------------------------------------
    def drums(self) -> Array:
        part = self.blank()
        noise = self.random.standard_normal
        for index, start, _ in self.steps():
            late = start + abs(self.random.normal(0, 0.003))
            hit = 1 + 0.15 * noise()
            if self.style["kick"][index % 8] == "x":
                t = self.time(0.5)
                low = self.random.uniform(46, 52)
                body = np.sin(2 * np.pi * (low * t + 110 * 0.028 * (1 - np.exp(-t / 0.028)))) * np.exp(
                    -t / self.kick_decay
                )
                click = self.band(noise(len(t)), 1500, None) * np.exp(-t / 0.004)
                self.place(part, late, hit * (body + 0.15 * click))
            if self.style["snare"][index % 8] == "x":
                t = self.time(0.3)
                tone = np.sin(2 * np.pi * 188 * t) + 0.5 * np.sin(2 * np.pi * 331 * t)
                wires = self.band(noise(len(t)), 900, 11000) * np.exp(-t / 0.075)
                self.place(part, late, hit * (0.4 * tone * np.exp(-t / 0.05) + 0.7 * wires))
            t = self.time(0.35)
            length = 0.12 if index % 8 == 7 else 0.028
            hat = self.band(noise(len(t)), 6500, None) * np.exp(-t / length)
            self.place(part, late, 0.35 * (0.7 + 0.3 * (index % 2)) * (1 + 0.2 * noise()) * hat, 0.3)
            if index % 64 == 0:
                t = self.time(1.6)
                metal = sum(np.sin(2 * np.pi * f * t) for f in self.random.uniform(2500, 9000, 30))
                crash = (self.band(noise(len(t)), 3000, None) + 0.15 * metal) * np.exp(-t / 0.5)
                self.place(part, late, 0.4 * crash, -0.4)
        return self.room(part, seconds=0.4, wet=0.12)

    def bass(self) -> Array:
        part = self.blank()
        phase_noise = self.random.uniform(0, 2 * np.pi, 12)
        cutoff = self.random.uniform(350, 900)
        for index, start, length in self.steps():
            if self.style["bass"][index % 8] != "x":
                continue
            note, _ = self.chord(index)
            octave = 12 if self.random.random() < 0.15 else 0
            frequency = 440 * 2 ** ((note + octave - 69) / 12)
            t = self.time(length * self.random.choice([0.9, 1.8]))
            sound = np.zeros(len(t))
            for k in range(1, 13):
                level = 1 / k / (1 + (k * frequency / cutoff) ** 2)
                sound += level * np.sin(2 * np.pi * k * frequency * t + phase_noise[k - 1]) * np.exp(-k * t / 1.2)
            edge = np.minimum(1, np.minimum(t / 0.006, (t[-1] - t) / 0.02))
            self.place(part, start, sound * edge)
        return part

    def other(self) -> Array:
        part = self.blank()
        kind = self.style["pad"]
        for index, start, length in self.steps():
            note, intervals = self.chord(index)
            if kind == "pad" and index % 8 == 0:
                for voice, interval in enumerate(intervals):
                    for side in (-1, 1):
                        sound = self.tone(note + 24 + interval, 8 * length, cents=7 * side, bright=1800, attack=0.12)
                        self.place(part, start, 0.35 * sound, side * (0.4 + 0.15 * voice))
            elif kind == "struck" and index % 8 in (0, 3, 6):
                for voice, interval in enumerate(intervals):
                    sound = self.tone(note + 24 + interval, 3 * length, bright=2500, attack=0.003, decay=0.6)
                    self.place(part, start, (1 + 0.1 * self.random.standard_normal()) * sound, -0.5 + 0.2 * voice)
            elif kind == "power":
                for side in (-1, 1):
                    for interval in (0, 7, 12):
                        sound = self.tone(
                            note + 12 + interval, length, cents=5 * side, bright=3500, attack=0.004, decay=0.5
                        )
                        self.place(part, start, sound, 0.8 * side)
            if index % 2 or kind == "pad":
                step = intervals[(index * 3) % 4] + 12 * (index % 3 == 0)
                sound = self.tone(note + 36 + step, 0.35, bright=4000, attack=0.002, decay=0.09)
                self.place(part, start, 0.6 * sound, 0.6 if index % 4 < 2 else -0.6)
        if kind == "power":
            part = np.tanh(1.2 * part)
        return self.room(part, seconds=1.1, wet=0.3)

    def tone(
        self, note: float, seconds: float, *, cents: float = 0, bright: float, attack: float, decay: float = 30.0
    ) -> Array:
        t = self.time(seconds)
        frequency = 440 * 2 ** ((note - 69 + cents / 100) / 12)
        sound = np.zeros(len(t))
        for k in range(1, int(min(9000, 0.45 * self.rate) // frequency) + 1):
            level = 1 / k / (1 + (k * frequency / bright) ** 2)
            phase = self.random.uniform(0, 2 * np.pi)
            sound += level * np.sin(2 * np.pi * k * frequency * t + phase) * np.exp(-np.sqrt(k) * t / decay)
        return sound * np.minimum(1, np.minimum(t / attack, (t[-1] - t) / 0.03))

    def vocals(self) -> Array:
        part = self.blank()
        random = self.random
        scale = (0, 2, 4, 7, 9) if self.progression[0][1] == "major" else (0, 3, 5, 7, 10)
        voice = self.root + 24 + (0 if random.random() < 0.5 else 7)
        start, end = self.beat, self.frames / self.rate
        degree, last = 2, None
        while start < end:
            length = self.beat * float(random.choice([0.5, 0.5, 1, 1, 2]))
            if random.random() < 0.15:
                start += 2 * length  # a breath between phrases
                last = None
                continue
            degree = int(np.clip(degree + random.integers(-2, 3), 0, 6))
            note = voice + scale[degree % 5] + 12 * (degree // 5)
            sound = self.sung(note, last, length, VOWELS[int(random.integers(5))])
            if random.random() < 0.5:
                t = self.time(0.07)
                hiss = self.band(random.standard_normal(len(t)), 4500, 9500) * np.sin(np.pi * t / t[-1]) ** 2
                self.place(part, max(0.0, start - 0.05), 0.25 * hiss)
            self.place(part, start, sound)
            last = note
            start += length
        echo = np.zeros_like(part)
        delay = round(1.5 * self.beat * self.rate)
        echo[:, delay:] = 0.12 * part[:, : self.frames - delay] if delay < self.frames else 0
        return self.room(part + echo, seconds=1.4, wet=0.22)

    def sung(self, note: float, last: float | None, length: float, formants: tuple[int, ...]) -> Array:
        t = self.time(length * 0.97)
        glide = (last - note if last is not None else -1.0) * np.exp(-t / 0.035)
        drift = np.interp(t, np.linspace(0, t[-1], 8), self.random.normal(0, 0.08, 8))
        vibrato = 0.35 * np.sin(2 * np.pi * self.random.uniform(5, 6.2) * t) * np.clip((t - 0.15) / 0.2, 0, 1)
        pitch = 440 * 2 ** ((note + glide + drift + vibrato - 69) / 12)
        phase = 2 * np.pi * np.cumsum(pitch) / self.rate
        count = int(min(8000, 0.45 * self.rate) // pitch.max())
        frequencies = np.arange(1, count + 1) * pitch.mean()
        level = 1 / np.arange(1, count + 1) ** 0.8
        shape = sum(
            gain / (1 + ((frequencies - f) / (60 + 0.08 * f)) ** 2)
            for gain, f in zip((1, 0.7, 0.4), formants, strict=True)
        )
        sound = np.zeros(len(t))
        for k, amount in enumerate(level * (shape + 0.03), start=1):
            sound += amount * np.sin(k * phase)
        breath = 0.02 * self.band(self.random.standard_normal(len(t)), 2000, 8000)
        tremor = np.interp(t, np.linspace(0, t[-1], 6), self.random.uniform(0.75, 1.0, 6))
        edge = np.minimum(1, np.minimum(t / 0.03, (t[-1] - t) / 0.05))
        return (sound + breath) * tremor * edge
