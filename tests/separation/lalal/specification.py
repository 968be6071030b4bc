"""What the specification of lalal.ai's API v1 (1.1.0) demands of the body of each call, as JSON schemas."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

SPLITTERS = ["andromeda", "perseus", "orion", "phoenix", "lyra", "lynx"]
MULTISTEM = ["vocals", "drum", "piano", "bass", "electric_guitar", "acoustic_guitar"]
PHOENIX_ONLY = ["synthesizer", "strings", "wind"]
LEGAL_PACKS = ["ALEX_KAYE", "STASIA_FAYE", "NICOLAAS_HAAS", "NIK_ZEL", "OLIA_CHEBO", "YVAR_DE_GROOT", "VETRANA"]

UUID4: dict[str, Any] = {
    "type": "string",
    "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
}
ENCODER: dict[str, Any] = {
    "encoder_format": {"enum": ["mp3", "wav", "flac", "aac", "ogg", None]},
    "dereverb_enabled": {"type": "boolean"},
}
COMMON: dict[str, Any] = {**ENCODER, "splitter": {"enum": [*SPLITTERS, "auto"]}}
LEVEL: dict[str, Any] = {"extraction_level": {"enum": ["deep_extraction", "clear_cut"]}}


def _object(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


PRESETS: dict[str, dict[str, Any]] = {
    "stem_separator": _object(
        ["stem"],
        {
            **COMMON,
            **LEVEL,
            "stem": {"enum": [*MULTISTEM, *PHOENIX_ONLY]},
            "multivocal": {"enum": ["lead_back", None]},
        },
    ),
    "multistem": _object(
        ["stem_list"],
        {
            **COMMON,
            **LEVEL,
            "stem_list": {"type": "array", "items": {"enum": MULTISTEM}, "minItems": 1, "maxItems": 6},
        },
    ),
    "demuser": _object(["stem"], {**COMMON, "stem": {"const": "music"}}),
    "voice_clean": _object(
        ["stem"], {**COMMON, "stem": {"const": "voice"}, "noise_cancelling_level": {"enum": [0, 1, 2]}}
    ),
    "change_voice": _object(
        ["voice_pack_id"],
        {
            **ENCODER,
            "voice_pack_id": {"type": "string"},
            "accent": {"type": "number", "minimum": 0.0, "maximum": 1.0},
            "tonality_reference": {"enum": ["source_file", "voice_pack"]},
        },
    ),
}


def _order(service: str) -> dict[str, Any]:
    return _object(
        ["source_id", "presets"],
        {
            "source_id": UUID4,
            "presets": PRESETS[service],
            "idempotency_key": {"anyOf": [UUID4, {"type": "null"}]},
        },
    )


def _batch(service: str) -> dict[str, Any]:
    return _object(["items"], {"items": {"type": "array", "items": _order(service), "minItems": 1, "maxItems": 100}})


BODIES: dict[str, dict[str, Any]] = {
    "check/": _object(["task_ids"], {"task_ids": {"type": "array", "items": UUID4, "maxItems": 200}}),
    "cancel/": _object(["task_ids"], {"task_ids": {"type": "array", "items": UUID4}}),
    "delete/": _object(["source_id"], {"source_id": UUID4}),
    "change_voice/": _order("change_voice"),
    **{f"split/{service}/": _order(service) for service in PRESETS if service != "change_voice"},
    **{f"split/batch/{service}/": _batch(service) for service in ("stem_separator", "demuser", "voice_clean")},
}
"""By path; calls that are not here have no body."""

_TYPES = {"required": "missing", "enum": "literal_error", "const": "literal_error", "maxItems": "too_long"}


def problems(path: str, body: Any) -> list[dict[str, Any]]:
    """What is wrong with a body, as the service says it with status 422."""
    found = []
    for error in Draft202012Validator(BODIES[path], format_checker=FormatChecker()).iter_errors(body):
        where = list(error.absolute_path)
        if error.validator == "required":
            where.append(next(name for name in error.validator_value if name not in error.instance))
        found.append(
            {
                "loc": ["body", *where],
                "msg": "Field required" if error.validator == "required" else error.message,
                "type": _TYPES.get(str(error.validator), "value_error"),
            }
        )
    return found
