"""Run jobs on Dask distributed: a cluster of other machines, or of processes on this one.

Every machine needs the same imgconv and sees the same files under the same
paths. A worker that dies is replaced by its nanny, and its job is tried
again elsewhere; a job that kills a few workers in a row is given up. The
memory limit is Dask's own (``dask worker --memory-limit``).
"""

from __future__ import annotations

import contextlib
import logging
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

import imgconv
from imgconv.batch.attempt import Attempt, attempt
from imgconv.batch.job import BatchOptions, Job, JobFunction
from imgconv.batch.sweep import sweep_folders
from imgconv.core.interrupts import hold_interrupts_back
from imgconv.errors import MissingExtra, UsageError, WorkerError

__all__ = ["DaskExecutor"]

_CONNECT_S = 20.0
_RESTART_S = 30.0
_CLOSE_S = 5.0
_POLL_S = 0.2  # how often deadlines are looked at
_QUEUED_PER_THREAD = 2  # one that runs and one that waits


@dataclass(slots=True)
class _Task:
    future: Any  # distributed has no types
    job: Job
    deadline: float | None  # monotonic seconds


class DaskExecutor:
    """The executor that hands jobs to a Dask scheduler.

    Parameters
    ----------
    function
        What each job is given to.
    options
        ``dask://host:port`` as `executor` for a running scheduler, ``dask``
        for a cluster of `workers` processes on this machine.

    Raises
    ------
    MissingExtra
        Dask distributed is not installed.
    UsageError
        The scheduler is not there, or its workers have another imgconv.
    """

    def __init__(self, function: JobFunction, options: BatchOptions) -> None:
        self._options = options
        self._function = function
        self._cluster: Any = None  # distributed has no types
        self._flight: dict[int, _Task] = {}
        with hold_interrupts_back():
            self._client: Any = self._connect()
        try:
            self._threads = self._check_workers()
        except BaseException:
            self.close()
            raise

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""
        # With a time limit a job must run at once: its clock starts when it is submitted.
        per_thread = 1 if self._options.timeout_s else _QUEUED_PER_THREAD
        return max(0, per_thread * self._threads - len(self._flight))

    def submit(self, number: int, job: Job) -> None:
        """Take a job; there must be room."""
        limit_s = self._options.deadline_s(job)
        future = self._client.submit(
            attempt,
            self._function,
            job,
            digests=self._options.digests,
            key=f"imgconv-{id(self)}-{number}",
            pure=False,
        )
        deadline = None if limit_s is None else time.monotonic() + limit_s
        self._flight[number] = _Task(future, job, deadline)

    def wait(self, timeout_s: float | None) -> list[tuple[int, Attempt]]:
        """Return what has ended, after at most `timeout_s` (None: until something has)."""
        from distributed import wait

        until = None if timeout_s is None else time.monotonic() + timeout_s
        ended: list[tuple[int, Attempt]] = []
        while not ended and self._flight:
            futures = [task.future for task in self._flight.values()]
            with contextlib.suppress(TimeoutError):
                wait(futures, timeout=_POLL_S, return_when="FIRST_COMPLETED")
            now = time.monotonic()
            for number, task in list(self._flight.items()):
                made = self._settle(task, now)
                if made is not None:
                    del self._flight[number]
                    ended.append((number, made))
            if until is not None and now >= until:
                break
        return ended

    def close(self) -> None:
        """Stop all that runs, at once; what it was doing leaves no trace."""
        tasks, self._flight = list(self._flight.values()), {}
        with contextlib.suppress(OSError, TimeoutError):
            if tasks:
                workers = self._find_workers(tasks)
                self._client.cancel([task.future for task in tasks], force=True)
                self._restart(workers)
            self._client.close(timeout=_CLOSE_S)
        with contextlib.suppress(OSError, TimeoutError):
            if self._cluster is not None:
                self._cluster.close(timeout=_CLOSE_S)
        for task in tasks:
            sweep_folders(task.job.folders)

    def _connect(self) -> Any:
        try:
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise MissingExtra(
                "Dask distributed is not installed", hint="pip install imgconv[dask]"
            ) from error
        if self._options.executor == "dask":
            self._cluster = LocalCluster(
                n_workers=self._options.worker_count,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,  # deaths are told as outcomes
            )
            return Client(self._cluster)
        address = self._options.executor.removeprefix("dask://")
        try:
            return Client(f"tcp://{address}", timeout=_CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(
                f"no Dask scheduler answers at `{address}`; expected dask://host:port"
            ) from error

    def _check_workers(self) -> int:
        """Return the number of threads of the cluster, whose imgconv must be ours."""
        self._client.wait_for_workers(1, timeout=_CONNECT_S)
        versions = set(self._client.run(_version).values())
        if versions != {imgconv.__version__}:
            found = ", ".join(sorted(str(version) for version in versions))
            raise UsageError(
                f"the Dask workers have imgconv `{found}`; expected `{imgconv.__version__}`"
            )
        return sum(self._client.nthreads().values())

    def _settle(self, task: _Task, now: float) -> Attempt | None:
        """Return what a job gave if it has ended or has run out of time."""
        job = task.job
        if task.future.done():
            return _collect(task)
        if task.deadline is None or now < task.deadline:
            return None
        workers = self._find_workers([task])
        task.future.cancel(force=True)
        self._restart(workers)
        sweep_folders(job.folders)
        limit_s = self._options.deadline_s(job) or 0.0
        error = WorkerError(
            f"not finished within {limit_s:g} s, its worker was restarted",
            path=job.path,
            hint="allow more by `--timeout SECONDS`",
        )
        return Attempt(error=error, seconds=limit_s)

    def _find_workers(self, tasks: list[_Task]) -> list[str]:
        """Return the addresses of the workers that have one of `tasks`."""
        keys = {task.future.key for task in tasks}
        processing: dict[str, Any] = self._client.processing()
        return [worker for worker, held in processing.items() if keys.intersection(held)]

    def _restart(self, workers: list[str]) -> None:
        """Have the nannies replace workers that are stuck in a job."""
        if workers:
            with contextlib.suppress(OSError, ValueError):
                self._client.restart_workers(workers, timeout=_RESTART_S, raise_for_error=False)


def _collect(task: _Task) -> Attempt:
    """Return what a job gave that has ended, or what its workers' deaths mean."""
    from distributed.scheduler import KilledWorker

    try:
        made: Attempt = task.future.result()
    except KilledWorker:
        sweep_folders(task.job.folders)
        made = Attempt(error=WorkerError("every worker that tried it died", path=task.job.path))
    except CancelledError:
        made = Attempt(error=WorkerError("the Dask cluster gave it up", path=task.job.path))
    finally:
        task.future.release()
    return made


def _version() -> str:
    return imgconv.__version__
