"""Networks translated for the machine they run on."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import SetupError

if TYPE_CHECKING:
    from sfa_kernel.separation.demucs.bag import Bag

__all__ = ["compile_networks"]


def compile_networks(bag: Bag) -> None:
    """Have PyTorch translate a model's networks when they run for the first time, which takes it minutes.

    What is between the spectra of the song and those of the stems is translated; the transforms themselves run as
    they are.

    Raises
    ------
    SetupError
        When this machine has nothing to translate with.
    """
    import torch

    device = next(bag.members[0].network.parameters()).device
    if device.type == "cuda":
        able, hint = find_spec("triton") is not None, "Install Triton, or switch compile off."
    else:
        compilers = (os.environ.get("CXX"), "g++", "clang++", "cl")
        able = any(shutil.which(name) for name in compilers if name)
        hint = "Install a C++ compiler, or switch compile off."
    if not able:
        raise SetupError("Networks cannot be compiled on this machine.", hint=hint)
    compiler: Any = torch.compiler
    for member in bag.members:
        network: Any = member.network
        for name in ("_spec", "_magnitude", "_mask", "_ispec"):
            setattr(network, name, compiler.disable(getattr(network, name)))
        network.compile(dynamic=False)
