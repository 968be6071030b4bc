"""Exported notebooks show a picture where a widget was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat

CONFIG = Path(__file__).parents[2] / "etc" / "jupyter"
WIDGET = "application/vnd.jupyter.widget-view+json"


def notebook(model: str, **data: str) -> nbformat.NotebookNode:
    """A notebook that was run: a widget with its state, and what else it shows."""
    view = {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": model}}
    output = nbformat.v4.new_output("display_data", data={**view, **data})
    state = {"state": {model: {"model_name": "AnyModel", "state": {}}}}
    metadata = {"widgets": {"application/vnd.jupyter.widget-state+json": state}}
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("song", outputs=[output])], metadata=metadata)


def exported(document: nbformat.NotebookNode, folder: Path) -> str:
    """The page that `jupyter nbconvert` makes with the configuration we install."""
    source = folder / "lesson.ipynb"
    nbformat.write(document, source)
    command = [sys.executable, "-m", "nbconvert", "--to", "html", source]
    environment = {**os.environ, "JUPYTER_CONFIG_PATH": str(CONFIG)}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return source.with_suffix(".html").read_text("utf-8")


def test_a_widget_leaves_its_picture(tmp_path: Path) -> None:
    page = exported(notebook("gone", **{"text/html": '<svg id="still"></svg>'}), tmp_path)
    assert '<svg id="still">' in page


def test_other_widgets_stay_what_they_are(tmp_path: Path) -> None:
    page = exported(notebook("theirs", **{"text/plain": "IntSlider(value=0)"}), tmp_path)
    assert "IntSlider" not in page


def test_jupyterlab_exports_the_same_way() -> None:
    server = json.loads((CONFIG / "jupyter_server_config.d" / "sfa.json").read_text("utf-8"))
    alone = json.loads((CONFIG / "jupyter_nbconvert_config.json").read_text("utf-8"))
    assert server["HTMLExporter"] == alone["HTMLExporter"]
