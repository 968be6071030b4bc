"""Notebooks stay lessons: short, readable, and without what running them leaves behind."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NOTEBOOKS = [*LESSONS, *sorted((ROOT / "voila_apps").glob("*.ipynb"))]


def cells(path, kind):
    document = json.loads(path.read_text("utf-8"))
    return [cell for cell in document["cells"] if cell["cell_type"] == kind]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return request.param


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request):
    return request.param


def test_no_widget_state_is_kept(notebook):
    assert "widgets" not in json.loads(notebook.read_text("utf-8"))["metadata"]
    assert notebook.stat().st_size < 100_000


def test_only_short_text_that_nbval_compares_is_kept_of_the_outputs(notebook):
    for cell in cells(notebook, "code"):
        source = "".join(cell["source"])
        assert (cell["execution_count"] is None) == (cell["outputs"] == []), source
        if "NBVAL_IGNORE_OUTPUT" in source:
            assert cell["outputs"] == [], source
        for output in cell["outputs"]:
            assert set(output.get("data", {"text/plain": ""})) == {"text/plain"}, source
            assert len(json.dumps(output)) < 1000, source


def test_any_kernel_named_python3_runs_it(notebook):
    assert json.loads(notebook.read_text("utf-8"))["metadata"]["kernelspec"]["name"] == "python3"


def test_a_lesson_explains_what_it_does(lesson):
    text = sum(len("".join(cell["source"])) for cell in cells(lesson, "markdown"))
    code = ["".join(cell["source"]) for cell in cells(lesson, "code")]
    assert text > sum(map(len, code)), "more words than code"
    assert max(len(source.splitlines()) for source in code) <= 12, "short cells"
