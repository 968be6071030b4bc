"""Tables as a notebook shows them."""

from __future__ import annotations

from datetime import UTC, datetime

from sfa_kernel.tables import Table


def test_words_stand_at_the_left_and_numbers_at_the_right() -> None:
    shown = Table([{"name": "<Night>", "MB": 1.5, "ready": True, "stems": ["vocals", "rest"]}])._repr_html_()
    assert '<td style="text-align: left">&lt;Night&gt;</td><td style="text-align: right">1.5</td>' in shown
    assert '<th style="text-align: right">MB</th>' in shown
    assert '<td style="text-align: left">yes</td><td style="text-align: left">vocals, rest</td>' in shown


def test_a_time_is_told_to_the_minute() -> None:
    shown = Table([{"made": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)}])._repr_html_()
    assert ">2026-01-02 03:04 UTC<" in shown


def test_nothing_is_said_to_be_nothing() -> None:
    assert "no rows" in Table()._repr_html_()
