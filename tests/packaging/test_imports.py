"""What the packages promise to whoever imports them."""

import importlib
import json
import pkgutil
import subprocess
import sys

import pytest
import sfa_widgets

import sfa_kernel

HEAVY = {"numpy", "scipy", "numba", "librosa", "duckdb", "soundfile", "av", "joblib", "torch", "anywidget", "IPython"}
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
