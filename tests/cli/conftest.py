"""The command line, as a program of its own or quicker, in this process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
# A program that is started in the background ignores Ctrl-C unless it says otherwise.
HEARS_CTRL_C = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from sfa_kernel.cli import main
sys.exit(main(sys.argv[1:]))
"""
TIMEOUT = 120


class Cli:
    """``sfa`` as a program."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.started: list[subprocess.Popen[str]] = []

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sfa_kernel", "--home", str(self.home), *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT, check=False)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HEARS_CTRL_C, "--home", str(self.home), *map(str, arguments)]
        program = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.started.append(program)
        return program

    def json(self, *arguments: object, status: int = 0) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)


@dataclass
class Said:
    """What a command said."""

    status: int
    out: str
    err: str


class Sfa:
    """``sfa`` in this process."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Said:
        self._capsys.readouterr()
        status = main(["--home", str(self.home), *map(str, arguments)])
        return Said(status, *self._capsys.readouterr())

    def json(self, *arguments: object, status: int = 0) -> Any:
        said = self(*arguments, "--json")
        assert said.status == status, said.err
        return json.loads(said.out)

    def refuses(self, *arguments: object) -> str:
        """The one line that a command says before it ends with 1."""
        said = self(*arguments)
        assert (said.status, said.out, len(said.err.splitlines())) == (1, "", 1), said
        return said.err


@pytest.fixture
def cli(home: Path) -> Iterator[Cli]:
    cli = Cli(home)
    yield cli
    for program in cli.started:
        program.kill()
        program.communicate(timeout=TIMEOUT)


@pytest.fixture
def sfa(home: Path, capsys: pytest.CaptureFixture[str]) -> Sfa:
    return Sfa(home, capsys)
