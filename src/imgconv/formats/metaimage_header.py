"""The text header of MetaImage: key = value lines, up to the name of the data file.

Source: MetaIO documentation (https://itk.org/Wiki/MetaIO/Documentation).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["DTYPES", "MetaHeader", "parse_header"]

# MetaIO element types of fixed width; MET_LONG has 4 or 8 bytes, by the machine that wrote it.
DTYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_MAX_HEADER_BYTES = 1 << 20
_MAX_LINES = 4096
_TRUE = ("true", "1")


@dataclass(frozen=True, slots=True)
class MetaHeader:
    """A parsed header.

    Parameters
    ----------
    fields
        Lower-case key -> value as written.
    files
        Data file names of a LIST, else one name or ``LOCAL``.
    size
        Bytes of the header, where local data begin.
    """

    fields: Mapping[str, str]
    files: tuple[str, ...]
    size: int

    @property
    def dimensions(self) -> tuple[int, ...]:
        """Numbers of elements, fastest axis first.

        Raises
        ------
        CorruptData
            They are missing, not positive, or not NDims many.
        """
        sizes = self._integers("dimsize")
        if not sizes or min(sizes) < 1 or len(sizes) != self.dimension_count:
            raise CorruptData("`DimSize` does not have one positive number per dimension")
        return sizes

    @property
    def dimension_count(self) -> int:
        """NDims."""
        counts = self._integers("ndims")
        if len(counts) != 1 or not 1 <= counts[0] <= 10:  # MetaIO allows 10
            raise CorruptData("`NDims` is not a number from 1 to 10")
        return counts[0]

    @property
    def channels(self) -> int:
        """ElementNumberOfChannels, 1 if absent."""
        count = self._integers("elementnumberofchannels") or (1,)
        if len(count) != 1 or count[0] < 1:
            raise CorruptData("`ElementNumberOfChannels` is not a positive number")
        return count[0]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type, in the byte order of the file.

        Raises
        ------
        UnsupportedData
            The type has no fixed width or is no number.
        """
        kind = self.fields.get("elementtype", "").upper().removesuffix("_ARRAY")
        if kind not in DTYPES:
            raise UnsupportedData(f"MetaImage element type `{kind or 'none'}` is not read")
        order = self.fields.get("binarydatabyteordermsb", self.fields.get("elementbyteordermsb"))
        return np.dtype(DTYPES[kind]).newbyteorder(">" if _is_true(order) else "<")

    @property
    def is_compressed(self) -> bool:
        """CompressedData."""
        return _is_true(self.fields.get("compresseddata"))

    def numbers(self, *keys: str) -> NDArray[np.float64] | None:
        """Return the numbers of the first of `keys` that is there.

        Raises
        ------
        CorruptData
            One is no finite number.
        """
        for key in keys:
            if key in self.fields:
                try:
                    values = np.array([float(word) for word in self.fields[key].split()])
                except ValueError as error:
                    raise CorruptData(f"`{key}` is not a list of numbers") from error
                if not np.isfinite(values).all():
                    raise CorruptData(f"`{key}` is not finite")
                return values
        return None

    def _integers(self, key: str) -> tuple[int, ...]:
        try:
            return tuple(int(word) for word in self.fields.get(key, "").split())
        except ValueError as error:
            raise CorruptData(f"`{key}` is not a list of integers") from error


def _is_true(text: str | None) -> bool:
    return (text or "").strip().lower() in _TRUE


def parse_header(data: bytes) -> MetaHeader:
    """Read the lines up to ElementDataFile, which is the last one.

    Parameters
    ----------
    data
        The file, or at least its first MiB.

    Raises
    ------
    CorruptData
        A line has no ``=``, or ElementDataFile is missing.
    """
    fields: dict[str, str] = {}
    position = 0
    for _ in range(_MAX_LINES):
        end = data.find(b"\n", position, _MAX_HEADER_BYTES)
        line = data[position : len(data) if end < 0 else end]
        key, found, value = line.decode("latin-1").partition("=")
        position += len(line) + 1
        if not found:
            if not line.strip() and end >= 0:
                continue
            break
        fields[key.strip().lower()] = value.strip()
        if key.strip().lower() == "elementdatafile":
            size = min(position, len(data))
            return MetaHeader(fields, _parse_files(value.strip(), data[size:]), size)
    raise CorruptData("no MetaImage header: a line is no `key = value` before `ElementDataFile`")


def _parse_files(value: str, rest: bytes) -> tuple[str, ...]:
    if not value:
        raise CorruptData("`ElementDataFile` is empty")
    if value.upper().startswith("LIST"):
        lines = rest[:_MAX_HEADER_BYTES].decode("latin-1").splitlines()
        return tuple(line.strip() for line in lines if line.strip())
    if "%" in value:
        raise UnsupportedData("`ElementDataFile` with a pattern is not read; expected a name")
    return (value,)
