"""The samples of a NIfTI file: mapped, or inflated volume by volume."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from isal import igzip, isal_zlib
from numpy.typing import NDArray

from imgconv.core.image import LazyArray
from imgconv.errors import CorruptData, InputError, UnsupportedData
from imgconv.formats.nifti_header import NiftiHeader

__all__ = ["NiftiData"]

_GZIP_MAGIC = b"\x1f\x8b"
_HEAD_BYTES = 544  # a NIfTI-2 header and its extension flag
# Deflate cannot compress better than 1032 to 1 (zlib's technical notes).
_MAX_DEFLATE_RATIO = 1032
_DAMAGED: Any = (EOFError, zlib.error, isal_zlib.error)  # a stub calls the last no class


@dataclass(slots=True)
class NiftiData:
    """An opened NIfTI file.

    Parameters
    ----------
    path
        As the caller named it.
    data_path
        The file that holds the samples: `path`, or the ``.img`` of a pair.
    paths
        All files that belong together.
    """

    path: Path
    data_path: Path
    paths: tuple[Path, ...]
    header: NiftiHeader

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[NiftiData]:
        """Parse the header; errors of the block get the path."""
        try:
            header_path = _header_path(path)
            header = NiftiHeader.parse(_read_head(header_path))
            data_path = _data_path(header_path) if header.is_pair else header_path
            paths = (header_path,) if data_path == header_path else (header_path, data_path)
            yield cls(path, data_path, paths, header)
        except InputError as error:
            raise error.with_path(path) from error.__cause__

    @property
    def stem(self) -> str:
        """The file's name without its extensions."""
        return self.path.name.removesuffix(".gz").rpartition(".")[0] or self.path.name

    def require_plausible_size(self, max_bytes: int) -> None:
        """Raise before anything is allocated if the file cannot hold what its header claims.

        Raises
        ------
        CorruptData
            The file is too short.
        UnsupportedData
            A volume needs more than `max_bytes`, if that is not 0.
        """
        needed = self.header.data_offset + self.volume_bytes * self.volume_count
        present = self.data_path.stat().st_size
        if self._is_gzipped():
            present *= _MAX_DEFLATE_RATIO
        if needed > present:
            raise CorruptData(
                f"the header promises `{needed}` bytes; the file can hold {present} at most"
            )
        if max_bytes and self.volume_bytes > max_bytes:
            raise UnsupportedData(
                f"a volume needs `{self.volume_bytes}` bytes; the limit is {max_bytes}"
            )

    def array(self, first: int, count: int) -> tuple[NDArray[Any] | LazyArray, str]:
        """Return `count` volumes from `first` on, and the letters of their axes.

        Raises
        ------
        CorruptData
            The data is truncated or its compression is damaged.
        """
        shape = self.volume_shape
        colour = "c" if self.header.samples > 1 else ""
        load = _Inflater(self) if self._is_gzipped() else _Mapper(self)
        if count == 1:
            return load.volume(first), f"kji{colour}"
        native = self.header.dtype.newbyteorder("=")
        return (
            LazyArray((count, *shape), native, lambda t: load.volume(first + t)),
            f"tkji{colour}",
        )

    @property
    def volume_shape(self) -> tuple[int, ...]:
        """Array axes of one volume: k, j, i and samples if there are several."""
        i, j, k = self.header.shape[:3]
        samples = self.header.samples
        return (k, j, i, samples) if samples > 1 else (k, j, i)

    @property
    def volume_count(self) -> int:
        """The number of volumes over all further dimensions."""
        count = 1
        for length in self.header.shape[3:]:
            count *= length
        return count

    @property
    def volume_bytes(self) -> int:
        """The size of one volume in the file."""
        total = self.header.dtype.itemsize
        for length in self.volume_shape:
            total *= length
        return total

    def _is_gzipped(self) -> bool:
        with self.data_path.open("rb") as stream:
            return stream.read(2) == _GZIP_MAGIC


class _Mapper:
    """Reads volumes of an uncompressed file."""

    def __init__(self, data: NiftiData) -> None:
        self._data = data

    def volume(self, t: int) -> NDArray[Any]:
        data = self._data
        wanted = data.volume_bytes
        samples = np.empty(data.volume_shape, data.header.dtype)
        with data.data_path.open("rb") as stream:
            stream.seek(data.header.data_offset + t * wanted)
            if stream.readinto(_bytes_of(samples)) != wanted:
                raise CorruptData("the samples are truncated", path=data.path)
        return samples.astype(samples.dtype.newbyteorder("="), copy=False)


class _Inflater:
    """Reads volumes of a gzipped file, cheapest in order; going back starts again."""

    def __init__(self, data: NiftiData) -> None:
        self._data = data
        self._stream: IO[bytes] | None = None
        self._next = 0

    def volume(self, t: int) -> NDArray[Any]:
        data = self._data
        samples = np.empty(data.volume_shape, data.header.dtype)
        try:
            if self._stream is None or t < self._next:
                self._restart()
            while self._next <= t:
                self._fill(samples)
                self._next += 1
            if self._next == data.volume_count:
                self._close()
        except (OSError, *_DAMAGED) as error:
            self._stream = None
            raise CorruptData(
                "the compressed samples are truncated or damaged", path=data.path
            ) from error
        return samples.astype(samples.dtype.newbyteorder("="), copy=False)

    def _restart(self) -> None:
        self._close(check=False)
        self._stream = igzip.open(self._data.data_path, "rb")
        self._next = 0
        self._stream.read(self._data.header.data_offset)

    def _fill(self, samples: NDArray[Any]) -> None:
        view = _bytes_of(samples)
        done = 0
        while done < len(view):
            got = self._stream.readinto(view[done:]) if self._stream else 0  # type: ignore[attr-defined]  # IO has no readinto
            if not got:
                raise EOFError
            done += got

    def _close(self, *, check: bool = True) -> None:
        """Close the file; its checksum is verified where the stream ends."""
        with ExitStack() as stack:
            if self._stream is not None:
                stack.enter_context(self._stream)
                if check:
                    self._stream.read(1)
        self._stream = None


def _bytes_of(samples: NDArray[Any]) -> memoryview:
    return samples.reshape(-1).view(np.uint8).data


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            if head[:2] != _GZIP_MAGIC:
                return head
        with igzip.open(path, "rb") as stream:
            inflated: bytes = stream.read(_HEAD_BYTES)
            return inflated
    except _DAMAGED as error:
        raise CorruptData("the compressed header is truncated or damaged") from error
    except OSError as error:
        raise _input_error(error) from error


def _input_error(error: OSError) -> InputError:
    if error.errno is None:  # igzip's complaint about what is no gzip file
        return CorruptData("the compressed header is truncated or damaged")
    return InputError(f"cannot be read: {error.strerror}")


def _header_path(path: Path) -> Path:
    """Return the header's file: the ``.hdr`` beside an ``.img``, else the file itself."""
    name = path.name.removesuffix(".gz")
    if not name.lower().endswith(".img"):
        return path
    return _sibling(path, ".hdr")


def _data_path(header_path: Path) -> Path:
    return _sibling(header_path, ".img")


def _sibling(path: Path, extension: str) -> Path:
    stem = path.name.removesuffix(".gz")[: -len(extension)]
    for suffix in (extension, f"{extension}.gz", extension.upper()):
        found = path.with_name(stem + suffix)
        if found.is_file():
            return found
    raise CorruptData(f"its `{extension}` file is missing; a pair needs both")
