"""Sounds as a page takes them: where each is heard, and its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.pipeline.media import audio_file

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from sfa_kernel.studio import Studio

__all__ = ["Waveforms", "source"]


class Waveforms:
    """The pictures of one answer: ``headers`` by role, and ``binary``, the buffers that they point into."""

    def __init__(self) -> None:
        self.headers: dict[str, Any] = {}
        self.binary: list[Any] = []

    def add(self, role: str, path: Path) -> None:
        """Read the picture of one sound; without one it is heard all the same."""
        from sfa_kernel import audio

        if not path.is_file():
            return
        header, levels = audio.Waveform.load(path).to_message()
        for level in header["levels"]:
            level["buffer"] = len(self.binary)
            self.binary.append(levels.pop(0))
        self.headers[role] = header


def source(studio: Studio, identifier: UUID, role: str, label: str) -> dict[str, Any]:
    """Where a track or a stem is heard.

    Raises
    ------
    NotFoundError
        When its file is gone.
    """
    file = audio_file(studio.home, identifier)
    return {
        "id": str(identifier),
        "role": role,
        "label": label,
        "url": f"sfa/audio/{identifier}",
        "mime": file.mime,
    }
