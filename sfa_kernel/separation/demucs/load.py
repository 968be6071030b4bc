"""Networks from the folder of weights."""

from __future__ import annotations

import inspect
import logging
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import InputError, NotFoundError, SetupError
from sfa_kernel.separation.demucs import models, weights
from sfa_kernel.separation.demucs.bag import Bag, Member

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import torch

    from sfa_kernel.separation.demucs.models import DemucsModel
    from sfa_kernel.separation.demucs.networks import Network

__all__ = ["load"]

logger = logging.getLogger(__name__)


def load(folder: Path, model: str, stems: Collection[str] | None = None, *, device: str = "cpu") -> Bag:
    """The networks of a model that have a say in some stems.

    Parameters
    ----------
    folder
        The folder of weights.
    model
        Name of a model.
    stems
        Those that are wanted; all when None.
    device
        Where the networks are to be, in PyTorch's words.

    Raises
    ------
    ParameterError
        When there is no such model, or it makes no such stem.
    SetupError
        When weights are missing or damaged, or Demucs is not installed.
    """
    chosen = models.model(model)
    members = chosen.members(stems)
    networks = [_network(folder, chosen, index) for index in members]
    rates = {int(network.samplerate) for network in networks}  # type: ignore[arg-type] # a module's attributes are anything
    if len(rates) != 1:
        raise SetupError(f"The weights of {model} do not belong together.", hint=f"{_fetch(model)}.")
    return Bag(
        name=model,
        sources=chosen.stems,
        sample_rate=rates.pop(),
        members=tuple(
            Member(network.to(device), chosen.weights[index]) for network, index in zip(networks, members, strict=True)
        ),
        segment=chosen.segment,
    )


def _network(folder: Path, model: DemucsModel, index: int) -> torch.nn.Module:
    try:
        kept = weights.read(folder, model.files[index].signature)
    except NotFoundError:
        raise SetupError(
            f"The weights of {model.name} are not on this machine.",
            hint=f"{_fetch(model.name)}, or choose the engine draft or lalal.",
        ) from None
    except InputError as error:
        message = f"The weights of {model.name} are damaged: {error.message}"
        raise SetupError(message, hint=f"{_fetch(model.name)}.") from error
    try:
        network = _built(kept)
    except (TypeError, ValueError, RuntimeError) as error:
        # PyTorch says in many lines which tensor has another shape.
        logger.debug("A network could not be built", exc_info=True)
        reason = str(error).strip().splitlines()[0]
        raise SetupError(f"The weights of {model.name} do not fit this version of Demucs: {reason}") from error
    if tuple(network.sources) != model.stems:  # type: ignore[arg-type] # a module's attributes are anything
        raise SetupError(f"The weights in {folder} are not those of {model.name}.", hint=f"{_fetch(model.name)}.")
    return network


def _built(kept: Network) -> torch.nn.Module:
    """A network with its numbers, in float32, ready to be asked."""
    import torch

    known = inspect.signature(_class(kept.class_name)).parameters
    # Networks were saved by earlier versions of Demucs, some of whose arguments are gone: its own loader leaves
    # them out as well.
    kwargs = {name: value for name, value in kept.kwargs.items() if name in known}
    if len(kept.args) > len(known):
        raise ValueError("too many arguments.")
    network: torch.nn.Module = _class(kept.class_name)(*kept.args, **kwargs)
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in kept.state.items()})
    return network.float().eval()


def _class(name: str) -> Any:
    try:
        if name == "demucs.htdemucs.HTDemucs":
            from demucs.htdemucs import HTDemucs

            return HTDemucs
        from demucs.hdemucs import HDemucs

        return HDemucs
    except ImportError as error:
        raise SetupError(f"Demucs is not installed: {error}.", hint='Run: pip install "demucs>=4.1"') from error


def _fetch(model: str) -> str:
    return f"Fetch them: sfa weights fetch {model}"
