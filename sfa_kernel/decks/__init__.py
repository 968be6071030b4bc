"""``studio.decks()``: two to four decks and a mixer, played by a page and turned from anywhere."""

from __future__ import annotations

from sfa_kernel.decks.deck import Deck
from sfa_kernel.decks.decks import Decks
from sfa_kernel.decks.mixer import DeckMixer

__all__ = ["Deck", "DeckMixer", "Decks"]
