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
from uuid import uuid4

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
_ALONE_S = 60.0  # how long a cluster may be without workers
_LOOK_S = 2.0  # how often that is looked at
_DEATHS = 1  # of workers that a job survives in a cluster of ours; Dask's own default is 3
_POLL_S = 0.2  # how often deadlines are looked at


@dataclass(slots=True)
class _Task:
    number: int
    future: Any  # distributed has no types
    job: Job


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
        self._topic = f"imgconv-{uuid4().hex}"
        self._last_seen = time.monotonic()  # a worker
        self._look_due = 0.0
        self._begun: dict[int, float] = {}  # number -> when it began to run, monotonic seconds
        with hold_interrupts_back():
            self._client: Any = self._connect()
        try:
            self._threads = self._check_workers()
            self._client.subscribe_topic(self._topic, self._note_begin)
        except BaseException:
            self.close()
            raise

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""
        # Dask counts a worker's death against all jobs that it holds, so none waits there.
        return max(0, self._threads - len(self._flight))

    def submit(self, number: int, job: Job) -> None:
        """Take a job; there must be room."""
        future = self._client.submit(
            _attempt_elsewhere,
            self._function,
            job,
            digests=self._options.digests,
            topic=self._topic,
            number=number,
            key=f"{self._topic}-{number}",
            pure=False,
        )
        self._flight[number] = _Task(number, future, job)

    def wait(self, timeout_s: float | None) -> list[tuple[int, Attempt]]:
        """Return what has ended, after at most `timeout_s` (None: until something has)."""
        from distributed import wait

        until = None if timeout_s is None else time.monotonic() + timeout_s
        ended: list[tuple[int, Attempt]] = []
        while not ended and self._flight:
            futures = [task.future for task in self._flight.values()]
            with contextlib.suppress(TimeoutError):
                wait(futures, timeout=_POLL_S, return_when="FIRST_COMPLETED")
            for task in list(self._flight.values()):
                made = self._settle(task)
                if made is not None:
                    ended.append((task.number, made))
            if not ended and not self._has_workers():
                ended = self._give_up_all()
            if until is not None and time.monotonic() >= until:
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
            import dask
            from distributed import Client, LocalCluster
        except ImportError as error:
            raise MissingExtra(
                "Dask distributed is not installed", hint="pip install imgconv[dask]"
            ) from error
        if self._options.executor == "dask":
            with dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS}):
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

    def _has_workers(self) -> bool:
        """Whether there are workers, or have been lately."""
        now = time.monotonic()
        if now >= self._look_due:
            self._look_due = now + _LOOK_S
            with contextlib.suppress(OSError, TimeoutError):
                if self._client.nthreads():
                    self._last_seen = now
        return now - self._last_seen < _ALONE_S

    def _give_up_all(self) -> list[tuple[int, Attempt]]:
        """Fail what is in flight: nobody is left to do it."""
        tasks, self._flight = list(self._flight.values()), {}
        self._client.cancel([task.future for task in tasks], force=True)
        ended = []
        for task in tasks:
            sweep_folders(task.job.folders)
            error = WorkerError("the Dask cluster has no workers left", path=task.job.path)
            ended.append((task.number, Attempt(error=error)))
        return ended

    def _note_begin(self, event: tuple[float, int]) -> None:
        """Take down, in the client's thread, that a job has begun, or begun again."""
        self._begun[event[1]] = time.monotonic()

    def _settle(self, task: _Task) -> Attempt | None:
        """Return what a job gave if it has ended or has run out of time."""
        if task.future.done():
            del self._flight[task.number]
            return _collect(task)
        limit_s = self._options.deadline_s(task.job)
        begun = self._begun.get(task.number)
        if limit_s is None or begun is None or time.monotonic() < begun + limit_s:
            return None
        del self._flight[task.number]
        workers = self._find_workers([task])
        task.future.cancel(force=True)
        self._restart(workers)
        sweep_folders(task.job.folders)
        error = WorkerError(
            f"not finished within {limit_s:g} s, its worker was restarted",
            path=task.job.path,
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

    path = task.job.path
    try:
        made: Attempt = task.future.result()
    except KilledWorker:
        sweep_folders(task.job.folders)
        made = Attempt(error=WorkerError("every worker that tried it died", path=path))
    except CancelledError:
        made = Attempt(error=WorkerError("the Dask cluster gave it up", path=path))
    finally:
        task.future.release()
    return made


def _attempt_elsewhere(
    function: JobFunction, job: Job, *, digests: bool, topic: str, number: int
) -> Attempt:
    """Run a job on a worker of the cluster, and tell the client that it has begun."""
    from distributed import get_worker

    get_worker().log_event(topic, number)
    return attempt(function, job, digests=digests)


def _version() -> str:
    return imgconv.__version__
