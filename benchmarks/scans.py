"""Make the inputs of the benchmarks: a CT series and a long fMRI series, of noise and ellipsoids.

The images compress about as well as a scanner's: air is nearly constant,
tissue is smooth with noise in its lowest bits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

__all__ = ["make_ct", "make_fmri"]


def make_ct(folder: Path, slices: int = 300, size: int = 512) -> None:
    """Write one classic CT series, file names in no spatial order."""
    folder.mkdir(parents=True, exist_ok=True)
    series = _series(CTImageStorage, "CT", 2, "Chest")
    rng = np.random.default_rng(1)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    for k in range(slices):
        z = 2 * k / max(1, slices - 1) - 1
        body = (x / 0.8) ** 2 + (y / 0.6) ** 2 + 0.2 * z**2 < 1
        lung = ((np.abs(x) - 0.35) / 0.25) ** 2 + (y / 0.4) ** 2 + z**2 < 1
        bone = x**2 + ((y - 0.45) / 0.8) ** 2 < 0.01
        image = np.full((size, size), -1000.0)
        image[body] = 40 + 15 * np.sin(9 * x + 7 * y + 5 * z)[body]
        image[lung] = -820
        image[bone] = 700
        image += rng.normal(0, 12, image.shape) * np.where(body, 1.0, 0.35)
        stored = np.clip(np.rint(image) + 1024, 0, 4095).astype(np.uint16)
        data_set = _slice(series, stored, k + 1)
        data_set.ImagePositionPatient = [-180.0, -180.0, -200 + 1.25 * k]
        data_set.PixelSpacing = [0.703125, 0.703125]
        data_set.SliceThickness = 1.25
        data_set.RescaleIntercept, data_set.RescaleSlope = -1024, 1
        _save(data_set, folder / f"{(k * 7919) % 100_000:05d}.dcm")


def make_fmri(folder: Path, volumes: int = 200, slices: int = 25, size: int = 64) -> None:
    """Write one fMRI series of single slices: 5,000 files unless told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    series = _series(MRImageStorage, "MR", 5, "BOLD")
    rng = np.random.default_rng(2)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    head = (x / 0.7) ** 2 + (y / 0.85) ** 2 < 1
    for t in range(volumes):
        for k in range(slices):
            image = np.where(head, 900 + 200 * np.cos(5 * x) * np.sin(4 * y + 0.1 * k), 20)
            image = image + rng.normal(0, 15, image.shape)
            stored = np.clip(np.rint(image), 0, 4095).astype(np.uint16)
            data_set = _slice(series, stored, t * slices + k + 1)
            data_set.ImagePositionPatient = [-110.0, -110.0, -50 + 4.0 * k]
            data_set.PixelSpacing = [3.4375, 3.4375]
            data_set.SliceThickness = data_set.SpacingBetweenSlices = 4.0
            data_set.RepetitionTime, data_set.EchoTime, data_set.FlipAngle = 2000, 30, 80
            data_set.ScanningSequence, data_set.SequenceVariant = "EP", "SK"
            data_set.MRAcquisitionType = "2D"
            data_set.AcquisitionNumber = data_set.TemporalPositionIdentifier = t + 1
            data_set.NumberOfTemporalPositions = volumes
            seconds = 2 * t
            data_set.AcquisitionTime = (
                f"{10 + seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"
            )
            _save(data_set, folder / f"IM{t * slices + k:05d}")


def _series(sop_class: str, modality: str, number: int, description: str) -> Dataset:
    series = Dataset()
    series.SOPClassUID = sop_class
    series.Modality = modality
    series.Manufacturer = "None"
    series.PatientName, series.PatientID = "Phantom", "P1"
    series.StudyInstanceUID, series.SeriesInstanceUID = generate_uid(), generate_uid()
    series.FrameOfReferenceUID = generate_uid()
    series.SeriesNumber, series.SeriesDescription = number, description
    series.StudyDate, series.StudyTime = "20200101", "100000"
    series.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    series.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    series.SamplesPerPixel, series.PhotometricInterpretation = 1, "MONOCHROME2"
    series.BitsAllocated, series.BitsStored, series.HighBit = 16, 12, 11
    series.PixelRepresentation = 0
    return series


def _slice(series: Dataset, stored: np.ndarray, number: int) -> Dataset:
    data_set = Dataset()
    data_set.update(series)
    data_set.SOPInstanceUID = generate_uid()
    data_set.InstanceNumber = number
    data_set.Rows, data_set.Columns = stored.shape
    data_set.PixelData = stored.astype("<u2").tobytes()
    return data_set


def _save(data_set: Dataset, path: Path) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.file_meta = meta
    data_set.save_as(path, enforce_file_format=True)
