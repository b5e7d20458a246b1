"""Mend values of functional groups that have one right form: indices and directions.

Source
------
PS3.3 C.7.6.16.2.2 and C.7.6.17 (dimension indices), C.8.13.5.10 (MR spatial saturation)
"""

from __future__ import annotations

import math
import struct

from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.repair.change import Change, empty_sequence, replace_value

__all__ = ["mend_functional_groups"]

_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_FRAME_CONTENT, _INDICES = 0x00209111, 0x00209157
_SATURATION, _SLAB_ORIENTATION = 0x00189107, 0x00189105
# How far from 1 the length of a direction may be that was only rounded or scaled by hand.
_ROUGH = 0.01
# What is exact enough: less than single precision can tell.
_EXACT = 1e-6


def mend_functional_groups(tree: Tree) -> list[Change]:
    """Mend dimension indices that count from 0, and directions that are none."""
    root = tree.dataset
    if _PER_FRAME not in root.elements:
        return []
    changes = _renumber(root)
    for group in (*root.items_of(_SHARED), *root.items_of(_PER_FRAME)):
        slabs = group.get(_SATURATION)
        if slabs is not None and slabs.items:
            changes += _mend_slabs(slabs)
    return changes


def _renumber(root: Item) -> list[Change]:
    """Give the indices of a dimension that has a 0 new numbers, in the order that they have."""
    elements = [
        element
        for group in root.items_of(_PER_FRAME)
        for content in group.items_of(_FRAME_CONTENT)[:1]
        if (element := content.get(_INDICES)) is not None and element.vr == "UL"
    ]
    rows = [tuple(int(value) for value in element.values()) for element in elements]
    if not rows or len({len(row) for row in rows}) != 1:
        return []
    columns = [_rank(column) if 0 in column else column for column in zip(*rows, strict=True)]
    fresh = list(zip(*columns, strict=True))
    order = ">" if root.big_endian else "<"
    return [
        replace_value(
            element,
            struct.pack(f"{order}{len(new)}I", *new),
            name="dimension-index",
            before="counted from 0",
            after="counted from 1, in the same order",
            reason="the indices of a dimension count from 1",
            source="PS3.3 C.7.6.17",
        )
        for element, old, new in zip(elements, rows, fresh, strict=True)
        if old != new
    ]


def _rank(column: tuple[int, ...]) -> tuple[int, ...]:
    places = {value: place for place, value in enumerate(sorted(set(column)), 1)}
    return tuple(places[value] for value in column)


def _mend_slabs(slabs: Element) -> list[Change]:
    """Make slab orientations unit vectors; slabs whose orientation is none are set aside.

    Some scanners write angles there. The sequence is type 2: empty, it says that
    slabs are not known.
    """
    vectors = [
        (item, vector)
        for item in slabs.items or ()
        if len(vector := item.numbers(_SLAB_ORIENTATION)) == 3
    ]
    if any(abs(math.hypot(*vector) - 1) > _ROUGH for _, vector in vectors):
        return [
            empty_sequence(
                slabs,
                name="slab-orientation",
                before="slab whose orientation is no direction",
                reason="a direction has unit length; an empty sequence says that slabs are "
                "not known",
                source="PS3.3 C.8.13.5.10; PS3.5 7.4.3",
            )
        ]
    return [
        _normalize(item.elements[_SLAB_ORIENTATION], vector)
        for item, vector in vectors
        if abs(math.hypot(*vector) - 1) > _EXACT
    ]


def _normalize(element: Element, vector: tuple[float, ...]) -> Change:
    order, length = ">" if element.item.big_endian else "<", math.hypot(*vector)
    return replace_value(
        element,
        struct.pack(f"{order}3d", *(value / length for value in vector)),
        name="unit-vector",
        before="vector of nearly unit length",
        after="vector of unit length",
        reason="a direction has unit length",
        source="PS3.3 C.8.13.5.10",
        keep=True,
    )
