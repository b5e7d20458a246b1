"""Family M: what single attributes of an IOD must say that no table can tell.

Source
------
PS3.3 C.7.6.17 (multi-frame dimension), C.8.2.1.1.1 and C.8.16.1 (image and frame type)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.plan import find_plan
from imgconv.standard.iods import find_iod

__all__ = ["check_dimensions", "check_image_type"]

_CT = "1.2.840.10008.5.1.4.1.1.2"
_IMAGE_TYPE = 0x00080008
_INDEXES, _INDEX_POINTER, _GROUP_POINTER = 0x00209222, 0x00209165, 0x00209167
_SHARED, _PER_FRAME, _FRAME_CONTENT = 0x52009229, 0x52009230, 0x00209111
_INDEX_VALUES, _IN_STACK = 0x00209157, 0x00209057
_ORGANIZATIONS, _ORGANIZATION = 0x00209221, 0x00209164
_FRAME_TYPE = 0x00089007
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_SEGMENTATIONS = frozenset({_STORAGE + "66.4", _STORAGE + "66.7"})
_SLIDE = _STORAGE + "77.1.6"
_FLAVOURS = frozenset({"LABEL", "LOCALIZER", "OVERVIEW", "THUMBNAIL", "VOLUME"})
# Enhanced and legacy converted CT, MR and PET, MR spectroscopy, parametric map, tomosynthesis and
# 3D X-ray: four values (PS3.3 C.8.16.1).
_FOUR_VALUES = frozenset(
    _STORAGE + n
    for n in (
        *("2.1", "2.2", "4.1", "4.2", "4.3", "4.4", "128.1", "130", "30"),
        *("13.1.1", "13.1.2", "13.1.3"),
    )
)
# SOP classes whose third value says what kind of image it is (PS3.3 C.8.3.1.1.1, C.8.7.1.1.1,
# C.8.8.2.1): MR, XA, XRF, RT Image.
_THREE_VALUES = frozenset(_STORAGE + n for n in ("4", "12.1", "12.2", "481.1"))
_ORIGINS = frozenset({"ORIGINAL", "DERIVED", "MIXED"})


def check_dimensions(instance: Instance) -> Iterator[Hit]:
    """Check dimension pointers, and the indexes of each frame (M015)."""
    dataset = instance.dataset
    indexes = dataset.items_of(_INDEXES)
    if _INDEXES not in dataset.elements:
        return
    yield from _check_pointers(instance, indexes)
    organizations = {item.text(_ORGANIZATION) for item in dataset.items_of(_ORGANIZATIONS)}
    for item in indexes:
        if organizations and item.text(_ORGANIZATION) not in {"", *organizations}:
            message = "DimensionOrganizationUID names nothing in DimensionOrganizationSequence"
            yield Hit("M015", message, item.path_to(_ORGANIZATION))
    pointers = [item.get(_INDEX_POINTER) for item in indexes]
    in_stack = next(
        (
            n
            for n, found in enumerate(pointers)
            if found is not None and found.values() == [_IN_STACK]
        ),
        None,
    )
    for group in (*dataset.items_of(_SHARED), *dataset.items_of(_PER_FRAME)):
        for content in group.items_of(_FRAME_CONTENT):
            element = content.get(_INDEX_VALUES)
            if element is None:
                continue
            values = element.values()
            if len(values) != len(indexes):
                message = "DimensionIndexValues has not one value per dimension"
                yield Hit("M015", message, element.path)
            elif any(value == 0 for value in values):
                message = "DimensionIndexValues has a 0; indexes count from 1"
                yield Hit("M015", message, element.path)
            elif in_stack is not None and content.integer(_IN_STACK) not in (
                None,
                values[in_stack],
            ):
                message = "DimensionIndexValues differs from InStackPositionNumber"
                yield Hit("M015", message, element.path)


def _check_pointers(instance: Instance, indexes: list[Item]) -> Iterator[Hit]:
    """Check that dimension indexes into functional groups name the group."""
    iod = find_iod(instance.sop_class)
    if iod is None:
        return
    root = find_plan(iod).root.attributes
    for item in indexes:
        pointers = item.get(_INDEX_POINTER)
        if pointers is None or _GROUP_POINTER in item.elements:
            continue
        if any(isinstance(tag, int) and tag not in root for tag in pointers.values()):
            message = "FunctionalGroupPointer (type 1C) is missing, and its condition holds"
            yield Hit("M015", message, item.path_to(_GROUP_POINTER))


def check_image_type(instance: Instance) -> Iterator[Hit]:
    """Check the number of values of Image Type and Frame Type, and what they begin with (M016)."""
    dataset = instance.dataset
    values = dataset.texts(_IMAGE_TYPE)
    if instance.sop_class == _CT and 0 < len(values) < 3:
        message = "value 3 of ImageType is missing; expected AXIAL or LOCALIZER"
        yield Hit("M016", message, "(0008,0008)")
    elif instance.sop_class == _CT and values and values[2] not in ("AXIAL", "LOCALIZER"):
        message = "value 3 of ImageType is not AXIAL or LOCALIZER"
        yield Hit("M016", message, "(0008,0008)", severity="warning")
    if instance.sop_class in _THREE_VALUES and 0 < len(values) < 3:
        yield Hit("M016", "value 3 of ImageType is missing", "(0008,0008)")
    if instance.sop_class == _SLIDE:
        yield from _check_slide(values)
    elif instance.sop_class in _SEGMENTATIONS and len(values) > 2:
        message = f"ImageType has {len(values)} values; expected 2"  # PS3.3 C.8.20.2
        yield Hit("M016", message, "(0008,0008)")
    if instance.sop_class not in _FOUR_VALUES and instance.sop_class != _SLIDE:
        return
    if values and len(values) != 4 and instance.sop_class != _SLIDE:
        message = f"ImageType has {len(values)} values; expected 4"
        yield Hit("M016", message, "(0008,0008)")
    elif values and values[0] not in _ORIGINS:
        message = "value 1 of ImageType is not ORIGINAL, DERIVED or MIXED"
        yield Hit("M016", message, "(0008,0008)")
    kinds: list[set[str]] = [set(), set(), set(), set()]
    for group in (*dataset.items_of(_SHARED), *dataset.items_of(_PER_FRAME)):
        for macro in group.elements.values():
            element = macro.items[0].get(_FRAME_TYPE) if macro.items else None
            if element is not None and not element.is_empty:
                yield from _check_frame_type(element)
                for kind, value in zip(kinds, element.values(), strict=False):
                    kind.add(str(value))
    yield from _compare_types(values, kinds)


def _compare_types(values: tuple[str, ...], kinds: list[set[str]]) -> Iterator[Hit]:
    """Check that Image Type says what all frames say, or MIXED (PS3.3 C.8.16.1)."""
    for number, (value, kind) in enumerate(zip(values, kinds, strict=False), 1):
        if kind and value != "MIXED" and kind != {value}:
            message = f"value {number} of ImageType is not that of FrameType in all frames"
            yield Hit("M016", message, "(0008,0008)", severity="warning")
            return


def _check_slide(values: tuple[str, ...]) -> Iterator[Hit]:
    """Check the four values of a whole slide image (PS3.3 C.8.12.4.1.1)."""
    if values and len(values) != 4:
        message = f"ImageType has {len(values)} values; expected 4"
        yield Hit("M016", message, "(0008,0008)")
    elif values and values[2] not in _FLAVOURS:
        message = f"value 3 of ImageType is not one of {', '.join(sorted(_FLAVOURS))}"
        yield Hit("M016", message, "(0008,0008)")


def _check_frame_type(element: Element) -> Iterator[Hit]:
    values = element.values()
    if len(values) != 4:
        message = f"FrameType has {len(values)} values; expected 4"
        yield Hit("M016", message, element.path)
    if values[0] not in ("ORIGINAL", "DERIVED"):
        message = "value 1 of FrameType is not ORIGINAL or DERIVED"
        yield Hit("M016", message, element.path)
