"""A disk that is soon full: a small file system in memory, which only the program that the test starts can see."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# For the program: `fill()` leaves no room on the disk of `home`, `make_room()` gives it back.
HELPERS = """
import os, sys
from pathlib import Path

home = Path(sys.argv[1])


def fill():
    descriptor = os.open(home / "ballast", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while os.write(descriptor, bytes(4096)):
            pass
    except OSError:
        os.close(descriptor)


def make_room():
    (home / "ballast").unlink()

"""


def run_on_small_disk(script: str, folder: Path, *arguments: str, megabytes: int) -> subprocess.CompletedProcess[str]:
    """Run a Python program whose library ``home`` is a disk of a few megabytes; skip the test where that cannot be.

    Its own ``arguments`` follow in ``sys.argv[2:]``.
    """
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare(1) to mount a small disk with")
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    probe = subprocess.run([*own, *mount], capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {probe.stderr.strip()}")
    program = [sys.executable, "-c", HELPERS + script, str(folder), *arguments]
    return subprocess.run(
        [*own, "sh", "-c", 'mount -t tmpfs -o size="$0"m tmpfs "$4" && exec "$@"', str(megabytes), *program],
        cwd=Path(__file__).resolve().parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
