"""A render and a page: the same script, the same sound."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.control.script import Script
from sfa_kernel.dj.console import engine_file, render
from tests.dj.decksongs import RATE, deck_song

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.sync_api import Route

    from tests.browser.conftest import Watch

START = 1 << 15  # frames that the page's console has run before the script begins
SECONDS = 6


def test_a_page_plays_what_a_render_gives_to_the_last_bit(watch: Watch, tmp_path: Path) -> None:
    """Key lock, equaliser, echo, a jump, a loop and the crossfader, in the audio worklet of a real browser."""
    song = deck_song(tmp_path / "song.wav", bpm=120, hertz=220, seconds=12)
    opening = {"deck.1.pitch": 4.0, "deck.1.assign": "left", "mixer.crossfader": -1, "deck.1.play": 1}
    script = Script(duration=SECONDS, sample_rate=RATE, controls={"deck.1.track": song.id, **opening})
    script = script.add(0.5, "deck.1.eq.low", -26, over=0.5).add(1.0, "deck.1.fx.1.on", 1)
    script = script.add(2.0, "deck.1.beatjump", 4).add(3.0, "deck.1.loop.set", 1).add(4.5, "deck.1.loop.active", 0)
    script = script.add(4.6, "deck.1.keylock", 0).add(5.0, "mixer.crossfader", 1, over=0.5)

    blocks: list[NDArray[np.float32]] = []
    render(script, {song.id: song}, blocks.append)
    rendered = np.concatenate(blocks, axis=1)

    def answer(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        if name == "console.js":
            route.fulfill(body=engine_file().read_text("utf-8"), content_type="text/javascript")
        elif name == "song.wav":
            route.fulfill(body=song.mix.read_bytes(), content_type="audio/wav")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    watch.page.route("**/*", answer)
    watch.page.goto("http://localhost/")  # a secure context, as AudioWorklet asks for
    played = watch.page.evaluate(
        Path(__file__).with_name("render.js").read_text("utf-8"),
        {
            "rate": RATE,
            "start": START,
            "frames": SECONDS * RATE,
            "deck": 1,
            "song": {
                "id": song.id,
                "gain": song.gain,
                "grid": {
                    "beats": [float(beat) for beat in song.beats],
                    "downbeats": list(range(0, len(song.beats), 4)),
                },
            },
            "changes": list(opening.items()),
            "events": [
                {"frame": round(event.time * RATE), "control": event.control, "value": event.value}
                | ({} if event.over is None else {"over": {"seconds": event.over}})
                for event in script.events
            ],
        },
    )
    assert played["refused"] == []
    heard = np.stack([np.frombuffer(base64.b64decode(side), np.float32) for side in played["sides"]])
    assert np.abs(heard).max() > 0.3
    assert np.array_equal(heard, rendered)
