"""Text that comes from strangers - tags and file names - made fit to show and to store."""

from __future__ import annotations

import unicodedata

__all__ = ["TEXT_LIMIT", "clean_text", "is_text"]

TEXT_LIMIT = 300

# Format characters (Unicode category Cf) are dropped, for among them are the bidirectional overrides that can
# make a name read backwards. These two are kept: scripts and emoji need them to join their letters.
_JOINERS = {"\u200c", "\u200d"}


def clean_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """One line of ordinary characters.

    Control characters and NUL become spaces, invisible format characters and bidirectional overrides go,
    lone surrogates (a file name in an unknown encoding) become the replacement character, runs of white space
    become one space.

    Parameters
    ----------
    text
        Anything.
    limit
        The longest text to return, in characters.

    Returns
    -------
    str
        The text, perhaps empty.
    """
    # Tags may hold megabytes; what lies far beyond the limit is not worth a look.
    text = unicodedata.normalize("NFC", text[: 8 * limit])
    line = " ".join("".join(_clean_character(character) for character in text).split())
    return line[:limit].rstrip()


def is_text(name: str) -> bool:
    """Whether a file's name is text; one in an unknown encoding can be opened, but not be stored or sent."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clean_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    if category == "Cf" and character not in _JOINERS:
        return ""
    return character
