"""Choosing among the results of a search: by length, by title and artist, and never the first blindly."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfa_kernel.sources.downloads.judge import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.sources.song import Song

__all__ = ["Result", "choose", "ranked"]

FAR = 7.0  # s: an upload may have some silence more, another version differs by more
NEAR = 1.0  # s: what a length in whole seconds may hide
ENOUGH = 0.75  # of the title's words

# Other recordings of a song, as people call them.
_VERSIONS = re.compile(
    r"\b(live|cover|remix|karaoke|instrumental|acoustic|unplugged|sped up|speed up|slowed|nightcore|8d|reverb|reaction|"
    r"mashup|bootleg|tribute|demo|lesson|tutorial|parody|concert|drumless|backing track|reversed|vip mix|extended|"
    r"a ?cappella)(?:ed)?\b"
)
_REMARK = re.compile(r"[(\[].*?[)\]]|\s[-–—]\s.*$|\s(?:feat|ft|featuring)\b.*$")
_OFFICIAL = re.compile(r"\bofficial\b|\btopic\b|vevo\b|\bprovided to youtube\b")


@dataclass(frozen=True)
class Result:
    """What a search found.

    Attributes
    ----------
    title, channel
        As whoever put it there calls it and is called.
    duration
        In seconds; None where unknown.
    url
        ``http`` or ``https``.
    """

    title: str
    channel: str
    duration: float | None
    url: str


def choose(results: Sequence[Result], song: Song) -> Result | None:
    """The result that is the song; None when none is."""
    return next(iter(ranked(results, song)), None)


def ranked(results: Sequence[Result], song: Song) -> list[Result]:
    """The results that may be the song, the best first; of equals the one that was found first.

    None are where neither artist nor length is known: a title by itself is that of many songs.
    """
    if not song.artist and not song.duration:
        return []
    scores = [(_score(result, song), result) for result in results]
    fitting = [(score, result) for score, result in scores if score is not None]
    return [result for _, result in sorted(fitting, key=lambda pair: pair[0], reverse=True)]


def _score(result: Result, song: Song) -> float | None:
    """How well a result fits; None when it cannot be the song."""
    title, where = _plain(result.title), _plain(f"{result.title} {result.channel}")
    asked = _plain(f"{song.title} {song.artist} {song.album}")
    # Said once more than the song says it, it is said of the recording: "Live Forever (Live)".
    if Counter(_VERSIONS.findall(title)) - Counter(_VERSIONS.findall(asked)):
        return None
    if set(_VERSIONS.findall(_plain(song.title))) - set(_VERSIONS.findall(title)):
        return None
    covered = _share(_words(_REMARK.sub("", _plain(song.title))) or _words(_plain(song.title)), where)
    artist = _names_artist(song.artist, where)
    apart = _apart(result.duration, song.duration)
    if covered < ENOUGH or not artist or apart is None:
        return None
    # What else the title says speaks of something else, or of nothing.
    foreign = 1 - _share(_words(title), asked)
    return covered - 0.5 * apart / FAR - 0.3 * foreign + (0.2 if _OFFICIAL.search(where) else 0.0)


def _apart(found: float | None, wanted: float | None) -> float | None:
    """By how many seconds the lengths differ; None when that is too much, or cannot be told."""
    if not wanted:
        return 0.0
    if found is None:
        return None
    apart = abs(found - wanted)
    return apart if apart <= min(FAR, TOLERANCE * wanted + NEAR) else None


def _names_artist(artists: str, where: str) -> bool:
    """Whether any of the artists is named; names of channels are often written without spaces."""
    run_together = "".join(_words(where))
    names = ["".join(_words(_plain(name))) for name in artists.split(",")]
    return not any(names) or any(name in run_together for name in names if name)


def _share(words: Sequence[str], text: str) -> float:
    """How many of the words are in a text."""
    there = set(_words(text))
    found = [word for word in words if word in there or (not word.isascii() and word in text)]
    return len(found) / len(words) if words else 1.0


def _words(plain: str) -> list[str]:
    return re.findall(r"\w+", plain.replace("'", "").replace("’", ""))


def _plain(text: str) -> str:
    """In lower case and without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
