"""Family X, one file: numbers and UIDs that refer to another part of the same object (X014).

Source
------
PS3.3 C.8.20.2 and C.8.20.4 (segments), C.8.8.5 to C.8.8.8 (regions of interest)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.rules.instance import Hit, Instance, name_tag

__all__ = ["check_inner_references"]

_SEGMENTS, _SEGMENT = 0x00620002, 0x00620004
_TYPE = 0x00620001
_REGIONS, _REGION = 0x30060020, 0x30060022
_FRAMES_OF_REFERENCE, _FRAME_OF_REFERENCE = 0x30060010, 0x00200052
# Reference -> (sequence that defines what it names, the number there).
_DEFINITIONS = {
    0x0062000B: (_SEGMENTS, _SEGMENT),
    0x30060084: (_REGIONS, _REGION),
    0x30060024: (_FRAMES_OF_REFERENCE, _FRAME_OF_REFERENCE),
}


def check_inner_references(instance: Instance) -> Iterator[Hit]:
    """Check references to segments, regions and frames of reference of the object (X014)."""
    dataset = instance.dataset
    roots = {sequence for sequence, _number in _DEFINITIONS.values()}
    present = roots.intersection(dataset.elements)
    if not present or instance.is_truncated:
        return
    yield from _check_numbers(dataset)
    defined: dict[int, set[str]] = {}
    for element in instance.elements:
        definition = _DEFINITIONS.get(element.tag)
        if definition is None or definition[0] not in present:
            continue
        if element.tag not in defined:
            defined[element.tag] = _find_defined(dataset, *definition)
        if any(str(value) not in defined[element.tag] for value in element.values()):
            message = f"{name_tag(element.tag)} names nothing in {name_tag(definition[0])}"
            yield Hit("X014", message, element.path)


def _find_defined(dataset: Item, sequence: int, number: int) -> set[str]:
    found = {item.text(number) for item in dataset.items_of(sequence)}
    if number == _FRAME_OF_REFERENCE:
        found.add(dataset.text(number))
    return found


def _check_numbers(dataset: Item) -> Iterator[Hit]:
    """Check that numbers are unique, and count from 1 where they must."""
    for sequence, number in ((_SEGMENTS, _SEGMENT), (_REGIONS, _REGION)):
        seen: set[str] = set()
        for item in dataset.items_of(sequence):
            value = item.text(number)
            if value and value in seen:
                message = f"{name_tag(number)} stands twice in {name_tag(sequence)}"
                yield Hit("X014", message, item.path_to(number))
            seen.add(value)
    if dataset.text(_TYPE) == "LABELMAP":  # numbers are pixel values
        return
    for place, item in enumerate(dataset.items_of(_SEGMENTS), 1):
        element: Element | None = item.get(_SEGMENT)
        if element is not None and not element.is_empty and item.integer(_SEGMENT) != place:
            message = "SegmentNumber does not count from 1 by 1"
            yield Hit("X014", message, element.path)
            return
