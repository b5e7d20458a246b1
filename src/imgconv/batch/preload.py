"""Where worker processes come from: a server that has the modules, started as early as possible."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import BaseContext

from imgconv.core.interrupts import hold_interrupts_back

__all__ = ["start_early", "worker_context"]

_ALWAYS_PRELOADED = ("imgconv.batch.worker",)


def worker_context(preload: tuple[str, ...]) -> BaseContext:
    """Return the way to start workers: by forkserver, or by spawn where there is none."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_ALWAYS_PRELOADED, *preload])
    return context


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
