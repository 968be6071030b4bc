"""What lalal.ai offers, and what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfa_kernel.separation.interface import Place
from sfa_kernel.separation.lalal.services import MODELS, SETTINGS, minutes, orders, other, ready
from tests.separation.lalal.specification import BODIES, problems

SOURCE = "2fe8f214-1771-4900-9e7e-570f823bd359"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_stem_of_every_model_can_be_ordered_as_specified(model: object) -> None:
    for stem in model.stems:  # type: ignore[attr-defined]
        for order in orders(model.name, (stem,), {}):  # type: ignore[attr-defined]
            path = "change_voice/" if order.service == "change_voice" else f"split/{order.service}/"
            assert path in BODIES
            assert problems(path, {"source_id": SOURCE, "presets": dict(order.presets)}) == []
            assert stem in order.tracks.values()


def test_what_is_usual_is_among_what_there_is() -> None:
    for model in MODELS:
        assert set(model.usual) <= set(model.stems)


@pytest.mark.parametrize(
    ("model", "stems", "seconds", "billed"),
    [
        ("auto", ("vocals",), 60.0, 1),
        ("auto", ("vocals",), 60.1, 2),
        ("auto", ("vocals", "drums", "bass"), 200.0, 12),
        ("phoenix", ("vocals", "wind"), 30.0, 2),
        ("perseus", ("lead_vocals", "back_vocals"), 30.0, 1),
        ("voice_clean", ("voice",), 3600.0, 60),
        ("voice:VETRANA", ("voice",), 61.0, 2),
    ],
)
def test_each_stem_costs_every_minute_that_has_begun(
    model: str, stems: tuple[str, ...], seconds: float, billed: int
) -> None:
    assert minutes(model, stems, seconds) == billed


def test_a_voice_of_ones_own_is_a_model() -> None:
    assert other("voice:f5dc9452-9374-4418-9288-02825bbd0016").stems == ("voice",)  # type: ignore[union-attr]
    assert other("voice:") is None
    assert other("voice:../x") is None
    assert other("orion2") is None


def test_it_is_ready_when_there_is_a_key() -> None:
    assert ready("auto", Place(Path(), cloud={"key": "x"})) == (True, "")
    able, reason = ready("auto", Place(Path()))
    assert not able
    assert "SFA_LALAL_KEY" in reason


def test_echo_is_taken_off_voices_only() -> None:
    settings = {name: setting.default for name, setting in SETTINGS.items()} | {"dereverb": True}
    vocals, wind = orders("phoenix", ("vocals", "wind"), settings)
    assert vocals.presets["dereverb_enabled"] is True
    assert "dereverb_enabled" not in wind.presets
