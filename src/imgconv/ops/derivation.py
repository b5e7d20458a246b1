"""Attributes that follow from others: what they imply is added, what they exclude is taken out.

Source
------
PS3.3 C.7 (modules of all images), C.8 (modules of one modality); PS3.5 7.4
"""

from __future__ import annotations

from imgconv.dicom.elements import Item, Tree
from imgconv.dicom.put import put_code
from imgconv.dicom.repair.change import Change, ensure, remove, replace_value, skipped
from imgconv.dicom.repair.pixels import count_frames
from imgconv.dicom.repair.uids import uid_for
from imgconv.rules.plan import Plan
from imgconv.standard.anatomic_regions import find_region
from imgconv.standard.body_parts import needs_laterality
from imgconv.standard.elements import find_tag, find_vr
from imgconv.standard.modalities import find_modality
from imgconv.standard.prompted import MR_PROMPTED

__all__ = ["derive_attributes"]

_SOP_CLASS, _IMAGE_TYPE, _MODALITY = 0x00080016, 0x00080008, 0x00080060
_SERIES, _FRAME_OF_REFERENCE = 0x0020000E, 0x00200052
_BODY_PART, _LATERALITY = 0x00180015, 0x00200060
_PIXEL_DATA, _FRAMES, _INCREMENT = 0x7FE00010, 0x00280008, 0x00280009
_REGION, _IMAGE_POSITION = 0x00082218, 0x00200032
_FRAME_ANATOMY = 0x00209071
_WINDOW_CENTER, _WINDOW_WIDTH, _VOI_FUNCTION = 0x00281050, 0x00281051, 0x00281056
_VOI_LUT, _WINDOW_EXPLANATION = 0x00283010, 0x00281055
_PATIENT_ORIENTATION, _IMAGE_ORIENTATION = 0x00200020, 0x00200037
_IMAGE_LATERALITY = 0x00200062
_OTHER_LATERALITIES = (_IMAGE_LATERALITY, 0x00209072, 0x00240113)
_VELOCITY_DIRECTION = 0x00189090
_PROMPTED = tuple(
    (find_tag(keyword) or 0, find_tag(prompt) or 0, values)
    for keyword, prompt, values in MR_PROMPTED
)
_CT_IMAGE, _MR_IMAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
_COMPONENT = 0x00089208
_THIRD_VALUES = {_CT_IMAGE: "PS3.3 C.8.2.1.1.1", _MR_IMAGE: "PS3.3 C.8.3.1.1.1"}
# Gantries tilt by 30 degrees at most: the cosine is 0.87; that of a localizer is 0.
_TRANSVERSE = 0.5
# An attribute that must not stand beside another: (attribute, other, source).
_EXCLUSIVE = ((0x00185100, 0x00540410, "PS3.3 C.7.3.1.1.2"),)


def derive_attributes(tree: Tree, plan: Plan, *, is_stack: bool) -> list[Change]:
    """Add what follows from other attributes with certainty, take out what they exclude.

    Parameters
    ----------
    is_stack
        The series has images at several places along their normal.
    """
    root = tree.dataset
    changes = []
    modality = find_modality(root.text(_SOP_CLASS))
    if modality and not root.text(_MODALITY):
        reason = "the SOP class has only one modality"
        changes.append(_fill(root, _MODALITY, modality, reason, "PS3.3 C.7.3.1.1.1"))
    if _needs_frame_of_reference(root, plan) and not root.text(_FRAME_OF_REFERENCE):
        uid = uid_for("frame of reference", root.text(_SERIES))
        reason = "a series has one frame of reference; derived from its UID"
        changes.append(_fill(root, _FRAME_OF_REFERENCE, uid, reason, "PS3.3 A.1.4, C.7.4.1"))
    changes += _remove_empty_modality(root, plan)
    changes += [*_count_frames(root, plan), *_remove_lone_count(root, plan)]
    changes += _complete_image_type(root, is_stack=is_stack)
    changes += _mend_laterality(root, plan)
    changes += _mend_patient_orientation(root, plan)
    return [
        *changes,
        *_fill_region(root),
        *_remove_excluded(root),
        *_remove_windows(root),
        *_remove_zero_directions(root),
        *_remove_unprompted(root),
        *_remove_empty_sequences(root, plan),
    ]


def _remove_zero_directions(root: Item) -> list[Change]:
    """Take out velocity encoding directions of length 0: they say that there is none."""
    idle = [
        element
        for element in root.walk()
        if element.tag == _VELOCITY_DIRECTION and not any(element.item.numbers(element.tag))
    ]
    return [
        remove(
            element,
            name="zero-direction",
            before="vector of length 0",
            reason="a direction has unit length",
            source="PS3.3 C.8.13.5.12",
        )
        for element in idle
        if not element.is_empty
    ]


def _remove_unprompted(root: Item) -> list[Change]:
    """Take out what a classic MR image has only with certain scanning sequences or options."""
    if root.text(_SOP_CLASS) != _MR_IMAGE:
        return []
    return [
        remove(
            root.elements[tag],
            name="not-applicable",
            before="present",
            reason=f"only {', '.join(sorted(values))} in {root.path_to(prompt)} has it",
            source="PS3.3 C.8.3.1; PS3.5 7.4.4",
            keep=True,
        )
        for tag, prompt, values in _PROMPTED
        if tag in root.elements and prompt in root.elements and not values & set(root.texts(prompt))
    ]


def _remove_empty_sequences(root: Item, plan: Plan) -> list[Change]:
    """Take out optional sequences without items: where they stand they have one or more."""
    idle = [
        element
        for tag, element in root.elements.items()
        if element.items == []
        and (known := plan.root.attributes.get(tag)) is not None
        and all(row.kind == "3" for row in known.rows)
    ]
    return [
        remove(
            element,
            name="empty",
            before="sequence without items",
            reason="optional, and it holds nothing",
            source="PS3.5 7.4.5",
        )
        for element in idle
    ]


def _remove_windows(root: Item) -> list[Change]:
    """Take out windows that no display can apply: half ones, or those of a width below 1."""
    function = root.text(_VOI_FUNCTION)
    widths = root.numbers(_WINDOW_WIDTH)
    alone = root.get(_VOI_FUNCTION)
    if alone is not None and not widths and not root.items_of(_VOI_LUT):
        reason, source = "no window, no table: it has nothing to apply", "PS3.3 C.11.2.1.3"
        name, keep = "not-applicable", not alone.is_empty
        return [remove(alone, name=name, before="present", reason=reason, source=source, keep=keep)]
    centers = root.numbers(_WINDOW_CENTER)
    is_half = (not widths and bool(centers)) or (bool(widths) and not centers)
    if not (widths or centers):
        return []
    if not is_half and (min(widths) > 0 and (min(widths) >= 1 or function not in ("", "LINEAR"))):
        return []
    reason = "a window has a centre and a width" if is_half else "its width is at least 1"
    return [
        remove(
            root.elements[tag],
            name="window",
            before="half a window" if is_half else "window without width",
            reason=reason,
            source="PS3.3 C.11.2.1.2",
            keep=True,
        )
        for tag in (_WINDOW_CENTER, _WINDOW_WIDTH, _WINDOW_EXPLANATION)
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


def _remove_empty_modality(root: Item, plan: Plan) -> list[Change]:
    """Take out a Modality without a value where it may be absent: of secondary captures."""
    element, known = root.get(_MODALITY), plan.root.attributes.get(_MODALITY)
    if element is None or not element.is_empty or known is None:
        return []
    if any(row.kind != "3" for row in known.rows):
        return []
    reason, source = "absent where it is not known", "PS3.3 C.8.6.1"
    return [remove(element, name="empty", before="empty", reason=reason, source=source)]


def _needs_frame_of_reference(root: Item, plan: Plan) -> bool:
    """Whether the IOD demands one, or allows one and the image has a position in it."""
    usages = {module.usage for module in plan.modules if module.name == "frame-of-reference"}
    return "M" in usages or (bool(usages) and bool(root.numbers(_IMAGE_POSITION)))


def _count_frames(root: Item, plan: Plan) -> list[Change]:
    """Say how many frames the pixel data have, where the IOD asks for it."""
    pixels, attribute = root.get(_PIXEL_DATA), plan.root.attributes.get(_FRAMES)
    if pixels is None or attribute is None or root.text(_FRAMES):
        return []
    count = count_frames(root, pixels)
    if not count or not any(row.kind == "1" for row in attribute.rows):
        return []
    reason = "the pixel data are as long as these frames"
    return [_fill(root, _FRAMES, str(count), reason, "PS3.3 C.7.6.6; PS3.5 8.1.1")]


def _remove_lone_count(root: Item, plan: Plan) -> list[Change]:
    """Take out a count of one frame, where with it the frames would need an increment."""
    frames, pointer = plan.root.attributes.get(_FRAMES), plan.root.attributes.get(_INCREMENT)
    if (
        root.integer(_FRAMES) != 1
        or _INCREMENT in root.elements
        or pointer is None
        or not any(row.kind == "1C" for row in pointer.rows)
        or (frames is not None and any(row.kind == "1" for row in frames.rows))
    ):
        return []
    return [
        remove(
            root.elements[_FRAMES],
            name="not-applicable",
            before="a count of one frame",
            reason="one frame has no increment, which the count would ask for",
            source="PS3.3 C.7.6.6, C.8.5.6",
        )
    ]


def _fill_region(root: Item) -> list[Change]:
    """Say in a code what Body Part Examined says, where the code is asked for and empty."""
    region, known = root.get(_REGION), find_region(root.text(_BODY_PART))
    if region is None or region.items != [] or known is None:
        return []
    put_code(root, _REGION, *known)
    reason = "Body Part Examined says it"
    path = root.path_to(_REGION)
    return [Change("derived", path, "empty", "filled", reason, "PS3.16 Annex L")]


def _complete_image_type(root: Item, *, is_stack: bool) -> list[Change]:
    """Give CT and MR images of two values the third, where it is certain."""
    element, values = root.get(_IMAGE_TYPE), root.texts(_IMAGE_TYPE)
    source = _THIRD_VALUES.get(root.text(_SOP_CLASS))
    if element is None or source is None or len(values) != 2:  # a third one is asked for
        return []
    if root.text(_SOP_CLASS) == _CT_IMAGE:
        third = "AXIAL" if is_stack or _is_transverse(root) else ""
        reason = "CT images say whether they are cross sections or localizers"
    else:
        plain = root.text(_COMPONENT) in ("", "MAGNITUDE")
        third = "OTHER" if values == ("ORIGINAL", "PRIMARY") and plain else ""
        reason = "MR images say what was made of the signal; as acquired, nothing"
    if not third:
        return [skipped("image-type", element.path, "without value 3", reason, source)]
    return [
        replace_value(
            element,
            "\\".join((*values, third)).encode(),
            name="image-type",
            before="without value 3",
            after=third,
            reason=reason,
            source=source,
        )
    ]


def _is_transverse(root: Item) -> bool:
    """Whether a plane cuts the body's long axis; localizers are projections along it."""
    cosines = root.numbers(_IMAGE_ORIENTATION)
    if len(cosines) != 6:  # of the row, then of the column
        return False
    # The third component of the normal.
    return abs(cosines[0] * cosines[4] - cosines[1] * cosines[3]) > _TRANSVERSE


def _mend_laterality(root: Item, plan: Plan) -> list[Change]:
    """Make Laterality present, empty, unless the body part is known to be unpaired.

    Images with functional groups may say it per frame; label maps and slides do not need it.
    """
    if _LATERALITY not in plan.root.attributes:
        return []
    element, part = root.get(_LATERALITY), root.text(_BODY_PART)
    groups = [*root.items_of(0x52009229), *root.items_of(0x52009230)]
    said = any(tag in root.elements for tag in _OTHER_LATERALITIES) or any(
        _FRAME_ANATOMY in group.elements for group in groups
    )
    needed = needs_laterality(part) and not said and _shows_body_part(root, plan)
    source = "PS3.3 C.7.3.1"
    if needed and element is None:
        reason = "the body part may be one of a pair"
        return [ensure(root, _LATERALITY, "CS", b"", name="missing", reason=reason, source=source)]
    if needed or element is None:
        return []
    if element.is_empty or root.text(_LATERALITY) == root.text(_IMAGE_LATERALITY):
        reason = "the body part is not one of a pair, or its side is said elsewhere"
        before = "empty" if element.is_empty else "the same as in Image Laterality"
        return [remove(element, name="not-applicable", before=before, reason=reason, source=source)]
    return []


def _shows_body_part(root: Item, plan: Plan) -> bool:
    """Whether the object is an image whose side could matter; waveforms and states are none."""
    if plan.groups:
        return plan.iod == "parametric-map" or root.text(_MODALITY) in ("CT", "MR", "PT")
    return any(module.name.endswith("image-pixel") for module in plan.modules)


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
