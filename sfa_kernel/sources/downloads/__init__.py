"""Songs that programs download: found, chosen, fetched and judged.

The programs (spotDL, yt-dlp, FFmpeg, a JavaScript runtime) are no part of this package: each runs as a program of
its own, from an environment of its own.
"""

from __future__ import annotations

__all__ = ["NOTICE"]

NOTICE = (
    "Download only what you may: your own music, music whose licence allows it, or what the law where you live lets "
    "you copy for yourself. The terms of most services forbid downloads. What you download is your own responsibility."
)
