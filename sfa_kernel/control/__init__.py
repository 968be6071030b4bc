"""Controls: one registry of what can be turned, pressed and read at the decks, for every surface."""

from __future__ import annotations

from sfa_kernel.control.registry import Change, Controls, Observer
from sfa_kernel.control.table import Control, Value, control, controls

__all__ = ["Change", "Control", "Controls", "Observer", "Value", "control", "controls"]
