"""Let SIGTERM be like Ctrl-C, and Ctrl-C wait where it would do harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["hold_interrupts_back", "terminate_like_interrupt"]


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """Let SIGTERM raise `KeyboardInterrupt` until the block ends.

    Nothing is changed outside the main thread, or if SIGTERM is handled or
    ignored already.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def hold_interrupts_back(*, fork: bool = False) -> Iterator[None]:
    """Let Ctrl-C wait until the block ends, and processes started in it never see it.

    For they inherit the mask: else a Ctrl-C, which a terminal sends to all
    processes, would make them print tracebacks while they import. If the block
    forks, SIGTERM waits too: the copy has our handler until it sets its own.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held = {signal.SIGINT, signal.SIGTERM} if fork else {signal.SIGINT}
    if not fork:
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # else its start, in the block, would undo the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  signal's signature
    raise KeyboardInterrupt
