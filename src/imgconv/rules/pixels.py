"""Family P: pixel data, and the attributes that describe them.

Source
------
PS3.3 C.7.6.3 (image pixel), C.11.1 and C.11.2 (modality and VOI LUT), C.7.6.16
(functional groups); PS3.5 8.1 and 8.2, annex A.4 (encapsulation)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.records import record
from imgconv.rules.counts import check_vectors
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.rules.overlays import check_overlays
from imgconv.rules.plan import find_plan
from imgconv.rules.unused_bits import has_unused_bits
from imgconv.standard.iods import find_iod
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["check_display", "check_pixels"]

_SAMPLES, _PHOTOMETRIC, _PLANAR = 0x00280002, 0x00280004, 0x00280006
_FRAMES, _ROWS, _COLUMNS = 0x00280008, 0x00280010, 0x00280011
_ALLOCATED, _STORED, _HIGH, _SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_PIXELS = {0x7FE00010: 0, 0x7FE00008: 32, 0x7FE00009: 64}
_ASPECT = 0x00280034
# Pixel Spacing, Imager Pixel Spacing, Nominal Scanned Pixel Spacing.
_SPACINGS = (0x00280030, 0x00181164, 0x00182010)
_PIXEL_DATA, _SMALLEST, _LARGEST = 0x7FE00010, 0x00280106, 0x00280107
# Rescale Slope, Dose Grid Scaling, Real World Value Slope: 0 makes all pixels equal.
_SCALES = frozenset({0x00281053, 0x3004000E, 0x00409225})
_MODALITY_LUT, _INTERCEPT = 0x00283000, 0x00281052
_LOSSY_METHOD = 0x00282114
_LOSSY_DETAILS = (0x00282112, _LOSSY_METHOD)  # ratio, method
# Family of lossy transfer syntaxes -> its defined term (PS3.3 C.7.6.1.1.5.1).
_METHODS = {"jpeg": "ISO_10918_1", "jpeg-ls": "ISO_14495_1", "jpeg2000": "ISO_15444_1"}
_EXTENDED_TABLE = 0x7FE00001
_DOSE_TYPE = 0x30040004
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_PIXEL_PATH = "(7FE0,0010)"

# PS3.3 C.7.6.3.1.2: photometric interpretation -> samples per pixel.
_SAMPLES_OF = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1,
    "RGB": 3, "YBR_FULL": 3, "YBR_FULL_422": 3, "YBR_PARTIAL_422": 3, "YBR_PARTIAL_420": 3,
    "YBR_ICT": 3, "YBR_RCT": 3, "HSV": 3, "XYB": 3, "ARGB": 4, "CMYK": 4,
}  # fmt: skip
_SAMPLE_COUNTS = (None, 1, 3, 4)  # PS3.3 C.7.6.3.1.1; 4 is retired
# PS3.5 8.2.4: these come from the multiple component transform of JPEG 2000.
_TRANSFORMED = ("YBR_ICT", "YBR_RCT")
_SUBSAMPLED = {"YBR_FULL_422": 2.0, "YBR_PARTIAL_422": 2.0, "YBR_PARTIAL_420": 1.5}


@record
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
    segments: str  # Segmentation Type
    signed: bool
    is_unsigned_dose: bool


def check_pixels(instance: Instance) -> Iterator[Hit]:
    """Check the pixel description against itself and the pixel data (P001 to P012)."""
    dataset = instance.dataset
    element = next((dataset.get(tag) for tag in _PIXELS if tag in dataset.elements), None)
    if element is None and _ROWS not in dataset.elements:
        return
    layout = _read_layout(dataset)
    yield from _check_bits(dataset, layout)
    yield from _check_samples(dataset, layout)
    yield from _check_aspect(dataset)
    yield from _check_frames(dataset, layout)
    yield from check_vectors(instance)
    yield from _check_lossy(instance, dataset)
    yield from check_overlays(dataset)
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
        segments=dataset.text(0x00620001),
        signed=dataset.integer(_SIGNED) == 1,
        is_unsigned_dose=dataset.text(_DOSE_TYPE) in ("PHYSICAL", "EFFECTIVE"),
    )


def _check_bits(dataset: Item, layout: _Layout) -> Iterator[Hit]:
    allocated, stored, high = layout.allocated, layout.stored, layout.high
    for value, tag in ((layout.rows, "Rows"), (layout.columns, "Columns")):
        if value == 0:
            yield Hit("P001", f"{tag} is 0", dataset.path_to(_ROWS if tag == "Rows" else _COLUMNS))
    if allocated is not None and (allocated == 0 or (allocated != 1 and allocated % 8)):
        yield Hit(
            "P002",
            f"BitsAllocated is {allocated}; expected 1 or a multiple of 8",
            dataset.path_to(0x00280100),
        )
    if stored is not None and allocated is not None and not 0 < stored <= allocated:
        message = f"BitsStored is {stored}, BitsAllocated is {allocated}"
        yield Hit("P002", message, dataset.path_to(0x00280101))
    if layout.segments == "BINARY" and allocated is not None and allocated != 1:
        message = f"BitsAllocated is {allocated}; a binary segmentation has 1"  # PS3.3 C.8.20.2.1
        yield Hit("P002", message, dataset.path_to(0x00280100))
    if layout.is_unsigned_dose and layout.signed:
        message = "PixelRepresentation is 1; doses that are no errors are unsigned"  # C.8.8.3
        yield Hit("P002", message, dataset.path_to(0x00280103))
    if high is not None and stored is not None and high != stored - 1:
        yield Hit(
            "P002",
            f"HighBit is {high}, BitsStored is {stored}; expected one less",
            dataset.path_to(0x00280102),
        )


def _check_samples(dataset: Item, layout: _Layout) -> Iterator[Hit]:
    expected = _SAMPLES_OF.get(layout.photometric)
    if layout.photometric and expected is None:
        yield Hit(
            "P003",
            "PhotometricInterpretation is not one of the standard",
            dataset.path_to(0x00280004),
        )
    if expected is not None and layout.samples is not None and layout.samples != expected:
        message = f"SamplesPerPixel is {layout.samples}; {layout.photometric} has {expected}"
        yield Hit("P003", message, dataset.path_to(0x00280004))
    if layout.samples not in _SAMPLE_COUNTS:
        message = f"SamplesPerPixel is {layout.samples}; expected 1, 3 or 4"
        yield Hit("P003", message, dataset.path_to(_SAMPLES))
    planar = dataset.get(_PLANAR)
    if layout.samples == 1 and planar is not None:
        yield Hit(
            "P004",
            "PlanarConfiguration is present with one sample per pixel",
            dataset.path_to(0x00280006),
        )
    elif planar is not None and planar.values()[:1] not in ([0], [1], []):
        yield Hit("P004", "PlanarConfiguration is neither 0 nor 1", dataset.path_to(0x00280006))


def _check_aspect(dataset: Item) -> Iterator[Hit]:
    """Check that the aspect ratio is given only where no spacing is (PS3.3 C.7.6.3, type 1C)."""
    element = dataset.get(_ASPECT)
    if element is None or element.is_empty:
        return
    spaced = any(tag in dataset.elements for tag in _SPACINGS)
    values = element.values()
    if spaced or (len(values) == 2 and values[0] == values[1]):
        message = "PixelAspectRatio is present, and its condition does not hold"
        yield Hit("M007", message, element.path)


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
    only_lossy = syntax is not None and syntax.lossy and not syntax.lossless
    if only_lossy and syntax is not None and syntax.family == "jpeg" and flag != "01":
        message = "LossyImageCompression is not 01 with a lossy transfer syntax"
        yield Hit("P011", message, "(0028,2110)")
    if flag == "01":
        yield from _check_lossy_details(instance, dataset)
        methods = dataset.texts(_LOSSY_METHOD)
        method = _METHODS.get(syntax.family, "") if only_lossy and syntax is not None else ""
        if method and methods and method not in methods:
            message = f"LossyImageCompressionMethod lacks {method}, the transfer syntax's"
            yield Hit("P011", message, dataset.path_to(_LOSSY_METHOD), severity="warning")


def _check_lossy_details(instance: Instance, dataset: Item) -> Iterator[Hit]:
    """Ask for ratio and method of lossy compression, where the IOD leaves them optional.

    They say how much was lost (PS3.3 C.7.6.1.1.5); where they are type 1C, family M asks.
    """
    iod = find_iod(instance.sop_class)
    attributes = find_plan(iod).root.attributes if iod is not None else {}
    for tag in _LOSSY_DETAILS:
        known = attributes.get(tag)
        element = dataset.get(tag)
        if (element is None or element.is_empty) and (known is None or known.is_optional):
            message = f"{name_tag(tag)} is not given, and LossyImageCompression is 01"
            yield Hit("P011", message, dataset.path_to(tag), severity="warning")


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
    if _EXTENDED_TABLE in element.item.elements:
        message = "ExtendedOffsetTable is present, and the pixel data is native"
        yield Hit("P007", message, element.item.path_to(_EXTENDED_TABLE))
    if layout.photometric in _TRANSFORMED:
        message = f"{layout.photometric} is for JPEG 2000 only, and the pixel data is native"
        yield Hit("P003", message, element.item.path_to(_PHOTOMETRIC))
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
    outside = has_unused_bits(
        element.value,
        allocated,
        stored,
        signed=element.item.integer(_SIGNED) == 1,
        big_endian=element.item.big_endian,
    )
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
    """Check windows, scales and nested images wherever they stand (P001, P008, P009, P013)."""
    for element in instance.elements:
        tag, item = element.tag, element.item
        if tag == 0x00281051:
            yield from _check_window(element, item)
        elif tag in _SCALES and item.number(tag) == 0:
            yield Hit("P009", f"{name_tag(tag)} is 0", element.path)
        elif tag == _PIXEL_DATA and item.depth:
            yield from _check_nested_image(element, item)
            layout = _read_layout(item)
            yield from _check_bits(item, layout)
            yield from _check_samples(item, layout)
        elif tag == _SMALLEST:
            yield from _check_extremes(element, item)
    yield from _check_modality_lut(instance)


def _check_modality_lut(instance: Instance) -> Iterator[Hit]:
    """Report a modality LUT beside slope and intercept where the IOD has no row for it.

    They exclude each other (PS3.3 C.11.1); where the IOD has the module, family M says so.
    """
    dataset = instance.dataset
    if not dataset.items_of(_MODALITY_LUT) or dataset.number(_INTERCEPT) is None:
        return
    iod = find_iod(instance.sop_class)
    if iod is None or _MODALITY_LUT not in find_plan(iod).root.attributes:
        message = "ModalityLUTSequence is present, and so is RescaleIntercept"
        yield Hit("M007", message, dataset.path_to(_MODALITY_LUT), severity="warning")


def _check_nested_image(element: Element, item: Item) -> Iterator[Hit]:
    """Check the length of an icon's or another nested image's native pixel data."""
    if element.fragments is not None:
        return
    expected = _expected_bits(element, _read_layout(item))
    if expected is not None and len(element.value) < (expected + 7) // 8:
        message = "the pixel data is shorter than rows, columns, samples, bits and frames say"
        yield Hit("P001", message, element.path)


def _check_extremes(element: Element, item: Item) -> Iterator[Hit]:
    smallest, largest = item.number(_SMALLEST), item.number(_LARGEST)
    if smallest is not None and largest is not None and smallest > largest:
        message = "SmallestImagePixelValue is above LargestImagePixelValue"
        yield Hit("P013", message, element.path)


def _check_window(element: Element, item: Item) -> Iterator[Hit]:
    widths = item.numbers(element.tag)
    function = item.text(0x00281056)
    # PS3.3 C.11.2.1.2: at least 1 for LINEAR, above 0 for LINEAR_EXACT and SIGMOID.
    if any(width <= 0 for width in widths) or (
        function in ("", "LINEAR") and any(width < 1 for width in widths)
    ):
        limit = "at least 1" if function in ("", "LINEAR") else "above 0"
        yield Hit("P008", f"WindowWidth must be {limit}", element.path)
    explained = item.get(0x00281055)
    if explained is not None and widths and len(explained.values()) > len(widths):
        message = "WindowCenterWidthExplanation has more values than there are windows"
        yield Hit("P008", message, explained.path, severity="warning")
    centers = item.get(0x00281050)
    if centers is not None and widths and len(centers.values()) != len(widths):
        message = "WindowCenter and WindowWidth have different numbers of values"
        yield Hit("P008", message, element.path)
