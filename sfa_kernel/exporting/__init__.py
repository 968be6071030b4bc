"""Exporting: songs, stems and analyses become files to take away. Data in, files out; it knows no catalogue."""

from sfa_kernel.exporting.bundle import MANIFEST, Exported, export
from sfa_kernel.exporting.document import Findings
from sfa_kernel.exporting.material import Item, Song, Stem, StemSet, spoken
from sfa_kernel.exporting.names import FIELDS, TEMPLATE, numbered
from sfa_kernel.exporting.outline import FORMATS, Outline, Wish, outline, wish

__all__ = [
    "FIELDS",
    "FORMATS",
    "MANIFEST",
    "TEMPLATE",
    "Exported",
    "Findings",
    "Item",
    "Outline",
    "Song",
    "Stem",
    "StemSet",
    "Wish",
    "export",
    "numbered",
    "outline",
    "spoken",
    "wish",
]
