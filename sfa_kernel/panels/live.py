"""Keeps a widget up to date: follows the library's events and pushes the rows that changed."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.catalog import corrections as correction_table
from sfa_kernel.catalog import cues as cue_table
from sfa_kernel.catalog.jobs import RUNNING
from sfa_kernel.errors import SfaError
from sfa_kernel.jobs.log import read_log
from sfa_kernel.panels.library import cue_rows, identifiers
from sfa_kernel.panels.news import batch_notice
from sfa_kernel.panels.rows import job_rows, log_part, overview, track_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.events import Event, Subscription
    from sfa_kernel.runs import Run
    from sfa_kernel.studio import Studio

__all__ = ["Live"]

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2  # many jobs may report at once; a person sees five updates a second as movement
MOST_ROWS = 200  # of more rows that changed at once, the page asks for those that it shows
LISTS_SECONDS = 2.0  # how often a page looks at its playlists anew while tracks come in
MOST_VIEWS = 8  # of one widget that follow a log; a view that was left without a word is forgotten in time


class Live:
    """Pushes changes to one widget until it is closed.

    Parameters
    ----------
    studio
        Whose events.
    widget
        What to keep up to date; it has ``push(event, data)`` and, once closed, no ``comm``.
    only
        Follow the jobs of this run alone.
    news
        Tell when long work ends.
    sources
        Tell of playlists, and of where songs come from.
    decks
        Tell of the hot cues of songs in decks, and of scripts and presets.
    """

    def __init__(
        self,
        studio: Studio,
        widget: Any,
        *,
        only: Run | None = None,
        news: bool = False,
        sources: bool = False,
        decks: bool = False,
    ) -> None:
        self._studio = studio
        self._widget = widget
        self._only = only
        self._only_ids = set() if only is None else {str(job_id) for job_id in only.ids}
        self._lock = threading.Lock()
        # One push at a time: a slow one must not tell yesterday's news after a quick one.
        self._pushing = threading.Lock()
        self._jobs: set[str] = set()
        self._tracks: set[str] = set()
        self._refresh: set[str] = set()
        self._corrected: set[str] = set()
        self._members_changed = False
        self._many_changed = False
        self._fresh: dict[str, tuple[int, int]] = {}
        self._notices: list[dict[str, Any]] = []
        self._playlists: set[str] = set()
        self._any_playlist = False  # tracks or downloads changed: whatever is in a list may be another
        self._lists_told = -LISTS_SECONDS
        self._tells_sources = sources
        self._tells_decks = decks
        self._kept: set[str] = set()  # what of the decks' scripts and presets has changed
        self._sources: set[str] = set()
        self._watched: dict[str, UUID] = {}  # which view of the widget shows the log of which job
        self._offsets: dict[UUID, int] = {}  # how far each of these logs was pushed
        self._logs: set[UUID] = set()
        self._timer: threading.Timer | None = None
        self._subscriptions: list[Subscription] = [
            studio.bus.subscribe("jobs:*", self._on_job),
            studio.bus.subscribe("jobs", self._on_many),
            studio.bus.subscribe("library", self._on_library),
        ]
        if sources:
            self._subscriptions += [
                studio.bus.subscribe("playlists", self._on_playlists),
                studio.bus.subscribe("sources", self._on_sources),
            ]
        if decks:
            self._subscriptions += [studio.bus.subscribe(topic, self._on_kept) for topic in ("scripts", "presets")]
        if news:
            self._subscriptions.append(studio.bus.subscribe("batch:*", self._on_batch))
            widget.handle("jobs.watch", self._watch)

    def close(self) -> None:
        """Push nothing more."""
        for subscription in self._subscriptions:
            subscription.close()
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()

    def _watch(self, params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        """Push the log of a job as it grows, as long as a view of the widget shows it."""
        view = str(params.get("view"))
        job_id = None if params.get("id") is None else identifiers(params)[0]
        offset = 0 if job_id is None else read_log(self._studio.storage.path("logs"), job_id)[1]
        with self._lock:
            self._watched.pop(view, None)
            if job_id is not None:
                self._watched[view] = job_id
                self._offsets.setdefault(job_id, offset)
                while len(self._watched) > MOST_VIEWS:
                    del self._watched[next(iter(self._watched))]
            self._offsets = {i: self._offsets[i] for i in set(self._watched.values())}
            if self._watched and not any(s.pattern == "log:*" for s in self._subscriptions):
                self._subscriptions.append(self._studio.bus.subscribe("log:*", self._on_log))
        return {}

    def _on_log(self, event: Event) -> None:
        job_id = UUID(event.topic.partition(":")[2])
        with self._lock:
            if job_id not in self._offsets:
                return
            self._logs.add(job_id)
        self._schedule()

    def _on_batch(self, event: Event) -> None:
        notice = None if "paused" in event.data else batch_notice(event.data)
        if notice is not None:
            with self._lock:
                self._notices.append(notice)
            self._schedule()

    def _on_job(self, event: Event) -> None:
        data = event.data
        if not self._follows(data):
            return
        with self._lock:
            self._jobs.add(data["id"])
            if data["status"] in RUNNING:
                attempt, progress = data["attempt"], data["progress"]
                # The word of an attempt that was given up may come late.
                if (attempt, progress) > self._fresh.get(data["id"], (0, 0)):
                    self._fresh[data["id"]] = (attempt, progress)
            else:
                self._fresh.pop(data["id"], None)
            if data["kind"] == "download" or (data.get("track_id") and data["status"] == "completed"):
                self._any_playlist = True
            if data.get("track_id") and data["kind"] != "export":  # which leaves the song as it is
                self._tracks.add(data["track_id"])
                if data["status"] == "completed":
                    self._refresh.add(data["track_id"])
        self._schedule()

    def _follows(self, data: Mapping[str, Any]) -> bool:
        """Whether a job is one of those that this widget shows."""
        if self._only is None or data["id"] in self._only_ids:
            return True
        return data.get("batch_id") in [str(batch_id) for batch_id in self._only.batches]

    def _on_many(self, event: Event) -> None:
        """Jobs were forgotten, or a batch paused or resumed."""
        with self._lock:
            self._many_changed = True
        self._schedule()

    def _on_playlists(self, event: Event) -> None:
        with self._lock:
            self._playlists |= set(event.data.get("changed", ()))
        self._schedule()

    def _on_sources(self, event: Event) -> None:
        with self._lock:
            self._sources |= set(event.data.get("what", ()))
        self._schedule()

    def _on_kept(self, event: Event) -> None:
        with self._lock:
            self._kept.add(event.topic)
        self._schedule()

    def _on_library(self, event: Event) -> None:
        by_hand = {i for what in ("corrected", "cues") for i in event.data.get(what, ())}
        stems = set(event.data.get("stems", ()))  # other sets of stems than before
        with self._lock:
            self._corrected |= by_hand
            self._refresh |= stems
            self._tracks |= by_hand | stems
            self._any_playlist = True
            if not by_hand and not stems:
                self._members_changed = True
        self._schedule()

    def _schedule(self) -> None:
        with self._lock:
            if self._timer is None:
                self._timer = threading.Timer(PAUSE_SECONDS, self._push)
                self._timer.daemon = True
                self._timer.start()

    def _push(self) -> None:
        with self._lock:
            self._timer = None
        with self._pushing:
            self._push_all()

    def _push_all(self) -> None:
        with self._lock:
            jobs, self._jobs = self._jobs, set()
            tracks, self._tracks = self._tracks, set()
            refresh, self._refresh = self._refresh, set()
            corrected, self._corrected = self._corrected, set()
            members_changed, self._members_changed = self._members_changed, False
            many_changed, self._many_changed = self._many_changed, False
            logs, self._logs = self._logs, set()
            notices, self._notices = self._notices, []
            playlists, self._playlists = self._playlists, set()
            sources, self._sources = self._sources, set()
            kept, self._kept = self._kept, set()
            fresh = dict(self._fresh)
        if self._widget.comm is None:
            self.close()
            return
        try:
            self._push_jobs(jobs, many_changed, fresh)
            self._push_tracks(tracks, refresh, members_changed or len(tracks) > MOST_ROWS, fresh)
            loaded = set(map(str, self._studio.decks().loaded.values())) if self._tells_decks else set()
            for track_id in corrected - refresh:
                made = self._by_hand(UUID(track_id))
                self._widget.push("analysis.changed", {"id": track_id, **made})
                if track_id in loaded:
                    self._widget.push("decks.cues", {"id": track_id, "cues": made["cues"]})
            for job_id in logs:
                self._push_log(job_id)
            for notice in notices:
                self._widget.push("notice", notice)
            if playlists:
                self._widget.push("playlists.changed", {"ids": sorted(playlists)})
            if sources:
                self._widget.push("sources.changed", {"what": sorted(sources)})
            for what in kept:
                self._widget.push(f"{what}.changed", {})
            self._push_any_playlist()
        except SfaError as error:
            logger.warning("A widget could not be updated: %s", error)
        except Exception:
            logger.exception("A widget could not be updated")

    def _push_any_playlist(self) -> None:
        """Where thousands of tracks come in, the page looks at its playlists now and then."""
        if not self._tells_sources or not self._any_playlist:
            return
        now = time.monotonic()
        if now - self._lists_told < LISTS_SECONDS:
            self._schedule()
            return
        self._any_playlist, self._lists_told = False, now
        self._widget.push("playlists.changed", {"ids": []})

    def _by_hand(self, track_id: UUID) -> dict[str, Any]:
        """What people made of a track: the page that made it sees that it holds it already."""
        with self._studio.catalog.read() as connection:
            corrections = correction_table.of_track(connection, track_id)
            cues = cue_table.of_track(connection, track_id)
        return {"corrections": [str(row.id) for row in corrections], "cues": cue_rows(cues)}

    def _push_tracks(
        self, tracks: set[str], refresh: set[str], members_changed: bool, fresh: dict[str, tuple[int, int]]
    ) -> None:
        if members_changed:
            self._widget.push("tracks.changed", {})
        if 0 < len(tracks) <= MOST_ROWS:
            rows = track_rows(self._studio, [UUID(i) for i in tracks], fresh=fresh)
            self._widget.push("tracks.rows", {"rows": rows})
        for track_id in refresh:
            self._widget.push("player.refresh", {"id": track_id})

    def _push_jobs(self, jobs: set[str], many_changed: bool, fresh: dict[str, tuple[int, int]]) -> None:
        if not jobs and not many_changed:
            return
        stand = overview(self._studio, only=self._only)
        if many_changed or len(jobs) > MOST_ROWS:
            self._widget.push("jobs.changed", stand)
            return
        changed = self._studio.ledger.jobs([UUID(i) for i in jobs])
        self._widget.push("jobs.rows", {"jobs": job_rows(self._studio, changed, fresh=fresh), **stand})

    def _push_log(self, job_id: UUID) -> None:
        with self._lock:
            offset = self._offsets.get(job_id)
        if offset is None:
            return
        part = log_part(self._studio, job_id, offset)
        if part["next"] > offset:
            self._widget.push("jobs.log", {"id": str(job_id), **part})
            with self._lock:
                if job_id in self._offsets:
                    self._offsets[job_id] = part["next"]
