from __future__ import annotations

import pickle

import pytest

from sfa_kernel import errors


def test_an_error_is_one_line_for_people() -> None:
    error = errors.AudioError("The file\nholds no sound.", hint="Add another file.")
    assert str(error) == "The file holds no sound. Add another file."


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_crosses_a_process_boundary_unchanged(name: str) -> None:
    error = getattr(errors, name)("What.", hint="How.")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(back), back.message, back.hint) == (type(error), "What.", "How.")
