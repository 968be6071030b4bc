"""All songs of a link, however long its list: what was fetched is kept, so that who is stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sfa_kernel.audio.files import temporary_beside
from sfa_kernel.progress import Steps, silent
from sfa_kernel.sources.spotify.shapes import Listing, Page, strange

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.progress import Progress
    from sfa_kernel.sources.song import Song
    from sfa_kernel.sources.spotify.client import Client
    from sfa_kernel.sources.spotify.links import Link

__all__ = ["Gathered", "gather"]


@dataclass(frozen=True)
class Gathered:
    """What a link leads to, and all its songs.

    Attributes
    ----------
    listing
        Without its page.
    version
        Tells whether it has changed since; None where only its songs tell.
    songs
        In their order; None when it has the version that was known.
    skipped
        How many of its items are no songs.
    pages
        The folder with the pages that were kept, which are of no more use; None when none were.
    """

    listing: Listing
    version: str | None
    songs: tuple[Song, ...] | None
    skipped: int = 0
    pages: Path | None = None


def gather(
    client: Client, link: Link, folder: Path, *, known: str | None = None, progress: Progress = silent
) -> Gathered:
    """Ask for all songs of a link.

    Parameters
    ----------
    client
        See `sfa_kernel.sources.spotify.client.Client`; what it raises is passed on.
    link
        Where to look.
    folder
        Where pages of long lists are kept. What was kept of the same version is not asked for again.
    known
        The version of which the songs are known already.
    """
    listing = client.look(link)
    version = _version(listing)
    outline = replace(listing, page=None)
    if version is not None and version == known:
        return Gathered(outline, version, None)
    if listing.page is None:
        return Gathered(outline, version, ())
    if listing.page.next is None or version is None:
        pages = list(client.pages(listing))
        return Gathered(outline, version, _songs(pages), _skipped(pages))
    kept = folder / hashlib.sha256(f"{link.uri} {version}".encode()).hexdigest()[:32]
    pages = _go_on(client, listing, kept, Steps(progress))
    return Gathered(outline, version, _songs(pages), _skipped(pages), kept)


def _version(listing: Listing) -> str | None:
    """Which version of a list it is, as far as its first answer tells."""
    if listing.kind != "liked" or listing.page is None:
        return listing.snapshot
    # Who likes one more sees it first, and who likes one less has fewer.
    first = json.dumps([listing.owner, listing.total, listing.page.to_dict()["songs"]])
    return hashlib.sha256(first.encode()).hexdigest()[:32]


def _go_on(client: Client, listing: Listing, folder: Path, steps: Steps) -> list[Page]:
    """All pages, those that are kept first; each that comes is kept."""
    pages = _kept(folder)
    if not pages and listing.page is not None:
        pages = [listing.page]
        _keep(folder, pages)
    asked = {page.next for page in pages[:-1]}
    while (following := pages[-1].next) is not None:
        steps.at(sum(len(page.songs) + page.skipped for page in pages) / max(1, listing.total))
        if following in asked:
            raise strange("a list without an end")
        asked.add(following)
        pages.append(client.page(listing, following))
        _keep(folder, pages)
    return pages


def _kept(folder: Path) -> list[Page]:
    pages: list[Page] = []
    while True:
        try:
            pages.append(Page.from_dict(json.loads((folder / f"{len(pages)}.json").read_text("utf-8"))))
        except FileNotFoundError:
            return pages
        except (ValueError, KeyError, TypeError):
            return []  # not as we write it: begin anew


def _keep(folder: Path, pages: list[Page]) -> None:
    """Keep the last of the pages; it is there as a whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(pages) - 1}.json"
    new = temporary_beside(path)
    try:
        new.write_text(json.dumps(pages[-1].to_dict()), "utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _songs(pages: list[Page]) -> tuple[Song, ...]:
    return tuple(song for page in pages for song in page.songs)


def _skipped(pages: list[Page]) -> int:
    return sum(page.skipped for page in pages)
