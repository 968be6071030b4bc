"""What is exported, as plain values: a song, a set of its stems, what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import NotFoundError
from sfa_kernel.exporting.tagging import Tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sfa_kernel.exporting.document import Findings

__all__ = ["Item", "Song", "Stem", "StemSet", "spoken"]

_COVERS = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif"}


@dataclass(frozen=True)
class Song:
    """A song of the library.

    Attributes
    ----------
    title, artist, album, genre
        Its tags; empty where unknown.
    year
        When it came out.
    bpm, key, camelot
        What its analysis says, a person's corrections included: ``127.35``, ``"A minor"``, ``"8A"``.
    duration
        [s]
    file, content_hash
        Its sound, and the SHA-256 of the file that was added.
    cover
        A picture.
    """

    title: str
    artist: str
    album: str
    genre: str
    year: int | None
    bpm: float | None
    key: str | None
    camelot: str | None
    duration: float
    file: Path
    content_hash: str
    cover: Path | None


@dataclass(frozen=True)
class Stem:
    """One stem: its name, such as ``"lead_vocals"``, and its sound."""

    name: str
    file: Path


@dataclass(frozen=True)
class StemSet:
    """What one separation made of a song.

    Attributes
    ----------
    engine, model, settings
        What separated; the model is empty where an engine has but one.
    start, end
        Of the region [s]; None for the whole song.
    residual_db
        Energy of the mix minus the sum of the stems, relative to the mix [dB].
    report
        How good the stems are; None when nobody measured it.
    created_at
        ISO 8601.
    stems
        In the mixer's order.
    """

    engine: str
    model: str
    settings: Mapping[str, Any]
    start: float | None
    end: float | None
    residual_db: float
    report: Mapping[str, Any] | None
    created_at: str
    stems: tuple[Stem, ...]


@dataclass(frozen=True)
class Item:
    """A song with what is to be exported of it.

    Attributes
    ----------
    stem_set
        Its stems; None before it is separated.
    findings
        What was found out about it; None before it is analysed.
    """

    song: Song
    stem_set: StemSet | None = None
    findings: Findings | None = None

    def stems(self) -> StemSet:
        """Its stems.

        Raises
        ------
        NotFoundError
            When it has none.
        """
        if self.stem_set is None or not self.stem_set.stems:
            raise NotFoundError(f"{self.song.title!r} has no stems yet.", hint="Separate it first.")
        return self.stem_set

    def stem(self, name: str) -> Stem:
        """One of its stems.

        Raises
        ------
        NotFoundError
            When it has no such stem, or none at all.
        """
        stems = {stem.name: stem for stem in self.stems().stems}
        if name not in stems:
            raise NotFoundError(
                f"The stems of {self.song.title!r} have no {spoken(name) or 'nameless one'}.",
                hint=f"Choose from {', '.join(stems)}.",
            )
        return stems[name]

    def found(self) -> Findings:
        """What was found out about it.

        Raises
        ------
        NotFoundError
            When it was never analysed.
        """
        if self.findings is None:
            raise NotFoundError(f"{self.song.title!r} has no analysis yet.", hint="Analyse it first.")
        return self.findings

    def fields(self, stem: str) -> dict[str, str]:
        """What a template of names is filled with.

        Parameters
        ----------
        stem
            What the file holds: the name of a stem, or another word.
        """
        song = self.song
        return {
            "artist": song.artist,
            "title": song.title,
            "album": song.album,
            "year": "" if song.year is None else str(song.year),
            "genre": song.genre,
            "bpm": "" if song.bpm is None else f"{song.bpm:.2f}".rstrip("0").rstrip("."),
            "key": song.key or "",
            "camelot": song.camelot or "",
            "stem": spoken(stem),
            "engine": self.stem_set.engine if self.stem_set else "",
            "model": self.stem_set.model if self.stem_set else "",
        }

    def tags(self, stem: str = "") -> Tags:
        """The tags of a file that holds a stem, or of one that holds the song."""
        song = self.song
        cover, mime = _cover(song.cover)
        return Tags(
            title=f"{song.title} ({spoken(stem)})" if stem else song.title,
            artist=song.artist,
            album=song.album,
            genre=song.genre,
            year=song.year,
            bpm=song.bpm,
            key=_short(song.key),
            cover=cover,
            cover_mime=mime,
        )


def spoken(name: str) -> str:
    """A stem's name as people say it: ``lead vocals``."""
    return name.replace("_", " ")


def _short(key: str | None) -> str:
    """A key as DJ software writes it: ``Am`` for A minor, ``F#`` for F# major."""
    tonic, _, mode = (key or "").partition(" ")
    return f"{tonic}m" if mode == "minor" else tonic


def _cover(path: Path | None) -> tuple[bytes | None, str]:
    """The picture and its type; none when its file cannot be read, for the music is still there."""
    if path is None or path.suffix not in _COVERS:
        return None, ""
    try:
        return path.read_bytes(), _COVERS[path.suffix]
    except OSError:
        return None, ""
