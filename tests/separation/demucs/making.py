"""Weights for tests: tiny networks of the real classes, under the real models' names."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sfa_kernel.separation.demucs import models, weights
from sfa_kernel.separation.demucs.networks import Network

if TYPE_CHECKING:
    from pathlib import Path

    import torch

HTDEMUCS: dict[str, Any] = {
    "channels": 8,
    "depth": 4,
    "dconv_mode": 3,
    "t_layers": 2,
    "t_heads": 2,
    "segment": Fraction(3, 2),
}
"""What makes an HTDemucs tiny; the rest is as published."""

HDEMUCS: dict[str, Any] = {"channels": 8, "depth": 6, "segment": 2}


def make_weights(folder: Path, model: str = "htdemucs", *, seed: int = 0, **kwargs: Any) -> None:
    """Put tiny networks with random numbers into a folder of weights, as if they were the model's own.

    Parameters
    ----------
    folder
        The folder of weights.
    model
        Whose place they take: as many networks, with the same stems.
    seed
        Of the numbers; each network has its own.
    kwargs
        How the networks are built, where not as `HTDEMUCS` or `HDEMUCS` says.
    """
    chosen = models.model(model)
    for index, file in enumerate(chosen.files):
        weights.keep(folder, file.signature, saved(tiny(model, seed=seed + index, **kwargs)), source="a test")


def tiny(model: str = "htdemucs", *, seed: int = 0, **kwargs: Any) -> torch.nn.Module:
    """A network of a model's class and stems, small, with random numbers."""
    import torch
    from demucs.hdemucs import HDemucs
    from demucs.htdemucs import HTDemucs

    stems = list(models.model(model).stems)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        if model == "mdx_extra":
            network: torch.nn.Module = HDemucs(stems, **{**HDEMUCS, **kwargs})
        else:
            network = HTDemucs(stems, **{**HTDEMUCS, **kwargs})
        # New networks all but leave out their branches: so that these count, the scales are raised.
        for name, parameter in network.named_parameters():
            if name.endswith(".scale"):
                torch.nn.init.uniform_(parameter, 0.15, 0.45)
    return network.eval()


def saved(network: torch.nn.Module) -> Network:
    """A network as it is kept, its numbers in half precision as published ones are."""
    args, kwargs = network._init_args_kwargs  # type: ignore[misc] # what Demucs notes of each of its networks
    return Network(
        class_name=f"{type(network).__module__}.{type(network).__name__}",
        args=args,
        kwargs=kwargs,
        state={name: tensor.half().numpy() for name, tensor in network.state_dict().items()},
    )


def published(network: torch.nn.Module) -> bytes:
    """The file that Demucs' makers would publish of a network: a pickle."""
    import torch

    args, kwargs = network._init_args_kwargs  # type: ignore[misc] # what Demucs notes of each of its networks
    package = {
        "klass": type(network),
        "args": args,
        "kwargs": kwargs,
        "state": {name: tensor.half() for name, tensor in network.state_dict().items()},
        "training_args": {"epochs": 1},
    }
    file = io.BytesIO()
    torch.save(package, file)
    return file.getvalue()
