"""A bag of networks that answer together, as one model of Demucs is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

    import torch

__all__ = ["Bag", "Member"]


@dataclass(frozen=True)
class Member:
    """One network of a bag.

    Attributes
    ----------
    network
        A `demucs.htdemucs.HTDemucs` or `demucs.hdemucs.HDemucs`, in evaluation mode, its numbers in float32.
    weights
        How much each of its sources counts in the bag's answer; 0 where it has no say.
    """

    network: torch.nn.Module
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Bag:
    """A model: one network, or several whose weighted mean is the answer.

    Attributes
    ----------
    name
        Such as "htdemucs_ft".
    sources
        What each network gives out, in order.
    sample_rate
        Of what goes in and comes out [Hz].
    members
        The networks.
    segment
        Length the networks hear at once [s]; None for each network's own.
    """

    name: str
    sources: tuple[str, ...]
    sample_rate: int
    members: tuple[Member, ...]
    segment: Fraction | float | None = None
