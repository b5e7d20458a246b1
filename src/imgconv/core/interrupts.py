"""Let a polite request to end be like Ctrl-C, so that everything is cleaned up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["terminate_like_interrupt"]


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


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  signal's signature
    raise KeyboardInterrupt
