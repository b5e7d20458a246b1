"""One slice of a volume with the facts by which slices are grouped and ordered.

A slice is a whole single-frame file, one frame of a multi-frame file, or one
tile of a mosaic. Values come from where the object keeps them: top level or
functional groups.

Source
------
PS3.3 C.7.6.2 (Image Plane), C.7.6.16 (functional groups), C.7.6.17
(dimensions), C.8.4.9 (NM multi-frame)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from imgconv.dicom.header import Header
from imgconv.dicom.tiles import Tiling, find_tiling
from imgconv.dicom.vendors.component import Component, find_component
from imgconv.dicom.vendors.facts import Facts
from imgconv.errors import CorruptData

__all__ = ["PLAIN_KEYWORDS", "Slice", "Timing", "slices_of"]

Vector = tuple[float, ...]
Get = Callable[[str], Any]
# What was found out before: attributes that decide -> component
Components = dict[tuple[Any, ...], Component]

# More frames than that are taken for a hostile header.
_MAX_FRAMES = 1 << 22

_PHILIPS = "Philips MR Imaging DD 005"
_PHILIPS_MR = "Philips MR Imaging DD 001"
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


# What a single-frame file is asked for, no sequences; see `Header.prefetch`.
PLAIN_KEYWORDS = (
    "AcquisitionNumber",
    "BitsAllocated",
    "BitsStored",
    "Columns",
    "ComplexImageComponent",
    "DiffusionBValue",
    "DiffusionDirectionality",
    "DiffusionGradientOrientation",
    "DoseGridScaling",
    "EchoNumbers",
    "EchoTime",
    "EffectiveEchoTime",
    "FrameOfReferenceUID",
    "FrameReferenceTime",
    "FrameType",
    "ImageOrientationPatient",
    "ImagePositionPatient",
    "ImageType",
    "InstanceNumber",
    "Manufacturer",
    "MediaStorageSOPClassUID",
    "Modality",
    "NumberOfFrames",
    "PatientID",
    "PhotometricInterpretation",
    "PixelRepresentation",
    "PixelSpacing",
    "RescaleIntercept",
    "RescaleSlope",
    "Rows",
    "SOPClassUID",
    "SOPInstanceUID",
    "SamplesPerPixel",
    "SeriesInstanceUID",
    "SeriesNumber",
    "SliceThickness",
    "SpacingBetweenSlices",
    "StudyInstanceUID",
    "TemporalPositionIdentifier",
    "TriggerTime",
)


@dataclass(frozen=True, slots=True)
class Timing:
    """What may tell the volumes of a 4D series apart; None where the header is silent.

    Parameters
    ----------
    dimensions
        Dimension Index Values that are not known to be spatial, the slowest last.
    """

    dimensions: tuple[int, ...] | None = None
    temporal: int | None = None
    diffusion: tuple[Any, ...] | None = None
    acquisition: int | None = None
    trigger: float | None = None
    reference_time: float | None = None
    file: int | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice, where it is, and what it shows.

    Parameters
    ----------
    header, frame, tile
        Which file, which frame of it (from 0), which tile of that (-1: none).
    rows, columns
        Of the slice itself, not of a mosaic.
    position, orientation, spacing
        LPS millimetres; spacing is between rows, then columns. Empty if the
        header is silent.
    pixels
        What two slices need to share to be in one array: samples, bits,
        signedness, kind of pixel data, photometric interpretation.
    rescale
        Slope and intercept.
    scale_slope
        Philips' further divisor; None for all others.
    kind
        What two slices need to share to be the same kind of picture.
    echo_time
        Milliseconds, None if unknown.
    variant
        Tells apart what repeats at a position and is no time series: the
        full image type, coil.
    timing
        See the class.
    order
        Sorts slices as the scanner numbered them.
    uid
        SOP Instance UID of the file.
    """

    header: Header
    frame: int
    tile: int
    rows: int
    columns: int
    position: Vector
    orientation: Vector
    spacing: Vector
    thickness: float | None
    step: float | None
    pixels: tuple[Any, ...]
    rescale: tuple[float, float]
    scale_slope: float | None
    kind: tuple[Any, ...]
    component: Component
    echo_time: float | None
    echo_number: int | None
    variant: tuple[Any, ...]
    isotropic: bool
    timing: Timing
    order: tuple[float, ...]
    uid: str

    @property
    def facts(self) -> Facts:
        """The attributes of this slice's frame."""
        return Facts(self.header, self.frame)


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
    return (_slice(header, 0, -1, header.get, _size(header), known=known),)


def _frame_count(header: Header) -> int:
    count = header.get("NumberOfFrames", 1)
    if not isinstance(count, int) or not 0 <= count <= _MAX_FRAMES:
        raise CorruptData(f"Number of Frames is `{count}`", path=header.path)
    return count or 1


def _size(header: Header) -> tuple[int, int]:
    rows, columns = header.get("Rows"), header.get("Columns")
    if not isinstance(rows, int) or not isinstance(columns, int) or not rows or not columns:
        raise CorruptData("Rows or Columns are missing or zero", path=header.path)
    return rows, columns


def _pixels(header: Header) -> tuple[Any, ...]:
    pixels = header.pixel_data
    return (
        header.get("SamplesPerPixel", 1),
        header.get("BitsAllocated"),
        header.get("BitsStored"),
        header.get("PixelRepresentation", 0),
        0 if pixels is None else pixels.tag,
        header.get("PhotometricInterpretation", ""),
    )


def _slice(
    header: Header,
    frame: int,
    tile: int,
    get: Get,
    size: tuple[int, int],
    *,
    known: Components,
    dimensions: tuple[int, ...] | None = None,
    position: Vector | None = None,
    file: int | None = None,
) -> Slice:
    slope, intercept = _number(get("RescaleSlope")), _number(get("RescaleIntercept"))
    if slope is None and header.get("DoseGridScaling") is not None:
        slope = _number(header.get("DoseGridScaling"))
    echo_time = _number(get("EchoTime"))
    image_type = _texts(get("FrameType")) or _texts(get("ImageType"))
    component = _component(header, frame, get, known)
    instance = _integer(get("InstanceNumber"))
    return Slice(
        header=header,
        frame=frame,
        tile=tile,
        rows=size[0],
        columns=size[1],
        position=_vector(header, get, "ImagePositionPatient", 3) if position is None else position,
        orientation=_vector(header, get, "ImageOrientationPatient", 6),
        spacing=_vector(header, get, "PixelSpacing", 2),
        thickness=_number(get("SliceThickness")),
        step=_number(get("SpacingBetweenSlices")),
        pixels=_pixels(header),
        rescale=(1.0 if slope is None or slope == 0 else slope, intercept or 0.0),
        scale_slope=_scale_slope(header, frame),
        kind=(
            "DERIVED" if image_type[:1] == ("DERIVED",) else "ORIGINAL",
            "" if component is Component.MAGNITUDE else component,
            get("FrameOfReferenceUID"),
        ),
        component=component,
        echo_time=echo_time if echo_time is not None else _number(get("EffectiveEchoTime")),
        echo_number=_integer(get("EchoNumbers")),
        variant=_variant(header, image_type),
        isotropic=_is_isotropic(header, get),
        timing=_timing(header, get, dimensions, file),
        order=(instance or 0, frame, tile),
        uid=str(header.get("SOPInstanceUID", "")),
    )


def _scale_slope(header: Header, frame: int) -> float | None:
    if not _is_from(header, "Philips"):
        return None
    slope = header.private(0x2005, _PHILIPS_MR, 0x0E, vr="FL")
    if slope is None:
        slope = Facts(header, frame).private(0x2005, _PHILIPS_MR, 0x0E, "FL")
    return _number(slope) or None


def _timing(
    header: Header, get: Get, dimensions: tuple[int, ...] | None, file: int | None
) -> Timing:
    return Timing(
        dimensions=dimensions,
        temporal=_integer(get("TemporalPositionIdentifier")),
        diffusion=_diffusion(header, get),
        acquisition=_integer(get("AcquisitionNumber")),
        trigger=_number(get("TriggerTime")),
        reference_time=_number(get("FrameReferenceTime")),
        file=file,
    )


def _diffusion(header: Header, get: Get) -> tuple[Any, ...] | None:
    b_value = _number(get("DiffusionBValue"))
    numbers = (None, None)
    if _is_from(header, "Philips"):
        numbers = (
            header.private(0x2005, _PHILIPS, 0x12, vr="IS"),
            header.private(0x2005, _PHILIPS, 0x13, vr="IS"),
        )
    if b_value is None and numbers == (None, None):
        return None
    direction = get("DiffusionGradientOrientation")
    return (*numbers, b_value, direction if isinstance(direction, tuple) else None)


def _component(header: Header, frame: int, get: Get, known: Components) -> Component:
    if header.get("Modality") != "MR":
        return Component.UNKNOWN
    key: tuple[Any, ...] = (
        header.get("Manufacturer"),
        get("FrameType"),
        header.get("ImageType"),
        get("ComplexImageComponent"),
    )
    if _is_from(header, "GE"):
        key += (
            header.private(0x0043, "GEMS_PARM_01", 0x2F),
            header.private(0x0043, "GEMS_PARM_01", 0x30),
            header.private(0x0019, "GEMS_ACQU_01", 0x9C),
        )
    if key not in known:
        known[key] = find_component(Facts(header, frame))
    return known[key]


def _is_isotropic(header: Header, get: Get) -> bool:
    """Whether a slice is a diffusion-weighted one without direction: a trace or mean."""
    b_value = get("DiffusionBValue")
    if not isinstance(b_value, int | float) or b_value <= 0:
        return False
    directionality = get("DiffusionDirectionality")
    if directionality is None and _is_from(header, "Philips"):
        directionality = header.private(0x2001, "Philips Imaging DD 001", 0x04, vr="CS")
    direction = get("DiffusionGradientOrientation")
    return directionality in ("ISOTROPIC", "I") or (
        isinstance(direction, tuple) and not any(direction)
    )


def _variant(header: Header, image_type: tuple[str, ...]) -> tuple[Any, ...]:
    if _is_from(header, "SIEMENS"):
        coil = header.private(0x0051, "SIEMENS MR HEADER", 0x0F, vr="LO")
        return (image_type, coil)
    return (image_type,)


def _is_from(header: Header, name: str) -> bool:
    return str(header.get("Manufacturer", "")).upper().startswith(name.upper())


def _tiles(header: Header, tiling: Tiling, known: Components) -> Iterator[Slice]:
    whole = _slice(
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
    first_is_slowest = _is_from(header, "Bruker")
    for frame in range(count):
        facts = Facts(header, frame)
        values = facts.groups[0].items("FrameContentSequence") if facts.groups else ()
        indices = values[0].get("DimensionIndexValues") if values else None
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
        yield _slice(
            header,
            frame,
            -1,
            facts.get,
            size,
            known=known,
            dimensions=dimensions,
            file=_integer(header.get("InstanceNumber")),
        )


def _plain_frames(header: Header, count: int, known: Components) -> Iterator[Slice]:
    """Frames of a multi-frame file without functional groups: NM, US, XA, secondary capture."""
    size = _size(header)
    detector = header.items("DetectorInformationSequence")
    source = detector[0] if detector else header
    start = source.numbers("ImagePositionPatient") or header.numbers("ImagePositionPatient")
    orientation = source.numbers("ImageOrientationPatient")
    step = header.numbers("SpacingBetweenSlices") or header.numbers("SliceThickness")
    slices = _int_vector(header, "SliceVector", count)
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

    for frame in range(count):
        position: Vector = ()
        if placed:
            # RT Dose may give positions along the z axis in place of offsets, C.8.8.3.2.
            first = 0.0 if offsets[0] == 0 or slices else offsets[0]
            position = _along_normal(start, orientation, offsets[frame] - first)
        yield _slice(
            header,
            frame,
            -1,
            get,
            size,
            known=known,
            position=position,
            dimensions=(volumes[frame],) if volumes else None,
        )


def _int_vector(header: Header, keyword: str, count: int) -> tuple[int, ...]:
    value = header.get(keyword)
    return value if isinstance(value, tuple) and len(value) == count else ()


def _along_normal(start: Vector, orientation: Vector, distance: float) -> Vector:
    a, b, c, d, e, f = orientation
    normal = (b * f - c * e, c * d - a * f, a * e - b * d)
    return tuple(p + distance * n for p, n in zip(start, normal, strict=True))


def _vector(header: Header, get: Get, keyword: str, length: int) -> Vector:
    value = get(keyword)
    if value is None:
        return ()
    if not isinstance(value, tuple) or len(value) != length:
        raise CorruptData(f"{keyword} has not {length} values", path=header.path)
    return tuple(float(part) for part in value)


def _number(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if value else None
    return float(value) if isinstance(value, int | float) else None


def _integer(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) else ()
