"""Answers the dialog that separates, and the settings of engines and services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfa_kernel import credentials
from sfa_kernel.catalog import quotas, stems
from sfa_kernel.errors import ParameterError
from sfa_kernel.offers import place_to_ask
from sfa_kernel.panels.library import Handler, identifiers
from sfa_kernel.pipeline.cloud import ENGINE
from sfa_kernel.separation.engines import ENGINES
from sfa_kernel.separation.request import request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sfa_kernel.separation.interface import Engine, Model, Place
    from sfa_kernel.separation.request import Request
    from sfa_kernel.studio import Studio

__all__ = ["engine_handlers"]


def engine_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of whatever separates or sets up what separates."""

    def engines(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        place = place_to_ask(studio.storage, studio.settings)
        to_fetch = _to_fetch(studio)
        return {"engines": [_engine(studio, engine, place, to_fetch) for engine in ENGINES.values()]}

    def estimate(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        told = studio.estimate(identifiers(params), **_choice(params))
        return {
            "seconds": told.seconds,
            "minutes": told.minutes,
            "minutes_left": told.minutes_left,
            "checked_at": told.checked_at.isoformat() if told.checked_at else None,
            "known": told.known,
            "text": told.without_account,
        }

    def start(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        force = params.get("force") is True
        due = identifiers(params) if force else _without(studio, identifiers(params), _asked(params))
        if not due:
            return {"jobs": [], "batch": None}
        run = studio.separate(due, **_choice(params), force=force)
        return {"jobs": [str(i) for i in run.ids], "batch": str(run.batch_id) if run.batch_id else None}

    def weights_status(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        from sfa_kernel.separation.demucs import weights

        return _weights(studio, weights.status(studio.settings.weights_folder))

    def weights_verify(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        from sfa_kernel.separation.demucs import weights

        return _weights(studio, weights.verify(studio.settings.weights_folder))

    def weights_fetch(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        run = studio.fetch_weights(str(params.get("model", "")), agreed=params.get("agreed") is True)
        return {"jobs": [str(i) for i in run.ids]}

    def list_credentials(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {
            "credentials": [
                {
                    "name": known.name,
                    "label": known.label,
                    "source": known.source,
                    "changed_at": known.changed_at.isoformat() if known.changed_at else None,
                }
                for known in credentials.known()
            ],
            "protection": credentials.protection(),
        }

    def put_credential(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        credentials.put(str(params.get("name", "")), str(params.get("value", "")))
        return {}

    def remove_credential(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        credentials.remove(str(params.get("name", "")))
        return {}

    def quota(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        jobs = studio.lalal.refresh().ids if params.get("refresh") is True else []
        with studio.catalog.read() as connection:
            row = quotas.get(connection, ENGINE)
        return {
            "minutes_left": row.minutes_left,
            "checked_at": row.checked_at.isoformat() if row.checked_at else None,
            "jobs": [str(i) for i in jobs],
        }

    return {
        "separation.engines": engines,
        "separation.estimate": estimate,
        "separation.start": start,
        "weights.status": weights_status,
        "weights.verify": weights_verify,
        "weights.fetch": weights_fetch,
        "credentials.list": list_credentials,
        "credentials.put": put_credential,
        "credentials.remove": remove_credential,
        "cloud.quota": quota,
    }


def _choice(params: Mapping[str, Any]) -> dict[str, Any]:
    """How a request of the page wants songs separated."""
    wanted, settings = params.get("stems"), params.get("settings") or {}
    if not (wanted is None or isinstance(wanted, list)) or not isinstance(settings, dict):
        raise ParameterError("A request of the page asked for a separation that is none.", hint="Reload the page.")
    return {
        "engine": str(params.get("engine", "")),
        "model": str(params.get("model", "")),
        "stems": wanted,
        "region": params.get("region"),
        "settings": settings,
    }


def _asked(params: Mapping[str, Any]) -> Request:
    choice = _choice(params)
    return request(choice.pop("engine"), **choice)


def _without(studio: Studio, ids: Sequence[UUID], asked: Request) -> list[UUID]:
    """The tracks that do not have these stems yet."""
    with studio.catalog.read() as connection:
        return [track_id for track_id in ids if stems.find(connection, track_id, asked.key) is None]


def _to_fetch(studio: Studio) -> dict[str, int]:
    """How much there is to fetch [bytes] for each model of Demucs that is not ready; nothing when it cannot run."""
    from sfa_kernel.separation.demucs import models, weights

    if models.missing():
        return {}
    found = weights.status(studio.settings.weights_folder)
    return {row.model: models.MODELS[row.model].bytes for row in found if row.state != "ready"}


def _engine(studio: Studio, engine: Engine, place: Place, to_fetch: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": engine.name,
        "label": engine.label,
        "description": engine.description,
        "where": engine.where,
        "draft": engine.draft,
        "models": [
            _model(engine, model, place, to_fetch.get(model.name) if engine.name == "demucs" else None)
            for model in _models(studio, engine)
        ],
        "settings": [
            {
                "name": name,
                "label": setting.label,
                "description": setting.description,
                "kind": setting.kind,
                "default": setting.default,
                "choices": list(setting.choices),
                "minimum": setting.minimum,
                "maximum": setting.maximum,
            }
            for name, setting in engine.settings.items()
        ],
        "credential": engine.name if engine.name in credentials.SERVICES else None,
        "service": engine.service or None,
    }


def _models(studio: Studio, engine: Engine) -> list[Model]:
    """The engine's models, and the voices that its service has told of."""
    models = list(engine.models)
    if engine.where == "cloud":
        with studio.catalog.read() as connection:
            packs = quotas.get(connection, engine.name).voice_packs or []
        known = {model.name for model in models}
        for pack in packs:
            found = engine.other(f"voice:{pack['id']}")
            if found is not None and found.name not in known:
                models.append(replace(found, label=str(pack["name"])))
    return models


def _model(engine: Engine, model: Model, place: Place, fetch_bytes: int | None) -> dict[str, Any]:
    from sfa_kernel.separation.demucs.weights import LICENCE_NOTE

    ready, reason = engine.ready(model.name, place)
    # The page has a button for weights and a field for the key in the place of the sentence on what to do.
    if fetch_bytes is not None or (engine.service and not place.cloud.get("problem")):
        reason = reason.partition(". ")[0].removesuffix(".") + "." if reason else ""
    return {
        "name": model.name,
        "label": model.label,
        "description": model.description,
        "stems": list(model.stems),
        "usual": list(model.usual or model.stems),
        "complete": model.complete,
        "ready": ready,
        "reason": reason,
        "fetch_bytes": None if ready else fetch_bytes,
        "notice": LICENCE_NOTE if fetch_bytes is not None else "",
    }


def _weights(studio: Studio, found: Sequence[Any]) -> dict[str, Any]:
    from sfa_kernel.separation.demucs import models, weights

    return {
        "folder": str(studio.settings.weights_folder),
        "notice": weights.LICENCE_NOTE,
        "models": [
            {
                "model": row.model,
                "label": models.MODELS[row.model].label,
                "description": models.MODELS[row.model].description,
                "state": row.state,
                "bytes": models.MODELS[row.model].bytes if row.state == "missing" else row.bytes,
                "reason": "A file is not as it was kept: fetch it again." if row.state == "damaged" else "",
            }
            for row in found
        ],
    }
