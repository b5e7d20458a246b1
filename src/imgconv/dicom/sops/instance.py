"""One file that an object consists of."""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.records import record

__all__ = ["Instance"]


@record(eq=False)
class Instance:
    """One file.

    Parameters
    ----------
    number
        Its place in the series, counted from 1; 0 if it is the only one.
    parts
        Its bytes, made while they are written.
    """

    number: int
    parts: Iterator[bytes | memoryview]
