"""What both stand-ins do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn


def plan(name: str) -> tuple[dict[str, Any], list[str], Path]:
    """What to do, the arguments, and the folder of the plan."""
    folder, *arguments = sys.argv[1:]
    asked = {
        "name": name,
        "arguments": arguments,
        "folder": str(Path.cwd()),
        "pid": os.getpid(),
        "environment": sorted(os.environ),
    }
    with open(Path(folder) / "asked.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(asked) + "\n")
    return json.loads((Path(folder) / "plan.json").read_text("utf-8")), arguments, Path(folder)


def say(line: str, *, error: bool = False) -> None:
    print(line, file=sys.stderr if error else sys.stdout, flush=True)


def sound(folder: Path, name: str) -> bytes:
    """An MP3 that nobody else got: its tag has a name."""
    title = b"\x00" + name.encode("latin-1", "replace")
    frame = b"TIT2" + len(title).to_bytes(4, "big") + b"\x00\x00" + title
    size = len(frame)
    length = bytes([(size >> shift) & 0x7F for shift in (21, 14, 7, 0)])
    return b"ID3\x03\x00\x00" + length + frame + (folder / "sound.mp3").read_bytes()


def hang() -> NoReturn:
    """Say nothing any more, with a program of one's own that does so too."""
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    say(f"child {child.pid}", error=True)
    while True:
        time.sleep(600)
