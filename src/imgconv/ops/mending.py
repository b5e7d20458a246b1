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
from dataclasses import dataclass

from imgconv.dicom.elements import Item, Tree
from imgconv.dicom.repair.acr_nema import mend_acr_nema
from imgconv.dicom.repair.change import Change, ensure, remove, replace_value, skipped
from imgconv.dicom.repair.charset import mend_charset
from imgconv.dicom.repair.originals import keep_originals
from imgconv.dicom.repair.pixels import mend_pixels
from imgconv.dicom.repair.structure import mend_structure
from imgconv.dicom.repair.uids import (
    mend_missing_uids,
    mend_uids,
    replace_instance_uid,
    replace_series_uid,
    uid_for,
)
from imgconv.dicom.repair.values import mend_values
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.modules import check_modules
from imgconv.rules.plan import Plan, find_plan
from imgconv.standard.body_parts import needs_laterality
from imgconv.standard.elements import find_vr
from imgconv.standard.iods import find_iod
from imgconv.standard.modalities import find_modality

__all__ = ["Hints", "mend"]

_SOP_CLASS, _IMAGE_TYPE, _MODALITY = 0x00080016, 0x00080008, 0x00080060
_SERIES, _FRAME_OF_REFERENCE = 0x0020000E, 0x00200052
_BODY_PART, _LATERALITY = 0x00180015, 0x00200060
_FRAME_ANATOMY = 0x00209071
_WINDOW_CENTER, _WINDOW_WIDTH, _VOI_FUNCTION = 0x00281050, 0x00281051, 0x00281056
_PATIENT_ORIENTATION, _IMAGE_ORIENTATION = 0x00200020, 0x00200037
_OTHER_LATERALITIES = (0x00200062, 0x00209072, 0x00240113)
_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
# An attribute that must not stand beside another: (attribute, other, source).
_EXCLUSIVE = ((0x00185100, 0x00540410, "PS3.3 C.7.3.1.1.2"),)
_UNMENDED = ("M001", "M002", "M004", "M005")
# What one attribute needs may depend on one that was just added.
_MAX_ROUNDS = 4
_STEP = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)(?:\[(\d+)\])?")


@dataclass(frozen=True, slots=True)
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
    """

    digest: str = ""
    is_clash: bool = False
    is_series_clash: bool = False
    is_stack: bool = False


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
    changes += mend_acr_nema(tree)
    changes += mend_missing_uids(tree, hints.digest)
    changes += mend_uids(tree)
    if hints.is_clash:
        changes.append(replace_instance_uid(tree, hints.digest))
    if hints.is_series_clash:
        changes.append(replace_series_uid(tree))
    changes += mend_charset(tree, charset)
    plan = _find_plan(tree)
    changes += mend_values(tree, _list_needed(plan))
    changes += mend_pixels(tree)
    if plan is not None:
        changes += _derive_attributes(tree, plan, hints)
        changes += _apply_types(tree, plan)
    if when:
        keep_originals(tree, changes, when)
    return changes


def _find_plan(tree: Tree) -> Plan | None:
    iod = find_iod(tree.dataset.text(_SOP_CLASS))
    return None if iod is None else find_plan(iod)


def _list_needed(plan: Plan | None) -> frozenset[int]:
    """List the data set's attributes of type 1 or 1C in the modules that it must have."""
    if plan is None:
        return frozenset()
    mandatory = {n for n, module in enumerate(plan.modules) if module.usage == "M"}
    return frozenset(
        attribute.tag
        for attribute in plan.root.required
        if any(row.kind in ("1", "1C") and row.module in mandatory for row in attribute.rows)
    )


def _derive_attributes(tree: Tree, plan: Plan, hints: Hints) -> list[Change]:
    """Add what follows from other attributes with certainty."""
    root = tree.dataset
    changes = []
    modality = find_modality(root.text(_SOP_CLASS))
    if modality and not root.text(_MODALITY):
        reason = "the SOP class has only one modality"
        changes.append(_fill(root, _MODALITY, modality, reason, "PS3.3 C.7.3.1.1.1"))
    if _needs_frame_of_reference(plan) and not root.text(_FRAME_OF_REFERENCE):
        uid = uid_for("frame of reference", root.text(_SERIES))
        reason = "a series has one frame of reference; derived from its UID"
        changes.append(_fill(root, _FRAME_OF_REFERENCE, uid, reason, "PS3.3 A.1.4, C.7.4.1"))
    changes += _complete_image_type(root, hints)
    changes += _mend_laterality(root, plan)
    changes += _mend_patient_orientation(root, plan)
    return changes + _remove_excluded(root) + _remove_windows(root)


def _remove_windows(root: Item) -> list[Change]:
    """Take out windows that no display can apply: their width is below 1."""
    function = root.text(_VOI_FUNCTION)
    widths = root.numbers(_WINDOW_WIDTH)
    if not widths or (min(widths) > 0 and (min(widths) >= 1 or function not in ("", "LINEAR"))):
        return []
    reason = "the width of a window is at least 1"
    return [
        remove(
            root.elements[tag],
            name="window",
            before="window without width",
            reason=reason,
            source="PS3.3 C.11.2.1.2",
            keep=True,
        )
        for tag in (_WINDOW_CENTER, _WINDOW_WIDTH)
        if tag in root.elements
    ]


def _remove_excluded(root: Item) -> list[Change]:
    return [
        remove(
            root.elements[tag],
            name="not-applicable",
            before="present",
            reason=f"{root.path_to(other)} says it already",
            source=source,
            keep=True,
        )
        for tag, other, source in _EXCLUSIVE
        if tag in root.elements and other in root.elements
    ]


def _fill(root: Item, tag: int, value: str, reason: str, source: str) -> Change:
    vr = find_vr(tag) or "LO"
    return ensure(root, tag, vr, value.encode(), name="derived", reason=reason, source=source)


def _needs_frame_of_reference(plan: Plan) -> bool:
    return any(m.name == "frame-of-reference" and m.usage == "M" for m in plan.modules)


def _complete_image_type(root: Item, hints: Hints) -> list[Change]:
    element = root.get(_IMAGE_TYPE)
    values = root.texts(_IMAGE_TYPE)
    if element is None or root.text(_SOP_CLASS) != _CT_IMAGE or len(values) != 2:
        return []
    reason = "CT images say whether they are axial or localizers"
    if not hints.is_stack:
        path = element.path
        return [skipped("image-type", path, "without value 3", reason, "PS3.3 C.8.2.1.1.1")]
    return [
        replace_value(
            element,
            "\\".join((*values, "AXIAL")).encode(),
            name="image-type",
            before="without value 3",
            after="AXIAL: the series is a stack of cross sections",
            reason=reason,
            source="PS3.3 C.8.2.1.1.1",
        )
    ]


def _mend_laterality(root: Item, plan: Plan) -> list[Change]:
    """Make Laterality present, empty, unless the body part is known to be unpaired.

    Images with functional groups may say it per frame; label maps and slides do not need it.
    """
    if _LATERALITY not in plan.root.attributes:
        return []
    element, part = root.get(_LATERALITY), root.text(_BODY_PART)
    said = any(e.tag in _OTHER_LATERALITIES or e.tag == _FRAME_ANATOMY for e in root.walk())
    is_scan = not plan.groups or root.text(_MODALITY) in ("CT", "MR", "PT")
    needed = needs_laterality(part) and not said and is_scan
    source = "PS3.3 C.7.3.1"
    if needed and element is None:
        reason = "the body part may be one of a pair"
        return [ensure(root, _LATERALITY, "CS", b"", name="missing", reason=reason, source=source)]
    if not needed and element is not None and element.is_empty:
        reason = "the body part is not one of a pair, or its side is said elsewhere"
        return [
            remove(element, name="not-applicable", before="empty", reason=reason, source=source)
        ]
    return []


def _mend_patient_orientation(root: Item, plan: Plan) -> list[Change]:
    """Make Patient Orientation present, empty, where nothing else says the orientation."""
    says_plane = any(m.name == "image-plane" and m.usage == "M" for m in plan.modules)
    if (
        _PATIENT_ORIENTATION not in plan.root.attributes
        or _PATIENT_ORIENTATION in root.elements
        or _IMAGE_ORIENTATION in root.elements
        or says_plane
        or plan.groups
    ):
        return []
    reason = "the image has no Image Orientation (Patient)"
    return [
        ensure(
            root,
            _PATIENT_ORIENTATION,
            "CS",
            b"",
            name="missing",
            reason=reason,
            source="PS3.3 C.7.6.1",
        )
    ]


def _apply_types(tree: Tree, plan: Plan) -> list[Change]:
    """Do what the types of the IOD's attributes demand, as far as nothing is invented."""
    changes: list[Change] = []
    needed = _list_needed(plan)
    for _ in range(_MAX_ROUNDS):
        hits = list(check_modules(Instance(tree)))
        done = [c for hit in hits if (c := _apply(tree.dataset, hit, needed)) is not None]
        if not done:
            break
        changes += done
    changes += [
        skipped("missing-value", hit.tag, "missing or empty", hit.message, "PS3.5 7.4")
        for hit in hits
        if hit.rule in _UNMENDED
    ]
    return changes


def _apply(root: Item, hit: Hit, needed: frozenset[int]) -> Change | None:
    place = _resolve(root, hit.tag)
    mender = _MENDERS.get(hit.rule)
    if place is None or mender is None:
        return None
    item, tag = place
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
