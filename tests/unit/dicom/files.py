"""Small DICOM files for tests, made with pydicom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.uid import generate_uid

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"

MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)

Change = Callable[[Dataset], None]


def encode(dataset: Dataset, syntax: str = EXPLICIT) -> bytes:
    """Return a file's bytes."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = DicomBytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def make_slice(z: float = 0.0, number: int = 1, **attributes: Any) -> Dataset:
    """Return an MR slice of 4 rows and 3 columns whose pixels are 100 * number + 0...11."""
    dataset = Dataset()
    dataset.SOPClassUID = MR
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = "1.2.1"
    dataset.SeriesInstanceUID = "1.2.1.1"
    dataset.FrameOfReferenceUID = "1.2.1.9"
    dataset.Modality = "MR"
    dataset.SeriesNumber = 7
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.InstanceNumber = number
    dataset.EchoTime = 5
    dataset.ImagePositionPatient = [-10, -20, z]
    dataset.ImageOrientationPatient = list(AXIAL)
    dataset.PixelSpacing = [2, 1.5]
    dataset.SliceThickness = 3
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = 4, 3
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 0
    pixels = np.arange(12, dtype=np.uint16) + 100 * number
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def write_all(folder: Path, datasets: Iterable[Dataset], syntax: str = EXPLICIT) -> list[Path]:
    """Write data sets in the given order; names sort in that order."""
    paths = []
    for number, dataset in enumerate(datasets):
        path = folder / f"{number:04d}"
        path.write_bytes(encode(dataset, syntax))
        paths.append(path)
    return paths


def make_enhanced(
    frames: Iterable[dict[str, Any]], pointers: Iterable[int] = (), **attributes: Any
) -> Dataset:
    """Return an enhanced MR object.

    Each frame has ``z``, ``index`` (Dimension Index Values) and optionally
    ``echo``, ``component``, ``slope``, ``b``, ``stack``.
    """
    frames = list(frames)
    dataset = make_slice(**attributes)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "EchoTime"):
        delattr(dataset, keyword)
    dataset.SOPClassUID = ENHANCED_MR
    dataset.NumberOfFrames = len(frames)
    dataset.DimensionIndexSequence = [_with(DimensionIndexPointer=tag) for tag in pointers]
    dataset.SharedFunctionalGroupsSequence = [
        _with(
            PlaneOrientationSequence=[_with(ImageOrientationPatient=list(AXIAL))],
            PixelMeasuresSequence=[_with(PixelSpacing=[2, 1.5], SliceThickness=3)],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [_frame_item(frame) for frame in frames]
    pixels = np.arange(12, dtype=np.uint16) + 100 * np.arange(len(frames), dtype=np.uint16)[:, None]
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def _frame_item(frame: dict[str, Any]) -> Dataset:
    content = _with(DimensionIndexValues=list(frame["index"]))
    if "stack" in frame:
        content.StackID = frame["stack"]
    item = _with(
        FrameContentSequence=[content],
        PlanePositionSequence=[_with(ImagePositionPatient=[-10, -20, frame["z"]])],
        MREchoSequence=[_with(EffectiveEchoTime=float(frame.get("echo", 5)))],
        PixelValueTransformationSequence=[
            _with(RescaleSlope=frame.get("slope", 1), RescaleIntercept=0)
        ],
        MRImageFrameTypeSequence=[
            _with(
                FrameType=["ORIGINAL", "PRIMARY", "M", "NONE"],
                ComplexImageComponent=frame.get("component", "MAGNITUDE"),
            )
        ],
    )
    if "b" in frame:
        item.MRDiffusionSequence = [_with(DiffusionBValue=float(frame["b"]))]
    return item


def _with(**attributes: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset
