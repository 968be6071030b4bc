"""The stems resemble the true ones, by a margin that a change for the worse would eat up."""

from __future__ import annotations

import numpy as np

from tests.separation.songs import STEMS

# Gain in signal-to-distortion ratio over taking the mix itself for the stem [dB]. What is reached today is 2 to 3
# dB more; these floors catch a regression.
FLOOR = {"vocals": 7.0, "drums": 6.5, "bass": 6.0, "other": 7.5}


def sdr(truth, estimate):
    error = np.sum((truth.astype(np.float64) - estimate) ** 2)
    return 10 * np.log10(np.sum(truth.astype(np.float64) ** 2) / error)


def test_each_stem_is_nearer_to_the_truth_than_the_mix(separated):
    truth, _, read = separated
    gains = {n: sdr(truth.stems[n], read[n]) - sdr(truth.stems[n], truth.mix) for n in STEMS}
    assert all(gains[name] > floor for name, floor in FLOOR.items()), gains
