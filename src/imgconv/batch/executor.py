"""The seam between the engine and what runs the jobs, and the simplest that does."""

from __future__ import annotations

from typing import Protocol

from imgconv.batch.attempt import Attempt, attempt
from imgconv.batch.job import Job, JobFunction

__all__ = ["Executor", "InProcess"]


class Executor(Protocol):
    """Runs jobs that are known to it by a number.

    It loses no job: each that is submitted comes back from `wait` once, with
    a `WorkerError` if what ran it died.
    """

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""

    def submit(self, number: int, job: Job) -> None:
        """Take a job; there must be room."""

    def wait(self, timeout_s: float | None) -> list[tuple[int, Attempt]]:
        """Return what has ended, after at most `timeout_s` (None: until something has)."""

    def close(self) -> None:
        """Stop all that runs, at once; what it was doing leaves no trace."""


class InProcess:
    """Runs one job at a time in this process, while someone waits for it."""

    def __init__(self, function: JobFunction, *, digests: bool) -> None:
        self._function = function
        self._digests = digests
        self._next: tuple[int, Job] | None = None

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""
        return 0 if self._next else 1

    def submit(self, number: int, job: Job) -> None:
        """Take a job; there must be room."""
        self._next = (number, job)

    def wait(self, timeout_s: float | None) -> list[tuple[int, Attempt]]:  # noqa: ARG002  the protocol's
        """Run the job that was submitted and return what it gave."""
        if self._next is None:
            return []
        number, job = self._next
        self._next = None
        return [(number, attempt(self._function, job, digests=self._digests))]

    def close(self) -> None:
        """Do nothing: no job outlives `wait`."""
