"""The text header of NRRD: parse hostile text, format a plain one.

Source: "Definition of NRRD File Format" (https://teem.sourceforge.net/nrrd/format.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import CorruptData, UnsupportedData

__all__ = [
    "MAX_HEADER_BYTES",
    "TYPES",
    "NrrdHeader",
    "format_header",
    "parse_header",
    "parse_vector",
]

MAX_HEADER_BYTES = 16 << 20
_MAX_DIMENSION = 16

# Section "type" of the definition: all spellings of each type.
_SPELLINGS = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, "
    "int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
TYPES = {name: code for code, names in _SPELLINGS.items() for name in names.split(", ")}
_ENDIAN = {"little": "<", "big": ">"}

# Field names that the definition spells with a blank, and their form without.
_ALIASES = {
    "datafile": "data file",
    "lineskip": "line skip",
    "byteskip": "byte skip",
    "axismins": "axis mins",
    "axismaxs": "axis maxs",
    "oldmin": "old min",
    "oldmax": "old max",
    "centerings": "centers",
    "sampleunits": "sample units",
    "blocksize": "block size",
}


@dataclass(frozen=True, slots=True)
class NrrdHeader:
    """A parsed header.

    Parameters
    ----------
    fields
        Field name in lower case -> text behind the colon.
    pairs
        Key/value pairs.
    size
        Bytes up to and including the empty line; where attached data begin.
    """

    fields: Mapping[str, str]
    pairs: Mapping[str, str]
    size: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """The length of each axis, fastest first.

        Raises
        ------
        CorruptData
            Missing, not positive, or of another number than `dimension` says.
        """
        dimension = self.integer("dimension")
        if not 1 <= dimension <= _MAX_DIMENSION:
            raise CorruptData(f"`dimension` is `{dimension}`; expected 1 to {_MAX_DIMENSION}")
        try:
            sizes = tuple(int(word) for word in self.fields.get("sizes", "").split())
        except ValueError:
            raise CorruptData("`sizes` holds something that is no number") from None
        if len(sizes) != dimension or min(sizes) < 1:
            raise CorruptData(f"`sizes` does not hold {dimension} positive numbers")
        return sizes

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a sample, in the file's byte order.

        Raises
        ------
        CorruptData
            The type is unknown, or the byte order is needed and missing.
        """
        name = " ".join(self.fields.get("type", "").lower().split())
        if name == "block":
            raise UnsupportedData("samples of type `block` are not supported")
        code = TYPES.get(name)
        if code is None:
            raise CorruptData(f"unknown sample type `{name[:40]}`")
        if code.endswith("1"):
            return np.dtype(code)
        order = _ENDIAN.get(self.fields.get("endian", "little").lower())
        if order is None:
            raise CorruptData("`endian` is neither `little` nor `big`")
        return np.dtype(order + code)

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a field that holds one whole number.

        Raises
        ------
        CorruptData
            It is missing without a default, or no number.
        """
        text = self.fields.get(name)
        if text is None and default is not None:
            return default
        if text is None or not re.fullmatch(r"[+-]?\d{1,18}", text.strip()):
            raise CorruptData(f"`{name}` is missing or no whole number")
        return int(text)

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a field, quoted ones whole."""
        return tuple(
            quoted or plain
            for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', self.fields.get(name, ""))
        )

    def vectors(self, name: str) -> tuple[NDArray[np.float64] | None, ...]:
        """Return the vectors of a field; None for ``none``.

        Raises
        ------
        CorruptData
            One of them holds something that is no finite number.
        """
        return tuple(
            None if word == "none" else parse_vector(word)
            for word in re.findall(r"none|\([^()]*\)", self.fields.get(name, ""))
        )


def parse_vector(text: str) -> NDArray[np.float64]:
    """Parse ``(x,y,z)``.

    Raises
    ------
    CorruptData
        A component is no finite number.
    """
    try:
        vector = np.array([float(word) for word in text.strip("() ").split(",")])
    except ValueError:
        raise CorruptData("a vector holds something that is no number") from None
    if not np.isfinite(vector).all():
        raise CorruptData("a vector is not finite")
    return vector


def parse_header(head: bytes) -> NrrdHeader:
    """Parse the first bytes of a file.

    Parameters
    ----------
    head
        The file up to `MAX_HEADER_BYTES`.

    Raises
    ------
    CorruptData
        No NRRD, a line that is none of its kinds, or a field given twice.
    """
    if not re.match(rb"NRRD000[1-5]\r?\n", head):
        raise CorruptData("the magic is not that of NRRD version 1 to 5")
    end = re.search(rb"\r?\n\r?\n", head)
    text = head if end is None else head[: end.start()]
    if len(text) >= MAX_HEADER_BYTES:
        raise CorruptData(f"the header is longer than `{MAX_HEADER_BYTES}` bytes")
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").splitlines()[1:]:
        if line.startswith("#") or not line.strip():
            continue
        key, separator, value = line.partition(":=")
        if separator and ": " not in key:
            pairs[key] = value
            continue
        name, separator, value = line.partition(":")
        name = " ".join(name.lower().split())
        name = _ALIASES.get(name, name)
        if not separator:
            raise CorruptData(f"the header has a line that is no field: `{line[:40]}`")
        if name in fields:
            raise CorruptData(f"the field `{name}` is given twice")
        fields[name] = value.strip()
    return NrrdHeader(fields, pairs, len(head) if end is None else end.end())


def format_header(fields: Mapping[str, str], pairs: Mapping[str, str]) -> bytes:
    """Return the header's bytes, with the empty line at its end."""
    lines = ["NRRD0005", "# Complete NRRD file format specification at:"]
    lines.append("# http://teem.sourceforge.net/nrrd/format.html")
    lines += [f"{name}: {value}" for name, value in fields.items()]
    lines += [f"{_escape(key)}:={_escape(value)}" for key, value in pairs.items()]
    return ("\n".join(lines) + "\n\n").encode("utf-8")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
