"""Conformant objects as plain mappings, and an encoder that writes what it is told.

Nothing is checked or repaired on the way, so that a case can break anything.
"""

from __future__ import annotations

import copy
import struct
from pathlib import Path
from typing import Any

from imgconv.dicom.tree_reader import read_tree
from imgconv.rules.instance import Instance
from imgconv.standard.elements import find_tag, find_vr

ROOT = "1.2.826.0.1.3680043.10.77"
CT, MR, SC, EMR = (f"1.2.840.10008.5.1.4.1.1.{suffix}" for suffix in ("2", "4", "7", "4.1"))
SR, SEG, US = (f"1.2.840.10008.5.1.4.1.1.{suffix}" for suffix in ("88.33", "66.4", "6.1"))
_LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}


class Raw(bytes):
    """Bytes that are written as they are."""


class Fragments(list):
    """Fragments of encapsulated pixel data, each bytes; the offset table is empty."""


class Typed(tuple):
    """(VR, value): written with this VR, not the dictionary's."""

    __slots__ = ()


def _pad(value: bytes, vr: str) -> bytes:
    return value + (b"\0" if vr in ("UI", "OB", "UN") else b" ") * (len(value) % 2)


def _encode_value(vr: str, value: Any) -> bytes:
    if isinstance(value, bytes):
        return bytes(value)
    if vr == "SQ":
        return b"".join(
            struct.pack("<HHI", 0xFFFE, 0xE000, len(body := encode_dataset(item))) + body
            for item in value
        )
    values = value if isinstance(value, list) else [] if value is None else [value]
    if vr == "AT":
        return b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in values)
    if vr in _BINARY:
        return struct.pack(f"<{len(values)}{_BINARY[vr]}", *values)
    return _pad("\\".join(str(v) for v in values).encode(), vr)


def _encode_fragments(tag: int, fragments: Fragments) -> bytes:
    items = b"".join(
        struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data for data in (b"", *fragments)
    )
    head = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"OB", 0, 0xFFFFFFFF)
    return head + items + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def tag_of(name: str) -> int:
    return int(name.replace(",", ""), 16) if "," in name else find_tag(name) or 0


def encode_dataset(dataset: dict[str, Any], *, implicit: bool = False) -> bytes:
    parts = []
    for name in sorted(dataset, key=tag_of):
        value, tag = dataset[name], tag_of(name)
        vr = (find_vr(tag) or "LO").replace("OB or OW", "OW")[:2]
        if isinstance(value, Fragments):
            parts.append(_encode_fragments(tag, value))
            continue
        if isinstance(value, Typed):
            vr, value = value
        data = _encode_value(vr, value)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        if implicit:
            head += struct.pack("<I", len(data))
        elif vr in _LONG:
            head += vr.encode() + b"\0\0" + struct.pack("<I", len(data))
        else:
            head += vr.encode() + struct.pack("<H", len(data))
        parts.append(head + data)
    return b"".join(parts)


def encode_file(
    dataset: dict[str, Any], meta: dict[str, Any] | None = None, *, bare: bool = False
) -> bytes:
    """Return a file: preamble, meta information with its length, data set.

    A `bare` one has no meta information.
    """
    if bare:
        return b"\0" * 128 + b"DICM" + encode_dataset(dataset)
    fields = {
        "FileMetaInformationVersion": Raw(b"\0\1"),
        "MediaStorageSOPClassUID": dataset.get("SOPClassUID", CT),
        "MediaStorageSOPInstanceUID": dataset.get("SOPInstanceUID", ROOT),
        "TransferSyntaxUID": "1.2.840.10008.1.2.1",
        "ImplementationClassUID": ROOT + ".9",
    } | (meta or {})
    fields = {name: value for name, value in fields.items() if value is not None}
    body = encode_dataset(fields)
    length = encode_dataset({"FileMetaInformationGroupLength": [len(body)]})
    return b"\0" * 128 + b"DICM" + length + body + encode_dataset(dataset)


def _common(sop_class: str, modality: str) -> dict[str, Any]:
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": sop_class, "SOPInstanceUID": f"{ROOT}.1.1",
        "StudyDate": "20200310", "StudyTime": "101112", "AccessionNumber": "", "Modality": modality,
        "Manufacturer": "ACME", "ReferringPhysicianName": "", "PatientName": "Roe^Riva",
        "PatientID": "P1", "PatientBirthDate": "", "PatientSex": "F",
        "StudyInstanceUID": f"{ROOT}.2", "SeriesInstanceUID": f"{ROOT}.3", "StudyID": "S1",
        "SeriesNumber": "1", "InstanceNumber": "1",
    }  # fmt: skip


def _pixels(rows: int = 4, columns: int = 4, bits: int = 16) -> dict[str, Any]:
    return {
        "SamplesPerPixel": [1], "PhotometricInterpretation": "MONOCHROME2", "Rows": [rows],
        "Columns": [columns], "BitsAllocated": [bits], "BitsStored": [12 if bits == 16 else 8],
        "HighBit": [11 if bits == 16 else 7], "PixelRepresentation": [0],
        "PixelData": Raw(bytes(range(rows * columns * bits // 8))),
    }  # fmt: skip


def ct() -> dict[str, Any]:
    pixels = _pixels() | {"PixelData": Raw(b"\x10\x01" * 16)}
    return _common(CT, "CT") | pixels | {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "ContentDate": "20200310",
        "ContentTime": "101112", "KVP": "120", "PatientPosition": "HFS",
        "FrameOfReferenceUID": f"{ROOT}.4", "PositionReferenceIndicator": "",
        "AcquisitionNumber": "1", "ImagePositionPatient": ["0", "0", "0"],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "PixelSpacing": ["0.5", "0.5"],
        "SliceThickness": "2.5", "RescaleIntercept": "-1024", "RescaleSlope": "1",
        "RescaleType": "HU", "WindowCenter": "40", "WindowWidth": "400",
    }  # fmt: skip


def sc() -> dict[str, Any]:
    pixels = _pixels(bits=8) | {
        "SamplesPerPixel": [3], "PhotometricInterpretation": "RGB", "PlanarConfiguration": [0],
        "PixelData": Typed(("OB", Raw(bytes(48)))),
    }  # fmt: skip
    return _common(SC, "OT") | pixels | {
        "ConversionType": "WSD", "PatientOrientation": "", "BurnedInAnnotation": "NO",
    }  # fmt: skip


def palette() -> dict[str, Any]:
    table = Typed(("OW", Raw(bytes(512))))
    descriptors = {
        f"{colour}PaletteColorLookupTableDescriptor": Typed(("US", [256, 0, 16]))
        for colour in ("Red", "Green", "Blue")
    }
    tables = {f"{colour}PaletteColorLookupTableData": table for colour in ("Red", "Green", "Blue")}
    pixels = _pixels(bits=8) | {
        "PhotometricInterpretation": "PALETTE COLOR",
        "PixelData": Typed(("OB", Raw(bytes(16)))),
    }
    return _common(SC, "OT") | pixels | descriptors | tables | {
        "ConversionType": "WSD", "PatientOrientation": "",
    }  # fmt: skip


def frames() -> dict[str, Any]:
    """An Enhanced MR image of two frames, as far as cases need one."""
    shared = {
        "PixelMeasuresSequence": [{"PixelSpacing": ["1", "1"], "SliceThickness": "2"}],
        "PlaneOrientationSequence": [
            {"ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"]}
        ],
        "FrameAnatomySequence": [{"FrameLaterality": "U", "AnatomicRegionSequence": [code()]}],
        "PixelValueTransformationSequence": [
            {"RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US"}
        ],
        "MRImageFrameTypeSequence": [
            {
                "FrameType": ["DERIVED", "PRIMARY", "OTHER", "NONE"],
                "PixelPresentation": "MONOCHROME", "VolumetricProperties": "VOLUME",
                "VolumeBasedCalculationTechnique": "NONE", "ComplexImageComponent": "MAGNITUDE",
                "AcquisitionContrast": "T1",
            }
        ],
    }  # fmt: skip
    per_frame = [
        {
            "FrameContentSequence": [{"FrameAcquisitionNumber": [1]}],
            "PlanePositionSequence": [{"ImagePositionPatient": ["0", "0", str(2 * z)]}],
        }
        for z in range(2)
    ]
    pixels = _pixels() | {"PixelData": Raw(b"\x10\x01" * 32), "NumberOfFrames": "2"}
    return _common(EMR, "MR") | pixels | {
        "ImageType": ["DERIVED", "PRIMARY", "OTHER", "NONE"],
        "SharedFunctionalGroupsSequence": [shared],
        "PerFrameFunctionalGroupsSequence": per_frame,
    }  # fmt: skip


def code(value: str = "39607008", scheme: str = "SCT", meaning: str = "Lung") -> dict[str, Any]:
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def report() -> dict[str, Any]:
    reference = {"ReferencedSOPClassUID": CT, "ReferencedSOPInstanceUID": f"{ROOT}.1.1"}
    evidence = {
        "StudyInstanceUID": f"{ROOT}.2",
        "ReferencedSeriesSequence": [
            {"SeriesInstanceUID": f"{ROOT}.3", "ReferencedSOPSequence": [dict(reference)]}
        ],
    }
    image = {
        "RelationshipType": "CONTAINS", "ValueType": "IMAGE", "ConceptNameCodeSequence": [code()],
        "ReferencedSOPSequence": [dict(reference)],
    }  # fmt: skip
    return _common(SR, "SR") | {
        "SOPInstanceUID": f"{ROOT}.1.9", "SeriesInstanceUID": f"{ROOT}.39",
        "ContentDate": "20200310", "ContentTime": "101112", "InstanceNumber": "1",
        "CompletionFlag": "COMPLETE", "VerificationFlag": "UNVERIFIED",
        "ReferencedPerformedProcedureStepSequence": [], "PerformedProcedureCodeSequence": [],
        "CurrentRequestedProcedureEvidenceSequence": [evidence], "ValueType": "CONTAINER",
        "ConceptNameCodeSequence": [code()], "ContinuityOfContent": "SEPARATE",
        "ContentSequence": [image],
    }  # fmt: skip


def deidentified() -> dict[str, Any]:
    return ct() | {
        "PatientName": "", "PatientID": "SUBJ-1", "PatientSex": "", "StudyDate": "",
        "StudyTime": "",
        "ContentDate": "", "ContentTime": "", "StudyID": "", "BurnedInAnnotation": "NO",
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethodCodeSequence": [code("113100", "DCM", "Basic Profile")],
    }  # fmt: skip


BASES = {
    "ct": ct, "sc": sc, "palette": palette, "frames": frames, "report": report,
    "deidentified": deidentified,
}  # fmt: skip


def nested(depth: int) -> dict[str, Any]:
    """Return a CT image with sequences in sequences."""
    inner: dict[str, Any] = {}
    for _level in range(depth):
        inner = {"ContentSequence": [inner]}
    return ct() | inner


def nifti(
    *,
    qform: int = 1,
    sform: int = 0,
    size: float = 1.0,
    length: int | None = None,
    volumes: int = 1,
) -> bytes:
    """Return a NIfTI-1 volume of 2 x 2 x 2 bytes, or several."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3 + (volumes > 1), 2, 2, 2, volumes, 1, 1, 1)
    struct.pack_into("<hh", head, 70, 2, 8)
    struct.pack_into("<8f", head, 76, 1, size, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", head, 108, 352)
    struct.pack_into("<hh", head, 252, qform, sform)
    head[344:348] = b"n+1\0"
    return bytes(head + bytes(8 * volumes))[:length]


def stack(count: int = 4) -> list[dict[str, Any]]:
    """Return the slices of a CT series."""
    return [
        copy.deepcopy(ct())
        | {
            "SOPInstanceUID": f"{ROOT}.1.{number + 1}",
            "InstanceNumber": str(number + 1),
            "ImagePositionPatient": ["0", "0", str(2.5 * number)],
        }
        for number in range(count)
    ]


def make_instance(dataset: dict[str, Any], folder: Path, **meta: Any) -> Instance:
    """Write a data set to a file and return what rules see of it."""
    path = folder / "object.dcm"
    path.write_bytes(encode_file(dataset, meta or None))
    return Instance(read_tree(path))
