"""What brings songs in, in a notebook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sfa_kernel import Studio as NotebookStudio
from sfa_kernel.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(__file__).parents[2] / "widgets" / "src"


@pytest.fixture
def studio(home: Path) -> Iterator[NotebookStudio]:
    with NotebookStudio.open(home, run_jobs=False) as studio:
        yield studio


def test_it_is_answered_whatever_it_asks(studio: NotebookStudio) -> None:
    text = "".join(
        path.read_text("utf-8")
        for folder in ("sources", "adding")
        for path in (SOURCES / folder).glob("*.ts")
        if not path.name.endswith(".test.ts")
    )
    asked = set(
        re.findall(r'"((?:upload|links|spotify|folders|downloads|tools|credentials|batch|jobs)\.[a-z_]+)"', text)
    )
    asked -= {"jobs.rows", "jobs.changed"}  # events
    assert len(asked) > 20
    assert asked - set(studio.importer()._handlers) == set()


def test_a_link_is_read_before_it_is_shown(studio: NotebookStudio) -> None:
    link = "https://open.spotify.com/intl-de/track/11dFghVXANMlKmJXsNCbNl?si=x"
    assert studio.importer(link).link == "spotify:track:11dFghVXANMlKmJXsNCbNl"
    with pytest.raises(ParameterError):
        studio.importer("https://example.org/track/11dFghVXANMlKmJXsNCbNl")
