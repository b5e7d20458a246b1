"""Write large outputs so that the disk and the digest do not wait for each other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Self

__all__ = ["EarlyFlush", "write_hashed"]

_FLUSHED_BYTES = 16 << 20  # sent to the disk at a time
_LARGE_BYTES = 4 << 20  # below it, threads take longer than they save
_BLOCK_BYTES = 4 << 20


class EarlyFlush:
    """Sends to the disk what was written, in another thread.

    The flush at the end, which counts, finds little to do then.

    Parameters
    ----------
    stream
        A file that is being written.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._thread: ThreadPoolExecutor | None = None  # small outputs need none
        self._flush: Future[None] | None = None
        self._waiting = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        if self._thread is not None:
            self._thread.shutdown()

    def follow(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Iterate over parts, each of which is written before the next is asked for."""
        for part in parts:
            yield part
            self.wrote(len(part))

    def wrote(self, size: int) -> None:
        """Tell that `size` bytes more were written."""
        self._waiting += size
        if self._waiting > _FLUSHED_BYTES and (self._flush is None or self._flush.done()):
            self._thread = self._thread or ThreadPoolExecutor(1)
            self._flush, self._waiting = self._thread.submit(_send, self._stream), 0


def _send(stream: IO[bytes]) -> None:
    """Send what was written to the disk; errors are left to the flush at the end."""
    flush = getattr(os, "fdatasync", None)  # not everywhere
    if flush is not None:
        with suppress(AttributeError, OSError, ValueError):  # or it is no file
            flush(stream.fileno())


def write_hashed(stream: IO[bytes], parts: Iterable[bytes | memoryview]) -> str:
    """Write parts one after the other and return the SHA-256 of all, in hexadecimal.

    Raises
    ------
    OSError
        It cannot be written.
    """
    digest = hashlib.sha256()
    for part in parts:
        if len(part) < _LARGE_BYTES:
            digest.update(part)
            stream.write(part)
            continue
        view = memoryview(part).cast("B")
        with ThreadPoolExecutor(1) as hashing, EarlyFlush(stream) as early:
            hashed = hashing.submit(digest.update, view)
            for start in range(0, len(view), _BLOCK_BYTES):
                early.wrote(stream.write(view[start : start + _BLOCK_BYTES]))
            hashed.result()
    return digest.hexdigest()
