"""What every test may use: an empty library, and nothing of the person's own settings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from sfa_kernel.studio import Studio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the person's settings and library out of the tests."""
    for folder in ("config", "data", "state"):
        monkeypatch.setenv(f"XDG_{folder.upper()}_HOME", str(tmp_path_factory.mktemp(folder)))
    for variable in ("SFA_HOME", "SFA_RUN_JOBS", "SFA_PARENT_PID", "SFA_LALAL_KEY", "SFA_CREDENTIALS_KEY"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("SFA_SPOTIFY_CLIENT_ID", "SFA_SPOTIFY_CLIENT_SECRET"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@pytest.fixture(autouse=True)
def _own_log_level() -> Iterator[None]:
    """A command line sets the level of its process: the next test has its own again."""
    logger = logging.getLogger("sfa_kernel")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def studio(home: Path) -> Iterator[Studio]:
    with Studio.open(home) as studio:
        yield studio
