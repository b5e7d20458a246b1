"""Mend how elements are encoded: VRs, padding, order, group lengths, private blocks.

Source
------
PS3.5 6.2 (value representations), 7.1 (elements), 7.2 (group length), 7.8 (private elements)
"""

from __future__ import annotations

import re
import struct

from imgconv.dicom.element_reader import parse_items
from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.repair.change import Change, remove, skipped
from imgconv.errors import CorruptData
from imgconv.standard.elements import find_vr

__all__ = ["mend_structure"]

_UNKNOWN_CREATOR = b"IMGCONV UNKNOWN CREATOR "
_TEXT = frozenset(
    ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"]
)
_WHOLE = {"US": "H", "SS": "h", "UL": "I", "SL": "i"}
_WORDS = frozenset({"OB", "OW"})
# What must not stand in a data set: command elements (PS3.7 E.1) and file meta (PS3.10 7.1).
_FOREIGN_GROUPS = frozenset({0x0000, 0x0002})
_PRINTABLE = re.compile(rb"[\x20-\x7e]*\0?")
_AE_TITLE = re.compile(rb"[\x20-\x5b\x5d-\x7e]{0,16}")
_FATAL = {
    "truncated": "the data set is truncated",
    "delimiter": "the data set has a misplaced delimiter",
    "depth": "the data set is nested too deeply",
    "deflate": "the deflated data set is damaged",
    "overrun": "an element is longer than what holds it",
}


def mend_structure(tree: Tree) -> list[Change]:
    """Mend every element's encoding.

    Raises
    ------
    CorruptData
        The file is truncated or broken, so that elements are missing.
    """
    _require_whole(tree)
    changes = _note_encoding(tree) + _mend_meta(tree)
    for element in list(tree.dataset.walk()):
        if element.item.elements.get(element.tag) is element:
            changes += _mend_element(element)
    # Sequences that were hidden in UN bring new elements.
    for item in _iter_items(tree.dataset):
        changes += _own_private_elements(item)
    return changes


def _require_whole(tree: Tree) -> None:
    for problem in tree.problems:
        if problem.kind in _FATAL:
            raise CorruptData(f"{_FATAL[problem.kind]} at `{problem.tag}`", path=tree.path)
        if problem.kind == "unknown-vr" and not problem.note:
            raise CorruptData(f"the VR of `{problem.tag}` is unreadable", path=tree.path)


def _note_encoding(tree: Tree) -> list[Change]:
    """Record what writing the file anew mends by itself."""
    changes = []
    if tree.preamble is None:
        changes.append(
            Change("missing-preamble", "", "no preamble", "preamble", "PS3.10 file", "PS3.10 7.1")
        )
    if tree.meta is None:
        changes.append(
            Change(
                "missing-file-meta",
                "",
                "no file meta information",
                "file meta information",
                "readers need the transfer syntax",
                "PS3.10 7.1",
            )
        )
    for problem in tree.problems:
        if problem.kind in ("leading", "trailing"):
            where = "before" if problem.kind == "leading" else "after"
            before = f"{problem.note} {where} the data set"
            reason = "they are no element"
            changes.append(Change("stray-bytes", "", before, "removed", reason, "PS3.5 7"))
        elif problem.kind in _REWRITTEN:
            before, after, source = _REWRITTEN[problem.kind]
            changes.append(Change(f"{problem.kind}", problem.tag, before, after, before, source))
    return changes


_REWRITTEN = {
    "order": ("element out of order", "in order", "PS3.5 7.1"),
    "duplicate": ("element twice", "the first one", "PS3.5 7.1"),
    "odd-length": ("odd length", "padded", "PS3.5 6.2"),
    "encoding": ("encoded otherwise than declared", "as declared", "PS3.10 7.1"),
    "group-length": ("wrong group length", "right group length", "PS3.10 7.1"),
}


def _mend_meta(tree: Tree) -> list[Change]:
    """Drop application entity titles of the file meta information that are none."""
    meta = tree.meta
    if meta is None:
        return []
    wrong = [
        element
        for element in meta.elements.values()
        if element.vr == "AE" and not _AE_TITLE.fullmatch(bytes(element.value).rstrip(b"\0"))
    ]
    return [
        remove(
            element,
            name="file-meta-title",
            before="value that AE does not allow",
            reason="it is no application entity title",
            source="PS3.5 6.2; PS3.10 7.1",
        )
        for element in wrong
    ]


def _mend_element(element: Element) -> list[Change]:
    tag = element.tag
    if tag >> 16 in _FOREIGN_GROUPS:
        return [
            remove(
                element,
                name="foreign-group",
                before="element of a group that is no part of a data set",
                reason="command and file meta groups have their own place",
                source="PS3.10 7.1",
            )
        ]
    if tag & 0xFFFF == 0:
        return [
            remove(
                element,
                name="group-length",
                before="group length",
                reason="retired, and wrong once a value changes",
                source="PS3.5 7.2",
            )
        ]
    if tag >> 16 & 1 and tag & 0xFFFF < 0x10:
        return [
            remove(
                element,
                name="reserved-private-element",
                before="element 0001 to 000F of a private group",
                reason="these numbers cannot be owned by anyone",
                source="PS3.5 7.8.1",
                keep=True,
            )
        ]
    changes = _mend_vr(element)
    changes += _mend_padding(element.item.elements[tag])
    return changes


def _mend_vr(element: Element) -> list[Change]:
    wanted = find_vr(element.tag)
    written = element.written_vr
    if wanted is None or not written or written == element.vr == wanted:
        return []
    choices = wanted.split(" or ")
    if element.vr in choices or (element.vr == "SQ" and wanted == "SQ"):
        return []
    if written == "UN" or element.vr == "UN":
        return _resolve_unknown(element, choices)
    before, source = element.vr, "PS3.6 6"
    if not _convert(element, choices):
        return [skipped("wrong-vr", element.path, before, f"the dictionary has {wanted}", source)]
    return [Change("wrong-vr", element.path, before, element.vr, "PS3.6 has another VR", source)]


def _resolve_unknown(element: Element, choices: list[str]) -> list[Change]:
    """Give an UN element the VR of the dictionary; its bytes are implicit little endian."""
    vr = choices[0]
    if vr == "SQ" and element.items is None:
        try:
            parse_items(element)
        except CorruptData:
            reason = "the bytes are no sequence"
            return [skipped("unknown-vr", element.path, "UN", reason, "PS3.5 6.2.2")]
    element.vr = element.written_vr = vr
    element.clear()
    reason = "the dictionary knows the VR"
    return [Change("unknown-vr", element.path, "UN", vr, reason, "PS3.5 6.2.2")]


def _convert(element: Element, choices: list[str]) -> bool:
    """Change the VR where the bytes allow it without another meaning."""
    old, new = element.vr, choices[0]
    if element.items is not None or element.fragments is not None or "SQ" in (old, new):
        return False
    is_text = old in _TEXT or old == "UI" or (old == "OB" and _PRINTABLE.fullmatch(element.value))
    if (is_text and (new in _TEXT or new == "UI")) or (old in _WORDS and new in _WORDS):
        pass
    elif old in _WHOLE and new in _WHOLE:
        order = ">" if element.item.big_endian else "<"
        values = element.values()
        try:
            element.value = struct.pack(f"{order}{len(values)}{_WHOLE[new]}", *values)
        except struct.error:
            return False
    else:
        return False
    element.vr = element.written_vr = new
    element.clear()
    return True


def _mend_padding(element: Element) -> list[Change]:
    """Pad with what the VR wants: NUL for UI and bytes, space for text."""
    if element.items is not None or element.fragments is not None:
        return []
    vr, value = element.vr, element.value
    pad = b" " if vr in _TEXT else b"\0"
    if len(value) % 2 and bytes(value[-1:]) != b"\0":
        element.value = bytes(value) + pad
        element.clear()
        return []  # noted by the reader as an odd length
    if not len(value) or (vr not in _TEXT and vr != "UI"):
        return []
    tail = bytes(value[-1:])
    if vr == "UI" and tail == b" ":
        element.value = bytes(value).rstrip(b" \0")
    elif vr in _TEXT and tail == b"\0":
        element.value = bytes(value).rstrip(b"\0")
    elif len(value) % 2:
        element.value = bytes(value) + pad
        element.clear()
        return []
    else:
        return []
    if len(element.value) % 2:
        element.value = bytes(element.value) + pad
    element.clear()
    before = "padded with NUL" if pad == b" " else "padded with spaces"
    after = "padded with a space" if pad == b" " else "padded with NUL"
    return [Change("wrong-padding", element.path, before, after, f"{vr} values", "PS3.5 6.2")]


def _iter_items(item: Item) -> list[Item]:
    found = [item]
    for element in item.elements.values():
        for child in element.items or ():
            found += _iter_items(child)
    return found


def _own_private_elements(item: Item) -> list[Change]:
    """Add a creator for private blocks that have none, so that no element is lost."""
    orphans: dict[int, str] = {}
    for tag in item.elements:
        group, number = tag >> 16, tag & 0xFFFF
        if group % 2 == 0 or number <= 0xFF:
            continue
        creator = group << 16 | number >> 8
        if number >> 8 < 0x10:  # PS3.5 7.8.1: blocks 00 to 0F cannot be reserved
            continue
        owner = item.get(creator)
        if owner is None or owner.is_empty:
            orphans.setdefault(creator, item.path_to(tag))
    for creator in orphans:
        item.elements[creator] = Element(item, creator, "LO", _UNKNOWN_CREATOR, "LO")
    return _remove_idle_creators(item) + [
        Change(
            "private-without-creator",
            item.path_to(creator),
            "no private creator",
            "creator that says unknown",
            "private elements need an owner, and the true one is not known",
            "PS3.5 7.8.1",
        )
        for creator in sorted(orphans)
    ]


def _remove_idle_creators(item: Item) -> list[Change]:
    """Take out creators that are empty and own nothing."""
    idle = [
        element
        for tag, element in item.elements.items()
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF and element.is_empty
    ]
    return [
        remove(
            element,
            name="empty-private-creator",
            before="empty private creator of an empty block",
            reason="it names no owner, and owns nothing",
            source="PS3.5 7.8.1",
        )
        for element in idle
    ]
