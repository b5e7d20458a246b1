"""One slice of a volume with the facts by which slices are grouped and ordered.

A slice is a whole single-frame file, one frame of a multi-frame file, or one
tile of a mosaic. Values come from where the object keeps them: top level or
functional groups.

Source
------
PS3.3 C.7.6.2 (Image Plane), C.8.3.1 (MR Image), C.8.13.5 (MR macros)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imgconv.dicom.header import Header
from imgconv.dicom.modality import modality_of
from imgconv.dicom.vendors.component import Component, find_component
from imgconv.dicom.vendors.facts import Facts
from imgconv.errors import CorruptData
from imgconv.records import record
from imgconv.standard.elements import find_tag

__all__ = ["PLAIN_KEYWORDS", "Components", "Slice", "Timing", "is_from", "make_slice", "to_integer"]

Vector = tuple[float, ...]
Get = Callable[[str], Any]
# What was found out before: attributes that decide -> component
Components = dict[tuple[Any, ...], Component]

_PHILIPS = "Philips MR Imaging DD 005"
_PHILIPS_MR = "Philips MR Imaging DD 001"
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
    "FlipAngle",
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


@record
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


@record
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
        full image type, coil, flip angle, number of the echo.
    timing
        See the class.
    order
        Sorts slices as the scanner numbered them.
    uid
        SOP Instance UID of the file.
    stack
        Stack ID of an enhanced object's frame, else empty.
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
    stack: str = ""

    @property
    def facts(self) -> Facts:
        """The attributes of this slice's frame."""
        return Facts(self.header, self.frame)


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


_PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.30"


def make_slice(
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
    stack: str = "",
) -> Slice:
    """Return the slice that is one frame of a file.

    Parameters
    ----------
    header, frame, tile
        See `Slice`.
    get
        Gives an attribute of the frame.
    size
        Rows and columns.
    known
        What was found out before, filled.
    dimensions, position, file, stack
        Where they are not found by `get`.

    Raises
    ------
    CorruptData
        Position, orientation or spacing cannot be read.
    """
    slope = _readable(header, get, "RescaleSlope")
    intercept = _readable(header, get, "RescaleIntercept")
    if header.get("SOPClassUID") == _PARAMETRIC_MAP:
        # Its rescale is the identity by definition, the meaning stands here; PS3.3 C.8.23.2.
        slope = _number(get("RealWorldValueSlope"))
        intercept = _number(get("RealWorldValueIntercept"))
    if slope is None and header.get("DoseGridScaling") is not None:
        slope = _number(header.get("DoseGridScaling"))
    echo_time = _number(get("EchoTime"))
    image_type = _texts(get("FrameType")) or _texts(get("ImageType"))
    component = _component(header, frame, get, known)
    instance = to_integer(get("InstanceNumber"))
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
        echo_number=to_integer(get("EchoNumbers")),
        variant=_variant(header, get, image_type),
        isotropic=_is_isotropic(header, get),
        timing=_timing(header, get, dimensions, file),
        order=(instance or 0, frame, tile),
        uid=str(header.get("SOPInstanceUID") or header.get("MediaStorageSOPInstanceUID", "")),
        stack=stack,
    )


def _scale_slope(header: Header, frame: int) -> float | None:
    if not is_from(header, "Philips"):
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
        temporal=to_integer(get("TemporalPositionIdentifier")),
        diffusion=_diffusion(header, get),
        acquisition=to_integer(get("AcquisitionNumber")),
        trigger=_number(get("TriggerTime")),
        reference_time=_number(get("FrameReferenceTime")),
        file=file,
    )


def _diffusion(header: Header, get: Get) -> tuple[Any, ...] | None:
    b_value = _number(get("DiffusionBValue"))
    numbers = (None, None)
    if is_from(header, "Philips"):
        numbers = (
            header.private(0x2005, _PHILIPS, 0x12, vr="IS"),
            header.private(0x2005, _PHILIPS, 0x13, vr="IS"),
        )
    if b_value is None and numbers == (None, None):
        return None
    direction = get("DiffusionGradientOrientation")
    return (*numbers, b_value, direction if isinstance(direction, tuple) else None)


def _component(header: Header, frame: int, get: Get, known: Components) -> Component:
    if modality_of(header) != "MR":
        return Component.UNKNOWN
    key: tuple[Any, ...] = (
        header.get("Manufacturer"),
        get("FrameType"),
        header.get("ImageType"),
        get("ComplexImageComponent"),
    )
    if is_from(header, "GE"):
        key += (
            header.private(0x0043, "GEMS_PARM_01", 0x2F),
            header.private(0x0043, "GEMS_PARM_01", 0x30),
            header.private(0x0019, "GEMS_ACQU_01", 0x9C),
            header.private(0x0019, "GEMS_ACQU_01", 0x9E),
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
    if directionality is None and is_from(header, "Philips"):
        directionality = header.private(0x2001, "Philips Imaging DD 001", 0x04, vr="CS")
    direction = get("DiffusionGradientOrientation")
    return directionality in ("ISOTROPIC", "I") or (
        isinstance(direction, tuple) and not any(direction)
    )


def _variant(header: Header, get: Get, image_type: tuple[str, ...]) -> tuple[Any, ...]:
    if modality_of(header) != "MR":
        return (image_type,)
    coil = None
    if is_from(header, "SIEMENS"):
        coil = header.private(0x0051, "SIEMENS MR HEADER", 0x0F, vr="LO")
    return (image_type, coil, _number(get("FlipAngle")), to_integer(get("EchoNumbers")))


def is_from(header: Header, name: str) -> bool:
    """Whether the manufacturer's name begins with `name`, whatever the case."""
    return str(header.get("Manufacturer", "")).upper().startswith(name.upper())


def _vector(header: Header, get: Get, keyword: str, length: int) -> Vector:
    value = get(keyword)
    if value is None:
        _require_absent(header, keyword)
        return ()
    if not isinstance(value, tuple) or len(value) != length:
        raise CorruptData(f"{keyword} has not {length} values", path=header.path)
    return tuple(float(part) for part in value)


def _readable(header: Header, get: Get, keyword: str) -> float | None:
    """Return a number, None if it is absent; what is there has to be readable."""
    number = _number(get(keyword))
    if number is None:
        _require_absent(header, keyword)
    return number


def _require_absent(header: Header, keyword: str) -> None:
    raw = header.raw(find_tag(keyword) or 0)
    if raw is not None and raw.strip(b"\0 \\"):
        raise CorruptData(f"{keyword} cannot be read as numbers", path=header.path)


def _number(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if value else None
    return float(value) if isinstance(value, int | float) else None


def to_integer(value: Any) -> int | None:
    """Return the first of an attribute's values as an integer, None if there is none."""
    number = _number(value)
    return None if number is None else int(number)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return (value,) if isinstance(value, str) else ()
