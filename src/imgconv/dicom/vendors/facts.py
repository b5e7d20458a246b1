"""Look attributes up where an object keeps them: functional groups, top level, vendor items.

Enhanced objects hold an attribute once for all frames, or per frame, in
nested functional group macros; Philips repeats the classic attributes in
private items. `Facts` is one frame's view of all of them, `Acquisition` the
frames of one image.

Source
------
PS3.3 C.7.6.16 (multi-frame functional groups), C.8.13.5 (MR macros);
C.8.15.3 (CT macros)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from imgconv.dicom.element_values import decode_value
from imgconv.dicom.header import Header
from imgconv.errors import CorruptData
from imgconv.records import record

__all__ = ["Acquisition", "Facts", "private_items"]

_SHARED = "SharedFunctionalGroupsSequence"
_PER_FRAME = "PerFrameFunctionalGroupsSequence"

# Macro -> attributes that it holds
_MACROS: dict[tuple[str, ...], str] = {
    ("MREchoSequence",): "EffectiveEchoTime",
    ("MRTimingAndRelatedParametersSequence",): (
        "RepetitionTime EchoTrainLength FlipAngle RFEchoTrainLength GradientEchoTrainLength"
    ),
    ("MRModifierSequence",): (
        "InversionRecovery InversionTimes Spoiling T2Preparation ParallelAcquisition "
        "ParallelAcquisitionTechnique ParallelReductionFactorInPlane "
        "ParallelReductionFactorOutOfPlane PartialFourier PartialFourierDirection"
    ),
    ("MRImagingModifierSequence",): (
        "PixelBandwidth MagnetizationTransfer TransmitterFrequency BloodSignalNulling"
    ),
    ("MRReceiveCoilSequence",): "ReceiveCoilName",
    ("MRFOVGeometrySequence",): (
        "InPlanePhaseEncodingDirection PercentSampling PercentPhaseFieldOfView "
        "MRAcquisitionFrequencyEncodingSteps MRAcquisitionPhaseEncodingStepsInPlane "
        "MRAcquisitionPhaseEncodingStepsOutOfPlane"
    ),
    ("MRAveragesSequence",): "NumberOfAverages",
    ("MRImageFrameTypeSequence",): "ComplexImageComponent FrameType AcquisitionContrast",
    ("CTImageFrameTypeSequence",): "FrameType",
    ("MRDiffusionSequence",): ("DiffusionBValue DiffusionDirectionality DiffusionAnisotropyType"),
    (
        "MRDiffusionSequence",
        "DiffusionGradientDirectionSequence",
    ): "DiffusionGradientOrientation",
    ("MRDiffusionSequence", "DiffusionBMatrixSequence"): (
        "DiffusionBValueXX DiffusionBValueXY DiffusionBValueXZ "
        "DiffusionBValueYY DiffusionBValueYZ DiffusionBValueZZ"
    ),
    ("MRArterialSpinLabelingSequence",): (
        "ASLTechniqueDescription ASLContext ASLCrusherFlag ASLBolusCutoffFlag"
    ),
    ("MRArterialSpinLabelingSequence", "ASLSlabSequence"): "ASLPulseTrainDuration ASLSlabThickness",
    ("MRArterialSpinLabelingSequence", "ASLBolusCutoffTimingSequence"): (
        "ASLBolusCutoffTechnique ASLBolusCutoffDelayTime"
    ),
    ("FrameContentSequence",): (
        "FrameAcquisitionDateTime FrameReferenceDateTime FrameAcquisitionDuration "
        "TemporalPositionIndex InStackPositionNumber FrameAcquisitionNumber FrameComments"
    ),
    ("PlanePositionSequence",): "ImagePositionPatient",
    ("PlaneOrientationSequence",): "ImageOrientationPatient",
    ("PixelMeasuresSequence",): "SliceThickness SpacingBetweenSlices PixelSpacing",
    ("PixelValueTransformationSequence",): "RescaleSlope RescaleIntercept RescaleType",
    ("CardiacSynchronizationSequence",): "NominalCardiacTriggerDelayTime",
    ("CTReconstructionSequence",): "ConvolutionKernel",
    ("CTExposureSequence",): "ExposureTimeInms XRayTubeCurrentInmA ExposureInmAs",
    ("RealWorldValueMappingSequence",): "RealWorldValueSlope RealWorldValueIntercept",
}
_PATHS: dict[str, tuple[tuple[str, ...], ...]] = {}
for _path, _names in _MACROS.items():
    for _name in _names.split():
        _PATHS[_name] = (*_PATHS.get(_name, ()), _path)

# Philips keeps a copy of classic attributes in private items: shared, per frame.
_PHILIPS_CREATORS = ("Philips MR Imaging DD 005", "Philips MR Imaging DD 004")
# Where the vendors' software puts a block, if it is not the first one.
_USUAL_BLOCKS = {
    "Philips MR Imaging DD 004": 0x13,
    "Philips MR Imaging DD 005": 0x14,
    "SIEMENS MR SDI 02": 0x11,
}
_PHILIPS_SHARED_ITEM = 0x0E
_PHILIPS_FRAME_ITEM = 0x0F


class Facts:
    """The attributes of one frame, wherever the object keeps them.

    Parameters
    ----------
    header
        The data set.
    frame
        0-based frame of a multi-frame object.
    """

    def __init__(self, header: Header, frame: int = 0) -> None:
        self.header = header
        self.frame = frame

    @cached_property
    def groups(self) -> tuple[Header, ...]:
        """The items of functional groups for this frame: its own, then the shared one."""
        own = self.header.items(_PER_FRAME)
        shared = self.header.items(_SHARED)
        mine = own[self.frame : self.frame + 1]
        return (*mine, *shared[:1])

    @cached_property
    def _nested(self) -> tuple[Header, ...]:
        """The private items in which Philips repeats classic attributes."""
        found: list[Header] = []
        for holder in (*self.groups, self.header):
            for creator in _PHILIPS_CREATORS:
                for element in (_PHILIPS_FRAME_ITEM, _PHILIPS_SHARED_ITEM):
                    found += private_items(holder, 0x2005, creator, element)[:1]
        return tuple(found)

    def get(self, keyword: str) -> Any:
        """Return a standard attribute's value as `Header.get` does, None if there is none."""
        for path in _PATHS.get(keyword, ()) if self.groups else ():
            for group in self.groups:
                value = _follow(group, path, keyword)
                if value is not None:
                    return value
        value = self.header.get(keyword)
        if value is None:
            for item in self._nested:
                value = item.get(keyword)
                if value is not None:
                    return value
        return value

    def private(self, group: int, creator: str, element: int, vr: str) -> Any:
        """Return a private attribute's value, at the top level or in this frame's items."""
        for holder in (self.header, *self.groups, *self._nested):
            value = _private(holder, group, creator, element, vr)
            if value is not None:
                return value
        return _orphan(self.header, group, creator, element, vr)

    def text(self, *keywords: str) -> str:
        """Return the first of these attributes that is there, values joined by backslashes."""
        for keyword in keywords:
            text = _to_text(self.get(keyword))
            if text:
                return text
        return ""

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return the values of an attribute as texts; empty if there are none."""
        return tuple(str(value) for value in _as_tuple(self.get(keyword)))

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the values of an attribute as finite numbers; empty if there are none."""
        return _to_numbers(self.get(keyword))

    def number(self, *keywords: str) -> float | None:
        """Return the first value of the first of these attributes that is there."""
        for keyword in keywords:
            numbers = self.numbers(keyword)
            if numbers:
                return numbers[0]
        return None

    def private_numbers(self, group: int, creator: str, element: int, vr: str) -> tuple[float, ...]:
        """Return a private attribute's values as finite numbers; empty if there are none."""
        return _to_numbers(self.private(group, creator, element, vr))

    def private_number(self, group: int, creator: str, element: int, vr: str) -> float | None:
        """Return a private attribute's first value as a number."""
        numbers = self.private_numbers(group, creator, element, vr)
        return numbers[0] if numbers else None

    def private_text(self, group: int, creator: str, element: int, vr: str = "LO") -> str:
        """Return a private attribute's values joined by backslashes, empty if there are none."""
        return _to_text(self.private(group, creator, element, vr))


def private_items(header: Header, group: int, creator: str, element: int) -> tuple[Header, ...]:
    """Return the items of a private sequence; empty if it is missing or damaged."""
    items = _private(header, group, creator, element, "SQ")
    if isinstance(items, tuple) and items and isinstance(items[0], Header):
        return items
    return ()


def _private(header: Header, group: int, creator: str, element: int, vr: str) -> Any:
    """Return a private value; a damaged one counts as missing, for it is never essential."""
    try:
        return header.private(group, creator, element, vr=vr)
    except CorruptData:
        return None


def _orphan(header: Header, group: int, creator: str, element: int, vr: str) -> Any:
    """Return a private value whose creator some de-identifier removed, from its usual block."""
    block = _USUAL_BLOCKS.get(creator, 0x10)
    if (group << 16 | block) in header:
        return None
    tag = group << 16 | block << 8 | element
    value = header.get(tag)
    if isinstance(value, bytes) and vr not in ("OB", "SQ"):
        value = decode_value(vr, value, big_endian=False, charset="")
    return value


def _follow(item: Header, path: tuple[str, ...], keyword: str) -> Any:
    for sequence in path:
        items = item.items(sequence)
        if not items:
            return None
        item = items[0]
    return item.get(keyword)


def _as_tuple(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _to_text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.split(b"\0", 1)[0].decode("latin-1").strip()
    return "\\".join(str(part) for part in _as_tuple(value))


def _to_numbers(value: Any) -> tuple[float, ...]:
    numbers = []
    for part in _as_tuple(value):
        try:
            number = float(part)
        except (TypeError, ValueError):
            return ()
        if not math.isfinite(number):
            return ()
        numbers.append(number)
    return tuple(numbers)


@record(slots=False)
class Acquisition:
    """The frames of one image, in the order of its array.

    Parameters
    ----------
    frames
        ``frames[t][k]``: volume, slice. A mosaic or grid, in which one frame
        holds all slices, has a single entry per volume.
    size_ijk
        Columns, rows and slices of a volume.
    tiles
        Of a mosaic or grid, the number of the tile that each slice of the
        array was; empty if slice k was tile k.
    earliest
        The frame that was acquired first, where the caller knows it: finding
        it means to read all headers.
    is_scaled_alike
        Whether all frames share rescale and Philips' scale slope; None if
        the caller does not know.
    """

    frames: tuple[tuple[Facts, ...], ...]
    size_ijk: tuple[int, int, int]
    tiles: tuple[int, ...] = ()
    earliest: Facts | None = None
    is_scaled_alike: bool | None = None

    @cached_property
    def first(self) -> Facts:
        """The frame that was acquired first, by the order of the instances."""
        if self.earliest is not None:
            return self.earliest
        return min(self.iter_frames(), key=_instance_key)

    @property
    def slice_count(self) -> int:
        """How many slices a volume has."""
        return self.size_ijk[2]

    @property
    def is_tiled(self) -> bool:
        """Whether one frame holds all slices of a volume."""
        return self.slice_count > 1 and all(len(volume) == 1 for volume in self.frames)

    def in_array_order(self, of_tiles: tuple[float, ...]) -> tuple[float, ...]:
        """Return values that are one per tile in the order of the array's slices."""
        if len(self.tiles) == self.slice_count and max(self.tiles) < len(of_tiles):
            return tuple(of_tiles[tile] for tile in self.tiles)
        return of_tiles

    def iter_frames(self) -> Iterator[Facts]:
        """Yield all frames, volume by volume."""
        for volume in self.frames:
            yield from volume


def _instance_key(facts: Facts) -> tuple[float, int]:
    return (facts.header.numbers("InstanceNumber") or (0.0,))[0], facts.frame
