"""Family P: look-up tables against their descriptors (P005).

Source
------
PS3.3 C.7.6.3.1.5 (palettes), C.11.1.1.1 (modality LUT), C.11.2.1.1 (VOI LUT)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit, Instance, name_tag

__all__ = ["check_luts"]

_PHOTOMETRIC = 0x00280004
_PALETTES = ((0x00281101, 0x00281201), (0x00281102, 0x00281202), (0x00281103, 0x00281203))
_PALETTE_DESCRIPTORS = frozenset(descriptor for descriptor, _data in _PALETTES)
_DESCRIPTOR, _DATA = 0x00283002, 0x00283006


def check_luts(instance: Instance) -> Iterator[Hit]:
    """Check palettes, and every modality, VOI and presentation LUT (P005)."""
    yield from _check_palettes(instance.dataset)
    for element in instance.elements:
        if element.tag == _DATA:
            yield from _check_lut(element.item)
        elif element.tag in _PALETTE_DESCRIPTORS:
            described = _read_descriptor(element.item, element.tag)
            if described is not None and described[1] not in (8, 16):
                message = f"{name_tag(element.tag)} gives {described[1]} bits; expected 8 or 16"
                yield Hit("P005", message, element.path)


def _read_descriptor(item: Item, tag: int) -> tuple[int, int] | None:
    """Return the number of entries and their bits, None if they are not described."""
    descriptor = item.get(tag)
    values = [int(value) for value in descriptor.values()] if descriptor is not None else []
    # PS3.3 C.7.6.3.1.5: 0 means 65536.
    return ((values[0] & 0xFFFF) or 65536, values[2]) if len(values) == 3 else None


def _check_lut(item: Item) -> Iterator[Hit]:
    described, data = _read_descriptor(item, _DESCRIPTOR), item.get(_DATA)
    if described is None or data is None or data.items is not None:
        return
    count, bits = described
    if not 8 <= bits <= 16:
        message = f"LUTDescriptor gives {bits} bits; expected 8 to 16"
        yield Hit("P005", message, item.path_to(_DESCRIPTOR))
    elif len(data.value) not in {count * 2, count + count % 2}:
        yield Hit("P005", "LUTData is not as long as its descriptor says", data.path)


def _check_palettes(dataset: Item) -> Iterator[Hit]:
    if dataset.text(_PHOTOMETRIC) != "PALETTE COLOR":
        return
    lengths = set()
    for descriptor_tag, data_tag in _PALETTES:
        described, data = _read_descriptor(dataset, descriptor_tag), dataset.get(data_tag)
        if described is None or data is None or data.items is not None:
            continue
        (count, bits), path = described, data.path
        lengths.add(count)
        if bits in (8, 16) and len(data.value) not in {
            count * bits // 8,
            count * 2,
            count + count % 2,
        }:
            message = f"{name_tag(data_tag)} is not as long as its descriptor says"
            yield Hit("P005", message, path)
    if len(lengths) > 1:
        yield Hit("P005", "the palettes have different numbers of entries", "(0028,1101)")
