"""Keep in the data set what a repair replaced: the Original Attributes Sequence.

Source
------
PS3.3 C.12.1.1.9 (original attributes), tables C.12-1 and 10-20 (selectors)
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from imgconv import __version__
from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.repair.change import Change

__all__ = ["keep_originals"]

_ORIGINALS, _MODIFIED, _NONCONFORMING = 0x04000561, 0x04000550, 0x04000551
_WHEN, _SYSTEM, _SOURCE, _REASON = 0x04000562, 0x04000563, 0x04000564, 0x04000565
_SELECTOR, _VALUE_NUMBER, _VALUE = 0x00720026, 0x00720028, 0x04000552
_POINTER, _POINTER_ITEMS = 0x00720052, 0x00741057
_STEP = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)\[(\d+)\]")
_MAX_KEPT_BYTES = 1 << 16


def keep_originals(tree: Tree, changes: Sequence[Change], when: str) -> None:
    """Add what was replaced to the data set's history.

    Parameters
    ----------
    changes
        Those with an `original` are kept, but for what stands in private or nested sequences.
    when
        Date and time of the repair, as DT.
    """
    kept = [
        change
        for change in changes
        if change.original
        and change.original_tag
        and len(change.original) <= _MAX_KEPT_BYTES
        and _is_addressed(change.tag)
    ]
    if not kept:
        return
    root = tree.dataset
    history = root.get(_ORIGINALS)
    if history is None or history.items is None:
        history = Element(root, _ORIGINALS, "SQ", b"", "SQ")
        history.items = []
        root.elements[_ORIGINALS] = history
    items = history.items or []
    for change in kept:
        items.append(_entry(root, change, len(items), when))
    history.items = items


def _entry(root: Item, change: Change, index: int, when: str) -> Item:
    """Return the history's item of one change: the table allows one attribute in each."""
    entry = Item(root, _ORIGINALS, index, big_endian=root.big_endian)
    _put(entry, _WHEN, "DT", when.encode())
    _put(entry, _SYSTEM, "LO", f"imgconv {__version__}".encode())
    _put(entry, _SOURCE, "LO", b"")
    _put(entry, _REASON, "CS", b"CORRECT")
    _put_items(entry, _MODIFIED, 1)
    item = _put_items(entry, _NONCONFORMING, 1)[0]
    order, tag = ">" if root.big_endian else "<", change.original_tag
    _put(item, _SELECTOR, "AT", struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF))
    _put(item, _VALUE_NUMBER, "US", struct.pack(f"{order}H", 0))
    steps = _steps(change.tag)
    if steps:
        pointers = [half for step, _ in steps for half in (step >> 16, step & 0xFFFF)]
        _put(item, _POINTER, "AT", struct.pack(f"{order}{len(pointers)}H", *pointers))
        numbers = "\\".join(str(index + 1) for _, index in steps)
        _put(item, _POINTER_ITEMS, "IS", numbers.encode())
    original = change.original or b""
    _put(item, _VALUE, "OB", original + b"\0" * (len(original) % 2))
    return entry


def _is_addressed(path: str) -> bool:
    """Whether one selector pointer leads there; checkers take no longer ones, nor private ones."""
    steps = _steps(path)
    return len(steps) <= 1 and not any(tag >> 16 & 1 for tag, _ in steps)


def _steps(path: str) -> list[tuple[int, int]]:
    """Return the sequences that lead to an element, outermost first: tag and item."""
    return [(int(group + number, 16), int(index)) for group, number, index in _STEP.findall(path)]


def _put(item: Item, tag: int, vr: str, value: bytes) -> None:
    item.elements[tag] = Element(item, tag, vr, value, vr)


def _put_items(item: Item, tag: int, count: int) -> list[Item]:
    sequence = Element(item, tag, "SQ", b"", "SQ")
    sequence.items = [Item(item, tag, n, big_endian=item.big_endian) for n in range(count)]
    item.elements[tag] = sequence
    return sequence.items
