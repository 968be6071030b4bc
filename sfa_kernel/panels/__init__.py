"""Panels: the catalogue and the widgets put together.

A panel answers a widget's requests from the studio and keeps it up to date; the widget itself knows only
messages.
"""

from sfa_kernel.panels.compose import dashboard, jobs_panel, library_panel, player_panel
from sfa_kernel.panels.studio import Studio

__all__ = ["Studio", "dashboard", "jobs_panel", "library_panel", "player_panel"]
