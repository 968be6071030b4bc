"""Still pictures in exported notebooks: a widget that nobody can serve any more leaves its picture there."""

from __future__ import annotations

from typing import Any

from nbconvert.preprocessors import Preprocessor

__all__ = ["StillPictures"]

_WIDGET = "application/vnd.jupyter.widget-view+json"


class StillPictures(Preprocessor):
    """Shows a widget's own HTML in an exported notebook, where nbconvert would prefer the widget.

    A widget of ours asks its kernel for what it shows, and a page that was exported has none. Widgets without HTML
    of their own stay what they are.
    """

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:  # noqa: D102 - see Preprocessor
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if _WIDGET in data and "text/html" in data:
                del data[_WIDGET]
        return cell, resources
