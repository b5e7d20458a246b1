"""Volumes of samples inside a file: read, or inflated, one at a time."""

from __future__ import annotations

import math
import weakref
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

from imgconv.core.image import LazyArray
from imgconv.errors import CorruptData, UnsupportedData, input_error
from imgconv.records import record

__all__ = ["DAMAGED", "GZIP_MAGIC", "StoredVolumes"]

GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot compress better than 1032 to 1 (zlib's technical notes).
_MAX_DEFLATE_RATIO = 1032
# What reading damaged gzip data raises; the stub of isal calls the last one no class.
DAMAGED: Any = (EOFError, zlib.error, isal_zlib.error)

Load = Callable[[int], NDArray[Any]]


@record
class StoredVolumes:
    """Where the samples of a file are.

    Parameters
    ----------
    path
        The file that holds them.
    shape
        Of one volume, slowest axis first.
    dtype
        Of a sample, in the file's byte order.
    count
        The number of volumes, one behind the other.
    start
        Bytes of the file before the samples, or before the gzip member.
    is_gzipped
        Whether the bytes from `start` on are a gzip member.
    skip
        Bytes to leave out behind `start`, after inflating.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    count: int = 1
    start: int = 0
    is_gzipped: bool = False
    skip: int = 0

    @property
    def volume_bytes(self) -> int:
        """The size of one volume."""
        return math.prod(self.shape) * self.dtype.itemsize

    def require_plausible(self, max_bytes: int = 0) -> None:
        """Raise before anything is allocated if the file cannot hold what is promised.

        Raises
        ------
        CorruptData
            The file is too short.
        UnsupportedData
            A volume needs more than `max_bytes`, if that is not 0.
        """
        needed = self.skip + self.volume_bytes * self.count
        present = max(0, self.path.stat().st_size - self.start)
        if self.is_gzipped:
            present *= _MAX_DEFLATE_RATIO
        if needed > present:
            raise CorruptData(
                f"the header promises `{needed}` bytes; the file can hold {present} at most"
            )
        if max_bytes and self.volume_bytes > max_bytes:
            raise UnsupportedData(
                f"a volume needs `{self.volume_bytes}` bytes; the limit is {max_bytes}"
            )

    def array(self, first: int = 0, count: int | None = None) -> NDArray[Any] | LazyArray:
        """Return one volume, or several as an array that loads each when it is asked for.

        Parameters
        ----------
        first
            The first volume.
        count
            How many; None is a single one without an axis of its own.

        Raises
        ------
        CorruptData
            The data is truncated or damaged.
        """
        load = self._loader()
        if count is None:
            return load(first)
        native = self.dtype.newbyteorder("=")
        return LazyArray((count, *self.shape), native, lambda t: load(first + t))

    def _loader(self) -> Load:
        return _Inflater(self).volume if self.is_gzipped else self._read

    def _read(self, t: int) -> NDArray[Any]:
        samples = np.empty(self.shape, self.dtype)
        try:
            with self.path.open("rb") as stream:
                stream.seek(self.start + self.skip + t * self.volume_bytes)
                read = stream.readinto(_bytes_of(samples))
        except OSError as error:
            raise input_error(error, self.path) from error
        if read != self.volume_bytes:
            raise CorruptData("the samples are truncated", path=self.path)
        return _native(samples)


class _Inflater:
    """Inflates volumes, cheapest in order; going back starts again."""

    def __init__(self, stored: StoredVolumes) -> None:
        self._stored = stored
        self._stack = ExitStack()
        # Whoever reads only some volumes leaves the file open behind the last of them.
        weakref.finalize(self, self._stack.close)
        self._stream: IO[bytes] | None = None
        self._next = 0

    def volume(self, t: int) -> NDArray[Any]:
        """Return volume `t`; the checksum is verified behind the last one."""
        stored = self._stored
        samples = np.empty(stored.shape, stored.dtype)
        try:
            stream = self._stream
            if stream is None or t < self._next:
                stream = self._restart()
            while self._next <= t:
                _fill(stream, samples)
                self._next += 1
            if self._next == stored.count:
                stream.read(1)
                self._close()
        except (OSError, *DAMAGED) as error:
            self._close()
            raise CorruptData(
                "the compressed samples are truncated or damaged", path=stored.path
            ) from error
        return _native(samples)

    def _restart(self) -> IO[bytes]:
        self._close()
        raw = self._stack.enter_context(self._stored.path.open("rb"))
        raw.seek(self._stored.start)
        stream: IO[bytes] = self._stack.enter_context(igzip.IGzipFile(fileobj=raw, mode="rb"))
        self._stream, self._next = stream, 0
        left = self._stored.skip
        while left:
            skipped = len(stream.read(min(left, 1 << 20)))
            if not skipped:
                raise EOFError
            left -= skipped
        return stream

    def _close(self) -> None:
        self._stream = None
        self._stack.close()


def _fill(stream: Any, samples: NDArray[Any]) -> None:
    view = _bytes_of(samples)
    done = 0
    while done < len(view):
        got = stream.readinto(view[done:])
        if not got:
            raise EOFError
        done += got


def _bytes_of(samples: NDArray[Any]) -> memoryview:
    return samples.reshape(-1).view(np.uint8).data


def _native(samples: NDArray[Any]) -> NDArray[Any]:
    return samples.astype(samples.dtype.newbyteorder("="), copy=False)
