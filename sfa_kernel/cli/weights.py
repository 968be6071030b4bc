"""Weights of models: ``sfa weights status|fetch|verify|import``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfa_kernel.cli.terminal import Commands, fail, percentage, print_json

if TYPE_CHECKING:
    import argparse

    from sfa_kernel.separation.demucs.weights import Status

__all__ = ["define"]


def define(commands: Commands) -> None:
    """Add the commands of this module."""
    weights = commands.add("weights", _status, "the learned numbers of Demucs' models, which are not part of this")
    actions = Commands(weights, "action", required=False)
    actions.add("status", _status, "say which models are ready")
    fetch = actions.add("fetch", _fetch, "fetch the weights of models from their makers")
    fetch.add_argument("models", nargs="+", metavar="MODEL", help="htdemucs, htdemucs_ft, htdemucs_6s, mdx_extra")
    fetch.add_argument("--yes", action="store_true", help="agree to what is said of their licence")
    actions.add("verify", _verify, "read every file and compare it with its checksum")
    taking = actions.add("import", _import, "take weights from a folder: a stick, a cache, another machine's")
    taking.add_argument("folder", metavar="DIR")


def _status(options: argparse.Namespace) -> int:
    from sfa_kernel.separation.demucs import weights

    folder = _folder(options)
    return _shown(options, folder, weights.status(folder))


def _verify(options: argparse.Namespace) -> int:
    from sfa_kernel.separation.demucs import weights

    folder = _folder(options)
    return _shown(options, folder, weights.verify(folder))


def _fetch(options: argparse.Namespace) -> int:
    from sfa_kernel.progress import Steps
    from sfa_kernel.separation.demucs import models, weights
    from sfa_kernel.settings import load_settings

    settings = load_settings(home=options.home)
    chosen = [models.model(name) for name in dict.fromkeys(options.models)]
    if not options.yes and not _agreed(sum(model.bytes for model in chosen)):
        return fail("Nothing was fetched. With --yes you agree to what is said of the licence.")
    with percentage(options) as progress:
        steps = Steps(progress)
        for index, model in enumerate(chosen):
            weights.fetch(
                settings.weights_folder,
                model.name,
                base_url=settings.weights_url,
                progress=steps.between(index / len(chosen), (index + 1) / len(chosen)),
            )
    names = {model.name for model in chosen}
    return _shown(
        options,
        settings.weights_folder,
        [found for found in weights.status(settings.weights_folder) if found.model in names],
    )


def _agreed(size: int) -> bool:
    """Whether the person agrees; nobody is asked where nobody can answer."""
    from sfa_kernel.separation.demucs.weights import LICENCE_NOTE

    print(LICENCE_NOTE, file=sys.stderr)
    if not sys.stdin.isatty():
        return False
    print(f"Fetch up to {size / 1e6:.0f} MB? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _import(options: argparse.Namespace) -> int:
    from sfa_kernel.separation.demucs import weights

    folder = _folder(options)
    found = weights.import_folder(folder, Path(options.folder).expanduser())
    if options.json:
        print_json(
            {
                "folder": folder,
                "files": [{"file": one.file, "outcome": one.outcome, "note": one.note} for one in found],
                "models": [_row(status) for status in weights.status(folder)],
            }
        )
    else:
        for one in found:
            print(f"{one.outcome:8} {one.file.name:32} {one.note}")
    if not any(one.outcome in ("taken", "there") for one in found):
        return fail(f"There are no weights of Demucs in {options.folder}.")
    refused = sum(one.outcome == "refused" for one in found)
    return fail(f"{refused} of {len(found)} files cannot be used.") if refused else 0


def _folder(options: argparse.Namespace) -> Path:
    from sfa_kernel.settings import load_settings

    return load_settings(home=options.home).weights_folder


def _shown(options: argparse.Namespace, folder: Path, found: list[Status]) -> int:
    from sfa_kernel.separation.demucs import models

    if options.json:
        print_json({"folder": folder, "models": [_row(status) for status in found]})
    else:
        print(f"weights in {folder}")
        for status in found:
            size = f"{(status.bytes or models.model(status.model).bytes) / 1e6:.0f} MB"
            print(f"  {status.model:12} {status.state:8} {size if status.bytes else size + ' to fetch'}")
            for signature, sha256 in status.sha256.items():
                print(f"    {signature}  sha256 {sha256}")
    damaged = [status.model for status in found if status.state == "damaged"]
    return fail(f"Damaged: {', '.join(damaged)}. Fetch them again: sfa weights fetch MODEL") if damaged else 0


def _row(status: Status) -> dict[str, Any]:
    from sfa_kernel.separation.demucs import models

    return {
        "model": status.model,
        "state": status.state,
        "bytes": status.bytes,
        "fetch_bytes": models.model(status.model).bytes,
        "sha256": status.sha256,
    }
