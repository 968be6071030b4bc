"""``studio.scripts``: timed changes of the decks' controls, kept under a name, to be played or rendered again.

>>> opener = studio.scripts.save("Opener", script)                    # doctest: +SKIP
>>> opener.save(opener.script.shifted(2.0, start=30.0))               # doctest: +SKIP
>>> await studio.render(opener)                                       # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog import scripts as table
from sfa_kernel.control.script import Script
from sfa_kernel.errors import NotFoundError
from sfa_kernel.library import clock
from sfa_kernel.storage import read_text, write_new
from sfa_kernel.tables import Table

if TYPE_CHECKING:
    import os
    from uuid import UUID

    from sfa_kernel.catalog.scripts import ScriptRow
    from sfa_kernel.library import Library

__all__ = ["SavedScript", "Scripts", "tell"]

LARGEST_FILE = 200 << 20  # bytes


class SavedScript:
    """A script of the library.

    Parameters
    ----------
    library, row
        The script, and whose it is.
    """

    def __init__(self, library: Library, row: ScriptRow) -> None:
        self._library = library
        self.row = row

    @property
    def id(self) -> UUID:
        """Its id."""
        return self.row.id

    @property
    def name(self) -> str:
        """What it is called."""
        return self.row.name

    @property
    def script(self) -> Script:
        """What happens in it, and when.

        Raises
        ------
        NotFoundError
            When it was deleted.
        """
        with self._library.catalog.read() as connection:
            self.row = table.get(connection, self.id)
        return Script.from_document(self.row.document)

    def save(self, script: Script) -> SavedScript:
        """Write it anew.

        Raises
        ------
        NotFoundError
            When it was deleted.
        """
        return self._change(document=script.document())

    def rename(self, name: str) -> SavedScript:
        """Give it another name.

        Raises
        ------
        NotFoundError
            When it was deleted.
        ParameterError
            When the name is empty.
        """
        return self._change(name=name)

    def _change(self, **change: Any) -> SavedScript:
        with self._library.catalog.write() as connection:
            self.row = table.change(connection, self.id, **change)
            tell(self._library)
        return self

    def delete(self) -> None:
        """Take it away; `restore` brings it back until a cleanup removes it for good.

        Raises
        ------
        NotFoundError
            When it was deleted before.
        """
        with self._library.catalog.write() as connection:
            table.remove(connection, self.id)
            tell(self._library)

    def restore(self) -> SavedScript:
        """Bring it back after `delete`.

        Raises
        ------
        NotFoundError
            When it is gone for good.
        """
        with self._library.catalog.write() as connection:
            self.row = table.restore(connection, self.id)
            tell(self._library)
        return self

    def export(self, file: str | os.PathLike[str]) -> Path:
        """Write it as a JSON file, which `Scripts.load` reads.

        Raises
        ------
        ParameterError
            When the file is there already.
        InputError
            When it cannot be written.
        """
        return write_new(file, self.script.to_json())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SavedScript) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<SavedScript {self.name!r}: {self.row.events} changes, {clock(self.row.duration)}>"

    def _repr_html_(self) -> str:
        return self.script._repr_html_()


class Scripts(Sequence[SavedScript]):
    """The scripts of a library, the last changed first.

    Parameters
    ----------
    library
        Whose.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def _list(self, *, removed: bool = False) -> list[SavedScript]:
        with self._library.catalog.read() as connection:
            return [SavedScript(self._library, row) for row in table.listing(connection, removed=removed)]

    def __len__(self) -> int:
        return len(self._list())

    def __iter__(self) -> Iterator[SavedScript]:
        return iter(self._list())

    def __getitem__(self, which: Any) -> Any:
        """One by its place, name, id or the unambiguous beginning of one.

        Raises
        ------
        NotFoundError
            When there is none, or more than one.
        """
        if isinstance(which, int | slice):
            return self._list()[which]
        return _one(self._list(), which)

    @property
    def removed(self) -> list[SavedScript]:
        """Those that were deleted and can be restored."""
        return self._list(removed=True)

    def save(self, name: str, script: Script) -> SavedScript:
        """Keep a script under a name; there may be others of that name.

        Raises
        ------
        ParameterError
            When the name is empty.
        """
        with self._library.catalog.write() as connection:
            row = table.create(connection, name, script.document())
            tell(self._library)
        return SavedScript(self._library, row)

    def load(self, file: str | os.PathLike[str], *, name: str = "") -> SavedScript:
        """Keep the script of a JSON file, under its name when no other is given.

        Raises
        ------
        InputError
            When there is no such file, or it is no script.
        """
        return self.save(name or Path(file).stem, read(file))

    def _repr_html_(self) -> str:
        return Table(
            {"name": row.name, "time": clock(row.duration), "changes": row.events, "changed": row.changed_at}
            for row in (one.row for one in self)
        )._repr_html_()

    def __repr__(self) -> str:
        return "\n".join(repr(one) for one in self) or "<no scripts>"


def read(file: str | os.PathLike[str]) -> Script:
    """The script of a JSON file.

    Raises
    ------
    InputError
        When there is no such file, or it is no script.
    """
    return Script.from_json(read_text(file, LARGEST_FILE))


def tell(library: Library) -> None:
    """In a transaction: once it holds, everybody hears that scripts came, went or changed."""
    library.catalog.after_commit(partial(library.bus.publish, "scripts", {}))


def _one(scripts: Sequence[SavedScript], which: Any) -> SavedScript:
    text = str(which).strip()
    ways: tuple[Any, ...] = (
        lambda one: str(one.id) == text.lower(),
        lambda one: one.name == text,
        lambda one: one.name.casefold() == text.casefold(),
        lambda one: bool(text) and str(one.id).startswith(text.lower()),
    )
    for way in ways:
        found = [one for one in scripts if way(one)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(str(one.id)[:8] for one in found)
            raise NotFoundError(f"Several scripts are called {text[:80]!r}.", hint=f"Name one by its id: {ids}.")
    raise NotFoundError(f"There is no script {text[:80]!r}.", hint="studio.scripts lists those that are.")
