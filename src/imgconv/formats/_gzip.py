"""Write one gzip member in parallel, with a head that is known only at the end.

Blocks are deflated independently by threads (the compressors release the
interpreter's lock) and joined by sync flushes into a *single* member: browsers
and some readers refuse files of several. The first `head_size` bytes are a
stored block of fixed length, so that a header which depends on all samples
(the data type that suffices) can be filled in after one pass over the data.

Levels 1 to 3 are ISA-L's, 4 to 9 are zlib's. ISA-L 2 takes a sixth of the time
of zlib-ng 6 for a file about 7 % larger.

Source: RFC 1951 (deflate), RFC 1952 (gzip).
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, Self

from isal import isal_zlib

__all__ = ["DEFAULT_LEVEL", "GzipSink"]

DEFAULT_LEVEL = 2
_ISAL_LEVELS = range(1, 4)

# No name, no time: equal input gives equal files. RFC 1952 2.3.1; OS 255 is "unknown".
_MEMBER_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_MAX_STORED = 0xFFFF  # bytes of one stored block, RFC 1951 3.2.4
_LAST_EMPTY_BLOCK = b"\x03\x00"  # a final block of fixed codes that holds nothing

Block = Callable[[], Any]


class GzipSink:
    """Compress blocks into `stream`, a seekable binary file at its beginning.

    Parameters
    ----------
    stream
        Where the member goes.
    level
        1 to 9.
    head_size
        Bytes at the front of the uncompressed data, given to `finish`; at
        most 65535.
    threads
        How many blocks are deflated at the same time.
    """

    def __init__(
        self, stream: IO[bytes], *, level: int = DEFAULT_LEVEL, head_size: int = 0, threads: int = 2
    ) -> None:
        if not 0 <= head_size <= _MAX_STORED:
            raise ValueError(f"head of {head_size} bytes")
        self._stream = stream
        self._level = level
        self._head_size = head_size
        self._depth = threads + 1
        self._pool = ThreadPoolExecutor(threads)
        self._pending: deque[Future[tuple[bytes, int, int]]] = deque()
        self._crc = 0
        self._size = 0
        stream.write(_MEMBER_HEAD)
        self._head_at = stream.tell()
        if head_size:
            stream.write(_stored_block(bytes(head_size)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def write(self, block: Block) -> None:
        """Add the bytes that `block()` returns; it is called in a thread."""
        self._pending.append(self._pool.submit(_deflate, block, self._level))
        if len(self._pending) > self._depth:
            self._drain_one()

    def drain(self) -> None:
        """Wait until every block was asked for its bytes, and write them."""
        while self._pending:
            self._drain_one()

    def finish(self, head: bytes = b"") -> None:
        """Write what is pending, the trailer, and the head at the front."""
        if len(head) != self._head_size:
            raise ValueError(f"head of {len(head)} bytes, promised {self._head_size}")
        self.drain()
        crc = isal_zlib.crc32_combine(zlib.crc32(head), self._crc, self._size)
        size = (self._size + len(head)) & 0xFFFFFFFF  # RFC 1952 2.3.1: modulo 2^32
        self._stream.write(_LAST_EMPTY_BLOCK + struct.pack("<II", crc, size))
        if head:
            end = self._stream.tell()
            self._stream.seek(self._head_at)
            self._stream.write(_stored_block(head))
            self._stream.seek(end)

    def _drain_one(self) -> None:
        deflated, crc, size = self._pending.popleft().result()
        self._stream.write(deflated)
        self._crc = isal_zlib.crc32_combine(self._crc, crc, size)
        self._size += size


def _stored_block(data: bytes) -> bytes:
    return struct.pack("<BHH", 0, len(data), len(data) ^ 0xFFFF) + data


def _deflate(block: Block, level: int) -> tuple[bytes, int, int]:
    """Return the raw deflated bytes of a block, its CRC and its length."""
    data = memoryview(block()).cast("B")
    if level in _ISAL_LEVELS:
        packer: Any = isal_zlib.compressobj(level, isal_zlib.DEFLATED, -15)
    else:
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    # A sync flush ends on a byte boundary, so that the blocks can be joined.
    deflated = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
    return deflated, isal_zlib.crc32(data), data.nbytes
