"""The elements of a DICOM file as they stand there, with their raw bytes and their places.

For rules that must see what is really there, and for mending it: nothing is
repaired by itself. `imgconv.dicom.tree_reader` reads them.

Source
------
PS3.5 chapters 6 and 7
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import field
from math import isfinite
from pathlib import Path

from imgconv.records import record
from imgconv.standard.elements import find_vr

__all__ = [
    "BULK_BYTES",
    "UNDEFINED",
    "Buffer",
    "Element",
    "Item",
    "Problem",
    "Tree",
    "format_tag",
    "implicit_vr",
]

UNDEFINED = 0xFFFFFFFF
BULK_BYTES = 1 << 16  # from here on, a value is a view of the file
_FORMATS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q",
    "OW": "H", "OL": "I", "OF": "f", "OD": "d", "OV": "Q",
}  # fmt: skip
_SIZES = {vr: struct.calcsize(f"<{code}") for vr, code in _FORMATS.items()}
_PLAIN_TEXT = {"LT", "ST", "UT", "UR"}  # a backslash does not separate values

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
            and len(value) < BULK_BYTES
            and not bytes(value).strip(b" \0")
        )

    @property
    def path(self) -> str:
        """The tag path from the root: ``(0040,A730)[0].(0040,A043)``."""
        return self.item.path_to(self.tag)

    def set_items(self, items: list[Item]) -> None:
        """Let a sequence have these items, and number them anew."""
        for number, item in enumerate(items):
            item.index = number
        self.items = items

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
        return implicit_vr(self.item, self.tag, len(self.value))

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


def implicit_vr(item: Item, tag: int, length: int) -> str:
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
