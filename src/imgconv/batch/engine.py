"""Run a batch: stream the jobs to an executor, stream the outcomes back.

Neither the plan nor the outcomes are held; what is in memory are the jobs in
flight. One bad job never stops the rest.
"""

from __future__ import annotations

import heapq
import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from imgconv.batch.attempt import Attempt
from imgconv.batch.executor import Executor, InProcess
from imgconv.batch.job import BatchOptions, Job, JobFunction, Outcome, Status
from imgconv.core.interrupts import terminate_like_interrupt
from imgconv.events import Event, EventKind, Listener, ignore_events

__all__ = ["run"]

# Starting two workers takes about as long as this many jobs take (docs/batch.md).
_SMALL_JOBS = 8
_SMALL_BYTES = 16 << 20


def run(
    jobs: Iterable[Job],
    function: JobFunction,
    options: BatchOptions = BatchOptions(),  # noqa: B008  frozen
    listener: Listener = ignore_events,
) -> Generator[Outcome, None, None]:
    """Run `function` on every job and iterate over the outcomes as they come.

    Close the iterator (`contextlib.closing`) if you do not exhaust it: that
    stops the workers and removes what they had begun to write. The same
    happens on Ctrl-C and, in the main thread, on SIGTERM, which becomes a
    `KeyboardInterrupt`.

    Parameters
    ----------
    jobs
        Taken one by one as there is room.
    function
        Called as ``function(job)``, in a worker process or in this one;
        picklable.
    options
        How to run it.
    listener
        Gets a step for each outcome, and the warnings and errors of the jobs.

    Raises
    ------
    UsageError
        The executor is not known or not installed.
    InternalError
        Worker processes cannot be started.
    """
    with terminate_like_interrupt():
        stream, small = _look_ahead(jobs, options)
        executor = _choose_executor(function, options, small=small)
        try:
            batch = _Batch(stream, executor, options)
            for outcome in batch.iter_outcomes():
                _tell(outcome, listener)
                yield outcome
        finally:
            executor.close()


@dataclass(order=True, slots=True)
class _Retry:
    due: float  # monotonic seconds
    number: int
    job: Job
    tries: int


class _Batch:
    """The jobs in flight, those that wait for a retry, and the next one."""

    def __init__(self, jobs: Iterator[Job], executor: Executor, options: BatchOptions) -> None:
        self._jobs = jobs
        self._executor = executor
        self._options = options
        self._flight: dict[int, tuple[Job, int]] = {}  # number -> job and tries so far
        self._retries: list[_Retry] = []
        self._next: deque[Job] = deque()
        self._number = 0
        self._bytes = 0
        self._limit_bytes = options.in_flight_bytes or _memory_bytes() // 4
        self._stopped = False

    def iter_outcomes(self) -> Iterator[Outcome]:
        """Run all jobs."""
        while True:
            self._fill()
            if not self._flight and (self._stopped or not self._retries):
                return
            for number, attempt in self._wait():
                outcome = self._settle(number, attempt)
                if outcome is None:
                    continue
                if outcome.status is Status.FAILED and self._options.fail_fast:
                    self._stopped = True
                yield outcome

    def _fill(self) -> None:
        """Submit what is due and fits."""
        while not self._stopped and self._executor.room:
            if self._retries and self._retries[0].due <= time.monotonic():
                retry = heapq.heappop(self._retries)
                self._submit(retry.job, retry.tries)
                continue
            if not self._next:
                self._next.extend(islice(self._jobs, 1))
            if not self._next or not self._fits(self._next[0]):
                return
            self._submit(self._next.popleft(), 0)

    def _fits(self, job: Job) -> bool:
        return not self._flight or self._bytes + job.needed_bytes <= self._limit_bytes

    def _submit(self, job: Job, tries: int) -> None:
        self._number += 1
        self._flight[self._number] = (job, tries)
        self._bytes += job.needed_bytes
        self._executor.submit(self._number, job)

    def _wait(self) -> list[tuple[int, Attempt]]:
        due = self._retries[0].due if self._retries and not self._stopped else None
        pause = None if due is None else max(0.0, due - time.monotonic())
        if not self._flight:
            time.sleep(pause or 0.0)
            return []
        return self._executor.wait(pause)

    def _settle(self, number: int, attempt: Attempt) -> Outcome | None:
        """Turn an attempt into an outcome, or into a retry."""
        job, tries = self._flight.pop(number)
        self._bytes -= job.needed_bytes
        tries += 1
        if attempt.transient and tries <= self._options.retries and not self._stopped:
            due = time.monotonic() + self._options.retry_wait_s * 2 ** (tries - 1)
            heapq.heappush(self._retries, _Retry(due, number, job, tries))
            return None
        status = Status.FAILED if attempt.error is not None else Status.DONE
        if attempt.result.skipped:
            status = Status.SKIPPED
        return Outcome(
            job=job,
            status=status,
            result=attempt.result,
            error=attempt.error,
            inputs=attempt.inputs,
            outputs=attempt.outputs,
            attempts=tries,
            seconds=attempt.seconds,
        )


def _look_ahead(jobs: Iterable[Job], options: BatchOptions) -> tuple[Iterator[Job], bool]:
    """Return all jobs, and whether they are so few and small that workers do not pay."""
    stream = iter(jobs)
    if options.isolate or options.memory_limit_bytes or options.timeout_s:
        return stream, False
    first = list(islice(stream, _SMALL_JOBS + 1))
    small = len(first) <= _SMALL_JOBS and sum(job.size_bytes for job in first) <= _SMALL_BYTES
    return chain(first, stream), small or len(first) <= 1


def _choose_executor(function: JobFunction, options: BatchOptions, *, small: bool) -> Executor:
    if options.executor != "local":
        from imgconv.batch.dask_executor import DaskExecutor

        return DaskExecutor(function, options)
    if small:
        return InProcess(function, digests=options.digests)
    from imgconv.batch.workers import WorkerPool

    return WorkerPool(function, options)


def _tell(outcome: Outcome, listener: Listener) -> None:
    for warning in outcome.result.warnings:
        listener(Event(EventKind.WARNING, warning, item=outcome.job.key))
    if outcome.error is not None:
        name = outcome.error.path or outcome.job.key
        hint = outcome.error.hint
        listener(Event(EventKind.ERROR, outcome.error.message, item=str(name), hint=hint))
    listener(
        Event(
            EventKind.STEP,
            outcome.status.value,
            item=outcome.job.key,
            size_bytes=outcome.job.size_bytes,
        )
    )


def _memory_bytes() -> int:
    """Return the size of the physical memory, 4 GiB if the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 4 << 30
