"""What can be said about a separation without knowing the true stems: for people, and to be kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sfa_kernel.separation.leakage import Leakage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Quality", "Report", "StemQuality"]

Array = np.ndarray[Any, np.dtype[Any]]

LOWEST = -200.0  # dB, said for nothing at all: JSON has no infinity

_INAUDIBLE = -60.0  # dBFS over the loudest second of a stem
_MASKED = -50.0  # dB under the loudest second of the mix
# dB that the sum of the stems may be away from the mix before it is worth a sentence: networks that estimate each stem
# by itself always leave something.
_APART = -20.0
_ALIKE = -20.0  # dB that tell two sounds apart

_ESTIMATE = (
    "Leakage is an estimate: what is heard of one stem in another. Sounds that went wholly to the wrong stem do not "
    "show in it, and parts that double each other do."
)
_COLOURS = {
    "vocals": "#ff6b9d",
    "drums": "#f2b93b",
    "bass": "#7c6cff",
    "other": "#33c4b3",
    "guitar": "#e8833a",
    "piano": "#58a6ff",
}


@dataclass(frozen=True)
class StemQuality:
    """One stem in numbers.

    Attributes
    ----------
    share
        Its share of the energy of all stems, 0..1.
    level_db
        Root mean square [dBFS]; -200 for digital silence.
    peak_db
        Largest sample [dBFS]; over 0 when it exceeds full scale, -200 for digital silence.
    silent
        Whether nothing is heard of it anywhere: its loudest second is under -60 dBFS, or 50 dB under that of the mix.
    leakage_db
        Energy of the other stems in it, relative to its own [dB]; -30 for that or less, None when it cannot be told.
        An estimate: `sfa_kernel.separation.leakage` says what it is worth.
    leakage_from
        The stem that most of it comes from; None when there is no more than -30 dB, or it cannot be told.
    """

    share: float
    level_db: float
    peak_db: float
    silent: bool
    leakage_db: float | None
    leakage_from: str | None


@dataclass(frozen=True)
class Report:
    """What was measured on a separation; numbers and a picture in a notebook.

    Attributes
    ----------
    residual_db
        Energy of the mix minus the sum of the stems, relative to the mix [dB]; -200 when nothing is left.
    stems
        By name.
    warnings
        What somebody should know before using the stems, a sentence each.
    """

    residual_db: float
    stems: dict[str, StemQuality] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "residual_db": self.residual_db,
            "stems": {name: asdict(stem) for name, stem in self.stems.items()},
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """The report that `to_dict` gave."""
        stems = {name: StemQuality(**stem) for name, stem in values["stems"].items()}
        return cls(values["residual_db"], stems, tuple(values["warnings"]))

    def __str__(self) -> str:
        rows = [("stem", "energy", "level", "peak", "leakage"), *(_row(*item) for item in self.stems.items())]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *self._sentences()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("stem", "energy", "", "level", "peak", "leakage"))
        body = ""
        for name, stem in self.stems.items():
            first, second, *rest = (escape(text) for text in _row(name, stem))
            body += f'<tr><th scope="row">{first}</th><td>{_bar(name, stem.share)}</td>'
            body += "".join(f"<td>{text}</td>" for text in (second, *rest)) + "</tr>"
        notes = "".join(f"<li>{escape(sentence)}</li>" for sentence in self._sentences())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"

    def _sentences(self) -> list[str]:
        if self.residual_db <= LOWEST:
            residual = "The stems add up to the mix, to the last bit."
        else:
            residual = f"What the stems leave of the mix is {-self.residual_db:.0f} dB below it."
        told = any(stem.leakage_db is not None for stem in self.stems.values())
        return [residual, *self.warnings, *([_ESTIMATE] if told else [])]


def _row(name: str, stem: StemQuality) -> tuple[str, str, str, str, str]:
    """Name, share, level, peak and leakage as people read them."""
    if stem.leakage_db is None:
        leakage = ""
    elif stem.leakage_from is None:
        leakage = f"under {stem.leakage_db:.0f} dB"
    else:
        leakage = f"about {stem.leakage_db:.0f} dB, most from {stem.leakage_from}"
    share = f"{100 * stem.share:.0f} %"
    if stem.peak_db <= LOWEST:
        return name, share, "silent", "", leakage
    silent = ", silent" if stem.silent else ""
    return name, share, f"{stem.level_db:.1f} dBFS{silent}", f"{stem.peak_db:.1f} dBFS", leakage


def _bar(name: str, share: float) -> str:
    """A share as a picture, in the stem's colour, on a track of the page's own."""
    return (
        f'<svg viewBox="0 0 100 10" width="100" height="10" role="img" aria-label="{100 * share:.0f} % of the energy">'
        '<rect width="100" height="10" rx="2" fill="currentColor" opacity="0.15"/>'
        f'<rect width="{100 * share:.1f}" height="10" rx="2" fill="{_COLOURS.get(name, "#8a97a8")}"/></svg>'
    )


class Quality:
    """Measures a separation while its stems are written, a second at a time.

    Parameters
    ----------
    names
        Of the stems.
    sample_rate
        [Hz]
    """

    def __init__(self, names: Sequence[str], sample_rate: int) -> None:
        self._names = tuple(names)
        self._rate = sample_rate
        self._second: Array | None = None  # the mix and the stems [shape=(1 + stems, channels, sample_rate)]
        self._filled = 0
        self._samples = 0
        count = len(self._names)
        self._energy = np.zeros(1 + count)
        self._loudest = np.zeros(1 + count)  # mean square of the loudest second
        self._peak = np.zeros(1 + count)
        self._rest = 0.0
        self._products = np.zeros((1 + count, 1 + count))  # of each two, the mix first
        self._leakage = Leakage(count, sample_rate)

    def add(self, mix: Array, stems: Mapping[str, Array]) -> None:
        """Take in the next samples of the mix and of each stem [shape=(channels, n)].

        Parameters
        ----------
        mix
            What was separated.
        stems
            What was written, by name.
        """
        if self._second is None:
            self._second = np.zeros((1 + len(self._names), len(mix), self._rate), np.float32)
        done = 0
        while done < mix.shape[1]:
            count = min(mix.shape[1] - done, self._rate - self._filled)
            place = slice(self._filled, self._filled + count)
            for row, samples in enumerate((mix, *(stems[name] for name in self._names))):
                self._second[row, :, place] = samples[:, done : done + count]
            done += count
            self._filled += count
            if self._filled == self._rate:
                self._measure(self._second)
                self._filled = 0

    def _measure(self, second: Array) -> None:
        """Take in a second, or what there is of the last one [shape=(1 + stems, channels, n)]."""
        mix, stems = second[0], second[1:]
        self._samples += mix.size
        energy = np.array([_energy(samples) for samples in second])
        self._energy += energy
        if second.shape[2] == self._rate or not self._loudest.any():
            self._loudest = np.maximum(self._loudest, energy / mix.size)
        self._peak = np.maximum(self._peak, np.abs(second).max(axis=(1, 2)))
        self._rest += _energy(mix - stems.sum(axis=0))
        flat = second.reshape(len(second), -1)
        self._products += flat @ flat.T
        self._leakage.add(stems)

    def result(self, residual_db: float | None = None) -> Report:
        """What was measured on all that was taken in.

        Parameters
        ----------
        residual_db
            What the stems leave of the mix [dB], when it was measured on the files; else it is what was seen here.
        """
        if self._second is not None and self._filled:
            self._measure(self._second[:, :, : self._filled])
            self._filled = 0
        energy, total = self._energy[1:], float(self._energy[1:].sum())
        residual = _decibels(self._rest, self._energy[0]) if residual_db is None else residual_db
        audible = max(10 ** (_INAUDIBLE / 10), self._loudest[0] * 10 ** (_MASKED / 10))
        silent = self._loudest[1:] < audible
        stems = {}
        for row, (name, leakage) in enumerate(zip(self._names, self._leakage.result(), strict=True)):
            amount, source = (None, None) if leakage is None or silent[row] else leakage
            stems[name] = StemQuality(
                share=float(energy[row]) / total if total > 0 else 0.0,
                level_db=_decibels(energy[row], self._samples),
                peak_db=_decibels(self._peak[1 + row] ** 2, 1.0),
                silent=bool(silent[row]),
                leakage_db=amount,
                leakage_from=None if source is None else self._names[source],
            )
        return Report(residual, stems, tuple(self._warnings(residual, silent)))

    def _warnings(self, residual: float, silent: Array) -> list[str]:
        if not self._peak[0]:
            return ["The mix is silent."]
        said = []
        if residual > _APART:
            less = f"only {-residual:.0f} dB below it" if residual < -0.5 else "as loud as the mix itself"
            said.append(f"The stems do not add up to the mix: what is missing is {less}.")
        for row, name in enumerate(self._names):
            if silent[row]:
                said.append(f"The stem {name} is silent: nothing of it is heard in this song.")
            if self._peak[1 + row] > 1:
                over = _decibels(self._peak[1 + row] ** 2, 1.0)
                said.append(f"The stem {name} exceeds full scale by {over:.1f} dB: turn it down where that would clip.")
            if self._alike(0, 1 + row) and not np.delete(silent, row).all():
                said.append(f"The stem {name} is nearly the whole mix: little was taken out of it.")
        for a, b in combinations(np.flatnonzero(~silent).tolist(), 2):
            if self._alike(1 + a, 1 + b):
                said.append(f"The stems {self._names[a]} and {self._names[b]} are nearly equal.")
        return said

    def _alike(self, a: int, b: int) -> bool:
        """Whether the difference of two, 0 for the mix, is far below both."""
        one, other = self._products[a, a], self._products[b, b]
        return bool(one + other - 2 * self._products[a, b] < 10 ** (_ALIKE / 10) * min(one, other))


def _energy(samples: Array) -> float:
    flat = samples.ravel()
    return float(np.dot(flat, flat))


def _decibels(energy: float, reference: float) -> float:
    """Ratio of two energies [dB], no further from 0 than 200, and -200 when there is none."""
    if energy <= 0 or reference <= 0:
        return LOWEST
    return max(LOWEST, min(-LOWEST, 10 * float(np.log10(energy / reference))))
