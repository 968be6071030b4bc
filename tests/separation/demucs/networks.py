"""Networks to try the segment loop with: tiny ones of the real classes, and some that are not what they seem."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import torch

from sfa_kernel.separation.demucs.bag import Bag, Member

SOURCES = ("drums", "bass", "other", "vocals")


def lively(network: Any, seed: int) -> Any:
    """Random numbers, such that every branch of the network is heard in what it gives out."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("scale"):  # of the branches: next to nothing in a network that has learned nothing
                parameter.copy_(0.15 + 0.3 * torch.rand(parameter.shape, generator=generator))
            else:
                spread = 1.4 / parameter[0].numel() ** 0.5 if parameter.ndim > 1 else 0.1
                mean = 1.0 if "norm" in name and name.endswith("weight") else 0.0
                parameter.copy_(mean + spread * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def transformer(seed: int = 1, segment: Fraction | float = Fraction(7, 5)) -> Any:
    """A tiny HTDemucs; it hears 61740 frames at once."""
    from demucs.htdemucs import HTDemucs

    return lively(HTDemucs(list(SOURCES), channels=8, dconv_mode=3, t_layers=3, t_heads=2, segment=segment), seed)


def hybrid(seed: int = 1, segment: float = 0.5) -> Any:
    """A tiny HDemucs; it hears 22050 frames at once, or fewer."""
    from demucs.hdemucs import HDemucs

    return lively(HDemucs(list(SOURCES), channels=4, dconv_comp=2, norm_groups=2, segment=segment), seed)


class Echo(torch.nn.Module):
    """Answers with the mix, in every source; keeps count of what it was given."""

    def __init__(self, segment: float = 1.0, *, most: int = 1000) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))
        self.segment = segment
        self.most = most
        self.given: list[tuple[int, ...]] = []

    def forward(self, mix: torch.Tensor) -> torch.Tensor:
        """The mix of each of the windows, four times."""
        if len(mix) > self.most:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        self.given.append(tuple(mix.shape))
        return self.gain * mix[:, None].expand(-1, len(SOURCES), -1, -1)


def bag(*networks: Any, weights: list[list[float]] | None = None, segment: float | None = None) -> Bag:
    """Networks as a model."""
    weights = weights or [[1.0] * len(SOURCES) for _ in networks]
    members = [Member(network, tuple(each)) for network, each in zip(networks, weights, strict=True)]
    return Bag("test", SOURCES, 44100, tuple(members), segment)
