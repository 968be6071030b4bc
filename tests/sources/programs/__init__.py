"""Stand-ins for spotDL and yt-dlp: programs that answer and fail as the real ones do, and write real audio.

A folder says what they are to do (``plan.json``) and has what they were asked (``asked.jsonl``), so that any process
may start them.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from tests.sounds import write_song

__all__ = ["Standins", "result"]

PROGRAMS = Path(__file__).parent
SECONDS = 2.0  # how long what they download lasts


class Standins:
    """What the stand-ins are to do.

    Parameters
    ----------
    folder
        Where the plan is kept.
    seconds
        How long the audio lasts that they write [s].
    """

    def __init__(self, folder: Path, *, seconds: float = SECONDS) -> None:
        self.folder = folder
        self.seconds = seconds
        folder.mkdir(parents=True, exist_ok=True)
        write_song(folder / "sound.mp3", seconds=seconds)
        self.plan(spotdl="ok", found=[], pages={})

    def plan(self, **what: Any) -> None:
        """Say what they do next.

        Parameters
        ----------
        spotdl
            What spotDL does: see ``spotdl.py``; or of each id of a song.
        found
            What a search of yt-dlp finds; see `result`.
        pages
            What yt-dlp does with each URL: see ``ytdlp.py``; "ok" where it is not named.
        """
        place = self.folder / "plan.json"
        now = json.loads(place.read_text("utf-8")) if place.exists() else {}
        new = place.with_suffix(".new")
        new.write_text(json.dumps({**now, **what}), "utf-8")
        new.replace(place)

    @property
    def commands(self) -> dict[str, str]:
        """As the settings want them."""
        programs = {"spotdl": "spotdl.py", "yt-dlp": "ytdlp.py"}
        return {
            name: shlex.join([sys.executable, "-S", str(PROGRAMS / file), str(self.folder)])
            for name, file in programs.items()
        }

    def asked(self, name: str = "") -> list[dict[str, Any]]:
        """How they were started, or one of them: ``name``, ``arguments``, ``folder``, ``pid``, ``environment``."""
        place = self.folder / "asked.jsonl"
        lines = place.read_text("utf-8").splitlines() if place.exists() else []
        return [one for one in map(json.loads, lines) if name in ("", one["name"])]


def result(title: str, duration: float | None, url: str, channel: str = "Somebody") -> dict[str, Any]:
    """One result of a search, as yt-dlp prints it."""
    return {"title": title, "duration": duration, "url": url, "webpage_url": url, "channel": channel}
