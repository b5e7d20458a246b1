"""Families M and P: attributes that count others (M017), and values per frame (P006).

Source
------
PS3.3 C.7.6.6 and C.7.6.5 (multi-frame, cine), C.8.4.8 (NM vectors), C.8.8.3 (dose grid), C.8.8.6
(contours), C.8.8.13 and C.8.8.14 (fractions, beams), C.24.2 (encapsulated documents)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.rules.instance import Hit, Instance, name_tag

__all__ = ["check_counts", "check_vectors"]

_FRAMES, _POINTER = 0x00280008, 0x00280009
# Attribute -> the sequence whose items it counts, both in one item.
_COUNTED_ITEMS = {
    0x300A0080: 0x300C0004, 0x300A00A0: 0x300C000A, 0x300A00D0: 0x300A00D1,
    0x300A00E0: 0x300A00E3, 0x300A00ED: 0x300C00B0, 0x300A00F0: 0x300A00F4,
    0x300A0110: 0x300A0111, 0x00480302: 0x00480105,
}  # fmt: skip
# Number of points -> their coordinates, and how many a point has: contours, graphics.
_COUNTED_POINTS = {0x30060046: (0x30060050, 3), 0x00700021: (0x00700022, 2)}
_CONTOUR_TYPE = 0x30060042
_ANNOTATION_COUNT, _POINT_INDEXES = 0x006A000C, 0x00660040
_DOCUMENT_LENGTH, _DOCUMENT = 0x00420015, 0x00420011
# One value per frame.
_PER_FRAME_VECTORS = (
    *(0x00181065, 0x00182001, 0x00182002, 0x00182003, 0x00182004, 0x00182005, 0x00182006),
    *(0x00540010, 0x00540020, 0x00540030, 0x00540050, 0x00540060, 0x00540070, 0x00540080),
    *(0x00540090, 0x00540100, 0x3004000C),
)
# NM: vector -> how many there are of what it numbers from 1.
_NUMBERED = {
    0x00540010: 0x00540011, 0x00540020: 0x00540021, 0x00540030: 0x00540031,
    0x00540050: 0x00540051, 0x00540060: 0x00540061, 0x00540070: 0x00540071,
    0x00540080: 0x00540081, 0x00540100: 0x00540101,
}  # fmt: skip


def check_counts(instance: Instance) -> Iterator[Hit]:
    """Compare attributes that count with what is there (M017)."""
    if instance.is_truncated:
        return
    for element in instance.elements:
        tag, item = element.tag, element.item
        if tag in _COUNTED_ITEMS:
            yield from _check_items(element, _COUNTED_ITEMS[tag])
        elif tag in _COUNTED_POINTS:
            yield from _check_points(element)
        elif tag == _ANNOTATION_COUNT and _POINT_INDEXES in item.elements:
            count = len(item.elements[_POINT_INDEXES].value) // 4
            if item.integer(tag) != count:
                message = "NumberOfAnnotations is not the number of LongPrimitivePointIndexList"
                yield Hit("M017", message, element.path)
    yield from _check_document(instance.dataset)


def _check_items(element: Element, sequence: int) -> Iterator[Hit]:
    declared = element.item.integer(element.tag)
    found = element.item.get(sequence)
    count = len(found.items or ()) if found is not None else 0
    if declared is not None and declared != count and (found is not None or declared == 0):
        message = f"{name_tag(element.tag)} is not the number of items of {name_tag(sequence)}"
        yield Hit("M017", message, element.path)


def _check_points(element: Element) -> Iterator[Hit]:
    """Check a number of points against the coordinates beside it."""
    tag, item = element.tag, element.item
    coordinates, size = _COUNTED_POINTS[tag]
    points, data = item.integer(tag), item.get(coordinates)
    if points is None or data is None:
        return
    numbers = len(data.values())
    if numbers % size == 0 and numbers != points * size:
        message = f"{name_tag(tag)} is not the number of points in {name_tag(coordinates)}"
        yield Hit("M017", message, element.path)
    elif points > 1 and item.text(_CONTOUR_TYPE) == "POINT":
        yield Hit("M017", "a POINT has several points", element.path)


def _check_document(dataset: Item) -> Iterator[Hit]:
    length, document = dataset.integer(_DOCUMENT_LENGTH), dataset.get(_DOCUMENT)
    if length is None or document is None or document.items is not None:
        return
    if len(document.value) not in (length, length + length % 2):
        message = "EncapsulatedDocumentLength is not the length of the document"
        yield Hit("M017", message, dataset.path_to(_DOCUMENT_LENGTH))


def check_vectors(instance: Instance) -> Iterator[Hit]:
    """Check what has one value per frame, and what frames are ordered by (P006)."""
    dataset = instance.dataset
    frames = dataset.integer(_FRAMES)
    if frames is None or frames < 1 or instance.is_truncated:
        return
    pointer = dataset.get(_POINTER)
    for tag in pointer.values() if pointer is not None else ():
        if isinstance(tag, int) and tag and tag not in dataset.elements:
            message = f"FrameIncrementPointer names {name_tag(tag)}, which is missing"
            yield Hit("P006", message, dataset.path_to(tag))
    for tag in _PER_FRAME_VECTORS:
        element = dataset.elements.get(tag)
        if element is not None and not element.is_empty:
            yield from _check_vector(element, frames)


def _check_vector(element: Element, frames: int) -> Iterator[Hit]:
    values, tag = element.values(), element.tag
    if len(values) != frames:
        message = f"{name_tag(tag)} has not one value per frame"
        yield Hit("P006", message, element.path)
        return
    if tag not in _NUMBERED or not all(isinstance(value, int) for value in values):
        return
    count = element.item.integer(_NUMBERED[tag])
    if min(values) != 1:
        yield Hit("P006", f"{name_tag(tag)} does not count from 1", element.path)
    elif count is not None and max(values) != count:
        message = f"{name_tag(_NUMBERED[tag])} is not the highest value of {name_tag(tag)}"
        yield Hit("P006", message, element.item.path_to(_NUMBERED[tag]))
