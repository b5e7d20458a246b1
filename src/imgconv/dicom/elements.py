"""Read every element of a DICOM file leniently, with its raw bytes and its place.

For rules that must see what is really there: nothing is repaired, and what
cannot be right is listed as a `Problem` beside what could be read. Bulk values
stay views of the file.

Source
------
PS3.5 chapter 7 (elements, sequences) and annex A; PS3.10 7.1 (file meta)
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import field
from math import isfinite
from pathlib import Path

from imgconv.errors import CorruptData, UnsupportedData, input_error
from imgconv.records import record
from imgconv.standard.elements import find_vr

__all__ = ["Element", "Item", "Problem", "Tree", "format_tag", "parse_items", "read_tree"]

UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_DATA = 0x7FE00010
_LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
_SHORT = {
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT"),
    *(b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
}
# Name, and whether the length has 32 bits after two reserved bytes (PS3.5 7.1.2).
_VRS = {vr: (vr.decode(), vr in _LONG) for vr in _LONG | _SHORT}
_FORMATS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q",
    "OW": "H", "OL": "I", "OF": "f", "OD": "d", "OV": "Q",
}  # fmt: skip
_SIZES = {vr: struct.calcsize(f"<{code}") for vr, code in _FORMATS.items()}
_PLAIN_TEXT = {"LT", "ST", "UT", "UR"}  # a backslash does not separate values
_MAX_DEPTH = 64
_MAX_ELEMENTS = 1_000_000
_BULK_BYTES = 1 << 16
# A few bytes before the first element are what is left of a preamble that was cut.
_MAX_STRAY_BYTES = 16
_IMPLICIT, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
_DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")
_EXPLICIT = "1.2.840.10008.1.2.1"

Buffer = bytes | memoryview


def format_tag(tag: int) -> str:
    """Return ``(gggg,eeee)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@record
class Problem:
    """Something about the encoding that cannot be right.

    `kind` is one of: ``truncated``, ``overrun``, ``order``, ``leading``, ``duplicate``,
    ``unknown-vr``, ``odd-length``, ``trailing``, ``encoding``, ``depth``,
    ``delimiter``, ``deflate``, ``group-length``.
    """

    kind: str
    tag: str = ""
    note: str = ""


class Element:
    """One data element as it stands in the file.

    `value` is the raw bytes (a view if large); `items` the items of a
    sequence; `fragments` the (offset, length) pairs of encapsulated pixel
    data, the basic offset table first. `vr` is the one used; `written_vr`
    is empty where the encoding is implicit.
    """

    __slots__ = (
        *("_numbers", "_values", "fragments", "item", "items"),
        *("tag", "value", "vr", "written_vr"),
    )

    def __init__(self, item: Item, tag: int, vr: str, value: Buffer, written_vr: str = "") -> None:
        self.item = item
        self.tag = tag
        self.vr = vr
        self.written_vr = written_vr
        self.value = value
        self.items: list[Item] | None = None
        self.fragments: list[tuple[int, int]] | None = None
        self._values: list[str] | list[int] | list[float] | None = None
        self._numbers: tuple[float, ...] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it has no value: no bytes but padding, no items."""
        if self.items is not None:
            return not self.items
        if self.fragments is not None:
            return False
        value = self.value
        return not len(value) or (
            self.vr not in _FORMATS
            and self.vr not in ("OB", "UN")
            and len(value) < _BULK_BYTES
            and not bytes(value).strip(b" \0")
        )

    @property
    def path(self) -> str:
        """The tag path from the root: ``(0040,A730)[0].(0040,A043)``."""
        return self.item.path_to(self.tag)

    def clear(self) -> None:
        """Forget decoded values, after `vr` or `value` was changed."""
        self._values = self._numbers = None

    def values(self) -> list[str] | list[int] | list[float]:
        """Return the decoded values: text (as Latin-1, stripped) or numbers.

        Returns
        -------
        list
            Empty if there is no value, or the bytes do not make whole numbers.
        """
        if self._values is None:
            self._values = self._decode()
        return self._values

    def numbers(self) -> tuple[float, ...]:
        """Return all values as finite numbers; empty if one of them is none."""
        if self._numbers is None:
            try:
                numbers = tuple(map(float, self.values()))
            except ValueError:
                numbers = ()
            self._numbers = numbers if all(map(isfinite, numbers)) else ()
        return self._numbers

    @property
    def held_vr(self) -> str:
        """The VR of what it holds: the dictionary's, where UN was written."""
        if self.vr != "UN" or self.tag >> 16 & 1:
            return self.vr
        return _implicit_vr(self.item, self.tag, len(self.value))

    def _decode(self) -> list[str] | list[int] | list[float]:
        vr = self.vr if self.vr != "UN" else self.held_vr
        if vr == "AT":
            return self._decode_tags()
        if vr in _FORMATS:
            count = len(self.value) // _SIZES[vr]
            order = ">" if self.item.big_endian else "<"
            return list(struct.unpack_from(f"{order}{count}{_FORMATS[vr]}", self.value))
        if vr in ("OB", "SQ", "UN"):
            return []
        text = bytes(self.value).decode("latin-1").rstrip(" \0")
        if not text:
            return []
        if vr in _PLAIN_TEXT:
            return [text]
        return [part.strip(" \0") for part in text.split("\\")]

    def _decode_tags(self) -> list[int]:
        order = ">" if self.item.big_endian else "<"
        count = len(self.value) // 4
        pairs = struct.unpack_from(f"{order}{count * 2}H", self.value)
        return [pairs[i] << 16 | pairs[i + 1] for i in range(0, len(pairs), 2)]


class Item:
    """A data set or an item of a sequence: its elements by tag."""

    __slots__ = ("big_endian", "elements", "index", "parent", "tag")

    def __init__(
        self, parent: Item | None = None, tag: int = 0, index: int = 0, *, big_endian: bool = False
    ) -> None:
        self.elements: dict[int, Element] = {}
        self.parent = parent
        self.tag = tag
        self.index = index
        self.big_endian = big_endian

    def path_to(self, tag: int) -> str:
        """Return the tag path of an element of this item, present or not."""
        parts = [format_tag(tag)]
        item = self
        while item.parent is not None:
            parts.append(f"{format_tag(item.tag)}[{item.index}]")
            item = item.parent
        return ".".join(reversed(parts))

    @property
    def depth(self) -> int:
        """0 for the data set."""
        depth, item = 0, self
        while item.parent is not None:
            depth, item = depth + 1, item.parent
        return depth

    def get(self, tag: int) -> Element | None:
        """Return the element, or None if it is absent."""
        return self.elements.get(tag)

    def text(self, tag: int) -> str:
        """Return the first value as text, empty if there is none."""
        element = self.elements.get(tag)
        values = element.values() if element is not None else []
        return str(values[0]) if values else ""

    def texts(self, tag: int) -> tuple[str, ...]:
        """Return all values as text."""
        element = self.elements.get(tag)
        return () if element is None else tuple(str(value) for value in element.values())

    def number(self, tag: int) -> float | None:
        """Return the first value as a number, None if there is none or it is no number."""
        numbers = self.numbers(tag)
        return numbers[0] if numbers else None

    def numbers(self, tag: int) -> tuple[float, ...]:
        """Return all values as finite numbers; empty if one of them is none."""
        element = self.elements.get(tag)
        return () if element is None else element.numbers()

    def integer(self, tag: int) -> int | None:
        """Return the first value as a whole number, None if it is none."""
        number = self.number(tag)
        return int(number) if number is not None and number == int(number) else None

    def items_of(self, tag: int) -> list[Item]:
        """Return the items of a sequence; empty if it is absent or no sequence."""
        element = self.elements.get(tag)
        return [] if element is None or element.items is None else element.items

    def walk(self) -> Iterator[Element]:
        """Iterate over all elements, those of nested items included."""
        for element in self.elements.values():
            yield element
            if element.items:
                for item in element.items:
                    yield from item.walk()


@record(frozen=False)
class Tree:
    """What a file holds: preamble, file meta information, data set, problems.

    `transfer_syntax` is the declared one; `data` the bytes that offsets of
    fragments count from (inflated, where the data set was deflated).
    """

    path: Path
    size_bytes: int
    data: Buffer
    preamble: bytes | None = None
    meta: Item | None = None
    dataset: Item = field(default_factory=Item)
    transfer_syntax: str = ""
    explicit: bool = True
    problems: list[Problem] = field(default_factory=list)

    def has_problem(self, *kinds: str) -> bool:
        """Whether a problem of one of these kinds was found."""
        return any(problem.kind in kinds for problem in self.problems)


class _Stop(Exception):
    """Reading cannot go on."""


def read_tree(path: Path, data: Buffer | None = None) -> Tree:
    """Read a DICOM file, or `data` that came from it.

    Raises
    ------
    InputError
        It cannot be read.
    CorruptData
        It is empty or no DICOM.
    UnsupportedData
        It inflates so far that it was made to fill the memory.
    """
    if data is None:
        data = _read(path)
    tree = Tree(path, len(data), data)
    start = _find_start(tree)
    start = _read_meta(tree, start)
    _choose_encoding(tree, start)
    if tree.transfer_syntax in _DEFLATED and not tree.has_problem("encoding"):
        start = _inflate(tree, start)
    reader = _Reader(tree, tree.data)
    try:
        end = reader.read_item(tree.dataset, start, len(tree.data), 0, explicit=tree.explicit)
        if end < len(tree.data):
            tree.problems.append(Problem("trailing", note=f"{len(tree.data) - end} bytes"))
    except _Stop:
        pass
    if not tree.dataset.elements:
        raise CorruptData("is no DICOM: no data element can be read", path=path)
    return tree


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
            _Reader(scratch, value).read_items(trial, len(value), explicit=explicit)
        except _Stop:
            continue
        if not scratch.problems:
            element.items, element.value = trial.items, b""
            return
    raise CorruptData(f"`{format_tag(element.tag)}` is no sequence")


def _read(path: Path) -> Buffer:
    try:
        size = path.stat().st_size
        if size < 1 << 25:
            return path.read_bytes()
        with path.open("rb") as stream:
            return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise input_error(error, path) from error


def _find_start(tree: Tree) -> int:
    """Return where the first element stands; set the preamble if there is one."""
    data = tree.data
    if bytes(data[128:132]) == b"DICM":
        tree.preamble = bytes(data[:128])
        return 132
    if bytes(data[:4]) == b"DICM":
        return 4
    if len(data) >= 8 and _looks_like_element(data, 0):
        return 0
    # A preamble whose signature is lost, before a file meta group.
    if bytes(data[132:136]) in (b"\2\0\0\0", b"\2\0\1\0", b"\2\0\2\0"):
        tree.preamble = None
        return 132
    for start in range(1, _MAX_STRAY_BYTES):
        if len(data) >= start + 8 and _starts_with_two_elements(data, start):
            tree.problems.append(Problem("leading", note=f"{start} bytes"))
            return start
    raise CorruptData("is no DICOM", path=tree.path)


def _starts_with_two_elements(data: Buffer, at: int) -> bool:
    """Whether two explicit elements of group 0008 stand there, in order."""
    if bytes(data[at : at + 2]) != b"\x08\0" or bytes(data[at + 4 : at + 6]) not in _VRS:
        return False
    _, first, _, length = struct.unpack_from("<HH2sH", data, at)
    after = at + 8 + length
    if after + 8 > len(data) or bytes(data[after + 4 : after + 6]) not in _VRS:
        return False
    group, second, _, _ = struct.unpack_from("<HH2sH", data, after)
    return bool(group == 8 and second > first)


def _looks_like_element(data: Buffer, at: int) -> bool:
    return any(_is_plausible(data, at, order) for order in "<>")


def _is_plausible(data: Buffer, at: int, order: str) -> bool:
    group, element, vr, _length = struct.unpack_from(f"{order}HH2sH", data, at)
    if group not in (2, 8, 0x10, 0x20, 0x28, 4):
        return False
    if vr in _VRS:
        return True
    (long_length,) = struct.unpack_from(f"{order}I", data, at + 4)
    known = element == 0 or find_vr(group << 16 | element) is not None
    return known and long_length <= len(data) - at - 8


def _read_meta(tree: Tree, start: int) -> int:
    """Read group 0002, always explicit little endian; return where it ends."""
    data = tree.data
    if len(data) < start + 8 or bytes(data[start : start + 2]) != b"\2\0":
        return start
    tree.meta = Item()
    reader = _Reader(tree, data)
    try:
        end = reader.read_item(tree.meta, start, len(data), 0, explicit=True, only_group=2)
    except _Stop:
        end = len(data)
    tree.transfer_syntax = tree.meta.text(0x00020010)
    length = tree.meta.get(0x00020000)
    if length is not None:
        declared = tree.meta.integer(0x00020000)
        if declared != end - (start + 8 + len(length.value)):
            tree.problems.append(Problem("group-length", format_tag(0x00020000)))
    return end


def _choose_encoding(tree: Tree, start: int) -> None:
    """Decide between implicit and explicit, little and big endian, by the declared syntax.

    Where the first bytes contradict it, what they say is used and a problem is noted.
    """
    syntax, data = tree.transfer_syntax, tree.data
    big = syntax == _BIG_ENDIAN
    if len(data) < start + 8:
        return
    looks_explicit = bytes(data[start + 4 : start + 6]) in _VRS
    tree.explicit = looks_explicit if not syntax else syntax != _IMPLICIT
    if syntax in _DEFLATED:
        if looks_explicit:
            tree.problems.append(Problem("encoding", note="the data set is not deflated"))
        tree.explicit = True
        return
    group = int.from_bytes(bytes(data[start : start + 2]), "big" if big else "little")
    if group > 0xFF and group >> 8 and not group & 0xFF:  # read in the wrong byte order
        tree.problems.append(Problem("encoding", note="the byte order is another"))
        big = not big
    elif syntax and looks_explicit != tree.explicit:
        found = "explicit" if looks_explicit else "implicit"
        tree.problems.append(Problem("encoding", note=f"the value representations are {found}"))
        tree.explicit = looks_explicit
    elif not syntax and tree.meta is None and group > 0xFF and not group & 0xFF:
        big = True
    tree.dataset.big_endian = big


def _inflate(tree: Tree, start: int) -> int:
    """Inflate the data set into `tree.data`; return 0, where it starts there."""
    # Needs numpy, which a process that only hands files to workers does without.
    from imgconv.dicom.header_scan import inflate_part

    try:
        plain, complete = inflate_part(bytes(tree.data[start:]))
    except CorruptData:
        plain, complete = b"", False
    except UnsupportedData as error:  # made to fill the memory: nothing is known about it
        raise error.with_path(tree.path) from None
    if not complete:
        tree.problems.append(Problem("deflate"))
    tree.data = plain
    return 0


class _Reader:
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
        if end - start >= _BULK_BYTES:
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
                raise _Stop
            if only_group and group != only_group:
                return pos
            if not group and item.parent is None and last > 0 and not any(data[pos:end]):
                return pos  # nothing but zeros: somebody's padding
            if explicit:
                known = _VRS.get(vr_bytes)
                if known is None:
                    if not (vr_bytes.isalpha() and vr_bytes.isupper()):
                        self._note("unknown-vr", item, tag)
                        raise _Stop
                    self._note("unknown-vr", item, tag, vr_bytes.decode("ascii"))
                    known = (vr_bytes.decode("ascii"), True)  # PS3.5 6.2: new VRs are long
                vr, is_long = known
                written = vr
                pos += 8
                if is_long:
                    if pos + 4 > end:
                        self._note("truncated", item, tag)
                        raise _Stop
                    (length,) = unpack_long(data, pos)
                    pos += 4
            else:
                (length,) = unpack_long(data, pos + 4)
                vr, written = _implicit_vr(item, tag, length), ""
                pos += 8
            self._count += 1
            if self._count > _MAX_ELEMENTS:
                self._note("depth", item, tag, "too many elements")
                raise _Stop
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
                raise _Stop
            stop = end
        if vr == "SQ":
            return self._read_sequence(element, pos, stop, depth, explicit=explicit, bounded=True)
        if length & 1:
            self._note("odd-length", item, tag)
        if length >= _BULK_BYTES:
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
            raise _Stop
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
                raise _Stop
            inner = Item(item, element.tag, len(items), big_endian=big_endian)
            items.append(inner)
            stop = end if length == UNDEFINED else pos + length
            if stop > end:
                self._note("truncated" if end == len(self._data) else "overrun", item, element.tag)
                stop = end
            pos = self.read_item(inner, pos, stop, depth + 1, explicit=explicit)
        if not bounded or pos < end:
            self._note("truncated", item, element.tag)
            raise _Stop
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
        raise _Stop


def _implicit_vr(item: Item, tag: int, length: int) -> str:
    """Return the VR that the dictionary and, where it leaves a choice, the data set give."""
    vr = find_vr(tag)
    if vr is None:
        return _vr_of_unknown(tag, length)
    if len(vr) == 2:
        return vr
    if vr.startswith("US or SS"):
        signed = _lookup(item, 0x00280103)
        return "SS" if signed is not None and signed.values()[:1] == [1] else "US"
    if vr == "OB or OW":
        return "OW"
    return vr[:2]


def _vr_of_unknown(tag: int, length: int) -> str:
    if tag & 0xFFFF == 0:
        return "UL"
    if tag >> 16 & 1:
        if 0x10 <= tag & 0xFFFF <= 0xFF:
            return "LO"  # PS3.5 7.8.1: a private creator
        return "SQ" if length == UNDEFINED else "UN"
    if tag >> 24 == 0x60 and not tag >> 16 & 1:
        return _OVERLAY_VRS.get(tag & 0xFFFF, "UN")
    return "SQ" if length == UNDEFINED else "UN"


# PS3.3 C.9.2 with the VRs of PS3.6, for the groups 6000 to 601E.
_OVERLAY_VRS = {
    0x0010: "US", 0x0011: "US", 0x0015: "IS", 0x0022: "LO", 0x0040: "CS", 0x0045: "LO",
    0x0050: "SS", 0x0051: "US", 0x0100: "US", 0x0102: "US", 0x1301: "IS", 0x1302: "DS",
    0x1303: "DS", 0x1500: "LO", 0x3000: "OW",
}  # fmt: skip


def _lookup(item: Item, tag: int) -> Element | None:
    place: Item | None = item
    while place is not None:
        found = place.elements.get(tag)
        if found is not None:
            return found
        place = place.parent
    return None
