"""What runs inside a worker process."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pickle
import queue
import signal
import sys
import threading
import time
import warnings
from dataclasses import replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from imgconv.batch.attempt import Attempt, Computed, Terminated, attempt, compute, finish
from imgconv.batch.job import FileFact, Job, JobFunction, JobResult
from imgconv.core.allocator import keep_freed_memory
from imgconv.core.interrupts import ENDING_SIGNALS
from imgconv.errors import InternalError
from imgconv.records import record

__all__ = ["READY", "WRITTEN", "WorkerSettings", "Written", "serve"]

READY = b"ready"
WRITTEN = b"written"
_GRACE_S = 2.0  # what a job gets to remove its temporary files once the parent is gone


@record
class WorkerSettings:
    """What a worker is told once, at its start."""

    function: JobFunction
    digests: bool
    overlap: bool
    memory_limit_bytes: int


@record
class Written:
    """Tells that a job has been computed and its outputs, if any, are being finished.

    What is known of the job as in `Computed`; `identities` are the final name,
    device and inode of each output. Its message begins with `WRITTEN`: it is of
    use only if the worker dies before the outputs are finished.
    """

    inputs: tuple[FileFact, ...]
    result: JobResult
    began: float
    identities: tuple[tuple[Path, tuple[int, int]], ...]


def serve(
    connection: Connection, pickled_settings: bytes, foreign_handles: tuple[int, ...] = ()
) -> None:
    """Answer each job that comes down `connection` with its attempt, until it closes.

    Parameters
    ----------
    foreign_handles
        File descriptors that a fork has brought along: locks, and the pipes of others.
    """
    for handle in foreign_handles:
        with contextlib.suppress(OSError):
            os.close(handle)
    _isolate()
    keep_freed_memory()
    gc.freeze()  # what was imported stays; searching it for garbage would copy it, too
    settings: WorkerSettings = pickle.loads(pickled_settings)  # noqa: S301  from our parent
    _limit_memory(settings.memory_limit_bytes)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send_bytes(READY)
        if settings.overlap:
            _Overlapping(connection, settings).serve()
        else:
            _serve_one_by_one(connection, settings)


def _serve_one_by_one(connection: Connection, settings: WorkerSettings) -> None:
    while True:
        job = pickle.loads(connection.recv_bytes())  # noqa: S301  from our parent
        made = attempt(settings.function, job, digests=settings.digests)
        connection.send_bytes(_dump(made, job))
        if made.spent:
            return


class _Overlapping:
    """Computes jobs in this thread, and finishes their outputs in another, in the same order."""

    def __init__(self, connection: Connection, settings: WorkerSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._sending = threading.Lock()
        self._written: queue.Queue[Computed | None] = queue.Queue(maxsize=1)
        self._spent = False

    def serve(self) -> None:
        """Serve until the connection closes or memory runs out."""
        finisher = threading.Thread(target=self._finish_all, daemon=True)
        finisher.start()
        try:
            while not self._spent:
                job = pickle.loads(self._connection.recv_bytes())  # noqa: S301  from our parent
                self._hand_over(self._compute(job))
        finally:
            self._written.put(None)
            finisher.join()

    def _compute(self, job: Job) -> Computed:
        settings = self._settings
        return compute(settings.function, job, defer=True, digests=settings.digests)

    def _hand_over(self, computed: Computed) -> None:
        self._spent = isinstance(computed.error, MemoryError)
        try:
            self._announce(computed)  # also a failure: messages come in the order of jobs
            self._written.put(computed)
        except BaseException:
            for output in computed.unfinished:
                output.discard()
            raise

    def _announce(self, computed: Computed) -> None:
        identities = tuple((one.target, one.identity) for one in computed.unfinished)
        told = Written(computed.inputs, computed.result, computed.began, identities)
        try:
            message = pickle.dumps(told)
        except Exception:  # noqa: BLE001  a worker's edge: a result may hold anything
            message = pickle.dumps(replace(told, result=JobResult(), identities=()))
        self._send(WRITTEN + message)

    def _finish_all(self) -> None:
        while (computed := self._written.get()) is not None:
            made = finish(computed, digests=self._settings.digests)
            with contextlib.suppress(OSError):  # the parent is gone
                self._send(_dump(made, computed.job))

    def _send(self, message: bytes) -> None:
        with self._sending:
            self._connection.send_bytes(message)


def _dump(made: Attempt, job: Job) -> bytes:
    try:
        return pickle.dumps(made)
    except Exception:  # noqa: BLE001  a worker's edge: a result may hold anything
        return pickle.dumps(
            Attempt(error=InternalError("its result cannot be pickled", path=job.path))
        )


def _isolate() -> None:
    """Leave signals, output and the end of the parent to the parent's rules."""
    held = {signal.SIGINT, *ENDING_SIGNALS}
    for one in held - {signal.SIGTERM}:  # a terminal sends them to all: the parent decides
        signal.signal(one, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, held)
    # stdout carries the command's data; a C library's chatter is none.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(2, 1)
    # Warnings and logs of foreign libraries quote the values of attributes.
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    # If the system runs out of memory, it shall take a worker and not the batch.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001  signal's signature
    raise Terminated(128 + signum)


def _end_with_parent() -> None:
    """Wait until the parent is gone; then end, also in the midst of a job."""
    parent = parent_process()
    if parent is None:
        return
    parent.join()
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        time.sleep(_GRACE_S)
    os._exit(1)


def _limit_memory(limit_bytes: int) -> None:
    """Let the address space grow by `limit_bytes` at most from now on."""
    if not limit_bytes or sys.platform == "win32":
        return
    import resource

    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # where there is no /proc, the limit is on the whole
        pages = 0
    limit = pages * resource.getpagesize() + limit_bytes
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
