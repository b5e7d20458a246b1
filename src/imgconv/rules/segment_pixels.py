"""Family P: pixels of segmentations that stand for nothing (P016).

Source
------
PS3.3 C.8.20.2 (fractions, label maps), C.8.20.2.3 (pixel values of label maps)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.unused_bits import as_samples

__all__ = ["check_segment_pixels"]

_TYPE, _LARGEST = 0x00620001, 0x0062000E
_SEGMENTS, _SEGMENT = 0x00620002, 0x00620004
_ALLOCATED, _PADDING, _PIXELS = 0x00280100, 0x00280120, 0x7FE00010
_MOST_BYTES = 1 << 28


def check_segment_pixels(instance: Instance) -> Iterator[Hit]:
    """Check the pixel values of fractional segmentations and label maps (P016)."""
    dataset = instance.dataset
    kind = dataset.text(_TYPE)
    if kind not in ("FRACTIONAL", "LABELMAP") or instance.is_truncated:
        return
    allocated, largest = dataset.integer(_ALLOCATED), dataset.integer(_LARGEST)
    if kind == "FRACTIONAL" and largest is not None and allocated and largest >> allocated:
        message = "MaximumFractionalValue is more than the pixels can hold"
        yield Hit("P016", message, dataset.path_to(_LARGEST))
        return
    element = dataset.get(_PIXELS)
    if (
        element is None
        or element.fragments is not None
        or allocated not in (8, 16)
        or len(element.value) > _MOST_BYTES
    ):
        return
    if kind == "FRACTIONAL":
        if largest is not None and any(value > largest for value in _find_values(element, 8)):
            message = "pixels are above MaximumFractionalValue"
            yield Hit("P016", message, element.path, severity="warning")
        return
    described = _described(dataset)
    if any(value not in described for value in _find_values(element, allocated)):
        message = "pixels have values that are no number of a segment"
        yield Hit("P016", message, element.path, severity="warning")


def _described(dataset: Item) -> set[int | None]:
    """Return the values that mean something; 0 is the background, described or not."""
    numbers = {item.integer(_SEGMENT) for item in dataset.items_of(_SEGMENTS)}
    return {0, dataset.integer(_PADDING), *numbers}


def _find_values(element: Element, allocated: int) -> list[int]:
    import numpy as np

    samples = as_samples(element.value, allocated, big_endian=element.item.big_endian)
    counts = np.bincount(samples, minlength=1)
    return [int(value) for value in np.flatnonzero(counts)]
