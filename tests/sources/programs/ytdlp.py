"""A stand-in for yt-dlp: its search, its progress, its texts, its exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, os.path.dirname(__file__))
from common import hang, plan, say, sound  # type: ignore[import-not-found] # beside this file, not in a package

ERRORS = {
    "unavailable": "ERROR: [youtube] x: Video unavailable",
    "429": "ERROR: [youtube] x: Unable to download API page: HTTP Error 429: Too Many Requests",
    "robot": "ERROR: [youtube] x: Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies",
    "hour": "ERROR: [youtube] x: The current session has been rate-limited by YouTube for up to an hour. "
    "It is recommended to use `-t sleep`",
    "403": "ERROR: unable to download video data: HTTP Error 403: Forbidden",
    "503": "ERROR: [youtube] x: Unable to download webpage: HTTP Error 503: Service Unavailable",
    "offline": "ERROR: [youtube] x: Unable to download webpage: <urllib3.connection.HTTPSConnection object>: "
    "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
    "full": "ERROR: unable to write data: [Errno 28] No space left on device",
}


def main() -> int:
    if "--version" in sys.argv:
        say("2026.10.26")
        return 0
    planned, arguments, folder = plan("yt-dlp")
    address = arguments[-1]
    assert arguments[-2] == "--"
    if "--print" in arguments:
        if isinstance(planned["found"], str):
            say(ERRORS[planned["found"]], error=True)
            return 1
        say("WARNING: [youtube] nothing to worry about", error=True)
        for found in planned["found"]:
            say(json.dumps(found))
        return 0
    does = planned["pages"].get(address, "ok")
    if does in ERRORS:
        say(ERRORS[does], error=True)
        return 1
    kind = arguments[arguments.index("--audio-format") + 1]
    file = Path(arguments[arguments.index("-o") + 1].replace("%(ext)s", kind))
    whole = sound(folder, address)
    for share in (0.25, 0.5, 1.0):
        say(f"SFA downloading {int(share * len(whole))} {len(whole)}")
        if does == "partial" and share == 0.5:
            file.with_suffix(".webm.part").write_bytes(whole[:1000])
            say("ERROR: unable to download video data: Connection broken: IncompleteRead(1000 bytes read)", error=True)
            return 1
        if does == "hang":
            hang()
    say(f"SFA finished {len(whole)} {len(whole)}")
    file.write_bytes(whole if does != "short" else whole[: len(whole) // 2])
    return 0


sys.exit(main())
