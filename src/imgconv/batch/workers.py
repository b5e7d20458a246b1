"""Run jobs in worker processes, each of which may die without the others noticing.

Every worker has a pipe of its own, and nothing is shared: no lock that a
killed worker could take with it, no thread in the parent. A worker holds
the job that it runs and one more, so that it does not idle while the parent
is busy; whatever ends a worker is blamed on the first of the two, the
other goes to the next worker.
"""

from __future__ import annotations

import contextlib
import pickle
import signal
import sys
import time
import warnings
from collections import deque
from dataclasses import field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from imgconv.batch.attempt import Attempt, Computed, describe
from imgconv.batch.job import BatchOptions, Job, JobFunction
from imgconv.batch.preload import open_handles, worker_context
from imgconv.batch.sweep import sweep_folders
from imgconv.batch.worker import READY, WRITTEN, WorkerSettings, Written, serve
from imgconv.core.interrupts import hold_interrupts_back
from imgconv.errors import ImgconvError, InternalError, WorkerError
from imgconv.records import record

__all__ = ["WorkerPool"]

_PER_WORKER = 2  # the job that runs and the next
_PIPE_BYTES = 1 << 15  # what certainly fits into a pipe that nobody reads: half of Linux's 64 KiB
_GRACE_S = 0.5  # from SIGTERM to SIGKILL
# Workers in a row that die before they are ready: no job is to blame. By a signal, which
# comes from outside, more often than by themselves, which will not change.
_START_FAILURES = 9
_OWN_FAILURE = 3
_START_S = 120.0  # imports from a slow network drive included


@record(frozen=False)
class _Task:
    number: int
    job: Job
    data: bytes
    limit_s: float | None
    written: bytes = b""  # what tells of its outputs while they are being finished
    orphaned: bool = False  # its worker died meanwhile, and it was begun again


@record(frozen=False, eq=False)
class _Worker:
    process: BaseProcess
    connection: Connection
    ready: bool = False
    spent: bool = False  # it ends by itself and takes nothing more
    tasks: deque[_Task] = field(default_factory=deque)
    finishing: deque[_Task] = field(default_factory=deque)  # computed before all of `tasks`
    # When the first task began, or the worker as long as it is not ready; monotonic seconds.
    since: float = field(default_factory=time.monotonic)

    @property
    def deadline(self) -> float | None:
        """When its first task, or its start, is given up."""
        if not self.ready:
            return self.since + _START_S
        if not self.tasks or self.tasks[0].limit_s is None:
            return None
        return self.since + self.tasks[0].limit_s

    @property
    def is_busy(self) -> bool:
        """Whether something will come from it."""
        return bool(self.tasks or self.finishing)

    def can_take(self, task: _Task) -> bool:
        """Whether the task can be sent without a risk that the pipe is full."""
        if not self.tasks:
            return not self.spent
        return len(self.tasks) < _PER_WORKER and len(task.data) <= _PIPE_BYTES

    def send(self, task: _Task) -> None:
        """Hand over a task; that the worker is dead is noticed later."""
        if self.ready and not self.tasks:
            self.since = time.monotonic()
        self.tasks.append(task)
        with contextlib.suppress(OSError):
            self.connection.send_bytes(task.data)

    def next_task(self) -> _Task:
        """Remove the first task; the clock of the next one starts."""
        self.since = time.monotonic()
        return self.tasks.popleft()


class WorkerPool:
    """The local executor: worker processes by forkserver, or by spawn where there is none.

    Parameters
    ----------
    function
        What each job is given to; a function that a module names.
    options
        How the batch is run.
    """

    def __init__(self, function: JobFunction, options: BatchOptions) -> None:
        self._options = options
        settings = WorkerSettings(
            function, options.digests, options.overlap, options.memory_limit_bytes
        )
        try:
            self._settings = pickle.dumps(settings)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InternalError("the function of the batch cannot be pickled") from error
        self._waiting: deque[_Task] = deque()
        self._ended: list[tuple[int, Attempt]] = []
        self._failed_starts = 0
        self._workers: list[_Worker] = []
        for _ in range(options.worker_count):
            self._workers.append(self._start())

    @property
    def room(self) -> int:
        """How many more jobs it takes now."""
        held = sum(len(worker.tasks) for worker in self._workers) + len(self._waiting)
        return max(0, _PER_WORKER * len(self._workers) - held)

    def submit(self, number: int, job: Job) -> None:
        """Take a job; there must be room."""
        try:
            data = pickle.dumps(job)
        except (pickle.PicklingError, AttributeError, TypeError):
            error = InternalError("the job cannot be pickled", path=job.path)
            self._ended.append((number, Attempt(error=error)))
            return
        self._waiting.append(_Task(number, job, data, self._options.deadline_s(job)))
        self._hand_out()

    def wait(self, timeout_s: float | None) -> list[tuple[int, Attempt]]:
        """Return what has ended, after at most `timeout_s` (None: until something has).

        Raises
        ------
        InternalError
            Workers cannot be started.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._ended and (self._waiting or any(one.is_busy for one in self._workers)):
            now = time.monotonic()
            if until is not None and now >= until:
                break
            self._poll(_soonest(until, *(worker.deadline for worker in self._workers)), now)
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Stop all workers at once; what they were doing leaves no trace."""
        workers, self._workers = self._workers, []
        _stop(workers)
        for worker in workers:
            for task in (*worker.tasks, *worker.finishing):
                sweep_folders(task.job.folders)

    def _poll(self, until: float | None, now: float) -> None:
        """Wait for a message, an end or a deadline, and deal with each."""
        owners: dict[object, _Worker] = {}
        for worker in self._workers:
            owners[worker.connection] = owners[worker.process.sentinel] = worker
        sources = [one for w in self._workers for one in (w.connection, w.process.sentinel)]
        timeout_s = None if until is None else max(0.0, until - now)
        for ready in wait(sources, timeout_s):
            worker = owners[ready]
            if worker not in self._workers:  # buried by the other of its two signs
                continue
            if ready is worker.connection:
                self._listen(worker)
            else:
                self._hear_out(worker)
        now = time.monotonic()
        for worker in list(self._workers):
            if worker.deadline is not None and now >= worker.deadline:
                self._give_up(worker)
        self._hand_out()

    def _listen(self, worker: _Worker) -> None:
        """Take in one message of a worker, or the end of its messages."""
        try:
            self._take(worker, worker.connection.recv_bytes())
        except (EOFError, OSError):
            self._bury(worker)

    def _hear_out(self, worker: _Worker) -> None:
        """Take in all that is left of a worker that has ended."""
        with contextlib.suppress(EOFError, OSError):
            while worker.connection.poll():
                self._take(worker, worker.connection.recv_bytes())
        self._bury(worker)

    def _take(self, worker: _Worker, message: bytes) -> None:
        if message == READY:
            worker.ready = True
            worker.since = time.monotonic()
            self._failed_starts = 0
            return
        if message.startswith(WRITTEN):
            task = worker.next_task()
            task.written = message[len(WRITTEN) :]
            worker.finishing.append(task)
            return
        made: Attempt = pickle.loads(message)  # noqa: S301  from our own worker
        task = worker.finishing.popleft() if worker.finishing else worker.next_task()
        self._ended.append((task.number, made))
        if made.spent:  # what it has not begun is not to blame
            worker.spent = True
            self._waiting.extendleft(reversed(worker.tasks))
            worker.tasks.clear()

    def _bury(self, worker: _Worker) -> None:
        """Blame the first task of a worker that has ended, and replace the worker."""
        worker.process.join(_GRACE_S)
        if worker.process.is_alive():  # it closed its pipe and lives on
            _stop([worker])
        code = worker.process.exitcode
        if not worker.ready:
            self._failed_starts += 1 if code is not None and code < 0 else _OWN_FAILURE
            if self._failed_starts >= _START_FAILURES:
                raise InternalError(
                    f"worker processes cannot be started ({_describe_exit(code)})",
                    hint="guard the calling script by `if __name__ == '__main__':`",
                )
            self._replace(worker)
            return
        # One death costs one job: the first whose second worker died, else the one in work.
        suspect = next((task for task in worker.finishing if task.orphaned), None)
        if suspect is None and worker.tasks:
            self._lose(worker, WorkerError(f"the worker process died ({_describe_exit(code)})"))
        self._replace(worker, suspect)

    def _give_up(self, worker: _Worker) -> None:
        """Kill a worker whose first task, or whose start, has run out of time."""
        _stop([worker])
        if not worker.ready:
            self._bury(worker)
            return
        limit_s = worker.tasks[0].limit_s or 0.0
        self._lose(
            worker,
            WorkerError(
                f"not finished within {limit_s:g} s, its worker was stopped",
                hint="allow more by `--timeout SECONDS`",
            ),
        )
        self._replace(worker)

    def _lose(self, worker: _Worker, error: ImgconvError) -> None:
        seconds = time.monotonic() - worker.since
        task = worker.next_task()
        sweep_folders(task.job.folders)
        if task.job.path is not None:
            error = error.with_path(task.job.path)
        self._ended.append((task.number, Attempt(error=error, seconds=seconds)))

    def _replace(self, worker: _Worker, suspect: _Task | None = None) -> None:
        worker.connection.close()
        self._waiting.extendleft(reversed(worker.tasks))
        worker.tasks.clear()
        for task in reversed(worker.finishing):  # they came first
            self._settle(task, is_suspect=task is suspect)
        worker.finishing.clear()
        self._workers[self._workers.index(worker)] = self._start()

    def _settle(self, task: _Task, *, is_suspect: bool) -> None:
        """Decide about a task whose worker died while its outputs were being finished."""
        written: Written = pickle.loads(task.written)  # noqa: S301  from our own worker
        sweep_folders(task.job.folders)  # a file that is in place may have its first name, too
        if written.identities and all(map(_is_in_place, written.identities)):
            self._ended.append((task.number, _describe(task.job, written, self._options)))
            return
        if is_suspect:
            error = WorkerError("the worker process died while it wrote", path=task.job.path)
            self._ended.append((task.number, Attempt(error=error)))
            return
        task.orphaned = True
        self._waiting.appendleft(task)

    def _hand_out(self) -> None:
        """Give waiting tasks to workers, to the idle ones first, in order."""
        while self._waiting:
            worker = min(self._workers, key=lambda one: (one.spent, len(one.tasks)))
            if not worker.can_take(self._waiting[0]):
                return
            worker.send(self._waiting.popleft())

    def _start(self) -> _Worker:
        context = worker_context(self._options.preload, fork=self._options.fork)
        forks = context.get_start_method() == "fork"
        ours, theirs = context.Pipe()
        kept = theirs.fileno()
        foreign = tuple(one for one in open_handles() if one != kept) if forks else ()
        process = context.Process(  # type: ignore[attr-defined]  # typeshed: not on BaseContext
            target=serve, args=(theirs, self._settings, foreign), name="imgconv-worker", daemon=True
        )
        try:
            with hold_interrupts_back(fork=forks), warnings.catch_warnings():
                # Python counts idle threads of OpenBLAS, which survives a fork.
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
        except (OSError, EOFError) as error:
            raise InternalError("worker processes cannot be started") from error
        theirs.close()
        return _Worker(process, ours)


def _is_in_place(output: tuple[Path, tuple[int, int]]) -> bool:
    """Whether a file has got its final name."""
    target, identity = output
    try:
        status = target.stat()
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == identity


def _describe(job: Job, written: Written, options: BatchOptions) -> Attempt:
    computed = Computed(job, written.inputs, written.result, None, written.began, [])
    try:
        return describe(computed, digests=options.digests)
    except (OSError, ImgconvError):
        return Attempt(error=WorkerError("the worker process died while it wrote", path=job.path))


def _stop(workers: list[_Worker]) -> None:
    """End processes: politely, so that they remove their temporary files, then surely."""
    for worker in workers:
        worker.process.terminate()
    until = time.monotonic() + _GRACE_S
    for worker in workers:
        worker.process.join(max(0.0, until - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.connection.close()


def _soonest(*times: float | None) -> float | None:
    return min((one for one in times if one is not None), default=None)


def _describe_exit(code: int | None) -> str:
    """Say how a process ended, as far as its exit code tells."""
    if code is None or code >= 0 or sys.platform == "win32":
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
        return f"{name}, perhaps out of memory" if name == "SIGKILL" else name
    return f"signal {-code}"
