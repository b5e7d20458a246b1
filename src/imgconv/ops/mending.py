"""Mend a data set as a whole: the repairs in their order, then what its IOD demands.

The order matters: the encoding first, so that the rest sees values; UIDs and
values next; attributes last, because what the IOD demands depends on them.

Source
------
PS3.3 5.4 and PS3.5 7.4 (types of attributes), C.7 (modules of all images)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from imgconv.dicom.elements import Item, Tree
from imgconv.dicom.repair.acr_nema import mend_acr_nema
from imgconv.dicom.repair.change import Change, ensure, remove, replace_value, skipped
from imgconv.dicom.repair.charset import mend_charset
from imgconv.dicom.repair.classes import derive_class, mend_classes
from imgconv.dicom.repair.codestreams import mend_codestreams
from imgconv.dicom.repair.directions import mend_directions
from imgconv.dicom.repair.functional_groups import mend_functional_groups
from imgconv.dicom.repair.hollow import mend_hollow
from imgconv.dicom.repair.originals import keep_originals
from imgconv.dicom.repair.pixels import mend_pixels
from imgconv.dicom.repair.structure import mend_structure
from imgconv.dicom.repair.uids import (
    mend_missing_uids,
    mend_uids,
    replace_instance_uid,
    replace_series_uid,
)
from imgconv.dicom.repair.values import mend_values
from imgconv.ops.derivation import derive_attributes
from imgconv.ops.optional_codes import set_aside_optional_items
from imgconv.ops.requirements import fill_required
from imgconv.records import record
from imgconv.rules.codes import check_codes
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.modules import check_modules
from imgconv.rules.plan import Plan, find_plan
from imgconv.standard.elements import find_vr
from imgconv.standard.iods import find_iod

__all__ = ["Hints", "mend"]

_SOP_CLASS = 0x00080016
_REQUIRED = ("M001", "M002", "M004")  # a type 1 or 1C attribute is missing or empty
_UNMENDED = ("M001", "M002", "M004", "M005")
# What one attribute needs may depend on one that was just added.
_MAX_ROUNDS = 4
_STEP = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)(?:\[(\d+)\])?")


@record
class Hints:
    """What only the whole set of files tells about one of them.

    Parameters
    ----------
    digest
        SHA-256 of the file's content.
    is_clash
        Another file has the same SOP Instance UID and other content.
    is_series_clash
        The series has files in another study as well.
    is_stack
        The series has images at several places along their normal, so that
        they are cross sections and no localizers.
    odd
        Tags of what differs from most other files of the study or series.
    """

    digest: str = ""
    is_clash: bool = False
    is_series_clash: bool = False
    is_stack: bool = False
    odd: tuple[int, ...] = ()


def mend(tree: Tree, hints: Hints, *, charset: str = "", when: str = "") -> list[Change]:
    """Mend everything that can be mended without inventing a fact.

    Parameters
    ----------
    tree
        Changed in place.
    hints
        See `Hints`.
    charset
        The character set of text whose own declaration is missing or wrong.
    when
        Date and time (DT) for the history; empty: no history is kept.

    Returns
    -------
    list
        What was done, and what is wrong and was left.

    Raises
    ------
    CorruptData
        The file is truncated, or its pixel data are too short.
    """
    changes = mend_structure(tree)
    changes += derive_class(tree)
    changes += mend_acr_nema(tree)
    changes += mend_missing_uids(tree, hints.digest)
    changes += mend_uids(tree)
    changes += mend_classes(tree)
    changes += [
        skipped(
            "inconsistent",
            tree.dataset.path_to(tag),
            "not as in most files of the study or series",
            "which value is right is not known",
            "PS3.3 A.1.2",
        )
        for tag in hints.odd
    ]
    if hints.is_clash:
        changes.append(replace_instance_uid(tree, hints.digest))
    if hints.is_series_clash:
        changes.append(replace_series_uid(tree))
    changes += mend_charset(tree, charset)
    plan = _find_plan(tree)
    changes += mend_values(tree, _list_needed(plan, kinds=("1",)))
    changes += mend_hollow(tree)
    changes += mend_functional_groups(tree)
    changes += mend_directions(tree)
    changes += mend_pixels(tree)
    changes += mend_codestreams(tree)
    if plan is not None:
        changes += derive_attributes(tree, plan, is_stack=hints.is_stack)
        changes += _apply_types(tree, plan)
        if any(change.name == "enumerated-value" and change.is_done for change in changes):
            # What was emptied may not even be there: Laterality of what is no pair.
            changes += derive_attributes(tree, plan, is_stack=hints.is_stack)
    if when:
        keep_originals(tree, changes, when)
    return changes


def _find_plan(tree: Tree) -> Plan | None:
    iod = find_iod(tree.dataset.text(_SOP_CLASS))
    return None if iod is None else find_plan(iod)


@cache
def _list_needed(plan: Plan | None, *, kinds: tuple[str, ...] = ("1", "1C")) -> frozenset[int]:
    """List the data set's attributes of these types in the modules that it must have."""
    if plan is None:
        return frozenset()
    mandatory = {n for n, module in enumerate(plan.modules) if module.usage == "M"}
    return frozenset(
        attribute.tag
        for attribute in plan.root.required
        if any(row.kind in kinds and row.module in mandatory for row in attribute.rows)
    )


def _apply_types(tree: Tree, plan: Plan) -> list[Change]:
    """Do what the types of the IOD's attributes demand, as far as nothing is invented."""
    changes: list[Change] = []
    needed = _list_needed(plan)
    for _ in range(_MAX_ROUNDS):
        hits = list(check_modules(Instance(tree)))
        done = [c for hit in hits if (c := _apply(tree, hit, needed)) is not None]
        if not done:
            hits = [*hits, *check_codes(Instance(tree))]
            done = set_aside_optional_items(tree, plan, hits)
        if not done:
            break
        changes += done
    changes += [
        skipped("missing-value", hit.tag, "missing or empty", hit.message, "PS3.5 7.4")
        for hit in hits
        if hit.rule in _UNMENDED
    ]
    return changes


def _apply(tree: Tree, hit: Hit, needed: frozenset[int]) -> Change | None:
    place = _resolve(tree.dataset, hit.tag)
    if place is None:
        return None
    item, tag = place
    if hit.rule in _REQUIRED:
        filled = fill_required(tree, item, tag)
        is_idle = hit.rule == "M002" and item.parent is None and tag not in needed
        return _drop_idle(item, tag) if filled is None and is_idle else filled
    mender = _MENDERS.get(hit.rule)
    if mender is None:
        return None
    if mender is _set_aside and (item.parent is not None or tag in needed):
        return None
    return mender(item, tag, hit)


def _add_empty(item: Item, tag: int, hit: Hit) -> Change | None:
    if tag in item.elements:
        return None
    vr = (find_vr(tag) or "UN").split(" or ")[0]
    change = ensure(item, tag, vr, b"", name="missing", reason=hit.message, source="PS3.5 7.4.3")
    if vr == "SQ":
        item.elements[tag].items = []
    return change


def _drop_empty(item: Item, tag: int, hit: Hit) -> Change | None:
    element = item.get(tag)
    if element is None or "condition holds" in hit.message:
        return None
    reason, source = "type 1C: absent where there is no value", "PS3.5 7.4.2"
    return remove(element, name="empty", before="empty", reason=reason, source=source)


def _drop_idle(item: Item, tag: int) -> Change | None:
    """Take out an empty attribute that is required only by a module that it alone would need."""
    element = item.get(tag)
    if element is None or not element.is_empty:
        return None
    reason, source = "no module that the object must have asks for it", "PS3.5 7.4.1"
    return remove(element, name="empty", before="empty", reason=reason, source=source)


def _drop_forbidden(item: Item, tag: int, hit: Hit) -> Change | None:
    element = item.get(tag)
    if element is None:
        return None
    return remove(
        element,
        name="not-applicable",
        before="present",
        reason=hit.message,
        source="PS3.5 7.4",
        keep=not element.is_empty,
    )


def _set_aside(item: Item, tag: int, hit: Hit) -> Change | None:
    """Empty an attribute that may be empty and whose value is none of the enumerated ones."""
    element = item.get(tag)
    if element is None or element.is_empty or hit.severity == "warning" or element.vr != "CS":
        return None
    return replace_value(
        element,
        b"",
        name="enumerated-value",
        before="none of the enumerated values",
        after="empty, the value is in Original Attributes Sequence",
        reason=hit.message,
        source="PS3.3 5.2",
        keep=True,
    )


_Mender = Callable[[Item, int, Hit], Change | None]
_MENDERS: dict[str, _Mender] = {
    "M003": _add_empty,
    "M005": _drop_empty,
    "M006": _add_empty,
    "M007": _drop_forbidden,
    "M008": _set_aside,
}


def _resolve(root: Item, path: str) -> tuple[Item, int] | None:
    """Return the item and the tag that a tag path names."""
    item = root
    steps = _STEP.findall(path)
    for group, number, index in steps[:-1]:
        items = item.items_of(int(group + number, 16))
        if not index or int(index) >= len(items):
            return None
        item = items[int(index)]
    return (item, int(steps[-1][0] + steps[-1][1], 16)) if steps else None
