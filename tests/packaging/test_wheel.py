"""Who installs the wheel has everything, and needs neither the clone nor Node."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"sfa_kernel": ROOT / "sfa_kernel", "sfa_widgets": ROOT / "widgets" / "sfa_widgets"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Runs Python where the packages come out of the wheel, and no program is on PATH."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)

    def run(code):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SFA_")}
        environment |= {"PYTHONPATH": str(folder), "PATH": str(folder)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.split("\n")[:-1]

    run.folder = folder
    return run


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_has_every_file_of_the_packages(names, package):
    source = PACKAGES[package]
    files = {
        f"{package}/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "bundles.json"
    }
    assert files - names == set()


def test_the_wheel_has_the_bundles(names):
    widgets = ("library", "player", "jobs", "analysis", "mixer", "dialogs", "sources", "playlists", "decks")
    families = (*widgets, "session", "dashboard")
    assert "sfa_widgets/static/console.js" in names
    assert {f"sfa_widgets/static/{family}{suffix}" for family in families for suffix in (".js", ".css")} <= names


def test_the_wheel_has_notebooks_dashboard_and_demo_music(names):
    for source, target in [("notebooks", "notebooks"), ("voila_apps", "voila_apps"), ("data/demo", "demo")]:
        files = [path.name for path in (ROOT / source).iterdir() if path.is_file()]
        assert files
        assert {f"sfa_kernel/assets/{target}/{name}" for name in files} <= names
    assert "sfa_kernel/assets/demo/LICENCES.md" in names


def test_the_wheel_enables_the_server_extension(names):
    assert any(name.endswith(".data/data/etc/jupyter/jupyter_server_config.d/sfa.json") for name in names)


def test_the_wheel_has_nothing_else_and_is_not_heavy(wheel, names):
    assert {name.split("/")[0].split("-")[0] for name in names} == {*PACKAGES, "sound_forge_alchemy"}
    assert wheel.stat().st_size < 12e6


def test_what_is_installed_finds_its_files_in_itself(installed):
    answers = installed(
        "from sfa_kernel.resources import demo_songs, folder\n"
        "for name in ('demo', 'notebooks', 'voila_apps'): print(folder(name))\n"
        "print(len(demo_songs()))"
    )
    assert answers[:3] == [
        str(installed.folder / "sfa_kernel" / "assets" / n) for n in ("demo", "notebooks", "voila_apps")
    ]
    assert int(answers[3]) == len([p for p in (ROOT / "data" / "demo").iterdir() if p.suffix in (".mp3", ".ogg")])


def test_installed_widgets_work_without_node(installed):
    (folder, table) = installed(
        "import sfa_widgets\n"
        "print(sfa_widgets.__path__[0])\n"
        "print(min(len(str(text)) for text in (sfa_widgets.LibraryTable._esm, sfa_widgets.LibraryTable._css)))"
    )
    assert folder == str(installed.folder / "sfa_widgets")
    assert int(table) > 1000
