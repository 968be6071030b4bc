"""The controls of this process and those of the page that plays: kept equal, whoever changes them.

The page is what sounds, so it has the last word; this side is as ready as any other surface. Both follow one rule:

- This side applies its changes at once and sends them with a number ``n`` that grows.
- The page applies what it is sent in that order. With what changes on its own side it sends ``seen``, the number of
  the last message that it had applied by then. Its changes are numbered too, so that one that is sent again because
  its answer was lost is not done twice.
- What the page tells of a control is ignored here when a newer number than ``seen`` was sent for that control: the
  page has that one still to come, and it will hold.

So both end equal, however long messages are under way.

Only one page plays. Without one, the values here are what is wanted: the first page takes them over, and does what was
triggered since.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from sfa_kernel.control.given import shown
from sfa_kernel.control.registry import Change, Controls
from sfa_kernel.control.stand import Stand
from sfa_kernel.control.table import Control, Value, control, controls
from sfa_kernel.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["ASK_SECONDS", "MOST_KEPT", "PAGE", "Link"]

logger = logging.getLogger(__name__)

PAGE = "page"
"""The source of what a page has changed."""

PAUSE_SECONDS = 0.01  # messages follow each other no sooner: servers drop what comes too fast
ASK_SECONDS = 1.0  # a page that is there has answered by then
MOST_KEPT = 100  # triggers that are kept for the first page

_DECKS = (1, 2, 3, 4)


def _later(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


class Link:
    """One end of the link: that of the process whose Python sets controls.

    Parameters
    ----------
    controls
        Its controls.
    tell
        Sends an event to all pages, which pick their own; it must not fail or wait.
    clock
        Seconds.
    later
        Calls something after so many seconds.
    """

    def __init__(
        self,
        controls: Controls,
        tell: Callable[[str, dict[str, Any]], None],
        clock: Callable[[], float] = time.time,
        later: Callable[[float, Callable[[], None]], None] = _later,
    ) -> None:
        self.controls = controls
        self._tell = tell
        self._clock = clock
        self._later = later
        self._n = 0
        self._open: list[tuple[str, Value]] = []  # changes of the message with that number, which is not sent yet
        self._resting = False  # a message was sent just now
        self._sent: dict[str, int] = {}  # number of the last message about each control
        self._moved = dict.fromkeys(_DECKS, 0)  # the same, of what moves a deck to another place
        self._heard = dict.fromkeys(_DECKS, 0)  # the number that the page had applied when it last told of a deck
        self._page: str | None = None
        self._known: str | None = None  # the last page that there was
        self._done = 0  # number of the last change of the page that was taken
        self._left = 0  # number of the last message when the last page left
        self._kept: list[tuple[str, Value]] = []
        self._stands = {deck: Stand() for deck in _DECKS}
        self._behind = 0.0  # least that a page's clock was seen to be behind this one [s]
        self._answered = threading.Event()
        controls.connect(self._send, self._meter)

    @property
    def page(self) -> str | None:
        """The page that plays; None when there has been none."""
        return self._page

    # -- from here to the page -------------------------------------------------------------------------------------

    def _send(self, made: list[Change]) -> None:
        """Pass on what was not changed by the page; the lock of the controls is held."""
        changes = [(change.id, change.value) for change in made if change.source != PAGE]
        if not changes:
            return
        if not self._open:
            self._n += 1
        for identifier, value in changes:
            one = control(identifier)
            self._sent[identifier] = self._n
            self._expect(one, value)
            if self._page is not None:
                self._open = [*_since(self._open, one), (identifier, value)]
            elif not _is_state(one):
                self._kept = [*self._kept, (identifier, value)][-MOST_KEPT:]
        if not self._resting:
            self._post()

    def _post(self) -> None:
        """Send what is open, and rest."""
        if not self._open:
            return
        changes, self._open = self._open, []
        self._tell("control.set", {"page": self._page, "changes": [list(change) for change in changes], "n": self._n})
        self._resting = True
        self._later(PAUSE_SECONDS, self._rested)

    def _rested(self) -> None:
        with self.controls.lock:
            self._resting = False
            self._post()

    def _expect(self, one: Control, value: Value) -> None:
        """Until the page tells, a deck is believed to do as it is told."""
        if one.deck is None:
            return
        name = one.id.split(".", 2)[2]
        if name == "track":
            self._kept = [kept for kept in self._kept if control(kept[0]).deck != one.deck]
            self._move(one.deck, track=None, playing=False, position=0.0, duration=0.0, tempo=None, selection=None)
        elif name == "seek":
            self._move(one.deck, position=float(value))
        elif name == "search":
            now = self._stands[one.deck]
            self._move(one.deck, position=max(0.0, now.position_at(self._clock(), looping=False) + float(value)))
        elif name == "play":
            playing = bool(value) and self._page is not None
            self._move(one.deck, playing=playing, rate=self._rate(one.deck) if playing else 0.0)
        elif name == "pitch":
            self._move(one.deck, rate=self._rate(one.deck) if self._stands[one.deck].playing else 0.0)

    def _rate(self, deck: int) -> float:
        return 1 + float(self.controls[f"deck.{deck}.pitch"]) / 100

    def _move(self, deck: int, **changes: Any) -> None:
        self._stands[deck] = self._stands[deck].moved(self._clock(), looping=self._loops(deck), **changes)
        self._moved[deck] = self._n

    def _loops(self, deck: int) -> bool:
        return bool(self.controls[f"deck.{deck}.loop.active"])

    # -- from the page to here -------------------------------------------------------------------------------------

    def attach(
        self, page: str, *, take: bool, values: Mapping[str, Any] | None, seen: int = 0, clock: float | None = None
    ) -> dict[str, Any]:
        """Let a page take up the controls.

        Parameters
        ----------
        page
            Its name, another one each time that it is loaded.
        take
            Whether it takes them from a page that has them.
        values
            What its engine stands at when it plays already, as far as that is not the default; None for a new engine.
        seen
            The number of the last message from here that it has applied.
        clock
            The page's time [s since the epoch].

        Returns
        -------
        dict
            Whether it has them now (``held``), and then all ``values`` that are not at their defaults, with
            ``deck.N.seek``, where a new engine puts a deck, and the number ``n`` of the message that this is as good
            as.
        """
        if not take and self._is_held(page):
            return {"held": False, "values": {}, "n": 0}
        changes: list[tuple[str, Value]] = []
        with self.controls.lock:
            before, self._page = self._page, page
            if self._known != page:
                self._known, self._done = page, 0
                self._behind = 0.0 if clock is None else self._clock() - clock
            if before not in (None, page):
                self._tell("decks.lost", {"page": before})
                changes += self._let_go()
            if values is not None and before in (None, page):
                changes += self._theirs(values, self._left if before is None else seen)
            self.controls.put(changes, source=PAGE)
            held = self.controls.changed()
            if before is None:  # what was pressed since is among what is kept
                held = {i: value for i, value in held.items() if control(i).kind != "momentary"}
            if values is None and before != page:
                for deck in _DECKS:
                    playing = bool(self.controls[f"deck.{deck}.play"])
                    self._move(deck, playing=playing, rate=self._rate(deck) if playing else 0.0)
                    if f"deck.{deck}.track" in held and (position := self.position(deck)) > 0:
                        held[f"deck.{deck}.seek"] = position
            answer = {"held": True, "values": held, "n": self._n}
            self._open, self._kept = [*self._kept, *self._open], []
            if self._open:
                self._n += 1
                self._sent |= {identifier: self._n for identifier, _ in self._open}
                self._post()
        self.controls.tell()
        return answer

    def detach(self, page: str) -> None:
        """A page plays no longer: what was pressed there is let go, and the decks stand where they were."""
        with self.controls.lock:
            if page != self._page:
                return
            for deck in _DECKS:
                self._move(deck, playing=False, rate=0.0)
            self._page, self._left, self._open = None, self._n, []
            self.controls.put(self._let_go(), source=PAGE)
        self.controls.tell()

    def _let_go(self) -> list[tuple[str, Value]]:
        pressed = ("momentary", "deck.{deck}.play")
        return [(one.id, 0) for one in controls().values() if one.kind in pressed or one.line in pressed]

    def _theirs(self, values: Mapping[str, Any], seen: int) -> list[tuple[str, Value]]:
        """What a page that plays already says its controls stand at, but for what was set here meanwhile."""
        theirs = []
        for one in controls().values():
            if not one.holds_state or self._sent.get(one.id, 0) > seen:
                continue
            try:
                theirs.append((one.id, one.clean(values.get(one.id, one.default))))
            except ParameterError as error:
                logger.warning("A page stands at something else than it should: %s", error)
        return theirs

    def _is_held(self, page: str) -> bool:
        """Whether another page has the controls and is still there."""
        with self.controls.lock:
            holder = self._page
            if holder in (None, page):
                return False
            self._answered.clear()
            self._tell("decks.ask", {"page": holder})
        return self._answered.wait(ASK_SECONDS)

    def receive(
        self,
        page: str,
        changes: Iterable[Sequence[Any]],
        *,
        seen: int,
        first: int = 1,
        stands: Iterable[Mapping[str, Any]] = (),
        clock: float | None = None,
    ) -> bool:
        """Take what has changed on a page.

        Parameters
        ----------
        page, seen, clock
            As for `attach`.
        changes
            Pairs of a control's id and its value, in order.
        first
            The number of the first of these changes; a page counts them from 1.
        stands
            How decks stand there.

        Returns
        -------
        bool
            Whether the page has the controls; else nothing was taken.

        Raises
        ------
        InputError
            When some of it is nothing that a page could say. The rest was taken.
        """
        wrong: list[str] = []
        with self.controls.lock:
            if page != self._page:
                return False
            self._answered.set()
            taken: list[tuple[str, Value]] = []
            for number, change in enumerate(changes, first):
                if number <= self._done:
                    continue
                self._done = number
                try:
                    identifier, value = change
                    one = control(identifier)
                    if not (one.holds_state and self._sent.get(one.id, 0) > seen):
                        taken.append((one.id, one.clean(value)))
                except ParameterError as error:
                    wrong.append(error.message)
                except (TypeError, ValueError):
                    wrong.append(f"{shown(change)} is no change of a control.")
            self.controls.put(taken, source=PAGE)
            meters = [change for stand in stands for change in self._stand(stand, seen, clock, wrong)]
        self.controls.tell(meters)
        if wrong:
            raise InputError(f"A page said what cannot be: {wrong[0]}", hint="Reload the page.")
        return True

    def _stand(self, told: Mapping[str, Any], seen: int, clock: float | None, wrong: list[str]) -> list[Change]:
        now = self._clock()
        if clock is not None:
            # A message may lie here for as long as a cell runs: the quickest one tells how the clocks differ.
            self._behind = min(self._behind, now - clock)
            now = clock + self._behind
        try:
            deck = _DECKS[_DECKS.index(told["deck"])]
            before, stand = self._stands[deck], Stand.told(told, now)
        except (KeyError, TypeError, ValueError):
            wrong.append(f"A deck stands at {shown(told)}.")
            return []
        if seen < self._moved[deck]:  # it is on its way elsewhere
            return []
        self._stands[deck], self._heard[deck] = stand, seen
        meters = {
            "position": (None, stand.position),
            "duration": (before.duration, stand.duration),
            "bpm": (before.tempo, stand.tempo),
            "rate": (before.rate, stand.rate),
        }
        return [
            Change(f"deck.{deck}.{name}", new, PAGE)
            for name, (old, new) in meters.items()
            if new is not None and new != old
        ]

    # -- what is known ---------------------------------------------------------------------------------------------

    def stand(self, deck: int) -> Stand:
        """How a deck stood when it was last heard of."""
        with self.controls.lock:
            return self._stands[deck]

    def position(self, deck: int) -> float:
        """Where a deck is now [s], as far as is known."""
        with self.controls.lock:
            return self._stands[deck].position_at(self._clock(), looping=self._loops(deck))

    def is_told(self, identifier: str, deck: int) -> bool:
        """Whether the page has told how a deck stands since a control was last set here."""
        with self.controls.lock:
            return self._stands[deck].track is not None and self._sent.get(identifier, 0) <= self._heard[deck]

    def _meter(self, meter: Control) -> float | None:
        if meter.deck is None:
            return None
        stand = self.stand(meter.deck)
        name = meter.id.split(".", 2)[2]
        known = {"duration": stand.duration, "bpm": stand.tempo, "rate": stand.rate}
        return self.position(meter.deck) if name == "position" else known.get(name)


def _is_state(one: Control) -> bool:
    """Whether its last value says all: what is pressed and let go between is no matter."""
    return one.holds_state and one.kind != "momentary"


def _since(changes: list[tuple[str, Value]], one: Control) -> list[tuple[str, Value]]:
    """Changes without an earlier one of a control that is changed again, where nothing was triggered in between."""
    if not _is_state(one):
        return changes
    place = len(changes)
    while place > 0 and _is_state(control(changes[place - 1][0])):
        place -= 1
        if changes[place][0] == one.id:
            return [*changes[:place], *changes[place + 1 :]]
    return changes
