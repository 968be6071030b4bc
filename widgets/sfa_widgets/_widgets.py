"""The widgets. Each is a name, a bundle, its traits, and a static picture."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from sfa_widgets import figures
from sfa_widgets._base import Bundle, SfaWidget

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AnalysisView",
    "Dashboard",
    "DeckConsole",
    "ImportPanel",
    "JobsBoard",
    "LibraryTable",
    "PlaylistsView",
    "StemMixer",
    "TrackPlayer",
]

PICTURE_ROWS = 10
PICTURE_BARS = 300

# What a stem of a mixer is set to.
MIX = {
    "fader": "a level in dB, from -90 to 6",
    "muted": "True or False",
    "solo": "True or False",
    "pan": "a number from -1 to 1",
}


class LibraryTable(SfaWidget):
    """A searchable, sortable table of any number of tracks.

    Methods it asks: ``tracks.page``, ``tracks.ids``, ``tracks.run``, ``tracks.remove``, ``tracks.restore``,
    ``track.open``, ``art.bytes``, ``demo.add``, ``upload.*``. Events it follows: ``tracks.rows``,
    ``tracks.changed``, ``notice``.
    """

    _esm: ClassVar[Any] = Bundle("library.js")
    _css: ClassVar[Any] = Bundle("library.css")

    selection = traitlets.List(traitlets.Unicode(), help="Ids of the chosen tracks.").tag(sync=True)
    query = traitlets.Unicode("", help="What the table shows: words of title, artist or album.").tag(sync=True)

    def _facts(self) -> dict[str, Any]:
        return {"query": self.query, "selected": len(self.selection)}

    def _picture(self) -> str:
        params = {"query": self.query, "sort": "added_at", "descending": True, "offset": 0, "limit": PICTURE_ROWS}
        page, _ = self._ask("tracks.page", params)
        cells = (
            (
                row["title"],
                row["artist"] or "",
                f"{row['bpm']:.1f}" if row["bpm"] is not None else "–",
                row["camelot"] or "–",
                _clock(row["duration"]),
            )
            for row in page["rows"]
        )
        table = _table(("Title", "Artist", "Tempo", "Key", "Time"), cells)
        more = page["total"] - len(page["rows"])
        note = f"<p>and {more:,} more</p>" if more > 0 else ""
        return f"{table}{note}"


class TrackPlayer(SfaWidget):
    """A player: overview, zoomed waveform, beat grid, sections, cues, and a fader for each stem.

    Methods it asks: ``player.load``, ``stems.*``, ``audio.bytes``. Events it follows: ``player.open``,
    ``player.play``, ``player.pause``, ``player.seek``, ``player.refresh``.
    """

    _esm: ClassVar[Any] = Bundle("player.js")
    _css: ClassVar[Any] = Bundle("player.css")

    track_id = traitlets.Unicode("", help="The track in the player; empty for none.").tag(sync=True)
    position = traitlets.Float(0.0, help="The playhead, in seconds; at most two updates a second.").tag(sync=True)
    playing = traitlets.Bool(False, help="Whether it plays.").tag(sync=True)
    selection = traitlets.List(
        traitlets.Float(), maxlen=2, help="What is marked, as [start, end] in seconds; empty for nothing."
    ).tag(sync=True)

    def load(self, track_id: str) -> None:
        """Put a track into the player."""
        self.track_id = track_id
        self.push("player.open", {"id": track_id})

    def play(self) -> None:
        """Start the sound; a page that was never clicked may refuse until it is."""
        self.push("player.play", {})

    def pause(self) -> None:
        """Stop the sound and keep the place."""
        self.push("player.pause", {})

    def seek(self, seconds: float) -> None:
        """Move the playhead.

        Parameters
        ----------
        seconds
            Where to; outside of the song it goes to the nearer end.
        """
        self.push("player.seek", {"time": float(seconds)})

    def _facts(self) -> dict[str, Any]:
        return {"playing": self.playing, "position": round(self.position, 1)}

    def _picture(self) -> str:
        if not self.track_id:
            return "<p>No track is open.</p>"
        loaded, buffers = self._ask("player.load", {"id": self.track_id})
        track = loaded["track"]
        caption = " · ".join(part for part in (track["title"], track["artist"], _clock(track["duration"])) if part)
        header = loaded["waveforms"].get("mix")
        drawing = _overview(header, buffers) if header else ""
        return f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>"


class StemMixer(TrackPlayer):
    """The stems of a track, each with fader, mute, solo, pan, meter and waveform; two sets of them beside each other.

    ``mix`` is what each stem is set to, and sets it: by the stem's name ``fader`` in dB from -90, which is silent, to
    6, ``muted``, ``solo``, and ``pan`` from -1 (left) to 1 (right). What is left out is as it was made. Methods it
    asks: those of :class:`TrackPlayer`. Events it follows: the same.

    Examples
    --------
    >>> mixer.mix = {"vocals": {"muted": True}, "drums": {"fader": -6}}     # doctest: +SKIP
    >>> mixer.mix["drums"]                                                  # doctest: +SKIP
    {'fader': -6.0, 'muted': False, 'solo': False, 'pan': 0}
    """

    _esm: ClassVar[Any] = Bundle("mixer.js")
    _css: ClassVar[Any] = Bundle("mixer.css")

    set_id = traitlets.Unicode("", help="The set of stems in the mixer; empty for the one in use.").tag(sync=True)
    compare_id = traitlets.Unicode("", help="The set that it is compared with; empty for none.").tag(sync=True)
    mix = traitlets.Dict(help="What each stem is set to, by its name.").tag(sync=True)
    listen = traitlets.Enum(
        ["song", "stems"], default_value="song", help="Whether the song is heard, or its stems as they are set."
    ).tag(sync=True)

    @traitlets.validate("mix")
    def _valid_mix(self, proposal: dict[str, Any]) -> dict[str, Any]:
        for stem, setting in proposal["value"].items():
            if not isinstance(setting, dict):
                raise traitlets.TraitError(f"{stem!r} has to be set by a dict such as {{'fader': -6.0}}.")
            for name, value in setting.items():
                if name not in MIX:
                    raise traitlets.TraitError(f"A stem has no {name!r}; it has {', '.join(MIX)}.")
                if isinstance(value, bool) != (name in ("muted", "solo")) or not isinstance(value, int | float):
                    raise traitlets.TraitError(f"{name!r} of {stem!r} has to be {MIX[name]}.")
        checked: dict[str, Any] = proposal["value"]
        return checked

    def _facts(self) -> dict[str, Any]:
        return {"playing": self.playing, "listen": self.listen}

    def _picture(self) -> str:
        if not self.track_id:
            return "<p>No track is open.</p>"
        loaded, buffers = self._ask("player.load", {"id": self.track_id})
        made = next((made for made in loaded["sets"] if made["in_use"]), None)
        waveforms = loaded["waveforms"]
        if self.set_id:
            shown, buffers = self._ask("stems.load", {"set": self.set_id})
            made, waveforms = shown["set"], shown["waveforms"]
        track = loaded["track"]
        caption = " · ".join(part for part in (track["title"], track["artist"], _clock(track["duration"])) if part)
        if made is None:
            return f"<p>{escape(caption)}: not separated yet.</p>"
        stems = figures.stems(made, waveforms, buffers)
        return f"<figure><figcaption>{escape(caption)}</figcaption>{stems}</figure>"


class AnalysisView(TrackPlayer):
    """The pictures of an analysis on one time axis: features, structure, beat grid, energy, chroma, spectrum, MFCC.

    What is marked in them is ``selection``. A second track is shown under the first to compare. Methods it asks:
    those of :class:`TrackPlayer`, ``analysis.load``, ``analysis.correct``, ``analysis.undo``, ``cue.*``,
    ``tracks.run``. Events it follows: those of :class:`TrackPlayer` and ``analysis.changed``.
    """

    _esm: ClassVar[Any] = Bundle("analysis.js")
    _css: ClassVar[Any] = Bundle("analysis.css")

    compare_id = traitlets.Unicode("", help="The track that is compared; empty for none.").tag(sync=True)
    pictures = traitlets.List(
        traitlets.Enum(list(figures.PICTURES)),
        default_value=list(figures.PICTURES),
        help="The pictures that are shown.",
    ).tag(sync=True)

    def _facts(self) -> dict[str, Any]:
        return {"pictures": list(self.pictures), "selection": [round(time, 2) for time in self.selection]}

    def _picture(self) -> str:
        if not self.track_id:
            return "<p>No track is open.</p>"
        loaded, buffers = self._ask("analysis.load", {"id": self.track_id})
        track = loaded["track"]
        caption = " · ".join(part for part in (track["title"], track["artist"], _clock(track["duration"])) if part)
        song = figures.read(loaded, buffers)
        if song is None:
            return f"<p>{escape(caption)}: not analysed yet.</p>"
        other = figures.read(*self._ask("analysis.load", {"id": self.compare_id})) if self.compare_id else None
        return (
            f"<figure><figcaption>{escape(caption)}</figcaption>{figures.pictures(song, self.pictures, other)}</figure>"
        )


class JobsBoard(SfaWidget):
    """How each queue stands, what runs, how far and how long still; failures with the reason and the way out.

    Methods it asks: ``jobs.list``, ``jobs.show``, ``jobs.log``, ``jobs.watch``, ``jobs.cancel``,
    ``jobs.cancel_all``, ``jobs.retry``, ``jobs.retry_failed``, ``jobs.prune``. Events it follows:
    ``jobs.rows``, ``jobs.changed``, ``jobs.log``, ``notice``.
    """

    _esm: ClassVar[Any] = Bundle("jobs.js")
    _css: ClassVar[Any] = Bundle("jobs.css")

    compact = traitlets.Bool(False, help="One line for each track instead of the whole board.").tag(sync=True)

    def _facts(self) -> dict[str, Any]:
        return {"compact": self.compact}

    def _picture(self) -> str:
        rows: list[dict[str, Any]] = []
        for status in ["all"] if self.compact else ["failed", "running"]:
            params = {"status": status, "queue": None, "offset": 0, "limit": PICTURE_ROWS}
            answer, _ = self._ask("jobs.list", params)
            rows += answer["jobs"]
        counts = ", ".join(f"{count:,} {status}" for status, count in answer["counts"].items() if count)
        cells = (
            (
                row["kind"],
                row["title"] or "",
                f"{row['progress']} %" if row["status"] in ("downloading", "processing") else row["status"],
                f"{row['attempt']} of {row['max_attempts']}",
                row["error"] or "",
            )
            for row in rows[:PICTURE_ROWS]
        )
        table = _table(("Job", "Song", "Status", "Attempt", "Reason"), cells) if rows else ""
        return f"<p>Jobs: {escape(counts or 'none')}.</p>{table}"


class PlaylistsView(SfaWidget):
    """The playlists beside what is in one of them: to arrange, to fill, to rename, to take away.

    Methods it asks: ``playlists.*``, ``track.open``, ``art.bytes``, ``downloads.state``, and those of what brings songs
    in. Events it follows: ``playlists.changed``, ``sources.changed``, ``tracks.rows``, ``notice``.
    """

    _esm: ClassVar[Any] = Bundle("playlists.js")
    _css: ClassVar[Any] = Bundle("playlists.css")

    playlist_id = traitlets.Unicode("", help="The playlist that is open; empty for none.").tag(sync=True)
    selection = traitlets.List(traitlets.Unicode(), help="Ids of the tracks chosen in it.").tag(sync=True)

    def _facts(self) -> dict[str, Any]:
        return {"playlist": self.playlist_id[:8], "selected": len(self.selection)}

    def _picture(self) -> str:
        if not self.playlist_id:
            rows = self._ask("playlists.list", {})[0]["playlists"]
            cells = ((row["name"], f"{row['here']:,}", _clock(row["duration"]), row["sentence"]) for row in rows)
            return _table(("Playlist", "Tracks", "Time", ""), cells)
        params = {"id": self.playlist_id, "offset": 0, "limit": PICTURE_ROWS}
        page, _ = self._ask("playlists.page", params)
        songs = (
            (entry["track"] or {"bpm": None, "camelot": None, **entry["song"]}, entry["position"] + 1)
            for entry in page["entries"]
        )
        table = _table(
            ("", "Title", "Artist", "Tempo", "Key", "Time"),
            (
                (
                    str(place),
                    song["title"],
                    song["artist"] or "",
                    f"{song['bpm']:.1f}" if song["bpm"] is not None else "–",
                    song["camelot"] or "–",
                    _clock(song["duration"]),
                )
                for song, place in songs
            ),
        )
        more = page["total"] - len(page["entries"])
        note = f"<p>and {more:,} more</p>" if more > 0 else ""
        return f"<p>{escape(page['playlist']['name'])}</p>{table}{note}"


class ImportPanel(SfaWidget):
    """Brings songs in: files, a link, a folder, the playlists of an account; then how far it is.

    Methods it asks: ``upload.*``, ``links.*``, ``spotify.*``, ``folders.*``, ``downloads.*``, ``credentials.*``,
    ``jobs.show``, ``jobs.retry``, ``batch.*``. Events it follows: ``jobs.rows``, ``jobs.changed``, ``sources.changed``,
    ``playlists.changed``, ``notice``.
    """

    _esm: ClassVar[Any] = Bundle("sources.js")
    _css: ClassVar[Any] = Bundle("sources.css")

    link = traitlets.Unicode("", help="A link that is looked at once it is shown.").tag(sync=True)

    def _facts(self) -> dict[str, Any]:
        return {"link": self.link}

    def _picture(self) -> str:
        if not self.link:
            return "<p>Songs are brought in here while the notebook runs.</p>"
        found, _ = self._ask("links.preview", {"link": self.link})
        if found["preview"] is None:
            return f"<p>{escape(self.link)}: nobody has looked at it yet.</p>"
        preview = found["preview"]
        songs = preview["songs"][:PICTURE_ROWS]
        cells = (
            (song["title"], song["artist"], "yes" if song["here"] else "", _clock(song["duration"])) for song in songs
        )
        more = preview["total"] - len(songs)
        note = f"<p>and {more:,} more</p>" if more > 0 else ""
        return f"<p>{escape(preview['name'])}</p>{_table(('Title', 'Artist', 'Here', 'Time'), cells)}{note}"


class DeckConsole(SfaWidget):
    """Two to four decks and a mixer between them: waveforms, transport, hot cues, loops, stems, equalisers, effects.

    The page that shows it makes the sound. What its controls stand at is no trait but is told in messages, as one page
    alone plays. Methods it asks: ``decks.*``, ``scripts.*``, ``presets.*``, ``automix.*``, ``recordings.*``,
    ``tracks.page``, ``analysis.correct``, ``analysis.undo``, ``audio.bytes``. Events it follows: ``control.set``,
    ``decks.*``, ``scripts.changed``, ``presets.changed``, ``automix.plan``, ``analysis.changed``, ``player.refresh``,
    ``tracks.rows``, ``notice``.
    """

    _esm: ClassVar[Any] = Bundle("decks.js")
    _css: ClassVar[Any] = Bundle("decks.css")

    def _picture(self) -> str:
        state, _ = self._ask("decks.state", {})
        cells = (
            (
                str(row["deck"]),
                " · ".join(part for part in (row["title"], row["artist"]) if part) or "–",
                f"{row['tempo']:.2f}" if row["tempo"] is not None else "–",
                f"{_clock(row['position'])} of {_clock(row['duration'])}" if row["title"] else "–",
                "playing" if row["playing"] else "",
            )
            for row in state["decks"]
        )
        return _table(("Deck", "Song", "Tempo", "Place", ""), cells)


class Dashboard(SfaWidget):
    """The whole studio on one page: library, player, decks, jobs and settings.

    It asks and follows all that the other widgets do, and ``track.show`` and ``doctor``.
    """

    _esm: ClassVar[Any] = Bundle("dashboard.js")
    _css: ClassVar[Any] = Bundle("dashboard.css")

    selection = traitlets.List(traitlets.Unicode(), help="Ids of the tracks chosen in the library.").tag(sync=True)
    query = traitlets.Unicode("", help="What the library shows.").tag(sync=True)
    track_id = traitlets.Unicode("", help="The track in the player; empty for none.").tag(sync=True)
    position = traitlets.Float(0.0, help="The playhead, in seconds; at most two updates a second.").tag(sync=True)
    playing = traitlets.Bool(False, help="Whether it plays.").tag(sync=True)
    time_selection = traitlets.List(
        traitlets.Float(), maxlen=2, help="What is marked in the song, as [start, end] in seconds."
    ).tag(sync=True)

    def _facts(self) -> dict[str, Any]:
        return {"query": self.query, "selected": len(self.selection), "playing": self.playing}


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return an HTML table; what is in the cells is text."""
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{lines}</tbody></table>"


def _clock(seconds: float | None) -> str:
    """Return minutes and seconds, "3:07"."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _overview(header: dict[str, Any], buffers: list[Any]) -> str:
    """Draw the coarsest level of a waveform as a small SVG of vertical strokes."""
    level = header["levels"][-1]
    data = np.frombuffer(buffers[level["buffer"]], dtype=np.int8).reshape(level["bins"], 4, 3)
    low, high = data[:, 0, 0].astype(int), data[:, 0, 1].astype(int)
    edges = np.linspace(0, len(low), min(PICTURE_BARS, len(low)) + 1).astype(int)[:-1]
    tops, bottoms = np.maximum.reduceat(high, edges), np.minimum.reduceat(low, edges)
    path = "".join(
        f"M{x} {50 - top * 50 // 127}V{50 - bottom * 50 // 127}"
        for x, (top, bottom) in enumerate(zip(tops, bottoms, strict=True))
    )
    return (
        f'<svg viewBox="0 0 {len(edges)} 100" width="100%" height="80" preserveAspectRatio="none" role="img">'
        f'<path d="{path}" stroke="#3b82f6" fill="none"/></svg>'
    )
