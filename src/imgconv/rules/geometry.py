"""Family G, one file: orientation, spacing, thickness.

Source
------
PS3.3 C.7.6.2 (image plane), 10.7.1.3 (spacing), C.8.5.5 (ultrasound regions), C.7.6.16.2
(plane macros)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgconv.core.vectors import dot
from imgconv.dicom.elements import Element
from imgconv.rules.instance import Hit, Instance, name_tag

__all__ = ["ORIENTATION_TOLERANCE", "check_planes"]

_ORIENTATIONS = {0x00200037, 0x00480102}
# Spacing of a row or column (PS3.3 10.7.1.3), aspect ratio and spacing of a display (C.10.4), size
# of what a slide shows (C.8.12.4): they must be positive.
_SPACINGS = {
    *(0x00280030, 0x00181164, 0x00182010, 0x00220030, 0x00700101, 0x00700102),
    *(0x00480001, 0x00480002, 0x00480003),
}
_REFERENCE, _SLIDE_ORIGIN = 0x00201040, 0x00480008
# Direction cosines with respect to the patient (PS3.3 C.8.13.5).
_DIRECTIONS = {0x00189090, 0x00189105}
# Ultrasound: a region that has physical units has an extent in them (PS3.3 C.8.5.5.1.10).
_DELTAS = {0x0018602C: 0x00186024, 0x0018602E: 0x00186026}
_PATIENT_POSITION, _ORIENTATION_CODE = 0x00185100, 0x00540410
_THICKNESS, _GAP = 0x00180050, 0x00180088
# Six decimals are the least that writers use; 1e-3 is what printing and arithmetic may lose.
ORIENTATION_TOLERANCE = 1e-3
_SIGNED_GAP_CLASSES = ("1.2.840.10008.5.1.4.1.1.20",)  # NM: the sign gives the direction


def check_planes(instance: Instance) -> Iterator[Hit]:
    """Check orientations and spacings wherever they stand (G001, G002)."""
    for element in instance.elements:
        tag = element.tag
        if tag in _ORIENTATIONS:
            yield from _check_orientation(element)
        elif tag in _DIRECTIONS:
            yield from _check_direction(element)
        elif tag in _SPACINGS:
            values = element.item.numbers(tag)
            if any(value <= 0 for value in values) and not _is_single_line(element):
                yield Hit("G002", f"{name_tag(tag)} is not positive", element.path)
        elif tag in _DELTAS:
            if element.item.number(tag) == 0 and element.item.integer(_DELTAS[tag]):
                yield Hit("G002", f"{name_tag(tag)} is 0", element.path)
        elif tag in (_THICKNESS, _GAP):
            yield from _check_thickness(instance, element)
        elif tag == _REFERENCE and _SLIDE_ORIGIN in element.item.elements:
            # PS3.3 C.7.4.1.1.2: frames of reference of slides.
            if element.item.text(tag) != "SLIDE_CORNER":
                message = "PositionReferenceIndicator is not SLIDE_CORNER"
                yield Hit("M008", message, element.path)
        elif tag == _PATIENT_POSITION and element.item.items_of(_ORIENTATION_CODE):
            # PS3.3 C.7.3.1: the condition of the one excludes the other.
            message = "PatientPosition is present, and so is PatientOrientationCodeSequence"
            yield Hit("M007", message, element.path)


def _check_orientation(element: Element) -> Iterator[Hit]:
    values = element.item.numbers(element.tag)
    if len(values) != 6:
        return
    row, column = values[:3], values[3:]
    lengths = [math.sqrt(sum(v * v for v in vector)) for vector in (row, column)]
    if any(abs(length - 1) > ORIENTATION_TOLERANCE for length in lengths):
        message = f"{name_tag(element.tag)} has a vector that is not of unit length"
        yield Hit("G001", message, element.path)
    elif abs(dot(row, column)) > ORIENTATION_TOLERANCE:
        yield Hit(
            "G001", f"{name_tag(element.tag)} has vectors that are not orthogonal", element.path
        )


def _check_direction(element: Element) -> Iterator[Hit]:
    values = element.item.numbers(element.tag)
    if len(values) == 3 and abs(math.hypot(*values) - 1) > ORIENTATION_TOLERANCE:
        yield Hit("G001", f"{name_tag(element.tag)} is not of unit length", element.path)


def _is_single_line(element: Element) -> bool:
    item = element.item
    while item.parent is not None:
        item = item.parent
    return 1 in (item.integer(0x00280010), item.integer(0x00280011))


def _check_thickness(instance: Instance, element: Element) -> Iterator[Hit]:
    value = element.item.number(element.tag)
    if value is None or value > 0:
        return
    if element.tag == _GAP and instance.sop_class in _SIGNED_GAP_CLASSES:
        return
    if value < 0:
        yield Hit("G002", f"{name_tag(element.tag)} is negative", element.path)
    else:
        yield Hit("G002", f"{name_tag(element.tag)} is 0", element.path)
