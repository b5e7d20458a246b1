"""Split a multi-frame object into single-frame instances of the classic IODs.

Functional groups become the attributes that classic objects have for the same
thing; what Legacy Converted objects keep as unassigned comes back as it was.
Frames keep their bytes.

Source
------
PS3.3 A.36, A.38, A.56, A.70 to A.72 (enhanced objects), C.7.6.16 (functional groups);
C.8.2.1, C.8.3.1, C.8.9.4 (classic image modules)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag

from imgconv.dicom.foreign import PYDICOM_ERRORS
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import read_header
from imgconv.dicom.repair.uids import uid_for
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["SPLIT_CLASSES", "split_frames"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Multi-frame SOP class -> single-frame SOP class.
SPLIT_CLASSES = {
    _STORAGE + multi: _STORAGE + single
    for multi, single in {
        "2.1": "2", "2.2": "2", "4.1": "4", "4.3": "4", "4.4": "4", "128.1": "128", "130": "128",
        "3.1": "6.1", "7.2": "7", "7.3": "7", "7.4": "7",
    }.items()
}  # fmt: skip
_MR, _ENHANCED_MR, _LEGACY_MR = _STORAGE + "4", _STORAGE + "4.1", _STORAGE + "4.4"
# Complex Image Component, Acquisition Contrast: legacy converted frames do not have their own.
_MR_DESCRIPTION = frozenset({Tag(0x00089208), Tag(0x00089209)})
# What belongs to the object as a whole and not to one frame of it.
_DROPPED = frozenset(
    Tag(tag)
    for tag in (
        0x00280008, 0x52009229, 0x52009230, 0x00209221, 0x00209222, 0x00209311, 0x00281054,
        0x7FE00001, 0x7FE00002, 0x7FE00010, 0x00280009, 0x00189004, 0x00089205, 0x00089206,
        0x00089207, 0x00089208, 0x00089209, 0x00081115, 0x00081200, 0x00089092, 0x00200013,
    )
)  # fmt: skip
# Per-frame macros that say how frames are arranged, or where they came from.
_ARRANGEMENT = frozenset(Tag(tag) for tag in (0x00209172, 0x00089215, 0x00082112))
_ARRANGEMENT_ATTRIBUTES = frozenset({"StackID", "InStackPositionNumber", "DimensionIndexValues"})
# Attribute of a functional group -> the classic attribute with the same meaning and unit.
_RENAMED = {
    "FrameType": "ImageType",
    "FrameAcquisitionNumber": "AcquisitionNumber",
    "TemporalPositionIndex": "TemporalPositionIdentifier",
    "FrameComments": "ImageComments",
    "NominalCardiacTriggerDelayTime": "TriggerTime",
    "EffectiveEchoTime": "EchoTime",
    "ExposureTimeInms": "ExposureTime",
    "XRayTubeCurrentInmA": "XRayTubeCurrent",
    "ExposureInmAs": "Exposure",
    "TransmitterFrequency": "ImagingFrequency",
    "FrameLaterality": "ImageLaterality",
    "ResonantNucleus": "ImagedNucleus",
}
_INTEGERS = frozenset({"ExposureTime", "XRayTubeCurrent", "Exposure"})


def split_frames(path: Path) -> Iterator[Dataset]:
    """Yield one data set per frame, in the order of the frames, ready to be saved.

    Parameters
    ----------
    path
        A file of one of `SPLIT_CLASSES`.

    Raises
    ------
    UnsupportedData
        The SOP class has no single-frame counterpart.
    CorruptData
        Frames and functional groups do not fit each other.
    """
    source = _read_whole(path)
    single = SPLIT_CLASSES.get(str(source.get("SOPClassUID", "")))
    if single is None:
        raise UnsupportedData("the SOP class has no single-frame counterpart", path=path)
    for keyword in ("SeriesInstanceUID", "SOPInstanceUID"):
        if not source.get(keyword):
            raise CorruptData(
                f"{keyword} is missing, which the frames' own is made of",
                path=path,
                hint="mend it first by `imgconv standardize` without `--split`",
            )
    reader = FrameReader.from_header(read_header(path))
    groups = list(source.get("PerFrameFunctionalGroupsSequence", ()))
    if groups and len(groups) != reader.frame_count:
        raise CorruptData(
            f"`{len(groups)}` items of per-frame functional groups; expected {reader.frame_count}",
            path=path,
        )
    shared = list(source.get("SharedFunctionalGroupsSequence", ()))
    base = _base(source, single)
    for number in range(reader.frame_count):
        frame = deepcopy(base)
        for group in (*shared, *groups[number : number + 1]):
            _take_groups(frame, group)
        _finish(frame, source, number)
        _add_pixels(frame, source, reader, number)
        yield frame


def _read_whole(path: Path) -> Dataset:
    """Read a file and decode all values: those that are damaged raise later else."""
    try:
        source = dcmread(path)
        for _ in source.iterall():
            pass
    except PYDICOM_ERRORS as error:
        raise CorruptData(f"cannot be read: {type(error).__name__}", path=path) from error
    return source


def _base(source: Dataset, single: str) -> Dataset:
    base = Dataset()
    is_legacy = source.SOPClassUID == _LEGACY_MR
    for element in source:
        if element.tag not in _DROPPED or (is_legacy and element.tag in _MR_DESCRIPTION):
            base.add(deepcopy(element))
    base.SOPClassUID = single
    base.SeriesInstanceUID = uid_for("split series", str(source.SeriesInstanceUID), single)
    if single == _MR:
        _add_mr_sequence(base, source)
    return base


def _take_groups(frame: Dataset, groups: Dataset) -> None:
    for macro in groups:
        if macro.tag.is_private:
            frame.add(deepcopy(macro))
            continue
        if macro.tag in _ARRANGEMENT or macro.VR != "SQ" or not macro.value:
            continue
        special = _SPECIAL.get(macro.keyword)
        if special is not None:
            special(frame, macro.value[0])
        else:
            for element in macro.value[0]:
                _take(frame, element)


def _take(frame: Dataset, element: DataElement) -> None:
    keyword = element.keyword
    if keyword in _ARRANGEMENT_ATTRIBUTES:
        return
    if keyword == "FrameAcquisitionDateTime":
        _set_date_time(frame, str(element.value))
        return
    name = _RENAMED.get(keyword)
    if name is None:
        frame.add(deepcopy(element))
    elif element.value is not None and element.value != "":
        value = element.value
        if keyword == "FrameType" and len(value) == 4 and value[3] == "NONE":
            # Value 4 of enhanced objects says "not derived"; classic ones leave it out.
            value = list(value[:3])
        setattr(frame, name, round(float(value)) if name in _INTEGERS else value)


def _set_date_time(frame: Dataset, value: str) -> None:
    """Split a date time into Acquisition Date and Acquisition Time."""
    stem = value.partition("+")[0].partition("-")[0]
    if len(stem) >= 8:
        frame.AcquisitionDate = stem[:8]
    if len(stem) > 8:
        frame.AcquisitionTime = stem[8:]


def _take_unassigned(frame: Dataset, item: Dataset) -> None:
    """Put back what a conversion to an enhanced object could not assign."""
    for element in item:
        frame.add(deepcopy(element))


def _take_diffusion(frame: Dataset, item: Dataset) -> None:
    for keyword in ("DiffusionBValue", "DiffusionDirectionality"):
        if keyword in item:
            frame.add(deepcopy(item[keyword]))
    for direction in item.get("DiffusionGradientDirectionSequence", ()):
        if "DiffusionGradientOrientation" in direction:
            frame.add(deepcopy(direction["DiffusionGradientOrientation"]))


def _take_mr_geometry(frame: Dataset, item: Dataset) -> None:
    for element in item:
        _take(frame, element)
    # PS3.3 C.8.13.5.3 has COLUMN, C.8.3.1 has COL.
    if frame.get("InPlanePhaseEncodingDirection") == "COLUMN":
        frame.InPlanePhaseEncodingDirection = "COL"


def _take_mr_modifier(frame: Dataset, item: Dataset) -> None:
    for element in item:
        _take(frame, element)
    times = item.get("InversionTimes")
    if item.get("InversionRecovery") != "YES":
        frame.pop("InversionTime", None)
        return
    # PS3.3 C.8.3.1: Inversion Time goes with the Scanning Sequence IR.
    scanning = frame.get("ScanningSequence") or []
    known = [scanning] if isinstance(scanning, str) else list(scanning)
    frame.ScanningSequence = known if "IR" in known else [*known, "IR"]
    if times is not None:
        frame.InversionTime = float(times if isinstance(times, float | int) else times[0])


_SPECIAL: dict[str, Callable[[Dataset, Dataset], None]] = {
    "UnassignedSharedConvertedAttributesSequence": _take_unassigned,
    "UnassignedPerFrameConvertedAttributesSequence": _take_unassigned,
    "MRDiffusionSequence": _take_diffusion,
    "MRFOVGeometrySequence": _take_mr_geometry,
    "MRModifierSequence": _take_mr_modifier,
}
# Echo Pulse Sequence (C.8.13.4) -> Scanning Sequence (C.8.3.1.1.2).
_SCANNING = {"SPIN": ["SE"], "GRADIENT": ["GR"], "BOTH": ["SE", "GR"]}
# Attribute -> (the value that means no, Sequence Variant if it is another).
_VARIANTS = {
    "SegmentedKSpaceTraversal": ("SINGLE", "SK"),
    "MagnetizationTransfer": ("NONE", "MTC"),
    "SteadyStatePulseSequence": ("NONE", "SS"),
    "Spoiling": ("NONE", "SP"),
    "OversamplingPhase": ("NONE", "OSP"),
}


def _add_mr_sequence(base: Dataset, source: Dataset) -> None:
    """Say in the classic terms what the pulse sequence module says."""
    if "ScanningSequence" not in base:
        scanning = list(_SCANNING.get(str(source.get("EchoPulseSequence", "")), []))
        if source.get("EchoPlanarPulseSequence") == "YES":
            scanning.append("EP")
        if scanning:
            base.ScanningSequence = scanning
    if "SequenceVariant" not in base and any(name in source for name in _VARIANTS):
        variants = [
            variant
            for name, (no, variant) in _VARIANTS.items()
            if str(source.get(name, no)) not in (no, "")
        ]
        base.SequenceVariant = variants or ["NONE"]


def _finish(frame: Dataset, source: Dataset, number: int) -> None:
    frame.SOPInstanceUID = uid_for("split frame", str(source.SOPInstanceUID), str(number))
    if "InstanceNumber" not in frame:
        frame.InstanceNumber = number + 1
    rescale = (frame.get("RescaleSlope"), frame.get("RescaleIntercept"))
    if source.SOPClassUID == _ENHANCED_MR and rescale == (1, 0):
        # Enhanced MR must have a rescale, the classic image has none unless it says something.
        for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
            frame.pop(keyword, None)
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    reference.ReferencedFrameNumber = number + 1
    frame.SourceImageSequence = [reference]


def _add_pixels(frame: Dataset, source: Dataset, reader: FrameReader, number: int) -> None:
    syntax = source.file_meta.TransferSyntaxUID
    data = reader.raw(number)
    frame.file_meta = deepcopy(source.file_meta)
    for keyword in ("MediaStorageSOPClassUID", "MediaStorageSOPInstanceUID"):
        setattr(frame.file_meta, keyword, frame[keyword.removeprefix("MediaStorage")].value)
    value: Any = encapsulate([data]) if syntax.is_encapsulated else data
    if len(value) % 2:
        value += b"\0"
    vr = "OB" if syntax.is_encapsulated else source["PixelData"].VR
    frame.add(DataElement(0x7FE00010, vr, value, is_undefined_length=syntax.is_encapsulated))
