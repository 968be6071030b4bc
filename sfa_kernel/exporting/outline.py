"""What an export is going to be: which files, under which names. Nothing is written yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sfa_kernel.errors import ParameterError
from sfa_kernel.exporting.material import spoken
from sfa_kernel.exporting.names import TEMPLATE, check_template, file_name, numbered
from sfa_kernel.exporting.nistems import parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.exporting.material import Item

__all__ = ["FORMATS", "Outline", "Piece", "Wish", "outline", "wish"]

_SOUND = ("flac", "wav", "mp3", "ogg", "m4a")

FORMATS = {"stem": _SOUND, "stems": _SOUND, "stem.mp4": ("aac", "alac"), "analysis": ("json",)}
"""What can be exported, and the formats of each, the usual one first."""


@dataclass(frozen=True)
class Wish:
    """What a person wants: see `wish`."""

    what: str
    stem: str
    format: str
    template: str

    @property
    def suffix(self) -> str:
        """Of each file, with its dot."""
        return ".stem.mp4" if self.what == "stem.mp4" else f".{self.format}"


@dataclass(frozen=True)
class Piece:
    """One file of an export.

    Attributes
    ----------
    item
        Whose.
    stem
        The name of the stem in it; empty when it is something else.
    name
        The file's name; in an archive perhaps with a folder before it.
    """

    item: Item
    stem: str
    name: str


@dataclass(frozen=True)
class Outline:
    """The file that a person gets.

    Attributes
    ----------
    name
        Its name.
    pieces
        What is in it: itself, or the files of an archive.
    archive
        Whether it is a ZIP archive.
    """

    name: str
    pieces: tuple[Piece, ...]
    archive: bool


def wish(what: str, *, stem: str | None = None, format: str = "", template: str = TEMPLATE) -> Wish:  # noqa: A002 - a person's word
    """What a person wants, checked.

    Parameters
    ----------
    what
        ``"stem"``: one stem. ``"stems"``: all of them in an archive. ``"stem.mp4"``: a file for Traktor and Mixxx.
        ``"analysis"``: what is known of the song, as JSON.
    stem
        Which one, for ``"stem"``.
    format
        One of `FORMATS`; the usual one when empty.
    template
        Of the files' names; see `sfa_kernel.exporting.FIELDS`.

    Raises
    ------
    ParameterError
        When there is no such thing or format, no stem is named, or the template has an unknown field.
    """
    if what not in FORMATS:
        raise ParameterError(f"There is no export {what!r}.", hint=f"Choose from {', '.join(FORMATS)}.")
    chosen = format or FORMATS[what][0]
    if chosen not in FORMATS[what]:
        raise ParameterError(f"{format!r} is no format for {what}.", hint=f"Choose from {', '.join(FORMATS[what])}.")
    if what == "stem" and not stem:
        raise ParameterError("No stem is named.", hint="Name one, such as vocals.")
    return Wish(what, (stem or "") if what == "stem" else "", chosen, check_template(template or TEMPLATE))


def outline(items: Sequence[Item], wanted: Wish) -> Outline:
    """The files that an export of these songs consists of.

    Raises
    ------
    NotFoundError
        When a song has no stems, not this one, or no analysis.
    ParameterError
        When no song is named, or a stem file cannot be made of what is there.
    """
    if not items:
        raise ParameterError("No song is named.", hint="Choose one or several.")
    taken: set[str] = set()
    pieces = [piece for item in items for piece in _pieces(item, wanted, taken, alone=len(items) == 1)]
    if len(items) == 1 and wanted.what != "stems":
        return Outline(pieces[0].name, tuple(pieces), archive=False)
    name = (
        file_name(wanted.template, items[0].fields("stems"), ".zip")
        if len(items) == 1
        else f"{len(items)} songs ({spoken(wanted.stem) or wanted.what}).zip"
    )
    return Outline(name, tuple(pieces), archive=True)


def _pieces(item: Item, wanted: Wish, taken: set[str], *, alone: bool) -> list[Piece]:
    """The files of one song, under names that are not taken."""
    if wanted.what == "stems":
        if "{stem}" not in wanted.template:  # numbers would not tell which is which
            wanted = replace(wanted, template=f"{wanted.template} ({{stem}})")
        stems = [stem.name for stem in item.stems().stems]
        folder = "" if alone else numbered(file_name(wanted.template, item.fields("stems"), ""), "", taken) + "/"
        inside: set[str] = set()
        return [Piece(item, stem, folder + _named(item, stem, wanted, inside)) for stem in stems]
    if wanted.what == "stem":
        return [Piece(item, wanted.stem, _named(item, item.stem(wanted.stem).name, wanted, taken))]
    if wanted.what == "stem.mp4":
        parts_of(item)
        return [Piece(item, "", _named(item, "", wanted, taken))]
    item.found()
    return [Piece(item, "", _named(item, "analysis", wanted, taken))]


def _named(item: Item, stem: str, wanted: Wish, taken: set[str]) -> str:
    return numbered(file_name(wanted.template, item.fields(stem), wanted.suffix), wanted.suffix, taken)
