from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from sfa_kernel.errors import Cancelled, SetupError
from sfa_kernel.separation.demucs.segments import separate_blocks
from tests.separation.demucs.networks import SOURCES, Echo, bag, hybrid, transformer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.separation.demucs.bag import Bag

UNITY = [[1.0 if source == member else 0.0 for source in range(4)] for member in range(4)]


def song(frames: int, seed: int = 0) -> Any:
    """Noise whose colour and level change, so that no segment is like another."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((2, frames)).astype(np.float32)
    noise[:, 1:] += 0.9 * noise[:, :-1]
    return noise * (0.3 + np.linspace(0, 1, frames, dtype=np.float32))


def cut(samples: Any, size: int = 10007) -> Iterator[Any]:
    for start in range(0, samples.shape[1], size):
        yield samples[:, start : start + size]


def ours(model: Bag, samples: Any, stems: tuple[str, ...] = SOURCES, **options: Any) -> Any:
    pieces = list(separate_blocks(model, cut(samples), samples.shape[1], stems=stems, **options))
    return np.concatenate(pieces, axis=2)


def upstream(model: Bag, samples: Any, overlap: float = 0.25, *, fast_path: bool = False) -> Any:
    from demucs.apply import BagOfModels, apply_model

    networks = [member.network for member in model.members]
    whole = BagOfModels(networks, [list(member.weights) for member in model.members], model.segment)
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(fast_path)
    try:
        return apply_model(whole, torch.from_numpy(samples)[None], shifts=0, overlap=overlap)[0].numpy()
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def decibels(result: Any, truth: Any) -> float:
    """Level of the truth over the error [dB]."""
    error = float(np.sum((result.astype(np.float64) - truth) ** 2))
    return 10 * np.log10(float(np.sum(truth.astype(np.float64) ** 2)) / max(error, 1e-300))


def tensors() -> list[Any]:
    return [each for each in gc.get_objects() if issubclass(type(each), torch.Tensor)]


@pytest.fixture(scope="module")
def htdemucs() -> Bag:
    return bag(transformer())


@pytest.fixture(scope="module")
def fine_tuned() -> Bag:
    return bag(*(transformer(seed) for seed in range(4)), weights=UNITY)


@pytest.mark.parametrize(
    "frames",
    [1, 2, 30001, 46305, 46306, 61739, 61740, 61741, 150001],
    ids=lambda frames: f"{frames} frames",
)
def test_a_transformer_answers_as_upstream_has_it_to_the_last_bit(htdemucs, frames):
    samples = song(frames)
    np.testing.assert_array_equal(ours(htdemucs, samples), upstream(htdemucs, samples))


@pytest.mark.parametrize("frames", [1, 16537, 16538, 16638, 22050, 60001], ids=lambda frames: f"{frames} frames")
def test_a_network_that_is_not_padded_does_too(frames):
    model = bag(hybrid())
    samples = song(frames)
    np.testing.assert_array_equal(ours(model, samples), upstream(model, samples))


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.5, 0.9])
def test_whatever_the_overlap(htdemucs, overlap):
    samples = song(100003)
    np.testing.assert_array_equal(ours(htdemucs, samples, overlap=overlap), upstream(htdemucs, samples, overlap))


def test_with_its_fast_path_upstream_is_over_100_db_from_us(htdemucs):
    samples = song(150001)
    assert decibels(ours(htdemucs, samples), upstream(htdemucs, samples, fast_path=True)) > 100
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(
    ("weights", "segment"),
    [
        (None, None),
        ([[0.3, 1.0, 0.0, 2.0], [0.7, 0.1, 1.0, 0.3]], None),
        (None, 1.0),
        (None, 3.0),
    ],
    ids=["equal", "weighted", "in shorter segments", "in longer segments, which a transformer cannot hear"],
)
def test_a_bag_of_different_networks_is_upstreams_mean_of_them(weights, segment):
    model = bag(transformer(3), hybrid(4), weights=weights, segment=segment)
    samples = song(130001)
    expected = upstream(model, samples)
    np.testing.assert_array_equal(ours(model, samples), expected)


@pytest.mark.parametrize("stem", SOURCES)
def test_one_stem_of_a_fine_tuned_bag_runs_one_network_and_is_the_same_to_the_bit(fine_tuned, stem):
    samples = song(70001)
    ran = []
    hooks = [
        member.network.register_forward_hook(lambda *_, index=index: ran.append(index))
        for index, member in enumerate(fine_tuned.members)
    ]
    try:
        alone = ours(fine_tuned, samples, (stem,))
    finally:
        for hook in hooks:
            hook.remove()
    assert ran == [SOURCES.index(stem)] * 2
    np.testing.assert_array_equal(alone[0], upstream(fine_tuned, samples)[SOURCES.index(stem)])


def test_stems_come_in_the_order_they_are_asked_for_in(htdemucs):
    samples = song(30000)
    every = ours(htdemucs, samples)
    np.testing.assert_array_equal(ours(htdemucs, samples, ("vocals", "drums")), every[[3, 0]])


def test_the_same_song_gives_the_same_stems_again(htdemucs):
    samples = song(100000)
    np.testing.assert_array_equal(ours(htdemucs, samples), ours(htdemucs, samples))


@pytest.mark.parametrize("model", [transformer, hybrid])
def test_batches_change_nothing_but_the_rounding(model):
    model = bag(model())
    samples = song(200001)
    assert decibels(ours(model, samples, batch=3), ours(model, samples)) > 100


def test_silence_gives_silence_without_any_work():
    network = Echo()
    assert not ours(bag(network), np.zeros((2, 200000), np.float32)).any()
    assert network.given == []


def test_segments_that_are_silent_are_not_run_and_the_result_is_still_upstreams(htdemucs):
    samples = song(500000)
    samples[:, 100000:400000] = 0
    ran: list[int] = []
    hook = htdemucs.members[0].network.register_forward_hook(lambda *_: ran.append(1))
    result = ours(htdemucs, samples)
    hook.remove()
    # 11 segments of 61740 frames, 46305 apart; those from the fourth to the eighth lie in the silence.
    assert len(ran) == 6
    np.testing.assert_array_equal(result, upstream(htdemucs, samples))


def test_where_silence_is_not_zero_it_stays_what_it_is(htdemucs):
    samples = song(500000)
    samples[:, 100000:400000] = -0.01
    result = ours(htdemucs, samples, silence=float(np.float32(-0.01)))
    np.testing.assert_allclose(result[:, :, 200000:300000], -0.01, atol=1e-8)
    # What upstream makes of the constant is of its order.
    assert np.abs(result - upstream(htdemucs, samples))[:, :, 200000:300000].max() < 0.05


def test_a_last_segment_that_reaches_no_further_can_be_left_out():
    network = Echo()
    samples = song(2 * 33075 + 44100 - 5)
    assert decibels(ours(bag(network), samples, exact=False), samples[None].repeat(4, 0)) > 120
    assert len(network.given) == 3
    network.given.clear()
    ours(bag(network), samples)
    assert len(network.given) == 4


@pytest.mark.parametrize("frames", [1, 30000, 44100, 44101, 77175, 77176, 200000])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.9])
def test_what_is_left_out_is_heard_by_another_segment(frames, overlap):
    samples = song(frames)
    result = ours(bag(Echo()), samples, exact=False, overlap=overlap)
    assert decibels(result, samples[None].repeat(4, 0)) > 120


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_progress_counts_every_segment_of_every_network(batch):
    model = bag(Echo(1.0), Echo(0.5))
    samples = song(150000)
    steps = -(-150000 // 33075) + -(-150000 // 16537)
    told: list[float] = []
    ours(model, samples, batch=batch, at=told.append)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    counts = np.array(told) * steps
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    assert set(np.diff(np.round(counts))) <= set(range(1, batch + 1))


def test_the_song_is_read_no_further_ahead_than_the_windows_that_are_heard():
    asked = given = furthest = 0
    samples = song(10 * 44100)

    def blocks() -> Iterator[Any]:
        nonlocal asked
        for block in cut(samples, 1000):
            asked += 1000
            yield block

    for piece in separate_blocks(bag(Echo()), blocks(), samples.shape[1], stems=SOURCES, batch=2):
        furthest = max(furthest, asked - given)
        given += piece.shape[2]
    assert given == samples.shape[1]
    assert furthest <= 44100 + 33075 + 1000  # two segments, and the rest of a block


def test_a_song_shorter_or_longer_than_declared_is_as_long_as_declared():
    samples = song(50000)
    short = np.concatenate(list(separate_blocks(bag(Echo()), cut(samples), 60000, stems=("bass",), silence=0.5)), 2)
    np.testing.assert_allclose(short[0, :, :50000], samples, atol=1e-6)
    np.testing.assert_allclose(short[0, :, 50000:], 0.5, atol=1e-6)
    long = np.concatenate(list(separate_blocks(bag(Echo()), cut(samples), 40000, stems=("bass",))), 2)
    np.testing.assert_allclose(long[0], samples[:, :40000], atol=1e-6)


@pytest.mark.parametrize("stop_after", [0, 2])
def test_a_stop_comes_before_another_segment_and_keeps_nothing(stop_after):
    network = Echo()

    def at(share: float) -> None:
        if len(network.given) >= stop_after:
            raise Cancelled("Stopped.")

    before = {id(each) for each in tensors()}
    pieces = separate_blocks(bag(network), cut(song(300000)), 300000, stems=SOURCES, at=at)
    with pytest.raises(Cancelled) as caught:
        list(pieces)
    assert len(network.given) == stop_after
    kept = [each for each in tensors() if id(each) not in before]
    assert sum(each.numel() for each in kept) <= 44100 + 1  # the fade, and the network's one number
    del caught


def test_without_the_memory_for_a_batch_a_smaller_one_is_tried():
    network = Echo(most=2)
    samples = song(300000)
    result = ours(bag(network), samples, batch=8)
    assert decibels(result, samples[None].repeat(4, 0)) > 120
    assert {shape[0] for shape in network.given} == {1, 2}


def test_without_the_memory_for_one_segment_it_says_what_to_do():
    with pytest.raises(SetupError, match=r"memory.*choose the device cpu"):
        ours(bag(Echo(most=0)), song(1000), batch=4)


def test_other_failures_of_a_network_are_not_taken_for_want_of_memory():
    network = Echo()
    network.register_forward_hook(lambda *_: (_ for _ in ()).throw(RuntimeError("something else")))
    with pytest.raises(RuntimeError, match="something else"):
        ours(bag(network), song(1000), batch=4)


def test_shorter_numbers_are_nearly_as_good_and_nothing_stays_switched(htdemucs):
    samples = song(61740)
    result = ours(htdemucs, samples, precision="bf16")
    assert result.dtype == np.float32
    assert 20 < decibels(result, ours(htdemucs, samples)) < 100
    assert not torch.is_autocast_enabled("cpu")
    assert not torch.is_inference_mode_enabled()


def test_while_a_piece_is_out_the_caller_has_the_usual_arithmetic(htdemucs):
    pieces = separate_blocks(htdemucs, cut(song(200000)), 200000, stems=SOURCES, precision="bf16")
    next(pieces)
    assert torch.backends.mha.get_fastpath_enabled()
    assert not torch.is_inference_mode_enabled()
    assert not torch.is_autocast_enabled("cpu")
    pieces.close()
