"""The models of Demucs: what each makes, what to expect of it, and the files it consists of."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["MODELS", "DemucsModel", "WeightFile", "missing", "model"]

FOUR = ("drums", "bass", "other", "vocals")
SIX = (*FOUR, "guitar", "piano")


@dataclass(frozen=True)
class WeightFile:
    """The weights of one network, as its makers publish them.

    Attributes
    ----------
    signature
        What its makers call the network; part of the file's name.
    sha256
        Of the published file. Its makers' name for the file ends in the first eight digits.
    bytes
        Of the published file, numbers in half precision.
    folder
        Where it lies below their address.
    """

    signature: str
    sha256: str
    bytes: int
    folder: str

    @property
    def name(self) -> str:
        """The file's name as published."""
        return f"{self.signature}-{self.sha256[:8]}.th"


@dataclass(frozen=True)
class DemucsModel:
    """One model: one network, or several whose weighted mean is the answer.

    Attributes
    ----------
    name
        The word to choose it by, as its makers have it.
    label, description
        Its name for people, and what to expect of it.
    stems
        What it makes, in its networks' order.
    files
        Its networks.
    weights
        For each network, how much each of its stems counts.
    seconds
        Work on a second of music when all stems are wanted, on two usual cores at an overlap of 0.25 [s].
    segment
        Length its networks hear at once, where the model sets it [s]; None for each network's own.
    """

    name: str
    label: str
    description: str
    stems: tuple[str, ...]
    files: tuple[WeightFile, ...]
    weights: tuple[tuple[float, ...], ...]
    seconds: float
    segment: int | None = None

    @property
    def bytes(self) -> int:
        """How much there is to fetch."""
        return sum(file.bytes for file in self.files)

    def members(self, stems: Collection[str] | None = None) -> tuple[int, ...]:
        """Which of its networks have a say in these stems; all when None.

        Raises
        ------
        ParameterError
            When it makes no such stem; the message names those it makes.
        """
        wanted = self.stems if stems is None else stems
        unknown = [name for name in wanted if name not in self.stems]
        if unknown:
            raise ParameterError(
                f"{self.name} makes no stem {unknown[0]!r}.", hint=f"Choose some of: {', '.join(self.stems)}."
            )
        columns = [self.stems.index(name) for name in wanted]
        return tuple(index for index, weights in enumerate(self.weights) if any(weights[column] for column in columns))

    def work(self, stems: Collection[str] | None = None) -> float:
        """How long it works on a second of music for these stems, on two usual cores [s]; see `members`."""
        return self.seconds * len(self.members(stems)) / len(self.files)


def _hybrid_transformer(signature: str, sha256: str, size: int) -> WeightFile:
    return WeightFile(signature, sha256, size, "hybrid_transformer")


def _mdx(signature: str, sha256: str, size: int) -> WeightFile:
    return WeightFile(signature, sha256, size, "mdx_final")


_MODELS = (
    DemucsModel(
        name="htdemucs",
        label="Hybrid Transformer",
        description=(
            "One network for four stems: the usual choice, about 0.2 dB behind htdemucs_ft at a quarter of its work."
        ),
        stems=FOUR,
        files=(
            _hybrid_transformer(
                "955717e8", "8726e21a993978c7ba086d3872e7608d7d5bfca646ca4aca459ffda844faa8b4", 84_141_911
            ),
        ),
        weights=((1.0,) * 4,),
        seconds=0.45,
    ),
    DemucsModel(
        name="htdemucs_ft",
        label="Fine-tuned",
        description=(
            "Four networks, each tuned to one stem: the best of these models on drums, bass, other and vocals. "
            "One stem alone takes a quarter of the time, because only its network runs."
        ),
        stems=FOUR,
        files=(
            _hybrid_transformer(
                "f7e0c4bc", "ba3fe64ae8ef66ac9a4857222ce48efbdc5eb3ad375cb79dd13debee5aaa4066", 84_141_271
            ),
            _hybrid_transformer(
                "d12395a8", "e57c48e6b0e38af4f7118d7bd08c49f0a0c0edf7d09143bdd902ea0d237303e6", 84_141_271
            ),
            _hybrid_transformer(
                "92cfc3b6", "ef3bcb9c8b40d14ae5d51b6db2587339cc12c6b77c0be151ce6d69002e087bf2", 84_141_271
            ),
            _hybrid_transformer(
                "04573f0d", "f3cf25b222c4eed7cd49dd8b2c9597d50c18bd154090f7b919cfa5f93cf22c49", 84_141_271
            ),
        ),
        weights=tuple(tuple(float(row == column) for column in range(4)) for row in range(4)),
        seconds=1.8,
    ),
    DemucsModel(
        name="htdemucs_6s",
        label="6 stems",
        description=(
            "Guitar and piano besides the four. An experiment of its makers: the piano bleeds and is often of no "
            "use, and the four shared stems are a little worse than those of htdemucs."
        ),
        stems=SIX,
        files=(
            _hybrid_transformer(
                "5c90dfd2", "34c22ccb381c6f9fdbf324f04e1e2fe21aaaf293f5ded163a162697ff9a02ddd", 54_996_327
            ),
        ),
        weights=((1.0,) * 6,),
        seconds=0.4,
    ),
    DemucsModel(
        name="mdx_extra",
        label="MDX extra",
        description=(
            "Four networks of the generation before, all of them needed for every stem. They were trained on the "
            "MUSDB test set too, so their published scores cannot be compared with those of others."
        ),
        stems=FOUR,
        files=(
            _mdx("e51eebcc", "c1b80bdd6de58274abf359e66822a76f49ce2b9f086fc5dc917ac14598e6bebf", 167_399_275),
            _mdx("a1d90b5c", "ae9d245283bf24b552913ee233a1101dcd0aeaed59b1c0a2da0e1f6eda15101b", 167_391_595),
            _mdx("5d2d6c55", "db83574e05b2308f76e2764819da673f2d16d437b9e619f5fcb72f275fc0e24f", 167_391_595),
            _mdx("cfa93e08", "61801ae1567d606c97a9c3469e943ae306d0a873eeb60d623ae7cfc7042b3f68", 167_399_275),
        ),
        weights=((1.0,) * 4,) * 4,
        seconds=1.3,
        segment=44,
    ),
)

MODELS: Mapping[str, DemucsModel] = MappingProxyType({model.name: model for model in _MODELS})
"""Models by name."""


def missing() -> list[str]:
    """The packages that models need and that are not installed; nothing heavy is imported."""
    return [name for name in ("torch", "demucs") if importlib.util.find_spec(name) is None]


def model(name: str) -> DemucsModel:
    """The model of that name.

    Raises
    ------
    ParameterError
        When there is none; the message names the choices.
    """
    try:
        return MODELS[name]
    except (KeyError, TypeError):
        raise ParameterError(f"Demucs has no model {name!r}.", hint=f"Choose one of: {', '.join(MODELS)}.") from None
