"""Errors, named by what a person can do about them.

::

    SfaError
    ├── InputError           fix the input
    │   ├── ParameterError     an argument is out of range or of the wrong kind
    │   ├── AudioError         a file is no audio, is empty, or cannot be decoded
    │   ├── NotFoundError      no track, stem, job or file of that name
    │   └── UnsafePathError    a path that leaves the storage root
    ├── SetupError           fix the settings, or install what is missing
    ├── BusyError            try again
    │   ├── CatalogBusy        another process holds the catalogue
    │   └── DiskFullError      there is no room on the disk
    ├── JobError             a job did not do its work
    │   ├── RetryableJobError  another attempt may succeed
    │   │   ├── RateLimitedError  a service asks us to wait
    │   │   └── ServiceError      a service failed, or cannot be reached
    │   ├── FatalJobError      another attempt would fail alike
    │   └── TransitionError    a job may not go from this status to that one
    ├── Cancelled            somebody asked for the stop
    └── InternalError        report a bug

Each carries one line for people: what happened, why, and what to do. Tracebacks belong in the log.
"""

from __future__ import annotations

__all__ = [
    "AudioError",
    "BusyError",
    "Cancelled",
    "CatalogBusy",
    "DiskFullError",
    "FatalJobError",
    "InputError",
    "InternalError",
    "JobError",
    "NotFoundError",
    "ParameterError",
    "RateLimitedError",
    "RetryableJobError",
    "ServiceError",
    "SetupError",
    "SfaError",
    "TransitionError",
    "UnsafePathError",
]


class SfaError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    message
        One sentence for people: what happened and why.
    hint
        What to do about it; empty when the message already says so.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        line = f"{self.message} {self.hint}" if self.hint else self.message
        return " ".join(line.split())

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries; keyword arguments do not survive the default pickling.
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(kind: type[SfaError], message: str, hint: str) -> SfaError:
    return kind(message, hint=hint)


class InputError(SfaError):
    """The input is at fault: fix it and try again."""


class ParameterError(InputError):
    """An argument is out of range or of the wrong kind."""


class AudioError(InputError):
    """A file is no audio, is empty, or cannot be decoded."""


class NotFoundError(InputError):
    """No track, stem, job or file of that name."""


class UnsafePathError(InputError):
    """A path that leaves the storage root."""


class SetupError(SfaError):
    """The settings are wrong, or something is not installed."""


class BusyError(SfaError):
    """Something is in use; trying again later may work."""


class CatalogBusy(BusyError):  # noqa: N818 - the name is part of the design's vocabulary
    """Another process holds the catalogue for longer than we wait."""


class DiskFullError(BusyError):
    """There is no room on the disk; nothing was changed."""


class JobError(SfaError):
    """A job did not do its work."""


class RetryableJobError(JobError):
    """The job failed for a reason that may pass."""


class RateLimitedError(RetryableJobError):
    """A service asks us to wait.

    Parameters
    ----------
    retry_after
        How long it asks for [s], when it says so.
    """

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_rate_limited, (self.message, self.hint, self.retry_after))


def _rebuild_rate_limited(message: str, hint: str, retry_after: float | None) -> RateLimitedError:
    return RateLimitedError(message, hint=hint, retry_after=retry_after)


class ServiceError(RetryableJobError):
    """An external service failed or cannot be reached; it counts for the service's circuit breaker."""


class FatalJobError(JobError):
    """The job failed for a reason that will not pass."""


class TransitionError(JobError):
    """A job may not go from this status to that one."""


class Cancelled(SfaError):  # noqa: N818 - a request that was honoured, not a fault
    """Somebody asked for the work to stop."""


class InternalError(SfaError):
    """A mistake of ours: please report it."""
