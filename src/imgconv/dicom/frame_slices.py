"""Take a file apart into slices: frames of enhanced and plain multi-frame objects, tiles.

Source
------
PS3.3 C.7.6.16 (functional groups), C.7.6.17 (dimensions), C.8.4.9 (NM
multi-frame), C.8.8.3.2 (dose grid)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from imgconv.core.vectors import normal_of
from imgconv.dicom.header import Header
from imgconv.dicom.slices import Components, Slice, is_from, make_slice, to_integer
from imgconv.dicom.tiles import Tiling, find_tiling
from imgconv.dicom.vendors.facts import Facts
from imgconv.errors import CorruptData

__all__ = ["slices_of"]

Vector = tuple[float, ...]

# More frames than that are taken for a hostile header.
_MAX_FRAMES = 1 << 22

# Dimensions that say where a slice is, not which volume it belongs to; PS3.3 C.7.6.17
_SPATIAL_DIMENSIONS = frozenset(
    {
        0x00209056,  # Stack ID
        0x00209057,  # In-Stack Position Number
        0x00200032,  # Image Position (Patient)
        0x00200037,  # Image Orientation (Patient)
        0x0020930D,  # Position in volume
        0x00540080,  # Slice Vector
    }
)
# Attributes that functional groups hold
_FRAME_KEYWORDS = frozenset(
    {
        "ComplexImageComponent",
        "DiffusionBValue",
        "DiffusionDirectionality",
        "DiffusionGradientOrientation",
        "EffectiveEchoTime",
        "FrameType",
        "ImageOrientationPatient",
        "ImagePositionPatient",
        "PixelSpacing",
        "RescaleIntercept",
        "RescaleSlope",
        "SliceThickness",
        "SpacingBetweenSlices",
    }
)


def slices_of(header: Header, known: Components | None = None) -> tuple[Slice, ...]:
    """Return the slices of a file that has pixel data.

    Parameters
    ----------
    header
        Of the file.
    known
        Kept by the caller from file to file, so that nothing is found out twice.

    Raises
    ------
    CorruptData
        Rows or Columns are missing, or numbers that must be there cannot be read.
    GeometryError
        The positions of a mosaic are unknown.
    """
    known = {} if known is None else known
    _require_room(header)
    if "PerFrameFunctionalGroupsSequence" in header or (
        "SharedFunctionalGroupsSequence" in header and _frame_count(header) > 1
    ):
        return tuple(_enhanced_slices(header, known))
    tiling = find_tiling(header)
    if tiling is not None:
        return tuple(_tiles(header, tiling, known))
    count = _frame_count(header)
    if count > 1:
        return tuple(_plain_frames(header, count, known))
    return (make_slice(header, 0, -1, header.get, _size(header), known=known),)


def _frame_count(header: Header) -> int:
    count = header.get("NumberOfFrames", 1)
    if not isinstance(count, int) or not 0 <= count <= _MAX_FRAMES:
        raise CorruptData(f"Number of Frames is `{count}`", path=header.path)
    return count or 1


def _require_room(header: Header) -> None:
    """Raise unless native pixel data is as long as its frames need."""
    pixels = header.pixel_data
    if pixels is None or pixels.encapsulated:
        return
    rows, columns = _size(header)
    samples, bits = header.get("SamplesPerPixel", 1), header.get("BitsAllocated", 1)
    if "422" in header.get("PhotometricInterpretation", ""):
        samples = 2
    count = _frame_count(header)
    if not isinstance(samples, int) or not isinstance(bits, int):
        raise CorruptData("Samples per Pixel or Bits Allocated is no number", path=header.path)
    needed = (rows * columns * samples * bits * count + 7) // 8
    if pixels.length < needed:
        raise CorruptData(
            f"the pixel data has `{pixels.length}` bytes; {count} frames of {columns} x {rows} "
            f"pixels take {needed}",
            path=header.path,
        )


def _size(header: Header) -> tuple[int, int]:
    rows, columns = header.get("Rows"), header.get("Columns")
    if not isinstance(rows, int) or not isinstance(columns, int) or not rows or not columns:
        raise CorruptData("Rows or Columns are missing or zero", path=header.path)
    return rows, columns


def _tiles(header: Header, tiling: Tiling, known: Components) -> Iterator[Slice]:
    whole = make_slice(
        header, 0, 0, header.get, (tiling.rows, tiling.columns), known=known, position=()
    )
    number = whole.order[0]
    for tile, position in enumerate(tiling.positions):
        yield replace(whole, tile=tile, position=position, order=(number, 0, tile))


def _enhanced_slices(header: Header, known: Components) -> Iterator[Slice]:
    pointers = [
        item.get("DimensionIndexPointer") for item in header.items("DimensionIndexSequence")
    ]
    keep = [n for n, pointer in enumerate(pointers) if pointer not in _SPATIAL_DIMENSIONS]
    count, size = _frame_count(header), _size(header)
    frames = header.items("PerFrameFunctionalGroupsSequence")
    if frames and len(frames) < count:
        raise CorruptData(
            f"`{count}` frames have `{len(frames)}` items of functional groups", path=header.path
        )
    # Bruker lists the slowest dimension first, the others last.
    first_is_slowest = is_from(header, "Bruker")
    file = to_integer(header.get("InstanceNumber"))
    for frame in range(count):
        facts = Facts(header, frame)
        content = facts.groups[0].items("FrameContentSequence") if facts.groups else ()
        indices = content[0].get("DimensionIndexValues") if content else None
        if isinstance(indices, int):
            indices = (indices,)
        dimensions = None
        if isinstance(indices, tuple):
            has_pointers = len(indices) == len(pointers)
            dimensions = tuple(
                int(indices[n]) for n in (keep if has_pointers else range(len(indices)))
            )
            if first_is_slowest:
                dimensions = dimensions[::-1]
        yield make_slice(
            header,
            frame,
            -1,
            partial(_frame_value, facts),
            size,
            known=known,
            dimensions=dimensions,
            file=file,
            stack=str(content[0].get("StackID", "")) if content else "",
        )


def _frame_value(facts: Facts, keyword: str) -> Any:
    """Return an attribute that may differ by frame; others from the top level, which is faster."""
    return facts.get(keyword) if keyword in _FRAME_KEYWORDS else facts.header.get(keyword)


def _plain_frames(header: Header, count: int, known: Components) -> Iterator[Slice]:
    """Frames of a multi-frame file without functional groups: NM, US, XA, secondary capture."""
    size = _size(header)
    detector = header.items("DetectorInformationSequence")
    source = detector[0] if detector else header
    start = source.numbers("ImagePositionPatient") or header.numbers("ImagePositionPatient")
    orientation = source.numbers("ImageOrientationPatient")
    step = header.numbers("SpacingBetweenSlices") or header.numbers("SliceThickness")
    slices = _int_vector(header, "SliceVector", count) or _of_tomogram(header, count)
    offsets = header.numbers("GridFrameOffsetVector")
    volumes = _int_vector(header, "TimeSlotVector", count) or _int_vector(
        header, "TimeSliceVector", count
    )
    if len(offsets) != count and step:
        offsets = tuple(step[0] * (number - 1) for number in slices)
    placed = len(start) == 3 and len(orientation) == 6 and len(offsets) == count

    def get(keyword: str) -> Any:
        if keyword == "ImageOrientationPatient" and placed:
            return orientation
        return header.get(keyword)

    first = make_slice(header, 0, -1, get, size, known=known, position=())
    for frame in range(count):
        position: Vector = ()
        if placed:
            # RT Dose may give positions along the z axis in place of offsets, C.8.8.3.2.
            zero = 0.0 if offsets[0] == 0 or slices else offsets[0]
            position = _along_normal(start, orientation, offsets[frame] - zero)
        timing = first.timing
        if volumes:
            timing = replace(timing, dimensions=(volumes[frame],))
        order = (first.order[0], frame, -1)
        yield replace(first, frame=frame, position=position, timing=timing, order=order)


def _of_tomogram(header: Header, count: int) -> tuple[int, ...]:
    """Return slice numbers of a reconstructed tomogram, whose only dimension is the slice.

    Source: PS3.3 C.8.4.9.1 (Image Type), C.8.4.8 (Slice Vector may have been left out).
    """
    is_tomogram = "RECON TOMO" in header.texts("ImageType")
    several = any(name in header for name in ("TimeSlotVector", "TimeSliceVector", "PhaseVector"))
    return tuple(range(1, count + 1)) if is_tomogram and not several else ()


def _int_vector(header: Header, keyword: str, count: int) -> tuple[int, ...]:
    value = header.get(keyword)
    return value if isinstance(value, tuple) and len(value) == count else ()


def _along_normal(start: Vector, orientation: Vector, distance: float) -> Vector:
    return tuple(p + distance * n for p, n in zip(start, normal_of(orientation), strict=True))
