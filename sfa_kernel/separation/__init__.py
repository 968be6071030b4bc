"""Stem separation: a song goes in, vocals, drums, bass and the rest come out.

Every engine stands behind one door, `separate`. ``draft`` is built in and needs no learned model; ``demucs`` needs
its weights, ``lalal`` an account.

>>> from sfa_kernel.separation import separate
>>> separate("song.flac", "stems").stems["vocals"]    # doctest: +SKIP
PosixPath('stems/vocals.flac')
"""

from __future__ import annotations

from sfa_kernel.separation.engines import ENGINES, engine
from sfa_kernel.separation.interface import REST, Engine, Model
from sfa_kernel.separation.request import Request, request
from sfa_kernel.separation.separate import MIX, Separation, separate

__all__ = ["ENGINES", "MIX", "REST", "Engine", "Model", "Request", "Separation", "engine", "request", "separate"]
