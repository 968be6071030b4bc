"""Small songs in folders, for tests of what looks through these."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.studio import Studio


def put_song(path: Path, seed: int) -> Path:
    """A fifth of a second that is like no other seed's, which nobody has touched for an hour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal((1600, 1)), 8000)
    before = time.time() - 3600
    os.utime(path, (before, before))
    return path


def titles(studio: Studio) -> list[str]:
    return sorted(track.title for track in studio.tracks)
