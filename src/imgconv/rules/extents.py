"""Families G and P, one file: the planes of a dose grid, the regions of an ultrasound image.

Source
------
PS3.3 C.8.8.3.2 (grid frame offset vector), C.8.5.5.1.1 to C.8.5.5.1.4 (region location)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from imgconv.dicom.elements import Element, Item
from imgconv.rules.instance import Hit, Instance, name_tag

__all__ = ["check_grid", "check_regions"]

_OFFSETS, _POSITION = 0x3004000C, 0x00200032
_EVEN = 0.01  # relative: 1 % of the spacing is more than rounding
_ROUNDING = 0.01  # mm
_REGIONS, _ROWS, _COLUMNS = 0x00186011, 0x00280010, 0x00280011
# First and last pixel of a region, and what they must stay within.
_SIDES = ((0x00186018, 0x0018601C, _COLUMNS), (0x0018601A, 0x0018601E, _ROWS))


def check_grid(instance: Instance) -> Iterator[Hit]:
    """Check where the planes of a dose grid lie (G012)."""
    element = instance.dataset.get(_OFFSETS)
    offsets = instance.dataset.numbers(_OFFSETS)
    if element is None or len(offsets) < 2 or instance.is_truncated:
        return
    yield from _check_start(element, offsets[0])
    yield from _check_steps(element, offsets)


def _check_start(element: Element, first: float) -> Iterator[Hit]:
    """Check that offsets begin at 0, or at the third coordinate of the first plane."""
    position = element.item.numbers(_POSITION)
    starts = (0.0, *position[2:3])
    if position and all(abs(first - start) > _ROUNDING for start in starts):
        message = "GridFrameOffsetVector begins neither at 0 nor at the position of the first plane"
        yield Hit("G012", message, element.path)


def _check_steps(element: Element, offsets: Sequence[float]) -> Iterator[Hit]:
    steps = [after - before for before, after in pairwise(offsets)]
    if not (all(step > 0 for step in steps) or all(step < 0 for step in steps)):
        yield Hit("G012", "GridFrameOffsetVector does not go one way", element.path)
        return
    usual = sorted(steps)[len(steps) // 2]
    if any(abs(step - usual) > max(_EVEN * abs(usual), _ROUNDING) for step in steps):
        message = "the distances of GridFrameOffsetVector differ"
        yield Hit("G012", message, element.path, severity="warning")


def check_regions(instance: Instance) -> Iterator[Hit]:
    """Check that ultrasound regions lie within the image (P014)."""
    dataset = instance.dataset
    for region in dataset.items_of(_REGIONS):
        for first, last, size in _SIDES:
            yield from _check_side(region, first, last, dataset.integer(size))


def _check_side(region: Item, first: int, last: int, size: int | None) -> Iterator[Hit]:
    """Check one direction; the last pixel may be written as the size itself, as many do."""
    start, end = region.integer(first), region.integer(last)
    for tag, value in ((first, start), (last, end)):
        if size and value is not None and value > size:
            yield Hit("P014", f"{name_tag(tag)} is beyond the image", region.path_to(tag))
    if start is not None and end is not None and start > end:
        message = f"{name_tag(first)} is beyond {name_tag(last)}"
        yield Hit("P014", message, region.path_to(first))
