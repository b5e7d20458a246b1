"""The objects that imgconv writes, one row each; it imports nothing heavy."""

from __future__ import annotations

from imgconv.errors import UsageError
from imgconv.records import record

__all__ = ["EQUIPMENT", "OBJECTS", "SERIES_OF_IMAGES", "ObjectSpec", "get_object"]


@record
class ObjectSpec:
    """One kind of DICOM object that an image can become.

    ``check(job: Job) -> tuple[Loss, ...]`` says what it cannot hold, and raises
    what it never can; ``build(job: Job) -> Iterator[Instance]`` makes the files.

    Parameters
    ----------
    name
        What ``--as`` calls it.
    count
        ``count(job: Job) -> int``, the number of files of a series; empty, or 0
        of it: one file.
    modality
        The one Modality that it can have, empty for any.
    own
        Keywords that the object says of itself unless the user does: they are
        never taken over from a reference or from the images.
    """

    name: str
    title: str
    check: str
    build: str
    modality: str = ""
    own: tuple[str, ...] = ()
    count: str = ""


EQUIPMENT = ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions")
# Of a reference's series, what is about its own making.
SERIES_OF_IMAGES = (
    "SeriesDate",
    "SeriesTime",
    "ProtocolName",
    "OperatorsName",
    "PerformingPhysicianName",
    "PerformedProcedureStepID",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepDescription",
    "RequestAttributesSequence",
    "SeriesDescription",
)
_OF_LABELS = (*EQUIPMENT, *SERIES_OF_IMAGES, "InstitutionName", "SliceThickness")

OBJECTS: tuple[ObjectSpec, ...] = (
    ObjectSpec(
        "ct",
        "CT Image, one file per slice",
        "imgconv.dicom.sops.classic:check_ct",
        "imgconv.dicom.sops.classic:build_ct",
        "CT",
        count="imgconv.dicom.sops.classic:count_files",
    ),
    ObjectSpec(
        "mr",
        "MR Image, one file per slice",
        "imgconv.dicom.sops.classic:check_mr",
        "imgconv.dicom.sops.classic:build_mr",
        "MR",
        count="imgconv.dicom.sops.classic:count_files",
    ),
    ObjectSpec(
        "pet",
        "PET Image, one file per slice",
        "imgconv.dicom.sops.classic:check_pet",
        "imgconv.dicom.sops.classic:build_pet",
        "PT",
        count="imgconv.dicom.sops.classic:count_files",
    ),
    ObjectSpec(
        "enhanced-ct",
        "Enhanced CT Image, one file",
        "imgconv.dicom.sops.enhanced:check_ct",
        "imgconv.dicom.sops.enhanced:build_ct",
        "CT",
    ),
    ObjectSpec(
        "enhanced-mr",
        "Enhanced MR Image, one file",
        "imgconv.dicom.sops.enhanced:check_mr",
        "imgconv.dicom.sops.enhanced:build_mr",
        "MR",
    ),
    ObjectSpec(
        "parametric-map",
        "Parametric Map, one file; floating point",
        "imgconv.dicom.sops.parametric_map:check",
        "imgconv.dicom.sops.parametric_map:build",
    ),
    ObjectSpec(
        "secondary-capture",
        "Secondary Capture, single or multi-frame, grayscale or colour",
        "imgconv.dicom.sops.secondary_capture:check",
        "imgconv.dicom.sops.secondary_capture:build",
        count="imgconv.dicom.sops.secondary_capture:count_files",
    ),
    ObjectSpec(
        "photo",
        "VL Photographic Image, one file per picture",
        "imgconv.dicom.sops.photo:check",
        "imgconv.dicom.sops.photo:build",
        "XC",
        count="imgconv.dicom.sops.photo:count_files",
    ),
    ObjectSpec(
        "segmentation",
        "Segmentation (BINARY) of a label map, one file",
        "imgconv.dicom.sops.segmentation:check_binary",
        "imgconv.dicom.sops.segmentation:build_binary",
        "SEG",
        _OF_LABELS,
    ),
    ObjectSpec(
        "segmentation-fractional",
        "Segmentation (FRACTIONAL) of a label map or of probabilities, one file",
        "imgconv.dicom.sops.segmentation:check_fractional",
        "imgconv.dicom.sops.segmentation:build_fractional",
        "SEG",
        _OF_LABELS,
    ),
    ObjectSpec(
        "segmentation-labelmap",
        "Segmentation (LABELMAP) of a label map without overlap, one file",
        "imgconv.dicom.sops.segmentation:check_labelmap",
        "imgconv.dicom.sops.segmentation:build_labelmap",
        "SEG",
        _OF_LABELS,
    ),
    ObjectSpec(
        "rtstruct",
        "RT Structure Set: contours of a label map, one file",
        "imgconv.dicom.sops.rtstruct:check",
        "imgconv.dicom.sops.rtstruct:build",
        "RTSTRUCT",
        _OF_LABELS,
    ),
    ObjectSpec(
        "encapsulated-pdf",
        "Encapsulated PDF, one file",
        "imgconv.dicom.sops.document:check",
        "imgconv.dicom.sops.document:build",
    ),
)

# Words that users know, and the row that is meant.
_ALIASES = {
    "pt": "pet",
    "pm": "parametric-map",
    "sc": "secondary-capture",
    "xc": "photo",
    "pdf": "encapsulated-pdf",
    "seg": "segmentation",
}


def get_object(name: str) -> ObjectSpec:
    """Return the row that ``--as`` names.

    Raises
    ------
    UsageError
        There is none.
    """
    wanted = name.lower().replace("_", "-")
    wanted = _ALIASES.get(wanted, wanted)
    for row in OBJECTS:
        if row.name == wanted:
            return row
    known = ", ".join(row.name for row in OBJECTS)
    raise UsageError(f"`--as {name}` is unknown; known: {known}")
