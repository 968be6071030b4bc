from __future__ import annotations

import numpy as np
import pytest
import traitlets
from sfa_widgets import (
    AnalysisView,
    Dashboard,
    DeckConsole,
    ImportPanel,
    JobsBoard,
    LibraryTable,
    StemMixer,
    TrackPlayer,
)

TRACK = {
    "id": "t",
    "title": "<b>Night & Day</b>",
    "artist": None,
    "album": None,
    "duration": 187.2,
    "bpm": 128.04,
    "key": "A minor",
    "camelot": "8A",
}


def html(widget):
    data, _metadata = widget._repr_mimebundle_()
    return data["text/html"]


@pytest.mark.parametrize(
    "widget_class", [AnalysisView, Dashboard, DeckConsole, ImportPanel, JobsBoard, LibraryTable, StemMixer, TrackPlayer]
)
def test_the_repr_is_the_same_for_every_run(widget_class):
    assert repr(widget_class()) == repr(widget_class())
    assert "0x" not in repr(widget_class())


@pytest.mark.parametrize(
    "widget_class", [AnalysisView, Dashboard, DeckConsole, ImportPanel, JobsBoard, LibraryTable, StemMixer, TrackPlayer]
)
def test_a_widget_shows_even_where_no_picture_can_be_made(widget_class):
    data, _metadata = widget_class()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data


def test_state_given_at_the_start_is_kept():
    assert LibraryTable({}, query="night").query == "night"
    assert TrackPlayer({}, track_id="t").track_id == "t"
    assert JobsBoard({}, compact=True).compact


def test_the_player_is_commanded_by_events(page):
    player = page.connect(TrackPlayer())
    player.load("t")
    player.seek(12)
    player.play()
    player.pause()
    sent = [page.receive()[0] for _ in range(4)]
    assert [message["event"] for message in sent] == ["player.open", "player.seek", "player.play", "player.pause"]
    assert player.track_id == "t"
    assert sent[1]["data"] == {"time": 12.0}


def test_the_library_leaves_a_table_in_an_exported_notebook():
    table = LibraryTable({"tracks.page": lambda params, buffers: {"total": 1200, "rows": [TRACK]}})
    picture = html(table)
    assert "&lt;b&gt;Night &amp; Day&lt;/b&gt;" in picture
    assert "<td>128.0</td>" in picture
    assert "<td>3:07</td>" in picture
    assert "1,199 more" in picture


def test_what_brings_songs_in_leaves_what_a_link_led_to():
    songs = [{"title": "<i>One</i>", "artist": "A", "here": True, "duration": 200.0}]
    found = {"preview": {"name": "Night & Day", "total": 3, "songs": songs}}
    picture = html(ImportPanel({"links.preview": lambda params, buffers: (found, [])}, link="spotify:playlist:p"))
    assert "Night &amp; Day" in picture
    assert "&lt;i&gt;One" in picture
    assert "2 more" in picture
    assert "nobody has looked" in html(
        ImportPanel({"links.preview": lambda params, buffers: {"preview": None}}, link="spotify:track:t")
    )


def test_the_decks_leave_what_is_in_them():
    song = {"deck": 1, "title": "<b>Night</b>", "artist": "A", "position": 61.0, "duration": 187.2, "tempo": 126.0}
    empty = {"deck": 2, "title": None, "artist": None, "position": 0.0, "duration": 0.0, "tempo": None}
    state = {"decks": [{**song, "playing": True}, {**empty, "playing": False}]}
    picture = html(DeckConsole({"decks.state": lambda params, buffers: state}))
    assert "&lt;b&gt;Night&lt;/b&gt; · A" in picture
    assert "<td>126.00</td><td>1:01 of 3:07</td><td>playing</td>" in picture


def test_the_player_leaves_its_overview_in_an_exported_notebook():
    bins = 40
    level = np.zeros((bins, 4, 3), dtype=np.int8)
    level[:, 0, 0], level[:, 0, 1] = -127, 127
    header = {"levels": [{"bin_frames": 16384, "bins": bins, "buffer": 0}]}
    loaded = {"track": TRACK, "waveforms": {"mix": header}}
    player = TrackPlayer({"player.load": lambda params, buffers: (loaded, [level.tobytes()])}, track_id="t")
    picture = html(player)
    assert "M0 0V100" in picture
    assert "&lt;b&gt;" in picture
    assert len(picture) < 10_000


def test_a_mix_that_no_mixer_has_is_refused_where_it_is_set():
    mixer = StemMixer(mix={"vocals": {"fader": -6, "muted": True}})
    assert mixer.mix["vocals"]["fader"] == -6
    for wrong in ({"vocals": 0.5}, {"vocals": {"volume": 1}}, {"vocals": {"muted": 1}}, {"vocals": {"fader": True}}):
        with pytest.raises(traitlets.TraitError):
            mixer.mix = wrong
    assert mixer.mix == {"vocals": {"fader": -6, "muted": True}}


def test_the_jobs_leave_their_counts_and_what_needs_attention_in_an_exported_notebook():
    job = {"kind": "separate", "title": "<b>Night</b>", "attempt": 3, "max_attempts": 3, "progress": 42}
    lists = {
        "failed": [{**job, "status": "failed", "error": "The disk is full."}],
        "running": [{**job, "status": "processing", "error": None}],
    }
    counts = {"queued": 10_000, "processing": 1, "failed": 1}
    board = JobsBoard({"jobs.list": lambda params, buffers: {"jobs": lists[params["status"]], "counts": counts}})
    picture = html(board)
    assert "10,000 queued, 1 processing, 1 failed" in picture
    assert "<td>&lt;b&gt;Night&lt;/b&gt;</td><td>failed</td><td>3 of 3</td><td>The disk is full.</td>" in picture
    assert "<td>42 %</td>" in picture


def test_a_board_without_jobs_leaves_one_line_in_an_exported_notebook():
    board = JobsBoard({"jobs.list": lambda params, buffers: {"jobs": [], "counts": {"queued": 0}}})
    assert html(board) == "<p>Jobs: none.</p>"
