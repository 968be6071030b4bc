"""Songs that several tests read; made and analysed once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sfa_kernel.analysis import analyze
from tests.analysis.songs import CLUB_FORM, make_song

if TYPE_CHECKING:
    from sfa_kernel.analysis import Analysis
    from tests.analysis.songs import Song


@pytest.fixture(scope="session")
def club_song() -> Song:
    return make_song(tempo=127.35, form=CLUB_FORM, groove="house", tonic="F#", mode="minor", seed=3)


@pytest.fixture(scope="session")
def club_analysis(club_song: Song) -> Analysis:
    return analyze(club_song.samples, club_song.sample_rate)
