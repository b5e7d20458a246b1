"""Sidecar fields that are one attribute each, as tables; `bids` derives the others.

A row names the BIDS field, the attribute (the first that is there, of
several), and a factor into the field's unit; text has none.

Source
------
BIDS specification 1.10, MRI and PET metadata fields; the DICOM tags that it
names for them
"""

from __future__ import annotations

from typing import Any, NamedTuple

from imgconv.dicom.vendors.facts import Facts

__all__ = [
    "COMMON_ROWS",
    "CT_ROWS",
    "MR_ROWS",
    "Row",
    "read_rows",
    "tidy",
]

_MILLISECONDS = 1e-3


class Row(NamedTuple):
    """One field: its name, its attributes' keywords, and the factor for a number.

    `least` is the value that a number must exceed to be written; scanners
    write zero for "not used".
    """

    field: str
    keywords: tuple[str, ...]
    factor: float | None = None
    least: float = 0.0


def _text(field: str, *keywords: str) -> Row:
    return Row(field, keywords or (field,))


def _number(field: str, *keywords: str, factor: float = 1.0, least: float = 0.0) -> Row:
    return Row(field, keywords or (field,), factor, least)


COMMON_ROWS: tuple[Row, ...] = (
    _text("Modality"),
    _text("Manufacturer"),
    _text("ManufacturersModelName", "ManufacturerModelName"),
    _text("InstitutionName"),
    _text("InstitutionalDepartmentName"),
    _text("InstitutionAddress"),
    _text("DeviceSerialNumber"),
    _text("StationName"),
    _text("BodyPart", "BodyPartExamined"),
    _text("PatientPosition"),
    _text("ProcedureStepDescription", "PerformedProcedureStepDescription"),
    _text("SoftwareVersions"),
    _text("StudyDescription"),
    _text("SeriesDescription"),
    _text("ProtocolName"),
    _number("SeriesNumber"),
    _number("AcquisitionNumber"),
    _text("ImageComments"),
    _text("ScanOptions"),
    _number("SliceThickness"),
    _text("ConvolutionKernel"),
)

MR_ROWS: tuple[Row, ...] = (
    _number("MagneticFieldStrength"),
    _text("MRAcquisitionType"),
    _text("ScanningSequence"),
    _text("SequenceVariant"),
    _text("SequenceName", "SequenceName", "PulseSequenceName"),
    _number("SpacingBetweenSlices"),
    _number("SAR"),
    _number("InversionTime", "InversionTime", "InversionTimes", factor=_MILLISECONDS),
    _number("FlipAngle"),
    _number("PercentPhaseFOV", "PercentPhaseFieldOfView"),
    _number("PercentSampling"),
    _text("PartialFourierDirection"),
    _number("FrequencyEncodingSteps", "MRAcquisitionFrequencyEncodingSteps"),
    _number("PhaseEncodingStepsOutOfPlane", "MRAcquisitionPhaseEncodingStepsOutOfPlane"),
    _number("ParallelReductionFactorInPlane"),
    _text("ParallelAcquisitionTechnique"),
    _number("ParallelReductionFactorOutOfPlane"),
    _number("AcquisitionDuration"),
    _number("NumberOfKSpaceTrajectories"),
    _number("PixelBandwidth"),
)

CT_ROWS: tuple[Row, ...] = (
    _number("ExposureTime", "ExposureTime", "ExposureTimeInms", factor=_MILLISECONDS),
    _number("XRayTubeCurrent", "XRayTubeCurrent", "XRayTubeCurrentInmA"),
    _number("XRayExposure", "Exposure", "ExposureInmAs"),
    _number("SpacingBetweenSlices"),
)


def read_rows(facts: Facts, rows: tuple[Row, ...]) -> dict[str, Any]:
    """Return the fields of `rows` that the header has."""
    fields: dict[str, Any] = {}
    for row in rows:
        if row.factor is None:
            text = facts.text(*row.keywords)
            if text:
                fields[row.field] = text
            continue
        number = facts.number(*row.keywords)
        if number is not None and number > row.least:
            fields[row.field] = number * row.factor
    return fields


def tidy(value: Any) -> Any:
    """Return a number without the noise of its binary form, integers as such; lists likewise."""
    if isinstance(value, list | tuple):
        return [tidy(part) for part in value]
    if isinstance(value, float):
        rounded = float(f"{value:.9g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
    return value
