"""Songs made on the fly, whose every beat, bar, key and section is known.

Drums, bass, chords and risers are plain synthesis; what matters is that they fall exactly where the truth
says. Everything is drawn from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)

# Steps of a bar (sixteenths; twelfths of a bar of three) on which each drum plays.
GROOVES: dict[str, dict[str, tuple[float, ...]]] = {
    "house": {"kick": (0, 4, 8, 12), "snare": (4, 12), "hat": (2, 6, 10, 14)},
    "techno": {"kick": (0, 4, 8, 12), "snare": (), "hat": (2, 6, 10, 14)},
    "dnb": {"kick": (0, 10), "snare": (4, 12), "hat": (0, 2, 4, 6, 8, 10, 12, 14)},
    "pop": {"kick": (0, 8, 10), "snare": (4, 12), "hat": (0, 2, 4, 6, 8, 10, 12, 14)},
    "hiphop": {"kick": (0, 7, 10), "snare": (4, 12), "hat": (0, 2, 3, 4, 6, 8, 10, 11, 12, 14)},
    "waltz": {"kick": (0,), "snare": (4, 8), "hat": (0, 2, 4, 6, 8, 10)},
}
PROGRESSIONS = {
    "minor": ((0, 5, 2, 6), (0, 3, 5, 4), (0, 6, 5, 6), (0, 0, 3, 4), (0, 2, 6, 3)),
    "major": ((0, 4, 5, 3), (0, 3, 4, 4), (0, 5, 3, 4), (0, 0, 3, 4), (0, 2, 3, 4)),
}
# Which instruments play in each section, and how loud.
LAYERS: dict[str, dict[str, float]] = {
    "intro": {"kick": 0.8, "hat": 0.7},
    "verse": {"kick": 0.85, "snare": 0.7, "hat": 0.8, "bass": 0.7, "chords": 0.45},
    "build": {"chords": 0.4, "riser": 1.0, "roll": 0.6},
    "drop": {"kick": 1.0, "snare": 1.0, "hat": 1.0, "bass": 1.0, "chords": 0.6},
    "chorus": {"kick": 1.0, "snare": 1.0, "hat": 1.0, "bass": 1.0, "chords": 0.7, "lead": 0.5},
    "break": {"chords": 0.7, "lead": 0.3},
    "bridge": {"chords": 0.6, "lead": 0.4, "hat": 0.3},
    "outro": {"kick": 0.8, "hat": 0.6},
}
CLUB_FORM = (
    ("intro", 8),
    ("verse", 8),
    ("build", 8),
    ("drop", 16),
    ("break", 8),
    ("build", 4),
    ("drop", 16),
    ("outro", 8),
)
SONG_FORM = (
    ("intro", 4),
    ("verse", 8),
    ("chorus", 8),
    ("verse", 8),
    ("chorus", 8),
    ("bridge", 8),
    ("chorus", 8),
    ("outro", 4),
)


@dataclass
class Song:
    """A song and what is true of it; its tempo and key are those of the longest stretch."""

    samples: NDArray[np.float32]
    sample_rate: int
    tempo: float
    key: str
    beats: NDArray[np.float64]
    downbeats: NDArray[np.float64]
    sections: list[tuple[float, float, str]] = field(default_factory=list)
    drops: list[float] = field(default_factory=list)
    chords: list[tuple[float, float, str]] = field(default_factory=list)
    keys: list[tuple[float, float, str]] = field(default_factory=list)


def make_song(
    *,
    tempo: float = 126.0,
    form: tuple[tuple[str, int], ...] = (("drop", 16),),
    groove: str = "house",
    tonic: str = "A",
    mode: str = "minor",
    tuning_cents: float = 0.0,
    swing: float = 0.5,
    drift: float = 0.0,
    lead_in: float = 0.0,
    sample_rate: int = 22050,
    seed: int = 0,
    layers: dict[str, dict[str, float]] | None = None,
    progression: tuple[int, ...] | None = None,
    tempo_changes: dict[int, float] | None = None,
    ritardando: float = 0.0,
    modulations: dict[int, int] | None = None,
    progressions: dict[str, tuple[int, ...]] | None = None,
    varied: bool = False,
) -> Song:
    """Make a song.

    Parameters
    ----------
    tempo
        Beats per minute, on average.
    form
        Sections and their lengths in bars.
    groove
        Name in GROOVES.
    swing
        Where the off-beat sixteenth falls within its eighth: 0.5 straight, 0.66 triplets.
    drift
        Relative deviation of the tempo, a slow sine.
    lead_in
        Silence before the first beat, in seconds.
    tempo_changes
        Bar from which on another tempo holds -> that tempo.
    ritardando
        By how much, relatively, the tempo sinks over the whole song.
    modulations
        Bar from which on everything sounds so many semitones higher -> semitones.
    progressions
        Degrees of the chords in sections of this name, where they differ from ``progression``.
    varied
        Whether the seed chooses the sounds of drums, bass and chords, too, and how the chords are played.
    """
    rng = np.random.default_rng(seed)
    bar_beats = 3 if groove == "waltz" else 4
    bars = sum(length for _, length in form)
    beat_count = bars * bar_beats
    position = np.arange(beat_count + 1)
    base = np.full(beat_count + 1, 60 / tempo)
    for bar, changed in sorted((tempo_changes or {}).items()):
        base[bar * bar_beats :] = 60 / changed
    local = base * (1 + drift * np.sin(2 * np.pi * position / 97.0)) * (1 + ritardando * position / beat_count)
    beats = lead_in + np.concatenate([[0.0], np.cumsum(local[:-1])])
    mix = _Mix(beats[-1] + 1.5, sample_rate)
    kit = _Kit(sample_rate, rng, np.random.default_rng(seed + 10_000) if varied else None)
    layers = LAYERS if layers is None else layers
    scale = MINOR if mode == "minor" else MAJOR
    root = NAMES.index(tonic)
    options = PROGRESSIONS[mode]
    progression = options[int(rng.integers(len(options)))] if progression is None else progression

    def at(bar: int, step: float) -> float:
        eighth, rest = divmod(step, 2)
        warped = eighth * 2 + (2 * swing if rest else 0)
        return float(np.interp(bar * bar_beats + warped / 4, position, beats))

    sections: list[tuple[float, float, str]] = []
    drops: list[float] = []
    chords: list[tuple[float, float, str]] = []
    keys: list[tuple[float, float, str]] = []
    shift = 0
    first = 0
    for index, (name, length) in enumerate(form):
        level = layers[name]
        for bar in range(first, first + length):
            left = first + length - bar
            for drum in ("kick", "snare", "hat"):
                if drum in level:
                    for step in GROOVES[groove][drum]:
                        mix.add(at(bar, step), kit.hit(drum), level[drum] * rng.uniform(0.92, 1.0))
            if "roll" in level and left <= 2:
                for step in range(0, bar_beats * 4, 2 if left == 2 else 1):
                    mix.add(at(bar, step), kit.hit("snare"), level["roll"] * rng.uniform(0.8, 1.0))
            degrees = (progressions or {}).get(name, progression)
            degree = degrees[bar % len(degrees)]
            begin, end = at(bar, 0), at(bar + 1, 0) if bar + 1 < bars else float(beats[-1])
            shift = (modulations or {}).get(bar, shift)
            notes = [_note(root, scale, degree + step) + shift for step in (0, 2, 4)]
            tonal = "chords" in level or "bass" in level
            _append(chords, begin, end, _chord(notes) if "chords" in level else "N")
            _append(keys, begin, end, f"{NAMES[(root + shift) % 12]} {mode}" if tonal or not keys else keys[-1][2])
            if "chords" in level:
                for step, length_steps in kit.comping(bar_beats * 4):
                    start_s = at(bar, step)
                    seconds = (end - begin) * length_steps / (bar_beats * 4)
                    for note in notes:
                        mix.add(start_s, kit.pad(note + 48, seconds, tuning_cents), level["chords"] * 0.16)
            if "lead" in level:
                for step in (0, 3, 6, 10):
                    note = notes[int(rng.integers(3))] + 60
                    mix.add(at(bar, step), kit.pad(note, 0.2, tuning_cents), level["lead"] * 0.2)
            if "bass" in level:
                for step in range(0, bar_beats * 4, 2):
                    length_s = 0.8 * 30 / tempo
                    mix.add(at(bar, step), kit.bass(notes[0] % 12 + 36, length_s, tuning_cents), level["bass"] * 0.3)
        start, end = float(beats[first * bar_beats]), float(beats[(first + length) * bar_beats])
        if "riser" in level:
            mix.add(start, kit.riser(end - start), level["riser"] * 0.25)
        if name == "drop" and index:
            drops.append(start)
        sections.append((0.0 if not index else start, end, name))
        first += length
    return Song(
        mix.stereo(rng),
        sample_rate,
        round(60 / float(np.median(base)), 6),
        max(keys, key=lambda span: span[1] - span[0])[2],
        beats[:-1],
        beats[:-1:bar_beats],
        sections,
        drops,
        chords,
        keys,
    )


def _append(spans: list[tuple[float, float, str]], start: float, end: float, label: str) -> None:
    if spans and spans[-1][2] == label:
        spans[-1] = (spans[-1][0], end, label)
    else:
        spans.append((start, end, label))


def _chord(notes: list[int]) -> str:
    third, fifth = notes[1] - notes[0], notes[2] - notes[0]
    kinds = {(4, 7): "", (3, 7): "m", (3, 6): "dim"}
    return f"{NAMES[notes[0] % 12]}{kinds[third, fifth]}"


def _note(root: int, scale: tuple[int, ...], degree: int) -> int:
    octave, step = divmod(degree, 7)
    return root + 12 * octave + scale[step]


class _Mix:
    def __init__(self, seconds: float, sample_rate: int) -> None:
        self._rate = sample_rate
        self._sum = np.zeros(int(seconds * sample_rate), np.float32)

    def add(self, time: float, sound: NDArray[np.float32], gain: float) -> None:
        start = round(time * self._rate)
        end = min(start + len(sound), len(self._sum))
        if end > start:
            self._sum[start:end] += np.float32(gain) * sound[: end - start]

    def stereo(self, rng: np.random.Generator) -> NDArray[np.float32]:
        mono = np.tanh(0.7 * self._sum) * 0.9
        side = 0.002 * rng.standard_normal(len(mono)).astype(np.float32)
        return np.stack([mono + side, mono - side]).astype(np.float32)


class _Kit:
    """The instruments; ``choice`` varies their sound and the way the chords are played."""

    def __init__(self, sample_rate: int, rng: np.random.Generator, choice: np.random.Generator | None) -> None:
        self._rate = sample_rate
        self._rng = rng
        self._drums: dict[str, NDArray[np.float32]] = {}
        self._tones: dict[tuple[str, int, int, float], NDArray[np.float32]] = {}
        self._kick_hertz, self._kick_decay, self._kick_sweep = 48.0, 0.09, 90.0
        self._snare_hertz, self._snare_tone, self._snare_decay = 190.0, 0.5, 0.06
        self._hat_decay = 0.02
        self._partials = {"pad": (8, 1.0), "bass": (4, 1.0)}  # how many, and how fast they fall
        self._attack = 0.01
        self._playing: tuple[tuple[int, int], ...] = ()
        if choice is not None:
            self._kick_hertz, self._kick_decay = float(choice.uniform(42, 60)), float(choice.uniform(0.06, 0.2))
            self._kick_sweep = float(choice.uniform(50, 180))
            self._snare_hertz, self._snare_tone = float(choice.uniform(160, 240)), float(choice.uniform(0.0, 0.6))
            self._snare_decay, self._hat_decay = float(choice.uniform(0.04, 0.12)), float(choice.uniform(0.01, 0.05))
            self._partials = {
                "pad": (int(choice.integers(3, 14)), float(choice.uniform(0.8, 1.6))),
                "bass": (int(choice.integers(1, 8)), float(choice.uniform(0.8, 1.8))),
            }
            self._attack = float(choice.uniform(0.004, 0.04))
            self._playing = (
                ((0, 16),),
                ((0, 3), (6, 3), (12, 3)),
                ((2, 2), (6, 2), (10, 2), (14, 2)),
                ((0, 8), (8, 8)),
            )[int(choice.integers(4))]

    def comping(self, steps: int) -> list[tuple[int, int]]:
        """Step and length of each strike of the chord within a bar of so many steps."""
        if not self._playing or self._playing[0][1] == 16:
            return [(0, steps)]
        return [(step, length) for step, length in self._playing if step + length <= steps]

    def hit(self, drum: str) -> NDArray[np.float32]:
        if drum not in self._drums:
            self._drums[drum] = {"kick": self._kick, "snare": self._snare, "hat": self._hat}[drum]()
        return self._drums[drum]

    def _time(self, seconds: float) -> NDArray[np.float64]:
        return np.arange(int(seconds * self._rate)) / self._rate

    def _noise(self, seconds: float) -> NDArray[np.float64]:
        return self._rng.standard_normal(int(seconds * self._rate))

    def _kick(self) -> NDArray[np.float32]:
        t = self._time(0.25)
        phase = 2 * np.pi * (self._kick_hertz * t + self._kick_sweep * 0.03 * (1 - np.exp(-t / 0.03)))
        return (np.sin(phase) * np.exp(-t / self._kick_decay) * np.minimum(t / 0.001, 1)).astype(np.float32)

    def _snare(self) -> NDArray[np.float32]:
        t = self._time(0.2)
        tone = self._snare_tone * np.sin(2 * np.pi * self._snare_hertz * t) * np.exp(-t / 0.05)
        sound = (1 - self._snare_tone) * self._noise(0.2) * np.exp(-t / self._snare_decay) + tone
        return (0.8 * sound).astype(np.float32)

    def _hat(self) -> NDArray[np.float32]:
        t = self._time(0.06)
        return (0.3 * np.diff(self._noise(0.06), prepend=0.0) * np.exp(-t / self._hat_decay)).astype(np.float32)

    def pad(self, note: int, seconds: float, cents: float) -> NDArray[np.float32]:
        return self._tone("pad", note, seconds, cents, self._attack)

    def bass(self, note: int, seconds: float, cents: float) -> NDArray[np.float32]:
        return self._tone("bass", note, seconds, cents, 0.003)

    def _tone(self, kind: str, note: int, seconds: float, cents: float, attack: float) -> NDArray[np.float32]:
        key = (kind, note, round(seconds * 1000), cents)
        if key not in self._tones:
            t = self._time(seconds)
            hertz = 440 * 2 ** ((note - 69 + cents / 100) / 12)
            partials, fall = self._partials[kind]
            sound = sum(
                np.sin(2 * np.pi * hertz * n * t + n) / n**fall for n in range(1, partials + 1) if hertz * n < 9000
            )
            envelope = np.minimum(t / attack, 1) * np.minimum((t[-1] - t) / 0.01, 1)
            self._tones[key] = (sound * envelope).astype(np.float32)
        return self._tones[key]

    def riser(self, seconds: float) -> NDArray[np.float32]:
        t = self._time(seconds)
        noise = np.diff(self._noise(seconds), prepend=0.0)
        return (noise * (t / seconds) ** 2).astype(np.float32)
