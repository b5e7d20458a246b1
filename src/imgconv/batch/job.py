"""What goes into a batch and what comes out: jobs, results, outcomes, options."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Any

from imgconv.core.loss import Loss
from imgconv.errors import ImgconvError, UsageError
from imgconv.records import record

__all__ = ["BatchOptions", "FileFact", "Job", "JobFunction", "JobResult", "Outcome", "Status"]

_MIB = 1 << 20


@record
class Job:
    """One unit of work: what is lost if its worker dies.

    Parameters
    ----------
    key
        Names the job within its plan, the same in each run and on each
        machine: a path relative to the input root, not an absolute one;
        with the archive's name in it for what was unpacked.
    inputs
        What is read; the first one names the job in messages.
    outputs
        What will be written, as far as that is known beforehand.
    size_bytes
        The size of what it reads.
    memory_bytes
        How much memory the job needs, roughly; the size of what it reads if None.
    payload
        Whatever else the function needs; picklable.
    archive
        What the inputs were unpacked from, if they are temporary: it is
        recorded in their place.
    """

    key: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...] = ()
    size_bytes: int = 0
    payload: Any = None  # the function's own business
    memory_bytes: int | None = None
    archive: Path | None = None

    @property
    def needed_bytes(self) -> int:
        """The memory that it is counted with while it is with a worker."""
        return self.size_bytes if self.memory_bytes is None else self.memory_bytes

    @property
    def lasting_inputs(self) -> tuple[Path, ...]:
        """What was read and will still be there when a later run looks for it."""
        return self.inputs if self.archive is None else (self.archive,)

    @property
    def path(self) -> Path | None:
        """The file or folder that messages name; what was unpacked is below its archive."""
        if self.archive is not None:
            _, _, member = self.key.partition(f"{self.archive.name}/")
            return Path(f"{self.archive}/{member}")  # also of an absolute name
        return self.inputs[0] if self.inputs else None

    @property
    def folders(self) -> frozenset[Path]:
        """The folders that hold its outputs."""
        return frozenset(output.parent for output in self.outputs)


@record
class JobResult:
    """What a job's function returns.

    Parameters
    ----------
    outputs
        What was written; None if it is what the job had announced.
    losses
        What the outputs could not carry.
    warnings
        What the user should know, without values that may identify a person.
    facts
        What the manifest shall say besides; strings, numbers, lists, mappings.
    digests
        SHA-256 (hexadecimal) of inputs and outputs that the function knows
        anyway; those that are missing are computed afterwards if wanted.
    skipped
        The reason if the function decided that there was nothing to do.
    error
        Why a part of the job failed: the job counts as failed, its `outputs`
        are there all the same.
    companions
        Files that it read besides the job's inputs: a later run that resumes
        looks whether they have changed.
    payload
        What only the caller of the batch wants to know; picklable, not recorded.
    """

    outputs: tuple[Path, ...] | None = None
    losses: tuple[Loss, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)  # JSON values
    digests: Mapping[Path, str] = field(default_factory=dict)
    skipped: str = ""
    error: ImgconvError | None = None
    companions: tuple[Path, ...] = ()
    payload: Any = None  # the function's own business


# Picklable: a function of a module, or a `functools.partial` of one.
JobFunction = Callable[[Job], JobResult]


@record
class FileFact:
    """A file as it was: enough to see later whether it is still the same.

    `mtime_ns` is in nanoseconds since the epoch, `sha256` hexadecimal or
    empty.
    """

    path: Path
    size_bytes: int
    mtime_ns: int
    sha256: str = ""


class Status(StrEnum):
    """How a job ended."""

    DONE = "done"
    SKIPPED = "skipped"  # its function found nothing to do
    ALREADY_DONE = "already-done"  # by an earlier run, seen in its manifest
    FAILED = "failed"


@record
class Outcome:
    """What became of one job.

    `error` is there if, and only if, the job failed. `seconds` is the wall
    time of the last of its `attempts`.
    """

    job: Job
    status: Status
    result: JobResult = field(default_factory=JobResult)
    error: ImgconvError | None = None
    inputs: tuple[FileFact, ...] = ()
    outputs: tuple[FileFact, ...] = ()
    attempts: int = 1
    seconds: float = 0.0

    @property
    def reason(self) -> str:
        """Why it failed or was skipped; empty if it was done."""
        return self.error.message if self.error is not None else self.result.skipped


@record
class BatchOptions:
    """How a batch is run.

    Parameters
    ----------
    workers
        Number of worker processes; 0 is one per core that we may use.
    timeout_s
        Seconds after which a job is given up; 0 is never. None is 10 minutes
        and a second per MiB of input, which only workers enforce.
    memory_limit_bytes
        What a worker may allocate beyond what it has after start-up; 0 is no
        limit. Not on Windows.
    retries
        How often a job is tried again after an I/O error that may pass.
    retry_wait_s
        Seconds before the first retry; each further one waits twice as long.
    fail_fast
        Whether the first failure ends the batch.
    isolate
        Whether even a few small jobs need worker processes, because they may
        crash or hang.
    digests
        Whether the SHA-256 of inputs and outputs is wanted, for a manifest.
    overlap
        Whether a worker may flush the outputs of a job to the disk while it
        runs the next one: only for a function that does not look at an
        output after it has written it.
    in_flight_bytes
        Upper bound of the memory of all jobs that are with the workers at one
        time (a single larger one runs alone); 0 is a quarter of the memory.
    preload
        Modules that the job function needs and that are slow to import.
    executor
        ``local``, ``dask`` (workers on this machine) or ``dask://host:port``.
    fork
        Whether workers may be forked from this process, where that is sound:
        it saves importing everything twice. For a command; a library does not
        know what else its process holds.
    """

    workers: int = 0
    timeout_s: float | None = None
    memory_limit_bytes: int = 0
    retries: int = 2
    retry_wait_s: float = 0.2
    fail_fast: bool = False
    isolate: bool = False
    digests: bool = False
    overlap: bool = False
    in_flight_bytes: int = 0
    preload: tuple[str, ...] = ()
    executor: str = "local"
    fork: bool = False

    def __post_init__(self) -> None:
        numbers = (self.workers, self.timeout_s or 0, self.memory_limit_bytes, self.retries)
        if min(*numbers, self.retry_wait_s, self.in_flight_bytes) < 0:
            raise UsageError("an option of the batch is negative; expected 0 or more")
        if self.executor not in {"local", "dask"} and not self.executor.startswith("dask://"):
            raise UsageError(
                f"unknown executor `{self.executor}`; expected `local`, `dask` or `dask://host:port`"
            )

    @property
    def worker_count(self) -> int:
        """The number of workers: as wanted, or one per core that we may use."""
        if self.workers:
            return self.workers
        if hasattr(os, "sched_getaffinity"):
            return max(1, len(os.sched_getaffinity(0)))
        return os.cpu_count() or 1

    def deadline_s(self, job: Job) -> float | None:
        """Return after how many seconds `job` is given up, None for never."""
        if self.timeout_s is None:
            return _DEFAULT_TIMEOUT_S + job.size_bytes / _MIB
        return self.timeout_s or None


_DEFAULT_TIMEOUT_S = 600.0  # far above any sound file, far below a lost weekend
