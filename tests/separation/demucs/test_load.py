"""Networks come out of the folder of weights as they went in, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.errors import ParameterError, SetupError
from sfa_kernel.separation.demucs import models, weights

pytest.importorskip("demucs")

import torch

from sfa_kernel.separation.demucs.load import load
from tests.separation.demucs.making import make_weights, saved, tiny

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("model", models.MODELS)
def test_a_model_has_the_numbers_that_were_kept(tmp_path: Path, model: str) -> None:
    make_weights(tmp_path, model)
    bag = load(tmp_path, model)
    assert (bag.name, bag.sources, bag.sample_rate) == (model, models.model(model).stems, 44100)
    assert len(bag.members) == len(models.model(model).files)
    for index, member in enumerate(bag.members):
        true = tiny(model, seed=index).half().float().state_dict()
        assert not member.network.training
        assert all(torch.equal(tensor, true[name]) for name, tensor in member.network.state_dict().items())
        assert member.weights == models.model(model).weights[index]


def test_only_the_networks_that_count_are_loaded(tmp_path: Path) -> None:
    make_weights(tmp_path, "htdemucs_ft")
    for signature in ("f7e0c4bc", "92cfc3b6"):  # drums and other
        (tmp_path / f"{signature}.safetensors").unlink()
    bag = load(tmp_path, "htdemucs_ft", ["bass", "vocals"])
    assert [member.weights for member in bag.members] == [(0, 1, 0, 0), (0, 0, 0, 1)]
    with pytest.raises(SetupError, match="not on this machine"):
        load(tmp_path, "htdemucs_ft", ["drums"])


def test_work_goes_by_the_networks_that_run() -> None:
    ft, mdx = models.model("htdemucs_ft"), models.model("mdx_extra")
    assert ft.work(["bass"]) == ft.work() / 4
    assert mdx.work(["bass"]) == mdx.work()


def test_weights_that_are_missing_or_damaged_are_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as told:
        load(tmp_path, "htdemucs")
    assert "sfa weights fetch htdemucs" in str(told.value)
    assert "draft" in str(told.value)
    make_weights(tmp_path)
    (tmp_path / "955717e8.safetensors").write_bytes(b"x")
    with pytest.raises(SetupError, match="damaged"):
        load(tmp_path, "htdemucs")


def test_stems_and_models_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no stem 'piano'"):
        load(tmp_path, "htdemucs", ["piano"])
    with pytest.raises(ParameterError, match="no model"):
        load(tmp_path, "htdemucs9")


def test_arguments_that_demucs_has_no_more_are_left_out(tmp_path: Path) -> None:
    network = saved(tiny())
    signature = models.model("htdemucs").files[0].signature
    weights.keep(tmp_path, signature, replace(network, kwargs={**network.kwargs, "gone": 1}), source="a test")
    assert load(tmp_path, "htdemucs").members


@pytest.mark.parametrize(
    "change", [{"kwargs": {"channels": 16}}, {"state": {}}, {"args": (["drums", "bass"],)}, {"args": (1,) * 99}]
)
def test_weights_that_do_not_fit_are_told(tmp_path: Path, change: dict[str, object]) -> None:
    signature = models.model("htdemucs").files[0].signature
    weights.keep(tmp_path, signature, replace(saved(tiny()), **change), source="a test")
    with pytest.raises(SetupError, match="weights"):
        load(tmp_path, "htdemucs")


def test_the_weights_of_another_model_are_told(tmp_path: Path) -> None:
    signature = models.model("htdemucs").files[0].signature
    weights.keep(tmp_path, signature, saved(tiny("htdemucs_6s")), source="a test")
    with pytest.raises(SetupError, match="not those of htdemucs"):
        load(tmp_path, "htdemucs")
