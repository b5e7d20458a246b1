"""Values of required attributes that follow from others, or that truly say that nothing is known.

A table: the attribute, what gives its value, and why. It is asked only for what
an IOD requires and a data set lacks.

Source
------
PS3.5 7.4.1 and 7.4.2 (types 1 and 1C), 6.2 (DT)
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from imgconv.dicom.elements import Item, Tree
from imgconv.dicom.lossy import METHODS
from imgconv.dicom.repair.change import Change, ensure
from imgconv.dicom.repair.pixels import count_bytes
from imgconv.records import record
from imgconv.standard.elements import find_vr
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["fill_required"]

_ACQUISITION_DATE, _ACQUISITION_TIME = 0x00080022, 0x00080032
_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065
_IMAGE_TYPE, _POSITION = 0x00080008, 0x00200032
_LOSSY_RATIO, _LOSSY_METHOD, _PIXEL_DATA = 0x00282112, 0x00282114, 0x7FE00010
_GRID_GROUP, _GRID_CREATOR, _GRID_TILES = 0x0065, "Image Private Header", 0x51
_WHOLE_DATE, _SOME_TIME = re.compile(r"\d{8}"), re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")


@record
class _Filling:
    """What fills an attribute: its value in the item's byte order, None if there is none."""

    find: Callable[[Tree, Item], bytes | None]
    name: str
    reason: str
    source: str


def fill_required(tree: Tree, item: Item, tag: int) -> Change | None:
    """Fill a required attribute that is missing or empty, if its value is certain."""
    filling = _FILLINGS.get(tag)
    value = filling.find(tree, item) if filling is not None else None
    if filling is None or value is None:
        return None
    vr = (find_vr(tag) or "LO").split(" or ")[0]
    return ensure(
        item, tag, vr, value, name=filling.name, reason=filling.reason, source=filling.source
    )


def _join_date_and_time(_tree: Tree, item: Item) -> bytes | None:
    date, time = item.text(_ACQUISITION_DATE), item.text(_ACQUISITION_TIME)
    if not _WHOLE_DATE.fullmatch(date) or not _SOME_TIME.fullmatch(time):
        return None
    return f"{date}{time}".encode("ascii")


def _point_to_frame_time(_tree: Tree, item: Item) -> bytes | None:
    for tag in (_FRAME_TIME, _FRAME_TIME_VECTOR):
        if item.numbers(tag):
            order = ">" if item.big_endian else "<"
            return struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    return None


def _say_unknown_method(_tree: Tree, _item: Item) -> bytes | None:
    return b"unknown: not stated by the source"


def _find_first_tile(_tree: Tree, item: Item) -> bytes | None:
    """Return the position of a grid's first tile, which begins with the image's first voxel."""
    if "VFRAME" not in item.texts(_IMAGE_TYPE):
        return None
    for block in range(0x10, 0x100):
        if item.text(_GRID_GROUP << 16 | block) != _GRID_CREATOR:
            continue
        tiles = item.items_of(_GRID_GROUP << 16 | block << 8 | _GRID_TILES)
        if tiles and len(tiles[0].numbers(_POSITION)) == 3:  # x, y, z
            return bytes(tiles[0].elements[_POSITION].value)
    return None


def _name_lossy_method(tree: Tree, item: Item) -> bytes | None:
    """Return the method of the transfer syntax, if that permits nothing but loss."""
    syntax = BY_UID.get(tree.transfer_syntax)
    if item is not tree.dataset or syntax is None or not syntax.always_lossy:
        return None
    method = METHODS.get(syntax.family)
    # Ratio and method are parallel lists: an older step would need its own.
    is_first = len(item.texts(_LOSSY_RATIO)) <= 1
    return method.encode("ascii") if method and is_first else None


def _measure_ratio(tree: Tree, item: Item) -> bytes | None:
    """Return how much smaller the frames are than the samples."""
    pixels = item.get(_PIXEL_DATA)
    if _name_lossy_method(tree, item) is None or pixels is None or not pixels.fragments:
        return None
    native, packed = count_bytes(item), sum(size for _, size in pixels.fragments[1:])
    return f"{native / packed:.4g}".encode("ascii") if native and packed else None


_FILLINGS = {
    0x0008002A: _Filling(
        _join_date_and_time,
        "derived",
        "Acquisition Date and Acquisition Time say it",
        "PS3.5 6.2; PS3.3 C.7.6.1",
    ),
    0x00120063: _Filling(
        _say_unknown_method,
        "unknown-method",
        "the identity was removed, how is not said; the text says so",
        "PS3.3 C.7.1.1",
    ),
    _POSITION: _Filling(
        _find_first_tile,
        "derived",
        "the first tile of the grid has it: the position is that of the first voxel",
        "PS3.3 C.7.6.2.1.1",
    ),
    _LOSSY_RATIO: _Filling(
        _measure_ratio, "derived", "the size of the frames says it", "PS3.3 C.7.6.1.1.5.2"
    ),
    _LOSSY_METHOD: _Filling(
        _name_lossy_method, "derived", "the transfer syntax says it", "PS3.3 C.7.6.1.1.5.1"
    ),
    0x00280009: _Filling(
        _point_to_frame_time,
        "derived",
        "the frames are told apart by the frame time that the data set has",
        "PS3.3 C.7.6.6.1",
    ),
}
