"""Accuracy that was reached stays: a change of the analysis that costs some fails here.

When a change raises a score, `python -m tests.analysis.scores --write` makes the new one the measure.
"""

from __future__ import annotations

import pytest

from tests.analysis.scores import measure, stored

SLACK = 0.005  # other processors round otherwise

METRICS = sorted(stored()["all"])


@pytest.fixture(scope="module")
def scores() -> dict[str, dict[str, float]]:
    return measure()


@pytest.mark.parametrize("metric", METRICS)
def test_no_accuracy_is_lost(scores: dict[str, dict[str, float]], metric: str) -> None:
    by_style = {group: metrics.get(metric) for group, metrics in scores.items()}
    assert scores["all"][metric] >= stored()["all"][metric] - SLACK, by_style
