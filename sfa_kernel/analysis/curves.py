"""What is measured over time (or over tempi, keys, bars): named series with their axis, kept beside the analysis.

The document of an analysis is small and readable; these arrays are what its numbers came from and what its
pictures are drawn from.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from sfa_kernel.errors import InputError, ParameterError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["Curve", "Curves"]

_ABOUT = "about"  # the archive's own entry: axes, units and names as JSON


@dataclass(frozen=True, eq=False)
class Curve:
    """One series.

    Parameters
    ----------
    values
        [shape=(n,) or (n, k)].
    rate
        Values per second; value ``i`` is centred on ``start + i / rate``. None where ``x`` says it.
    start
        Time of the first value, in s.
    x
        Places of the values on an axis of their own [shape=(n,)]: times of beats, tempi, lags.
    unit
        Of the values: ``"Hz"``, ``"LUFS"``, ``"BPM"``, or empty.
    names
        Of the k columns.
    """

    values: NDArray[Any]
    rate: float | None = None
    start: float = 0.0
    x: NDArray[Any] | None = None
    unit: str = ""
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.rate is None) == (self.x is None):
            raise ParameterError("A curve has either a rate or places of its own.")
        if self.x is not None and len(self.x) != len(self.values):
            raise ParameterError(f"{len(self.values)} values do not fit {len(self.x)} places.")

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        axis = f"{self.rate:.4g} Hz" if self.rate is not None else "own axis"
        return f"Curve(shape={self.values.shape}, {axis}{f', {self.unit}' if self.unit else ''})"

    @property
    def axis(self) -> NDArray[np.float64]:
        """Where each value lies: seconds, or the unit of ``x`` [shape=(n,)]."""
        if self.rate is not None:
            return self.start + np.arange(len(self.values)) / self.rate
        return np.asarray(self.x, np.float64)


@dataclass(frozen=True, eq=False)
class Curves(Mapping[str, Curve]):
    """Curves by name. Those of a file are read when they are asked for.

    Parameters
    ----------
    held
        Curves in memory.
    file
        An archive that :meth:`save` wrote, for the others.
    """

    held: dict[str, Curve] = field(default_factory=dict)
    file: Path | None = None

    def __getitem__(self, name: str) -> Curve:
        if name not in self.held:
            self.held[name] = self._read(name)
        return self.held[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.held
        yield from (name for name in self._about() if name not in self.held)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"Curves({', '.join(sorted(self))})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all curves to an ``.npz`` file.

        Values are kept as half precision (three digits and a half), axes in full.
        """
        arrays: dict[str, NDArray[Any]] = {}
        about = {}
        for name, curve in self.items():
            about[name] = {"rate": curve.rate, "start": curve.start, "unit": curve.unit, "names": list(curve.names)}
            values = np.asarray(curve.values)
            fits = values.dtype.kind == "f" and np.abs(values).max(initial=0.0) < np.finfo(np.float16).max
            arrays[f"{name}/values"] = values.astype(np.float16) if fits else values
            if curve.x is not None:
                arrays[f"{name}/x"] = np.asarray(curve.x)
        arrays[_ABOUT] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        with open(path, "wb") as stream:
            np.savez_compressed(stream, **arrays)  # type: ignore[arg-type] # the stubs take the names for its options

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Curves:
        """The curves of a file.

        Raises
        ------
        InputError
            When a curve is asked for and the file is missing or damaged.
        """
        return cls(file=Path(path))

    def _about(self) -> dict[str, dict[str, Any]]:
        if self.file is None:
            return {}
        known: dict[str, dict[str, Any]] = json.loads(self._array(_ABOUT).tobytes())
        return known

    def _read(self, name: str) -> Curve:
        about = self._about()[name]
        values = self._array(f"{name}/values")
        return Curve(
            values.astype(np.float32) if values.dtype == np.float16 else values,
            rate=about["rate"],
            start=about["start"],
            x=None if about["rate"] is not None else self._array(f"{name}/x"),
            unit=about["unit"],
            names=tuple(about["names"]),
        )

    def _array(self, entry: str) -> NDArray[Any]:
        file = self.file or Path()
        try:
            with np.load(file, allow_pickle=False) as archive:
                found: NDArray[Any] = archive[entry]
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise InputError(
                f"The curves of this analysis cannot be read ({file.name}).", hint="Analyse the song again."
            ) from error
        return found
