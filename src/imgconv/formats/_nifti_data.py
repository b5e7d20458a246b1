"""The files of a NIfTI image: a single one, or a header and its data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isal import igzip

from imgconv.errors import CorruptData, InputError
from imgconv.formats._volumes import DAMAGED, GZIP_MAGIC, StoredVolumes
from imgconv.formats.nifti_header import NiftiHeader
from imgconv.records import record

__all__ = ["NiftiData"]

_HEAD_BYTES = 544  # a NIfTI-2 header and its extension flag


@record(frozen=False)
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

    @property
    def volumes(self) -> StoredVolumes:
        """Where the samples are."""
        i, j, k = self.header.shape[:3]
        samples = self.header.samples
        is_gzipped = _is_gzipped(self.data_path)
        offset = self.header.data_offset
        return StoredVolumes(
            self.data_path,
            (k, j, i, samples) if samples > 1 else (k, j, i),
            self.header.dtype,
            math.prod(self.header.shape[3:]),
            start=0 if is_gzipped else offset,
            is_gzipped=is_gzipped,
            skip=offset if is_gzipped else 0,
        )


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == GZIP_MAGIC


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            if head[:2] != GZIP_MAGIC:
                return head
        with igzip.open(path, "rb") as stream:
            inflated: bytes = stream.read(_HEAD_BYTES)
            return inflated
    except DAMAGED as error:
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
