"""Read the tags of a TIFF file that say what its samples mean.

Classic TIFF and BigTIFF, both byte orders. Pixels are not touched: `tiff`
decodes them once the tags are known to be sane.

Source: TIFF 6.0 Sections 2 and 8; BigTIFF (AWare Systems description).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from imgconv.errors import CorruptData

__all__ = ["Directory", "parse_directories"]

_MAX_DIRECTORIES = 1 << 16
_MAX_ENTRIES = 4096  # real directories have fewer than 100
_MAX_VALUES = 1 << 20  # of one tag that is read; an ICC profile has some thousand bytes

# TIFF field type -> struct letter. Rationals and floats are not needed. 6.0 p. 15.
_LETTERS = {1: "B", 2: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 13: "I", 16: "Q"}

_WANTED = {
    254: "subfile_type",
    256: "width",
    257: "height",
    258: "bits",
    259: "compression",
    262: "photometric",
    270: "description",
    274: "orientation",
    277: "samples",
    284: "planar",
    320: "colour_map",
    338: "extra_samples",
    339: "sample_format",
    34675: "icc_profile",
}


class _Layout(NamedTuple):
    """How offsets and counts are stored: classic TIFF or BigTIFF."""

    order: str
    entries: str  # their number in a directory
    entry: str  # tag, type, count, value or offset
    offset: str


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of one page.

    `values` maps the names of this module to tuples of integers; absent tags
    are absent.
    """

    values: Mapping[str, tuple[int, ...]]

    def get(self, name: str, default: int) -> int:
        """Return the first value of tag `name`."""
        found = self.values.get(name, ())
        return found[0] if found else default

    def bytes_of(self, name: str) -> bytes:
        """Return tag `name` as bytes."""
        return bytes(value & 0xFF for value in self.values.get(name, ()))


def parse_directories(data: bytes) -> tuple[Directory, ...]:
    """Return the directories of the main chain, in order.

    Raises
    ------
    CorruptData
        The chain leaves the file, loops, or has none.
    """
    layout, offset = _parse_head(data)
    found: list[Directory] = []
    seen: set[int] = set()
    while offset:
        if offset in seen or len(found) >= _MAX_DIRECTORIES:
            raise CorruptData("the chain of TIFF directories loops")
        seen.add(offset)
        try:
            directory, offset = _parse_directory(data, offset, layout)
        except (struct.error, OverflowError) as error:
            raise CorruptData("a TIFF directory lies outside the file") from error
        found.append(directory)
    if not found:
        raise CorruptData("the TIFF file has no picture")
    return tuple(found)


def _parse_head(data: bytes) -> tuple[_Layout, int]:
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        raise CorruptData("the TIFF header is truncated or damaged")
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    if version == 42:
        return _Layout(order, "H", "HHI4s", "I"), struct.unpack_from(f"{order}I", data, 4)[0]
    if version == 43:
        return _Layout(order, "Q", "HHQ8s", "Q"), struct.unpack_from(f"{order}Q", data, 8)[0]
    raise CorruptData(f"TIFF version `{version}`; expected 42 or 43")


def _parse_directory(data: bytes, offset: int, layout: _Layout) -> tuple[Directory, int]:
    order = layout.order
    (count,) = struct.unpack_from(order + layout.entries, data, offset)
    if count > _MAX_ENTRIES:
        raise CorruptData(f"a TIFF directory has `{count}` entries; the limit is {_MAX_ENTRIES}")
    start = offset + struct.calcsize(order + layout.entries)
    size = struct.calcsize(order + layout.entry)
    values = dict(_iter_entries(data, start, count, layout))
    (following,) = struct.unpack_from(order + layout.offset, data, start + count * size)
    return Directory(values), following


def _iter_entries(
    data: bytes, start: int, count: int, layout: _Layout
) -> Iterator[tuple[str, tuple[int, ...]]]:
    size = struct.calcsize(layout.order + layout.entry)
    for n in range(count):
        tag, kind, length, inline = struct.unpack_from(
            layout.order + layout.entry, data, start + n * size
        )
        if tag not in _WANTED or kind not in _LETTERS or length > _MAX_VALUES:
            continue
        letters = f"{layout.order}{length}{_LETTERS[kind]}"
        if struct.calcsize(letters) <= len(inline):
            yield _WANTED[tag], struct.unpack_from(letters, inline)
        else:
            (offset,) = struct.unpack(layout.order + layout.offset, inline)
            yield _WANTED[tag], struct.unpack_from(letters, data, offset)
