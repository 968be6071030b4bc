from __future__ import annotations

import pytest

from sfa_kernel.errors import Cancelled
from sfa_kernel.progress import Steps


def test_progress_rises_in_whole_numbers() -> None:
    seen: list[int] = []
    steps = Steps(seen.append)
    part = steps.between(0.5, 1.0)
    for fraction in (0.0, 0.104, 0.1, 0.4):
        steps.at(fraction)
    part(50)
    part(100)
    assert seen == [0, 10, 40, 75, 100]


def test_a_cancel_stops_the_work_at_the_next_step() -> None:
    stop = False
    steps = Steps(cancel=lambda: stop)
    steps.at(0.1)
    stop = True
    with pytest.raises(Cancelled):
        steps.at(0.2)
