"""Stem separation: a song goes in, vocals, drums, bass and the rest come out, and add up to it.

Every engine stands behind one door, `separate`. ``draft`` is built in and needs no learned model.

>>> from sfa_kernel.separation import separate
>>> separate("song.flac", "stems").stems["vocals"]    # doctest: +SKIP
PosixPath('stems/vocals.flac')
"""

from __future__ import annotations

from sfa_kernel.separation.engines import ENGINES, Engine, engine
from sfa_kernel.separation.separate import Separation, separate

__all__ = ["ENGINES", "Engine", "Separation", "engine", "separate"]
