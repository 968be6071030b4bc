"""How long the pictures of the decks take of each frame, in Chromium.

    python benchmarks/frames.py [--frames 600] [--width 1600]

Songs are made up; all pictures of each deck are there: waveform, overview, phase meter, beat counter, key, jog wheel,
level meter. Prints what the pictures' own code takes, and the part of a frame of 60 a second that its 95th
percentile is. Needs Chromium, Playwright and the widgets' node modules.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

WIDGETS = Path(__file__).resolve().parents[1] / "widgets"
PAGE = WIDGETS / "src" / "decks" / "waves" / "bench.ts"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FRAME = 1000 / 60  # ms
ROUNDS = [(decks, stems, ratio) for ratio in (1, 2) for decks, stems in ((2, False), (4, False), (2, True), (4, True))]


def build(folder: Path) -> tuple[str, str]:
    """The page's script and style sheet."""
    esbuild = WIDGETS / "node_modules" / ".bin" / "esbuild"
    if not esbuild.exists():
        raise SystemExit(f"The benchmark is built with esbuild: run npm install in {WIDGETS} first.")
    options = ["--bundle", "--format=iife", "--minify", "--log-level=error", f"--outfile={folder / 'p.js'}"]
    subprocess.run([str(esbuild), str(PAGE), *options], check=True)
    return (folder / "p.js").read_text(), (folder / "p.css").read_text()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300, help="frames of each round")
    parser.add_argument("--width", type=int, default=1600, help="of the page, in px")
    options = parser.parse_args()
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        print(f"Left out: there is no Chromium here ({', '.join(CHROMIUM)}).")
        return
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder:
        script, style = build(Path(folder))
    print(f"{'':36}{'p50':>8}{'p95':>8}{'longest':>9}{'p95/frame':>11}   [ms], aim: p95 below {FRAME:.1f}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for decks, stems, ratio in ROUNDS:
            page = browser.new_page(
                viewport={"width": options.width, "height": 1000}, device_scale_factor=ratio, color_scheme="dark"
            )
            page.set_content("<!doctype html><body style='margin: 0'></body>")
            page.add_style_tag(content=style)
            page.add_script_tag(content=script)
            times = page.evaluate(f"measure({decks}, {'true' if stems else 'false'}, {options.frames})")
            page.close()
            p95 = statistics.quantiles(times, n=20)[-1]
            title = f"{decks} decks, {'stems' if stems else 'bands'}, {ratio} device px a px"
            print(f"{title:36}{statistics.median(times):8.1f}{p95:8.1f}{max(times):9.1f}{p95 / FRAME:11.2f}")
        browser.close()


if __name__ == "__main__":
    main()
