"""What the separation engines offer here: their models, and whether each can run on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.errors import SetupError
from sfa_kernel.separation.engines import ENGINES
from sfa_kernel.separation.interface import Place

if TYPE_CHECKING:
    from pathlib import Path

    from sfa_kernel.settings import Settings
    from sfa_kernel.storage import Storage

__all__ = ["board_folder", "chosen", "cloud_access", "offers", "place_to_ask"]


def chosen(settings: Settings, engine: str | None, model: str | None) -> tuple[str, str]:
    """Names of an engine and its model, where None is as the settings say; of another engine, its first model."""
    usual = settings.separation_model if engine is None else ""
    return settings.separation_engine if engine is None else engine, usual if model is None else model


def cloud_access(settings: Settings, board: Path) -> dict[str, Any]:
    """What a cloud engine needs: ``url``, ``key`` (None without one), ``board``, ``delete_source``.

    Never to be written down.

    Parameters
    ----------
    board
        Folder of what was ordered; see `board_folder`.

    Raises
    ------
    SetupError
        When the key that is stored cannot be read.
    """
    from sfa_kernel import credentials

    return {
        "url": settings.lalal_url,
        "key": credentials.get("lalal"),
        "board": board,
        "delete_source": settings.lalal_delete_source,
    }


def board_folder(storage: Storage) -> Path:
    """Where all processes of a library keep what was ordered of a cloud engine."""
    return storage.path("runs/lalal")


def place_to_ask(storage: Storage, settings: Settings) -> Place:
    """Enough of a place to ask engines whether they are ready. A key that cannot be read is a reason of one of them."""
    try:
        access = cloud_access(settings, board_folder(storage))
    except SetupError as error:
        access = {"problem": str(error)}
    return Place(storage.path("scratch"), settings.separation_device, settings.weights_folder, access)


def offers(storage: Storage, settings: Settings) -> list[dict[str, Any]]:
    """Every model of every engine.

    Returns
    -------
    list
        Of each: ``engine``, ``model``, ``badge``, ``description``, ``stems``, ``where`` (``"here"`` or ``"cloud"``),
        ``ready``, and ``reason``: why not, and what to do.
    """
    place = place_to_ask(storage, settings)
    rows = []
    for engine in ENGINES.values():
        for model in engine.models:
            ready, reason = engine.ready(model.name, place)
            rows.append(
                {
                    "engine": engine.name,
                    "model": model.name,
                    "badge": engine.badge(model.name),
                    "description": model.description or engine.description,
                    "stems": list(model.stems),
                    "where": engine.where,
                    "ready": ready,
                    "reason": reason,
                }
            )
    return rows
