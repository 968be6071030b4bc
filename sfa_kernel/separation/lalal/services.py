"""What lalal.ai offers, in our words: its networks and services as models, and what an order for stems looks like.

Facts are those of the specification 1.1.0; where it is silent, the service decides, and its refusal is passed on.
"""

from __future__ import annotations

import importlib.util
import math
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import ParameterError
from sfa_kernel.separation.interface import Model
from sfa_kernel.separation.lalal.client import LEGAL_PACKS
from sfa_kernel.separation.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.separation.interface import Place

__all__ = ["MODELS", "SETTINGS", "Order", "minutes", "orders", "other", "ready"]

THEIRS = MappingProxyType(
    {
        "vocals": "vocals",
        "drums": "drum",
        "bass": "bass",
        "piano": "piano",
        "electric_guitar": "electric_guitar",
        "acoustic_guitar": "acoustic_guitar",
        "synthesizer": "synthesizer",
        "strings": "strings",
        "wind": "wind",
    }
)
"""Stems by name: ours, and the service's."""

MULTISTEM = ("vocals", "drums", "bass", "piano", "electric_guitar", "acoustic_guitar")
"""Those that can be had several at once."""

VOICES = ("lead_vocals", "back_vocals")

_PHOENIX_ONLY = ("synthesizer", "strings", "wind")
_USUAL = ("vocals", "drums", "bass")
_ALL = (*THEIRS, *VOICES)
_MOST = tuple(name for name in _ALL if name not in _PHOENIX_ONLY)
_VOICE = "voice:"
_PACK = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ONE_OF_THEM = "One more network of the service."

MODELS = (
    Model("auto", "Auto", "The latest network that knows the stems.", _ALL, _USUAL, complete=False),
    Model(
        "andromeda",
        "Andromeda",
        "Has a way of its own between clean and detailed: the setting extraction does not change it.",
        _MOST,
        _USUAL,
        complete=False,
    ),
    Model("perseus", "Perseus", _ONE_OF_THEM, _MOST, _USUAL, complete=False),
    Model("orion", "Orion", _ONE_OF_THEM, _MOST, _USUAL, complete=False),
    Model(
        "phoenix",
        "Phoenix",
        "The only network that knows synthesizer, strings and wind.",
        _ALL,
        _USUAL,
        complete=False,
    ),
    Model("lyra", "Lyra", _ONE_OF_THEM, _MOST, _USUAL, complete=False),
    Model("lynx", "Lynx", _ONE_OF_THEM, _MOST, _USUAL, complete=False),
    Model(
        "voice_clean",
        "Voice Cleaner",
        "A voice without the noise behind it: for speech, not for songs.",
        ("voice",),
        complete=False,
    ),
    Model(
        "music",
        "Music Remover",
        "Speech with music behind it: the music is the stem, the speech is the rest.",
        ("music",),
        complete=False,
    ),
    *(
        Model(
            f"{_VOICE}{pack}",
            f"Voice of {pack.replace('_', ' ').title()}",
            "Puts this voice in the place of the singer's.",
            ("voice",),
        )
        for pack in LEGAL_PACKS
    ),
)
"""What can be chosen as a model; the first takes whatever network the service thinks best."""

SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "extraction": Setting(
            "deep_extraction",
            "Extraction",
            "Deep extraction keeps details and more of the other parts; clear cut is the reverse.",
            choices=("deep_extraction", "clear_cut"),
        ),
        "dereverb": Setting(
            False, "Remove echo", "Takes the room off vocals and voices, and may change them a little."
        ),
        "noise": Setting(
            0, "Noise", "How hard the Voice Cleaner fights noise: 0 is mild, 2 is strong.", minimum=0, maximum=2
        ),
        "accent": Setting(
            1.0, "Accent", "Of a changed voice: 0 keeps the singer's accent, 1 takes the other's.", minimum=0, maximum=1
        ),
        "tonality": Setting(
            "source_file",
            "Tonality",
            "Of a changed voice: where its pitch comes from, the song or the other voice.",
            choices=("source_file", "voice_pack"),
        ),
    }
)


@dataclass(frozen=True)
class Order:
    """One task for the service.

    Attributes
    ----------
    service
        Who does it; see `sfa_kernel.separation.lalal.client.Client.submit`.
    presets
        What to do.
    tracks
        What comes back: our stem's name by the service's label.
    back
        The label of what these stems leave of the song; empty when there is none.
    optional
        Labels that may be missing when there was nothing to be found: those stems are silent.
    charged
        How many times the length of the song is billed.
    """

    service: str
    presets: Mapping[str, Any]
    tracks: Mapping[str, str]
    back: str = ""
    optional: frozenset[str] = frozenset()
    charged: int = 1

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the tracks that are fetched."""
        return (*self.tracks, *([self.back] if self.back else []))


def other(name: str) -> Model | None:
    """A voice of a person's own: ``"voice:"`` and the number of its pack."""
    pack = name.removeprefix(_VOICE)
    if not name.startswith(_VOICE) or not _PACK.fullmatch(pack):
        return None
    return Model(name, f"Voice {pack[:8]}", "A voice of your own.", ("voice",))


def ready(model: str, place: Place) -> tuple[bool, str]:
    """Whether the service can be used, as far as can be told without asking it."""
    if importlib.util.find_spec("httpx") is None:
        return False, "lalal.ai needs the package httpx."
    if place.cloud.get("problem"):
        return False, str(place.cloud["problem"])
    if not place.cloud.get("key"):
        return False, "lalal.ai needs a license key. Set SFA_LALAL_KEY, or put it into the settings of the dashboard."
    return True, ""


def minutes(model: str, stems: tuple[str, ...], seconds: float) -> float:
    """Minutes that are billed for the stems of a song of that length [s]."""
    charged = sum(order.charged for order in orders(model, stems, {}))
    return float(charged * math.ceil(seconds / 60))


def orders(model: str, stems: tuple[str, ...], settings: Mapping[str, Any]) -> tuple[Order, ...]:
    """What to order for these stems.

    Parameters
    ----------
    model
        One of `MODELS`, or one that `other` finds.
    stems
        Some or all of its stems.
    settings
        Values by the names of `SETTINGS`; as usual when missing.

    Returns
    -------
    tuple of Order
        As few as possible: stems that can be had together are one.

    Raises
    ------
    ParameterError
        When the vocals are asked for as a whole and in parts: they would be in the song twice.
    """
    chosen = {name: settings.get(name, setting.default) for name, setting in SETTINGS.items()}
    common: dict[str, Any] = {"encoder_format": "flac"}
    echo = {"dereverb_enabled": chosen["dereverb"]}
    if model.startswith(_VOICE):
        presets = {
            **common,
            **echo,
            "voice_pack_id": model.removeprefix(_VOICE),
            "accent": chosen["accent"],
            "tonality_reference": chosen["tonality"],
        }
        return (Order("change_voice", presets, {"converted_mix": "voice"}),)
    if model == "voice_clean":
        presets = {**common, **echo, "stem": "voice", "noise_cancelling_level": chosen["noise"]}
        return (Order("voice_clean", presets, {"voice": "voice"}, "no_voice"),)
    if model == "music":
        return (Order("demuser", {**common, "stem": "music"}, {"music": "music"}, "no_music"),)
    common["extraction_level"] = chosen["extraction"]
    if model != "auto":
        common["splitter"] = model
    parted = [name for name in VOICES if name in stems]
    if parted and "vocals" in stems:
        raise ParameterError(
            "The vocals cannot be had as a whole and in parts at once.",
            hint="Choose vocals, or lead_vocals and back_vocals.",
        )
    together = [name for name in MULTISTEM if name in stems]
    apart = [name for name in THEIRS if name in stems and name not in together]
    if len(together) == 1:
        apart, together = [*together, *apart], []
    found = []
    if together:
        presets = {**common, **(echo if "vocals" in together else {}), "stem_list": [THEIRS[n] for n in together]}
        tracks = {THEIRS[name]: name for name in together}
        found.append(Order("multistem", presets, tracks, "no_multistem", charged=len(together)))
    for name in apart:
        presets = {**common, **(echo if name == "vocals" else {}), "stem": THEIRS[name]}
        found.append(Order("stem_separator", presets, {THEIRS[name]: name}, f"no_{THEIRS[name]}"))
    if parted:
        found.append(_parted({**common, **echo}, parted))
    return tuple(found)


def _parted(common: Mapping[str, Any], parted: list[str]) -> Order:
    """The lead and the other voices of a song."""
    presets = {**common, "stem": "vocals", "multivocal": "lead_back"}
    every = {"vocals@0": "lead_vocals", "vocals@1": "back_vocals"}
    tracks = {label: name for label, name in every.items() if name in parted}
    # What the back voices alone leave of a song is no track of the service.
    back = {("lead_vocals",): "mix_no_lead", VOICES: "no_vocals"}.get(tuple(parted), "")
    return Order("stem_separator", presets, tracks, back, frozenset({"vocals@1", "mix_no_lead"}))
