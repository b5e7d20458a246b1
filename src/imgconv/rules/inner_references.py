"""Family X, one file: numbers and UIDs that refer to another part of the same object (X014).

Source
------
PS3.3 C.8.20.2 and C.8.20.4 (segments), C.8.8.5 to C.8.8.8 (regions of interest),
C.8.8.10 to C.8.8.15 (plans), C.10.5 and C.10.7 (graphics, layers), C.8.12.5 (optical paths)
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
_LAYERS, _LAYER, _ANNOTATIONS = 0x00700060, 0x00700002, 0x00700001
_BEAMS, _BEAM = 0x300A00B0, 0x300A00C0
_DOSES, _FRACTIONS, _SETUPS = 0x300A0010, 0x300A0070, 0x300A0180
_CONTROL_POINTS, _CONTROL_POINT = (0x300A0111, 0x300A03A8), 0x300A0112
# Reference -> (sequence that defines what it names, the number there).
_DEFINITIONS = {
    0x0062000B: (_SEGMENTS, _SEGMENT),
    0x30060084: (_REGIONS, _REGION),
    0x30060024: (_FRAMES_OF_REFERENCE, _FRAME_OF_REFERENCE),
    _LAYER: (_LAYERS, _LAYER),
    0x00480106: (0x00480105, 0x00480106),  # optical paths
    0x300C0006: (_BEAMS, _BEAM),
    0x300C000C: (0x300A0230, 0x300A0234),  # application setups
    0x300C0051: (_DOSES, 0x300A0012),
    0x300C006A: (_SETUPS, 0x300A0182),
    0x300C00A0: (0x300A0040, 0x300A0042),  # tolerance tables
}
# Sequence -> the number that counts its items from 1: segments, groups of annotations.
_COUNTING = {_SEGMENTS: _SEGMENT, 0x006A0002: 0x0040A180}
# Sequence -> the number by which its items are told apart.
_NUMBERED = {
    _SEGMENTS: _SEGMENT, _REGIONS: _REGION, _BEAMS: _BEAM, _DOSES: 0x300A0012,
    _FRACTIONS: 0x300A0071, _SETUPS: 0x300A0182, 0x300A0230: 0x300A0234, 0x300A03A2: _BEAM,
    0x30060080: 0x30060082, 0x006A0002: 0x006A0003, _LAYERS: _LAYER, 0x00480105: 0x00480106,
}  # fmt: skip


def check_inner_references(instance: Instance) -> Iterator[Hit]:
    """Check references to segments, regions and frames of reference of the object (X014)."""
    dataset = instance.dataset
    if instance.is_truncated:
        return
    yield from _check_layers(dataset)
    roots = {sequence for sequence, _number in _DEFINITIONS.values()}
    present = roots.intersection(dataset.elements)
    if not present and _NUMBERED.keys().isdisjoint(dataset.elements):
        return
    yield from _check_numbers(dataset)
    if not present:
        return
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


def _check_layers(dataset: Item) -> Iterator[Hit]:
    """Check that graphics have layers to lie on (PS3.3 A.33.1.3: the module is conditional)."""
    if dataset.items_of(_ANNOTATIONS) and not dataset.items_of(_LAYERS):
        message = "there are graphics, and no GraphicLayerSequence"
        yield Hit("X014", message, dataset.path_to(_LAYERS))


def _check_control_points(dataset: Item) -> Iterator[Hit]:
    """Check that control points of a beam count from 0 by 1 (PS3.3 C.8.8.14)."""
    for beams in (_BEAMS, 0x300A03A2):
        for beam in dataset.items_of(beams):
            for sequence in _CONTROL_POINTS:
                for place, item in enumerate(beam.items_of(sequence)):
                    found = item.integer(_CONTROL_POINT)
                    if found is not None and found != place:
                        message = "ControlPointIndex does not count from 0 by 1"
                        yield Hit("X014", message, item.path_to(_CONTROL_POINT))
                        break


def _check_numbers(dataset: Item) -> Iterator[Hit]:
    """Check that numbers are unique, and count from 1 where they must."""
    yield from _check_control_points(dataset)
    for sequence, number in _NUMBERED.items():
        seen: set[str] = set()
        for item in dataset.items_of(sequence):
            value = item.text(number)
            if value and value in seen:
                message = f"{name_tag(number)} stands twice in {name_tag(sequence)}"
                yield Hit("X014", message, item.path_to(number))
            seen.add(value)
    if dataset.text(_TYPE) == "LABELMAP":  # numbers are pixel values
        return
    for sequence, number in _COUNTING.items():
        for place, item in enumerate(dataset.items_of(sequence), 1):
            element: Element | None = item.get(number)
            if element is not None and not element.is_empty and item.integer(number) != place:
                message = f"{name_tag(number)} does not count from 1 by 1"
                yield Hit("X014", message, element.path)
                break
