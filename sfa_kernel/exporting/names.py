"""What exported files are called: a template is filled in, and what comes of it fits every file system."""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIELDS", "TEMPLATE", "check_template", "file_name", "numbered"]

FIELDS = ("artist", "title", "album", "year", "genre", "bpm", "key", "camelot", "stem", "engine", "model")
"""What a template may name."""

TEMPLATE = "{artist} - {title} ({stem})"
"""The template when a person names none."""

LONGEST_TEMPLATE = 200  # characters
LONGEST_NAME = 200  # bytes with the suffix: of 255 that file systems hold, the rest is for numbers and sync clients

# What one of the usual file systems refuses in a name, and what is read in its place.
_SUBSTITUTES = str.maketrans({"/": "-", "\\": "-", "|": "-", ":": "-", '"': "'", "<": "(", ">": ")", "?": "", "*": ""})
# Windows takes these for devices, whatever suffix they have.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])(?=\.|$)", re.IGNORECASE)
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]")
_EDGES = (
    " .,-–—_\u200c\u200d"  # a name neither begins nor ends with these: a hidden file, or what stood by an empty field
)
_UNTITLED = "Untitled"


def check_template(template: str) -> str:
    """The template, when every field in it is one of ours.

    Raises
    ------
    ParameterError
        When it names another field, says how to format one, or is too long or empty.
    """
    if not isinstance(template, str) or not 0 < len(template.strip()) <= LONGEST_TEMPLATE:
        raise ParameterError(
            f"A template of names has 1 to {LONGEST_TEMPLATE} characters.", hint=f"The usual one is {TEMPLATE!r}."
        )
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise ParameterError(
            f"The template {template!r} has a brace without its other one.", hint=f"The usual one is {TEMPLATE!r}."
        ) from None
    for _, field, form, conversion in parts:
        if field is None:
            continue
        if field not in FIELDS:
            raise ParameterError(f"A template has no field {field!r}.", hint=f"Choose from {', '.join(FIELDS)}.")
        if form or conversion:
            raise ParameterError(f"A template cannot say how {field} is written.", hint=f"Write {{{field}}} alone.")
    return template


def file_name(template: str, fields: Mapping[str, str], suffix: str) -> str:
    """One name from a template, such as ``Artist - Title (vocals).flac``.

    Fields that are empty take their brackets and dashes along. What a file system refuses is replaced; what is
    too long is cut where it is longest, so that short fields such as the stem's name stay whole.

    Parameters
    ----------
    template
        Checked by `check_template`.
    fields
        Texts by the names of `FIELDS`; what is missing is empty.
    suffix
        With its dot.

    Returns
    -------
    str
        At most 200 bytes of UTF-8.
    """
    used = {field for _, field, _, _ in Formatter().parse(template) if field}
    values = {field: clean_text(fields.get(field, "")) for field in used}
    while True:
        name = _fitting(
            "".join(text + values.get(field or "", "") for text, field, _, _ in Formatter().parse(template))
        )
        excess = len(name.encode()) + len(suffix.encode()) - LONGEST_NAME
        if excess <= 0:
            return name + suffix
        longest = max(values, key=lambda field: len(values[field].encode()), default=None)
        if longest is None or not values[longest]:
            return _fitting(name.encode()[:-excess].decode(errors="ignore")) + suffix
        values[longest] = values[longest][:-1]


def numbered(name: str, suffix: str, taken: set[str]) -> str:
    """The name, or the first of ``name (2)``, ``name (3)``, ... that is not taken; it is taken then.

    Parameters
    ----------
    name, suffix
        A file's name, and the part of it before which a number goes.
    taken
        Names in lower case: file systems that know no case hold one of them.
    """
    stem = name.removesuffix(suffix)
    chosen, number = name, 1
    while chosen.casefold() in taken:
        number += 1
        chosen = f"{stem} ({number}){suffix}"
    taken.add(chosen.casefold())
    return chosen


def _fitting(text: str) -> str:
    text = clean_text(text, 8 * LONGEST_TEMPLATE * len(FIELDS)).translate(_SUBSTITUTES)
    text = " ".join(_EMPTY_BRACKETS.sub(" ", text).split()).strip(_EDGES) or _UNTITLED
    device = _DEVICES.match(text)
    return text if device is None else f"{device[0]}_{text[device.end() :]}"
