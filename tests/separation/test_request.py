"""What may be asked of a separation."""

from __future__ import annotations

import pytest

from sfa_kernel.errors import ParameterError
from sfa_kernel.separation import request


def test_without_more_words_it_is_a_draft_of_the_whole_song():
    asked = request()
    assert (asked.engine, asked.model, asked.region, asked.rest) == ("draft", "", None, False)
    assert asked.stems == ("vocals", "drums", "bass", "other")


def test_the_same_request_in_other_words_has_the_same_key():
    assert request(stems="drums, vocals").key == request(stems=["vocals", "drums", "rest"]).key
    assert request(stems=["vocals", "drums", "bass", "other"]).key == request().key
    assert request(region=(1, 9)).key == request(region=[1.0, 9.0000000001]).key


def test_what_is_not_heard_makes_no_other_set():
    usual = request("demucs")
    assert request("demucs", settings={"compile": True, "batch": 4}).key == usual.key
    assert request("demucs", settings={"overlap": 0.1}).key != usual.key


def test_settings_may_come_as_a_command_line_gives_them():
    asked = request("demucs", settings={"overlap": "0.1", "compile": "on"})
    assert (asked.settings["overlap"], asked.settings["compile"]) == (0.1, True)
    for wrong in ({"overlap": "much"}, {"overlap": 0.95}, {"compile": "maybe"}, {"precision": "float8"}):
        with pytest.raises(ParameterError, match=f"setting {next(iter(wrong))} cannot be"):
            request("demucs", settings=wrong)


def test_different_requests_have_different_keys():
    keys = {request().key, request(stems="vocals").key, request(region=(0, 30)).key, request(region=(0, 31)).key}
    assert len(keys) == 4


def test_what_it_says_of_itself_can_be_asked_again():
    asked = request(stems="bass", region=(3.5, 9))
    assert request(**asked.to_dict()) == asked


def test_some_stems_leave_a_rest_and_all_of_them_none():
    assert request(stems="vocals").rest
    assert not request(stems="vocals,drums,bass,other").rest


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"engine": "magic"}, "no separation engine 'magic'.*draft"),
        ({"engine": None}, "no separation engine None"),
        ({"model": "huge"}, "no model 'huge'"),
        ({"stems": "kazoo"}, "no stem 'kazoo'.*vocals, drums"),
        ({"stems": []}, "No stem is named"),
        ({"stems": "rest"}, "No stem is named"),
        ({"region": (5, 3)}, "no region"),
        ({"region": (5, 5.1)}, "no region"),
        ({"region": (-1, 5)}, "no region"),
        ({"region": (0, float("nan"))}, "no region"),
        ({"region": "1:00-1:30"}, "no region"),
        ({"settings": {"overlap": 0.5}}, "no setting 'overlap'"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_choices(wrong, message):
    with pytest.raises(ParameterError, match=message):
        request(**wrong)
