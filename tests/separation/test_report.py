"""The report on a separation: its numbers against what is known, its warnings, and what it says to people."""

from __future__ import annotations

import json
import tracemalloc
from itertools import permutations, product

import numpy as np
import pytest

from sfa_kernel.separation.report import Quality, Report
from tests.separation.songs import STEMS, song

RATE = 44100


def report(stems, mix=None, *, rate=RATE, block=65536, **options):
    """Report on stems by name [shape=(channels, n)]; the mix is their sum unless it is given."""
    mix = np.sum(list(stems.values()), axis=0, dtype=np.float32) if mix is None else mix
    quality = Quality(list(stems), rate)
    for first in range(0, mix.shape[1], block):
        piece = slice(first, first + block)
        quality.add(mix[:, piece], {name: samples[:, piece] for name, samples in stems.items()})
    return quality.result(**options)


def hiss(seed, *, seconds=4.0, level=0.1, rate=RATE):
    noise = np.random.default_rng(seed).standard_normal((2, round(seconds * rate)))
    return (level * noise).astype(np.float32)


def energy(samples):
    return float(np.sum(np.square(samples, dtype=np.float64)))


@pytest.fixture(scope="module")
def songs():
    return {style: song(style, seed=3, seconds=16).stems for style in ("pop", "house", "rock")}


@pytest.fixture(params=["pop", "house", "rock"])
def truth(request, songs):
    return songs[request.param]


def test_levels_shares_and_residual_are_those_of_the_samples():
    stems = {"vocals": hiss(0, level=0.1), "drums": hiss(1, level=0.2)}
    mix = stems["vocals"] + stems["drums"]
    out = report(stems, mix + hiss(2, level=1e-4))
    for name, samples in stems.items():
        told = out.stems[name]
        assert told.level_db == pytest.approx(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)), abs=0.01)
        assert told.peak_db == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.01)
        assert told.share == pytest.approx(energy(samples) / sum(map(energy, stems.values())), abs=1e-4)
        assert not told.silent
    assert out.residual_db == pytest.approx(20 * np.log10(1e-4 / np.hypot(0.1, 0.2)), abs=0.1)


def test_blocks_of_any_size_give_the_same_report():
    stems = {"vocals": hiss(0, seconds=3.3), "drums": hiss(1, seconds=3.3)}
    one = report(stems, block=10**9)
    for block in (997, 44100, 65536):
        other = report(stems, block=block)
        assert json.dumps(other.to_dict()) == json.dumps(one.to_dict())


@pytest.mark.parametrize("level", [-24, -18, -12, -6])
def test_known_leakage_is_found_within_3_db_and_where_it_comes_from(songs, level):
    errors, named = [], []
    for truth, (stem, source) in product(songs.values(), permutations(STEMS, 2)):
        gain = 10 ** (level / 20) * np.sqrt(energy(truth[stem]) / energy(truth[source]))
        leaking = report(truth | {stem: truth[stem] + np.float32(gain) * truth[source]}).stems[stem]
        errors.append(leaking.leakage_db - (level - 10 * np.log10(1 + 10 ** (level / 10))))
        named.append(leaking.leakage_from == source)
    assert abs(np.median(errors)) < 1
    assert np.mean(np.abs(errors) < 3) >= (0.8 if level < -18 else 0.95)
    assert np.mean(named) >= 0.9


def test_true_stems_hold_next_to_nothing_of_each_other(truth):
    assert all(stem.leakage_db < -20 for stem in report(truth).stems.values())


def test_the_stem_that_leaks_is_not_the_one_that_is_blamed(truth):
    before = report(truth).stems["vocals"]
    gain = 0.25 * np.sqrt(energy(truth["other"]) / energy(truth["vocals"]))
    after = report(truth | {"other": truth["other"] + np.float32(gain) * truth["vocals"]}).stems
    assert after["other"].leakage_from == "vocals"
    assert after["other"].leakage_db == pytest.approx(-12, abs=1.5)
    assert after["vocals"].leakage_db < max(-20, before.leakage_db + 3)


def test_stems_of_masks_leak_more_than_can_be_seen(separated):
    """Written down, so that nobody takes the estimate for the truth on the draft engine's stems."""
    truth, _, read = separated
    told = report(read, truth.mix).stems
    for name in STEMS:
        # All that is not the true stem: the other stems in it, and what is missing of its own.
        error = energy(read[name] - truth.stems[name]) / energy(read[name])
        assert told[name].leakage_db < 10 * np.log10(error)
    assert max(told, key=lambda name: told[name].leakage_db) == "other"  # the leftovers are worst, and seen to be


def test_a_silent_stem_is_told_and_has_no_leakage():
    out = report({"vocals": hiss(0, level=2e-4), "drums": hiss(1)})
    assert out.stems["vocals"].silent
    assert out.stems["vocals"].leakage_db is None
    assert out.stems["vocals"].leakage_from is None
    assert out.warnings == ("The stem vocals is silent: nothing of it is heard in this song.",)


def test_a_stem_that_plays_only_once_is_not_silent():
    bell = hiss(0, seconds=60) * (np.arange(60 * RATE) // RATE == 30)
    bell *= np.float32(0.05)
    out = report({"other": bell, "drums": hiss(1, seconds=60)})
    assert out.stems["other"].level_db < -60
    assert not out.stems["other"].silent


@pytest.mark.parametrize(
    ("stems", "mix", "sentence"),
    [
        ({"vocals": hiss(0), "drums": 8 * hiss(1)}, None, "The stem drums exceeds full scale by"),
        ({"vocals": hiss(0), "drums": hiss(1)}, hiss(0), "The stems do not add up to the mix"),
        (
            {"vocals": hiss(0), "drums": 0.03 * hiss(1)},
            None,
            "The stem vocals is nearly the whole mix: little was taken out of it.",
        ),
        ({"vocals": hiss(0), "drums": hiss(0), "bass": hiss(1)}, None, "The stems vocals and drums are nearly equal."),
        ({"vocals": 0 * hiss(0), "drums": 0 * hiss(0)}, None, "The mix is silent."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(stems, mix, sentence):
    assert any(warning.startswith(sentence) for warning in report(stems, mix).warnings)


def test_nothing_is_said_against_good_stems(truth):
    assert report(truth).warnings == ()


def test_a_residual_measured_on_the_files_takes_the_place_of_the_own():
    stems = {"vocals": hiss(0), "drums": hiss(1)}
    mix = stems["vocals"] + stems["drums"] + np.float32(0.3) * hiss(2)
    assert report(stems, mix).warnings[0].startswith("The stems do not add up")
    out = report(stems, mix, residual_db=-93.0)
    assert out.residual_db == -93.0
    assert out.warnings == ()


@pytest.mark.parametrize(
    "stems",
    [
        {"vocals": 0 * hiss(0), "drums": hiss(0)},
        {"vocals": hiss(0, seconds=0.01)},
        {"vocals": np.zeros((2, 0), np.float32)},
        {"vocals": hiss(0)[:1], "drums": hiss(1)[:1]},
        {"vocals": np.full((2, RATE), np.nan, np.float32), "drums": np.full((2, RATE), np.inf, np.float32)},
    ],
    ids=["a silent one", "a moment", "nothing", "mono", "no numbers"],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_any_report_goes_through_json(stems):
    out = report(stems)
    assert Report.from_dict(json.loads(json.dumps(out.to_dict(), allow_nan=False))) == out
    assert str(out)
    assert "<svg" in out._repr_html_()


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 96000, 192000])
def test_sample_rates_do_not_matter_for_leakage(rate):
    vocals, drums = hiss(0, rate=rate), hiss(1, rate=rate)
    eighths = np.arange(vocals.shape[1]) * 8 // rate
    vocals, drums = vocals * (eighths % 3 != 0), drums * (eighths % 4 < 2)
    told = report({"vocals": vocals + np.float32(0.25) * drums, "drums": drums}, rate=rate).stems
    assert told["vocals"].leakage_db == pytest.approx(10 * np.log10(energy(drums) / 16 / energy(vocals)), abs=3)
    assert told["vocals"].leakage_from == "drums"


def test_memory_does_not_grow_with_length():
    def peak(seconds):
        quality = Quality(["vocals", "drums"], RATE)
        block = {"vocals": hiss(0, seconds=1), "drums": hiss(1, seconds=1)}
        mix = block["vocals"] + block["drums"]
        tracemalloc.start()
        for _ in range(seconds):
            quality.add(mix, block)
        quality.result()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(40) < 1.1 * peak(8)


def test_people_read_numbers_and_warnings():
    out = report({"vocals": hiss(0), "drums": 8 * hiss(1), "bass": 0 * hiss(0)})
    text = str(out)
    assert "drums   98 %" in text
    assert "under -30 dB" in text
    assert all(warning in text for warning in out.warnings)
    assert "Leakage is an estimate" in text


def test_a_name_from_a_service_cannot_carry_markup():
    out = report({"<b>": hiss(0), "drums": hiss(1)})
    assert "<b>" not in out._repr_html_()
