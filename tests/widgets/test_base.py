from __future__ import annotations

import logging
import threading

import pytest
import sfa_widgets
from sfa_widgets import LibraryTable, SfaWidget, TrackPlayer, WidgetsNotBuiltError


class PersonalError(Exception):
    def __init__(self, message, hint=""):
        super().__init__(message)
        self.message = message
        self.hint = hint


def test_everything_promised_is_there():
    for name in sfa_widgets.__all__:
        assert hasattr(sfa_widgets, name)


def test_a_request_gets_the_result_of_its_handler(page):
    page.connect(LibraryTable({"tracks.page": lambda params, buffers: {"total": params["offset"], "rows": []}}))
    assert page.request("tracks.page", {"offset": 7}) == ({"id": "1", "result": {"total": 7, "rows": []}}, [])


def test_buffers_travel_both_ways(page):
    page.connect(LibraryTable({"upload.chunk": lambda params, buffers: ({"received": len(buffers[0])}, [b"abc"])}))
    assert page.request("upload.chunk", {}, [b"12345"]) == ({"id": "1", "result": {"received": 5}}, [b"abc"])


def test_a_handler_may_be_added_later(page):
    widget = page.connect(LibraryTable())
    widget.handle("doctor", lambda params, buffers: {"checks": []})
    assert page.request("doctor")[0]["result"] == {"checks": []}


def test_an_error_for_people_reaches_the_page_as_it_is(page):
    def refuse(params, buffers):
        raise PersonalError("No such track.", hint="Refresh the library.")

    page.connect(LibraryTable({"track.show": refuse}))
    assert page.request("track.show")[0]["error"] == {"message": "No such track.", "hint": "Refresh the library."}


def test_any_other_error_goes_to_the_log_and_not_to_the_page(page, caplog):
    def broken(params, buffers):
        return {}["secret path"]

    page.connect(LibraryTable({"track.show": broken}))
    with caplog.at_level(logging.ERROR, logger="sfa_widgets"):
        error = page.request("track.show")[0]["error"]
    assert error["message"] == "Something went wrong inside the kernel; see the log."
    assert "secret path" not in str(error)
    assert "secret path" in caplog.text


def test_a_page_may_load_the_bundle_of_another_family(page, bundles):
    page.connect(LibraryTable())
    reply, buffers = page.request("widget.bundle", {"family": "jobs"})
    assert reply["result"] == {"css": ".sfa {}"}
    assert bytes(buffers[0]) == b"export default {};"
    (bundles / "jobs.js").unlink()
    assert "run `make js`" in page.request("widget.bundle", {"family": "jobs"})[0]["error"]["message"]
    assert "no widget family" in page.request("widget.bundle", {"family": "../secret"})[0]["error"]["message"]


def test_an_unknown_method_is_answered_too(page):
    page.connect(LibraryTable())
    assert "nonsense" in page.request("nonsense")[0]["error"]["message"]


def test_a_result_that_is_no_json_is_answered_with_an_error(page):
    widget = page.connect(LibraryTable({"doctor": lambda params, buffers: {"bad": object()}}))
    put = widget.send

    def send(content, buffers=None):
        if "result" in content:
            raise TypeError("not JSON")
        put(content, buffers)

    widget.send = send
    assert "error" in page.request("doctor")[0]


@pytest.mark.parametrize("noise", [None, "text", {}, {"id": 3}, {"method": "doctor"}])
def test_noise_is_ignored(page, noise):
    widget = page.connect(LibraryTable({"doctor": lambda params, buffers: 1}))
    page.send(noise)
    widget.push("notice", {"level": "ok", "text": "still here"})
    assert page.receive()[0]["event"] == "notice"


def test_a_cancelled_request_is_not_answered(page):
    started, go = threading.Event(), threading.Event()

    def slow(params, buffers):
        started.set()
        go.wait(5)
        return "too late"

    page.connect(LibraryTable({"slow": slow, "doctor": lambda params, buffers: "next"}))
    page.send({"id": "1", "method": "slow", "params": {}})
    assert started.wait(5)
    page.send({"id": "1", "cancel": True})
    go.set()
    page.send({"id": "2", "method": "doctor", "params": {}})
    assert page.receive()[0] == {"id": "2", "result": "next"}
    assert not page.widget._running


def test_a_slow_request_does_not_hold_up_another(page):
    go = threading.Event()
    page.connect(LibraryTable({"slow": lambda params, buffers: go.wait(5), "quick": lambda params, buffers: 1}))
    page.send({"id": "1", "method": "slow", "params": {}})
    page.send({"id": "2", "method": "quick", "params": {}})
    assert page.receive()[0]["id"] == "2"
    go.set()
    assert page.receive()[0]["id"] == "1"


def test_events_may_come_from_any_thread(page):
    widget = page.connect(LibraryTable())
    threads = [threading.Thread(target=widget.push, args=("notice", {"n": n})) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {page.receive()[0]["data"]["n"] for _ in range(8)} == set(range(8))


def test_a_closed_widget_pushes_nothing_and_raises_nothing(page):
    widget = page.connect(LibraryTable())
    widget.close()
    widget.push("notice", {"level": "ok", "text": ""})
    assert page.inbox.empty()


def test_a_misspelt_keyword_is_refused_by_name():
    with pytest.raises(TypeError, match=r"TrackPlayer has no 'trackid'; it knows .*track_id"):
        TrackPlayer(trackid="x")


def test_a_missing_bundle_says_how_to_get_it(bundles):
    (bundles / "library.js").unlink()
    with pytest.raises(WidgetsNotBuiltError, match="make js"):
        LibraryTable()


def test_no_widget_uses_a_name_that_belongs_to_the_base():
    reserved = {"log", "comm", "keys", "layout", "tooltip", "tabbable", "send", "open", "close", "observe"}
    for name in ("LibraryTable", "TrackPlayer", "JobsBoard", "Dashboard"):
        widget_class = getattr(sfa_widgets, name)
        assert issubclass(widget_class, SfaWidget)
        assert not reserved & set(vars(widget_class))
