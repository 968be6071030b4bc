"""What the packages promise to whoever imports them."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import sfa_widgets

import sfa_kernel

HEAVY = {"numpy", "scipy", "numba", "librosa", "duckdb", "soundfile", "av", "joblib", "torch", "anywidget", "IPython"}
# From the ground up; a module imports its own floor and those below, also where it does so late or for types alone.
# Engines (audio, analysis, separation, exporting) know no catalogue, no events and no jobs: those are above them here.
FLOORS = (
    {"credentials", "errors", "headers", "progress", "settings", "storage", "tables"},
    {"analysis", "audio", "control", "dj", "exporting", "resources", "separation", "sources"},
    {"catalog", "events", "inventory"},
    {"jobs", "offers"},
    {"pipeline"},
    {
        *("automix", "backup", "cloud", "decks", "doctor", "downloads", "estimates", "features", "folders", "hotcues"),
        *("library", "playlists", "presets", "runs", "schedule", "scripts", "similarity", "spotify", "stemset"),
        *("studio", "watching", "webhooks"),
    },
    {"panels"},
    {"cli", "server"},
)
MODULES = sorted(
    module.name
    for package in (sfa_kernel, sfa_widgets)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("statement", ["import sfa_kernel", "import sfa_kernel.cli", "import sfa_kernel.errors"])
def test_importing_loads_no_heavy_module(statement):
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(json.loads(done.stdout)) == set()


@pytest.mark.parametrize("name", ["sfa_kernel", "sfa_widgets", *MODULES])
def test_every_public_name_is_there(name):
    module = importlib.import_module(name)
    public = getattr(module, "__all__", [])
    assert len(set(public)) == len(public)
    assert [public_name for public_name in public if not hasattr(module, public_name)] == []


@pytest.mark.parametrize("name", sorted(module for module in MODULES if module.startswith("sfa_kernel.")))
def test_imports_point_down(name):
    floor = _floor(name)
    imported = {module for module in _imported(name) if module.startswith("sfa_kernel.")}
    assert {module for module in imported if _floor(module) > floor} == set()


def _floor(name):
    return next(number for number, rooms in enumerate(FLOORS) if name.split(".")[1] in rooms)


def _imported(name):
    source = Path(importlib.import_module(name).__file__).read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "sfa_kernel":
            yield from (f"sfa_kernel.{alias.name}" for alias in node.names if alias.name != "__version__")
        elif isinstance(node, ast.ImportFrom):
            yield node.module
