"""Fill attributes with what the caller knows and the file does not say.

Source
------
PS3.5 6.2 (form of values); PS3.6 6 (keywords)
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from imgconv.dicom.elements import Tree
from imgconv.dicom.repair.change import Change, ensure, skipped
from imgconv.errors import UsageError
from imgconv.standard.elements import find_tag, find_vr

__all__ = ["apply_facts", "parse_facts"]

_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_NO_TEXT = frozenset({"SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "AT"})


def parse_facts(facts: Mapping[str, str]) -> dict[int, tuple[str, bytes]]:
    """Return tag -> (VR, little endian bytes) of keyword -> text.

    Raises
    ------
    UsageError
        There is no such keyword, or the text is no value of its VR.
    """
    return {_find(keyword): _encode(keyword, text) for keyword, text in facts.items()}


def _find(keyword: str) -> int:
    tag = find_tag(keyword)
    if tag is None:
        raise UsageError(f"unknown keyword `{keyword}`; expected one of PS3.6")
    return tag


def _encode(keyword: str, text: str) -> tuple[str, bytes]:
    vr = (find_vr(_find(keyword)) or "UN").split(" or ")[0]
    if vr in _NO_TEXT:
        raise UsageError(f"`{keyword}` has the VR {vr}; expected an attribute with a text value")
    code = _NUMBERS.get(vr)
    if code is None:
        return vr, text.encode()
    try:
        numbers = [float(part) if code in "fd" else int(part) for part in text.split("\\")]
        return vr, struct.pack(f"<{len(numbers)}{code}", *numbers)
    except (ValueError, struct.error) as error:
        raise UsageError(f"the value of `{keyword}` is none of {vr}") from error


def apply_facts(tree: Tree, facts: Mapping[int, tuple[str, bytes]]) -> list[Change]:
    """Fill what is missing or empty; what has a value stays, and is reported."""
    root = tree.dataset
    changes = []
    for tag, (vr, value) in facts.items():
        known = root.get(tag)
        if known is not None and not known.is_empty:
            reason = "the data set has a value already"
            changes.append(skipped("given", known.path, "present", reason, "the caller"))
            continue
        wire = value
        if root.big_endian and vr in _NUMBERS:
            size = struct.calcsize(_NUMBERS[vr])
            wire = b"".join(value[n : n + size][::-1] for n in range(0, len(value), size))
        reason = "given by the caller"
        changes.append(
            ensure(root, tag, vr, wire, name="given", reason=reason, source="the caller")
        )
    return changes
