"""Notice exceptions that a library swallows: Python only prints them.

imagecodecs' HTJ2K decoder raises in a function that cannot. Python then prints
the exception, and "Exception ignored", and the call returns an array that was
never filled.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Swallowed", "raise_swallowed"]

_lock = threading.Lock()
_watching: dict[int, list[str]] = {}  # thread -> what was swallowed in it
_previous: tuple[Any, Any] = (None, None)  # the hooks that were there before


class Swallowed(RuntimeError):
    """A library swallowed an exception."""


@contextmanager
def raise_swallowed() -> Iterator[None]:
    """Raise `Swallowed` if an exception is swallowed in this thread within the block.

    Other threads' ignored exceptions go where they went before.
    """
    global _previous  # noqa: PLW0603  the interpreter has one pair of hooks for all threads
    thread = threading.get_ident()
    with _lock:
        if not _watching:
            _previous = (sys.unraisablehook, sys.excepthook)
            sys.unraisablehook, sys.excepthook = _note, _print_unless_watched
        _watching[thread] = []
    try:
        yield
    finally:
        with _lock:
            found = _watching.pop(thread)
            if not _watching:
                sys.unraisablehook, sys.excepthook = _previous
    if found:
        raise Swallowed(found[0])


def _note(unraisable: Any) -> None:
    found = _watching.get(threading.get_ident())
    if found is None:
        _previous[0](unraisable)
    else:
        found.append(type(unraisable.exc_value).__name__)


def _print_unless_watched(kind: Any, value: Any, traceback: Any) -> None:
    """Print an exception, unless it is one that `_note` will be told as well."""
    if threading.get_ident() not in _watching:
        _previous[1](kind, value, traceback)
