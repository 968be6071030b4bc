"""What every control stands at, and who is told when one changes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from sfa_kernel.control.table import Control, Value, control, controls

__all__ = ["Change", "Controls", "Observer"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """A change of a control.

    Attributes
    ----------
    id
        Of the control.
    value
        What it is now; of a trigger, what it was triggered with; of a relative one, the increment.
    source
        The surface that it came from: ``"python"``, ``"page"``, ...
    """

    id: str
    value: Value
    source: str


class Observer:
    """One who is told of changes; ``close()`` ends it. Usable as a context manager."""

    def __init__(self, controls: Controls, pattern: str, call: Callable[[Change], object], source: str | None) -> None:
        self._controls = controls
        self.pattern = pattern
        self.call = call
        self.source = source

    def close(self) -> None:
        """Hear nothing more."""
        self._controls._forget(self)

    def __enter__(self) -> Observer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wants(self, change: Change) -> bool:
        """Whether it is told of a change: never of its own."""
        return change.source != self.source and fnmatchcase(change.id, self.pattern)


class Controls:
    """All controls with what they stand at; callable from any thread.

    >>> controls = Controls()
    >>> controls["mixer.crossfader"] = 0.25
    >>> controls["mixer.crossfader"]
    0.25
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held while values change: who holds it sees no half-made change."""
        self._values = {one.id: one.default for one in controls().values() if one.holds_state}
        self._observers: list[Observer] = []
        self._told: deque[Change] = deque()
        self._telling = False
        self._relay: Callable[[list[Change]], None] = lambda changes: None
        self._meter: Callable[[Control], float | None] = lambda meter: None

    def connect(self, relay: Callable[[list[Change]], None], meter: Callable[[Control], float | None]) -> None:
        """Let ``relay`` pass changes on as they are made, the lock held, and ``meter`` tell what a meter shows."""
        self._relay, self._meter = relay, meter

    def __getitem__(self, identifier: str) -> Any:
        """What a control stands at; None of a meter that only the page knows, 0 of what holds no state.

        Raises
        ------
        ParameterError
            When there is no such control.
        """
        found = control(identifier)
        if found.kind == "meter":
            return self._meter(found)
        with self.lock:
            return self._values.get(identifier, 0)

    def __setitem__(self, identifier: str, value: Any) -> None:
        self.set(identifier, value)

    def __contains__(self, identifier: object) -> bool:
        return identifier in controls()

    def __iter__(self) -> Iterator[str]:
        return iter(controls())

    def __len__(self) -> int:
        return len(controls())

    def __repr__(self) -> str:
        return f"<{len(self)} controls, {len(self.changed())} of them not as usual>"

    def set(self, identifier: str, value: Any = 1, *, source: str = "python") -> None:
        """Set a control, or trigger it. A value outside of its range is brought into it.

        Raises
        ------
        ParameterError
            When there is no such control, or it takes no such value.
        """
        self.update([(identifier, value)], source=source)

    def update(self, changes: Mapping[str, Any] | Iterable[tuple[str, Any]], *, source: str = "python") -> None:
        """Set several controls in their order; none when one of them cannot be.

        Raises
        ------
        ParameterError
            When there is no such control, or it takes no such value.
        """
        self.put(changes, source=source)
        self.tell()

    def put(self, changes: Mapping[str, Any] | Iterable[tuple[str, Any]], *, source: str) -> None:
        """As `update`, but observers hear of it with the next `tell`: for who holds the lock.

        Raises
        ------
        ParameterError
            When there is no such control, or it takes no such value.
        """
        pairs = changes.items() if isinstance(changes, Mapping) else changes
        cleaned = [(found := control(identifier), found.clean(value)) for identifier, value in pairs]
        with self.lock:
            made = [Change(one.id, value, source) for one, value in cleaned if self._put(one, value)]
            if made:
                self._relay(made)
                self._told.extend(made)

    def _put(self, one: Control, value: Value) -> bool:
        """Whether there is anything to tell."""
        if not one.holds_state:
            return True
        if self._values[one.id] == value:
            return False
        self._values[one.id] = value
        return True

    def reset(self, *identifiers: str, source: str = "python") -> None:
        """Put controls to their defaults.

        Raises
        ------
        ParameterError
            When there is no such control, or it holds no state.
        """
        self.update([(one, control(one).default) for one in identifiers], source=source)

    def changed(self) -> dict[str, Value]:
        """The controls that are not at their defaults, and what they stand at."""
        with self.lock:
            return {i: value for i, value in self._values.items() if value != controls()[i].default}

    def observe(self, pattern: str, call: Callable[[Change], object], *, source: str | None = None) -> Observer:
        """Call ``call(change)`` after each change of a control whose id matches ``pattern`` (``"deck.*.play"``).

        Changes are told one after the other, in their order, by a thread that made one. What is raised is logged.

        Parameters
        ----------
        source
            The surface that listens: it is not told of what came from itself.
        """
        observer = Observer(self, pattern, call, source)
        with self.lock:
            self._observers.append(observer)
        return observer

    def tell(self, changes: Iterable[Change] = ()) -> None:
        """Tell observers what has not been told yet, and then of changes that are none of a value: what meters show.

        One thread at a time tells; what an observer changes itself is told after what is being told.
        """
        with self.lock:
            self._told.extend(changes)
        while True:
            with self.lock:
                if self._telling or not self._told:
                    return
                self._telling = True
                change = self._told.popleft()
                wanted = [observer for observer in self._observers if observer.wants(change)]
            try:
                for observer in wanted:
                    self._call(observer, change)
            finally:
                with self.lock:
                    self._telling = False

    def _call(self, observer: Observer, change: Change) -> None:
        try:
            observer.call(change)
        except Exception:
            logger.exception("An observer of %s failed", change.id)

    def _forget(self, observer: Observer) -> None:
        with self.lock:
            if observer in self._observers:
                self._observers.remove(observer)
