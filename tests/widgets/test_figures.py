"""Still pictures: valid wherever they go, with the numbers in words."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
import traitlets
from sfa_widgets import AnalysisView
from sfa_widgets.figures import PICTURES, figure, pictures, png, read

SECONDS = 120
RNG = np.random.default_rng(0)


def curve(buffers, values, *, rate=10.0, x=None, low=0.0, high=1.0, unit=""):
    """A curve as `analysis.load` sends it."""
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    header = {
        "rows": len(values),
        "columns": values.shape[1],
        "rate": None if x is not None else rate,
        "start": 0.0,
        "minimum": low,
        "maximum": high,
        "unit": unit,
        "names": [],
        "buffer": len(buffers),
        "x_buffer": None if x is None else len(buffers) + 1,
    }
    buffers.append(np.rint((values - low) / (np.subtract(high, low)) * 255).astype(np.uint8).tobytes())
    if x is not None:
        buffers.append(np.asarray(x, np.float32).tobytes())
    return header


def loaded(title="<b>Night & Day</b>", **changes):
    """A reply of `analysis.load` with all there may be."""
    buffers: list[bytes] = []
    beats = np.arange(0, SECONDS, 0.5)
    n = SECONDS * 10
    curves = {
        "onsets": curve(buffers, RNG.random((SECONDS * 20, 3)), rate=20.0),
        "tempo.curve": curve(buffers, np.full(len(beats), 120.0), x=beats, low=119.0, high=121.0, unit="BPM"),
        "chroma": curve(buffers, RNG.random((n, 12))),
        "mfcc": curve(buffers, RNG.random((n, 20)), low=[0.0] * 20, high=[1.0] * 20),
        "centroid": curve(buffers, np.full(n, 2000.0), low=0.0, high=8000.0, unit="Hz"),
        "rolloff": curve(buffers, np.full(n, 6000.0), low=0.0, high=8000.0, unit="Hz"),
        "energy": curve(buffers, RNG.random(n)),
        "loudness.momentary": curve(buffers, np.full(n, -9.0), low=-60.0, high=0.0, unit="LUFS"),
        "loudness.short_term": curve(buffers, np.full(n, -10.0), low=-60.0, high=0.0, unit="LUFS"),
        "structure.novelty": curve(buffers, RNG.random(60), x=np.arange(60) * 2.0),
    }
    analysis = {
        "duration_s": float(SECONDS),
        "bpm": 120.0,
        "bpm_confidence": 0.9,
        "beats": beats.tolist(),
        "downbeats": beats[::4].tolist(),
        "beats_per_bar": 4,
        "key": "A minor",
        "key_confidence": 0.8,
        "camelot": "8A",
        "keys": [{"start": 0.0, "end": SECONDS, "key": "A minor", "camelot": "8A", "confidence": 0.8}],
        "chords": [{"start": 0.0, "end": 60.0, "label": "Am", "confidence": 0.7}],
        "lufs": -9.2,
        "lra": 4.0,
        "energy": 7,
        "danceability": 0.8,
        "timbre": {"centroid": 2000.0, "rolloff": 6000.0},
        "sections": [
            {"start": 0.0, "end": 60.0, "label": "intro", "confidence": 0.9, "group": "A"},
            {"start": 60.0, "end": 120.0, "label": "drop", "confidence": 0.8, "group": "B"},
        ],
        "drops": [60.0],
    }
    track = {"title": title, "artist": None, "duration": SECONDS}
    cues = [{"time": 60.0, "type": "drop", "label": "Drop 1", "color": '"><script>'}]
    return {"track": track, "analysis": analysis, "cues": cues, "curves": curves, **changes}, buffers


def drawings(html):
    """Every SVG of a fragment, parsed: what is no valid XML raises."""
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]  # noqa: S314 - our own


def test_every_picture_is_a_valid_drawing_with_words():
    html = pictures(read(*loaded()))
    assert len(drawings(html)) == len(PICTURES)
    for drawing in drawings(html):
        assert len(drawing.get("aria-label", "")) > 15
    assert "120.00 BPM" in html
    assert "nan" not in html


def test_a_heat_map_is_a_png_of_the_song():
    html = PICTURES["chroma"](read(*loaded()))
    image = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    assert (width <= 600, height) == (True, 12)


def test_a_png_says_what_it_was_given():
    steps = np.array([[0, 255, 7], [9, 8, 128]], np.uint8)
    data = png(steps, "viridis")
    chunks, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(2, 4)
    np.testing.assert_array_equal(lines[:, 1:], steps)
    assert chunks[b"PLTE"][:3] == bytes.fromhex("440154")
    assert chunks[b"PLTE"][-3:] == bytes.fromhex("fde725")


def test_names_and_colours_of_a_catalogue_stay_text():
    song = read(*loaded())
    html = pictures(song, other=song)
    assert "<script>" not in html
    assert "<b>Night" not in html
    assert "&lt;b&gt;Night &amp; Day&lt;/b&gt;" in html


def test_an_analysis_without_curves_shows_what_it_has():
    result, _ = loaded()
    result["curves"] = {}
    html = pictures(read(result, []))
    titles = re.findall(r">([^<>]+)</div><svg", html)
    assert titles == ["Features", "Structure", "Beat grid", "Energy and loudness"]
    assert len(drawings(html)) == 4


def test_silence_has_pictures_too():
    analysis = {"duration_s": 3.0, "bpm": None, "key": None, "lufs": None, "energy": 1, "sections": [], "timbre": {}}
    result, _ = loaded()
    song = read({**result, "analysis": analysis, "curves": {}, "cues": []}, [])
    assert all(drawings(draw(song)) for name, draw in PICTURES.items() if name in ("features", "structure", "grid"))
    assert "no beat was found" in PICTURES["grid"](song)


def test_the_view_leaves_its_pictures_in_an_exported_notebook():
    view = AnalysisView({"analysis.load": lambda params, buffers: loaded()}, track_id="t", pictures=["energy", "mfcc"])
    html = view._repr_mimebundle_()[0]["text/html"]
    assert len(drawings(html)) == 2
    assert "2:00" in html
    view.compare_id = "u"
    assert len(drawings(view._repr_mimebundle_()[0]["text/html"])) == 4


def test_the_view_says_when_there_is_nothing_to_draw():
    view = AnalysisView(
        {"analysis.load": lambda params, buffers: ({**loaded()[0], "analysis": None}, [])}, track_id="t"
    )
    assert "not analysed yet" in view._repr_mimebundle_()[0]["text/html"]
    assert "No track is open" in AnalysisView({})._repr_mimebundle_()[0]["text/html"]


def test_the_view_knows_its_pictures_and_takes_commands(page):
    view = page.connect(AnalysisView({}, track_id="t"))
    assert view.pictures == list(PICTURES)
    with pytest.raises(traitlets.TraitError):
        view.pictures = ["rainbow"]
    view.seek(12)
    assert page.receive()[0] == {"event": "player.seek", "data": {"time": 12.0}}


def explanation(**changes):
    fields = {
        "title": "Tempo: 127.35 BPM",
        "text": "The onsets repeat every 0.4712 s.\nHalf of it is <likely>.",
        "numbers": {"confidence": 0.92, "alternative [BPM]": 63.68, "kind": "constant", "missing": None},
        "lines": [],
        "marks": [],
        "x_label": "tempo [BPM]",
        "y_label": "score",
        "source": "Somebody (2011)",
    }
    return SimpleNamespace(**{**fields, **changes})


def line(x, y, kind="line", label="score"):
    return SimpleNamespace(label=label, x=np.asarray(x, float), y=np.asarray(y, float), kind=kind)


@pytest.mark.parametrize("kind", ["line", "steps", "bars"])
def test_an_explanation_is_a_figure_with_its_text(kind):
    x = np.linspace(60, 200, 50)
    shown = explanation(lines=[line(x, np.sin(x), kind)], marks=[SimpleNamespace(x=127.35, label="127.35")])
    html = figure(shown)
    assert len(drawings(html)) == 1
    for text in ("Tempo: 127.35 BPM", "&lt;likely&gt;", "63.68", "constant", "Somebody (2011)", "tempo [BPM]"):
        assert text in html


def test_an_explanation_without_curves_is_its_text():
    assert drawings(figure(explanation())) == []
    gone = line([np.nan, 1], [0, np.inf])
    assert drawings(figure(explanation(lines=[gone]))) == []


def test_a_long_curve_keeps_its_peak():
    y = np.zeros(100_000)
    y[54_321] = 1.0
    short = figure(explanation(lines=[line(np.arange(len(y)), y)]))
    assert len(short) < 60_000
    path = max(re.findall(r'd="M([^"]+)" fill="none" stroke="#', short), key=len)
    heights = [float(point.split()[1]) for point in path.split("L")]
    assert min(heights) < 50 < 200 < max(heights)


def test_a_flat_curve_has_a_scale():
    assert len(drawings(figure(explanation(lines=[line([0, 1], [5, 5])])))) == 1
