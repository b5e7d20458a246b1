"""Read a Segmentation as a label map with its segments.

Segments that do not overlap share one volume; others lie in layers, the
volumes of a 4D image. A FRACTIONAL object whose fractions are all 0 or full
is a label map as well; any other becomes floats from 0 to 1, a volume per
segment. Slices without a frame are empty. Not supported: slides, segments as
surfaces.

Source: PS3.3 A.51, C.8.20.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image, Segment, Source
from imgconv.core.lab import lab_to_rgb
from imgconv.core.loss import Loss
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions
from imgconv.core.values import ValueMap
from imgconv.dicom import seg_private as private
from imgconv.dicom.bids import bids_fields
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import Header
from imgconv.dicom.label_layers import Layers
from imgconv.dicom.plan import ObjectPlan
from imgconv.dicom.seg_frames import Layout, read_layout
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.errors import CorruptData, InputError, UnsupportedData

__all__ = ["load_segmentation", "read_segmentation"]

Code = tuple[str, str, str]

_LABELMAP = "LABELMAP"
_FRACTIONAL = "FRACTIONAL"

# Sparse frames may promise any number of slices between them.
_MAX_BYTES = 1 << 32

_PARTIAL = Loss(
    "partial-extent",
    "the volume ends with the outermost frames: how far the images reach is not said",
    harmful=False,
)


def load_segmentation(plan: ObjectPlan, options: ReadOptions) -> Image:
    """Return the label map of a planned Segmentation; see `read_segmentation`."""
    return read_segmentation(plan.header, max_bytes=options.max_bytes)


def read_segmentation(header: Header, *, max_bytes: int = 0) -> Image:
    """Return the label map of a Segmentation.

    Parameters
    ----------
    header
        Of the file, from `read_header`.
    max_bytes
        A larger volume is refused; 0 for no limit.

    Raises
    ------
    CorruptData
        Pixel data or functional groups are missing, truncated or contradictory.
    UnsupportedData
        A kind of segmentation that is not read.
    """
    try:
        return _read(header, max_bytes)
    except InputError as error:
        raise error.with_path(header.path) from error.__cause__


def _read(header: Header, max_bytes: int) -> Image:
    reader = FrameReader.from_header(header)
    layout = read_layout(header, reader.frame_count)
    rows, columns = reader.pixel_format.rows, reader.pixel_format.columns
    size = layout.slices * rows * columns * 2
    if size > (max_bytes or _MAX_BYTES):
        raise UnsupportedData(
            f"the label map takes `{size}` bytes; the limit is {max_bytes or _MAX_BYTES}"
        )
    described = dict(_iter_segments(header))
    shape = (layout.slices, rows, columns)
    array, segments = _assemble(header, reader, layout, described, shape)
    return Image(
        array,
        "tkji" if array.ndim == 4 else "kji",
        geometry=layout.geometry,
        values=ValueMap(bits_stored=8 * array.dtype.itemsize if array.dtype.kind == "u" else None),
        metadata=Metadata(shared=_shared(header), bids=_sidecar(header, shape)),
        sources=(
            Source(
                header.path,
                str(header.get("SOPInstanceUID", "")),
                str(header.get("SeriesInstanceUID", "")),
            ),
        ),
        segments=segments,
        name=_name(header),
        losses=(_PARTIAL,) if layout.is_partial and _refers_to_more(header, layout) else (),
    )


def _refers_to_more(header: Header, layout: Layout) -> bool:
    """Whether the object was drawn on more images than it has slices."""
    referenced = header.items("ReferencedSeriesSequence")
    count = sum(len(series.items("ReferencedInstanceSequence")) for series in referenced)
    return count > layout.slices


def _assemble(
    header: Header,
    reader: FrameReader,
    layout: Layout,
    described: dict[int, Segment],
    shape: tuple[int, int, int],
) -> tuple[NDArray[Any], tuple[Segment, ...]]:
    kind = str(header.get("SegmentationType", "BINARY"))
    if kind == _LABELMAP:
        return _read_labelmap(reader, layout, described, shape)
    frames: dict[int, list[tuple[int, int]]] = {number: [] for number in described}
    for frame, number, k in layout.places:
        if number not in described:
            raise CorruptData(f"a frame shows segment `{number}`, which is not described")
        frames[number].append((frame, k))
    if kind == _FRACTIONAL:
        full = header.get("MaximumFractionalValue", 255)
        if not isinstance(full, int) or full < 1:
            raise CorruptData("Maximum Fractional Value is no positive number")
        if any(_has_fractions(reader.read(frame), full) for frame, _, _ in layout.places):
            return _read_fractions(reader, frames, described, shape, full)
    return _stack_labels(reader, frames, described, shape)


def _has_fractions(plane: NDArray[Any], full: int) -> bool:
    return bool(((plane != 0) & (plane != full)).any())


def _read_labelmap(
    reader: FrameReader,
    layout: Layout,
    described: dict[int, Segment],
    shape: tuple[int, int, int],
) -> tuple[NDArray[Any], tuple[Segment, ...]]:
    dtype = np.uint8 if reader.pixel_format.bits_allocated == 8 else np.uint16
    array = np.zeros(shape, dtype)
    for frame, _, k in layout.places:
        array[k] = reader.read(frame)
    segments = (replace(segment, number=n, layer=0) for n, segment in described.items() if n)
    return array, tuple(segments)


def _read_fractions(
    reader: FrameReader,
    frames: dict[int, list[tuple[int, int]]],
    described: dict[int, Segment],
    shape: tuple[int, int, int],
    full: int,
) -> tuple[NDArray[Any], tuple[Segment, ...]]:
    array = np.zeros((len(frames), *shape), np.float32)
    segments = []
    for layer, (number, places) in enumerate(frames.items()):
        for frame, k in places:
            array[layer, k] = reader.read(frame).astype(np.float32) / np.float32(full)
        segments.append(replace(described[number], number=1, layer=layer))
    return array if len(frames) > 1 else array[0], tuple(segments)


# --- label maps -----------------------------------------------------------------------------------


def _stack_labels(
    reader: FrameReader,
    frames: dict[int, list[tuple[int, int]]],
    described: dict[int, Segment],
    shape: tuple[int, int, int],
) -> tuple[NDArray[Any], tuple[Segment, ...]]:
    layers = Layers(shape, max((s.number for s in described.values()), default=1))
    segments = []
    for number, places in frames.items():
        segment = described[number]
        masks: dict[int, NDArray[np.bool_]] = {}
        for frame, k in places:
            mask = reader.read(frame) != 0
            masks[k] = masks[k] | mask if k in masks else mask
        layer = layers.place(masks, segment.number, segment.layer)
        segments.append(replace(segment, layer=layer))
    return layers.array(), tuple(segments)


# --- segments -------------------------------------------------------------------------------------


def _iter_segments(header: Header) -> Iterator[tuple[int, Segment]]:
    items = header.items("SegmentSequence")
    if not items:
        raise CorruptData("Segment Sequence is missing or empty")
    for item in items:
        number = item.get("SegmentNumber")
        if not isinstance(number, int):
            raise CorruptData("a segment has no number")
        yield number, _to_segment(item, number)


def _to_segment(item: Header, number: int) -> Segment:
    types = item.items("SegmentedPropertyTypeCodeSequence")
    regions = item.items("AnatomicRegionSequence")
    modifiers = types[0].items("SegmentedPropertyTypeModifierCodeSequence") if types else ()
    region_modifiers = regions[0].items("AnatomicRegionModifierSequence") if regions else ()
    return Segment(
        _private(item, private.LABEL_NUMBER, number),
        str(item.get("SegmentLabel", f"Segment {number}")),
        category=_code(item.items("SegmentedPropertyCategoryCodeSequence")),
        type=_code(types),
        type_modifier=_code(modifiers),
        region=_code(regions),
        region_modifier=_code(region_modifiers),
        colour=_colour(item),
        algorithm_type=str(item.get("SegmentAlgorithmType", "")),
        algorithm_name=" ".join(item.texts("SegmentAlgorithmName")),
        description=str(item.get("SegmentDescription", "")),
        tracking_id=str(item.get("TrackingID", "")),
        tracking_uid=str(item.get("TrackingUID", "")),
        layer=_private(item, private.LAYER, 0),
    )


def _private(item: Header, element: int, default: int) -> int:
    value = item.private(private.GROUP, private.CREATOR, element, default, vr="US")
    is_sane = isinstance(value, int) and 0 <= value < (1 << 16)
    return value if is_sane and (value or default == 0) else default


def _code(items: tuple[Header, ...]) -> Code | None:
    if not items:
        return None
    value = items[0].get("CodeValue") or items[0].get("LongCodeValue") or ""
    scheme, meaning = items[0].get("CodingSchemeDesignator", ""), items[0].get("CodeMeaning", "")
    return (str(value), str(scheme), str(meaning)) if value and scheme else None


def _colour(item: Header) -> tuple[int, int, int] | None:
    value = item.numbers("RecommendedDisplayCIELabValue")
    return lab_to_rgb((int(value[0]), int(value[1]), int(value[2]))) if len(value) == 3 else None


def _shared(header: Header) -> dict[str, Any]:
    names = ("Modality", "SeriesDescription", "SeriesNumber", "ContentCreatorName")
    values = {name: header.get(name) for name in names}
    return {name: value for name, value in values.items() if value not in (None, "")}


def _sidecar(header: Header, shape: tuple[int, int, int]) -> dict[str, Any]:
    """Return what the header says about the object itself: equipment, series, comments."""
    size_ijk = (shape[2], shape[1], shape[0])
    return bids_fields(Acquisition(((Facts(header, 0),),), size_ijk))


def _name(header: Header) -> str:
    parts = (header.get("SeriesNumber", ""), header.get("SeriesDescription", ""))
    return "_".join(str(part) for part in parts if part != "")
