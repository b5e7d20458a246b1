"""Read elements, items and fragments from a buffer, leniently.

What cannot be right is listed as a `Problem` beside what could be read. Bulk
values stay views of the buffer.

Source
------
PS3.5 chapter 7 (elements, sequences) and annex A
"""

from __future__ import annotations

import struct
from pathlib import Path

from imgconv.dicom.elements import (
    BULK_BYTES,
    UNDEFINED,
    Buffer,
    Element,
    Item,
    Problem,
    Tree,
    format_tag,
    implicit_vr,
)
from imgconv.errors import CorruptData

__all__ = ["VRS", "ElementReader", "StopReading", "parse_items"]

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA = 0x7FE00010
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_SHORT = {
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT"),
    *(b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
}
# Name, and whether the length has 32 bits after two reserved bytes (PS3.5 7.1.2).
VRS = {vr: (vr.decode(), vr in _LONG) for vr in _LONG | _SHORT}
_MAX_DEPTH = 64
_MAX_ELEMENTS = 1_000_000


class StopReading(Exception):
    """Reading cannot go on; why is among the problems."""


class ElementReader:
    """Reads elements from a buffer; counts them, and notes problems in the tree."""

    def __init__(self, tree: Tree, data: Buffer) -> None:
        self._tree = tree
        self._data = data
        self._count = 0

    def read_items(self, element: Element, end: int, *, explicit: bool) -> None:
        """Read the items of a sequence that fills the whole buffer."""
        self._read_sequence(element, 0, end, element.item.depth, explicit=explicit, bounded=True)

    def _note(self, kind: str, item: Item, tag: int, note: str = "") -> None:
        self._tree.problems.append(Problem(kind, item.path_to(tag), note))

    def _value(self, start: int, end: int) -> Buffer:
        if end - start >= BULK_BYTES:
            return memoryview(self._data)[start:end]
        return bytes(self._data[start:end])

    def read_item(
        self,
        item: Item,
        pos: int,
        end: int,
        depth: int,
        *,
        explicit: bool,
        only_group: int = 0,
    ) -> int:
        """Read elements into `item` up to `end`, or up to its delimiter; return where it ended."""
        data, elements = self._data, item.elements
        layout = struct.Struct(">HH2sH" if item.big_endian else "<HH2sH")
        long = struct.Struct(">I" if item.big_endian else "<I")
        unpack, unpack_long = layout.unpack_from, long.unpack_from
        last = -1
        while pos + 8 <= end:
            group, number, vr_bytes, length = unpack(data, pos)
            tag = group << 16 | number
            if group == 0xFFFE:
                if tag == _ITEM_END and item.parent is not None:
                    return pos + 8
                self._note("delimiter", item, tag)
                raise StopReading
            if only_group and group != only_group:
                return pos
            if not group and item.parent is None and last > 0 and not any(data[pos:end]):
                return pos  # nothing but zeros: somebody's padding
            if explicit:
                known = VRS.get(vr_bytes)
                if known is None:
                    if not (vr_bytes.isalpha() and vr_bytes.isupper()):
                        self._note("unknown-vr", item, tag)
                        raise StopReading
                    self._note("unknown-vr", item, tag, vr_bytes.decode("ascii"))
                    known = (vr_bytes.decode("ascii"), True)  # PS3.5 6.2: new VRs are long
                vr, is_long = known
                written = vr
                pos += 8
                if is_long:
                    if pos + 4 > end:
                        self._note("truncated", item, tag)
                        raise StopReading
                    (length,) = unpack_long(data, pos)
                    pos += 4
            else:
                (length,) = unpack_long(data, pos + 4)
                vr, written = implicit_vr(item, tag, length), ""
                pos += 8
            self._count += 1
            if self._count > _MAX_ELEMENTS:
                self._note("depth", item, tag, "too many elements")
                raise StopReading
            if tag < last and tag not in elements:
                self._note("order", item, tag)
            last = tag
            element = Element(item, tag, vr, b"", written)
            first = elements.setdefault(tag, element)
            pos = self._read_value(element, pos, length, end, depth, explicit=explicit)
            if first is not element:
                same = first.items is None and first.value == element.value
                self._note("duplicate", item, tag, "the same value" if same else "")
        if pos < end and item.parent is None:
            return pos
        return end

    def _read_value(
        self, element: Element, pos: int, length: int, end: int, depth: int, *, explicit: bool
    ) -> int:
        vr, item, tag = element.vr, element.item, element.tag
        if length == UNDEFINED:
            if tag == _PIXEL_DATA or vr in ("OB", "OW"):
                return self._read_fragments(element, pos, end)
            inner = explicit and vr != "UN"  # PS3.5 6.2.2 note 4: UN holds implicit VR
            element.vr = "SQ"
            return self._read_sequence(element, pos, end, depth, explicit=inner, bounded=False)
        stop = pos + length
        if stop > end:
            self._note("truncated" if end == len(self._data) else "overrun", item, tag)
            if vr != "SQ":
                element.value = self._value(pos, end)
                raise StopReading
            stop = end
        if vr == "SQ":
            return self._read_sequence(element, pos, stop, depth, explicit=explicit, bounded=True)
        if length & 1:
            self._note("odd-length", item, tag)
        if length >= BULK_BYTES:
            element.value = memoryview(self._data)[pos:stop]
        elif length:
            element.value = bytes(self._data[pos:stop])
        return stop

    def _read_sequence(
        self, element: Element, pos: int, end: int, depth: int, *, explicit: bool, bounded: bool
    ) -> int:
        items: list[Item] = []
        element.items = items
        item = element.item
        if depth >= _MAX_DEPTH:
            self._note("depth", item, element.tag)
            raise StopReading
        big_endian = item.big_endian
        if element.written_vr == "UN" and self._data[pos : pos + 2] == b"\xfe\xff":
            big_endian = False  # PS3.5 6.2.2 note 4: what UN holds is little endian
        order = ">" if big_endian else "<"
        while pos + 8 <= end:
            group, number, length = struct.unpack_from(f"{order}HHI", self._data, pos)
            tag = group << 16 | number
            pos += 8
            if tag == _SEQUENCE_END:
                return pos
            if tag != _ITEM:
                self._note("delimiter", item, element.tag)
                raise StopReading
            inner = Item(item, element.tag, len(items), big_endian=big_endian)
            items.append(inner)
            stop = end if length == UNDEFINED else pos + length
            if stop > end:
                self._note("truncated" if end == len(self._data) else "overrun", item, element.tag)
                stop = end
            pos = self.read_item(inner, pos, stop, depth + 1, explicit=explicit)
        if not bounded or pos < end:
            self._note("truncated", item, element.tag)
            raise StopReading
        return end

    def _read_fragments(self, element: Element, pos: int, end: int) -> int:
        element.fragments = fragments = []
        order = ">" if element.item.big_endian else "<"
        while pos + 8 <= end:
            group, number, length = struct.unpack_from(f"{order}HHI", self._data, pos)
            tag = group << 16 | number
            pos += 8
            if tag == _SEQUENCE_END:
                return pos
            if tag != _ITEM or pos + length > end:
                break
            fragments.append((pos, length))
            pos += length
        self._note("truncated", element.item, element.tag)
        raise StopReading


def parse_items(element: Element) -> None:
    """Read the items of a sequence that was written as UN: implicit VR little endian.

    Raises
    ------
    CorruptData
        The bytes are no sequence; the element is unchanged.

    Source
    ------
    PS3.5 6.2.2 note 4
    """
    value = bytes(element.value)
    # The items may be explicit all the same; writers that copy bytes make them so.
    for explicit in (False, True):
        scratch = Tree(Path(), len(value), value)
        trial = Element(element.item, element.tag, "SQ", b"")
        try:
            ElementReader(scratch, value).read_items(trial, len(value), explicit=explicit)
        except StopReading:
            continue
        if not scratch.problems:
            element.items, element.value = trial.items, b""
            return
    raise CorruptData(f"`{format_tag(element.tag)}` is no sequence")
