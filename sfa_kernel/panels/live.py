"""Keeps a widget up to date: follows the library's events and pushes the rows that changed."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sfa_kernel.errors import SfaError
from sfa_kernel.panels.rows import job_counts, job_rows, track_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sfa_kernel.events import Event
    from sfa_kernel.studio import Studio

__all__ = ["Live"]

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.2  # many jobs may report at once; a person sees five updates a second as movement


class Live:
    """Pushes changes to one widget until it is closed.

    Parameters
    ----------
    studio
        Whose events.
    widget
        What to keep up to date; it has ``push(event, data)`` and, once closed, no ``comm``.
    only
        Follow these jobs alone.
    """

    def __init__(self, studio: Studio, widget: Any, *, only: Sequence[UUID] | None = None) -> None:
        self._studio = studio
        self._widget = widget
        self._only = None if only is None else {str(job_id) for job_id in only}
        self._lock = threading.Lock()
        # One push at a time: a slow one must not tell yesterday's news after a quick one.
        self._pushing = threading.Lock()
        self._jobs: set[str] = set()
        self._tracks: set[str] = set()
        self._refresh: set[str] = set()
        self._members_changed = False
        self._fresh: dict[str, int] = {}
        self._timer: threading.Timer | None = None
        self._subscriptions = [
            studio.bus.subscribe("jobs:*", self._on_job),
            studio.bus.subscribe("library", self._on_library),
        ]

    def close(self) -> None:
        """Push nothing more."""
        for subscription in self._subscriptions:
            subscription.close()
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()

    def _on_job(self, event: Event) -> None:
        data = event.data
        if self._only is not None and data["id"] not in self._only:
            return
        with self._lock:
            self._jobs.add(data["id"])
            if data["status"] == "processing":
                self._fresh[data["id"]] = data["progress"]
            else:
                self._fresh.pop(data["id"], None)
            if data.get("track_id"):
                self._tracks.add(data["track_id"])
                if data["status"] == "completed":
                    self._refresh.add(data["track_id"])
        self._schedule()

    def _on_library(self, event: Event) -> None:
        with self._lock:
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
            members_changed, self._members_changed = self._members_changed, False
            fresh = dict(self._fresh)
        if self._widget.comm is None:
            self.close()
            return
        try:
            self._push_changes(jobs, tracks, refresh, members_changed, fresh)
        except SfaError as error:
            logger.warning("A widget could not be updated: %s", error)
        except Exception:
            logger.exception("A widget could not be updated")

    def _push_changes(
        self, jobs: set[str], tracks: set[str], refresh: set[str], members_changed: bool, fresh: dict[str, int]
    ) -> None:
        studio, push = self._studio, self._widget.push
        if members_changed:
            push("tracks.changed", {})
        if jobs:
            changed = studio.ledger.jobs([UUID(i) for i in jobs])
            if self._only is None:
                counts = job_counts(studio)
            else:
                every = studio.ledger.jobs([UUID(i) for i in self._only])
                counts = {status: sum(job.status == status for job in every) for status in job_counts(studio)}
            push("jobs.rows", {"jobs": job_rows(studio, changed, fresh=fresh), "counts": counts})
        if tracks:
            push("tracks.rows", {"rows": track_rows(studio, [UUID(i) for i in tracks], fresh=fresh)})
        for track_id in refresh:
            push("player.refresh", {"id": track_id})
