"""The formats that imgconv brings, one row each; it imports nothing heavy."""

from __future__ import annotations

from imgconv.spec import Capabilities, FormatSpec, Magic

__all__ = ["FORMATS"]

FORMATS: tuple[FormatSpec, ...] = (
    FormatSpec(
        name="dicom",
        title="DICOM (PS3.10 files, series)",
        extensions=(".dcm", ".dicom", ".ima"),
        magic=(Magic(b"DICM", 128),),
        probe="imgconv.dicom.scan:looks_like_dicom",
        read="imgconv.dicom.reader:read_images",
        gathers=True,
        capabilities=Capabilities(
            dtypes=("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"),
            max_dims=4,
            geometry=True,
            sheared=True,
            rescale=True,
            colour=True,
            gradients=True,
            segments=True,
            metadata=True,
        ),
    ),
    FormatSpec(
        name="nifti",
        title="NIfTI-1 and NIfTI-2",
        extensions=(".nii.gz", ".nii"),
        magic=(Magic(b"n+1\0", 344), Magic(b"ni1\0", 344), Magic(b"n+2\0", 4), Magic(b"ni2\0", 4)),
        read="imgconv.formats.nifti:read",
        check="imgconv.formats.nifti:check",
        write="imgconv.formats.nifti:write",
        capabilities=Capabilities(
            dtypes=(
                "uint8",
                "int8",
                "uint16",
                "int16",
                "uint32",
                "int32",
                "uint64",
                "int64",
                "float32",
                "float64",
            ),
            max_dims=4,
            geometry=True,
            sheared=True,
            rescale=True,
            colour=True,
            gradients=True,
            metadata=False,
        ),
    ),
    FormatSpec(
        name="nrrd",
        title="NRRD (nearly raw raster data)",
        extensions=(".nrrd", ".nhdr"),
        magic=(Magic(b"NRRD000"),),
        read="imgconv.formats.nrrd:read",
        check="imgconv.formats.nrrd:check",
        write="imgconv.formats.nrrd:write",
        capabilities=Capabilities(
            dtypes=(
                "uint8",
                "int8",
                "uint16",
                "int16",
                "uint32",
                "int32",
                "uint64",
                "int64",
                "float32",
                "float64",
            ),
            max_dims=4,
            geometry=True,
            sheared=True,
            colour=True,
            gradients=True,
        ),
    ),
)
