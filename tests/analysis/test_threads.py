from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from sfa_kernel.analysis import analyze_blocks
from sfa_kernel.analysis.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_an_analysis_takes_one_thread_and_gives_the_others_back() -> None:
    seen = []

    def blocks() -> Iterator[NDArray[np.float32]]:
        seen.append(blas_threads())
        yield np.zeros((1, 22050), np.float32)

    with threadpool_limits(2, user_api="blas"):
        analyze_blocks(blocks(), 22050)
        assert seen == [{1}]
        assert blas_threads() == {2}


def test_analyses_that_overlap_restore_what_was_before_both() -> None:
    with threadpool_limits(2, user_api="blas"):
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert blas_threads() == {1}
        second.__exit__(None, None, None)
        assert blas_threads() == {2}
