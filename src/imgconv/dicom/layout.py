"""Find the elements of a file that is laid out like one seen before, without walking it.

The files of a series have the same elements in the same order; a few values
differ in length. A `Layout` remembers where each element's tag, VR and length
stand, nested ones in sequences of undefined length included. `Layout.locate`
compares these bytes with a new file's, block by block, and follows the
shifts. A file with any other difference is not matched, and is walked element
by element.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.dicom.scan import Element, Encoding, Found, Unit, trace_undefined
from imgconv.standard.elements import find_tag

__all__ = ["Layout", "Places", "make_layout"]

# Units compared at once: fewer cost calls, more cost comparing again behind a shift.
_BLOCK = 64
_TRANSFER_SYNTAX = 0x00020010
_UNDEFINED = b"\xff\xff\xff\xff"


class _Block(NamedTuple):
    """The bytes that tell some units: where they are, what they are, whose they are."""

    places: NDArray[np.intp]
    bytes: NDArray[np.uint8]
    owners: list[int]


class Places:
    """Where the elements of one file are, relative to its layout.

    Parameters
    ----------
    layout
        Shared by all files laid out alike.
    shifts
        ``(unit, bytes)``: from there on everything is that much farther
        behind than in the layout; ascending.
    lengths
        Unit -> length, where it differs from the layout's.
    """

    __slots__ = ("_bytes", "_starts", "layout", "lengths")

    def __init__(
        self, layout: Layout, shifts: list[tuple[int, int]], lengths: dict[int, int]
    ) -> None:
        self.layout = layout
        self._starts = [start for start, _ in shifts]
        self._bytes = [shift for _, shift in shifts]
        self.lengths = lengths

    def get(self, tag: int) -> Element | None:
        """Return where the value of `tag` is, None if there is no such element."""
        entry = self.layout.entries.get(tag)
        if entry is None:
            return None
        vr, unit, stop, start, length = entry
        start += self._shift(unit)
        if stop:  # a sequence of undefined length ends where the next unit begins
            return vr, start, length + self._shift(stop) - self._shift(unit)
        return vr, start, self.lengths.get(unit, length)

    def spans(self, keywords: tuple[str, ...]) -> Iterator[tuple[str, int, tuple[int, int]]]:
        """Yield ``(keyword, tag, (first byte, byte behind))`` of those attributes that are there.

        Sequences of undefined length are left out.
        """
        starts, shifts, lengths = self._starts, self._bytes, self.lengths
        last, position = len(starts) - 1, 0
        for keyword, tag, unit, start, length in self.layout.recipe(keywords):
            while position < last and starts[position + 1] <= unit:
                position += 1
            begin = start + shifts[position]
            yield keyword, tag, (begin, begin + lengths.get(unit, length))

    def _shift(self, unit: int) -> int:
        return self._bytes[bisect_right(self._starts, unit) - 1]

    def __contains__(self, tag: object) -> bool:
        return tag in self.layout.entries

    def __iter__(self) -> Iterator[int]:
        return iter(self.layout.entries)

    def items(self) -> Iterable[tuple[int, Element]]:
        """Return tag and place of each element, in the order of the file."""
        return [(tag, element) for tag in self if (element := self.get(tag)) is not None]

    def __reduce__(self) -> tuple[Any, ...]:
        shifts = list(zip(self._starts, self._bytes, strict=True))
        return (Places, (self.layout, shifts, self.lengths))


def make_layout(
    buffer: bytes, start: int, encoding: Encoding, table: dict[int, Element], found: Found
) -> Layout | None:
    """Return the layout of a file, None if it is too odd to be compared with others.

    Parameters
    ----------
    buffer
        The file up to its pixel data, or further.
    start
        Where its first element is.
    encoding
        Of the data set; the meta information is always explicit, little endian.
    table
        Tag -> element, meta information included, in the order of the file.
    found
        The pixel data.
    """
    if encoding.explicit and not found.element[0]:
        return None
    layout = Layout(encoding, found)
    head = start
    for tag, element in table.items():
        if element[1] - head not in (8, 12):
            return None  # delimiters or repeated tags stand between the elements
        if not element[0] and (encoding.explicit or tag >> 16 == 2):
            return None  # a VR is missing
        layout.add(buffer, head, tag, element)
        head = element[1] + element[2]
    if found.element[1] - head not in (8, 12):
        return None
    return layout if layout.close(buffer, head) else None


class Layout:
    """The elements of a file whose like is expected again; made by `make_layout`.

    Attributes
    ----------
    entries
        Tag -> ``(VR, unit, unit behind a sequence of undefined length or 0,
        start, length)``.
    values
        What was decoded before: ``(tag, bytes)`` or ``(tag, VR, bytes)`` -> value.
    blocks
        Private blocks by group and creator, once a header has asked for
        them; the creators' names are compared as well, so they hold for all.
    """

    def __init__(self, encoding: Encoding, pixels: Found) -> None:
        self.encoding = encoding
        self.entries: dict[int, tuple[str, int, int, int, int]] = {}
        self.values: dict[tuple[object, ...], Any] = {}
        self.blocks: dict[tuple[int, str], int] | None = None
        self._recipes: dict[tuple[str, ...], list[tuple[str, int, int, int, int]]] = {}
        self._pixels = pixels
        self._pixel_header = 0
        self._units: list[Unit] = []
        self._is_big: list[bool] = []
        self._fixed: set[int] = set()
        self._compared: list[_Block] = []
        # Of each unit: the header without its length, and where it ends among its block's bytes.
        self._prefixes: list[bytes] = []
        self._behind: list[int] = []

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "values": {}}

    @property
    def size(self) -> int:
        """Bytes of the file up to and including the header of its pixel data."""
        return self._pixels.element[1]

    def recipe(self, keywords: tuple[str, ...]) -> list[tuple[str, int, int, int, int]]:
        """Return ``(keyword, tag, unit, start, length)`` of the attributes, in file order."""
        found = self._recipes.get(keywords)
        if found is None:
            found = []
            for keyword in keywords:
                tag = find_tag(keyword) or 0
                entry = self.entries.get(tag)
                if entry is not None and not entry[2]:
                    found.append((keyword, tag, entry[1], entry[3], entry[4]))
            found.sort(key=lambda item: item[2])
            self._recipes[keywords] = found
        return found

    def add(self, buffer: bytes, head: int, tag: int, element: Element) -> None:
        """Append an element; `head` is where its tag stands."""
        vr, start, length = element
        is_meta = tag >> 16 == 2
        short = start - head == 8 and vr != "" and (self.encoding.explicit or is_meta)
        number = len(self._units)
        width = 2 if short else 4
        undefined = width == 4 and buffer[start - 4 : start] == _UNDEFINED
        self._units.append(Unit(head, start, 0 if undefined else length, width))
        if undefined:
            self._units += trace_undefined(buffer, start, self.encoding, vr)
        self._is_big += [self.encoding.big_endian and not is_meta] * (len(self._units) - number)
        if _tells_others(tag):
            self._fixed.add(number)
        self.entries[tag] = (vr, number, len(self._units) if undefined else 0, start, length)

    def close(self, buffer: bytes, head: int) -> bool:
        """End the layout with the header of the pixel data at `head`; False if it is unsafe."""
        if not all(unit.width for unit in self._units):
            return False
        vr, start, _length = self._pixels.element
        # Tag and VR are compared; the length of compressed pixel data differs.
        self._units.append(Unit(head, head + 4 + (2 if vr else 0), 0, 0))
        self._is_big.append(self.encoding.big_endian)
        self._pixel_header = start - head
        for first in range(0, len(self._units), _BLOCK):
            numbers = range(first, min(first + _BLOCK, len(self._units)))
            self._compared.append(self._block(buffer, numbers))
        return True

    def locate(self, buffer: bytes) -> tuple[Places, Found] | None:
        """Return where the elements and the pixel data of another file are.

        None if it is laid out in another way, or `buffer` does not reach its
        pixel data.
        """
        data = np.frombuffer(buffer, np.uint8)
        shifts: list[tuple[int, int]] = [(0, 0)]
        lengths: dict[int, int] = {}
        shift = 0
        for places, expected, owners in self._compared:
            position = 0
            while position < len(owners):
                where = places[position:] + shift
                if where[-1] >= len(data):
                    return None
                differs = data[where] != expected[position:]
                worst = int(differs.argmax())
                if not differs[worst]:
                    break
                unit = owners[position + worst]
                length = self._new_length(buffer, unit, shift)
                if length is None:
                    return None
                lengths[unit] = length
                shift += length - self._units[unit].length
                shifts.append((unit + 1, shift))
                position = self._behind[unit]
        found = self._find_pixels(buffer, shift)
        return None if found is None else (Places(self, shifts, lengths), found)

    def _block(self, buffer: bytes, numbers: range) -> _Block:
        places: list[int] = []
        owners: list[int] = []
        for number in numbers:
            unit = self._units[number]
            end = unit.start + (unit.length if number in self._fixed else 0)
            places += range(unit.head, end)
            owners += [number] * (end - unit.head)
            self._behind.append(len(owners))
            self._prefixes.append(buffer[unit.head : unit.start - unit.width])
        where = np.array(places, dtype=np.intp)
        return _Block(where, np.frombuffer(buffer, np.uint8)[where], owners)

    def _new_length(self, buffer: bytes, number: int, shift: int) -> int | None:
        """Return the length of a unit that differs in nothing else, or None."""
        unit = self._units[number]
        if number in self._fixed or not unit.width or self._has_no_length(number):
            return None
        at = unit.start - unit.width + shift
        if buffer[unit.head + shift : at] != self._prefixes[number]:
            return None
        length = int.from_bytes(buffer[at : at + unit.width], self._order(number))
        return None if length == 0xFFFFFFFF or at + unit.width + length > len(buffer) else length

    def _has_no_length(self, number: int) -> bool:
        """Whether a unit is a delimiter, or has undefined length."""
        following = self._units[number + 1]
        unit = self._units[number]
        return unit.length == 0 and unit.width == 4 and following.head == unit.start

    def _order(self, number: int) -> Literal["little", "big"]:
        return "big" if self._is_big[number] else "little"

    def _find_pixels(self, buffer: bytes, shift: int) -> Found | None:
        vr, start, _length = self._pixels.element
        start += shift
        if start > len(buffer):
            return None
        width = 2 if self._pixel_header == 8 and vr else 4
        length = int.from_bytes(buffer[start - width : start], self._order(-1))
        return Found(self._pixels.tag, (vr, start, -1 if length == 0xFFFFFFFF else length))


def _tells_others(tag: int) -> bool:
    """Whether an element's value, too, has to be the same: it tells how others are read."""
    is_creator = bool(tag & 0x10000) and 0x10 <= tag & 0xFFFF <= 0xFF
    return is_creator or tag == _TRANSFER_SYNTAX
