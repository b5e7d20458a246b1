"""Fields of a BIDS sidecar as DICOM attributes.

Only fields whose DICOM counterpart has the same meaning are in the table.
What describes the grid of the pixels (spacing, orientation, slice timing) is
left to the image itself.

Source: BIDS 1.10, MR and PET metadata fields; dcm2niix's names beside them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imgconv.errors import CorruptData

__all__ = ["attributes_of_sidecar", "find_sidecar", "per_volume_of_sidecar", "read_sidecar"]

_MAX_SIDECAR_BYTES = 16 << 20  # a sidecar is text about one image; larger ones are hostile


def _same(value: Any) -> Any:
    return value


def _ms(value: Any) -> Any:
    """Seconds of BIDS to milliseconds of DICOM, without the noise of binary fractions."""
    return round(float(value) * 1000, 9)


def _codes(value: Any) -> Any:
    r"""Split ``EP_IR`` or ``EP\\IR`` into values."""
    return re.split(r"[_\\]", value) if isinstance(value, str) else value


def _mega(value: Any) -> Any:
    return round(float(value) * 1e6, 3)


def _units(value: Any) -> Any:
    return {"bq/ml": "BQML", "bqml": "BQML", "cnts": "CNTS", "g/ml": "GML"}.get(
        str(value).lower(), "NONE"
    )


# BIDS or dcm2niix field -> (DICOM keyword, conversion).
_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "Modality": ("Modality", _same),
    "Manufacturer": ("Manufacturer", _same),
    "ManufacturersModelName": ("ManufacturerModelName", _same),
    "DeviceSerialNumber": ("DeviceSerialNumber", _same),
    "SoftwareVersions": ("SoftwareVersions", _same),
    "StationName": ("StationName", _same),
    "InstitutionName": ("InstitutionName", _same),
    "InstitutionAddress": ("InstitutionAddress", _same),
    "InstitutionalDepartmentName": ("InstitutionalDepartmentName", _same),
    "PatientName": ("PatientName", _same),
    "PatientID": ("PatientID", _same),
    "PatientBirthDate": ("PatientBirthDate", _same),
    "PatientSex": ("PatientSex", _same),
    "PatientAge": ("PatientAge", _same),
    "PatientSize": ("PatientSize", _same),
    "PatientWeight": ("PatientWeight", _same),
    "PatientPosition": ("PatientPosition", _same),
    "StudyInstanceUID": ("StudyInstanceUID", _same),
    "StudyID": ("StudyID", _same),
    "StudyDate": ("StudyDate", _same),
    "StudyTime": ("StudyTime", _same),
    "AccessionNumber": ("AccessionNumber", _same),
    "ReferringPhysicianName": ("ReferringPhysicianName", _same),
    "StudyDescription": ("StudyDescription", _same),
    "SeriesDescription": ("SeriesDescription", _same),
    "SeriesNumber": ("SeriesNumber", _same),
    "ProtocolName": ("ProtocolName", _same),
    "ProcedureStepDescription": ("PerformedProcedureStepDescription", _same),
    "BodyPart": ("BodyPartExamined", _same),
    "BodyPartExamined": ("BodyPartExamined", _same),
    "AcquisitionDate": ("AcquisitionDate", _same),
    "AcquisitionTime": ("AcquisitionTime", _same),
    "AcquisitionDateTime": ("AcquisitionDateTime", _same),
    "AcquisitionNumber": ("AcquisitionNumber", _same),
    "ImageComments": ("ImageComments", _same),
    "SliceThickness": ("SliceThickness", _same),
    # MR
    "MagneticFieldStrength": ("MagneticFieldStrength", _same),
    "ImagingFrequency": ("ImagingFrequency", _same),
    "ImagedNucleus": ("ImagedNucleus", _same),
    "MRAcquisitionType": ("MRAcquisitionType", _same),
    "ScanningSequence": ("ScanningSequence", _codes),
    "SequenceVariant": ("SequenceVariant", _codes),
    "ScanOptions": ("ScanOptions", _codes),
    "SequenceName": ("SequenceName", _same),
    "PulseSequenceName": ("PulseSequenceName", _same),
    "EchoTime": ("EchoTime", _ms),
    "EchoNumber": ("EchoNumbers", _same),
    "RepetitionTime": ("RepetitionTime", _ms),
    "InversionTime": ("InversionTime", _ms),
    "FlipAngle": ("FlipAngle", _same),
    "EchoTrainLength": ("EchoTrainLength", _same),
    "PixelBandwidth": ("PixelBandwidth", _same),
    "NumberOfAverages": ("NumberOfAverages", _same),
    "PercentPhaseFOV": ("PercentPhaseFieldOfView", _same),
    "PercentSampling": ("PercentSampling", _same),
    "PhaseEncodingSteps": ("NumberOfPhaseEncodingSteps", _same),
    "SAR": ("SAR", _same),
    "ReceiveCoilName": ("ReceiveCoilName", _same),
    "TransmitCoilName": ("TransmitCoilName", _same),
    # CT
    "KVP": ("KVP", _same),
    "ConvolutionKernel": ("ConvolutionKernel", _same),
    "ExposureTime": ("ExposureTime", lambda value: round(float(value) * 1000)),
    "XRayTubeCurrent": ("XRayTubeCurrent", _same),
    "XRayExposure": ("Exposure", _same),
    "ReconstructionDiameter": ("ReconstructionDiameter", _same),
    "GantryDetectorTilt": ("GantryDetectorTilt", _same),
    # PET
    "Units": ("Units", _units),
    "ReconMethodName": ("ReconstructionMethod", _same),
    "DecayCorrection": ("DecayCorrection", _same),
    "AttenuationCorrectionMethod": ("AttenuationCorrectionMethod", _same),
    "ScatterCorrectionMethod": ("ScatterCorrectionMethod", _same),
    "RandomsCorrectionMethod": ("RandomsCorrectionMethod", _same),
}

# Within RadiopharmaceuticalInformationSequence.
_TRACER_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "TracerName": ("Radiopharmaceutical", _same),
    "Radiopharmaceutical": ("Radiopharmaceutical", _same),
    "InjectedRadioactivity": ("RadionuclideTotalDose", _mega),  # MBq to Bq
    "RadionuclideTotalDose": ("RadionuclideTotalDose", _same),
    "RadionuclideHalfLife": ("RadionuclideHalfLife", _same),
    "RadionuclidePositronFraction": ("RadionuclidePositronFraction", _same),
}

# BIDS lists with one entry per volume.
_PER_VOLUME_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "FrameTimesStart": ("FrameReferenceTime", _ms),
    "FrameDuration": ("ActualFrameDuration", lambda value: round(float(value) * 1000)),
    "DecayFactor": ("DecayFactor", _same),
}


def find_sidecar(source: Path) -> Path | None:
    """Return the JSON file beside an image file (``a.nii.gz`` -> ``a.json``), None if none."""
    stem = source.name
    for extension in (".gz", ".nii", ".img", ".hdr", ".nrrd", ".nhdr", ".seg", ".mha", ".mhd"):
        stem = stem.removesuffix(extension)
    candidate = source.with_name(f"{stem}.json")
    return candidate if candidate != source and candidate.is_file() else None


def read_sidecar(path: Path) -> Mapping[str, Any]:
    """Return a sidecar's fields.

    Raises
    ------
    CorruptData
        It is no JSON object, or cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_SIDECAR_BYTES:
            raise CorruptData("the sidecar is larger than 16 MiB", path=path)
        fields = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptData("the sidecar is not readable JSON", path=path) from error
    if not isinstance(fields, dict):
        raise CorruptData("the sidecar is not a JSON object", path=path)
    return fields


def attributes_of_sidecar(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return DICOM keyword -> value for the fields that have a counterpart.

    Values are converted to DICOM's units, but not yet checked against VRs.
    A list where DICOM has one value is left out: it is per volume.
    """
    found = dict(_translate(fields, _FIELDS))
    tracer = dict(_translate(fields, _TRACER_FIELDS))
    if tracer:
        found["RadiopharmaceuticalInformationSequence"] = [tracer]
    image_type = fields.get("ImageType")
    if isinstance(image_type, list) and len(image_type) >= 3:
        found["ImageType"] = [str(value) for value in image_type]
    return found


def per_volume_of_sidecar(fields: Mapping[str, Any], volumes: int) -> dict[str, tuple[Any, ...]]:
    """Return DICOM keyword -> one value per volume, from lists of that length."""
    found = {}
    for field, (keyword, convert) in _PER_VOLUME_FIELDS.items():
        value = fields.get(field)
        if isinstance(value, list) and len(value) == volumes:
            try:
                found[keyword] = tuple(convert(one) for one in value)
            except (TypeError, ValueError):
                continue
    return found


def _translate(
    fields: Mapping[str, Any], table: Mapping[str, tuple[str, Callable[[Any], Any]]]
) -> list[tuple[str, Any]]:
    found = []
    for field, (keyword, convert) in table.items():
        value = fields.get(field)
        if value is None or (isinstance(value, list) and convert is not _codes):
            continue
        try:
            found.append((keyword, convert(value)))
        except (TypeError, ValueError):
            # `inf`, text where a number belongs: kept as it is, the check of the VR reports it.
            found.append((keyword, value))
    return found
