"""Programs of others are heard line by line, and end with all that they started."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from sfa_kernel.errors import RetryableJobError, SetupError
from sfa_kernel.sources.downloads.program import run_program

if TYPE_CHECKING:
    from pathlib import Path

# Leaves a program behind that holds its pipes open, and tells its number.
LEAVES_A_CHILD = """
import subprocess, sys
print(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"]).pid, flush=True)
"""


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-S", "-c", code, *arguments]


def test_lines_of_both_streams_come_as_they_are_and_arguments_go_as_they_are() -> None:
    heard: list[str] = []
    hostile = "$(id) `id`; --exec 'x' ../../y \u202e🦑"
    code = "import sys; sys.stdout.write('10 %\\r20 %\\r\\nlast'); print(sys.argv[1], file=sys.stderr); sys.exit(3)"
    ended = run_program(python(code, hostile), hear=heard.append, silence=30)
    assert (ended.code, ended.output, ended.errors) == (3, ["10 %", "20 %", "last"], [hostile])
    assert sorted(heard) == sorted([*ended.output, hostile])
    assert "\u202e" not in ended.last


def test_bytes_that_are_no_text_and_lines_without_an_end_do_no_harm() -> None:
    code = "import os; os.write(1, b'\\xff\\x00\\n' + b'x' * (5 << 20) + b'\\n' + b'line\\n' * 5000)"
    ended = run_program(python(code), silence=30)
    assert ended.code == 0
    assert len(ended.output) == 400
    assert ended.output[-1] == "line"


def test_a_program_that_talks_without_end_is_stopped() -> None:
    before = psutil.Process().children()
    with pytest.raises(RetryableJobError, match="talked without end"):
        run_program(python("while True: print('x' * 60_000)"), silence=30)
    assert psutil.Process().children() == before


def test_what_a_program_leaves_behind_is_ended_and_not_waited_for() -> None:
    ended = run_program(python(LEAVES_A_CHILD), silence=300)
    assert ended.code == 0
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(ended.output[0])).wait(10)


def test_whoever_listens_can_end_it_and_so_does_silence() -> None:
    def hear(line: str) -> None:
        raise ValueError(line)

    before = psutil.Process().children()
    with pytest.raises(ValueError, match="enough"):
        run_program(python("import time; print('enough', flush=True); time.sleep(600)"), hear=hear, silence=300)
    with pytest.raises(RetryableJobError, match="said nothing for 1 s"):
        run_program(python("import time; time.sleep(600)"), silence=1)
    with pytest.raises(RetryableJobError, match="did not end within 1 s"):
        run_program(python("import os, time; os.close(1); os.close(2); time.sleep(600)"), silence=1)
    assert psutil.Process().children() == before


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    for command in (str(tmp_path / "nothing"), str(tmp_path), "nul\0"):
        with pytest.raises(SetupError, match="cannot be started"):
            run_program([command], silence=1)
