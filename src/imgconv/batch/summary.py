"""How a batch went, in numbers and as an exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import field

from imgconv.batch.job import Outcome, Status
from imgconv.errors import OutputError
from imgconv.exitcodes import ExitCode
from imgconv.records import record

__all__ = ["Summary"]


@record(frozen=False)
class Summary:
    """How a batch went.

    `size_bytes` is the size of the inputs that were done, `seconds` is wall time.
    """

    counts: Counter[Status] = field(default_factory=Counter)
    size_bytes: int = 0
    seconds: float = 0.0
    output_failed: bool = False
    interrupted: bool = False

    @property
    def total(self) -> int:
        """The number of jobs that have an outcome."""
        return self.counts.total()

    @property
    def failed(self) -> int:
        """The number of jobs that failed."""
        return self.counts[Status.FAILED]

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if not self.failed:
            return ExitCode.DONE
        if self.output_failed:
            return ExitCode.OUTPUT
        return ExitCode.SOME_FAILED if self.failed < self.total else ExitCode.NONE_DONE

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        self.counts[outcome.status] += 1
        if outcome.status is Status.DONE:
            self.size_bytes += outcome.job.size_bytes
        self.output_failed |= isinstance(outcome.error, OutputError)
