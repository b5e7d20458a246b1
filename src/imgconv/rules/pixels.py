"""Family P: pixel data, and the attributes that describe them.

Source
------
PS3.3 C.7.6.3 (image pixel), C.11.1 and C.11.2 (modality and VOI LUT), C.7.6.16
(functional groups); PS3.5 8.1 and 8.2, annex A.4 (encapsulation)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imgconv.dicom.elements import Element, Item
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["check_display", "check_pixels"]

_SAMPLES, _PHOTOMETRIC, _PLANAR = 0x00280002, 0x00280004, 0x00280006
_FRAMES, _ROWS, _COLUMNS = 0x00280008, 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH, _SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_PIXELS = {0x7FE00010: 0, 0x7FE00008: 32, 0x7FE00009: 64}
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_PIXEL_PATH = "(7FE0,0010)"

# PS3.3 C.7.6.3.1.2: photometric interpretation -> samples per pixel.
_SAMPLES_OF = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1,
    "RGB": 3, "YBR_FULL": 3, "YBR_FULL_422": 3, "YBR_PARTIAL_422": 3, "YBR_PARTIAL_420": 3,
    "YBR_ICT": 3, "YBR_RCT": 3, "HSV": 3, "XYB": 3, "ARGB": 4, "CMYK": 4,
}  # fmt: skip
_SUBSAMPLED = {"YBR_FULL_422": 2.0, "YBR_PARTIAL_422": 2.0, "YBR_PARTIAL_420": 1.5}
_PALETTES = ((0x00281101, 0x00281201), (0x00281102, 0x00281202), (0x00281103, 0x00281203))


@dataclass(frozen=True, slots=True)
class _Layout:
    """The image pixel attributes, as far as they are usable."""

    samples: int | None
    photometric: str
    rows: int | None
    columns: int | None
    allocated: int | None
    stored: int | None
    high: int | None
    frames: int


def check_pixels(instance: Instance) -> Iterator[Hit]:
    """Check the pixel description against itself and the pixel data (P001 to P007, P010, P011)."""
    dataset = instance.dataset
    element = next((dataset.get(tag) for tag in _PIXELS if tag in dataset.elements), None)
    if element is None and _ROWS not in dataset.elements:
        return
    layout = _read_layout(dataset)
    yield from _check_bits(layout)
    yield from _check_samples(dataset, layout)
    yield from _check_palettes(dataset, layout)
    yield from _check_frames(dataset, layout)
    yield from _check_lossy(instance, dataset)
    yield from _check_overlays(dataset)
    if element is not None and not instance.is_truncated:
        yield from _check_data(instance, element, layout)


def _read_layout(dataset: Item) -> _Layout:
    return _Layout(
        samples=dataset.integer(_SAMPLES),
        photometric=dataset.text(_PHOTOMETRIC),
        rows=dataset.integer(_ROWS),
        columns=dataset.integer(_COLUMNS),
        allocated=dataset.integer(_ALLOCATED),
        stored=dataset.integer(_STORED),
        high=dataset.integer(_HIGH),
        frames=max(1, dataset.integer(_FRAMES) or 1),
    )


def _check_bits(layout: _Layout) -> Iterator[Hit]:
    allocated, stored, high = layout.allocated, layout.stored, layout.high
    for value, tag in ((layout.rows, "Rows"), (layout.columns, "Columns")):
        if value == 0:
            yield Hit("P001", f"{tag} is 0", "(0028,0010)" if tag == "Rows" else "(0028,0011)")
    if allocated is not None and (allocated == 0 or (allocated != 1 and allocated % 8)):
        yield Hit(
            "P002", f"BitsAllocated is {allocated}; expected 1 or a multiple of 8", "(0028,0100)"
        )
    if stored is not None and allocated is not None and not 0 < stored <= allocated:
        message = f"BitsStored is {stored}, BitsAllocated is {allocated}"
        yield Hit("P002", message, "(0028,0101)")
    if high is not None and stored is not None and high != stored - 1:
        yield Hit(
            "P002", f"HighBit is {high}, BitsStored is {stored}; expected one less", "(0028,0102)"
        )


def _check_samples(dataset: Item, layout: _Layout) -> Iterator[Hit]:
    expected = _SAMPLES_OF.get(layout.photometric)
    if layout.photometric and expected is None:
        yield Hit("P003", "PhotometricInterpretation is not one of the standard", "(0028,0004)")
    if expected is not None and layout.samples is not None and layout.samples != expected:
        message = f"SamplesPerPixel is {layout.samples}; {layout.photometric} has {expected}"
        yield Hit("P003", message, "(0028,0004)")
    planar = dataset.get(_PLANAR)
    if layout.samples == 1 and planar is not None:
        yield Hit("P004", "PlanarConfiguration is present with one sample per pixel", "(0028,0006)")
    elif planar is not None and planar.values()[:1] not in ([0], [1], []):
        yield Hit("P004", "PlanarConfiguration is neither 0 nor 1", "(0028,0006)")


def _check_palettes(dataset: Item, layout: _Layout) -> Iterator[Hit]:
    if layout.photometric != "PALETTE COLOR":
        return
    lengths = set()
    for descriptor_tag, data_tag in _PALETTES:
        descriptor, data = dataset.get(descriptor_tag), dataset.get(data_tag)
        values = [int(value) for value in descriptor.values()] if descriptor is not None else []
        if len(values) != 3 or data is None or data.items is not None:
            continue
        count = (values[0] & 0xFFFF) or 65536  # PS3.3 C.7.6.3.1.5: 0 means 65536
        bits, path = values[2], data.path
        lengths.add(count)
        if bits not in (8, 16):
            yield Hit(
                "P005", f"{name_tag(descriptor_tag)} gives {bits} bits; expected 8 or 16", path
            )
        elif len(data.value) not in {count * bits // 8, count * 2, count + count % 2}:
            message = f"{name_tag(data_tag)} is not as long as its descriptor says"
            yield Hit("P005", message, path)
    if len(lengths) > 1:
        yield Hit("P005", "the palettes have different numbers of entries", "(0028,1101)")


def _check_frames(dataset: Item, layout: _Layout) -> Iterator[Hit]:
    element = dataset.get(_FRAMES)
    if element is not None and not element.is_empty and (dataset.integer(_FRAMES) or 0) < 1:
        yield Hit("P006", "NumberOfFrames is less than 1", "(0028,0008)")
    per_frame = dataset.get(_PER_FRAME)
    if per_frame is not None and per_frame.items and len(per_frame.items) != layout.frames:
        message = "PerFrameFunctionalGroupsSequence has not as many items as NumberOfFrames says"
        yield Hit("P006", message, "(5200,9230)")


def _check_lossy(instance: Instance, dataset: Item) -> Iterator[Hit]:
    flag = dataset.text(0x00282110)
    syntax = BY_UID.get(instance.tree.transfer_syntax)
    if syntax is None:
        return
    only_lossy = syntax.lossy and not syntax.lossless and syntax.family == "jpeg"
    if only_lossy and flag != "01":
        message = "LossyImageCompression is not 01 with a lossy transfer syntax"
        yield Hit("P011", message, "(0028,2110)")


def _check_vr(element: Element, layout: _Layout) -> Iterator[Hit]:
    """Check the VR of pixel data against the encoding (PS3.5 A.2 and A.4)."""
    if element.tag != 0x7FE00010 or element.written_vr not in ("OB", "OW"):
        return
    if element.fragments is not None and element.written_vr != "OB":
        yield Hit(
            "V001",
            "encapsulated pixel data has the value representation OW; expected OB",
            _PIXEL_PATH,
        )
    elif element.fragments is None and (layout.allocated or 0) > 8 and element.written_vr != "OW":
        yield Hit(
            "V001", "pixel data of more than 8 bits allocated is OB; expected OW", _PIXEL_PATH
        )


def _check_overlays(dataset: Item) -> Iterator[Hit]:
    """Check that overlay planes are complete (PS3.3 C.9.2)."""
    groups = {tag >> 16 for tag in dataset.elements if tag >> 24 == 0x60 and not tag >> 16 & 1}
    for group in sorted(groups):
        for number in (0x0010, 0x0011, 0x0040, 0x0050, 0x0100, 0x0102):
            element = dataset.get(group << 16 | number)
            if element is None or element.is_empty:
                message = "an attribute of the overlay plane is missing or empty (type 1)"
                yield Hit("P012", message, dataset.path_to(group << 16 | number))


def _check_data(instance: Instance, element: Element, layout: _Layout) -> Iterator[Hit]:
    yield from _check_vr(element, layout)
    if element.fragments is not None:
        from imgconv.rules.codestreams import check_codestreams

        yield from check_codestreams(
            instance,
            element,
            frames=layout.frames,
            rows=layout.rows,
            columns=layout.columns,
            samples=layout.samples,
            stored=layout.stored,
            allocated=layout.allocated,
        )
        return
    syntax = BY_UID.get(instance.tree.transfer_syntax)
    if syntax is not None and syntax.encapsulated and element.tag == 0x7FE00010:
        yield Hit(
            "P007", "the pixel data is not encapsulated as the transfer syntax demands", _PIXEL_PATH
        )
        return
    expected = _expected_bits(element, layout)
    if expected is None:
        return
    whole = (expected + 7) // 8
    actual = len(element.value)
    if actual not in (whole, whole + whole % 2):
        relation = "shorter" if actual < whole else "longer"
        message = f"the pixel data is {relation} than rows, columns, samples, bits and frames say"
        yield Hit("P001", message, element.path, f"{actual} bytes, expected {whole}")
        return
    if layout.samples == 1 and element.tag == 0x7FE00010:
        yield from _check_unused_bits(element, layout)


def _expected_bits(element: Element, layout: _Layout) -> int | None:
    """Return the bits of native pixel data, None if it is not described well enough."""
    allocated = _PIXELS[element.tag] or layout.allocated
    if not (layout.rows and layout.columns and layout.samples and allocated):
        return None
    samples = _SUBSAMPLED.get(layout.photometric, float(layout.samples))
    return int(layout.rows * layout.columns * samples * layout.frames) * allocated


def _check_unused_bits(element: Element, layout: _Layout) -> Iterator[Hit]:
    """Report samples with bits set above High Bit that are no sign extension."""
    allocated, stored, high = layout.allocated, layout.stored, layout.high
    if allocated not in (8, 16, 32) or not stored or high != stored - 1 or stored >= allocated:
        return
    import numpy as np

    order = ">" if element.item.big_endian and allocated > 8 else "<"
    usable = len(element.value) // (allocated // 8) * (allocated // 8)
    samples = np.frombuffer(element.value[:usable], dtype=f"{order}u{allocated // 8}")
    if element.item.integer(_SIGNED) == 1:
        # Sign extension over the unused bits is what everybody writes.
        signed = samples.view(f"{order}i{allocated // 8}")
        limit = 1 << (stored - 1)
        outside = bool(
            signed.size
            and (int(signed.max()) >= limit or int(signed.min()) < -limit)
            and int(samples.max()) >> stored  # else not extended, but within the stored bits
        )
    else:
        outside = bool(samples.size and int(samples.max()) >> stored)
    if outside and not _has_overlay_bits(element.item):
        message = "pixels have bits set above HighBit"
        yield Hit("P010", message, element.path, severity="warning")


def _has_overlay_bits(dataset: Item) -> bool:
    """Whether unused bits hold overlay planes (retired, PS3.5 8.1.2)."""
    return any(
        tag >> 16 & 0xFF00 == 0x6000
        and tag & 0xFFFF == 0x0100
        and dataset.integer(tag) not in (None, 1)
        for tag in dataset.elements
    )


def check_display(instance: Instance) -> Iterator[Hit]:
    """Check window and rescale values wherever they stand (P008, P009)."""
    for element in instance.elements:
        tag, item = element.tag, element.item
        if tag == 0x00281051:
            yield from _check_window(element, item)
        elif tag == 0x00281053 and item.number(tag) == 0:
            yield Hit("P009", "RescaleSlope is 0", element.path)


def _check_window(element: Element, item: Item) -> Iterator[Hit]:
    widths = item.numbers(element.tag)
    function = item.text(0x00281056)
    # PS3.3 C.11.2.1.2: at least 1 for LINEAR, above 0 for LINEAR_EXACT and SIGMOID.
    if any(width <= 0 for width in widths) or (
        function in ("", "LINEAR") and any(width < 1 for width in widths)
    ):
        limit = "at least 1" if function in ("", "LINEAR") else "above 0"
        yield Hit("P008", f"WindowWidth must be {limit}", element.path)
    centers = item.get(0x00281050)
    if centers is not None and widths and len(centers.values()) != len(widths):
        message = "WindowCenter and WindowWidth have different numbers of values"
        yield Hit("P008", message, element.path)
