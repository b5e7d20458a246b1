"""Read byte ranges of a file or of bytes in memory, the same way."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from imgconv.errors import CorruptData, input_error

__all__ = ["Buffer", "ByteSource"]

Buffer = bytes | memoryview | mmap.mmap


class ByteSource:
    """Random access to bytes; a file is opened for each read and never held open.

    Parameters
    ----------
    origin
        A path, or the bytes themselves (a member of an archive, an inflated data set).

    Raises
    ------
    InputError
        The file cannot be opened.
    """

    __slots__ = ("_data", "_path", "size")

    def __init__(self, origin: Path | Buffer) -> None:
        self._data: memoryview | None = None
        self._path: Path | None = None
        if isinstance(origin, Path):
            self._path = origin
            try:
                self.size = origin.stat().st_size
            except OSError as error:
                raise input_error(error, origin) from error
        else:
            self._data = memoryview(origin)
            self.size = len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset` on; fewer at the end of the data."""
        if self._data is not None:
            return bytes(self._data[offset : offset + length])
        path = self._path or Path()
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                return _read_at(descriptor, offset, min(length, max(0, self.size - offset)))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise input_error(error, path) from error

    def view_exactly(self, offset: int, length: int) -> bytes | memoryview:
        """Return exactly `length` bytes, without a copy if they are in memory.

        Raises
        ------
        CorruptData
            The data ends before.
        """
        if self._data is not None and offset + length <= self.size:
            return self._data[offset : offset + length]
        return self.read_exactly(offset, length)

    def read_exactly(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes.

        Raises
        ------
        CorruptData
            The data ends before.
        """
        data = self.read(offset, length)
        if len(data) != length:
            raise CorruptData(
                f"the file ends {length - len(data)} bytes too early; it was truncated",
                path=self._path,
            )
        return data


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    os.lseek(descriptor, offset, os.SEEK_SET)
    parts: list[bytes] = []
    while length > 0:
        part = os.read(descriptor, min(length, 1 << 30))
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
