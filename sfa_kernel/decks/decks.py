"""The decks of a library: their controls, and the page that plays them."""

from __future__ import annotations

import logging
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.control import Controls
from sfa_kernel.control.link import Link
from sfa_kernel.decks.deck import Deck
from sfa_kernel.decks.mixer import DeckMixer
from sfa_kernel.errors import ParameterError, SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from sfa_kernel.control import Change, Observer
    from sfa_kernel.control.script import Script
    from sfa_kernel.library import Library

__all__ = ["SCRIPT", "Decks"]

logger = logging.getLogger(__name__)

SCRIPT = "script"  # the tag of a script that is played
NUMBERS = (1, 2, 3, 4)


class Decks:
    """The decks, and the mixer between them.

    Sound is made by one page that shows them. Until there is one, what is set and pressed here is kept, and the first
    page does it.

    Parameters
    ----------
    library
        Whose songs they play.

    Attributes
    ----------
    controls
        Everything that can be set, by its id: ``decks.controls["deck.1.eq.low"] = -6``.
    mixer
        Crossfader, master, headphones.

    Examples
    --------
    >>> decks = studio.decks()                              # doctest: +SKIP
    >>> decks[1].load(track)                                # doctest: +SKIP
    >>> decks.mixer.crossfade(8, unit="beats")              # doctest: +SKIP
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.session = str(uuid4())
        """Names this process to pages, which may know several."""
        self.controls = Controls()
        self._surfaces: list[Any] = []
        self._surfaces_lock = threading.Lock()
        self.link = Link(self.controls, self.tell)
        self.mixer = DeckMixer(self)

    def deck(self, number: int) -> Deck:
        """One deck, 1 to 4.

        Raises
        ------
        ParameterError
            When there is none of this number.
        """
        if isinstance(number, bool) or number not in NUMBERS:
            raise ParameterError(f"There is no deck {number!r}.", hint="They are numbered 1 to 4.")
        return Deck(self, number)

    def __getitem__(self, number: int) -> Deck:
        """One deck by its number, from 1; see `deck`."""
        return self.deck(number)

    def __len__(self) -> int:
        """How many are shown: 2 or 4."""
        return int(self.mixer.deck_count)

    def __iter__(self) -> Iterator[Deck]:
        return (self.deck(number) for number in NUMBERS[: len(self)])

    @property
    def leader(self) -> Deck | None:
        """The deck that beats are counted by: one that is said to lead, else the first that plays, else has a song."""
        loaded = [deck for deck in map(self.deck, NUMBERS) if deck.track is not None]
        for wanted in (lambda deck: deck.leader, lambda deck: deck.playing, lambda deck: True):
            found = next((deck for deck in loaded if wanted(deck) and deck.tempo), None)
            if found is not None:
                return found
        return None

    @property
    def attached(self) -> bool:
        """Whether a page plays them."""
        return self.link.page is not None

    @property
    def loaded(self) -> dict[int, UUID]:
        """The ids of the tracks in the decks."""
        ids = {number: self.deck(number).track_id for number in NUMBERS}
        return {number: track_id for number, track_id in ids.items() if track_id is not None}

    def observe(self, pattern: str, call: Callable[[Change], object]) -> Observer:
        """Call ``call(change)`` when a control changes, whoever changed it; it has ``id``, ``value`` and ``source``.

        Parameters
        ----------
        pattern
            ``"deck.1.play"``, ``"deck.*.play"``, ``"mixer.*"``; a page tells ``"deck.*.position"`` about once a second.

        Returns
        -------
        Observer
            With ``close()``.

        Raises
        ------
        ParameterError
            When no control is meant.

        Examples
        --------
        >>> def dim(change):
        ...     if change.value:
        ...         decks.mixer.master = -12
        >>> decks.observe("deck.2.play", dim)                # doctest: +SKIP
        """
        if not any(fnmatchcase(identifier, pattern) for identifier in self.controls):
            raise ParameterError(f"No control is called {pattern!r}.", hint='Such as "deck.1.play" or "deck.*.play".')
        return self.controls.observe(pattern, call)

    # -- what a page does ------------------------------------------------------------------------------------------

    def play(self, script: Script, *, tag: str = SCRIPT, opening: bool = True) -> None:
        """Let the page play a script of timed controls, in its own time.

        Parameters
        ----------
        script
            What happens when.
        tag
            What is played under a name ends what was played under it before.
        opening
            Whether all controls are first set as they were when the script began; else it changes what it names.

        Raises
        ------
        SetupError
            When no page plays the decks.
        """
        self.ask("decks.play", tag=tag, script=script.document(), opening=opening)

    def stop(self, tag: str = SCRIPT) -> None:
        """End a script; the decks stay as they are.

        Raises
        ------
        SetupError
            When no page plays the decks.
        """
        self.ask("decks.play", tag=tag, script=None, opening=False)

    def record_script(self, on: bool = True) -> None:
        """Let the page write down what is played as a script, until told otherwise; then it is one of the scripts.

        Raises
        ------
        SetupError
            When no page plays the decks.
        """
        self.ask("decks.record", on=on)

    def ask(self, event: str, **data: Any) -> None:
        """Tell the page that plays the decks, and no other.

        Raises
        ------
        SetupError
            When no page plays the decks.
        """
        with self.controls.lock:
            if not self.attached:
                raise SetupError(
                    "No page plays the decks.", hint="Show studio.decks() in a cell, or open the dashboard's decks."
                )
            self.tell(event, {"page": self.link.page, **data})

    def show_on(self, widget: Any) -> None:
        """Tell a widget of what happens for as long as it is open; it has ``push(event, data)`` and ``comm``."""
        with self._surfaces_lock:
            self._surfaces.append(widget)

    def tell(self, event: str, data: dict[str, Any]) -> None:
        """Tell every page; each picks what is its own."""
        with self._surfaces_lock:
            self._surfaces = [widget for widget in self._surfaces if widget.comm is not None]
            surfaces = list(self._surfaces)
        for widget in surfaces:
            try:
                widget.push(event, data)
            except Exception:
                logger.exception("A page could not be told of the decks")

    def __repr__(self) -> str:
        state = "" if self.attached else ", no page plays them"
        return f"<Decks: {', '.join(map(repr, self))}{state}>"
