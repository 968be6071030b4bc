"""The Jupyter server extension: our routes beside JupyterLab's own, behind the same sign-in."""

from __future__ import annotations

from typing import Any

from jupyter_server.extension.application import ExtensionApp

from sfa_kernel import __version__
from sfa_kernel.server.handlers import routes
from sfa_kernel.settings import load_settings

__all__ = ["SfaExtension"]


class SfaExtension(ExtensionApp):
    """Adds the routes of one library, the one that the settings (``SFA_HOME``) name."""

    name = "sfa"
    version = __version__
    description = "Sound Forge Alchemy: audio and cover art of the library, for the widgets in a notebook."
    load_other_extensions = True

    def initialize_settings(self) -> None:
        """Say where the library is."""
        self.settings["sfa_home"] = load_settings().home

    def initialize_handlers(self) -> None:
        """Add the routes; the server puts its base URL in front."""
        self.handlers.extend(routes())


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "sfa_kernel.server.extension", "app": SfaExtension}]
