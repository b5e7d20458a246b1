"""Let SIGTERM and SIGHUP be like Ctrl-C, and Ctrl-C wait where it would do harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["ENDING_SIGNALS", "hold_interrupts_back", "terminate_like_interrupt"]

# What asks a process to end; Windows has no SIGHUP.
ENDING_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)


@contextmanager
def terminate_like_interrupt() -> Iterator[None]:
    """Let SIGTERM, and the SIGHUP of a lost terminal, raise `KeyboardInterrupt` in the block.

    Nothing is changed outside the main thread, nor for a signal that is
    handled or, as by nohup, ignored already.
    """
    in_main = threading.current_thread() is threading.main_thread()
    free = [one for one in ENDING_SIGNALS if in_main and signal.getsignal(one) is signal.SIG_DFL]
    for one in free:
        signal.signal(one, _interrupt)
    try:
        yield
    finally:
        for one in free:
            signal.signal(one, signal.SIG_DFL)


@contextmanager
def hold_interrupts_back(*, fork: bool = False) -> Iterator[None]:
    """Let Ctrl-C wait until the block ends, and processes started in it never see it.

    For they inherit the mask: else a Ctrl-C, which a terminal sends to all
    processes, would make them print tracebacks while they import. If the block
    forks, the others wait too: the copy has our handler until it sets its own.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    held = {signal.SIGINT, *ENDING_SIGNALS} if fork else {signal.SIGINT}
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
