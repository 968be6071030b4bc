"""A stand-in for spotDL 4.6: its texts, its exit codes, its files."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, os.path.dirname(__file__))
from common import hang, plan, say, sound  # type: ignore[import-not-found] # beside this file, not in a package

OFFLINE = """
╭─────────────── Traceback (most recent call last) ────────────────╮
│ requests/adapters.py:729 in send                                 │
╰──────────────────────────────────────────────────────────────────╯
ConnectionError: HTTPSConnectionPool(host='music.youtube.com', port=443): Max
retries exceeded with url: / (Caused by
NameResolutionError("HTTPSConnection(host='music.youtube.com', port=443): Failed
to resolve 'music.youtube.com' ([Errno -2] Name or service not known)"))
""".strip()


def main() -> int:
    if "--version" in sys.argv:
        say("4.6.0")
        return 0
    planned, arguments, folder = plan("spotdl")
    url = arguments[1]
    key = url.rpartition("/")[2]
    does = planned["spotdl"]
    does = does.get(key, "ok") if isinstance(does, dict) else does
    output = arguments[arguments.index("--output") + 1]
    kind = arguments[arguments.index("--format") + 1]
    file = Path(output.replace("{track-id}", key).replace("{output-ext}", kind))
    song = f"Artist - {key}"
    say(f"Processing query: {url}")
    if does == "ffmpeg":
        say("FFmpegError: FFmpeg is not installed. Please run `spotdl --download-ffmpeg` to install it")
        return 1
    if does == "offline":
        say(OFFLINE)
        return 1
    if does == "limited":
        say("Your application has reached a rate/request limit. Retry will occur after: 86400 s")
        time.sleep(600)
    if does == "youtube":
        say("You might be blocked by YouTube Music. Consider using a VPN, or waiting.")
        return 0
    if does == "nothing":
        say(f"{song}: LookupError: No results found for song: {song}")
        return 0
    if does == "provider":
        say(f"{song}: AudioProviderError: YT-DLP download error - https://music.youtube.com/watch?v=x")
        return 0
    say(f"{song}: Downloading")
    if does == "hang":
        file.with_suffix(".webm.part").write_bytes(b"\x00" * 1000)
        hang()
    if does == "crash":
        say("Traceback (most recent call last):", error=True)
        say("KeyError: 'videoDetails'", error=True)
        return 1
    if does == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    whole = sound(folder, key)
    if does == "empty":
        file.write_bytes(b"")
        return 0
    if does == "text":
        file.write_bytes(b"<html>not music</html>" * 100)
        return 0
    say(f"{song}: Converting")
    if does == "partial":
        file.write_bytes(whole[: len(whole) // 3])
        return 0
    say(f"{song}: Embedding metadata")
    file.write_bytes(whole)
    say(f'Downloaded "{song}": https://music.youtube.com/watch?v=x')
    return 0


sys.exit(main())
