"""What the tracks of a smart playlist have in common: a question that is asked anew whenever somebody looks."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sfa_kernel.analysis.wheel import fitting_keys, key_code, key_number
from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog.rows import fold
from sfa_kernel.catalog.tracks import SORTS
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sfa_kernel.catalog.connection import Connection

__all__ = ["Filter"]

MOST = 100_000  # tracks of a playlist that asks for the first so many
MOST_DAYS = 36_500
LONGEST = 86_400.0  # of a track [s]

_SORTED = {
    "title": ("title", "Z to A"),
    "artist": ("artist", "Z to A"),
    "album": ("album", "Z to A"),
    "bpm": ("tempo", "the fastest first"),
    "key": ("key", "12B first"),
    "energy": ("energy", "the most first"),
    "duration": ("length", "the longest first"),
    "added_at": ("time of adding", "the newest first"),
}


@dataclass(frozen=True)
class Filter:
    """What tracks have in common; what is None does not matter. Use `Filter.from_dict`, which checks.

    Attributes
    ----------
    text
        Words of title, artist, album or genre.
    tempo
        Slowest and fastest [BPM], both included.
    octaves
        Whether half and double of those tempi will do as well.
    compatible_with
        A Camelot code: keys that mix with it.
    keys
        Camelot codes: exactly these keys.
    energy
        From 1 to 10, both ends included.
    duration
        Shortest and longest [s].
    genre
        What occurs in the genre; case and accents do not matter.
    year
        First and last.
    stems, analyzed
        Whether it has been separated, and analysed.
    added_days
        Added in the last so many days.
    sort, descending
        The order; see `sfa_kernel.catalog.tracks.SORTS`.
    limit
        At most so many tracks.
    """

    text: str | None = None
    tempo: tuple[float, float] | None = None
    octaves: bool | None = None
    compatible_with: str | None = None
    keys: tuple[str, ...] | None = None
    energy: tuple[int, int] | None = None
    duration: tuple[float, float] | None = None
    genre: str | None = None
    year: tuple[int, int] | None = None
    stems: bool | None = None
    analyzed: bool | None = None
    added_days: int | None = None
    sort: str | None = None
    descending: bool | None = None
    limit: int | None = None

    @classmethod
    def from_dict(cls, document: Any) -> Filter:
        """Read a filter that comes from outside.

        Raises
        ------
        ParameterError
            When something in it is unknown, or not what it should be.
        """
        if not isinstance(document, dict):
            raise ParameterError("A filter names what tracks have in common.", hint="Such as tempo=(120, 128).")
        unknown = [name for name in document if name not in _CHECKS]
        if unknown:
            raise ParameterError(
                f"Tracks cannot be chosen by {str(unknown[0])[:50]!r}.", hint=f"Choose from {', '.join(_CHECKS)}."
            )
        return cls(**{name: _CHECKS[name](name, value) for name, value in document.items() if value is not None})

    def to_dict(self) -> dict[str, Any]:
        """What matters, as JSON has it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }

    @property
    def sentence(self) -> str:
        """What it asks for in words: ``"120-128 BPM, mixes with 8A, has stems"``."""
        return ", ".join(_sentence(self)) or "all tracks"

    def page(self, connection: Connection, *, offset: int = 0, limit: int | None = None) -> list[UUID]:
        """The ids of the tracks that it finds, in order.

        Parameters
        ----------
        offset, limit
            Which of them.
        """
        if self.limit is not None:
            left = max(0, self.limit - offset)
            limit = left if limit is None else min(limit, left)
        where, parameters = _conditions(self)
        rows = connection.execute(
            f"SELECT t.id {_FROM} WHERE {where} ORDER BY {self._order} LIMIT ? OFFSET ?",
            [*parameters, limit, offset],
        ).fetchall()
        return [row[0] for row in rows]

    def totals(self, connection: Connection) -> tuple[int, float]:
        """How many tracks it finds, and how long they are together [s]."""
        where, parameters = _conditions(self)
        first = "" if self.limit is None else f"ORDER BY {self._order} LIMIT {self.limit:d}"
        row = connection.execute(
            f"SELECT count(*), coalesce(sum(duration), 0.0) FROM (SELECT t.duration {_FROM} WHERE {where} {first})",  # noqa: S608 - text of ours
            parameters,
        ).fetchone()
        return (int(row[0]), float(row[1])) if row else (0, 0.0)

    @property
    def _order(self) -> str:
        direction = "DESC" if self.descending else "ASC"
        return f"{SORTS[self.sort or 'added_at']} {direction} NULLS LAST, lower(t.title), t.id"


_FROM = "FROM tracks t LEFT JOIN analyses a ON a.track_id = t.id"
_WITH_STEMS = """(SELECT track_id FROM separations WHERE removed_at IS NULL AND "start" IS NULL)"""
_GENRE = "replace(strip_accents(lower(t.genre)), 'ß', 'ss')"


def _conditions(asked: Filter) -> tuple[str, list[Any]]:
    clauses, parameters = ["t.removed_at IS NULL"], list[Any]()

    def both(clause: str, *values: Any) -> None:
        clauses.append(clause)
        parameters.extend(values)

    for word in fold(asked.text or "").split():
        both("contains(t.search, ?)", word)
    if asked.tempo:
        factors = (0.5, 1.0, 2.0) if asked.octaves else (1.0,)
        # Within a hundredth: what shows as 128.00 is 128.
        ends = [
            end * factor + slack for factor in factors for end, slack in zip(asked.tempo, (-0.005, 0.005), strict=True)
        ]
        both(f"({' OR '.join(['a.bpm BETWEEN ? AND ?'] * len(factors))})", *ends)
    if asked.compatible_with:
        number = key_number(asked.compatible_with)
        both("a.camelot IN (SELECT unnest(?))", [] if number is None else [key_code(n) for n in fitting_keys(number)])
    if asked.keys:
        both("a.camelot IN (SELECT unnest(?))", list(asked.keys))
    if asked.energy:
        both("a.energy BETWEEN ? AND ?", *asked.energy)
    if asked.duration:
        both("t.duration BETWEEN ? AND ?", *asked.duration)
    if asked.genre:
        both(f"contains({_GENRE}, ?)", fold(asked.genre))
    if asked.year:
        both("t.year BETWEEN ? AND ?", *asked.year)
    if asked.stems is not None:
        both(f"t.id {'IN' if asked.stems else 'NOT IN'} {_WITH_STEMS}")
    if asked.analyzed is not None:
        both(f"a.track_id IS {'NOT NULL' if asked.analyzed else 'NULL'}")
    if asked.added_days is not None:
        both("t.added_at >= now() - to_days(?::INTEGER)", asked.added_days)
    return " AND ".join(clauses), parameters


# -- in words ------------------------------------------------------------------------------------------------------


def _sentence(asked: Filter) -> list[str]:
    parts = []
    if asked.text:
        parts.append(f'"{asked.text}"')
    if asked.tempo:
        parts.append(f"{_span(asked.tempo)} BPM" + (", half or double" if asked.octaves else ""))
    if asked.compatible_with:
        parts.append(f"mixes with {asked.compatible_with}")
    if asked.keys:
        parts.append(f"in {' or '.join(asked.keys)}")
    if asked.energy:
        parts.append(f"energy {_span(asked.energy)}")
    if asked.duration:
        parts.append(f"{_clock(asked.duration[0])}-{_clock(asked.duration[1])} long")
    if asked.genre:
        parts.append(f"genre {asked.genre}")
    if asked.year:
        parts.append(f"from {_span(asked.year)}")
    if asked.stems is not None:
        parts.append("has stems" if asked.stems else "has no stems")
    if asked.analyzed is not None:
        parts.append("is analysed" if asked.analyzed else "is not analysed")
    if asked.added_days is not None:
        parts.append("added in the last day" if asked.added_days == 1 else f"added in the last {asked.added_days} days")
    if asked.limit is not None:
        parts.append("the first one" if asked.limit == 1 else f"the first {asked.limit}")
    if asked.sort:
        name, backwards = _SORTED[asked.sort]
        parts.append(f"by {name}, {backwards}" if asked.descending else f"by {name}")
    return parts


def _span(ends: tuple[float, float]) -> str:
    low, high = (f"{round(end, 2):.10g}" for end in ends)
    return low if low == high else f"{low}-{high}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


# -- what comes from outside ---------------------------------------------------------------------------------------


def _text(name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        raise ParameterError(f"What tracks are chosen by as {name} is a text.", hint="Write it in quotation marks.")
    return clean_text(value) or None


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ParameterError(f"Tracks are chosen by {name} with True or False, not {str(value)[:50]!r}.")
    return value


def _number(name: str, value: Any, low: float, high: float) -> float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not low <= number <= high:
        raise ParameterError(
            f"{str(value)[:50]!r} does not do for {name}.", hint=f"Choose a number from {low:.10g} to {high:.10g}."
        )
    return number


def _range(low: float, high: float, kind: type[float]) -> Callable[[str, Any], tuple[float, float]]:
    def check(name: str, value: Any) -> tuple[float, float]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise ParameterError(
                f"{str(value)[:50]!r} is no range for {name}.", hint="Name its two ends, the lower one first."
            )
        first, last = (kind(_number(name, end, low, high)) for end in value)
        if first > last:
            raise ParameterError(
                f"{first:.10g} to {last:.10g} is no range for {name}.", hint="Name the lower end first."
            )
        return first, last

    return check


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    return lambda name, value: int(_number(name, value, low, high))


_CAMELOT = re.compile(r"(?:1[0-2]|[1-9])[AB]")


def _code(name: str, value: Any) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if not _CAMELOT.fullmatch(code):
        raise ParameterError(f"{str(value)[:50]!r} is no key.", hint="Name a Camelot code, 1A to 12B.")
    return code


def _codes(name: str, value: Any) -> tuple[str, ...] | None:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, list | tuple):
        raise ParameterError(f"{str(value)[:50]!r} are no keys.", hint="Name Camelot codes, 1A to 12B.")
    return tuple(dict.fromkeys(_code(name, code) for code in named)) or None


def _sort(name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in _SORTED:
        choices = ", ".join(_SORTED)
        raise ParameterError(f"A playlist cannot be sorted by {str(value)[:50]!r}.", hint=f"Choose one of {choices}.")
    return value


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "text": _text,
    "tempo": _range(1, 1000, float),
    "octaves": _flag,
    "compatible_with": _code,
    "keys": _codes,
    "energy": _range(1, 10, int),
    "duration": _range(0, LONGEST, float),
    "genre": _text,
    "year": _range(0, 9999, int),
    "stems": _flag,
    "analyzed": _flag,
    "added_days": _whole(1, MOST_DAYS),
    "sort": _sort,
    "descending": _flag,
    "limit": _whole(1, MOST),
}
