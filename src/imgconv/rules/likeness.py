"""Tell data sets apart only as far as the tables of IODs do.

The files of a series have the same elements, and the same values of the few that
conditions and value sets ask about: what the tables say of one holds for all.
"""

from __future__ import annotations

from imgconv.dicom.elements import Item
from imgconv.standard.iods import find_value_tags

__all__ = ["describe"]

_LONG_BYTES = 1024
_MOST_ELEMENTS = 400  # beyond, the description costs as much as it saves
_SEQUENCE = 2  # what tells a number of items from False and True, which are 0 and 1
_Parts = list[object]


def describe(dataset: Item) -> tuple[object, ...] | None:
    """Return what the tables can see of a data set; equal descriptions have equal findings.

    None if it is too large to be described. It holds values, and stays in the process.
    """
    parts: _Parts = [dataset.big_endian]
    return tuple(parts) if _add(dataset, find_value_tags(), parts) else None


def _add(item: Item, value_tags: frozenset[int], parts: _Parts) -> bool:
    for tag, element in item.elements.items():
        parts.append(tag)
        if element.items is not None:
            parts.append(len(element.items) + _SEQUENCE)
            for inner in element.items:
                if len(parts) > 2 * _MOST_ELEMENTS or not _add(inner, value_tags, parts):
                    return False
                parts.append(None)
        elif tag in value_tags:
            if len(element.value) > _LONG_BYTES:
                return False
            parts.append((element.vr, element.value))
        else:
            parts.append(element.is_empty)
    return len(parts) <= 2 * _MOST_ELEMENTS
