"""Read Siemens CSA headers and the text protocol (ASCCONV) inside them.

A CSA header is a private blob, (0029,xx10) for the image and (0029,xx20) for
the series, made of named elements. CSA2 starts with ``SV10``, the older CSA1
with the number of elements. The ASCCONV part of the protocol is text: lines
of ``key = value``.

Not supported: the XProtocol tree around the ASCCONV text, and the blobs with
the header type ``MEDCOM`` that hold annotations only.

Source
------
NiBabel's description of the format, https://nipy.org/nibabel/dicom/siemens_csa.html,
and Siemens' DICOM conformance statements for the names.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from types import MappingProxyType

from imgconv.errors import CorruptData

__all__ = [
    "AsciiValue",
    "CsaHeader",
    "CsaValue",
    "csa_float",
    "csa_floats",
    "csa_int",
    "csa_text",
    "is_mosaic",
    "is_slice_order_reversed",
    "mosaic_slice_times",
    "mosaic_tile_count",
    "parse_ascconv",
    "parse_csa",
    "protocol_text",
    "slice_normal",
]

CsaValue = str | int | float
CsaHeader = Mapping[str, tuple[CsaValue, ...]]
AsciiValue = str | int | float

_MAGIC = b"SV10"
_ELEMENT = struct.Struct("<64si4siii")
_ITEM = struct.Struct("<4i")
# Real headers have about 100 elements; a larger count is a sign of another kind of blob.
_MAX_ELEMENTS = 4096
_INTEGER_VRS = frozenset({"IS", "SL", "SS", "UL", "US"})
_FLOAT_VRS = frozenset({"DS", "FD", "FL"})

_ASCCONV = re.compile(r"### ASCCONV BEGIN[^\n]*\n(.*?)### ASCCONV END ###", re.DOTALL)
_PROTOCOL_ELEMENTS = ("MrPhoenixProtocol", "MrProtocol")


def parse_csa(blob: bytes) -> CsaHeader:
    """Return the elements of a CSA header.

    Parameters
    ----------
    blob
        The value of (0029,xx10) or (0029,xx20), as stored. Empty or all
        zero bytes (a cleaned header) give an empty mapping.

    Returns
    -------
    Mapping
        Element name -> values. Numbers are converted; blanks, which fill up
        the list, are left out. Names with no value map to ``()``.

    Raises
    ------
    CorruptData
        The blob is truncated, or is no CSA header.
    """
    if not blob.strip(b"\0 "):
        return MappingProxyType({})
    is_csa2 = blob.startswith(_MAGIC)
    position = 8 if is_csa2 else 0  # the magic is followed by four bytes without meaning
    try:
        count, _check = struct.unpack_from("<2i", blob, position)
        if not 0 < count <= _MAX_ELEMENTS:
            raise CorruptData(f"the CSA header announces `{count}` elements")
        return MappingProxyType(_read_elements(blob, position + 8, count, is_csa2=is_csa2))
    except struct.error as error:
        raise CorruptData("the CSA header is truncated") from error


def _read_elements(
    blob: bytes, position: int, count: int, *, is_csa2: bool
) -> dict[str, tuple[CsaValue, ...]]:
    elements: dict[str, tuple[CsaValue, ...]] = {}
    base_length = 0
    for number in range(count):
        raw_name, _vm, raw_vr, _syngo_type, items, _check = _ELEMENT.unpack_from(blob, position)
        position += _ELEMENT.size
        if not 0 <= items <= len(blob) // _ITEM.size:
            raise CorruptData(f"a CSA element announces `{items}` items")
        if number == 0:
            base_length = items  # CSA1 adds the first element's item count to each length
        values = []
        for _ in range(items):
            lengths = _ITEM.unpack_from(blob, position)
            position += _ITEM.size
            length = lengths[1] if is_csa2 else lengths[0] - base_length
            if not is_csa2 and not 0 <= length <= len(blob) - position:
                break  # CSA1 marks the end of the used items by a length out of range
            if not 0 <= length <= len(blob) - position:
                raise CorruptData("the CSA header is truncated")
            values.append(_text(blob[position : position + length]))
            position += (length + 3) // 4 * 4
        elements[_text(raw_name)] = _convert(values, _text(raw_vr))
    return elements


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()


def _convert(values: list[str], vr: str) -> tuple[CsaValue, ...]:
    kept = [value for value in values if value]
    if vr in _INTEGER_VRS or vr in _FLOAT_VRS:
        try:
            return tuple(_number(value, integer=vr in _INTEGER_VRS) for value in kept)
        except ValueError:
            return tuple(kept)
    return tuple(kept)


def _number(text: str, *, integer: bool) -> int | float:
    value = float(text)
    return int(value) if integer and value.is_integer() else value


def csa_float(header: CsaHeader, name: str) -> float | None:
    """Return the first value of element `name` as a number, None if there is none."""
    numbers = csa_floats(header, name)
    return numbers[0] if numbers else None


def csa_floats(header: CsaHeader, name: str) -> tuple[float, ...]:
    """Return all values of element `name` as numbers; empty if one of them is not."""
    try:
        return tuple(float(value) for value in header.get(name, ()))
    except ValueError:
        return ()


def csa_int(header: CsaHeader, name: str) -> int | None:
    """Return the first value of element `name` as an integer, None if there is none."""
    number = csa_float(header, name)
    return int(number) if number is not None else None


def csa_text(header: CsaHeader, name: str) -> str:
    """Return the first value of element `name` as text, empty if there is none."""
    values = header.get(name, ())
    return str(values[0]) if values else ""


def mosaic_tile_count(image_header: CsaHeader) -> int:
    """Return how many tiles of a mosaic are used, 0 if the image is no mosaic."""
    return max(csa_int(image_header, "NumberOfImagesInMosaic") or 0, 0)


def is_mosaic(image_header: CsaHeader) -> bool:
    """Say if the CSA image header describes a mosaic: all slices as tiles of one image."""
    return mosaic_tile_count(image_header) > 0


def slice_normal(image_header: CsaHeader) -> tuple[float, float, float] | None:
    """Return the unit vector from the first tile to the last, in LPS patient axes."""
    normal = csa_floats(image_header, "SliceNormalVector")
    return (normal[0], normal[1], normal[2]) if len(normal) == 3 else None


def mosaic_slice_times(image_header: CsaHeader) -> tuple[float, ...]:
    """Return the start of each tile's acquisition in ms, in the order of the tiles."""
    return csa_floats(image_header, "MosaicRefAcqTimes")


def protocol_text(series_header: CsaHeader) -> str:
    """Return the protocol's text out of a CSA series header, empty if there is none."""
    for name in _PROTOCOL_ELEMENTS:
        text = csa_text(series_header, name)
        if text:
            return text
    return ""


def parse_ascconv(text: str) -> Mapping[str, AsciiValue]:
    """Return the ``key = value`` lines between the ASCCONV marks.

    Parameters
    ----------
    text
        The protocol, with or without the XProtocol around the marks.

    Returns
    -------
    Mapping
        Key as written (``sSliceArray.asSlice[0].dThickness``) -> number
        (decimal or ``0x`` hexadecimal) or text without its quotes. Empty if
        there are no marks. A later line with the same key wins.
    """
    found: dict[str, AsciiValue] = {}
    for block in _ASCCONV.findall(text):
        for line in block.splitlines():
            key, separator, value = line.partition("=")
            if separator:
                found[key.strip()] = _ascii_value(value.strip())
    return MappingProxyType(found)


def _ascii_value(text: str) -> AsciiValue:
    if text.startswith('"'):
        return text.strip('"')
    number = text.split("#", 1)[0].strip()  # a comment may follow
    try:
        return int(number, 0)
    except ValueError:
        pass
    try:
        return float(number)
    except ValueError:
        return text


def is_slice_order_reversed(protocol: Mapping[str, AsciiValue]) -> bool:
    """Say if the slices are numbered against the normal (`Image Numbering` H >> F and so on).

    The protocol then has ``sSliceArray.ucImageNumbTra`` (``Sag``, ``Cor``).
    """
    return any(
        key.startswith("sSliceArray.ucImageNumb") and value not in (0, "")
        for key, value in protocol.items()
        if key[-3:] in ("Tra", "Sag", "Cor")
    )
