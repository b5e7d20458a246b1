"""Files built element by element, so that each has just the mistake that a test is about."""

from __future__ import annotations

import struct
from pathlib import Path

from imgconv.dicom.elements import Tree
from imgconv.dicom.tree_reader import read_tree

LONG = {"OB", "OW", "SQ", "UN", "UT", "UC", "OF", "OD", "OL", "OV"}


def element(tag: int, vr: str, value: bytes, *, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in LONG:
        return head + struct.pack("<HI", 0, size) + value
    return head + struct.pack("<H", size) + value


def part10(*elements: bytes, syntax: bytes = b"1.2.840.10008.1.2.1\0") -> bytes:
    meta = element(0x00020010, "UI", syntax)
    head = element(0x00020000, "UL", struct.pack("<I", len(meta)))
    return bytes(128) + b"DICM" + head + meta + b"".join(elements)


def tree_of(*elements: bytes, **options: bytes) -> Tree:
    return read_tree(Path("x.dcm"), part10(*elements, **options))
