"""Circuit breakers: a service that fails again and again is left alone for a while.

After five failures in a row the breaker opens: jobs that call the service wait in the queue. After thirty
seconds one job is let through as a trial; its success closes the breaker, its failure opens it anew. The
state is a row of the catalogue and part of claiming a job, so all processes of a library share it, and no
two of them try at once. (Libraries such as pybreaker keep the state in one process or in Redis.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.catalog.rows import fetch

if TYPE_CHECKING:
    from sfa_kernel.catalog.connection import Connection

__all__ = ["FAILURES", "PAUSE_SECONDS", "failed", "left_alone", "standing", "worked"]

FAILURES = 5
PAUSE_SECONDS = 30.0


def failed(connection: Connection, service: str) -> None:
    """Count a failure of a service; enough of them in a row open its breaker."""
    connection.execute(
        """
        INSERT INTO breakers VALUES ($1, 1, NULL) ON CONFLICT DO UPDATE
        SET failures = failures + 1, opened_at = CASE WHEN failures + 1 >= $2 THEN now() END
        """,
        [service, FAILURES],
    )


def worked(connection: Connection, service: str) -> None:
    """Forget the failures of a service: it has answered."""
    connection.execute("DELETE FROM breakers WHERE service = ?", [service])


def standing(connection: Connection) -> dict[str, bool]:
    """The services whose breaker is open, and whether each may be tried by one job now."""
    rows = fetch(
        connection,
        """
        SELECT service, opened_at <= now() - to_seconds(?) AND NOT EXISTS (
            SELECT 1 FROM jobs j WHERE j.service = b.service AND j.status IN ('downloading', 'processing')
        ) AS trial
        FROM breakers b WHERE opened_at IS NOT NULL
        """,
        [PAUSE_SECONDS],
    )
    return {row["service"]: row["trial"] for row in rows}


def left_alone(connection: Connection) -> list[dict[str, Any]]:
    """The services whose breaker is open: ``service``, ``failures`` in a row, ``trial_at`` when one job tries."""
    return fetch(
        connection,
        "SELECT service, failures, opened_at + to_seconds(?) AS trial_at FROM breakers "
        "WHERE opened_at IS NOT NULL ORDER BY service",
        [PAUSE_SECONDS],
    )
