"""Write a `Tree` as a PS3.10 file in Explicit VR Little Endian.

Values are the bytes that were read, but for the byte order. Sequences are
written with explicit lengths; encapsulated pixel data keep their fragments.

Source
------
PS3.5 7.1.2 (explicit VR), 7.5 (sequences), A.4 (encapsulation); PS3.10 7.1
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import numpy as np

from imgconv import __version__
from imgconv.dicom.elements import Buffer, Element, Item, Tree
from imgconv.dicom.uids import IMPLEMENTATION_CLASS_UID
from imgconv.errors import UnsupportedData

__all__ = ["encode_file", "encode_item", "encode_items", "to_little_endian"]

_LONG = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
_SWAP_BYTES = {
    "US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4,
    "FD": 8, "OD": 8, "OV": 8, "SV": 8, "UV": 8,
}  # fmt: skip
_UNDEFINED = 0xFFFFFFFF
_MAX_SHORT = 0xFFFF
# Kept of the old file meta information: who sent it, and private information (PS3.10 7.1).
_KEPT_META = (0x00020016, 0x00020017, 0x00020018, 0x00020100, 0x00020102)


def encode_file(tree: Tree, transfer_syntax_uid: str) -> Iterator[Buffer]:
    """Yield the bytes of the whole file: preamble, meta information, data set.

    Parameters
    ----------
    tree
        Its data set has a SOP Class UID and a SOP Instance UID.
    transfer_syntax_uid
        Explicit VR little endian, or a syntax of encapsulated pixel data
        that is the one of the fragments.

    Raises
    ------
    UnsupportedData
        A value is too long for its VR.
    """
    yield _choose_preamble(tree.preamble)
    yield b"DICM"
    yield _encode_meta(tree, transfer_syntax_uid)
    yield from encode_item(tree.dataset, tree.data)


def _choose_preamble(old: bytes | None) -> bytes:
    """Return the old preamble if it is a TIFF header, else zeros (PS3.10 7.5)."""
    return old if old is not None and old[:4] in (b"II*\0", b"MM\0*") else bytes(128)


def _encode_meta(tree: Tree, transfer_syntax_uid: str) -> bytes:
    dataset = tree.dataset
    meta = Item()

    def put(tag: int, vr: str, value: bytes) -> None:
        padded = value + (b"\0" if vr in ("UI", "OB") else b" ") * (len(value) % 2)
        meta.elements[tag] = Element(meta, tag, vr, padded, vr)

    for tag in _KEPT_META:
        old = tree.meta.get(tag) if tree.meta is not None else None
        if old is not None:
            put(tag, old.vr, bytes(old.value))
    put(0x00020001, "OB", b"\0\1")
    put(0x00020002, "UI", dataset.text(0x00080016).encode("ascii", "replace"))
    put(0x00020003, "UI", dataset.text(0x00080018).encode("ascii", "replace"))
    put(0x00020010, "UI", transfer_syntax_uid.encode())
    put(0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode())
    put(0x00020013, "SH", f"IMGCONV {__version__}"[:16].encode())
    body = b"".join(bytes(part) for part in encode_item(meta, b""))
    return struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(body)) + body


def encode_item(item: Item, data: Buffer) -> Iterator[Buffer]:
    """Yield the bytes of a data set or an item, in the order of the tags.

    Parameters
    ----------
    data
        The buffer that offsets of fragments count from.
    """
    for tag in sorted(item.elements):
        yield from _encode_element(item.elements[tag], data)


def encode_items(items: Sequence[Item], data: Buffer) -> list[bytes]:
    """Return the value of a sequence, in parts: items with explicit lengths."""
    parts = []
    for item in items:
        body = [bytes(part) for part in encode_item(item, data)]
        parts.append(struct.pack("<HHI", 0xFFFE, 0xE000, sum(map(len, body))))
        parts += body
    return parts


def _encode_element(element: Element, data: Buffer) -> Iterator[Buffer]:
    vr = element.vr
    if element.fragments is not None:
        yield _encode_head(element, vr, _UNDEFINED)
        for offset, length in element.fragments:
            yield struct.pack("<HHI", 0xFFFE, 0xE000, length)
            yield memoryview(data)[offset : offset + length]
        yield struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        return
    if element.items is not None:
        body = encode_items(element.items, data)
        yield _encode_head(element, "SQ", sum(map(len, body)))
        yield from body
        return
    value = _little_endian(element)
    pad = len(value) % 2
    yield _encode_head(element, vr, len(value) + pad)
    yield value
    if pad:
        yield b"\0" if vr in ("UI", "OB", "UN") else b" "


def _encode_head(element: Element, vr: str, length: int) -> bytes:
    group, number = element.tag >> 16, element.tag & 0xFFFF
    if vr in _LONG:
        return struct.pack("<HH2sHI", group, number, vr.encode("ascii"), 0, length)
    if length > _MAX_SHORT:
        # PS3.5 6.2.2 note 2: what does not fit a 16-bit length is written as UN.
        if element.item.parent is None and group % 2 == 0:
            raise UnsupportedData(f"`{element.path}` has `{length}` bytes; {vr} holds {_MAX_SHORT}")
        return struct.pack("<HH2sHI", group, number, b"UN", 0, length)
    return struct.pack("<HH2sH", group, number, vr.encode("ascii"), length)


def _little_endian(element: Element) -> Buffer:
    size = _SWAP_BYTES.get(element.vr, 1)
    if not element.item.big_endian or size == 1:
        return element.value
    whole = len(element.value) // size * size
    swapped = np.frombuffer(element.value, f">u{size}", whole // size).astype(f"<u{size}")
    return swapped.tobytes() + bytes(element.value[whole:])


def to_little_endian(item: Item) -> None:
    """Turn the bytes of all values of a data set or an item around, if they are big endian."""
    if not item.big_endian:
        return
    for element in item.elements.values():
        for child in element.items or ():
            to_little_endian(child)
        if element.items is None and element.fragments is None:
            element.value = _little_endian(element)
            element.clear()
    item.big_endian = False
