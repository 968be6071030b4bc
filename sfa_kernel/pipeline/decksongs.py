"""The songs of a script as the decks take them, from the catalogue; what takes long to read is read where work runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sfa_kernel.catalog import analyses, corrections, hotcues, stems, tracks
from sfa_kernel.errors import NotFoundError
from sfa_kernel.pipeline.originals import present

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.corrections import CorrectionRow
    from sfa_kernel.catalog.cues import CueRow
    from sfa_kernel.catalog.tracks import TrackRow
    from sfa_kernel.dj.songs import DeckSong
    from sfa_kernel.storage import Storage

# As for a page, which has to hold them in memory (widgets/src/engine/memory.ts): of longer songs there are no stems.
LONGEST_WITH_STEMS = 20 * 60.0  # s
LONGEST_SUM = 60 * 60.0  # s, of a song and its stems together

__all__ = ["Source", "sources", "titles"]


@dataclass(frozen=True)
class Source:
    """What a song for a deck is made from; worker processes take it along.

    Attributes
    ----------
    id, name
        Of the track: its id as the script writes it, and what people call it.
    mix, stems
        Its files.
    analysis
        The file of its analysis; None without one.
    corrections, cues
        What people have put right, and its hot cues.
    """

    id: str
    name: str
    mix: Path
    stems: Mapping[str, Path]
    analysis: Path | None
    corrections: Sequence[CorrectionRow]
    cues: Sequence[CueRow]

    def song(self) -> DeckSong:
        """The song.

        Raises
        ------
        NotFoundError
            When one of its files is gone.
        InputError
            When its analysis is damaged.
        """
        from sfa_kernel.analysis import Analysis
        from sfa_kernel.analysis.corrections import apply
        from sfa_kernel.dj.songs import DeckSong, gain_of, tonic_of

        for path in (self.mix, *self.stems.values()):
            present(path)
        found = None if self.analysis is None else apply(Analysis.load(self.analysis), self.corrections)
        # Pages get beats in whole hundredths of a millisecond: what is synced here falls where it does there.
        told = {} if found is None else found.to_dict()
        return DeckSong(
            self.id,
            self.name,
            self.mix,
            self.stems,
            beats=tuple(told.get("beats", ())),
            downbeats=tuple(told.get("downbeats", ())),
            cues=tuple({"time": cue.time, "end": cue.end, "slot": cue.slot} for cue in self.cues),
            gain=gain_of(None, None) if found is None else gain_of(found.lufs, found.true_peak),
            key=None if found is None else tonic_of(found.key),
        )


def sources(connection: Connection, storage: Storage, track_ids: Sequence[str]) -> list[Source]:
    """What the songs of a script are made from.

    Raises
    ------
    NotFoundError
        When one of them is not in the library any more.
    """
    rows = _rows(connection, track_ids)
    ids = [row.id for row in rows]
    heard = {row.track_id: row for row in analyses.find_many(connection, ids)}
    sets = {row.track_id: row for row in stems.all_in_use(connection, ids)}
    parts = stems.of_separations(connection, [row.id for row in sets.values()])
    corrected, cues = corrections.of_tracks(connection, ids), hotcues.of_tracks(connection, ids)
    return [
        Source(
            text,
            _name(row),
            row.path(storage),
            _fitting(row, {part.name: storage.path(part.file) for part in parts if part.track_id == row.id}),
            storage.path(heard[row.id].file) if row.id in heard else None,
            [one for one in corrected if one.track_id == row.id],
            [cue for cue in cues if cue.track_id == row.id],
        )
        for text, row in zip(track_ids, rows, strict=True)
    ]


def _fitting(row: TrackRow, files: dict[str, Path]) -> dict[str, Path]:
    fits = row.duration <= LONGEST_WITH_STEMS and row.duration * (len(files) + 1) <= LONGEST_SUM
    return files if fits else {}


def titles(connection: Connection, track_ids: Sequence[str]) -> list[str]:
    """What people call the songs of a script.

    Raises
    ------
    NotFoundError
        When one of them is not in the library any more.
    """
    return [_name(row) for row in _rows(connection, track_ids)]


def _rows(connection: Connection, track_ids: Sequence[str]) -> list[TrackRow]:
    ids = [identifier for text in track_ids if (identifier := _identifier(text)) is not None]
    found = tracks.find_many(connection, ids)
    gone = [text for text in track_ids if (i := _identifier(text)) not in found or found[i][1]]
    if not gone:
        return [found[identifier][0] for identifier in ids]
    first = _identifier(gone[0])
    known = f"{_name(found[first][0])!r}" if first in found else f"the song with the id {gone[0][:36]!r}"
    others = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
    raise NotFoundError(
        f"The script plays songs that are not in the library any more: {known}{others}.",
        hint="Bring them back, or put others in their place.",
    )


def _identifier(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _name(row: TrackRow) -> str:
    return f"{row.artist} - {row.title}" if row.artist else row.title
