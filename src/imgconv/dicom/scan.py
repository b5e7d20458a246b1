"""Walk the bytes of a data set: where each element is, without decoding values.

The walk skips values by their length and enters sequences only to find the
end of those with undefined length, without recursion and to a limited depth.
Explicit and implicit VR, both byte orders, missing preamble and missing meta
information are handled; a deflated data set is inflated by `header`.

Source
------
PS3.5 7.1 (element structure), 7.5 (sequences), 6.2.2 (UN of undefined
length is implicit VR little endian); PS3.10 7.1 (meta information)
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from imgconv.errors import CorruptData

__all__ = [
    "EXPLICIT_BIG",
    "EXPLICIT_LITTLE",
    "IMPLICIT_LITTLE",
    "Element",
    "Encoding",
    "Found",
    "Need",
    "Unit",
    "guess_encoding",
    "iter_items",
    "looks_like_dicom",
    "parse_items",
    "trace_undefined",
    "walk",
]

_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_ITEM_ENDS = frozenset({_ITEM_END})
_SEQUENCE_END = 0xFFFEE0DD
# Real objects stay below ten; the limit stops hostile nesting.
_MAX_DEPTH = 64

# Pixel Data, Double Float and Float Pixel Data, PS3.3 C.7.6.3 and C.7.6.24 to 25
PIXEL_TAGS = frozenset({0x7FE00010, 0x7FE00008, 0x7FE00009})

_SHORT_VRS = "AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US"
_LONG_VRS = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"
_LETTERS = [bytes((letter,)) for letter in range(ord("A"), ord("Z") + 1)]
# Bytes of the VR -> (VR, bytes in front of the value), PS3.5 7.1.2. VRs of later editions
# have a 32-bit length behind two reserved bytes, PS3.5 6.2.
_VRS: dict[bytes, tuple[str, int]] = {
    **{first + second: ("UN", 12) for first in _LETTERS for second in _LETTERS},
    **{vr.encode(): (vr, 8) for vr in _SHORT_VRS.split()},
    **{vr.encode(): (vr, 12) for vr in _LONG_VRS.split()},
}
_NO_VR = ("", 8)


class Encoding(NamedTuple):
    """How elements are written."""

    explicit: bool
    big_endian: bool


EXPLICIT_LITTLE = Encoding(explicit=True, big_endian=False)
EXPLICIT_BIG = Encoding(explicit=True, big_endian=True)
IMPLICIT_LITTLE = Encoding(explicit=False, big_endian=False)


# Where a value is: VR (empty if implicit), first byte, number of bytes. The bytes of a
# sequence of undefined length include its delimiter. A plain tuple: there are hundreds per file.
Element = tuple[str, int, int]


class Found(NamedTuple):
    """The walk met what it should stop at: its tag and element; length -1 if undefined."""

    tag: int
    element: Element


class Need(NamedTuple):
    """The walk needs the buffer up to byte `end` to go on from `position`."""

    position: int
    end: int


class _Structs(NamedTuple):
    tag_vr_length: struct.Struct
    tag_length: struct.Struct
    length: struct.Struct


_STRUCTS = {
    False: _Structs(struct.Struct("<HH2sH"), struct.Struct("<HHI"), struct.Struct("<I")),
    True: _Structs(struct.Struct(">HH2sH"), struct.Struct(">HHI"), struct.Struct(">I")),
}


class _Short(Exception):
    """The buffer ends within an element; `end` is how far it should reach."""

    def __init__(self, end: int) -> None:
        super().__init__(end)
        self.end = end


def looks_like_dicom(path: str | os.PathLike[str], head: bytes) -> bool:
    """Tell whether a file is DICOM by its first bytes.

    Parameters
    ----------
    path
        Not opened; names do not matter in DICOM.
    head
        The first bytes, 132 or more where the file has them.

    Returns
    -------
    bool
        True for the prefix ``DICM``, and for a data set that starts at byte
        0 with group 2 or 8 (no preamble).
    """
    del path
    return head[128:132] == b"DICM" or _starts_with_element(head)


def _starts_with_element(head: bytes) -> bool:
    if len(head) < 16:
        return False
    for big_endian in (False, True):
        structs = _STRUCTS[big_endian]
        group, element, vr, _ = structs.tag_vr_length.unpack_from(head)
        if group not in (0x0002, 0x0008) or element > 0x0100:
            continue
        if vr in _VRS:
            return True
        (length,) = structs.length.unpack_from(head, 4)
        # Without VR the first value is a group length, a character set or a UID: short and even.
        if not big_endian and length <= 256 and length % 2 == 0:
            return True
    return False


def guess_encoding(buffer: bytes, position: int) -> Encoding:
    """Tell how the data set at `position` is written, from its first element."""
    head = buffer[position : position + 8]
    explicit = head[4:6] in _VRS
    # Groups of a data set's first element are small: the zero byte tells the byte order.
    big_endian = len(head) > 1 and head[0] == 0 and head[1] != 0
    return Encoding(explicit=explicit, big_endian=big_endian)


def walk(
    buffer: bytes,
    position: int,
    end: int,
    encoding: Encoding,
    table: dict[int, Element],
    *,
    stops: frozenset[int] = PIXEL_TAGS,
    last_group: int = 0xFFFF,
) -> Need | Found | int:
    """Enter the elements of ``buffer[position:end]`` into `table`.

    Parameters
    ----------
    buffer, position, end
        Where the data set is, or as much of it as is there.
    encoding
        How it is written.
    table
        Tag -> element; filled.
    stops
        Stop behind the header of an element with such a tag; its value need
        not be in the buffer.
    last_group
        Stop in front of the first element of a higher group.

    Returns
    -------
    Need, Found or int
        What stopped the walk; the int is the position behind the last element.

    Raises
    ------
    CorruptData
        The bytes are no data set.
    """
    structs = _STRUCTS[encoding.big_endian]
    unpack = structs.tag_vr_length.unpack_from
    unpack_length = structs.length.unpack_from
    find = _VRS.get
    explicit = encoding.explicit
    while position < end:
        if position + 8 > end:
            return Need(position, position + 8)
        group, number, raw_vr, length = unpack(buffer, position)
        if group > last_group:
            return position
        tag = group << 16 | number
        vr, size = find(raw_vr, _NO_VR) if explicit else _NO_VR
        start = position + size
        if size == 12:
            if start > end:
                return Need(position, start)
            (length,) = unpack_length(buffer, position + 8)
        elif not vr:
            (length,) = unpack_length(buffer, position + 4)
        if tag >= 0x7FE00000:
            if tag in stops:
                return Found(tag, (vr, start, -1 if length == _UNDEFINED else length))
            if tag in (_ITEM_END, _SEQUENCE_END):
                position = start
                continue
        if length == _UNDEFINED:
            try:
                stop = _skip_undefined(buffer, start, end, encoding, vr)
            except _Short as short:
                return Need(position, short.end)
            table[tag] = (vr or "SQ", start, stop - start)
            position = stop
        else:
            position_after = start + length
            if position_after > end:
                return Need(position, position_after)
            table[tag] = (vr, start, length)
            position = position_after
    return position


class Unit(NamedTuple):
    """The header of an element, item or delimiter, and how long its opaque value is.

    `width` is the size of the length field, the last part of the header; 0
    if an explicit VR is missing.
    Undefined length has a value of no bytes: the content follows as units.
    """

    head: int
    start: int
    length: int
    width: int


def trace_undefined(buffer: bytes, start: int, encoding: Encoding, vr: str) -> list[Unit]:
    """Return the parts of a sequence of undefined length, its delimiter last.

    Raises
    ------
    CorruptData
        The bytes are no sequence, or the buffer ends within it.
    """
    trace: list[Unit] = []
    try:
        _skip_undefined(buffer, start, len(buffer), encoding, vr, trace=trace)
    except _Short as short:
        raise CorruptData("a sequence has no end") from short
    return trace


def _skip_undefined(
    buffer: bytes,
    start: int,
    end: int,
    encoding: Encoding,
    vr: str,
    *,
    trace: list[Unit] | None = None,
) -> int:
    """Return the position behind a sequence of undefined length with that VR."""
    if vr == "UN":  # its content is implicit VR little endian, PS3.5 6.2.2
        encoding = IMPLICIT_LITTLE
    structs = _STRUCTS[encoding.big_endian]
    return _skip_sequence(buffer, start, end, structs, explicit=encoding.explicit, trace=trace)


def _skip_sequence(
    buffer: bytes,
    position: int,
    end: int,
    structs: _Structs,
    *,
    explicit: bool,
    trace: list[Unit] | None = None,
) -> int:
    """Return the position behind the delimiter of a sequence of undefined length."""
    in_item = False
    # What each open level returns to: inside an item, explicit VR, byte order.
    stack: list[tuple[bool, bool, _Structs]] = []
    unpack = structs.tag_length.unpack_from
    while True:
        if position + 8 > end:
            raise _Short(position + 8)
        head = position
        group, number, length = unpack(buffer, position)
        value, width, closed = 0, 4, False  # as of an item or delimiter
        if not in_item:
            tag = group << 16 | number
            position += 8
            if tag == _ITEM:
                in_item = length == _UNDEFINED
                value = 0 if in_item else length
            elif tag == _SEQUENCE_END and stack:
                in_item, explicit, structs = stack.pop()
                unpack = structs.tag_length.unpack_from
            elif tag == _SEQUENCE_END:
                closed = True
            else:
                raise CorruptData(f"a sequence contains tag `({group:04X},{number:04X})`")
        elif group == 0xFFFE and number == 0xE00D:
            position += 8
            in_item = False
        else:
            position, length, vr = _read_header(buffer, position, end, structs, explicit=explicit)
            # An element without VR among others with one has no reliable header.
            width = (2 if position - head == 8 else 4) if vr else 4 * (not explicit)
            if length == _UNDEFINED:
                if len(stack) >= _MAX_DEPTH:
                    raise CorruptData(f"sequences are nested deeper than `{_MAX_DEPTH}` levels")
                stack.append((in_item, explicit, structs))
                in_item = False
                if vr == "UN":  # its content is implicit VR little endian, PS3.5 6.2.2
                    explicit, structs = False, _STRUCTS[False]
                    unpack = structs.tag_length.unpack_from
            else:
                value = length
        if trace is not None:
            trace.append(Unit(head, position, value, width))
        if closed:
            return position
        position = _advance(position, value, end)


def _read_header(
    buffer: bytes, position: int, end: int, structs: _Structs, *, explicit: bool
) -> tuple[int, int, str]:
    """Return where the value starts, its length, and its VR."""
    group_number_vr_length = structs.tag_vr_length.unpack_from(buffer, position)
    vr, size = _VRS.get(group_number_vr_length[2], _NO_VR) if explicit else _NO_VR
    if size == 12:
        if position + 12 > end:
            raise _Short(position + 12)
        return position + 12, structs.length.unpack_from(buffer, position + 8)[0], vr
    if vr:
        return position + 8, group_number_vr_length[3], vr
    return position + 8, structs.length.unpack_from(buffer, position + 4)[0], vr


def _advance(position: int, length: int, end: int) -> int:
    if position + length > end:
        raise _Short(position + length)
    return position + length


def parse_items(
    buffer: bytes, start: int, stop: int, encoding: Encoding
) -> list[tuple[int, int, dict[int, Element] | None]]:
    """Return start and stop of each item's content, and its elements if it was walked.

    Only items of undefined length have to be walked to find their end.

    Raises
    ------
    CorruptData
        The bytes are no sequence.
    """
    unpack = _STRUCTS[encoding.big_endian].tag_length.unpack_from
    items: list[tuple[int, int, dict[int, Element] | None]] = []
    position = start
    while position + 8 <= stop:
        group, number, length = unpack(buffer, position)
        tag = group << 16 | number
        position += 8
        if tag == _SEQUENCE_END:
            break
        if tag != _ITEM:
            raise CorruptData(f"a sequence contains tag `({group:04X},{number:04X})`")
        if length == _UNDEFINED:
            table: dict[int, Element] = {}
            end = walk(buffer, position, stop, encoding, table, stops=_ITEM_ENDS)
            if not isinstance(end, Found):
                raise CorruptData("an item has no end")
            items.append((position, end.element[1] - 8, table))
            position = end.element[1]
        else:
            if position + length > stop:
                raise CorruptData("an item is longer than its sequence")
            items.append((position, position + length, None))
            position += length
    return items


def iter_items(
    buffer: bytes, start: int, stop: int, encoding: Encoding
) -> Iterator[tuple[int, int]]:
    """Yield where the content of each item of a sequence starts and stops.

    Raises
    ------
    CorruptData
        The bytes are no sequence.
    """
    for begin, end, _table in parse_items(buffer, start, stop, encoding):
        yield begin, end
