"""Add elements to the items of a data set that is being made, in explicit VR little endian."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from imgconv.dicom.elements import Element, Item

__all__ = ["put", "put_code", "put_item"]


def put(item: Item, tag: int, vr: str, value: str | int | Sequence[int]) -> None:
    """Add an element of text, unsigned numbers (UL, US), or a tag (AT)."""
    if isinstance(value, str):
        raw = value.encode("latin-1")
    elif vr == "AT" and isinstance(value, int):
        raw = struct.pack("<HH", value >> 16, value & 0xFFFF)
    else:
        numbers = [value] if isinstance(value, int) else value
        raw = struct.pack(f"<{len(numbers)}{'H' if vr == 'US' else 'I'}", *numbers)
    item.elements[tag] = Element(item, tag, vr, raw, vr)


def put_item(item: Item, tag: int) -> Item:
    """Append an empty item to a sequence; return it."""
    sequence = item.elements.get(tag)
    if sequence is None or sequence.items is None:
        sequence = item.elements[tag] = Element(item, tag, "SQ", b"", "SQ")
        sequence.items = []
    child = Item(item, tag, len(sequence.items or ()))
    sequence.items = sequence.items or []
    sequence.items.append(child)
    return child


def put_code(item: Item, tag: int, value: str, meaning: str) -> None:
    """Append a SNOMED CT code to a code sequence (PS3.3 8.8)."""
    code = put_item(item, tag)
    put(code, 0x00080100, "SH", value)
    put(code, 0x00080102, "SH", "SCT")
    put(code, 0x00080104, "LO", meaning)
