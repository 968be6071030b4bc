"""Controls as attributes: ``deck.volume = 0.8`` sets ``deck.1.volume``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from sfa_kernel.control import Controls

__all__ = ["Section", "Setting"]

T = TypeVar("T", float, bool, str)


class Section:
    """Some of the controls, those whose ids begin with ``prefix``. Nothing can be set but what is there.

    Parameters
    ----------
    controls
        All controls.
    prefix
        Such as ``"deck.1."``.
    """

    __slots__ = ("controls", "prefix")

    def __init__(self, controls: Controls, prefix: str) -> None:
        self.controls = controls
        self.prefix = prefix

    def __repr__(self) -> str:
        names = {name for kind in type(self).__mro__ for name, of in vars(kind).items() if isinstance(of, Setting)}
        settings = ", ".join(f"{name}={getattr(self, name)!r}" for name in sorted(names))
        return f"<{self.prefix.rstrip('.')}: {settings}>"


class Setting(Generic[T]):
    """One control of a section: read it, or set it.

    Parameters
    ----------
    name
        The rest of its id.
    kind
        As what it is read: ``float``, ``bool`` or ``str``.
    """

    def __init__(self, name: str, kind: type[T]) -> None:
        self.name = name
        self.kind: type[T] = kind

    @overload
    def __get__(self, section: None, owner: type) -> Self: ...

    @overload
    def __get__(self, section: Section, owner: type) -> T: ...

    def __get__(self, section: Section | None, owner: type) -> Self | T:
        return self if section is None else self.kind(section.controls[section.prefix + self.name])

    def __set__(self, section: Section, value: T) -> None:
        section.controls.set(section.prefix + self.name, value)
