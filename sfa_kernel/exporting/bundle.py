"""Makes an export: writes its files, and puts several of them into one archive with a manifest."""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sfa_kernel.exporting.document import PROGRAM, document
from sfa_kernel.exporting.nistems import parts_of, write_stem_file
from sfa_kernel.exporting.outline import outline
from sfa_kernel.exporting.sound import INTEGER, common_gain, write_sound
from sfa_kernel.exporting.tagging import write_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sfa_kernel.exporting.material import Item
    from sfa_kernel.exporting.outline import Piece, Wish

__all__ = ["MANIFEST", "Exported", "export"]

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Exported:
    """A file for a person: what it is to be called, and where it is."""

    name: str
    file: Path


def export(items: Sequence[Item], wanted: Wish, folder: Path, *, at: Callable[[float], None]) -> Exported:
    """Write what a person wants of these songs.

    Stems are written block by block and archived one by one: memory does not grow with the songs' length.

    Parameters
    ----------
    items
        Songs with their stems or findings.
    wanted
        What of them, and in which format.
    folder
        Where to write; of several files only the archive stays.
    at
        Told the share that is done, 0..1; may raise.

    Raises
    ------
    NotFoundError
        When a song has no stems, not this one, or no analysis.
    ParameterError
        When a stem file cannot be made of what is there.
    AudioError
        When a sound cannot be read or written.
    """
    plan = outline(items, wanted)
    gains = _gains(items, wanted)
    done: list[tuple[Piece, dict[str, Any]]] = []

    def write(piece: Piece, path: Path) -> None:
        share = len(done) / len(plan.pieces)
        gain = _write(
            piece, path, wanted, gains.get(id(piece.item), 1.0), lambda part: at(share + part / len(plan.pieces))
        )
        done.append((piece, _described(piece, path, gain)))

    if not plan.archive:
        path = folder / f"export{wanted.suffix}"
        write(plan.pieces[0], path)
        return Exported(plan.name, path)
    archive = folder / "export.zip"
    # Sound does not get smaller by it.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for piece in plan.pieces:
            path = folder / f"piece{wanted.suffix}"
            write(piece, path)
            target.write(path, piece.name)
            path.unlink()
        if wanted.what != "analysis":
            target.writestr(MANIFEST, json.dumps(_manifest(done, wanted), indent=2, ensure_ascii=False))
    return Exported(plan.name, archive)


def _gains(items: Sequence[Item], wanted: Wish) -> dict[int, float]:
    """By what the stems of each song are turned down, all of a set alike, so that they add up to it still."""
    if wanted.what not in ("stem", "stems") or wanted.format not in INTEGER:
        return {}
    return {id(item): common_gain(stem.file for stem in item.stems().stems) for item in items}


def _write(piece: Piece, path: Path, wanted: Wish, gain: float, at: Callable[[float], None]) -> float:
    """Write one file. Returns the factor by which its sound was turned down."""
    if wanted.what == "stem.mp4":
        return write_stem_file(piece.item, path, codec=wanted.format, at=at)
    if wanted.what == "analysis":
        known = document(piece.item.song, piece.item.found())
        path.write_text(json.dumps(known, indent=2, ensure_ascii=False, allow_nan=False), "utf-8")
        at(1.0)
        return 1.0
    write_sound(piece.item.stem(piece.stem).file, path, gain=gain, at=at)
    write_tags(path, piece.item.tags(piece.stem))
    return gain


# -- the manifest -----------------------------------------------------------------------------------------------


def _described(piece: Piece, path: Path, gain: float) -> dict[str, Any]:
    """One file as the manifest lists it."""
    from sfa_kernel import audio

    row: dict[str, Any] = {"file": piece.name, "bytes": path.stat().st_size, "sha256": audio.content_hash(path)}
    if path.suffix == ".json":
        return row
    info = audio.probe(path)
    row |= {
        "sample_rate_hz": info.sample_rate,
        "channels": info.channels,
        "frames": info.frames,
        "duration_s": round(info.duration, 6),
        "gain_db": round(20 * math.log10(gain), 3),
    }
    if piece.stem:
        return {"stem": piece.stem, **row}
    parts = parts_of(piece.item)
    return {**row, "tracks": [["mix"], *([stem.name for stem in part.stems] for part in parts)]}


def _manifest(done: Sequence[tuple[Piece, Mapping[str, Any]]], wanted: Wish) -> dict[str, Any]:
    """What lies in an archive of stems and how it came about; times are in seconds, levels in decibels."""
    items = {id(piece.item): piece.item for piece, _ in done}
    return {
        "program": PROGRAM,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "format": wanted.format,
        "gain": (
            "gain_db is by what a file was turned down to fit below full scale, all stems of a song alike. With that "
            "undone, the stems of a song add up to the song: residual_db says how exactly, before a lossy format."
        ),
        "songs": [
            {**_song(item), "files": [row for piece, row in done if piece.item is item]} for item in items.values()
        ],
    }


def _song(item: Item) -> dict[str, Any]:
    song, stems = item.song, item.stems()
    return {
        "title": song.title,
        "artist": song.artist,
        "album": song.album,
        "genre": song.genre,
        "year": song.year,
        "bpm": song.bpm,
        "key": song.key,
        "camelot": song.camelot,
        "duration_s": song.duration,
        "sha256": song.content_hash,
        "engine": stems.engine,
        "model": stems.model,
        "settings": dict(stems.settings),
        "start_s": stems.start,
        "end_s": stems.end,
        "separated_at": stems.created_at,
        "residual_db": stems.residual_db,
        "report": stems.report,
    }
