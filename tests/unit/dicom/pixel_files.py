"""Small DICOM files with given pixels, as inputs of tests."""

from io import BytesIO

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

UID = "1.2.3.4.5"


def make_file(path, samples, *, syntax=ExplicitVRLittleEndian, bits=None, planar=0, **attributes):
    """Write samples (j, i) or (j, i, 3), with frames in front where `NumberOfFrames` is given."""
    path.write_bytes(file_bytes(samples, syntax=syntax, bits=bits, planar=planar, **attributes))
    return path


def file_bytes(samples, *, syntax=ExplicitVRLittleEndian, bits=None, planar=0, **attributes):
    frames = "NumberOfFrames" in attributes
    image = samples[0] if frames else samples
    colour = image.ndim == 3
    data_set = Dataset()
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data_set.file_meta.MediaStorageSOPInstanceUID = UID
    data_set.file_meta.TransferSyntaxUID = syntax
    data_set.file_meta.ImplementationClassUID = "1.2.3"
    data_set.SOPClassUID, data_set.SOPInstanceUID = SecondaryCaptureImageStorage, UID
    data_set.Modality, data_set.ImageType = "OT", ["ORIGINAL", "PRIMARY"]
    data_set.PatientName = "Doe^Jane"
    block = data_set.private_block(0x0009, "TEST", create=True)
    block.add_new(0x01, "UN", b"\1\2\3\4")
    data_set.SamplesPerPixel = 3 if colour else 1
    data_set.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        data_set.PlanarConfiguration = planar
    data_set.Rows, data_set.Columns = image.shape[:2]
    data_set.BitsAllocated = 8 * samples.dtype.itemsize
    data_set.BitsStored = bits or data_set.BitsAllocated
    data_set.HighBit = data_set.BitsStored - 1
    data_set.PixelRepresentation = int(samples.dtype.kind == "i")
    for name, value in attributes.items():
        setattr(data_set, name, value)
    stored = samples
    if colour and planar:
        stored = np.moveaxis(samples, -1, -3)
    little = syntax != "1.2.840.10008.1.2.2"
    raw = np.ascontiguousarray(stored, stored.dtype.newbyteorder("<" if little else ">")).tobytes()
    if "PixelData" not in attributes:
        data_set.PixelData = raw + b"\0" * (len(raw) % 2)
    data_set["PixelData"].VR = "OW" if samples.dtype.itemsize > 1 else "OB"
    stream = BytesIO()
    data_set.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def ramp(dtype=np.uint16, shape=(24, 20), top=4000, seed=0):
    """A smooth image with noise, the same every time."""
    rng = np.random.default_rng(seed)
    values = np.linspace(0, top, int(np.prod(shape))).reshape(shape) + rng.normal(0, 3, shape)
    info = np.iinfo(dtype)
    low = -top // 2 if info.min < 0 else 0
    return np.clip(values + low, info.min, min(info.max, top)).astype(dtype)
