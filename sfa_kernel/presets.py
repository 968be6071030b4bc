"""``studio.presets``: settings of the decks' controls that a person keeps under a name.

>>> studio.presets.save("eq", "no bass", {"deck.1.eq.low": -26})                  # doctest: +SKIP
>>> studio.presets["eq", "no bass"]                                               # doctest: +SKIP
{'deck.1.eq.low': -26}
>>> studio.presets.export("presets.json")                                         # doctest: +SKIP
"""

from __future__ import annotations

import getpass
import json
from collections.abc import ItemsView, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sfa_kernel.audio.text import clean_text
from sfa_kernel.catalog import presets as table
from sfa_kernel.catalog.presets import KINDS, PresetRow
from sfa_kernel.control.given import number, shown, text
from sfa_kernel.control.table import control, controls
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.storage import read_text, write_new
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from sfa_kernel.control.table import Value
    from sfa_kernel.library import Library

__all__ = ["Presets", "owner"]

FORMAT, VERSION = "sfa-presets", 1
LONGEST_NAME = 100
MOST_VALUES = 10_000  # of one preset
MOST_PRESETS = 10_000  # of one file
LARGEST_FILE = 20 << 20  # bytes


def owner() -> str:
    """Whose presets these are: the name of the person as this computer knows it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


class Presets(Mapping[tuple[str, str], dict[str, "Value"]]):
    """The presets of the person at this computer, by kind (``eq``, ``effects``, ``layout``, ``mapping``) and name.

    Values are those of controls by their ids; of a mapping, what of a device stands for which control.

    Parameters
    ----------
    library
        Whose.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._owner = owner()

    def _rows(self) -> list[PresetRow]:
        with self._library.catalog.read() as connection:
            return table.of_owner(connection, self._owner)

    def __getitem__(self, which: tuple[str, str]) -> dict[str, Value]:
        """The values of one, by its kind and name.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        for row in self._rows():
            if (row.kind, row.name) == which:
                return row.value
        raise NotFoundError(f"There is no preset {shown(which)}.", hint="studio.presets lists those that are.")

    def get(self, which: tuple[str, str], default: Any = None) -> Any:
        """The values of one, or ``default`` when there is none."""
        try:
            return self[which]
        except NotFoundError:
            return default

    def items(self) -> ItemsView[tuple[str, str], dict[str, Value]]:
        """All of them at once."""
        return {(row.kind, row.name): row.value for row in self._rows()}.items()

    def __contains__(self, which: object) -> bool:
        return any((row.kind, row.name) == which for row in self._rows())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([(row.kind, row.name) for row in self._rows()])

    def __len__(self) -> int:
        return len(self._rows())

    def save(self, kind: str, name: str, values: Mapping[str, Value]) -> None:
        """Keep settings under a name, in place of those of that kind and name.

        Parameters
        ----------
        kind
            ``"eq"``, ``"effects"`` or ``"layout"``: it holds controls of that group; ``"mapping"``.
        name
            What it is called.
        values
            By control.

        Raises
        ------
        ParameterError
            When there is no such kind, a control is not of it, or does not take its value.
        """
        row = _checked(self._owner, kind, name, values)
        with self._library.catalog.write() as connection:
            table.put(connection, row)
            self._tell()

    def capture(self, kind: str, name: str, settings: Mapping[str, Value]) -> None:
        """Keep what of some settings belongs to a kind, such as all of ``studio.decks().controls``.

        Raises
        ------
        ParameterError
            As `save`; when nothing of it belongs to the kind.
        """
        known = controls()
        of_kind = {one: settings[one] for one in settings if one in known and known[one].group == kind}
        self.save(kind, name, of_kind)

    def remove(self, kind: str, name: str) -> None:
        """Forget one.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        with self._library.catalog.write() as connection:
            if kind not in KINDS or not table.remove(connection, self._owner, kind, clean_text(name, LONGEST_NAME)):
                raise NotFoundError(f"There is no preset {shown(name)} of the kind {shown(kind)}.")
            self._tell()

    def to_json(self) -> str:
        """All of them as a JSON text."""
        listed = [{"kind": row.kind, "name": row.name, "value": row.value} for row in self._rows()]
        return json.dumps({"format": FORMAT, "version": VERSION, "presets": listed}, indent=1, ensure_ascii=False)

    def from_json(self, text: str) -> int:
        """Take in those of a JSON text; one that is here under its name with other values gets a number.

        Returns
        -------
        int
            How many are new.

        Raises
        ------
        ParameterError
            When it is none of ours or something in it is wrong; then nothing is taken.
        """
        rows = [_checked(self._owner, *one) for one in _listed(text)]
        taken = 0
        with self._library.catalog.write() as connection:
            there = {(row.kind, row.name): row.value for row in table.of_owner(connection, self._owner)}
            for row in rows:
                name, count = row.name, 1
                while there.get((row.kind, name), row.value) != row.value:
                    count += 1
                    name = f"{row.name} ({count})"
                if (row.kind, name) in there:
                    continue
                table.put(connection, PresetRow(row.owner, row.kind, name, row.value))
                there[row.kind, name] = row.value
                taken += 1
            if taken:
                self._tell()
        return taken

    def export(self, file: str | os.PathLike[str]) -> Path:
        """Write all of them to a JSON file.

        Raises
        ------
        ParameterError
            When the file is there already.
        InputError
            When it cannot be written.
        """
        return write_new(file, self.to_json())

    def load(self, file: str | os.PathLike[str]) -> int:
        """Take in those of a JSON file; see `from_json`.

        Raises
        ------
        InputError
            When the file cannot be read, or is none of ours.
        """
        return self.from_json(read_text(file, LARGEST_FILE))

    def _tell(self) -> None:
        self._library.catalog.after_commit(partial(self._library.bus.publish, "presets", {}))

    def _repr_html_(self) -> str:
        return Table(
            {"kind": row.kind, "name": row.name, "settings": len(row.value)} for row in self._rows()
        )._repr_html_()

    def __repr__(self) -> str:
        return "\n".join(f"{row.kind:8} {row.name}" for row in self._rows()) or "<no presets>"


def _listed(text: str) -> list[tuple[Any, Any, Any]]:
    wrong = ParameterError("These are no presets.", hint="Export them with studio.presets.export(file).")
    try:
        document = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise wrong from None
    if not isinstance(document, dict) or (document.get("format"), document.get("version")) != (FORMAT, VERSION):
        raise wrong
    listed = document.get("presets")
    if not isinstance(listed, list) or len(listed) > MOST_PRESETS or not all(isinstance(one, dict) for one in listed):
        raise wrong
    return [(one.get("kind"), one.get("name"), one.get("value")) for one in listed]


def _checked(owner: str, kind: Any, name: Any, values: Any) -> PresetRow:
    if kind not in KINDS:
        raise ParameterError(
            f"There are no presets of the kind {shown(kind)}.", hint=f"Choose from {', '.join(KINDS)}."
        )
    cleaned = clean_text(name, LONGEST_NAME) if isinstance(name, str) else ""
    if not cleaned:
        raise ParameterError("A preset needs a name.", hint="Give it one or more letters.")
    if not hasattr(values, "items") or not 0 < len(values) <= MOST_VALUES:
        raise ParameterError(f"There is nothing to keep in the preset {cleaned!r}.")
    taken = _mapping(values) if kind == "mapping" else _settings(kind, values)
    return PresetRow(owner, kind, cleaned, taken)


def _settings(kind: str, values: Mapping[str, Any]) -> dict[str, Value]:
    taken: dict[str, Value] = {}
    for identifier, value in values.items():
        named = control(identifier)
        if named.group != kind:
            raise ParameterError(f"{identifier} is no control of the kind {kind}.")
        taken[identifier] = named.clean(value)
    return taken


def _mapping(values: Mapping[Any, Any]) -> dict[str, Value]:
    for name, value in values.items():
        if text(name) is None or (text(value) is None and number(value) is None):
            raise ParameterError("A mapping holds texts and numbers by name.")
    return dict(values)
