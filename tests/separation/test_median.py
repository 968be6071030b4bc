from __future__ import annotations

import numpy as np
import pytest

from sfa_kernel.separation.median import median_across, sliding_median


@pytest.mark.parametrize("size", [1, 3, 5, 11, 17, 25])
def test_median_across_is_the_median(size):
    stack = np.random.default_rng(size).standard_normal((size, 7, 9)).astype(np.float32)
    np.testing.assert_array_equal(median_across(list(stack)), np.median(stack, axis=0))


def test_an_even_number_has_no_middle():
    with pytest.raises(ValueError, match="odd"):
        median_across([np.zeros(3)] * 4)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 3), (65, 50)])
def test_sliding_median_is_that_of_a_rank_filter(axis, shape):
    from scipy.ndimage import median_filter

    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    expected = median_filter(
        values, size=(9, 1) if axis == 0 else (1, 9), mode="mirror" if shape[axis] > 4 else "nearest"
    )
    np.testing.assert_array_equal(sliding_median(values, 9, axis=axis), expected)
