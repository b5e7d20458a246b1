"""What fills the functional groups of an enhanced object from the attributes of classic images.

A group takes the attributes that have the same tag in a classic image; the
table has those that go by another name, or in another form.

Source
------
PS3.3 C.7.6.16.2, C.8.13.5, C.8.15.3 (macros); C.8.2.1, C.8.3.1 (classic images)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from imgconv.dicom.elements import Element, Item
from imgconv.standard.elements import find_tag

__all__ = ["Field", "acquisition_date_time", "find_fields"]

# Makes the bytes of the target from an element, None if it holds no such value.
_Convert = Callable[[Element], bytes | None]


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a functional group, and the classic one that it comes from."""

    target: int
    source: int
    vr: str = ""
    convert: _Convert | None = None

    def make(self, root: Item, item: Item) -> Element | None:
        """Return the element for `item`, None if the image has no value for it."""
        element = root.get(self.source)
        if element is None or element.is_empty:
            return None
        if self.convert is None:
            return element
        value = self.convert(element)
        return None if value is None else Element(item, self.target, self.vr, value, self.vr)


def _to_double(element: Element) -> bytes | None:
    numbers = element.item.numbers(element.tag)
    return struct.pack("<d", numbers[0]) if len(numbers) == 1 else None


def _to_doubles(element: Element) -> bytes | None:
    numbers = element.item.numbers(element.tag)
    return struct.pack(f"<{len(numbers)}d", *numbers) if numbers else None


def _to_short(element: Element) -> bytes | None:
    number = element.item.integer(element.tag)
    is_one = len(element.values()) == 1
    return struct.pack("<H", number) if is_one and number in range(1 << 16) else None


def _to_column(element: Element) -> bytes | None:
    # C.8.3.1 has COL, C.8.13.5.3 COLUMN.
    return {"COL": b"COLUMN", "ROW": b"ROW"}.get(element.item.text(element.tag))


def _tag(keyword: str) -> int:
    return find_tag(keyword) or 0


# Group, its attribute, VR of it, classic attribute, conversion.
_RENAMED = tuple(
    (_tag(group), Field(_tag(target), _tag(source), vr, convert))
    for group, target, vr, source, convert in (
        ("FrameContentSequence", "FrameAcquisitionNumber", "US", "AcquisitionNumber", _to_short),
        ("MREchoSequence", "EffectiveEchoTime", "FD", "EchoTime", _to_double),
        ("MRModifierSequence", "InversionTimes", "FD", "InversionTime", _to_doubles),
        ("MRImagingModifierSequence", "TransmitterFrequency", "FD", "ImagingFrequency", _to_double),
        ("MRFOVGeometrySequence", "InPlanePhaseEncodingDirection", "CS",
         "InPlanePhaseEncodingDirection", _to_column),
        ("CTExposureSequence", "ExposureTimeInms", "FD", "ExposureTime", _to_double),
        ("CTExposureSequence", "XRayTubeCurrentInmA", "FD", "XRayTubeCurrent", _to_double),
        ("CTExposureSequence", "ExposureInmAs", "FD", "Exposure", _to_double),
    )
)  # fmt: skip


def find_fields(group: int, attributes: frozenset[int], present: frozenset[int]) -> list[Field]:
    """List what fills a functional group.

    Parameters
    ----------
    group
        Tag of its sequence.
    attributes
        Those of its items.
    present
        Tags that some image has.
    """
    renamed = [field for own, field in _RENAMED if own == group and field.source in present]
    # What goes by the group's own name is taken first; what must be converted is not copied.
    renamed = [f for f in renamed if f.target == f.source or f.target not in present]
    taken = {field.target for field in renamed}
    return [
        *(Field(tag, tag) for tag in sorted(attributes & present) if tag not in taken),
        *renamed,
    ]


_DATE, _TIME, _DATE_TIME = 0x00080022, 0x00080032, 0x0008002A


def acquisition_date_time(root: Item) -> str:
    """Return the date and time of the acquisition as DT; empty if one is not known."""
    day, time = root.text(_DATE), root.text(_TIME)
    return day + time if day and time else root.text(_DATE_TIME)
