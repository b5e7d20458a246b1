"""Where worker processes come from: a server that has the modules, or a copy of this process.

The server is the rule. A command that runs nothing but a batch can let its workers be forked
instead: it imports what they need anyway, so nothing is imported twice.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import sys
import threading
from multiprocessing.context import BaseContext
from pathlib import Path

from imgconv.core.interrupts import hold_interrupts_back

__all__ = ["can_fork", "open_handles", "start_early", "worker_context"]

_ALWAYS_PRELOADED = ("imgconv.batch.worker",)


def can_fork() -> bool:
    """Whether a copy of this process would be sound: no thread can hold a lock, on Linux.

    The libraries of other systems do not survive a fork.
    """
    return sys.platform == "linux" and threading.active_count() == 1


def worker_context(preload: tuple[str, ...], *, fork: bool = False) -> BaseContext:
    """Return the way to start workers.

    Parameters
    ----------
    preload
        Modules that they shall have.
    fork
        Whether they may be forked from this process, if that is sound; the
        modules are imported here then. Else a server is asked, or they are
        spawned where there is none.
    """
    if fork and can_fork():
        for name in preload:
            with contextlib.suppress(ImportError):  # the job that needs it will say so
                importlib.import_module(name)
        return multiprocessing.get_context("fork")
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_ALWAYS_PRELOADED, *preload])
    return context


def open_handles() -> tuple[int, ...]:
    """Return the file descriptors beyond the standard streams: what a forked worker must close."""
    handles = []
    with contextlib.suppress(OSError):
        for link in list(Path("/proc/self/fd").iterdir()):
            handle = int(link.name)
            if handle > 2:
                with contextlib.suppress(OSError):  # that of the listing is closed by now
                    os.fstat(handle)
                    handles.append(handle)
    return tuple(handles)


def start_early(preload: tuple[str, ...]) -> None:
    """Let the server of workers import the modules while this process imports its own.

    It ends with this process. Workers are started later, by a batch.

    Parameters
    ----------
    preload
        Modules; what a batch names later and is not among them is imported by each worker.
    """
    if worker_context(preload).get_start_method() != "forkserver":
        return
    from multiprocessing import forkserver

    with hold_interrupts_back():
        forkserver.ensure_running()
