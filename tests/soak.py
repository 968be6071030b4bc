"""The long forms of what `make test` only touches: hundreds of kills, half a minute of load, new random examples.

    python tests/soak.py [crash|load|model ...] [--rounds 100] [--seconds 30] [--examples 500] [--seed N]

Ends with a line for each part, and with an exit status that says whether all of them passed.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", help="crash, load, model; all of them when none is named")
    parser.add_argument("--rounds", type=int, default=100, help="how often a process is killed")
    parser.add_argument("--seconds", type=float, default=30, help="how long eight processes read and write")
    parser.add_argument("--examples", type=int, default=500, help="how many histories of the ledger are made up")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the crash test's choices")  # noqa: S311 - a dice
    options = parser.parse_args()
    pytest = ["-m", "pytest", "-q", "--timeout=0"]
    parts = {
        "crash": [*pytest, "tests/jobs/test_crash.py"],
        "load": ["benchmarks/catalog.py", "--seconds", str(options.seconds)],
        "model": [*pytest, "tests/jobs/test_model.py"],
    }
    unknown = set(options.parts) - parts.keys()
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    environment = {
        **os.environ,
        "SFA_CRASH_ROUNDS": str(options.rounds),
        "SFA_CRASH_SEED": str(options.seed),
        "SFA_MODEL_EXAMPLES": str(options.examples),
        "HYPOTHESIS_PROFILE": "soak",
    }
    summary = []
    for name in options.parts or parts:
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        status = subprocess.run([sys.executable, *parts[name]], cwd=ROOT, env=environment, check=False).returncode
        summary.append((name, status, time.monotonic() - began))
    print("\n== summary")
    for name, status, took in summary:
        print(f"{name:8} {'FAILED' if status else 'passed'}  {took:5.0f} s")
    return int(any(status for _, status, _ in summary))


if __name__ == "__main__":
    sys.exit(main())
