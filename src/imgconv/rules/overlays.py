"""Family P: overlay planes (P012).

Source
------
PS3.3 C.9.2 (overlay plane); PS3.5 8.1.2 (planes in unused bits, retired)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit

__all__ = ["check_overlays"]

_ACTIVATION_LAYER = 0x1001
_SIZES = (0x0010, 0x0011)


def check_overlays(dataset: Item) -> Iterator[Hit]:
    """Check that overlay planes are complete (PS3.3 C.9.2)."""
    groups = {tag >> 16 for tag in dataset.elements if tag >> 24 == 0x60 and not tag >> 16 & 1}
    for group in sorted(groups):
        if len([tag for tag in dataset.elements if tag >> 16 == group]) == 1 and (
            group << 16 | _ACTIVATION_LAYER in dataset.elements
        ):
            continue  # a presentation state shows the plane of an image (PS3.3 C.11.7)
        for number in (0x0010, 0x0011, 0x0040, 0x0050, 0x0100, 0x0102):
            element = dataset.get(group << 16 | number)
            if element is None or element.is_empty:
                message = "an attribute of the overlay plane is missing or empty (type 1)"
                yield Hit("P012", message, dataset.path_to(group << 16 | number))
        yield from _check_overlay_plane(dataset, group)
        yield from _check_overlay_data(dataset, group)


def _check_overlay_plane(dataset: Item, group: int) -> Iterator[Hit]:
    for number in (0x0010, 0x0011, 0x0040, 0x0100, 0x0102):
        single = dataset.get(group << 16 | number)
        values = single.values() if single is not None else []
        if single is not None and len(values) > 1:
            yield Hit("P012", "an attribute of the overlay plane has several values", single.path)
        elif single is not None and number in _SIZES and values[:1] == [0]:
            yield Hit("P012", "the overlay plane has no rows or columns", single.path)
    kind = dataset.get(group << 16 | 0x0040)
    if kind is not None and not kind.is_empty and kind.values()[0] not in ("G", "R"):
        yield Hit("P012", "OverlayType is neither G nor R", kind.path)
    origin = dataset.get(group << 16 | 0x0050)
    if origin is not None and not origin.is_empty and len(origin.values()) != 2:
        yield Hit("P012", "OverlayOrigin has not two values", origin.path)
    # Planes in unused bits of the pixels are retired (PS3.5 8.1.2): they have no data of their own.
    data = dataset.get(group << 16 | 0x3000)
    allocated, position = (dataset.get(group << 16 | number) for number in (0x0100, 0x0102))
    own = data is not None and not data.is_empty
    if data is not None and data.is_empty:
        yield Hit("P012", "the overlay plane has no data", data.path)
    elif own and allocated is not None and allocated.values()[:1] not in ([], [1]):
        yield Hit("P012", "OverlayBitsAllocated is not 1", allocated.path)
    elif allocated is not None and allocated.values()[:1] == [1]:
        if not own:
            message = "the overlay plane has no data"
            yield Hit("P012", message, dataset.path_to(group << 16 | 0x3000))
        if position is not None and position.values()[:1] not in ([], [0]):
            yield Hit("P012", "OverlayBitPosition is not 0", position.path)


def _check_overlay_data(dataset: Item, group: int) -> Iterator[Hit]:
    data = dataset.get(group << 16 | 0x3000)
    rows, columns = (dataset.integer(group << 16 | number) for number in (0x0010, 0x0011))
    if data is None or data.items is not None or not rows or not columns:
        return
    frames = dataset.integer(group << 16 | 0x0015) or 1
    if len(data.value) < (rows * columns * frames + 7) // 8:
        yield Hit("P012", "the overlay data is shorter than rows and columns say", data.path)
