"""How long an event takes to a subscriber in another process.

    python benchmarks/events.py [--events 200] [--others 2]

One process publishes, at moments that follow no beat; this one subscribes. In the second run other processes
publish as well, as fast as a worker that reports each percent of a short job. Prints median and longest.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sfa_kernel.events import Event, EventBus

PUBLISH = """
import random, sys, time
from pathlib import Path
from sfa_kernel.events import Journal

journal, topic, count, pause = Journal(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
for n in range(count):
    time.sleep(pause * random.random())
    journal.publish(topic, {"id": topic, "n": n, "sent": time.time(), "text": "x" * 300})
"""


def measure(events: int, others: int) -> list[float]:
    """Seconds from publishing to the subscriber's callback, for each event."""
    latencies: list[float] = []
    arrived = threading.Event()

    def on_event(event: Event) -> None:
        latencies.append(time.time() - event.data["sent"])
        if len(latencies) == events:
            arrived.set()

    with tempfile.TemporaryDirectory() as name, EventBus(Path(name)).subscribe("measured", on_event):

        def publisher(topic: str, count: int, pause: float) -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", PUBLISH, name, topic, str(count), str(pause)])

        busy = [publisher(f"other:{number}", 1_000_000, 0.01) for number in range(others)]
        publisher("measured", events, 0.1).wait()
        complete = arrived.wait(10)
        for process in busy:
            process.kill()
            process.wait()
    if not complete:
        raise SystemExit(f"Of {events} events only {len(latencies)} arrived.")
    return latencies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--others", type=int, default=2, help="processes that publish too, in the second run")
    options = parser.parse_args()
    print(f"{'':24}{'median':>10}{'longest':>10}   [ms], {options.events} events, aim: median below 200")
    for title, others in (("alone", 0), (f"{options.others} others publish", options.others)):
        latencies = [1000 * latency for latency in measure(options.events, others)]
        print(f"{title:24}{statistics.median(latencies):10.1f}{max(latencies):10.1f}")


if __name__ == "__main__":
    main()
