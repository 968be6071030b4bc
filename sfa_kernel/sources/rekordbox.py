"""The XML file in which rekordbox gives away its collection and the tree of its playlists."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from sfa_kernel.audio.text import clean_text
from sfa_kernel.errors import InputError
from sfa_kernel.sources.listed import LONGEST_LOCATION, MOST_SONGS, Listed, ListedPlaylist, too_many

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["read_rekordbox"]

LARGEST = 1 << 30  # bytes; a collection of 100,000 songs with their beat grids takes about half of that
DEEPEST = 64  # folders in folders
LONGEST_ELEMENT = 4 << 20  # bytes
EXPORT_HINT = "In rekordbox, choose File, Export Collection in xml format."


def read_rekordbox(path: Path, *, name: str | None = None) -> list[ListedPlaylist]:
    """Read the playlists of a collection; the whole collection as one list when it has none.

    Parameters
    ----------
    path
        The file.
    name
        What people call the file, when that is not its name.

    Raises
    ------
    InputError
        When it cannot be read, is damaged, is no XML file of rekordbox, or lists too much.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException

    called = clean_text(name or path.name, 120)
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{called} is larger than any collection of rekordbox.", hint=EXPORT_HINT)
        collection, lists = _read(path, called)
    except OSError as error:
        raise InputError(f"{called} cannot be read: {error.strerror or error}.", hint="Check the path.") from error
    except DefusedXmlException as error:
        raise InputError(f"{called} is not read: it defines entities, as no file of rekordbox does.") from error
    except (ParseError, ValueError, LookupError) as error:
        reason = clean_text(str(error), 100)
        raise InputError(f"{called} is damaged, or no XML file: {reason}.", hint=EXPORT_HINT) from error
    if not lists:
        return [ListedPlaylist("", list(collection["0"].values()))] if collection["0"] else []
    return [
        ListedPlaylist(title, [song for key in keys if (song := collection[kind].get(key))], folders)
        for title, folders, kind, keys in lists
    ]


# A list as it stands in the tree: its name, its folders, what it names songs by, and those names.
_List = tuple[str, tuple[str, ...], str, list[str]]


def _read(path: Path, called: str) -> tuple[dict[str, dict[str, Listed]], list[_List]]:
    """The collection by what lists name songs by ("0": their ids, "1": their files), and the lists."""
    collection: dict[str, dict[str, Listed]] = {"0": {}, "1": {}}
    lists: list[_List] = []
    nodes: list[tuple[str, list[str] | None]] = []  # the folders and the list that the place is in
    section = ""
    count = 0
    for event, element, depth in _walk(path):
        tag = element.tag
        if event == "end":
            if tag == "NODE":
                nodes.pop()
            continue
        if depth == 1 and tag != "DJ_PLAYLISTS":
            raise InputError(f"{called} is XML, but not of rekordbox.", hint=EXPORT_HINT)
        if depth == 2:
            section = tag
        elif tag == "NODE" and section == "PLAYLISTS":
            title = clean_text(element.get("Name", ""))
            keys: list[str] | None = None
            if element.get("Type") == "1":
                keys = []
                # The outermost folder is there in each file and has no name of a person.
                folders = tuple(folder for folder, _ in nodes[1:])
                lists.append((title, folders, "1" if element.get("KeyType") == "1" else "0", keys))
            nodes.append((title, keys))
        elif tag == "NODE":
            nodes.append(("", None))
        elif tag == "TRACK":
            count += 1
            if count > 2 * MOST_SONGS:
                raise too_many(called)
            if section == "COLLECTION" and depth == 3:
                song = _listed(element)
                collection["0"][element.get("TrackID", "")] = song
                collection["1"][element.get("Location", "")] = song
            elif nodes and nodes[-1][1] is not None:
                nodes[-1][1].append(element.get("Key", ""))
    return collection, lists


def _walk(path: Path) -> Iterator[tuple[str, Any, int]]:
    """Each element as it begins and as it ends, and how deep it is; what has ended takes no more room."""
    from defusedxml.ElementTree import iterparse

    open_elements: list[Any] = []
    with path.open("rb") as file:
        pieces = _Pieces(file)
        for event, element in iterparse(pieces, events=("start", "end"), forbid_dtd=True):
            pieces.since = 0
            if event == "start":
                open_elements.append(element)
                if len(open_elements) > DEEPEST:
                    raise ValueError("too many folders are in each other")
            yield event, element, len(open_elements)
            if event == "end":
                open_elements.pop()
                if open_elements:
                    open_elements[-1].remove(element)


class _Pieces:
    """A file as it is parsed. With each piece the parser looks anew at all of an element that has no end yet.

    Attributes
    ----------
    since
        Bytes since an element began or ended.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.since = 0
        self._file = file

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.since += len(data)
        if self.since > LONGEST_ELEMENT:
            raise ValueError("an element is too long")
        return data


def _listed(track: Any) -> Listed:
    def number(name: str, most: int) -> int | None:
        text = track.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 and 0 < int(text) < most else None

    seconds = number("TotalTime", 1_000_000)
    return Listed(
        location=track.get("Location", "")[:LONGEST_LOCATION],
        title=clean_text(track.get("Name", "")),
        artist=clean_text(track.get("Artist", "")),
        album=clean_text(track.get("Album", "")),
        duration=None if seconds is None else float(seconds),
        year=number("Year", 10_000),
        track_number=number("TrackNumber", 10_000),
    )
