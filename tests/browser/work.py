"""Pieces of work for the job board's tests; worker processes import them by name."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from sfa_kernel.errors import InputError, RetryableJobError

logger = logging.getLogger(__name__)


def talk(*, until: str, progress: Any, scratch: Path) -> None:
    """Say something, again and again, until a file is there."""
    number = 0
    while not Path(until).exists():
        number += 1
        progress(min(90, number))
        logger.info("Word %d", number)
        time.sleep(0.1)
    logger.warning("The last word")


def stumble(*, progress: Any, scratch: Path) -> None:
    raise RetryableJobError("The service was busy.")


def refuse(*, until: str, progress: Any, scratch: Path) -> None:
    """Fail until a file is there."""
    if not Path(until).exists():
        raise InputError("This file holds no sound.", hint="Add another file.")
