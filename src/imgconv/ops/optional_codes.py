"""Set aside optional codes and references that are not whole.

A code without a scheme or a reference without a class makes a whole object
nonconformant, though nothing needs it. Such an item goes into the Original
Attributes Sequence; what is required, or holds more than a code, stays.

Source
------
PS3.3 8.8 (code sequences), 10.8 (references); PS3.5 7.4.5 (type 3)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from imgconv.dicom.elements import Element, Tree
from imgconv.dicom.repair.change import Change
from imgconv.dicom.repair.encode import encode_items
from imgconv.dicom.repair.hollow import REFERENCES
from imgconv.rules.instance import Hit
from imgconv.rules.plan import Plan
from imgconv.standard.elements import find_keyword

__all__ = ["set_aside_optional_items"]

_RULES = frozenset({"M001", "M002", "M004", "M013"})
_FIRST = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)\[(\d+)\]")


def set_aside_optional_items(tree: Tree, plan: Plan, hits: Iterable[Hit]) -> list[Change]:
    """Take out the incomplete items of optional sequences of codes and references.

    Parameters
    ----------
    hits
        What is still wrong with the data set.
    """
    root, wrong = tree.dataset, _find_wrong(hits)
    changes = []
    for tag, indices in wrong.items():
        element = root.get(tag)
        if element is not None and element.items and _is_optional(tag, plan):
            changes.append(_take_out(element, indices))
    return changes


def _find_wrong(hits: Iterable[Hit]) -> dict[int, set[int]]:
    wrong: dict[int, set[int]] = {}
    for hit in hits:
        found = _FIRST.match(hit.tag)
        if found is not None and hit.rule in _RULES and hit.severity != "warning":
            wrong.setdefault(int(found[1] + found[2], 16), set()).add(int(found[3]))
    return wrong


def _is_optional(tag: int, plan: Plan) -> bool:
    known = plan.root.attributes.get(tag)
    is_code = (find_keyword(tag) or "").endswith("CodeSequence") or tag in REFERENCES
    return is_code and known is not None and all(row.kind == "3" for row in known.rows)


def _take_out(element: Element, indices: set[int]) -> Change:
    items = element.items or []
    gone = [item for number, item in enumerate(items) if number in indices]
    element.set_items([item for number, item in enumerate(items) if number not in indices])
    path, before = element.path, f"{len(gone)} incomplete item{'s' * (len(gone) > 1)}"
    if not element.items:
        del element.item.elements[element.tag]
    return Change(
        "incomplete-item",
        path,
        before,
        "removed",
        "optional, and what it should say is missing",
        "PS3.3 8.8, 10.8; PS3.5 7.4.5",
        b"".join(encode_items(gone, b"")),
        element.tag,
    )
