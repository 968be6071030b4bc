"""Scripts: what happens to the decks' controls, and when.

>>> script = Script([], duration=30.0, controls={"deck.1.track": song_id, "deck.1.play": 1})      # doctest: +SKIP
>>> script = script.add(16.0, "mixer.crossfader", 1, over=8.0)                                     # doctest: +SKIP
>>> rows = script.table()                                                                          # doctest: +SKIP
>>> rows[0]["over"] = 4.0                                                                          # doctest: +SKIP
>>> script = script.edited(rows)                                                                   # doctest: +SKIP
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from sfa_kernel.control.given import number, shown
from sfa_kernel.control.table import control
from sfa_kernel.errors import ParameterError
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sfa_kernel.control.table import Value

__all__ = ["Script", "ScriptEvent"]

VERSION = 1
DECKS = 4
LONGEST = 24 * 3600.0  # s
MOST_EVENTS = 1_000_000
SAMPLE_RATES = (8000, 192000)  # Hz
TAIL = 2.0  # s after the last event, where nobody says how long a script lasts
MOST_SHOWN = 500  # changes in the picture of a script
COLUMNS = ("time", "deck", "control", "value", "over")


@dataclass(frozen=True)
class ScriptEvent:
    """A timed change of a control.

    Attributes
    ----------
    time
        When [s], counted from the script's beginning; with ``deck``, the place in that deck's song.
    control, value
        Its id, and what it is set to; of a trigger, the number that goes with it.
    over
        How long a continuous control takes to get there [s]; None for at once.
    deck
        1 to 4: whose song ``time`` is a place of.
    """

    time: float
    control: str
    value: Value
    over: float | None = None
    deck: int | None = None


@dataclass(frozen=True)
class Script:
    """Changes of controls in order: each happens once the one before has happened and its own time has come.

    It never changes; what edits it gives another one.

    Parameters
    ----------
    events
        In order.
    duration
        How long it lasts [s]; when it is not given, until two seconds after the last change.
    sample_rate
        Of the console that it was recorded from, and of what is rendered from it [Hz].
    controls
        What stands when it begins: the controls that are not at their default. ``deck.1.track`` is a song's id.
    positions
        By deck, where its song stands when it begins [s].

    Raises
    ------
    ParameterError
        When there is no such control, it does not take that value, or a time is none.
    """

    events: tuple[ScriptEvent, ...] = ()
    duration: float = 0.0
    sample_rate: int = 48000
    controls: Mapping[str, Value] = field(default_factory=dict)
    positions: Mapping[int, float] = field(default_factory=dict)

    def __init__(
        self,
        events: Iterable[ScriptEvent] = (),
        duration: float | None = None,
        sample_rate: int = 48000,
        controls: Mapping[str, Value] | None = None,
        positions: Mapping[int, float] | None = None,
    ) -> None:
        checked = tuple(_checked(event, place) for place, event in enumerate(events))
        if len(checked) > MOST_EVENTS:
            raise ParameterError(f"{len(checked)} changes are too many for one script.", hint="Record shorter ones.")
        if duration is None:
            ends = [event.time + (event.over or 0.0) for event in checked if event.deck is None]
            duration = max(ends, default=0.0) + TAIL
        if not SAMPLE_RATES[0] <= _number(sample_rate, "The sample rate of a script") <= SAMPLE_RATES[1]:
            raise ParameterError(f"A script cannot have {sample_rate:g} Hz.", hint="Usual are 44100 and 48000.")
        set_to = {name: _state(name, value) for name, value in _mapping(controls, "The controls of a script").items()}
        places = _mapping(positions, "The positions of a script").items()
        object.__setattr__(self, "events", checked)
        object.__setattr__(self, "duration", _time(duration, "How long a script lasts"))
        object.__setattr__(self, "sample_rate", int(sample_rate))
        object.__setattr__(self, "controls", set_to)
        object.__setattr__(self, "positions", {_deck(deck): _time(at, "A position") for deck, at in places})

    @property
    def tracks(self) -> tuple[str, ...]:
        """The ids of the songs that it plays, each once, in order of their first appearance."""
        set_to = [*self.controls.items(), *((event.control, event.value) for event in self.events)]
        return tuple(dict.fromkeys(str(value) for name, value in set_to if value != "" and _loads(name)))

    # -- edits: each gives another script --------------------------------------------------------------------------

    def add(
        self, time: float, control: str, value: Value, *, over: float | None = None, deck: int | None = None
    ) -> Script:
        """One more change, after those of its time; with ``deck``, after all others.

        Raises
        ------
        ParameterError
            As the class.
        """
        made = _checked(ScriptEvent(time, control, value, over, deck), len(self.events))
        return self._with(_sorted([*self.events, made]))

    def without(self, *places: int) -> Script:
        """The script without the changes at these places, from 0.

        Raises
        ------
        ParameterError
            When there is no such place.
        """
        for place in places:
            if not 0 <= place < len(self.events):
                raise ParameterError(f"There is no change {place} in a script of {len(self.events)}.")
        return self._with([event for place, event in enumerate(self.events) if place not in places])

    def shifted(self, seconds: float, *, start: float = 0.0) -> Script:
        """The script with all changes from ``start`` on so much later, and as much longer; negative is earlier.

        Raises
        ------
        ParameterError
            When a change would come before the beginning.
        """
        moved = [
            replace(event, time=event.time + seconds) if event.deck is None and event.time >= start else event
            for event in self.events
        ]
        return replace(self._with(_sorted(moved)), duration=max(0.0, self.duration + seconds))

    def table(self) -> Table:
        """Its changes as rows with ``time``, ``deck``, ``control``, ``value``, ``over``; `edited` takes them back."""
        return Table({name: getattr(event, name) for name in COLUMNS} for event in self.events)

    def edited(self, rows: Iterable[Mapping[str, Any]], *, duration: float | None = None) -> Script:
        """The script with these rows as its changes, sorted by time; what is missing or empty in a row is None.

        Parameters
        ----------
        rows
            As `table` gives them, changed as you like; ``frame.to_dict("records")`` of a data frame will do.
        duration
            How long it lasts from now on [s]; as before when None.

        Raises
        ------
        ParameterError
            When a row is no change of a control; it says which.
        """
        events = [_row(row, place) for place, row in enumerate(rows)]
        made = self._with(_sorted([_checked(event, place) for place, event in enumerate(events)]))
        return made if duration is None else replace(made, duration=duration)

    def _with(self, events: Iterable[ScriptEvent]) -> Script:
        return replace(self, events=tuple(events))

    # -- as JSON -----------------------------------------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """As the page and the catalogue keep it."""
        return {
            "version": VERSION,
            "sample_rate": self.sample_rate,
            "duration": self.duration,
            "controls": dict(self.controls),
            "positions": {str(deck): at for deck, at in self.positions.items()},
            "events": [_document(event) for event in self.events],
        }

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """A script from what `document` gave.

        Raises
        ------
        ParameterError
            When it is none; it says what is wrong.
        """
        if not isinstance(document, dict) or document.get("version") != VERSION:
            raise ParameterError("This is no script of the decks.", hint="Export one with Script.to_json().")
        events = document.get("events")
        if not isinstance(events, list) or "duration" not in document:
            raise ParameterError("This script has no changes or no length: it was cut off or altered.")
        return cls(
            [_row(event, place) for place, event in enumerate(events)],
            duration=document["duration"],
            sample_rate=document.get("sample_rate", 0),
            controls=document.get("controls"),
            positions=document.get("positions"),
        )

    def to_json(self) -> str:
        """The script as a JSON text."""
        return json.dumps(self.document(), indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A script from what `to_json` gave.

        Raises
        ------
        ParameterError
            When it is none.
        """
        try:
            document = json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise ParameterError("This is no script of the decks: it is no JSON.") from error
        return cls.from_document(document)

    def __repr__(self) -> str:
        minutes, seconds = divmod(round(self.duration), 60)
        return f"<Script: {len(self.events)} changes, {len(self.tracks)} songs, {minutes}:{seconds:02d}>"

    def _repr_html_(self) -> str:
        more = len(self.events) - MOST_SHOWN
        rest = f"<p>and {more} more</p>" if more > 0 else ""
        return f"<p>{repr(self)[1:-1]}</p>{Table(self.table()[:MOST_SHOWN])._repr_html_()}{rest}"


def _document(event: ScriptEvent) -> dict[str, Any]:
    told: dict[str, Any] = {"time": event.time, "control": event.control, "value": event.value}
    if event.over is not None:
        told["over"] = event.over
    if event.deck is not None:
        told["deck"] = event.deck
    return told


def _row(row: Any, place: int) -> ScriptEvent:
    try:
        given = {name: row.get(name) for name in COLUMNS}
    except AttributeError:
        raise ParameterError(f"Change {place} of a script is no row with time, control and value.") from None
    for name in ("over", "deck"):
        if given[name] == "" or (isinstance(given[name], float) and math.isnan(given[name])):
            given[name] = None  # how data frames and tables write nothing
    return ScriptEvent(**given)


def _checked(event: ScriptEvent, place: int) -> ScriptEvent:
    """An event that a console can follow."""
    try:
        named = control(event.control)
        over = None if event.over is None else _time(event.over, "How long a change takes")
        if over is not None and not named.continuous:
            raise ParameterError(f"{named.id} changes at once, not over {over:g} s.")
        deck = None if event.deck is None else _deck(event.deck)
        return ScriptEvent(_time(event.time, "A time"), named.id, named.clean(event.value), over, deck)
    except ParameterError as error:
        raise ParameterError(f"Change {place} of a script: {error.message}", hint=error.hint) from None


def _state(name: str, value: Any) -> Value:
    named = control(name)
    if not named.holds_state:
        raise ParameterError(f"{name} has no state that a script could begin with.", hint="Make it a change at 0 s.")
    return named.clean(value)


def _loads(name: str) -> bool:
    return control(name).line == "deck.{deck}.track"


def _sorted(events: Iterable[ScriptEvent]) -> list[ScriptEvent]:
    """By time; an event that waits for a place in a song stays behind the one that it follows."""
    groups: list[tuple[float, list[ScriptEvent]]] = []
    for event in events:
        if event.deck is None:
            groups.append((event.time, [event]))
        elif groups:
            groups[-1][1].append(event)
        else:
            groups.append((0.0, [event]))
    return [event for _, group in sorted(groups, key=lambda group: group[0]) for event in group]


def _mapping(given: Any, what: str) -> Mapping[Any, Any]:
    if given is None:
        return {}
    if not hasattr(given, "items"):
        raise ParameterError(f"{what} are no mapping.")
    mapping: Mapping[Any, Any] = given
    return mapping


def _number(given: Any, what: str) -> float:
    found = number(given)
    if found is None:
        raise ParameterError(f"{what} is a number, not {shown(given)}.")
    return found


def _time(given: Any, what: str) -> float:
    seconds = _number(given, what)
    if not 0 <= seconds <= LONGEST:
        raise ParameterError(f"{what} is from 0 s to a day, not {seconds:g} s.")
    return seconds


def _deck(given: Any) -> int:
    deck = int(given) if isinstance(given, str) and given.isdecimal() and len(given) == 1 else _number(given, "A deck")
    if deck not in range(1, DECKS + 1):
        raise ParameterError(f"There is no deck {shown(given)}.", hint=f"They are 1 to {DECKS}.")
    return int(deck)
